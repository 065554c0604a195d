// SPDX-License-Identifier: GPL-2.0
/* What stands in the way of packets, and what has to change them. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "../libvpn/probe.h"
#include "driver.h"
#include "exam.h"
#include "ruleset.h"

static const char *version_of(uint16_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

/*
 * The port
 */

/* Those of iptables-nft are among the rules of nftables; those of the other one are not. */
static bool has_legacy_rules(void)
{
	static const char *const lists[] = {
		"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names",
	};
	bool found = false;
	FILE *file;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		file = fopen(lists[i], "re");
		found |= file && fgetc(file) != EOF;
		if (file)
			fclose(file);
	}
	return found;
}

/* The families that come to the port, and to which of our addresses. */
static bool is_meant(const struct subject *s, uint16_t family, const char **target)
{
	const char *host = s->config ? s->config->listen.host : NULL;
	struct vpn_address address;

	*target = NULL;
	if (!host || !vpn_address_parse(&address, host) || !strcmp(host, "::"))
		return true;
	if (strcmp(host, "0.0.0.0"))
		*target = host;
	return address.family == family;
}

/* On a host without IPv6, who cares for rules about it. */
static bool comes(const struct subject *s, uint16_t family)
{
	char uplink[IF_NAMESIZE];

	return family == AF_INET || probe_uplink(family, subject_mark(s), uplink);
}

static bool is_dropped(struct subject *s, uint16_t port)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	static const char *const hooks[] = { "prerouting", "input" };
	struct packet packet = { .tunnel = s->ifname, .protocol = "udp", .port = port };
	struct ruleset_place where;
	char text[RULESET_WHERE];
	size_t f, h;

	for (f = 0; f < 2; f++) {
		packet.family = families[f];
		if (!is_meant(s, families[f], &packet.target) || !comes(s, families[f]))
			continue;
		for (h = 0; h < 2; h++) {
			if (ruleset_fate(s->ruleset, hooks[h], &packet, &where) != FATE_DROPPED)
				continue;
			ruleset_format(&where, text);
			exam_say(s, "port", VERDICT_FAIL,
				 "UDP port %u is blocked for %s by nftables: %s", port,
				 version_of(families[f]), text);
			exam_remedy(s, "let 'udp dport %u accept' stand before that", port);
			return true;
		}
	}
	return false;
}

static bool is_closed(struct subject *s, uint16_t port)
{
	struct vpn_error err;
	bool up = true;

	if (!s->dev && !s->status && probe_is_taken(port)) {
		exam_say(s, "port", VERDICT_FAIL, "UDP port %u is somebody else's", port);
		exam_remedy(s, "'ss -lunp' shows whose; choose another listen_address");
		return true;
	}
	if (s->dev && s->dev->listen_port != port) {
		exam_say(s, "port", VERDICT_FAIL, "%s listens on UDP port %u, and not on %u",
			 s->ifname, s->dev->listen_port, port);
		exam_remedy(s, "'%s' changes that", subject_again(s));
		return true;
	}
	if (s->dev)
		vpn_rtnl_is_up(s->rtnl, s->dev->ifindex, &up, &err);
	if (up)
		return false;
	exam_say(s, "port", VERDICT_FAIL, "%s is down, so it does not listen", s->ifname);
	exam_remedy(s, "'ip link set %s up'", s->ifname);
	return true;
}

static void examine_own_port(struct subject *s)
{
	uint16_t port = s->config ? strtoul(s->config->listen.port, NULL, 10) :
			s->dev->listen_port;

	if (is_closed(s, port) || is_dropped(s, port))
		return;
	if (!s->ruleset || has_legacy_rules()) {
		exam_say(s, "port", VERDICT_WARN, "UDP port %u: not all rules can be read", port);
		exam_remedy(s, "'iptables-legacy-save' shows those of iptables");
		return;
	}
	exam_say(s, "port", VERDICT_OK, "UDP port %u is not blocked here", port);
}

/* Why nothing comes back, as far as somebody on the way tells. */
static const char *reason_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "nobody listens on that port there";
	case EHOSTUNREACH:
	case EACCES:
	case EPERM:
		return "a firewall refuses what goes there";
	case ENETUNREACH:
		return "there is no route to it";
	default:
		return "the port is blocked on the way, or nobody there knows this host's key";
	}
}

static void examine_server_port(struct subject *s, const struct vpn_peer *peer)
{
	char text[VPN_ENDPOINT_TEXT];
	struct probe_path path;

	vpn_endpoint_format(&peer->endpoint, text);
	/* What came back was refused here: exam_key() says more. */
	if ((s->config && !subject_is_unanswered(s)) ||
	    driver_read_one(s->ifname, "drop_handshake_refused")) {
		exam_say(s, "port", VERDICT_OK, peer->last_handshake || peer->unanswered ?
			 "%s answers" : "%s has not been asked yet", text);
		return;
	}
	probe_path(&peer->endpoint, subject_mark(s), 64, &path);
	exam_say(s, "port", VERDICT_FAIL, "%s has not answered %u handshakes: %s", text,
		 peer->unanswered, reason_of(path.error));
	exam_remedy(s, "'vpnctl doctor' on that host tells whether it is blocked there");
}

/* Of a device that was made by hand: who does not answer. */
static const struct vpn_peer *silent_peer(const struct subject *s)
{
	const struct vpn_peer *peer = s->config || !s->dev ? NULL : s->dev->peers;

	while (peer && (!(peer->has & VPN_PEER_HAS_ENDPOINT) || peer->unanswered < 2))
		peer = peer->next;
	return peer;
}

void exam_port(struct subject *s)
{
	const struct vpn_peer *peer = s->config ? subject_server(s) : silent_peer(s);

	if (peer)
		examine_server_port(s, peer);
	else if (subject_is_client(s))
		exam_say(s, "port", VERDICT_OK, "no server is asked now");
	else
		examine_own_port(s);
}

/*
 * Forwarding
 */

static bool is_on(const char *name, const char *link)
{
	char path[128];
	int c = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/%s%s%s", name, link,
		 *link ? "/forwarding" : "");
	file = fopen(path, "re");
	if (file) {
		c = fgetc(file);
		fclose(file);
	}
	return c == '1' || c == '2';
}

static const char *off_setting(const struct subject *s)
{
	const struct vpn_addresses *networks = &s->config->networks;

	if (vpn_addresses_have_family(networks, AF_INET)) {
		if (!is_on("ipv4/ip_forward", ""))
			return "net.ipv4.ip_forward";
		if (s->dev && !is_on("ipv4/conf/", s->ifname))
			return "that of the device";
	}
	if (vpn_addresses_have_family(networks, AF_INET6) && !is_on("ipv6/conf/", "all"))
		return "net.ipv6.conf.all.forwarding";
	return NULL;
}

static bool is_not_forwarded(struct subject *s)
{
	struct packet packet = { .tunnel = s->ifname, .in = s->ifname };
	const struct vpn_addresses *networks = &s->config->networks;
	char source[VPN_PREFIX_TEXT], text[RULESET_WHERE], uplink[IF_NAMESIZE];
	struct ruleset_place where;
	unsigned int i;

	packet.source = source;
	for (i = 0; i < networks->count; i++) {
		packet.family = networks->list[i].family;
		packet.out = s->config->nat_interface;
		if (!packet.out && probe_uplink(packet.family, subject_mark(s), uplink))
			packet.out = uplink;
		vpn_address_format(&networks->list[i], source);
		if (ruleset_fate(s->ruleset, "forward", &packet, &where) != FATE_DROPPED)
			continue;
		ruleset_format(&where, text);
		exam_say(s, "forwarding", VERDICT_FAIL, "nftables drops what clients send on: %s",
			 text);
		exam_remedy(s,
			    "let 'iifname \"%s\" accept' and 'oifname \"%s\" accept' stand before that",
			    s->ifname, s->ifname);
		return true;
	}
	return false;
}

void exam_forwarding(struct subject *s)
{
	const char *setting = off_setting(s);

	if (setting && s->dev) {
		exam_say(s, "forwarding", VERDICT_FAIL, "it is off: %s is 0", setting);
		exam_remedy(s, "'%s' switches it on; see who switches it off in /etc/sysctl.d",
			    subject_again(s));
	} else if (!is_not_forwarded(s)) {
		exam_say(s, "forwarding", VERDICT_OK, setting ? "vpnd switches it on" :
			 "it is on, and not blocked here");
	}
}

/*
 * NAT
 */

static const struct vpn_address *untranslated(const struct subject *s)
{
	struct packet packet = { .tunnel = s->ifname, .in = s->ifname };
	const struct vpn_addresses *networks = &s->config->networks;
	char source[VPN_PREFIX_TEXT];
	unsigned int i;

	packet.out = s->config->nat_interface;
	packet.source = source;
	for (i = 0; i < networks->count; i++) {
		packet.family = networks->list[i].family;
		vpn_address_format(&networks->list[i], source);
		if (!ruleset_translates(s->ruleset, &packet))
			return &networks->list[i];
	}
	return NULL;
}

void exam_nat(struct subject *s)
{
	const char *through = s->config->nat_interface;
	const struct vpn_address *network;
	char text[VPN_PREFIX_TEXT];

	if (!s->config->nat) {
		exam_say(s, "nat", VERDICT_OK, "the file wants none");
		return;
	}
	if (through && !if_nametoindex(through)) {
		exam_say(s, "nat", VERDICT_FAIL, "there is no device '%s'", through);
		exam_remedy(s,
			    "correct nat_interface, or leave it out; 'ip -br link' shows devices");
		return;
	}
	network = s->dev ? untranslated(s) : NULL;
	if (network) {
		vpn_address_format(network, text);
		exam_say(s, "nat", VERDICT_FAIL, "it is missing: no rule gives %s another source",
			 text);
		exam_remedy(s, "'%s' makes it anew; see who removes tables of nftables",
			    subject_again(s));
		return;
	}
	exam_say(s, "nat", VERDICT_OK, s->dev ? "clients go out with this host's address" :
		 "vpnd sets it up");
}
