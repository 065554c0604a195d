// SPDX-License-Identifier: GPL-2.0
#include "fields.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "moment.h"
#include "out.h"
#include "units.h"

static void put_key(const struct out_field *field, const uint8_t key[VPN_KEY_LEN])
{
	char text[VPN_KEY_BASE64_LEN + 1];

	vpn_key_to_base64(key, text);
	out_string(field, vpn_key_is_zero(key) ? NULL : text);
	explicit_bzero(text, sizeof(text));
}

static void put_hidden(const struct out_field *field, const uint8_t key[VPN_KEY_LEN])
{
	out_string(field, vpn_key_is_zero(key) ? NULL : "(hidden)");
}

void field_ifname(const struct vpn_device *dev)
{
	static const struct out_field field = { "ifname", "interface", HEADING_DEVICE };
	static const struct out_field bare = { "ifname", NULL, HEADING_NONE };

	out_string(out_style() == OUT_LINE ? &bare : &field, dev->ifname);
}

void field_ifindex(const struct vpn_device *dev)
{
	static const struct out_field field = { "ifindex", NULL, HEADING_NONE };

	out_number(&field, dev->ifindex, NULL, NULL);
}

void field_public_key(const struct vpn_device *dev)
{
	static const struct out_field field = { "public_key", "public key", HEADING_NONE };

	put_key(&field, dev->public_key);
}

static const struct out_field private_key = { "private_key", "private key", HEADING_NONE };

void field_private_key(const struct vpn_device *dev)
{
	put_key(&private_key, dev->private_key);
}

void field_private_key_hidden(const struct vpn_device *dev)
{
	put_hidden(&private_key, dev->private_key);
}

void field_listen_port(const struct vpn_device *dev)
{
	static const struct out_field field = { "listen_port", "listening port", HEADING_NONE };
	char text[8];

	snprintf(text, sizeof(text), "%u", dev->listen_port);
	out_number(&field, dev->listen_port, NULL, dev->listen_port ? text : NULL);
}

void field_fwmark(const struct vpn_device *dev)
{
	static const struct out_field field = { "fwmark", "fwmark", HEADING_NONE };
	char text[16];

	snprintf(text, sizeof(text), "0x%x", dev->fwmark);
	out_number(&field, dev->fwmark, dev->fwmark ? text : "off", dev->fwmark ? text : NULL);
}

void field_peer_count(const struct vpn_device *dev)
{
	static const struct out_field field = { "peer_count", "peers", HEADING_NONE };
	char text[16];

	snprintf(text, sizeof(text), "%u", dev->peer_count);
	out_number(&field, dev->peer_count, NULL, text);
}

void field_peer(const struct vpn_peer *peer)
{
	static const struct out_field field = { "public_key", "peer", HEADING_PEER };

	put_key(&field, peer->public_key);
}

void field_name(const struct vpn_peer *peer)
{
	static const struct out_field field = { "name", "name", HEADING_NONE };

	out_string(&field, *peer->name ? peer->name : NULL);
}

static const struct out_field preshared_key = { "preshared_key", "preshared key", HEADING_NONE };

void field_preshared_key(const struct vpn_peer *peer)
{
	put_key(&preshared_key, peer->preshared_key);
}

void field_preshared_key_hidden(const struct vpn_peer *peer)
{
	put_hidden(&preshared_key, peer->preshared_key);
}

void field_endpoint(const struct vpn_peer *peer)
{
	static const struct out_field field = { "endpoint", "endpoint", HEADING_NONE };
	char text[VPN_ENDPOINT_TEXT];

	if (peer->has & VPN_PEER_HAS_ENDPOINT) {
		vpn_endpoint_format(&peer->endpoint, text);
		out_string(&field, text);
	} else {
		out_string(&field, NULL);
	}
}

static void put_allowed_ips(const struct vpn_peer *peer, const char *separator)
{
	static const struct out_field field = { "allowed_ips", "allowed ips", HEADING_NONE };
	const struct vpn_allowedip *ip;
	char text[VPN_PREFIX_TEXT];

	out_list(&field, separator);
	for (ip = peer->allowedips; ip; ip = ip->next) {
		vpn_prefix_format(ip, text);
		out_item(text);
	}
	out_list_end("(none)");
}

void field_allowed_ips(const struct vpn_peer *peer)
{
	put_allowed_ips(peer, " ");
}

void field_allowed_ips_comma(const struct vpn_peer *peer)
{
	put_allowed_ips(peer, ",");
}

void field_latest_handshake(const struct vpn_peer *peer)
{
	static const struct out_field field = {
		"latest_handshake", "latest handshake", HEADING_NONE
	};
	uint64_t seconds = peer->last_handshake / NSEC_PER_SEC;
	char text[UNITS_TEXT];

	if (!seconds) {
		out_null(&field, "0");
		return;
	}
	units_ago(seconds, text);
	out_number(&field, seconds, NULL, text);
}

void field_transfer(const struct vpn_peer *peer)
{
	static const struct out_field rx = { "rx_bytes", "transfer", HEADING_NONE };
	static const struct out_field tx = { "tx_bytes", NULL, HEADING_NONE };
	bool any = peer->rx_bytes || peer->tx_bytes;
	char text[UNITS_TEXT];

	units_bytes(peer->rx_bytes, "received", text);
	out_number(&rx, peer->rx_bytes, NULL, any ? text : NULL);
	units_bytes(peer->tx_bytes, "sent", text);
	out_number(&tx, peer->tx_bytes, NULL, any ? text : NULL);
}

void field_keepalive(const struct vpn_peer *peer)
{
	static const struct out_field field = {
		"persistent_keepalive", "persistent keepalive", HEADING_NONE
	};
	char text[UNITS_TEXT];

	units_every(peer->keepalive, text);
	out_number(&field, peer->keepalive, peer->keepalive ? NULL : "off",
		   peer->keepalive ? text : NULL);
}

void field_version(const struct vpn_peer *peer)
{
	static const struct out_field field = {
		"protocol_version", "protocol version", HEADING_NONE
	};
	char text[16];

	snprintf(text, sizeof(text), "%u", peer->version);
	out_number(&field, peer->version, NULL, peer->version ? text : NULL);
}
