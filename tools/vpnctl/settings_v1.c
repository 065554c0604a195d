// SPDX-License-Identifier: GPL-2.0
#include "settings_v1.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../libvpn/address.h"
#include "../libvpn/credential.h"
#include "../libvpn/names.h"
#include "../libvpn/text.h"
#include "moment.h"
#include "parse.h"

bool set_host_name(struct builder *b, const struct origin *at, const char *value)
{
	b->dev->has |= VPN_DEVICE_HAS_HOST_NAME;
	return parse_host_name(at, value, b->dev->host_name);
}

bool set_max_peers(struct builder *b, const struct origin *at, const char *value)
{
	b->dev->has |= VPN_DEVICE_HAS_MAX_PEERS;
	return parse_max_peers(at, value, &b->dev->max_peers);
}

bool set_push_dns(struct builder *b, const struct origin *at, const char *value)
{
	b->dev->has |= VPN_DEVICE_HAS_PUSH_DNS;
	return parse_addresses(at, value, &address_list, VPN_DNS_MAX, &b->dev->push_dns);
}

bool set_push_routes(struct builder *b, const struct origin *at, const char *value)
{
	b->dev->has |= VPN_DEVICE_HAS_PUSH_ROUTES;
	return parse_addresses(at, value, &prefix_list, VPN_ROUTES_MAX, &b->dev->push_routes);
}

bool set_push_mtu(struct builder *b, const struct origin *at, const char *value)
{
	b->dev->has |= VPN_DEVICE_HAS_PUSH_MTU;
	return parse_mtu(at, value, &b->dev->push_mtu);
}

bool set_push_keepalive(struct builder *b, const struct origin *at, const char *value)
{
	b->dev->has |= VPN_DEVICE_HAS_PUSH_KEEPALIVE;
	return parse_keepalive(at, value, &b->dev->push_keepalive);
}

bool set_address(struct builder *b, const struct origin *at, const char *value)
{
	const struct vpn_addresses *addresses = &b->peer->addresses;

	b->peer->has |= VPN_PEER_HAS_ADDRESS_MODE;
	b->peer->address_mode = VPN_ADDRESS_MODE_NONE;
	if (!strcasecmp(value, "off"))
		return true;
	b->peer->address_mode = VPN_ADDRESS_MODE_AUTO;
	if (!strcasecmp(value, "auto"))
		return true;
	if (!parse_addresses(at, value, &own_list, 2, &b->peer->addresses))
		return false;
	if (!addresses->count)
		return complain(at,
				"'%s' is no address; it is 'auto', 'off', or ADDRESS[,ADDRESS6]",
				value);
	if (addresses->count == 2 && addresses->list[0].family == addresses->list[1].family)
		return complain(at,
				"'%s' has two addresses of a family; a peer has one IPv4 address and one IPv6 address",
				value);
	return true;
}

bool set_cipher(struct builder *b, const struct origin *at, const char *value)
{
	b->peer->has |= VPN_PEER_HAS_CIPHER;
	if (vpn_name_find(&vpn_ciphers, value, &b->peer->cipher))
		return true;
	return complain(at,
			"'%s' is not a cipher; there are chacha20-poly1305, aes-256-gcm, and any",
			value);
}

bool set_credential(struct builder *b, const struct origin *at, const char *value)
{
	b->peer->has |= VPN_PEER_HAS_CREDENTIAL;
	return !*value || parse_credential_file(at, value, b->peer);
}

bool set_expires(struct builder *b, const struct origin *at, const char *value)
{
	b->peer->has |= VPN_PEER_HAS_EXPIRES;
	return parse_moment(at, value, &b->peer->expires);
}

bool set_peer_routes(struct builder *b, const struct origin *at, const char *value)
{
	struct vpn_peer *peer = b->peer;

	peer->has |= VPN_PEER_HAS_PUSH_ROUTES;
	peer->own_routes = strcasecmp(value, "off");
	return !peer->own_routes ||
	       parse_addresses(at, value, &prefix_list, VPN_ROUTES_MAX, &peer->push_routes);
}
