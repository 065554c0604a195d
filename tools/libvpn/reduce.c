// SPDX-License-Identifier: GPL-2.0
#include "reduce.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

static int compare_keys(const void *a, const void *b)
{
	const struct vpn_peer *first = a, *second = b;

	return memcmp(first->public_key, second->public_key, VPN_KEY_LEN);
}

static int compare_prefixes(const void *a, const void *b)
{
	return vpn_prefix_compare(a, b);
}

static void keep(void *node)
{
	(void)node;
}

/* A tree of the peer's allowed IPs; false when memory is out. */
static bool index_prefixes(const struct vpn_peer *peer, void **tree)
{
	struct vpn_allowedip *ip;

	for (ip = peer->allowedips; ip; ip = ip->next) {
		if (!tsearch(ip, tree, compare_prefixes))
			return false;
	}
	return true;
}

static bool index_peers(const struct vpn_device *dev, void **tree)
{
	struct vpn_peer *peer;

	for (peer = dev->peers; peer; peer = peer->next) {
		if (!tsearch(peer, tree, compare_keys))
			return false;
	}
	return true;
}

/* A lease is among the allowed IPs, and not by anybody's setting. */
static bool is_leased(const struct vpn_leases *leases, const struct vpn_allowedip *ip)
{
	const struct vpn_lease *lease;

	for (lease = leases->first; lease; lease = lease->next) {
		if (lease->address.family == ip->family &&
		    ip->prefix_len == 8 * vpn_address_len(ip->family) &&
		    !memcmp(&lease->address.ip6, &ip->ip6, vpn_address_len(ip->family)))
			return true;
	}
	return false;
}

/* Append copies of those of from that are neither in the tree nor leased. */
static bool copy_missing(struct vpn_peer *to, const struct vpn_allowedip *from, void **tree,
			 const struct vpn_leases *leases, uint32_t flags)
{
	struct vpn_allowedip *ip;

	for (; from; from = from->next) {
		if (tfind(from, tree, compare_prefixes) || is_leased(leases, from))
			continue;
		ip = vpn_peer_add_allowedip(to);
		if (!ip)
			return false;
		*ip = *from;
		ip->next = NULL;
		ip->flags = flags;
	}
	return true;
}

/* Leave of the wanted allowed IPs what is to be added and what removed. */
static bool reduce_prefixes(struct vpn_peer *want, const struct vpn_peer *have)
{
	void *wanted = NULL, *present = NULL;
	struct vpn_peer changes = { 0 };
	bool good;

	good = index_prefixes(want, &wanted) && index_prefixes(have, &present) &&
	       copy_missing(&changes, want->allowedips, &present, &have->leases, 0) &&
	       copy_missing(&changes, have->allowedips, &wanted, &have->leases,
			    VPN_ALLOWEDIP_FLAGS_REMOVE);
	tdestroy(wanted, keep);
	tdestroy(present, keep);
	vpn_peer_free_allowedips(want);
	want->allowedips = changes.allowedips;
	want->last_allowedip = changes.last_allowedip;
	want->flags &= ~VPN_PEER_FLAGS_REPLACE_ALLOWEDIPS;
	return good;
}

static void differ(uint32_t *has, uint32_t bit, bool differs)
{
	*has = differs ? *has | bit : *has & ~bit;
}

/*
 * What was set to "auto" reads as what the kernel made of it. The addresses of
 * both are compared as they were given.
 */
static bool address_differs(const struct vpn_peer *want, const struct vpn_peer *have)
{
	return (want->address_mode == VPN_ADDRESS_MODE_NONE) !=
	       (have->address_mode == VPN_ADDRESS_MODE_NONE) ||
	       !vpn_addresses_equal(&want->addresses, &have->addresses);
}

static void reduce_v1(struct vpn_peer *want, const struct vpn_peer *have)
{
	differ(&want->has, VPN_PEER_HAS_ADDRESS_MODE, address_differs(want, have));
	differ(&want->has, VPN_PEER_HAS_CIPHER, want->cipher != have->cipher);
	differ(&want->has, VPN_PEER_HAS_EXPIRES, want->expires != have->expires);
	differ(&want->has, VPN_PEER_HAS_PUSH_ROUTES,
	       want->own_routes != have->own_routes ||
	       !vpn_addresses_equal(&want->push_routes, &have->push_routes));
	/* The kernel does not give it back, so it may be another one. */
	differ(&want->has, VPN_PEER_HAS_CREDENTIAL,
	       want->credential_len || have->credential_kind);
}

/* True when something of the peer is to be changed. */
static bool peer_differs(struct vpn_peer *want, const struct vpn_peer *have)
{
	bool endpoint = (want->has & VPN_PEER_HAS_ENDPOINT) &&
			!((have->has & VPN_PEER_HAS_ENDPOINT) &&
			  vpn_endpoint_equal(&want->endpoint, &have->endpoint));

	differ(&want->has, VPN_PEER_HAS_PRESHARED_KEY,
	       memcmp(want->preshared_key, have->preshared_key, VPN_KEY_LEN));
	differ(&want->has, VPN_PEER_HAS_NAME, strcmp(want->name, have->name));
	differ(&want->has, VPN_PEER_HAS_ENDPOINT, endpoint);
	differ(&want->has, VPN_PEER_HAS_KEEPALIVE, want->keepalive != have->keepalive);
	reduce_v1(want, have);
	return want->allowedips || (want->has & ~VPN_PEER_HAS_PUBLIC_KEY);
}

static void reduce_device(struct vpn_device *want, const struct vpn_device *have)
{
	bool port = want->listen_port && want->listen_port != have->listen_port;

	want->flags &= ~VPN_DEVICE_FLAGS_REPLACE_PEERS;
	differ(&want->has, VPN_DEVICE_HAS_PRIVATE_KEY,
	       memcmp(want->private_key, have->private_key, VPN_KEY_LEN));
	differ(&want->has, VPN_DEVICE_HAS_LISTEN_PORT, port);
	differ(&want->has, VPN_DEVICE_HAS_FWMARK, want->fwmark != have->fwmark);
	differ(&want->has, VPN_DEVICE_HAS_HOST_NAME, strcmp(want->host_name, have->host_name));
	differ(&want->has, VPN_DEVICE_HAS_MAX_PEERS, want->max_peers != have->max_peers);
	differ(&want->has, VPN_DEVICE_HAS_PUSH_DNS,
	       !vpn_addresses_equal(&want->push_dns, &have->push_dns));
	differ(&want->has, VPN_DEVICE_HAS_PUSH_ROUTES,
	       !vpn_addresses_equal(&want->push_routes, &have->push_routes));
	differ(&want->has, VPN_DEVICE_HAS_PUSH_MTU, want->push_mtu != have->push_mtu);
	differ(&want->has, VPN_DEVICE_HAS_PUSH_KEEPALIVE,
	       want->push_keepalive != have->push_keepalive);
}

/* Unlink peers that are as they should be; reduce the others. */
static bool reduce_peers(struct vpn_device *want, void **present)
{
	struct vpn_peer *peer = want->peers, *next, **found;

	want->peers = NULL;
	want->last_peer = NULL;
	for (; peer; peer = next) {
		next = peer->next;
		peer->next = NULL;
		found = tfind(peer, present, compare_keys);
		if (found && !reduce_prefixes(peer, *found)) {
			peer->next = next;
			want->peers = peer;
			return false;
		}
		if (found && !peer_differs(peer, *found)) {
			vpn_peer_free(peer);
			continue;
		}
		vpn_device_append_peer(want, peer);
	}
	return true;
}

/* Ask for the removal of the peers that nobody wants. */
static bool remove_others(struct vpn_device *gone, const struct vpn_device *have, void **wanted)
{
	const struct vpn_peer *have_peer;
	struct vpn_peer *peer;

	for (have_peer = have->peers; have_peer; have_peer = have_peer->next) {
		if (tfind(have_peer, wanted, compare_keys))
			continue;
		peer = vpn_device_add_peer(gone);
		if (!peer)
			return false;
		memcpy(peer->public_key, have_peer->public_key, VPN_KEY_LEN);
		peer->flags = VPN_PEER_FLAGS_REMOVE;
	}
	return true;
}

/* Removals go first: what they free may be needed. */
static void prepend_peers(struct vpn_device *dev, struct vpn_device *first)
{
	if (!first->peers)
		return;
	first->last_peer->next = dev->peers;
	if (!dev->last_peer)
		dev->last_peer = first->last_peer;
	dev->peers = first->peers;
	first->peers = NULL;
	first->last_peer = NULL;
}

bool vpn_device_reduce(struct vpn_device *want, const struct vpn_device *have)
{
	struct vpn_device *gone = vpn_device_new();
	void *wanted = NULL, *present = NULL;
	bool good;

	good = gone && index_peers(want, &wanted) && index_peers(have, &present) &&
	       remove_others(gone, have, &wanted);
	/* It refers to peers that are freed when they need no change. */
	tdestroy(wanted, keep);
	good = good && reduce_peers(want, &present);
	tdestroy(present, keep);
	if (good) {
		reduce_device(want, have);
		prepend_peers(want, gone);
	}
	vpn_device_free(gone);
	return good;
}
