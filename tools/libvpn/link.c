// SPDX-License-Identifier: GPL-2.0
#include "link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/vpn.h>
#include <stdlib.h>
#include <string.h>

#include "socket.h"

#define LISTED	"'vpnctl show interfaces' lists those that are"

struct list {
	struct vpn_link *first, **end;
};

static void copy_string(char *to, size_t size, const struct nlattr *attr)
{
	size_t len = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

	if (len >= size)
		len = size - 1;
	memcpy(to, mnl_attr_get_payload(attr), len);
	to[len] = '\0';
}

static void read_link(const struct nlmsghdr *nlh, struct vpn_link *link)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *inner;

	link->ifindex = info->ifi_index;
	mnl_attr_for_each(attr, nlh, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			copy_string(link->ifname, sizeof(link->ifname), attr);
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO)
			continue;
		mnl_attr_for_each_nested(inner, attr) {
			if (mnl_attr_get_type(inner) == IFLA_INFO_KIND)
				copy_string(link->kind, sizeof(link->kind), inner);
		}
	}
}

static int collect(const struct nlmsghdr *nlh, void *data)
{
	struct list *list = data;
	struct vpn_link *link;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	read_link(nlh, link);
	*list->end = link;
	list->end = &link->next;
	return 0;
}

void vpn_link_free(struct vpn_link *links)
{
	struct vpn_link *next;

	for (; links; links = next) {
		next = links->next;
		free(links);
	}
}

static void drop(void *data)
{
	struct list *list = data;

	vpn_link_free(list->first);
	list->first = NULL;
	list->end = &list->first;
}

static struct nlmsghdr *put_getlink(void *buffer)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	return nlh;
}

/* One request on a socket of its own; *links is NULL after an error. */
static int get_links(struct nlmsghdr *nlh, struct vpn_link **links, struct vpn_error *err)
{
	struct list list = { .end = &list.first };
	const struct vpn_answer answer = { .message = collect, .restart = drop, .data = &list };
	struct vpn_socket sock;
	int ret;

	*links = NULL;
	ret = vpn_socket_open(&sock, NETLINK_ROUTE, err);
	if (ret)
		return ret;
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	ret = vpn_socket_talk(&sock, nlh, &answer, err);
	vpn_socket_close(&sock);
	if (ret)
		drop(&list);
	*links = list.first;
	return ret;
}

int vpn_link_list(struct vpn_link **links, struct vpn_error *err)
{
	union vpn_request request;
	struct nlmsghdr *nlh = put_getlink(&request);
	struct vpn_link **at, *link;
	int ret;

	nlh->nlmsg_flags |= NLM_F_DUMP;
	ret = get_links(nlh, links, err);
	for (at = links; (link = *at);) {
		if (!strcmp(link->kind, VPN_FAMILY_NAME)) {
			at = &link->next;
			continue;
		}
		*at = link->next;
		free(link);
	}
	return ret;
}

static int no_device(const char *ifname, struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_NO_DEVICE, ENODEV,
			     "there is no device '%s'; 'ip link add %s type vpn' makes one",
			     ifname, ifname);
}

static int wrong_kind(const char *ifname, const char *kind, struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_WRONG_KIND, EOPNOTSUPP,
			     "the device '%s' is not of kind 'vpn'%s%s%s; " LISTED,
			     ifname, *kind ? " but '" : "", kind, *kind ? "'" : "");
}

int vpn_link_find(const char *ifname, uint32_t *ifindex, struct vpn_error *err)
{
	union vpn_request request;
	struct nlmsghdr *nlh = put_getlink(&request);
	struct vpn_link *link;
	int ret;

	if (!*ifname || strlen(ifname) >= IF_NAMESIZE)
		return vpn_error_set(err, VPN_FAULT_NO_DEVICE, ENODEV, "there is no device '%s'; "
				     "a device's name has 1 to %d characters",
				     ifname, IF_NAMESIZE - 1);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	ret = get_links(nlh, &link, err);
	if (ret == -ENODEV || (!ret && !link))
		ret = no_device(ifname, err);
	else if (!ret && strcmp(link->kind, VPN_FAMILY_NAME))
		ret = wrong_kind(ifname, link->kind, err);
	else if (!ret)
		*ifindex = link->ifindex;
	vpn_link_free(link);
	return ret;
}

static int change_link(struct nlmsghdr *nlh, struct vpn_error *err)
{
	struct vpn_socket sock;
	int ret;

	ret = vpn_socket_open(&sock, NETLINK_ROUTE, err);
	if (ret)
		return ret;
	ret = vpn_socket_talk(&sock, nlh, NULL, err);
	vpn_socket_close(&sock);
	return ret;
}

int vpn_link_add(const char *ifname, struct vpn_error *err)
{
	union vpn_request request;
	struct nlmsghdr *nlh = put_getlink(&request);
	struct nlattr *info;
	int ret;

	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, VPN_FAMILY_NAME);
	mnl_attr_nest_end(nlh, info);
	ret = change_link(nlh, err);
	if (ret == -EOPNOTSUPP)
		vpn_error_set(err, VPN_FAULT_NO_MODULE, EOPNOTSUPP,
			      "the kernel module 'vpn' is not loaded and cannot be; 'modprobe vpn' says why, on the host if this is a container");
	return ret;
}

int vpn_link_del(const char *ifname, struct vpn_error *err)
{
	union vpn_request request;
	struct nlmsghdr *nlh;
	uint32_t ifindex;
	int ret;

	ret = vpn_link_find(ifname, &ifindex, err);
	if (ret)
		return ret;
	nlh = put_getlink(&request);
	nlh->nlmsg_type = RTM_DELLINK;
	((struct ifinfomsg *)mnl_nlmsg_get_payload(nlh))->ifi_index = ifindex;
	return change_link(nlh, err);
}
