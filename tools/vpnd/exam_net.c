// SPDX-License-Identifier: GPL-2.0
/* Paths, addresses and routes. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

#include "../libvpn/address.h"
#include "../libvpn/probe.h"
#include "desired.h"
#include "exam.h"

#define MTU_DEFAULT	1420
#define IPV6_MTU_MIN	1280
/* Of many peers, so many are looked at. */
#define PEERS_MAX	64
#define PORT_ANY	9

/*
 * Addresses
 */

static struct vpn_address masked(const struct vpn_address *address, uint8_t len)
{
	struct vpn_address cut = *address;
	uint8_t *octets = (uint8_t *)&cut.ip6;
	unsigned int i, bits;

	cut.prefix_len = len;
	for (i = 0; i < vpn_address_len(cut.family); i++) {
		bits = len > 8 * i ? len - 8 * i : 0;
		if (bits < 8)
			octets[i] &= 0xff00 >> bits;
	}
	return cut;
}

/* The inner network is a part of the outer one, or the same. */
static bool contains(const struct vpn_address *outer, const struct vpn_address *inner)
{
	struct vpn_address a, b;

	if (outer->family != inner->family || outer->prefix_len > inner->prefix_len)
		return false;
	a = masked(outer, outer->prefix_len);
	b = masked(inner, outer->prefix_len);
	return !memcmp(&a.ip6, &b.ip6, vpn_address_len(a.family));
}

static bool overlap(const struct vpn_address *a, const struct vpn_address *b)
{
	return contains(a, b) || contains(b, a);
}

static uint8_t mask_len(const struct sockaddr *mask, uint16_t family)
{
	const struct sockaddr_in6 *six = (const void *)mask;
	const struct sockaddr_in *four = (const void *)mask;
	const uint8_t *octets = family == AF_INET ? (const void *)&four->sin_addr :
				(const void *)&six->sin6_addr;
	unsigned int i, len = 0;

	for (i = 0; mask && i < vpn_address_len(family); i++)
		len += __builtin_popcount(octets[i]);
	return len;
}

/* False: it is not an address of IP. */
static bool read_ifaddr(const struct ifaddrs *one, struct vpn_address *address)
{
	const struct sockaddr *addr = one->ifa_addr;

	memset(address, 0, sizeof(*address));
	if (!addr || (addr->sa_family != AF_INET && addr->sa_family != AF_INET6))
		return false;
	address->family = addr->sa_family;
	if (address->family == AF_INET)
		address->ip4 = ((const struct sockaddr_in *)(const void *)addr)->sin_addr;
	else
		address->ip6 = ((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr;
	address->prefix_len = mask_len(one->ifa_netmask, address->family);
	return true;
}

/* Those of the tunnel, as they are now. */
static void read_own(const struct subject *s, struct vpn_addresses *own)
{
	struct vpn_address address, *added;
	const struct ifaddrs *one;
	struct ifaddrs *list;

	memset(own, 0, sizeof(*own));
	if (getifaddrs(&list))
		return;
	for (one = list; one; one = one->ifa_next) {
		if (strcmp(one->ifa_name, s->ifname) || !read_ifaddr(one, &address) ||
		    (address.family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address.ip6)))
			continue;
		added = vpn_addresses_add(own);
		if (added)
			*added = address;
	}
	freeifaddrs(list);
}

/* Another link has an address there. */
static bool find_other(const struct subject *s, const struct vpn_address *network, bool only_within,
		       char link[IF_NAMESIZE], struct vpn_address *found)
{
	const struct ifaddrs *one;
	struct ifaddrs *list;
	bool there = false;

	if (getifaddrs(&list))
		return false;
	for (one = list; one && !there; one = one->ifa_next) {
		if (!strcmp(one->ifa_name, s->ifname) || one->ifa_flags & IFF_LOOPBACK ||
		    !read_ifaddr(one, found))
			continue;
		there = only_within ? contains(found, network) : overlap(found, network);
		snprintf(link, IF_NAMESIZE, "%s", one->ifa_name);
	}
	freeifaddrs(list);
	return there;
}

static const struct vpn_assigned *assigned_of(const struct subject *s)
{
	const struct vpn_peer *peer = subject_server(s);

	return peer ? peer->assigned : NULL;
}

static bool network_conflicts(struct subject *s, const struct vpn_addresses *networks)
{
	char link[IF_NAMESIZE], own[VPN_PREFIX_TEXT], other[VPN_PREFIX_TEXT];
	struct vpn_address found;
	unsigned int i;

	for (i = 0; i < networks->count; i++) {
		if (!find_other(s, &networks->list[i], false, link, &found))
			continue;
		vpn_address_format(&networks->list[i], own);
		vpn_address_format(&found, other);
		exam_say(s, "address", VERDICT_FAIL,
			 "%s of the tunnel and %s of %s are one network", own, other, link);
		exam_remedy(s, subject_is_server(s) ? "choose another virtual_network" :
			    "use another network here or on the server");
		return true;
	}
	return false;
}

static bool is_excluded(const struct subject *s, const struct vpn_address *network)
{
	const struct vpn_addresses *list = &s->config->exclude_routes;
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		if (contains(&list->list[i], network))
			return true;
	}
	return false;
}

/* What is to be reached through the tunnel is where this host is: it never goes there. */
static bool route_conflicts(struct subject *s, const struct vpn_addresses *routes)
{
	char link[IF_NAMESIZE], network[VPN_PREFIX_TEXT], other[VPN_PREFIX_TEXT];
	struct vpn_address found;
	unsigned int i;

	for (i = 0; i < routes->count; i++) {
		if (!routes->list[i].prefix_len || is_excluded(s, &routes->list[i]) ||
		    !find_other(s, &routes->list[i], true, link, &found))
			continue;
		vpn_address_format(&routes->list[i], network);
		vpn_address_format(&found, other);
		exam_say(s, "address", VERDICT_FAIL,
			 "%s behind the server is also the network of %s, %s", network, link,
			 other);
		exam_remedy(s, "one of the two has to change, or go into exclude_routes");
		return true;
	}
	return false;
}

static bool client_conflicts(struct subject *s)
{
	const struct vpn_assigned *assigned = assigned_of(s);

	return network_conflicts(s, &s->config->addresses) ||
	       route_conflicts(s, &s->config->routes) ||
	       (assigned && (network_conflicts(s, &assigned->addresses) ||
			     route_conflicts(s, &assigned->routes)));
}

void exam_address(struct subject *s)
{
	struct vpn_addresses own;
	char text[VPN_PREFIX_TEXT];
	bool conflict;

	if (s->status && !s->dev) {
		exam_say(s, "address", VERDICT_FAIL, "there is no device '%s' any more", s->ifname);
		exam_remedy(s, "'%s' makes it anew; see who removes it", subject_again(s));
		return;
	}
	read_own(s, &own);
	conflict = subject_is_server(s) ? network_conflicts(s, &s->config->networks) :
		   subject_is_client(s) ? client_conflicts(s) : network_conflicts(s, &own);
	if (!conflict && own.count) {
		vpn_address_format(&own.list[0], text);
		exam_say(s, "address", VERDICT_OK, "%s%s, and nobody else's here", text,
			 own.count > 1 ? " and more" : "");
	} else if (!conflict) {
		exam_say(s, "address", VERDICT_OK, "none yet, and no network is here twice");
	}
	vpn_addresses_free(&own);
}

/*
 * The MTU
 */

static uint32_t tunnel_mtu(const struct subject *s)
{
	struct vpn_error err;
	uint32_t mtu = 0;

	if (s->dev && !vpn_rtnl_get_mtu(s->rtnl, s->dev->ifindex, &mtu, &err))
		return mtu;
	return s->config && s->config->mtu ? s->config->mtu : MTU_DEFAULT;
}

/* ask: with a datagram that is as long as the tunnel's are. */
static bool is_too_big(struct subject *s, const union vpn_endpoint *to, uint32_t mtu, bool ask)
{
	uint32_t more = to->addr.sa_family == AF_INET ? PROBE_OVERHEAD4 : PROBE_OVERHEAD6;
	char text[VPN_ENDPOINT_TEXT];
	struct probe_path path;

	probe_path(to, subject_mark(s), ask ? mtu + more : 0, &path);
	if (path.mtu <= more || path.mtu >= mtu + more)
		return false;
	vpn_endpoint_format(to, text);
	exam_say(s, "mtu", VERDICT_FAIL,
		 "%u is too big: on the way to %s a packet may have %u octets, of which the tunnel takes %u",
		 mtu, text, path.mtu, more);
	exam_remedy(s, s->config ? "'mtu = %u' in [interface]%s" : "'ip link set mtu %u dev %s'",
		    path.mtu - more, s->config ? subject_is_server(s) ?
		    ", and client_mtu in [server]" : "" : s->ifname);
	return true;
}

/* Clients may be behind anything: of them, what the routes know will do. */
static bool peer_is_too_far(struct subject *s, uint32_t mtu)
{
	bool ask = subject_is_client(s);
	const struct vpn_peer *peer;
	unsigned int n = 0;

	for (peer = s->dev ? s->dev->peers : NULL; peer && n < PEERS_MAX; peer = peer->next) {
		if (!(peer->has & VPN_PEER_HAS_ENDPOINT))
			continue;
		n++;
		if (is_too_big(s, &peer->endpoint, mtu, ask))
			return true;
	}
	return false;
}

void exam_mtu(struct subject *s)
{
	uint32_t mtu = tunnel_mtu(s);
	union vpn_endpoint somebody = {
		.addr4 = { AF_INET, htons(PORT_ANY), { htonl(0xc0000201) }, { 0 } },
	};

	if (peer_is_too_far(s, mtu) ||
	    (!(s->dev && s->dev->peers) && is_too_big(s, &somebody, mtu, false)))
		return;
	exam_say(s, "mtu", VERDICT_OK, "%u fits", mtu);
}

/*
 * Routes
 */

static bool is_own(const struct vpn_addresses *own, const struct vpn_address *source)
{
	unsigned int i;

	for (i = 0; i < own->count; i++) {
		if (own->list[i].family == source->family &&
		    !memcmp(&own->list[i].ip6, &source->ip6, vpn_address_len(source->family)))
			return true;
	}
	return false;
}

/* At the beginning of all addresses there are some that no host has. */
static void leave_beginning(struct vpn_address *host)
{
	static const struct vpn_address beginnings[] = {
		{ .family = AF_INET, .prefix_len = 8 }, { .family = AF_INET6, .prefix_len = 8 },
	};
	uint8_t *octets = (uint8_t *)&host->ip6;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (contains(host, &beginnings[i]))
			octets[0] = 0x80 >> host->prefix_len;
	}
}

/* The first address of a network that a host may have, and that is not ours. */
static struct vpn_address somebody_in(const struct vpn_address *network,
				      const struct vpn_addresses *own)
{
	struct vpn_address host = masked(network, network->prefix_len);
	uint8_t *last = (uint8_t *)&host.ip6 + vpn_address_len(host.family) - 1;
	unsigned int i;

	leave_beginning(&host);
	for (i = 0; i < 3 && !vpn_address_is_host(network); i++) {
		++*last;
		if (!is_own(own, &host))
			break;
	}
	return host;
}

/* Nothing but the tunnel's own packets would find the way. */
static bool leads_elsewhere(struct subject *s, const struct vpn_address *network,
			    const struct vpn_address *host, const struct vpn_addresses *own)
{
	union vpn_endpoint to = probe_endpoint(host, PORT_ANY);
	char text[VPN_PREFIX_TEXT], way[VPN_PREFIX_TEXT];
	struct vpn_address source;
	int error;

	error = probe_route(&to, 0, &source);
	if (!error && is_own(own, &source))
		return false;
	vpn_address_format(network, text);
	if (error)
		snprintf(way, sizeof(way), "nowhere");
	else
		vpn_address_format_host(&source, way);
	exam_say(s, "route", s->config ? VERDICT_FAIL : VERDICT_WARN,
		 "%s does not go through the tunnel, but %s%s", text, error ? "" : "out from ",
		 way);
	if (s->config)
		exam_remedy(s, "'%s' makes the routes and rules that are missing",
			    subject_again(s));
	else
		exam_remedy(s, "'ip route add %s dev %s'", text, s->ifname);
	return true;
}

static bool any_leads_elsewhere(struct subject *s, const struct vpn_addresses *networks,
				const struct vpn_addresses *own)
{
	char link[IF_NAMESIZE];
	struct vpn_address host, found;
	unsigned int i;

	for (i = 0; i < networks->count; i++) {
		if (!networks->list[i].prefix_len ||
		    !vpn_addresses_have_family(own, networks->list[i].family) ||
		    (subject_is_client(s) && is_excluded(s, &networks->list[i])))
			continue;
		host = somebody_in(&networks->list[i], own);
		host.prefix_len = vpn_address_len(host.family) * 8;
		/* What this host is on is nearer. */
		if (find_other(s, &host, true, link, &found) ||
		    (subject_is_client(s) && is_excluded(s, &host)))
			continue;
		if (leads_elsewhere(s, &networks->list[i], &host, own))
			return true;
	}
	return false;
}

/* Somebody on the internet, who is not excluded and not near. */
static bool default_leads_elsewhere(struct subject *s, const struct vpn_addresses *own)
{
	static const char *const hosts[] = {
		"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "2001:db8:8000::1",
	};
	struct vpn_address everything, host, found;
	char link[IF_NAMESIZE];
	uint16_t done = 0;
	size_t i;

	for (i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		vpn_address_parse(&host, hosts[i]);
		if (host.family == done || !vpn_addresses_have_family(own, host.family) ||
		    is_excluded(s, &host) || find_other(s, &host, true, link, &found))
			continue;
		done = host.family;
		everything = masked(&host, 0);
		if (leads_elsewhere(s, &everything, &host, own))
			return true;
	}
	return false;
}

/* The tunnel's own packets need a way, too. */
static bool server_is_unreachable(struct subject *s, const struct vpn_peer *server,
				  const struct vpn_addresses *own)
{
	char text[VPN_ENDPOINT_TEXT];
	struct vpn_address source;
	int error;

	error = probe_route(&server->endpoint, subject_mark(s), &source);
	if (!error && !is_own(own, &source))
		return false;
	vpn_endpoint_format(&server->endpoint, text);
	if (error)
		exam_say(s, "route", VERDICT_FAIL, "there is no way to the server at %s: %s", text,
			 strerror(error));
	else
		exam_say(s, "route", VERDICT_FAIL,
			 "the way to the server at %s leads into the tunnel", text);
	exam_remedy(s, "'ip route' shows whether this host has a default route");
	return true;
}

static bool client_is_astray(struct subject *s, const struct vpn_addresses *own)
{
	const struct vpn_peer *server = subject_server(s);
	const struct vpn_assigned *assigned = assigned_of(s);

	if (!server)
		return false;
	if (server_is_unreachable(s, server, own))
		return true;
	return (s->config->default_gateway && default_leads_elsewhere(s, own)) ||
	       any_leads_elsewhere(s, &s->config->routes, own) ||
	       (assigned && any_leads_elsewhere(s, &assigned->routes, own));
}

/* Networks behind peers; of a device without vpnd, the peers themselves, too. */
static bool peers_are_astray(struct subject *s, const struct vpn_addresses *own)
{
	struct vpn_addresses one = { .count = 1 };
	const struct vpn_allowedip *ip;
	const struct vpn_peer *peer;
	struct vpn_address network;
	unsigned int n = 0;

	one.list = &network;
	for (peer = s->dev ? s->dev->peers : NULL; peer && n < PEERS_MAX; peer = peer->next) {
		for (ip = peer->allowedips; ip && n < PEERS_MAX; ip = ip->next, n++) {
			network = (struct vpn_address){ .ip6 = ip->ip6, .family = ip->family,
							.prefix_len = ip->prefix_len };
			if (any_leads_elsewhere(s, &one, own))
				return true;
		}
	}
	return false;
}

void exam_route(struct subject *s)
{
	struct vpn_addresses own;
	bool astray;

	read_own(s, &own);
	if (!own.count) {
		exam_say(s, "route", VERDICT_OK, "without an address nothing goes through it");
		return;
	}
	astray = subject_is_client(s) ? client_is_astray(s, &own) :
		 (subject_is_server(s) && any_leads_elsewhere(s, &s->config->networks, &own)) ||
		 peers_are_astray(s, &own);
	if (!astray)
		exam_say(s, "route", VERDICT_OK, "what is to go through the tunnel does");
	vpn_addresses_free(&own);
}
