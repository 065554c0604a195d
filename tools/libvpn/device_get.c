// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "device.h"
#include "link.h"
#include "socket.h"

static int read_message(const struct nlmsghdr *nlh, void *data)
{
	return vpn_attr_read_device(nlh, data);
}

static void drop_all(void *data)
{
	vpn_device_clear(data);
}

static int dump(struct vpn_socket *sock, uint8_t command, uint32_t ifindex, struct vpn_device *dev,
		struct vpn_error *err)
{
	const struct vpn_answer answer = {
		.message = read_message, .restart = drop_all, .data = dev,
		/* Leases come and go all the time. */
		.ordered = command == VPN_CMD_LEASE_GET,
	};
	union vpn_request request;
	struct nlmsghdr *nlh;

	nlh = vpn_socket_request(sock, &request, command);
	nlh->nlmsg_flags |= NLM_F_DUMP;
	mnl_attr_put_u32(nlh, VPN_A_DEVICE_IFINDEX, ifindex);
	return vpn_socket_talk(sock, nlh, &answer, err);
}

static int get(uint8_t command, const char *ifname, struct vpn_device **dev, struct vpn_error *err)
{
	struct vpn_socket sock;
	uint32_t ifindex;
	int ret;

	*dev = NULL;
	ret = vpn_socket_open_family(&sock, err);
	if (ret)
		return ret;
	ret = vpn_link_find(ifname, &ifindex, err);
	if (ret)
		goto err_socket;
	*dev = vpn_device_new();
	ret = *dev ? dump(&sock, command, ifindex, *dev, err) : vpn_socket_failed(err, ifname);
	if (ret) {
		vpn_device_free(*dev);
		*dev = NULL;
		goto err_socket;
	}
	/* A list of nothing may be an answer without a message. */
	(*dev)->ifindex = ifindex;
	if (!*(*dev)->ifname)
		strcpy((*dev)->ifname, ifname);
err_socket:
	vpn_socket_close(&sock);
	return ret;
}

int vpn_device_get(const char *ifname, struct vpn_device **dev, struct vpn_error *err)
{
	return get(VPN_CMD_DEVICE_GET, ifname, dev, err);
}

int vpn_device_get_pools(const char *ifname, struct vpn_device **dev, struct vpn_error *err)
{
	return get(VPN_CMD_POOL_GET, ifname, dev, err);
}

int vpn_device_get_leases(const char *ifname, struct vpn_device **dev, struct vpn_error *err)
{
	return get(VPN_CMD_LEASE_GET, ifname, dev, err);
}
