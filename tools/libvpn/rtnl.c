// SPDX-License-Identifier: GPL-2.0
#include "rtnl.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "nest.h"

struct collector {
	struct vpn_rtnl_entries *entries;
	uint32_t ifindex;
	uint32_t table;
};

struct route {
	struct vpn_rtnl_entry entry;
	uint32_t ifindex;
	bool via;
};

void vpn_rtnl_free(struct vpn_rtnl_entries *entries)
{
	free(entries->list);
	entries->list = NULL;
	entries->count = 0;
}

static void drop(void *data)
{
	const struct collector *c = data;

	vpn_rtnl_free(c->entries);
}

static int add_entry(struct vpn_rtnl_entries *entries, const struct vpn_rtnl_entry *entry)
{
	struct vpn_rtnl_entry *grown;

	grown = reallocarray(entries->list, entries->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	entries->list = grown;
	grown[entries->count++] = *entry;
	return 0;
}

static bool read_octets(const struct nlattr *attr, struct vpn_address *address)
{
	return vpn_attr_copy(attr, &address->ip6, vpn_address_len(address->family));
}

static int collect_address(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct vpn_rtnl_entry entry = { 0 };
	const struct collector *c = data;
	const struct nlattr *attr;
	bool local = false;
	uint8_t protocol;

	if (ifa->ifa_index != c->ifindex)
		return 0;
	entry.address.family = ifa->ifa_family;
	entry.address.prefix_len = ifa->ifa_prefixlen;
	mnl_attr_for_each(attr, nlh, sizeof(*ifa)) {
		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL:
			/* The other one is that of the far end. */
			local = read_octets(attr, &entry.address);
			break;
		case IFA_ADDRESS:
			if (!local)
				read_octets(attr, &entry.address);
			break;
		case IFA_PROTO:
			entry.ours = vpn_attr_copy(attr, &protocol, sizeof(protocol)) &&
				     protocol == VPN_RTNL_PROTOCOL;
			break;
		}
	}
	return add_entry(c->entries, &entry);
}

static void read_route(const struct nlmsghdr *nlh, struct route *route)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct vpn_rtnl_entry *entry = &route->entry;
	const struct nlattr *attr;

	memset(route, 0, sizeof(*route));
	entry->table = rtm->rtm_table;
	entry->type = rtm->rtm_type;
	entry->address.family = rtm->rtm_family;
	entry->address.prefix_len = rtm->rtm_dst_len;
	entry->ours = rtm->rtm_protocol == VPN_RTNL_PROTOCOL;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_DST:
			read_octets(attr, &entry->address);
			break;
		case RTA_PREFSRC:
			entry->source.family = rtm->rtm_family;
			read_octets(attr, &entry->source);
			break;
		case RTA_PRIORITY:
			vpn_attr_copy(attr, &entry->metric, sizeof(entry->metric));
			break;
		case RTA_OIF:
			vpn_attr_copy(attr, &route->ifindex, sizeof(route->ifindex));
			break;
		case RTA_TABLE:
			vpn_attr_copy(attr, &entry->table, sizeof(entry->table));
			break;
		case RTA_GATEWAY:
		case RTA_VIA:
		case RTA_MULTIPATH:
			route->via = true;
			break;
		}
	}
}

static bool is_cached(const struct nlmsghdr *nlh)
{
	return ((const struct rtmsg *)mnl_nlmsg_get_payload(nlh))->rtm_flags & RTM_F_CLONED;
}

static int collect_route(const struct nlmsghdr *nlh, void *data)
{
	const struct collector *c = data;
	struct route route;

	read_route(nlh, &route);
	if (route.entry.type != RTN_UNICAST || is_cached(nlh) || route.ifindex != c->ifindex)
		return 0;
	return add_entry(c->entries, &route.entry);
}

static int collect_onlink(const struct nlmsghdr *nlh, void *data)
{
	const struct collector *c = data;
	struct route route;

	read_route(nlh, &route);
	if (route.entry.type != RTN_UNICAST || is_cached(nlh) || route.ifindex == c->ifindex ||
	    route.via || !route.entry.address.prefix_len || route.entry.table != RT_TABLE_MAIN)
		return 0;
	return add_entry(c->entries, &route.entry);
}

static int collect_known(const struct nlmsghdr *nlh, void *data)
{
	const struct collector *c = data;
	struct route route;

	read_route(nlh, &route);
	if (is_cached(nlh) || !route.entry.address.prefix_len)
		return 0;
	return add_entry(c->entries, &route.entry);
}

static int collect_block(const struct nlmsghdr *nlh, void *data)
{
	const struct collector *c = data;
	struct route route;

	read_route(nlh, &route);
	if (!route.entry.ours || is_cached(nlh) || route.entry.table != c->table ||
	    (route.entry.type != RTN_THROW && route.entry.type != RTN_UNREACHABLE))
		return 0;
	return add_entry(c->entries, &route.entry);
}

static struct nlmsghdr *put_request(void *buffer, uint16_t type, uint16_t family, size_t header)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	uint8_t *extra;

	nlh->nlmsg_type = type;
	/* All headers of rtnetlink begin with the family. */
	extra = mnl_nlmsg_put_extra_header(nlh, header);
	*extra = family;
	return nlh;
}

static int dump(struct vpn_socket *sock, uint16_t type, uint16_t family, size_t header,
		const struct vpn_answer *answer, struct vpn_error *err)
{
	union vpn_request request;
	struct nlmsghdr *nlh = put_request(&request, type, family, header);

	nlh->nlmsg_flags |= NLM_F_DUMP;
	return vpn_socket_talk(sock, nlh, answer, err);
}

int vpn_rtnl_addresses(struct vpn_socket *sock, uint32_t ifindex, struct vpn_rtnl_entries *entries,
		       struct vpn_error *err)
{
	struct collector c = { entries, ifindex, 0 };
	const struct vpn_answer answer = {
		.message = collect_address, .restart = drop, .data = &c,
	};

	memset(entries, 0, sizeof(*entries));
	return dump(sock, RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg), &answer, err);
}

/*
 * Routes of others come and go. One that is listed twice does no harm, so nothing
 * is dropped when the list is read again.
 */
static int dump_routes(struct vpn_socket *sock, const struct vpn_answer *answer,
		       struct vpn_error *err)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	const struct collector *c = answer->data;
	int ret = 0;
	size_t i;

	memset(c->entries, 0, sizeof(*c->entries));
	for (i = 0; i < MNL_ARRAY_SIZE(families) && !ret; i++)
		ret = dump(sock, RTM_GETROUTE, families[i], sizeof(struct rtmsg), answer, err);
	return ret;
}

int vpn_rtnl_routes(struct vpn_socket *sock, uint32_t ifindex, struct vpn_rtnl_entries *entries,
		    struct vpn_error *err)
{
	struct collector c = { entries, ifindex, 0 };

	return dump_routes(sock, &(struct vpn_answer){ .message = collect_route, .data = &c }, err);
}

int vpn_rtnl_onlink(struct vpn_socket *sock, uint32_t ifindex, struct vpn_rtnl_entries *entries,
		    struct vpn_error *err)
{
	struct collector c = { entries, ifindex, 0 };

	return dump_routes(sock, &(struct vpn_answer){ .message = collect_onlink, .data = &c },
			   err);
}

int vpn_rtnl_known(struct vpn_socket *sock, struct vpn_rtnl_entries *entries,
		   struct vpn_error *err)
{
	struct collector c = { entries, 0, 0 };

	return dump_routes(sock, &(struct vpn_answer){ .message = collect_known, .data = &c }, err);
}

int vpn_rtnl_blocks(struct vpn_socket *sock, uint32_t table, struct vpn_rtnl_entries *entries,
		    struct vpn_error *err)
{
	struct collector c = { entries, 0, table };

	return dump_routes(sock, &(struct vpn_answer){ .message = collect_block, .data = &c }, err);
}

static void put_octets(struct nlmsghdr *nlh, uint16_t type, const struct vpn_address *address)
{
	mnl_attr_put(nlh, type, vpn_address_len(address->family), &address->ip6);
}

int vpn_rtnl_change_address(struct vpn_socket *sock, uint32_t ifindex,
			    const struct vpn_address *address, uint32_t flags, bool add,
			    struct vpn_error *err)
{
	union vpn_request request;
	struct nlmsghdr *nlh;
	struct ifaddrmsg *ifa;

	nlh = put_request(&request, add ? RTM_NEWADDR : RTM_DELADDR, address->family, sizeof(*ifa));
	ifa = mnl_nlmsg_get_payload(nlh);
	ifa->ifa_prefixlen = address->prefix_len;
	ifa->ifa_index = ifindex;
	put_octets(nlh, IFA_LOCAL, address);
	put_octets(nlh, IFA_ADDRESS, address);
	if (add) {
		nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
		/* Nobody else can answer in a tunnel. */
		flags |= address->family == AF_INET6 ? IFA_F_NODAD : 0;
		mnl_attr_put_u32(nlh, IFA_FLAGS, flags);
		mnl_attr_put_u8(nlh, IFA_PROTO, VPN_RTNL_PROTOCOL);
	}
	return vpn_socket_talk(sock, nlh, NULL, err);
}

static void put_route(struct nlmsghdr *nlh, uint32_t ifindex, const struct vpn_rtnl_entry *route)
{
	const struct vpn_address *prefix = &route->address;
	struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	rtm->rtm_dst_len = prefix->prefix_len;
	rtm->rtm_protocol = VPN_RTNL_PROTOCOL;
	rtm->rtm_type = route->type ? route->type : RTN_UNICAST;
	/* What goes through no gateway is as near as the link. */
	rtm->rtm_scope = prefix->family == AF_INET && rtm->rtm_type == RTN_UNICAST ?
			 RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	if (prefix->prefix_len)
		put_octets(nlh, RTA_DST, prefix);
	if (route->source.family)
		put_octets(nlh, RTA_PREFSRC, &route->source);
	if (rtm->rtm_type == RTN_UNICAST)
		mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	if (route->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	mnl_attr_put_u32(nlh, RTA_TABLE, route->table);
}

int vpn_rtnl_change_route(struct vpn_socket *sock, uint32_t ifindex,
			  const struct vpn_rtnl_entry *route, bool add, struct vpn_error *err)
{
	union vpn_request request;
	struct nlmsghdr *nlh;

	nlh = put_request(&request, add ? RTM_NEWROUTE : RTM_DELROUTE, route->address.family,
			  sizeof(struct rtmsg));
	if (add)
		nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	put_route(nlh, ifindex, route);
	return vpn_socket_talk(sock, nlh, NULL, err);
}

static int read_mtu(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	uint32_t *mtu = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_MTU)
			vpn_attr_copy(attr, mtu, sizeof(*mtu));
	}
	return 0;
}

static struct nlmsghdr *put_link(void *buffer, uint16_t type, uint32_t ifindex)
{
	struct nlmsghdr *nlh = put_request(buffer, type, AF_UNSPEC, sizeof(struct ifinfomsg));
	struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);

	info->ifi_index = ifindex;
	return nlh;
}

int vpn_rtnl_get_mtu(struct vpn_socket *sock, uint32_t ifindex, uint32_t *mtu,
		     struct vpn_error *err)
{
	const struct vpn_answer answer = { .message = read_mtu, .data = mtu };
	union vpn_request request;

	*mtu = 0;
	return vpn_socket_talk(sock, put_link(&request, RTM_GETLINK, ifindex), &answer, err);
}

int vpn_rtnl_set_mtu(struct vpn_socket *sock, uint32_t ifindex, uint32_t mtu,
		     struct vpn_error *err)
{
	union vpn_request request;
	struct nlmsghdr *nlh = put_link(&request, RTM_NEWLINK, ifindex);

	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return vpn_socket_talk(sock, nlh, NULL, err);
}

static int read_flags(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);

	*(bool *)data = info->ifi_flags & IFF_UP;
	return 0;
}

int vpn_rtnl_is_up(struct vpn_socket *sock, uint32_t ifindex, bool *up, struct vpn_error *err)
{
	const struct vpn_answer answer = { .message = read_flags, .data = up };
	union vpn_request request;

	*up = false;
	return vpn_socket_talk(sock, put_link(&request, RTM_GETLINK, ifindex), &answer, err);
}

int vpn_rtnl_set_up(struct vpn_socket *sock, uint32_t ifindex, bool up, struct vpn_error *err)
{
	union vpn_request request;
	struct nlmsghdr *nlh = put_link(&request, RTM_NEWLINK, ifindex);
	struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);

	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	return vpn_socket_talk(sock, nlh, NULL, err);
}

static int read_stats(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	size_t len;

	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) != IFLA_STATS64)
			continue;
		/* A newer kernel may have more, an older one less. */
		len = mnl_attr_get_payload_len(attr);
		if (len > sizeof(struct rtnl_link_stats64))
			len = sizeof(struct rtnl_link_stats64);
		memcpy(data, mnl_attr_get_payload(attr), len);
	}
	return 0;
}

int vpn_rtnl_get_stats(struct vpn_socket *sock, uint32_t ifindex, struct rtnl_link_stats64 *stats,
		       struct vpn_error *err)
{
	const struct vpn_answer answer = { .message = read_stats, .data = stats };
	union vpn_request request;

	memset(stats, 0, sizeof(*stats));
	return vpn_socket_talk(sock, put_link(&request, RTM_GETLINK, ifindex), &answer, err);
}

struct rule_finder {
	uint32_t mark;
	bool *present;
};

/* Which of the two rules with our mark it is, if it is one. */
static int find_rule(const struct nlmsghdr *nlh, void *data)
{
	uint32_t mark = 0, table, suppress = UINT32_MAX;
	const struct fib_rule_hdr *hdr = mnl_nlmsg_get_payload(nlh);
	const struct rule_finder *finder = data;
	const struct nlattr *attr;
	uint8_t protocol = 0;

	table = hdr->table;
	mnl_attr_for_each(attr, nlh, sizeof(*hdr)) {
		switch (mnl_attr_get_type(attr)) {
		case FRA_PROTOCOL:
			vpn_attr_copy(attr, &protocol, sizeof(protocol));
			break;
		case FRA_FWMARK:
			vpn_attr_copy(attr, &mark, sizeof(mark));
			break;
		case FRA_TABLE:
			vpn_attr_copy(attr, &table, sizeof(table));
			break;
		case FRA_SUPPRESS_PREFIXLEN:
			vpn_attr_copy(attr, &suppress, sizeof(suppress));
			break;
		}
	}
	if (protocol != VPN_RTNL_PROTOCOL || mark != finder->mark)
		return 0;
	if (table == mark)
		finder->present[VPN_RTNL_RULE_TABLE] = true;
	else if (table == RT_TABLE_MAIN && !suppress)
		finder->present[VPN_RTNL_RULE_MAIN] = true;
	return 0;
}

int vpn_rtnl_rules(struct vpn_socket *sock, uint16_t family, uint32_t mark,
		   bool present[VPN_RTNL_RULES], struct vpn_error *err)
{
	struct rule_finder finder = { mark, present };
	const struct vpn_answer answer = { .message = find_rule, .data = &finder };

	memset(present, 0, VPN_RTNL_RULES * sizeof(*present));
	return dump(sock, RTM_GETRULE, family, sizeof(struct fib_rule_hdr), &answer, err);
}

int vpn_rtnl_change_rule(struct vpn_socket *sock, uint16_t family, uint32_t mark,
			 enum vpn_rtnl_rule rule, bool add, struct vpn_error *err)
{
	bool main = rule == VPN_RTNL_RULE_MAIN;
	union vpn_request request;
	struct fib_rule_hdr *hdr;
	struct nlmsghdr *nlh;

	nlh = put_request(&request, add ? RTM_NEWRULE : RTM_DELRULE, family, sizeof(*hdr));
	hdr = mnl_nlmsg_get_payload(nlh);
	hdr->action = FR_ACT_TO_TBL;
	hdr->flags = FIB_RULE_INVERT;
	if (add)
		nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, VPN_RTNL_PROTOCOL);
	mnl_attr_put_u32(nlh, FRA_FWMARK, mark);
	mnl_attr_put_u32(nlh, FRA_TABLE, main ? RT_TABLE_MAIN : mark);
	if (main)
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, 0);
	return vpn_socket_talk(sock, nlh, NULL, err);
}
