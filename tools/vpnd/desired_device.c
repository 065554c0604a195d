// SPDX-License-Identifier: GPL-2.0
/* The settings of the device and its peers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "desired.h"
#include "guest.h"
#include "policy.h"
#include "secret.h"

static bool copy_addresses(struct vpn_addresses *to, const struct vpn_addresses *from)
{
	struct vpn_address *added;
	unsigned int i;

	for (i = 0; i < from->count; i++) {
		added = vpn_addresses_add(to);
		if (!added)
			return false;
		*added = from->list[i];
	}
	return true;
}

static bool allow(struct vpn_peer *peer, const struct vpn_address *prefix)
{
	struct vpn_allowedip *ip = vpn_peer_add_allowedip(peer);

	if (!ip)
		return false;
	ip->family = prefix->family;
	ip->prefix_len = prefix->prefix_len;
	ip->ip6 = prefix->ip6;
	return true;
}

static bool add_client(struct vpn_device *dev, const struct config *config,
		       const struct config_peer *from, struct vpn_error *err)
{
	struct vpn_peer *peer = vpn_device_add_peer(dev);
	unsigned int i;

	if (!peer)
		return false;
	peer->has = VPN_PEER_HAS_PUBLIC_KEY | VPN_PEER_HAS_NAME | VPN_PEER_HAS_PRESHARED_KEY |
		    VPN_PEER_HAS_KEEPALIVE | VPN_PEER_HAS_ADDRESS_MODE | VPN_PEER_HAS_CIPHER;
	memcpy(peer->public_key, from->public_key.key, VPN_KEY_LEN);
	snprintf(peer->name, sizeof(peer->name), "%s", from->name);
	if (!secret_preshared(&from->preshared_key, from->preshared_key_path, peer->preshared_key,
			      err))
		return false;
	peer->keepalive = from->keepalive;
	peer->address_mode = VPN_ADDRESS_MODE_LEASE;
	peer->cipher = config->cipher;
	if (from->is_resolved) {
		peer->has |= VPN_PEER_HAS_ENDPOINT;
		peer->endpoint = from->resolved;
	}
	for (i = 0; i < from->allowed_ips.count; i++) {
		if (!allow(peer, &from->allowed_ips.list[i]))
			return false;
	}
	return copy_addresses(&peer->addresses, &from->addresses);
}

bool guest_to_peer(const struct guest *guest, const struct config *config, struct vpn_peer *peer)
{
	const struct vpn_addresses *routes = policy_routes(config, guest);

	peer->has = VPN_PEER_HAS_PUBLIC_KEY | VPN_PEER_HAS_NAME | VPN_PEER_HAS_ADDRESS_MODE |
		    VPN_PEER_HAS_CIPHER | VPN_PEER_HAS_EXPIRES | VPN_PEER_HAS_PUSH_ROUTES;
	memcpy(peer->public_key, guest->key, VPN_KEY_LEN);
	snprintf(peer->name, sizeof(peer->name), "%s", guest->verdict.name);
	peer->address_mode = VPN_ADDRESS_MODE_LEASE;
	peer->cipher = config->cipher;
	peer->expires = guest->expires * 1000000000ULL;
	peer->own_routes = routes;
	return copy_addresses(&peer->addresses, &guest->addresses) &&
	       (!routes || copy_addresses(&peer->push_routes, routes));
}

static bool has_peer(const struct config *config, const uint8_t key[VPN_KEY_LEN])
{
	const struct config_peer *peer;

	for (peer = config->peers; peer; peer = peer->next) {
		if (!memcmp(peer->public_key.key, key, VPN_KEY_LEN))
			return true;
	}
	return false;
}

/* Whoever is in the file is as the file says. */
static bool add_guests(struct vpn_device *dev, const struct config *config,
		       const struct guests *guests)
{
	const struct guest *guest;
	struct vpn_peer *peer;

	for (guest = guests ? guests->first : NULL; guest; guest = guest->next) {
		if (has_peer(config, guest->key))
			continue;
		peer = vpn_device_add_peer(dev);
		if (!peer || !guest_to_peer(guest, config, peer))
			return false;
	}
	return true;
}

static bool set_port(struct vpn_device *dev, const struct config *config)
{
	dev->listen_port = strtoul(config->listen.port, NULL, 10);
	return true;
}

static bool build_server(struct vpn_device *dev, const struct config *config,
			 const struct facts *facts, struct vpn_error *err)
{
	const struct config_peer *peer;

	dev->has |= VPN_DEVICE_HAS_LISTEN_PORT | VPN_DEVICE_HAS_MAX_PEERS |
		    VPN_DEVICE_HAS_PUSH_DNS | VPN_DEVICE_HAS_PUSH_ROUTES |
		    VPN_DEVICE_HAS_PUSH_MTU | VPN_DEVICE_HAS_PUSH_KEEPALIVE;
	dev->max_peers = config->max_clients;
	dev->push_mtu = config->client_mtu;
	dev->push_keepalive = config->client_keepalive;
	if (!set_port(dev, config) || !copy_addresses(&dev->push_dns, &config->push_dns) ||
	    !copy_addresses(&dev->push_routes, &config->push_routes))
		return false;
	for (peer = config->peers; peer; peer = peer->next) {
		if (!add_client(dev, config, peer, err))
			return false;
	}
	return add_guests(dev, config, facts->guests);
}

static bool set_credential(struct vpn_peer *peer, const struct facts *facts)
{
	if (!facts->credential_len)
		return true;
	peer->credential = malloc(facts->credential_len);
	if (!peer->credential)
		return false;
	memcpy(peer->credential, facts->credential, facts->credential_len);
	peer->credential_len = facts->credential_len;
	peer->credential_kind = facts->credential_kind;
	peer->has |= VPN_PEER_HAS_CREDENTIAL;
	return true;
}

/* Whatever is routed to it may go to the server, and come from there. */
static bool add_server(struct vpn_device *dev, const struct config *config,
		       const struct facts *facts)
{
	static const struct vpn_address everything[] = {
		{ .family = AF_INET }, { .family = AF_INET6 },
	};
	struct vpn_peer *peer = vpn_device_add_peer(dev);

	if (!peer)
		return false;
	peer->has = VPN_PEER_HAS_PUBLIC_KEY | VPN_PEER_HAS_PRESHARED_KEY | VPN_PEER_HAS_KEEPALIVE |
		    VPN_PEER_HAS_ADDRESS_MODE | VPN_PEER_HAS_CIPHER | VPN_PEER_HAS_NAME;
	memcpy(peer->public_key, facts->server_key, VPN_KEY_LEN);
	memcpy(peer->preshared_key, facts->preshared_key, VPN_KEY_LEN);
	snprintf(peer->name, sizeof(peer->name), "%s", config->servers.list[facts->server].host);
	peer->keepalive = config->keepalive;
	peer->cipher = config->cipher;
	if (!config->addresses.count)
		peer->address_mode = VPN_ADDRESS_MODE_REQUEST;
	if (facts->has_endpoint) {
		peer->has |= VPN_PEER_HAS_ENDPOINT;
		peer->endpoint = facts->endpoint;
	}
	if (!set_credential(peer, facts))
		return false;
	return allow(peer, &everything[0]) && allow(peer, &everything[1]);
}

struct vpn_device *desired_device(const struct config *config, const struct facts *facts,
				  struct vpn_error *err)
{
	struct vpn_device *dev = vpn_device_new();
	bool good = dev;

	/* Unless it is said otherwise. */
	vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	if (good) {
		snprintf(dev->ifname, sizeof(dev->ifname), "%s", config->ifname);
		dev->has = VPN_DEVICE_HAS_PRIVATE_KEY | VPN_DEVICE_HAS_FWMARK;
		memcpy(dev->private_key, facts->private_key, VPN_KEY_LEN);
		dev->fwmark = config->fwmark;
		if (config->role == ROLE_SERVER)
			good = build_server(dev, config, facts, err);
		else if (facts->connect && facts->has_server_key)
			good = add_server(dev, config, facts);
	}
	if (good)
		return dev;
	vpn_device_free(dev);
	return NULL;
}
