// SPDX-License-Identifier: GPL-2.0
#include "event.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "attr.h"

/* A few thousand events fit, so that a slow terminal loses none in a burst. */
#define RECEIVE_BUFFER	(4 << 20)

static const char *const names[] = {
	[VPN_CMD_PEER_ADDED_NTF]	= "peer-added",
	[VPN_CMD_PEER_CHANGED_NTF]	= "peer-changed",
	[VPN_CMD_PEER_REMOVED_NTF]	= "peer-removed",
	[VPN_CMD_HANDSHAKE_DONE_NTF]	= "handshake-done",
	[VPN_CMD_ENDPOINT_MOVED_NTF]	= "endpoint-moved",
	[VPN_CMD_SESSION_EXPIRED_NTF]	= "session-expired",
	[VPN_CMD_DEVICE_CHANGED_NTF]	= "device-changed",
	[VPN_CMD_AUTH_REQUEST_NTF]	= "auth-request",
	[VPN_CMD_ASSIGNED_NTF]		= "assigned",
	[VPN_CMD_REFUSED_NTF]		= "refused",
	[VPN_CMD_DISCONNECTED_NTF]	= "disconnected",
	[VPN_CMD_PEER_EXPIRED_NTF]	= "peer-expired",
	[VPN_CMD_ECHO_DONE_NTF]		= "echo-done",
	[VPN_CMD_LEASE_ADDED_NTF]	= "lease-added",
	[VPN_CMD_LEASE_REMOVED_NTF]	= "lease-removed",
};

static int join(const struct vpn_socket *sock, uint32_t group)
{
	/* The kernel's answer to a group that it does not have. */
	if (!group) {
		errno = ENOENT;
		return -1;
	}
	return mnl_socket_setsockopt(sock->nl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
}

int vpn_event_open(struct vpn_socket *sock, enum vpn_event_group group, struct vpn_error *err)
{
	int size = RECEIVE_BUFFER, ret;

	ret = vpn_socket_open_family(sock, err);
	if (ret)
		return ret;
	/* A smaller buffer than asked for only loses events earlier. */
	setsockopt(mnl_socket_get_fd(sock->nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	ret = join(sock, group == VPN_EVENT_AUTH ? sock->auth : sock->events);
	if (!ret)
		return 0;
	if (errno == EPERM)
		ret = vpn_error_set(err, VPN_FAULT_NO_RIGHTS, EPERM, "the kernel refused: %s",
				    strerror(EPERM));
	else
		ret = vpn_socket_failed(err, "cannot subscribe to events");
	vpn_socket_close(sock);
	return ret;
}

static int read_event(const struct nlmsghdr *nlh,
		      void (*handler)(const struct vpn_event *, void *), void *data)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct vpn_event event = { .command = genl->cmd };
	int ret;

	/* A newer kernel may have events that this library does not know. */
	if (genl->cmd >= MNL_ARRAY_SIZE(names) || !names[genl->cmd])
		return 0;
	event.name = names[genl->cmd];
	event.dev = vpn_device_new();
	if (!event.dev)
		return -ENOMEM;
	ret = vpn_attr_read_device(nlh, event.dev);
	if (!ret)
		handler(&event, data);
	vpn_device_free(event.dev);
	return ret;
}

static int read_failed(struct vpn_error *err)
{
	if (errno == ENOBUFS)
		return vpn_error_set(err, VPN_FAULT_LOST, ENOBUFS,
				     "events came faster than they were read; some were lost");
	return vpn_socket_failed(err, "cannot hear from the kernel");
}

int vpn_event_read(struct vpn_socket *sock, void (*handler)(const struct vpn_event *, void *),
		   void *data, struct vpn_error *err)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)sock->buffer;
	int left, ret;

	left = mnl_socket_recvfrom(sock->nl, sock->buffer, VPN_SOCKET_BUFFER);
	if (left < 0)
		return errno == EINTR ? 0 : read_failed(err);
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type != sock->family)
			continue;
		ret = read_event(nlh, handler, data);
		if (ret)
			return vpn_error_set(err, VPN_FAULT_SYSTEM, -ret, "%s", strerror(-ret));
	}
	return 0;
}
