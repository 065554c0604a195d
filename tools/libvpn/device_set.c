// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "link.h"
#include "nest.h"
#include "socket.h"

/*
 * The kernel holds its locks for the length of a message and validates it as a
 * whole, so messages stay small. Each is answered before the next one is sent:
 * the first refusal ends the stream, and no answer can overrun the socket.
 */
#define MESSAGE_MAX	32768
/* More than all attributes of a peer, or of an allowed IP, take. */
#define PEER_ROOM	(512 + VPN_CREDENTIAL_MAX + 32 * VPN_ROUTES_MAX)
#define ALLOWEDIP_ROOM	64

struct stream {
	struct vpn_socket sock;
	struct nlmsghdr *nlh;
	char *buffer;
	uint32_t ifindex;
	struct vpn_error *err;
};

static bool has_room(const struct stream *s, size_t size)
{
	return s->nlh->nlmsg_len + size <= MESSAGE_MAX;
}

static void begin_message(struct stream *s)
{
	s->nlh = vpn_socket_request(&s->sock, s->buffer, VPN_CMD_DEVICE_SET);
	mnl_attr_put_u32(s->nlh, VPN_A_DEVICE_IFINDEX, s->ifindex);
}

static int send_message(struct stream *s)
{
	return vpn_socket_talk(&s->sock, s->nlh, NULL, s->err);
}

/* What is for clients that speak version 1. */
static void put_push(struct nlmsghdr *nlh, const struct vpn_device *dev)
{
	if (dev->has & VPN_DEVICE_HAS_HOST_NAME)
		mnl_attr_put_strz(nlh, VPN_A_DEVICE_HOST_NAME, dev->host_name);
	if (dev->has & VPN_DEVICE_HAS_MAX_PEERS)
		mnl_attr_put_u32(nlh, VPN_A_DEVICE_MAX_PEERS, dev->max_peers);
	if (dev->has & VPN_DEVICE_HAS_PUSH_DNS)
		vpn_nest_put_list(nlh, VPN_A_DEVICE_PUSH_DNS, &dev->push_dns);
	if (dev->has & VPN_DEVICE_HAS_PUSH_ROUTES)
		vpn_nest_put_list(nlh, VPN_A_DEVICE_PUSH_ROUTES, &dev->push_routes);
	if (dev->has & VPN_DEVICE_HAS_PUSH_MTU)
		mnl_attr_put_u16(nlh, VPN_A_DEVICE_PUSH_MTU, dev->push_mtu);
	if (dev->has & VPN_DEVICE_HAS_PUSH_KEEPALIVE)
		mnl_attr_put_u16(nlh, VPN_A_DEVICE_PUSH_KEEPALIVE, dev->push_keepalive);
}

static void put_device(struct nlmsghdr *nlh, const struct vpn_device *dev)
{
	if (dev->flags)
		mnl_attr_put_u32(nlh, VPN_A_DEVICE_FLAGS, dev->flags);
	if (dev->has & VPN_DEVICE_HAS_PRIVATE_KEY)
		mnl_attr_put(nlh, VPN_A_DEVICE_PRIVATE_KEY, VPN_KEY_LEN, dev->private_key);
	if (dev->has & VPN_DEVICE_HAS_LISTEN_PORT)
		mnl_attr_put_u16(nlh, VPN_A_DEVICE_LISTEN_PORT, dev->listen_port);
	if (dev->has & VPN_DEVICE_HAS_FWMARK)
		mnl_attr_put_u32(nlh, VPN_A_DEVICE_FWMARK, dev->fwmark);
	put_push(nlh, dev);
}

static void put_endpoint(struct nlmsghdr *nlh, const union vpn_endpoint *endpoint)
{
	const struct sockaddr_in6 *addr6 = &endpoint->addr6;
	const struct sockaddr_in *addr4 = &endpoint->addr4;

	if (endpoint->addr.sa_family == AF_INET) {
		mnl_attr_put(nlh, VPN_A_PEER_ENDPOINT_IPV4, sizeof(addr4->sin_addr),
			     &addr4->sin_addr);
		mnl_attr_put_u16(nlh, VPN_A_PEER_ENDPOINT_PORT, addr4->sin_port);
		return;
	}
	mnl_attr_put(nlh, VPN_A_PEER_ENDPOINT_IPV6, sizeof(addr6->sin6_addr), &addr6->sin6_addr);
	mnl_attr_put_u16(nlh, VPN_A_PEER_ENDPOINT_PORT, addr6->sin6_port);
	if (addr6->sin6_scope_id)
		mnl_attr_put_u32(nlh, VPN_A_PEER_ENDPOINT_SCOPE_ID, addr6->sin6_scope_id);
}

static struct nlattr *begin_peer(struct nlmsghdr *nlh, const struct vpn_peer *peer, uint32_t flags)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, VPN_A_DEVICE_PEERS);

	mnl_attr_put(nlh, VPN_A_PEER_PUBLIC_KEY, VPN_KEY_LEN, peer->public_key);
	if (flags)
		mnl_attr_put_u32(nlh, VPN_A_PEER_FLAGS, flags);
	return nest;
}

static void put_addresses(struct nlmsghdr *nlh, const struct vpn_peer *peer)
{
	unsigned int i;

	mnl_attr_put_u32(nlh, VPN_A_PEER_ADDRESS_MODE, peer->address_mode);
	for (i = 0; i < peer->addresses.count; i++)
		vpn_nest_put_address(nlh, VPN_A_PEER_ADDRESS, &peer->addresses.list[i], false);
}

static void put_credential(struct nlmsghdr *nlh, const struct vpn_peer *peer)
{
	if (peer->credential_len)
		mnl_attr_put_u32(nlh, VPN_A_PEER_CREDENTIAL_KIND, peer->credential_kind);
	mnl_attr_put(nlh, VPN_A_PEER_CREDENTIAL, peer->credential_len,
		     peer->credential_len ? (const void *)peer->credential : "");
}

static void put_v1(struct nlmsghdr *nlh, const struct vpn_peer *peer)
{
	if (peer->has & VPN_PEER_HAS_ADDRESS_MODE)
		put_addresses(nlh, peer);
	if (peer->has & VPN_PEER_HAS_CIPHER)
		mnl_attr_put_u32(nlh, VPN_A_PEER_CIPHER, peer->cipher);
	if (peer->has & VPN_PEER_HAS_CREDENTIAL)
		put_credential(nlh, peer);
	if (peer->has & VPN_PEER_HAS_EXPIRES)
		mnl_attr_put_u64(nlh, VPN_A_PEER_EXPIRES, peer->expires);
	if ((peer->has & VPN_PEER_HAS_PUSH_ROUTES) && peer->own_routes)
		vpn_nest_put_list(nlh, VPN_A_PEER_PUSH_ROUTES, &peer->push_routes);
}

static void put_peer(struct nlmsghdr *nlh, const struct vpn_peer *peer)
{
	if (peer->has & VPN_PEER_HAS_PRESHARED_KEY)
		mnl_attr_put(nlh, VPN_A_PEER_PRESHARED_KEY, VPN_KEY_LEN, peer->preshared_key);
	if (peer->has & VPN_PEER_HAS_NAME)
		mnl_attr_put_strz(nlh, VPN_A_PEER_NAME, peer->name);
	if (peer->has & VPN_PEER_HAS_ENDPOINT)
		put_endpoint(nlh, &peer->endpoint);
	if (peer->has & VPN_PEER_HAS_KEEPALIVE)
		mnl_attr_put_u16(nlh, VPN_A_PEER_PERSISTENT_KEEPALIVE, peer->keepalive);
	put_v1(nlh, peer);
}

static void put_allowedip(struct nlmsghdr *nlh, const struct vpn_allowedip *ip)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, VPN_A_PEER_ALLOWEDIPS);

	mnl_attr_put_u16(nlh, VPN_A_ALLOWEDIP_FAMILY, ip->family);
	mnl_attr_put(nlh, VPN_A_ALLOWEDIP_IPADDR,
		     ip->family == AF_INET ? sizeof(ip->ip4) : sizeof(ip->ip6), &ip->ip6);
	mnl_attr_put_u8(nlh, VPN_A_ALLOWEDIP_PREFIX_LEN, ip->prefix_len);
	if (ip->flags)
		mnl_attr_put_u32(nlh, VPN_A_ALLOWEDIP_FLAGS, ip->flags);
	mnl_attr_nest_end(nlh, nest);
}

static uint32_t flags_of(const struct vpn_peer *peer)
{
	bool reset = (peer->has & VPN_PEER_HAS_PUSH_ROUTES) && !peer->own_routes;

	return peer->flags | (reset ? VPN_PEER_FLAGS_RESET_PUSH_ROUTES : 0);
}

static int stream_peer(struct stream *s, const struct vpn_peer *peer)
{
	const struct vpn_allowedip *ip;
	struct nlattr *nest;
	int ret;

	nest = begin_peer(s->nlh, peer, flags_of(peer));
	put_peer(s->nlh, peer);
	for (ip = peer->allowedips; ip; ip = ip->next) {
		if (!has_room(s, ALLOWEDIP_ROOM)) {
			mnl_attr_nest_end(s->nlh, nest);
			ret = send_message(s);
			if (ret)
				return ret;
			begin_message(s);
			/* If somebody removed the peer meanwhile, it stays removed. */
			nest = begin_peer(s->nlh, peer, VPN_PEER_FLAGS_UPDATE_ONLY);
		}
		put_allowedip(s->nlh, ip);
	}
	mnl_attr_nest_end(s->nlh, nest);
	return 0;
}

static int stream_device(struct stream *s, const struct vpn_device *dev)
{
	const struct vpn_peer *peer;
	int ret;

	begin_message(s);
	put_device(s->nlh, dev);
	for (peer = dev->peers; peer; peer = peer->next) {
		if (!has_room(s, PEER_ROOM)) {
			ret = send_message(s);
			if (ret)
				return ret;
			begin_message(s);
		}
		ret = stream_peer(s, peer);
		if (ret)
			return ret;
	}
	return send_message(s);
}

int vpn_device_set(const struct vpn_device *dev, struct vpn_error *err)
{
	struct stream s = { .err = err };
	int ret;

	vpn_error_set(err, VPN_FAULT_NONE, 0, "%s", "");
	ret = vpn_socket_open_family(&s.sock, err);
	if (ret)
		return ret;
	ret = vpn_link_find(dev->ifname, &s.ifindex, err);
	if (ret)
		goto err_socket;
	s.buffer = malloc(MESSAGE_MAX);
	if (!s.buffer) {
		ret = vpn_socket_failed(err, dev->ifname);
		goto err_socket;
	}
	ret = stream_device(&s, dev);
	explicit_bzero(s.buffer, MESSAGE_MAX);
	free(s.buffer);
err_socket:
	vpn_socket_close(&s.sock);
	return ret;
}
