// SPDX-License-Identifier: GPL-2.0
#include "attr.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

/* Copies only a value of exactly that size. */
static bool get(const struct nlattr *attr, void *value, size_t size)
{
	if (mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(value, mnl_attr_get_payload(attr), size);
	return true;
}

/* YNL's "uint" takes four or eight octets, whatever the value needs. */
static uint64_t get_uint(const struct nlattr *attr)
{
	uint64_t big = 0;
	uint32_t small = 0;

	return get(attr, &small, sizeof(small)) ? small :
	       get(attr, &big, sizeof(big)) ? big : 0;
}

static void get_string(const struct nlattr *attr, char *value, size_t size)
{
	size_t len = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

	if (len >= size)
		len = size - 1;
	memcpy(value, mnl_attr_get_payload(attr), len);
	value[len] = '\0';
}

bool vpn_attr_read_allowedip(const struct nlattr *nest, struct vpn_allowedip *ip)
{
	const struct nlattr *attr, *address = NULL;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPN_A_ALLOWEDIP_FAMILY:
			get(attr, &ip->family, sizeof(ip->family));
			break;
		case VPN_A_ALLOWEDIP_IPADDR:
			address = attr;
			break;
		case VPN_A_ALLOWEDIP_PREFIX_LEN:
			get(attr, &ip->prefix_len, sizeof(ip->prefix_len));
			break;
		case VPN_A_ALLOWEDIP_FLAGS:
			get(attr, &ip->flags, sizeof(ip->flags));
			break;
		}
	}
	if (!address)
		return false;
	return ip->family == AF_INET ? get(address, &ip->ip4, sizeof(ip->ip4)) :
	       ip->family == AF_INET6 && get(address, &ip->ip6, sizeof(ip->ip6));
}

bool vpn_attr_read_public_key(const struct nlattr *peer, uint8_t key[VPN_KEY_LEN])
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, peer) {
		if (mnl_attr_get_type(attr) == VPN_A_PEER_PUBLIC_KEY)
			return get(attr, key, VPN_KEY_LEN);
	}
	return false;
}

static int read_allowedip(const struct nlattr *nest, struct vpn_peer *peer)
{
	struct vpn_allowedip got = { 0 }, *ip;

	if (!vpn_attr_read_allowedip(nest, &got))
		return 0;
	ip = vpn_peer_add_allowedip(peer);
	if (!ip)
		return -ENOMEM;
	*ip = got;
	return 0;
}

static void read_endpoint(const struct nlattr *attr, struct vpn_peer *peer)
{
	union vpn_endpoint *endpoint = &peer->endpoint;

	switch (mnl_attr_get_type(attr)) {
	case VPN_A_PEER_ENDPOINT_IPV4:
		endpoint->addr4.sin_family = AF_INET;
		get(attr, &endpoint->addr4.sin_addr, sizeof(endpoint->addr4.sin_addr));
		break;
	case VPN_A_PEER_ENDPOINT_IPV6:
		endpoint->addr6.sin6_family = AF_INET6;
		get(attr, &endpoint->addr6.sin6_addr, sizeof(endpoint->addr6.sin6_addr));
		break;
	case VPN_A_PEER_ENDPOINT_PORT:
		/* At the same place in both kinds of address. */
		get(attr, &endpoint->addr4.sin_port, sizeof(endpoint->addr4.sin_port));
		return;
	case VPN_A_PEER_ENDPOINT_SCOPE_ID:
		get(attr, &endpoint->addr6.sin6_scope_id, sizeof(endpoint->addr6.sin6_scope_id));
		return;
	}
	peer->has |= VPN_PEER_HAS_ENDPOINT;
}

static void read_preshared_key(const struct nlattr *attr, struct vpn_peer *peer)
{
	if (get(attr, peer->preshared_key, VPN_KEY_LEN))
		peer->has |= VPN_PEER_HAS_PRESHARED_KEY;
}

static void read_state(const struct nlattr *attr, struct vpn_peer *peer)
{
	switch (mnl_attr_get_type(attr)) {
	case VPN_A_PEER_PERSISTENT_KEEPALIVE:
		if (get(attr, &peer->keepalive, sizeof(peer->keepalive)))
			peer->has |= VPN_PEER_HAS_KEEPALIVE;
		break;
	case VPN_A_PEER_PROTOCOL_VERSION:
		if (get(attr, &peer->version, sizeof(peer->version)))
			peer->has |= VPN_PEER_HAS_VERSION;
		break;
	case VPN_A_PEER_LAST_HANDSHAKE:
		peer->last_handshake = get_uint(attr);
		peer->has |= VPN_PEER_HAS_HANDSHAKE;
		break;
	case VPN_A_PEER_RX_BYTES:
		peer->rx_bytes = get_uint(attr);
		peer->has |= VPN_PEER_HAS_TRANSFER;
		break;
	case VPN_A_PEER_TX_BYTES:
		peer->tx_bytes = get_uint(attr);
		peer->has |= VPN_PEER_HAS_TRANSFER;
		break;
	}
}

static int read_peer_attr(const struct nlattr *attr, struct vpn_peer *peer)
{
	switch (mnl_attr_get_type(attr)) {
	case VPN_A_PEER_ALLOWEDIPS:
		return read_allowedip(attr, peer);
	case VPN_A_PEER_PRESHARED_KEY:
		read_preshared_key(attr, peer);
		break;
	case VPN_A_PEER_NAME:
		get_string(attr, peer->name, sizeof(peer->name));
		peer->has |= VPN_PEER_HAS_NAME;
		break;
	case VPN_A_PEER_ENDPOINT_IPV4:
	case VPN_A_PEER_ENDPOINT_IPV6:
	case VPN_A_PEER_ENDPOINT_PORT:
	case VPN_A_PEER_ENDPOINT_SCOPE_ID:
		read_endpoint(attr, peer);
		break;
	default:
		read_state(attr, peer);
	}
	return 0;
}

/* The last peer when it is continued, otherwise a new one. */
static struct vpn_peer *peer_for(const struct nlattr *nest, struct vpn_device *dev)
{
	uint8_t key[VPN_KEY_LEN];
	struct vpn_peer *peer = dev->last_peer;
	bool has_key = vpn_attr_read_public_key(nest, key);

	if (has_key && peer && !memcmp(peer->public_key, key, VPN_KEY_LEN))
		return peer;
	peer = vpn_device_add_peer(dev);
	if (peer && has_key) {
		memcpy(peer->public_key, key, VPN_KEY_LEN);
		peer->has |= VPN_PEER_HAS_PUBLIC_KEY;
	}
	return peer;
}

static int read_peer(const struct nlattr *nest, struct vpn_device *dev)
{
	struct vpn_peer *peer = peer_for(nest, dev);
	const struct nlattr *attr;
	int ret = peer ? 0 : -ENOMEM;

	mnl_attr_for_each_nested(attr, nest) {
		if (ret)
			break;
		ret = read_peer_attr(attr, peer);
	}
	return ret;
}

static void read_device_attr(const struct nlattr *attr, struct vpn_device *dev)
{
	switch (mnl_attr_get_type(attr)) {
	case VPN_A_DEVICE_IFINDEX:
		get(attr, &dev->ifindex, sizeof(dev->ifindex));
		break;
	case VPN_A_DEVICE_IFNAME:
		get_string(attr, dev->ifname, sizeof(dev->ifname));
		break;
	case VPN_A_DEVICE_PRIVATE_KEY:
		if (get(attr, dev->private_key, VPN_KEY_LEN))
			dev->has |= VPN_DEVICE_HAS_PRIVATE_KEY;
		break;
	case VPN_A_DEVICE_PUBLIC_KEY:
		if (get(attr, dev->public_key, VPN_KEY_LEN))
			dev->has |= VPN_DEVICE_HAS_PUBLIC_KEY;
		break;
	case VPN_A_DEVICE_LISTEN_PORT:
		if (get(attr, &dev->listen_port, sizeof(dev->listen_port)))
			dev->has |= VPN_DEVICE_HAS_LISTEN_PORT;
		break;
	case VPN_A_DEVICE_FWMARK:
		if (get(attr, &dev->fwmark, sizeof(dev->fwmark)))
			dev->has |= VPN_DEVICE_HAS_FWMARK;
		break;
	case VPN_A_DEVICE_PEER_COUNT:
		if (get(attr, &dev->peer_count, sizeof(dev->peer_count)))
			dev->has |= VPN_DEVICE_HAS_PEER_COUNT;
		break;
	}
}

int vpn_attr_read_device(const struct nlmsghdr *nlh, struct vpn_device *dev)
{
	const struct nlattr *attr;
	int ret = 0;

	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		if (mnl_attr_get_type(attr) == VPN_A_DEVICE_PEERS)
			ret = read_peer(attr, dev);
		else
			read_device_attr(attr, dev);
		if (ret)
			return ret;
	}
	return 0;
}
