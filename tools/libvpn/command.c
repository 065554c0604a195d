// SPDX-License-Identifier: GPL-2.0
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "nest.h"
#include "socket.h"

#define MESSAGE_MAX	32768
/* More than a lease takes. */
#define LEASE_ROOM	96

/* A request under way: one message after the other, over one socket. */
struct call {
	struct vpn_socket sock;
	struct nlmsghdr *nlh;
	char *buffer;
	uint8_t command;
	uint32_t ifindex;
	struct vpn_error *err;
};

static void begin_message(struct call *c)
{
	c->nlh = vpn_socket_request(&c->sock, c->buffer, c->command);
	mnl_attr_put_u32(c->nlh, VPN_A_DEVICE_IFINDEX, c->ifindex);
}

static int send_message(struct call *c)
{
	return vpn_socket_talk(&c->sock, c->nlh, NULL, c->err);
}

static void end_call(struct call *c)
{
	free(c->buffer);
	vpn_socket_close(&c->sock);
}

static int begin_call(struct call *c, uint8_t command, const char *ifname, struct vpn_error *err)
{
	int ret;

	memset(c, 0, sizeof(*c));
	c->command = command;
	c->err = err;
	vpn_error_set(err, VPN_FAULT_NONE, 0, "%s", "");
	ret = vpn_socket_open_family(&c->sock, err);
	if (ret)
		return ret;
	ret = vpn_link_find(ifname, &c->ifindex, err);
	if (!ret) {
		c->buffer = malloc(MESSAGE_MAX);
		ret = c->buffer ? 0 : vpn_socket_failed(err, ifname);
	}
	if (ret)
		end_call(c);
	else
		begin_message(c);
	return ret;
}

static int finish_call(struct call *c)
{
	int ret = send_message(c);

	end_call(c);
	return ret;
}

int vpn_pool_add(const char *ifname, const struct vpn_pool *pool, struct vpn_error *err)
{
	struct call c;
	int ret;

	ret = begin_call(&c, VPN_CMD_POOL_ADD, ifname, err);
	if (ret)
		return ret;
	vpn_nest_put_pool(c.nlh, pool);
	return finish_call(&c);
}

int vpn_pool_del(const char *ifname, const struct vpn_pool *pool, bool force,
		 struct vpn_error *err)
{
	struct call c;
	int ret;

	ret = begin_call(&c, VPN_CMD_POOL_DEL, ifname, err);
	if (ret)
		return ret;
	vpn_nest_put_pool(c.nlh, pool);
	if (force)
		mnl_attr_put(c.nlh, VPN_A_DEVICE_FORCE, 0, NULL);
	return finish_call(&c);
}

static int change_leases(uint8_t command, const char *ifname, const struct vpn_leases *leases,
			 struct vpn_error *err)
{
	const struct vpn_lease *lease;
	struct call c;
	int ret;

	ret = begin_call(&c, command, ifname, err);
	if (ret)
		return ret;
	for (lease = leases->first; lease; lease = lease->next) {
		if (c.nlh->nlmsg_len + LEASE_ROOM > MESSAGE_MAX) {
			ret = send_message(&c);
			if (ret) {
				end_call(&c);
				return ret;
			}
			begin_message(&c);
		}
		vpn_nest_put_lease(c.nlh, lease);
	}
	return finish_call(&c);
}

int vpn_lease_release(const char *ifname, const struct vpn_leases *leases, struct vpn_error *err)
{
	return change_leases(VPN_CMD_LEASE_RELEASE, ifname, leases, err);
}

int vpn_lease_restore(const char *ifname, const struct vpn_leases *leases, struct vpn_error *err)
{
	return change_leases(VPN_CMD_LEASE_RESTORE, ifname, leases, err);
}

int vpn_peer_reject(const char *ifname, const uint8_t key[VPN_KEY_LEN], uint32_t reason,
		    const char *text, struct vpn_error *err)
{
	struct nlattr *nest;
	struct call c;
	int ret;

	ret = begin_call(&c, VPN_CMD_PEER_REJECT, ifname, err);
	if (ret)
		return ret;
	mnl_attr_put(c.nlh, VPN_A_DEVICE_PEER_KEY, VPN_KEY_LEN, key);
	nest = mnl_attr_nest_start(c.nlh, VPN_A_DEVICE_REJECT);
	mnl_attr_put_u32(c.nlh, VPN_A_REFUSAL_REASON, reason);
	if (text)
		mnl_attr_put_strz(c.nlh, VPN_A_REFUSAL_TEXT, text);
	mnl_attr_nest_end(c.nlh, nest);
	return finish_call(&c);
}

int vpn_peer_ping(const char *ifname, const uint8_t key[VPN_KEY_LEN], struct vpn_error *err)
{
	struct call c;
	int ret;

	ret = begin_call(&c, VPN_CMD_PEER_PING, ifname, err);
	if (ret)
		return ret;
	mnl_attr_put(c.nlh, VPN_A_DEVICE_PEER_KEY, VPN_KEY_LEN, key);
	return finish_call(&c);
}
