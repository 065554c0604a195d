// SPDX-License-Identifier: GPL-2.0
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "../libvpn/names.h"
#include "fields.h"
#include "moment.h"
#include "out.h"
#include "units.h"

#define HINT \
	"no answer to version 1; the peer may be WireGuard, set for it: address off cipher chacha20-poly1305 credential \"\""

static bool text_style(void)
{
	return out_style() == OUT_PRETTY || out_style() == OUT_LINE;
}

static void put_addresses(const struct out_field *field, const struct vpn_addresses *addresses,
			  void (*format)(const struct vpn_address *, char *), const char *none)
{
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	out_list(field, ",");
	for (i = 0; i < addresses->count; i++) {
		format(&addresses->list[i], text);
		out_item(text);
	}
	out_list_end(text_style() ? NULL : none);
}

/* A number that is nothing when it is zero. */
static void put_count(const struct out_field *field, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	out_number(field, value, value ? NULL : "off", value ? text : NULL);
}

static void put_interval(const struct out_field *field, uint16_t seconds)
{
	char text[UNITS_TEXT];

	units_every(seconds, text);
	out_number(field, seconds, seconds ? NULL : "off", seconds ? text : NULL);
}

void field_host_name(const struct vpn_device *dev)
{
	static const struct out_field field = { "host_name", "host name", HEADING_NONE };

	out_string(&field, *dev->host_name ? dev->host_name : NULL);
}

void field_max_peers(const struct vpn_device *dev)
{
	static const struct out_field field = { "max_peers", "max peers", HEADING_NONE };

	put_count(&field, dev->max_peers);
}

void field_push_dns(const struct vpn_device *dev)
{
	static const struct out_field field = { "push_dns", "push dns", HEADING_NONE };

	put_addresses(&field, &dev->push_dns, vpn_address_format_host, "(none)");
}

void field_push_routes(const struct vpn_device *dev)
{
	static const struct out_field field = { "push_routes", "push routes", HEADING_NONE };

	put_addresses(&field, &dev->push_routes, vpn_address_format, "(none)");
}

void field_push_mtu(const struct vpn_device *dev)
{
	static const struct out_field field = { "push_mtu", "push mtu", HEADING_NONE };

	put_count(&field, dev->push_mtu);
}

void field_push_keepalive(const struct vpn_device *dev)
{
	static const struct out_field field = {
		"push_keepalive", "push keepalive", HEADING_NONE
	};

	put_interval(&field, dev->push_keepalive);
}

static void address_mode_text(const struct vpn_peer *peer)
{
	static const struct out_field field = { "addresses", "address", HEADING_NONE };
	const char *mode = vpn_name_of(&vpn_address_modes, peer->address_mode);
	char text[2 * VPN_PREFIX_TEXT + 32], address[VPN_PREFIX_TEXT];
	unsigned int i, len = 0;

	if (peer->address_mode == VPN_ADDRESS_MODE_NONE)
		return;
	*text = '\0';
	for (i = 0; i < peer->addresses.count && i < 2; i++) {
		vpn_address_format_host(&peer->addresses.list[i], address);
		len += snprintf(text + len, sizeof(text) - len, "%s%s", i ? ", " : "", address);
	}
	snprintf(text + len, sizeof(text) - len, "%s (%s)", len ? "" : "auto", mode);
	out_string(&field, text);
}

void field_address(const struct vpn_peer *peer)
{
	static const struct out_field mode = { "address_mode", "address mode", HEADING_NONE };
	static const struct out_field addresses = { "addresses", NULL, HEADING_NONE };

	if (text_style()) {
		address_mode_text(peer);
		return;
	}
	out_string(&mode, vpn_name_of(&vpn_address_modes, peer->address_mode));
	put_addresses(&addresses, &peer->addresses, vpn_address_format_host, "(none)");
}

/* Seconds since the epoch, rounded up: what has an end is not told to have none. */
static uint64_t end_second(uint64_t expires)
{
	return expires / NSEC_PER_SEC + !!(expires % NSEC_PER_SEC);
}

static void put_end(uint64_t expires)
{
	static const struct out_field field = { "expires", NULL, HEADING_NONE };

	if (expires)
		out_number(&field, end_second(expires), NULL, NULL);
	else
		out_null(&field, "0");
}

static void lease_text(const struct vpn_lease *lease, char *text, size_t size)
{
	char address[VPN_PREFIX_TEXT], left[UNITS_TEXT] = "for ever";

	vpn_address_format(&lease->address, address);
	if (lease->expires)
		units_left(lease->expires / NSEC_PER_SEC, left);
	snprintf(text, size, "%s (%s)", address, left);
}

static void leases_text(const struct vpn_peer *peer)
{
	static const struct out_field field = { "leases", "lease", HEADING_NONE };
	char text[VPN_PREFIX_TEXT + UNITS_TEXT + 8];
	const struct vpn_lease *lease;

	out_list(&field, ",");
	for (lease = peer->leases.first; lease; lease = lease->next) {
		lease_text(lease, text, sizeof(text));
		out_item(text);
	}
	out_list_end(NULL);
}

void field_leases(const struct vpn_peer *peer)
{
	static const struct out_field address = { "address", NULL, HEADING_NONE };
	const struct vpn_lease *lease;
	char text[VPN_PREFIX_TEXT];

	if (text_style()) {
		leases_text(peer);
		return;
	}
	out_array("leases");
	for (lease = peer->leases.first; lease; lease = lease->next) {
		vpn_address_format(&lease->address, text);
		out_group(NULL);
		out_string(&address, text);
		put_end(lease->expires);
		out_group_end();
	}
	out_array_end();
	if (out_style() == OUT_TABS && !peer->leases.first)
		out_null(&address, "(none)");
}

/* A moment in seconds; text is for people. */
static void put_moment(const struct out_field *field, uint64_t moment, const char *text)
{
	if (moment)
		out_number(field, moment / NSEC_PER_SEC, NULL, text);
	else
		out_null(field, "0");
}

static void put_ago(const struct out_field *field, uint64_t moment)
{
	char text[UNITS_TEXT];

	units_ago(moment / NSEC_PER_SEC, text);
	put_moment(field, moment, text);
}

/* The end of what was assigned; a lease without an end is for ever. */
static void put_assigned_lease(const struct vpn_assigned *assigned)
{
	static const struct out_field span = { "lease_time", NULL, HEADING_NONE };
	static const struct out_field end = { "expires", "assigned lease", HEADING_NONE };
	uint64_t seconds = assigned->time / NSEC_PER_SEC + assigned->lease_time;
	char text[UNITS_TEXT];

	if (!assigned->has_lease_time || !assigned->lease_time) {
		out_null(&span, "0");
		out_null(&end, "0");
		return;
	}
	out_number(&span, assigned->lease_time, NULL, NULL);
	units_left(seconds, text);
	out_number(&end, seconds, NULL, text);
}

void field_assigned(const struct vpn_peer *peer)
{
	static const struct out_field none = { "assigned", "assigned", HEADING_NONE };
	static const struct out_field addresses = { "addresses", "assigned", HEADING_NONE };
	static const struct out_field dns = { "dns", "assigned dns", HEADING_NONE };
	static const struct out_field routes = { "routes", "assigned routes", HEADING_NONE };
	static const struct out_field mtu = { "mtu", "assigned mtu", HEADING_NONE };
	static const struct out_field keepalive = {
		"keepalive", "assigned keepalive", HEADING_NONE
	};
	static const struct out_field when = { "time", NULL, HEADING_NONE };
	const struct vpn_assigned *assigned = peer->assigned;

	if (!assigned) {
		out_null(&none, "(none)");
		return;
	}
	out_group("assigned");
	put_addresses(&addresses, &assigned->addresses, vpn_address_format, "(none)");
	put_addresses(&dns, &assigned->dns, vpn_address_format_host, "(none)");
	put_addresses(&routes, &assigned->routes, vpn_address_format, "(none)");
	put_count(&mtu, assigned->mtu);
	put_interval(&keepalive, assigned->keepalive);
	put_assigned_lease(assigned);
	if (!text_style())
		put_moment(&when, assigned->time, NULL);
	out_group_end();
}

/* A plain peer has the cipher of WireGuard, and need not be told so. */
void field_cipher(const struct vpn_peer *peer)
{
	static const struct out_field field = { "cipher", "cipher", HEADING_NONE };

	if (text_style() && peer->cipher == VPN_CIPHER_CHACHA20_POLY1305)
		return;
	out_string(&field, vpn_name_of(&vpn_ciphers, peer->cipher));
}

void field_session_cipher(const struct vpn_peer *peer)
{
	static const struct out_field field = {
		"session_cipher", "session cipher", HEADING_NONE
	};
	bool has = peer->has & VPN_PEER_HAS_SESSION_CIPHER;

	if (text_style() && !peer->version)
		return;
	out_string(&field, has ? vpn_name_of(&vpn_ciphers, peer->session_cipher) : NULL);
}

void field_credential(const struct vpn_peer *peer)
{
	static const struct out_field field = { "credential_kind", "credential", HEADING_NONE };

	out_string(&field, peer->credential_kind ?
		   vpn_name_of(&vpn_credential_kinds, peer->credential_kind) : NULL);
}

void field_expires(const struct vpn_peer *peer)
{
	static const struct out_field field = { "expires", "expires", HEADING_NONE };
	char text[UNITS_TEXT + MOMENT_TEXT], moment[MOMENT_TEXT];
	size_t len;

	units_when(peer->expires / NSEC_PER_SEC, text);
	moment_format(peer->expires / NSEC_PER_SEC * NSEC_PER_SEC, moment);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, " (%s)", moment);
	put_moment(&field, peer->expires, text);
}

/* None at all is another thing than those of the device. */
void field_peer_routes(const struct vpn_peer *peer)
{
	static const struct out_field field = { "push_routes", "push routes", HEADING_NONE };

	if (!peer->own_routes)
		out_null(&field, "device");
	else if (!peer->push_routes.count && text_style())
		out_string(&field, "(none)");
	else
		put_addresses(&field, &peer->push_routes, vpn_address_format, "(none)");
}

void field_peer_host_name(const struct vpn_peer *peer)
{
	static const struct out_field field = { "host_name", "host name", HEADING_NONE };

	out_string(&field, peer->host_name);
}

void field_software(const struct vpn_peer *peer)
{
	static const struct out_field field = { "software", "software", HEADING_NONE };

	out_string(&field, peer->software);
}

/* "pool-exhausted" as people write it. */
static void words_of(const char *name, char *text, size_t size)
{
	char *dash;

	snprintf(text, size, "%s", name);
	while ((dash = strchr(text, '-')))
		*dash = ' ';
}

static void refusal_text(const struct vpn_refusal *refusal)
{
	static const struct out_field field = { NULL, "last refusal", HEADING_NONE };
	static const struct out_field when = { NULL, NULL, HEADING_NONE };
	char words[64], text[VPN_REASON_TEXT_MAX + 80];

	words_of(vpn_name_of(&vpn_reject_reasons, refusal->reason), words, sizeof(words));
	snprintf(text, sizeof(text), "%s%s", refusal->ours ? "we refused: " : "",
		 *refusal->text ? refusal->text : words);
	out_string(&field, text);
	put_ago(&when, refusal->time);
}

void field_refusal(const struct vpn_peer *peer)
{
	static const struct out_field none = { "last_refusal", NULL, HEADING_NONE };
	static const struct out_field reason = { "reason", NULL, HEADING_NONE };
	static const struct out_field text = { "text", NULL, HEADING_NONE };
	static const struct out_field who = { NULL, NULL, HEADING_NONE };
	static const struct out_field when = { "time", NULL, HEADING_NONE };
	const struct vpn_refusal *refusal = peer->last_refusal;

	if (!refusal) {
		out_null(&none, "(none)");
		return;
	}
	if (text_style()) {
		refusal_text(refusal);
		return;
	}
	out_group("last_refusal");
	out_string(&reason, vpn_name_of(&vpn_reject_reasons, refusal->reason));
	out_string(&text, *refusal->text ? refusal->text : NULL);
	out_string(&who, refusal->ours ? "ours" : "theirs");
	out_bool("ours", refusal->ours);
	put_moment(&when, refusal->time, NULL);
	out_group_end();
}

void field_disconnect(const struct vpn_peer *peer)
{
	static const struct out_field none = { "last_disconnect", NULL, HEADING_NONE };
	static const struct out_field reason = { "reason", "last disconnect", HEADING_NONE };
	static const struct out_field when = { "time", NULL, HEADING_NONE };
	const struct vpn_ending *ending = peer->last_disconnect;
	const char *name;
	char words[64];

	if (!ending) {
		out_null(&none, "(none)");
		return;
	}
	name = vpn_name_of(&vpn_disconnect_reasons, ending->reason);
	words_of(name, words, sizeof(words));
	out_group("last_disconnect");
	out_string(&reason, text_style() ? words : name);
	put_ago(&when, ending->time);
	out_group_end();
}

void field_unanswered(const struct vpn_peer *peer)
{
	static const struct out_field field = { "unanswered", NULL, HEADING_NONE };

	out_number(&field, peer->unanswered, NULL, NULL);
}

void field_rtt(const struct vpn_peer *peer)
{
	static const struct out_field field = { "rtt_ns", "round-trip time", HEADING_NONE };
	char text[UNITS_TEXT];

	if (!(peer->has & VPN_PEER_HAS_RTT)) {
		out_null(&field, "(none)");
		return;
	}
	units_latency(peer->rtt, text);
	out_number(&field, peer->rtt, NULL, text);
}

/* The bound below which that many of a hundred samples are; UINT64_MAX: it has none. */
static uint64_t percentile(const struct vpn_histogram *histogram, unsigned int percent)
{
	uint64_t total = 0, seen = 0;
	unsigned int i;

	for (i = 0; i < histogram->bucket_count; i++)
		total += histogram->buckets[i].count;
	for (i = 0; i < histogram->bucket_count; i++) {
		seen += histogram->buckets[i].count;
		if (seen * 100 >= total * percent)
			return histogram->buckets[i].bound;
	}
	return UINT64_MAX;
}

static void put_percentile(const struct out_field *field, const char *name, uint64_t bound)
{
	char latency[UNITS_TEXT], text[UNITS_TEXT + 16];

	if (bound == UINT64_MAX) {
		out_null(field, "(none)");
		return;
	}
	units_latency(bound, latency);
	snprintf(text, sizeof(text), "%s < %s", name, latency);
	out_number(field, bound, NULL, text);
}

static void put_buckets(const struct vpn_histogram *histogram)
{
	static const struct out_field bound = { "bound_ns", NULL, HEADING_NONE };
	static const struct out_field count = { "count", NULL, HEADING_NONE };
	const struct vpn_bucket *bucket;

	if (out_style() != OUT_JSON)
		return;
	out_array("buckets");
	for (bucket = histogram->buckets; bucket < histogram->buckets + histogram->bucket_count;
	     bucket++) {
		out_group(NULL);
		if (bucket->bound == UINT64_MAX)
			out_null(&bound, NULL);
		else
			out_number(&bound, bucket->bound, NULL, NULL);
		out_number(&count, bucket->count, NULL, NULL);
		out_group_end();
	}
	out_array_end();
}

static void put_histogram(const char *key, const char *label, const struct vpn_histogram *histogram)
{
	const struct out_field none = { key, NULL, HEADING_NONE };
	const struct out_field count = { "count", label, HEADING_NONE };
	static const struct out_field sum = { "sum_ns", NULL, HEADING_NONE };
	static const struct out_field mean = { "mean_ns", NULL, HEADING_NONE };
	static const struct out_field p50 = { "p50_ns", NULL, HEADING_NONE };
	static const struct out_field p99 = { "p99_ns", NULL, HEADING_NONE };
	char samples[48], latency[UNITS_TEXT], text[UNITS_TEXT + 8];

	if (!histogram->count) {
		out_null(&none, "(none)");
		return;
	}
	out_group(key);
	snprintf(samples, sizeof(samples), "%llu sample%s", (unsigned long long)histogram->count,
		 histogram->count > 1 ? "s" : "");
	out_number(&count, histogram->count, NULL, samples);
	out_number(&sum, histogram->sum, NULL, NULL);
	units_latency(histogram->sum / histogram->count, latency);
	snprintf(text, sizeof(text), "mean %s", latency);
	out_number(&mean, histogram->sum / histogram->count, NULL, text);
	put_percentile(&p50, "p50", percentile(histogram, 50));
	put_percentile(&p99, "p99", percentile(histogram, 99));
	put_buckets(histogram);
	out_group_end();
}

void field_latency(const struct vpn_peer *peer)
{
	if (text_style() && !peer->version)
		return;
	put_histogram("handshake_latency", "handshake latency", &peer->handshake_latency);
	put_histogram("echo_latency", "echo latency", &peer->echo_latency);
}

void field_device_latency(const struct vpn_device *dev)
{
	put_histogram("handshake_latency", "handshake latency", &dev->handshake_latency);
	put_histogram("echo_latency", "echo latency", &dev->echo_latency);
}

void field_hint(const struct vpn_peer *peer)
{
	static const struct out_field field = { "hint", "hint", HEADING_NONE };
	bool session = peer->has & VPN_PEER_HAS_SESSION_CIPHER;

	out_string(&field, peer->version == 1 && !session && peer->unanswered >= 2 ? HINT : NULL);
}

void field_lease(const struct vpn_lease *lease)
{
	static const struct out_field address = { "address", NULL, HEADING_NONE };
	static const struct out_field key = { "public_key", NULL, HEADING_NONE };
	static const struct out_field name = { "name", "name", HEADING_NONE };
	static const struct out_field expires = { "expires", "expires", HEADING_NONE };
	static const struct out_field state = { NULL, NULL, HEADING_NONE };
	char text[VPN_PREFIX_TEXT], base64[VPN_KEY_BASE64_LEN + 1], when[UNITS_TEXT];

	vpn_address_format(&lease->address, text);
	vpn_key_to_base64(lease->public_key, base64);
	out_string(&address, text);
	out_string(&key, lease->has_key ? base64 : NULL);
	out_string(&name, *lease->name ? lease->name : NULL);
	units_when(lease->expires / NSEC_PER_SEC, when);
	if (lease->expires)
		out_number(&expires, end_second(lease->expires), NULL, when);
	else
		out_null(&expires, "0");
	out_string(&state, lease->bound ? "(bound)" : "(free)");
	out_bool("bound", lease->bound);
}

static void put_credential(const struct vpn_auth_request *request)
{
	static const struct out_field kind = { "credential_kind", "credential", HEADING_NONE };
	static const struct out_field octets = { "credential", NULL, HEADING_NONE };
	char *base64, text[48];

	if (!request->credential_kind) {
		out_null(&kind, "(none)");
		out_null(&octets, "(none)");
		return;
	}
	out_string(&kind, vpn_name_of(&vpn_credential_kinds, request->credential_kind));
	snprintf(text, sizeof(text), "of %zu octets", request->credential_len);
	if (out_style() != OUT_JSON) {
		out_string(&octets, text);
		return;
	}
	base64 = malloc(request->credential_len / 3 * 4 + 8);
	if (!base64)
		return;
	EVP_EncodeBlock((unsigned char *)base64, request->credential, request->credential_len);
	out_string(&octets, base64);
	free(base64);
}

static void put_request_endpoint(const struct vpn_auth_request *request)
{
	static const struct out_field field = { "endpoint", "endpoint", HEADING_NONE };
	char text[VPN_ENDPOINT_TEXT];

	if (request->has_endpoint)
		vpn_endpoint_format(&request->endpoint, text);
	out_string(&field, request->has_endpoint ? text : NULL);
}

void field_auth_request(const struct vpn_auth_request *request)
{
	static const struct out_field key = { "public_key", "key", HEADING_NONE };
	static const struct out_field version = {
		"protocol_version", "protocol version", HEADING_NONE
	};
	static const struct out_field cipher = { "cipher", "cipher", HEADING_NONE };
	static const struct out_field addresses = { "addresses", "asks for", HEADING_NONE };
	static const struct out_field host = { "host_name", "host name", HEADING_NONE };
	static const struct out_field software = { "software", "software", HEADING_NONE };
	char base64[VPN_KEY_BASE64_LEN + 1], number[16];

	vpn_key_to_base64(request->public_key, base64);
	out_group("auth_request");
	out_string(&key, base64);
	put_request_endpoint(request);
	snprintf(number, sizeof(number), "%u", request->version);
	out_number(&version, request->version, NULL, number);
	out_string(&cipher, vpn_name_of(&vpn_ciphers, request->cipher));
	put_credential(request);
	put_addresses(&addresses, &request->addresses, vpn_address_format_host, "(none)");
	out_string(&host, request->host_name);
	out_string(&software, request->software);
	out_group_end();
}
