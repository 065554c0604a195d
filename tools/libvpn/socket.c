// SPDX-License-Identifier: GPL-2.0
#include "socket.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/vpn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "extack.h"

/* A configuration that changes all the time is not waited for longer. */
#define DUMP_ATTEMPTS	32

int vpn_socket_failed(struct vpn_error *err, const char *what)
{
	int code = errno ? errno : EIO;

	return vpn_error_set(err, VPN_FAULT_SYSTEM, code, "%s: %s", what, strerror(code));
}

void vpn_socket_close(struct vpn_socket *sock)
{
	if (sock->buffer) {
		explicit_bzero(sock->buffer, VPN_SOCKET_BUFFER);
		free(sock->buffer);
	}
	if (sock->nl)
		mnl_socket_close(sock->nl);
	memset(sock, 0, sizeof(*sock));
}

int vpn_socket_open(struct vpn_socket *sock, int bus, struct vpn_error *err)
{
	int one = 1, ret;

	memset(sock, 0, sizeof(*sock));
	sock->buffer = malloc(VPN_SOCKET_BUFFER);
	if (!sock->buffer)
		return vpn_socket_failed(err, "netlink buffer");
	sock->nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!sock->nl || mnl_socket_bind(sock->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		ret = vpn_socket_failed(err, "cannot open a netlink socket");
		vpn_socket_close(sock);
		return ret;
	}
	mnl_socket_setsockopt(sock->nl, NETLINK_CAP_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(sock->nl, NETLINK_EXT_ACK, &one, sizeof(one));
	return 0;
}

static void read_group(struct vpn_socket *sock, const struct nlattr *group)
{
	const struct nlattr *attr;
	const char *name = "";
	uint32_t id = 0;

	mnl_attr_for_each_nested(attr, group) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_MCAST_GRP_NAME:
			name = mnl_attr_get_str(attr);
			break;
		case CTRL_ATTR_MCAST_GRP_ID:
			id = mnl_attr_get_u32(attr);
			break;
		}
	}
	if (!strcmp(name, VPN_MCGRP_EVENTS))
		sock->events = id;
	if (!strcmp(name, VPN_MCGRP_AUTH))
		sock->auth = id;
}

static int read_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr, *group;
	struct vpn_socket *sock = data;

	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_FAMILY_ID:
			sock->family = mnl_attr_get_u16(attr);
			break;
		case CTRL_ATTR_MCAST_GROUPS:
			mnl_attr_for_each_nested(group, attr)
				read_group(sock, group);
			break;
		}
	}
	return 0;
}

static struct nlmsghdr *put_genl(void *buffer, uint16_t family, uint8_t command, uint8_t version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = version;
	return nlh;
}

struct nlmsghdr *vpn_socket_request(const struct vpn_socket *sock, void *buffer, uint8_t command)
{
	return put_genl(buffer, sock->family, command, VPN_FAMILY_VERSION);
}

int vpn_socket_open_family(struct vpn_socket *sock, struct vpn_error *err)
{
	const struct vpn_answer answer = { .message = read_family, .data = sock };
	union vpn_request request;
	struct nlmsghdr *nlh;
	int ret;

	ret = vpn_socket_open(sock, NETLINK_GENERIC, err);
	if (ret)
		return ret;
	nlh = put_genl(&request, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, VPN_FAMILY_NAME);
	ret = vpn_socket_talk(sock, nlh, &answer, err);
	if (ret == -ENOENT)
		vpn_error_set(err, VPN_FAULT_NO_MODULE, ENOENT,
			      "the kernel module 'vpn' is not loaded; 'modprobe vpn' loads it, on the host if this is a container");
	if (ret)
		vpn_socket_close(sock);
	return ret;
}

/* The state of one answer while it is being read. */
struct reading {
	struct vpn_socket *sock;
	const struct nlmsghdr *request;
	const struct vpn_answer *answer;
	struct vpn_error *err;
	bool interrupted;
	bool done;
	int ret;
};

static void read_end(struct reading *r, const struct nlmsghdr *nlh)
{
	const int *code = mnl_nlmsg_get_payload(nlh);

	r->done = true;
	/* Both NLMSG_ERROR and NLMSG_DONE begin with the status. */
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*code) || r->ret)
		return;
	if (*code < 0)
		r->ret = vpn_extack_report(nlh, r->request,
					   r->request->nlmsg_type == r->sock->family, r->err);
	else
		vpn_extack_remark(nlh, r->err);
}

/*
 * Everything is read to its end even after a failure: what is left in the
 * socket would be taken for the answer to the next request.
 */
static void read_message(struct reading *r, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_seq != r->request->nlmsg_seq)
		return;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR && !(r->answer && r->answer->ordered))
		r->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		read_end(r, nlh);
		return;
	}
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE || !r->answer || r->ret || r->interrupted)
		return;
	r->ret = r->answer->message(nlh, r->answer->data);
	if (r->ret)
		vpn_error_set(r->err, VPN_FAULT_SYSTEM, -r->ret, "%s", strerror(-r->ret));
}

static ssize_t receive(struct vpn_socket *sock)
{
	ssize_t len;

	do {
		len = mnl_socket_recvfrom(sock->nl, sock->buffer, VPN_SOCKET_BUFFER);
	} while (len < 0 && errno == EINTR);
	return len;
}

static int talk_once(struct reading *r, struct nlmsghdr *request)
{
	const struct nlmsghdr *nlh;
	int left;

	request->nlmsg_seq = ++r->sock->seq;
	if (mnl_socket_sendto(r->sock->nl, request, request->nlmsg_len) < 0)
		return vpn_socket_failed(r->err, "cannot send to the kernel");
	while (!r->done) {
		left = receive(r->sock);
		if (left < 0)
			return vpn_socket_failed(r->err, "cannot hear from the kernel");
		nlh = (const struct nlmsghdr *)r->sock->buffer;
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			read_message(r, nlh);
	}
	return r->ret;
}

int vpn_socket_talk(struct vpn_socket *sock, struct nlmsghdr *request,
		    const struct vpn_answer *answer, struct vpn_error *err)
{
	int attempt, ret;

	request->nlmsg_flags |= NLM_F_REQUEST;
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags |= NLM_F_ACK;

	for (attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
		struct reading r = {
			.sock = sock, .request = request, .answer = answer, .err = err,
		};

		ret = talk_once(&r, request);
		if (ret || !r.interrupted)
			return ret;
		if (answer && answer->restart)
			answer->restart(answer->data);
	}
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EAGAIN,
			     "the configuration kept changing while it was read; try again");
}
