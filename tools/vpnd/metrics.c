// SPDX-License-Identifier: GPL-2.0
#include "metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "../libvpn/names.h"
#include "door.h"
#include "driver.h"
#include "watch.h"

#define NSEC	1e9

/* A family of figures: what it is, once. */
static void family(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(FILE *to, const char *name, const char *type, const char *help, double value)
{
	family(to, name, type, help);
	fprintf(to, "%s %.17g\n", name, value);
}

static void put_label(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc_unlocked('\\', to);
		if (*text == '\n')
			fputs_unlocked("\\n", to);
		else
			fputc_unlocked(*text, to);
	}
}

static void put_link(struct daemon *d, FILE *to)
{
	struct rtnl_link_stats64 stats;
	uint32_t ifindex = world_ifindex(&d->world);
	struct vpn_error err;

	if (!ifindex || vpn_rtnl_get_stats(&d->world.rtnl, ifindex, &stats, &err))
		return;
	single(to, "vpn_packets_sent_total", "counter", "Packets sent into the tunnel.",
	       stats.tx_packets);
	single(to, "vpn_packets_received_total", "counter", "Packets that came out of the tunnel.",
	       stats.rx_packets);
	single(to, "vpn_sent_bytes_total", "counter", "Octets of those sent.", stats.tx_bytes);
	single(to, "vpn_received_bytes_total", "counter", "Octets of those received.",
	       stats.rx_bytes);
	single(to, "vpn_packets_sent_dropped_total", "counter",
	       "Packets for the tunnel that were dropped.", stats.tx_dropped + stats.tx_errors);
	single(to, "vpn_packets_received_dropped_total", "counter",
	       "Packets from the tunnel that were dropped.", stats.rx_dropped + stats.rx_errors);
}

static void put_drops(const struct driver *driver, FILE *to)
{
	unsigned int i;

	family(to,
	       "vpn_drops_total",
	       "counter", "What was dropped, by reason; vpn(4) explains them.");
	for (i = 0; i < driver->count; i++) {
		if (!strncmp(driver_name(driver, i), "drop_", 5))
			fprintf(to, "vpn_drops_total{reason=\"%s\"} %llu\n",
				driver_name(driver, i) + 5,
				(unsigned long long)driver->values->data[i]);
	}
}

static void put_messages(const struct driver *driver, FILE *to)
{
	static const char *const kinds[] = { "initiations", "responses", "cookies", "rejects",
					     "disconnects", "keepalives" };
	char name[32];
	size_t i;

	family(to, "vpn_messages_total", "counter", "Messages of the protocol, other than data.");
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(name, sizeof(name), "tx_%s", kinds[i]);
		fprintf(to, "vpn_messages_total{direction=\"sent\",kind=\"%s\"} %llu\n", kinds[i],
			(unsigned long long)driver_value(driver, name));
		snprintf(name, sizeof(name), "rx_%s", kinds[i]);
		fprintf(to,
			"vpn_messages_total{direction=\"received\",kind=\"%s\"} %llu\n",
			kinds[i],
			(unsigned long long)driver_value(driver, name));
	}
}

static void put_driver(const struct daemon *d, FILE *to)
{
	struct driver driver;

	if (driver_read(d->config->ifname, &driver)) {
		put_drops(&driver, to);
		put_messages(&driver, to);
	}
	driver_release(&driver);
}

static void put_histogram(FILE *to, const char *name, const char *help,
			  const struct vpn_histogram *histogram)
{
	uint64_t below = 0;
	unsigned int i;

	family(to, name, "histogram", help);
	for (i = 0; i < histogram->bucket_count; i++) {
		below += histogram->buckets[i].count;
		if (histogram->buckets[i].bound != UINT64_MAX)
			fprintf(to, "%s_bucket{le=\"%.9g\"} %llu\n", name,
				histogram->buckets[i].bound / NSEC, (unsigned long long)below);
	}
	fprintf(to, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.9g\n%s_count %llu\n", name,
		(unsigned long long)below, name, histogram->sum / NSEC, name,
		(unsigned long long)below);
}

/* There may be ten thousand of them, so none of this goes through printf twice. */
static void put_peer_name(FILE *to, const char *name, const struct vpn_peer *peer)
{
	char key[VPN_KEY_BASE64_LEN + 1];

	vpn_key_to_base64(peer->public_key, key);
	fputs_unlocked(name, to);
	fputs_unlocked("{public_key=\"", to);
	fputs_unlocked(key, to);
	fputs_unlocked("\",peer=\"", to);
	put_label(to, peer->name);
	fputs_unlocked("\"} ", to);
}

static void put_peer_count(FILE *to, const char *name, const struct vpn_peer *peer, uint64_t value)
{
	put_peer_name(to, name, peer);
	fprintf(to, "%llu\n", (unsigned long long)value);
}

static void put_peer_figure(FILE *to, const char *name, const struct vpn_peer *peer, double value)
{
	put_peer_name(to, name, peer);
	fprintf(to, "%.17g\n", value);
}

static void put_peers(const struct vpn_device *dev, FILE *to)
{
	const struct vpn_peer *peer;

	family(to, "vpn_peer_received_bytes_total", "counter",
	       "Octets of authentic messages of a peer, with their overhead.");
	for (peer = dev->peers; peer; peer = peer->next)
		put_peer_count(to, "vpn_peer_received_bytes_total", peer, peer->rx_bytes);
	family(to, "vpn_peer_sent_bytes_total", "counter", "The same, sent to the peer.");
	for (peer = dev->peers; peer; peer = peer->next)
		put_peer_count(to, "vpn_peer_sent_bytes_total", peer, peer->tx_bytes);
	family(to, "vpn_peer_last_handshake_timestamp_seconds", "gauge",
	       "When the latest handshake with a peer completed.");
	for (peer = dev->peers; peer; peer = peer->next) {
		if (peer->last_handshake)
			put_peer_figure(to, "vpn_peer_last_handshake_timestamp_seconds", peer,
					peer->last_handshake / NSEC);
	}
	family(to, "vpn_peer_round_trip_seconds", "gauge", "The latest round-trip time of a peer.");
	for (peer = dev->peers; peer; peer = peer->next) {
		if (peer->has & VPN_PEER_HAS_RTT)
			put_peer_figure(to, "vpn_peer_round_trip_seconds", peer, peer->rtt / NSEC);
	}
}

static void put_device(const struct daemon *d, FILE *to)
{
	struct vpn_device *dev;
	struct vpn_error err;

	if (vpn_device_get(d->config->ifname, &dev, &err))
		return;
	single(to, "vpn_peers", "gauge", "Peers that the device knows.", dev->peer_count);
	put_histogram(to, "vpn_latency_seconds", "Round-trip times of echoes through the tunnel.",
		      &dev->echo_latency);
	put_histogram(to, "vpn_handshake_duration_seconds",
		      "Time from an initiation to the session, of handshakes begun here.",
		      &dev->handshake_latency);
	put_peers(dev, to);
	vpn_device_free(dev);
}

static void put_pools(const struct daemon *d, FILE *to)
{
	const struct vpn_pool *pool;
	char text[VPN_PREFIX_TEXT];
	struct vpn_device *dev;
	struct vpn_error err;
	bool used;

	if (d->client || vpn_device_get_pools(d->config->ifname, &dev, &err))
		return;
	for (used = false;; used = true) {
		const char *name = used ? "vpn_pool_leases" : "vpn_pool_addresses";

		family(to, name, "gauge", used ? "Addresses of a pool that are leased." :
		       "Addresses of a pool that can be leased.");
		for (pool = dev->pools; pool; pool = pool->next) {
			vpn_address_format(&pool->prefix, text);
			fprintf(to, "%s{pool=\"%s\"} %llu\n", name, text,
				(unsigned long long)(used ? pool->used : pool->size));
		}
		if (used)
			break;
	}
	vpn_device_free(dev);
}

static void put_decisions(const struct door_counts *counts, FILE *to)
{
	const struct {
		const char *result;
		uint64_t count;
	} rows[] = {
		{ "let_in", counts->let_in }, { "turned_away", counts->turned_away },
		{ "cut_off", counts->cut_off },
	};
	size_t i;

	family(to, "vpn_authorisations_total", "counter",
	       "Decisions about clients that show a certificate or a token.");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		fprintf(to, "vpn_authorisations_total{result=\"%s\"} %llu\n", rows[i].result,
			(unsigned long long)rows[i].count);
}

static void put_refusals(const struct watch_counts *counts, FILE *to)
{
	uint32_t i;

	family(to,
	       "vpn_refusals_total",
	       "counter", "Handshakes refused, by reason, since the start.");
	for (i = 1; i < vpn_reject_reasons.count; i++) {
		if (vpn_reject_reasons.words[i])
			fprintf(to, "vpn_refusals_total{reason=\"%s\"} %llu\n",
				vpn_reject_reasons.words[i],
				(unsigned long long)counts->refusals[i]);
	}
}

static void put_daemon(struct daemon *d, FILE *to)
{
	const struct watch_counts *counts = watch_counts(d->watch);

	family(to, "vpn_info", "gauge", "What runs here; always 1.");
	fprintf(to, "vpn_info{version=\"%s\",device=\"%s\",role=\"%s\"} 1\n", VPN_VERSION,
		d->config->ifname, d->client ? "client" : "server");
	single(to, "vpn_start_timestamp_seconds", "gauge", "When vpnd was started.", d->started);
	single(to, "vpn_peers_connected", "gauge", "Peers with a session.", counts->connected);
	single(to, "vpn_connects_total", "counter", "Peers that connected, since the start.",
	       counts->connects);
	single(to, "vpn_disconnects_total", "counter", "Peers that went, since the start.",
	       counts->leaves);
	single(to,
	       "vpn_moves_total",
	       "counter", "Peers whose address outside changed, since the start.",
	       counts->moves);
	single(to, "vpn_events_lost_total", "counter", "Times that events of the kernel were lost.",
	       counts->events_lost);
	single(to, "vpn_reloads_total", "counter", "Times that the configuration was read again.",
	       d->reloads);
	single(to, "vpn_reloads_failed_total", "counter", "Those of them that failed.",
	       d->reloads_failed);
	put_refusals(counts, to);
	if (d->door)
		put_decisions(door_counts(d->door), to);
}

char *metrics_text(struct daemon *d)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to;

	to = open_memstream(&text, &size);
	if (!to)
		return NULL;
	put_daemon(d, to);
	put_link(d, to);
	put_driver(d, to);
	put_device(d, to);
	put_pools(d, to);
	if (!fclose(to))
		return text;
	free(text);
	return NULL;
}
