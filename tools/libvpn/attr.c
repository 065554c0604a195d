// SPDX-License-Identifier: GPL-2.0
#include "attr.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "nest.h"

bool vpn_attr_read_allowedip(const struct nlattr *nest, struct vpn_allowedip *ip)
{
	const struct nlattr *attr, *address = NULL;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPN_A_ALLOWEDIP_FAMILY:
			vpn_attr_copy(attr, &ip->family, sizeof(ip->family));
			break;
		case VPN_A_ALLOWEDIP_IPADDR:
			address = attr;
			break;
		case VPN_A_ALLOWEDIP_PREFIX_LEN:
			vpn_attr_copy(attr, &ip->prefix_len, sizeof(ip->prefix_len));
			break;
		case VPN_A_ALLOWEDIP_FLAGS:
			vpn_attr_copy(attr, &ip->flags, sizeof(ip->flags));
			break;
		}
	}
	if (!address)
		return false;
	return ip->family == AF_INET ? vpn_attr_copy(address, &ip->ip4, sizeof(ip->ip4)) :
	       ip->family == AF_INET6 && vpn_attr_copy(address, &ip->ip6, sizeof(ip->ip6));
}

bool vpn_attr_read_public_key(const struct nlattr *peer, uint8_t key[VPN_KEY_LEN])
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, peer) {
		if (mnl_attr_get_type(attr) == VPN_A_PEER_PUBLIC_KEY)
			return vpn_attr_copy(attr, key, VPN_KEY_LEN);
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
		vpn_attr_copy(attr, &endpoint->addr4.sin_addr, sizeof(endpoint->addr4.sin_addr));
		break;
	case VPN_A_PEER_ENDPOINT_IPV6:
		endpoint->addr6.sin6_family = AF_INET6;
		vpn_attr_copy(attr, &endpoint->addr6.sin6_addr, sizeof(endpoint->addr6.sin6_addr));
		break;
	case VPN_A_PEER_ENDPOINT_PORT:
		/* At the same place in both kinds of address. */
		vpn_attr_copy(attr, &endpoint->addr4.sin_port, sizeof(endpoint->addr4.sin_port));
		return;
	case VPN_A_PEER_ENDPOINT_SCOPE_ID:
		vpn_attr_copy(attr, &endpoint->addr6.sin6_scope_id,
			      sizeof(endpoint->addr6.sin6_scope_id));
		return;
	}
	peer->has |= VPN_PEER_HAS_ENDPOINT;
}

static void read_preshared_key(const struct nlattr *attr, struct vpn_peer *peer)
{
	if (vpn_attr_copy(attr, peer->preshared_key, VPN_KEY_LEN))
		peer->has |= VPN_PEER_HAS_PRESHARED_KEY;
}

static void read_state(const struct nlattr *attr, struct vpn_peer *peer)
{
	switch (mnl_attr_get_type(attr)) {
	case VPN_A_PEER_PERSISTENT_KEEPALIVE:
		if (vpn_attr_copy(attr, &peer->keepalive, sizeof(peer->keepalive)))
			peer->has |= VPN_PEER_HAS_KEEPALIVE;
		break;
	case VPN_A_PEER_PROTOCOL_VERSION:
		if (vpn_attr_copy(attr, &peer->version, sizeof(peer->version)))
			peer->has |= VPN_PEER_HAS_VERSION;
		break;
	case VPN_A_PEER_LAST_HANDSHAKE:
		peer->last_handshake = vpn_attr_uint(attr);
		peer->has |= VPN_PEER_HAS_HANDSHAKE;
		break;
	case VPN_A_PEER_RX_BYTES:
		peer->rx_bytes = vpn_attr_uint(attr);
		peer->has |= VPN_PEER_HAS_TRANSFER;
		break;
	case VPN_A_PEER_TX_BYTES:
		peer->tx_bytes = vpn_attr_uint(attr);
		peer->has |= VPN_PEER_HAS_TRANSFER;
		break;
	}
}

static void read_number(const struct nlattr *attr, struct vpn_peer *peer, uint32_t *number,
			uint32_t has)
{
	if (vpn_attr_copy(attr, number, sizeof(*number)))
		peer->has |= has;
}

/* Settings and state that only version 1 of the protocol makes use of. */
static void read_numbers_of_v1(const struct nlattr *attr, struct vpn_peer *peer)
{
	switch (mnl_attr_get_type(attr)) {
	case VPN_A_PEER_ADDRESS_MODE:
		read_number(attr, peer, &peer->address_mode, VPN_PEER_HAS_ADDRESS_MODE);
		break;
	case VPN_A_PEER_CIPHER:
		read_number(attr, peer, &peer->cipher, VPN_PEER_HAS_CIPHER);
		break;
	case VPN_A_PEER_SESSION_CIPHER:
		read_number(attr, peer, &peer->session_cipher, VPN_PEER_HAS_SESSION_CIPHER);
		break;
	case VPN_A_PEER_CREDENTIAL_KIND:
		read_number(attr, peer, &peer->credential_kind, VPN_PEER_HAS_CREDENTIAL);
		break;
	case VPN_A_PEER_EXPIRES:
		peer->expires = vpn_attr_uint(attr);
		peer->has |= VPN_PEER_HAS_EXPIRES;
		break;
	case VPN_A_PEER_UNANSWERED:
		vpn_attr_copy(attr, &peer->unanswered, sizeof(peer->unanswered));
		break;
	case VPN_A_PEER_RTT:
		peer->rtt = vpn_attr_uint(attr);
		peer->has |= VPN_PEER_HAS_RTT;
		break;
	default:
		read_state(attr, peer);
	}
}

static int read_v1(const struct nlattr *attr, struct vpn_peer *peer)
{
	switch (mnl_attr_get_type(attr)) {
	case VPN_A_PEER_ADDRESS:
		return vpn_nest_add_address(attr, &peer->addresses);
	case VPN_A_PEER_PUSH_ROUTES:
		peer->own_routes = true;
		return vpn_nest_read_list(attr, &peer->push_routes);
	case VPN_A_PEER_LEASE:
		return vpn_nest_add_lease(attr, &peer->leases);
	case VPN_A_PEER_ASSIGNED:
		return vpn_nest_read_assigned(attr, &peer->assigned);
	case VPN_A_PEER_HOST_NAME:
		return vpn_attr_strdup(attr, &peer->host_name);
	case VPN_A_PEER_SOFTWARE:
		return vpn_attr_strdup(attr, &peer->software);
	case VPN_A_PEER_LAST_REFUSAL:
		return vpn_nest_read_refusal(attr, &peer->last_refusal);
	case VPN_A_PEER_LAST_DISCONNECT:
		return vpn_nest_read_ending(attr, &peer->last_disconnect);
	case VPN_A_PEER_HANDSHAKE_LATENCY:
		return vpn_nest_read_histogram(attr, &peer->handshake_latency);
	case VPN_A_PEER_ECHO_LATENCY:
		return vpn_nest_read_histogram(attr, &peer->echo_latency);
	default:
		read_numbers_of_v1(attr, peer);
	}
	return 0;
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
		vpn_attr_string(attr, peer->name, sizeof(peer->name));
		peer->has |= VPN_PEER_HAS_NAME;
		break;
	case VPN_A_PEER_ENDPOINT_IPV4:
	case VPN_A_PEER_ENDPOINT_IPV6:
	case VPN_A_PEER_ENDPOINT_PORT:
	case VPN_A_PEER_ENDPOINT_SCOPE_ID:
		read_endpoint(attr, peer);
		break;
	default:
		return read_v1(attr, peer);
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
		vpn_attr_copy(attr, &dev->ifindex, sizeof(dev->ifindex));
		break;
	case VPN_A_DEVICE_IFNAME:
		vpn_attr_string(attr, dev->ifname, sizeof(dev->ifname));
		break;
	case VPN_A_DEVICE_PRIVATE_KEY:
		if (vpn_attr_copy(attr, dev->private_key, VPN_KEY_LEN))
			dev->has |= VPN_DEVICE_HAS_PRIVATE_KEY;
		break;
	case VPN_A_DEVICE_PUBLIC_KEY:
		if (vpn_attr_copy(attr, dev->public_key, VPN_KEY_LEN))
			dev->has |= VPN_DEVICE_HAS_PUBLIC_KEY;
		break;
	case VPN_A_DEVICE_LISTEN_PORT:
		if (vpn_attr_copy(attr, &dev->listen_port, sizeof(dev->listen_port)))
			dev->has |= VPN_DEVICE_HAS_LISTEN_PORT;
		break;
	case VPN_A_DEVICE_FWMARK:
		if (vpn_attr_copy(attr, &dev->fwmark, sizeof(dev->fwmark)))
			dev->has |= VPN_DEVICE_HAS_FWMARK;
		break;
	case VPN_A_DEVICE_PEER_COUNT:
		if (vpn_attr_copy(attr, &dev->peer_count, sizeof(dev->peer_count)))
			dev->has |= VPN_DEVICE_HAS_PEER_COUNT;
		break;
	}
}

static void read_push(const struct nlattr *attr, struct vpn_device *dev)
{
	switch (mnl_attr_get_type(attr)) {
	case VPN_A_DEVICE_HOST_NAME:
		vpn_attr_string(attr, dev->host_name, sizeof(dev->host_name));
		dev->has |= VPN_DEVICE_HAS_HOST_NAME;
		break;
	case VPN_A_DEVICE_MAX_PEERS:
		if (vpn_attr_copy(attr, &dev->max_peers, sizeof(dev->max_peers)))
			dev->has |= VPN_DEVICE_HAS_MAX_PEERS;
		break;
	case VPN_A_DEVICE_PUSH_MTU:
		if (vpn_attr_copy(attr, &dev->push_mtu, sizeof(dev->push_mtu)))
			dev->has |= VPN_DEVICE_HAS_PUSH_MTU;
		break;
	case VPN_A_DEVICE_PUSH_KEEPALIVE:
		if (vpn_attr_copy(attr, &dev->push_keepalive, sizeof(dev->push_keepalive)))
			dev->has |= VPN_DEVICE_HAS_PUSH_KEEPALIVE;
		break;
	default:
		read_device_attr(attr, dev);
	}
}

static int read_attr(const struct nlattr *attr, struct vpn_device *dev)
{
	switch (mnl_attr_get_type(attr)) {
	case VPN_A_DEVICE_PEERS:
		return read_peer(attr, dev);
	case VPN_A_DEVICE_PUSH_DNS:
		dev->has |= VPN_DEVICE_HAS_PUSH_DNS;
		return vpn_nest_read_list(attr, &dev->push_dns);
	case VPN_A_DEVICE_PUSH_ROUTES:
		dev->has |= VPN_DEVICE_HAS_PUSH_ROUTES;
		return vpn_nest_read_list(attr, &dev->push_routes);
	case VPN_A_DEVICE_HANDSHAKE_LATENCY:
		return vpn_nest_read_histogram(attr, &dev->handshake_latency);
	case VPN_A_DEVICE_ECHO_LATENCY:
		return vpn_nest_read_histogram(attr, &dev->echo_latency);
	case VPN_A_DEVICE_POOL:
		return vpn_nest_add_pool(attr, dev);
	case VPN_A_DEVICE_LEASE:
		return vpn_nest_add_lease(attr, &dev->leases);
	case VPN_A_DEVICE_AUTH_REQUEST:
		return vpn_nest_read_auth_request(attr, &dev->auth_request);
	default:
		read_push(attr, dev);
	}
	return 0;
}

int vpn_attr_read_device(const struct nlmsghdr *nlh, struct vpn_device *dev)
{
	const struct nlattr *attr;
	int ret = 0;

	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		if (!ret)
			ret = read_attr(attr, dev);
	}
	return ret;
}
