// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "../libvpn/rtnl.h"
#include "command.h"
#include "complain.h"

/*
 * What peers have assigned is compared with what the device has. What is there
 * and not ours stays as it is, also when it is what was assigned.
 */
struct plan {
	const struct vpn_device *dev;
	struct vpn_addresses addresses, dns, routes;
	uint32_t mtu;			/* zero: nothing was assigned */
	struct vpn_rtnl_entries have_addresses, have_routes;
	struct vpn_socket rtnl;
	bool dry;
	int status;
};

/* Print a step; true if it is to be taken as well. */
static bool step(const struct plan *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool step(const struct plan *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	return !p->dry;
}

/* One step that failed does not keep the others from being taken. */
static void took(struct plan *p, int ret, const struct vpn_error *err)
{
	if (ret)
		p->status = complain_error(err);
}

static bool gather(struct vpn_addresses *to, const struct vpn_addresses *from)
{
	struct vpn_address *added;
	unsigned int i;

	for (i = 0; i < from->count; i++) {
		if (vpn_addresses_has(to, &from->list[i]))
			continue;
		added = vpn_addresses_add(to);
		if (!added)
			return complain(NULL, "%s", strerror(errno));
		*added = from->list[i];
	}
	return true;
}

/* What all peers have assigned together. */
static bool gather_all(struct plan *p)
{
	const struct vpn_assigned *assigned;
	const struct vpn_peer *peer;
	bool any = false;

	for (peer = p->dev->peers; peer; peer = peer->next) {
		assigned = peer->assigned;
		if (!assigned)
			continue;
		any = true;
		if (!gather(&p->addresses, &assigned->addresses) ||
		    !gather(&p->dns, &assigned->dns) || !gather(&p->routes, &assigned->routes))
			return false;
		if (assigned->mtu && (!p->mtu || assigned->mtu < p->mtu))
			p->mtu = assigned->mtu;
	}
	if (!any)
		warn("no peer of %s has assigned anything; "
		     "'vpnctl set %s peer KEY address auto' asks for an address",
		     p->dev->ifname, p->dev->ifname);
	return true;
}

static bool has_address(const struct plan *p, const struct vpn_address *address)
{
	unsigned int i;

	for (i = 0; i < p->have_addresses.count; i++) {
		if (!vpn_address_compare(&p->have_addresses.list[i].address, address))
			return true;
	}
	return false;
}

/* One that is not ours does as well, wherever it takes its packets from. */
static bool has_route(const struct plan *p, const struct vpn_rtnl_entry *route)
{
	const struct vpn_rtnl_entry *entry = p->have_routes.list;
	unsigned int i;

	for (i = 0; i < p->have_routes.count; i++, entry++) {
		if (entry->table == route->table &&
		    !vpn_address_compare(&entry->address, &route->address) &&
		    !(entry->ours && vpn_address_compare(&entry->source, &route->source)))
			return true;
	}
	return false;
}

/*
 * The route as it should be. Its packets come from the assigned address, also
 * when the device has others. The default route is in a table of its own, where
 * the mark leads to; without a mark the table is zero.
 */
static struct vpn_rtnl_entry route_to(const struct plan *p, const struct vpn_address *prefix)
{
	struct vpn_rtnl_entry route = { .address = *prefix };
	unsigned int i;

	route.table = prefix->prefix_len ? RT_TABLE_MAIN : p->dev->fwmark;
	for (i = 0; i < p->addresses.count && !route.source.family; i++) {
		if (p->addresses.list[i].family == prefix->family)
			route.source = p->addresses.list[i];
	}
	route.source.prefix_len = 0;
	return route;
}

static void change_address(struct plan *p, const struct vpn_address *address, bool add)
{
	char text[VPN_PREFIX_TEXT];
	struct vpn_error err;

	vpn_address_format(address, text);
	if (step(p, "ip address %s %s dev %s%s", add ? "add" : "del", text, p->dev->ifname,
		 add ? " proto 118" : ""))
		took(p, vpn_rtnl_change_address(&p->rtnl, p->dev->ifindex, address, 0, add, &err),
		     &err);
}

static void change_route(struct plan *p, const struct vpn_rtnl_entry *route, bool add)
{
	char text[VPN_PREFIX_TEXT], table[32] = "", source[VPN_PREFIX_TEXT] = "";
	struct vpn_error err;

	vpn_address_format(&route->address, text);
	if (route->table != RT_TABLE_MAIN)
		snprintf(table, sizeof(table), " table %u", route->table);
	if (route->source.family)
		vpn_address_format_host(&route->source, source);
	if (step(p, "ip route %s %s dev %s%s%s%s proto 118", add ? "add" : "del", text,
		 p->dev->ifname, table, *source ? " src " : "", source))
		took(p, vpn_rtnl_change_route(&p->rtnl, p->dev->ifindex, route, add, &err), &err);
}

static void drop_addresses(struct plan *p)
{
	const struct vpn_rtnl_entry *entry = p->have_addresses.list;
	unsigned int i;

	for (i = 0; i < p->have_addresses.count; i++, entry++) {
		if (entry->ours && !vpn_addresses_has(&p->addresses, &entry->address))
			change_address(p, &entry->address, false);
	}
}

static void drop_routes(struct plan *p)
{
	const struct vpn_rtnl_entry *entry = p->have_routes.list;
	struct vpn_rtnl_entry route;
	unsigned int i;

	for (i = 0; i < p->have_routes.count; i++, entry++) {
		route = route_to(p, &entry->address);
		if (entry->ours && (!vpn_addresses_has(&p->routes, &entry->address) ||
				    entry->table != route.table ||
				    vpn_address_compare(&entry->source, &route.source)))
			change_route(p, entry, false);
	}
}

static void add_addresses(struct plan *p)
{
	unsigned int i;

	for (i = 0; i < p->addresses.count; i++) {
		if (!has_address(p, &p->addresses.list[i]))
			change_address(p, &p->addresses.list[i], true);
	}
}

static void add_route(struct plan *p, const struct vpn_address *prefix)
{
	struct vpn_rtnl_entry route = route_to(p, prefix);
	char text[VPN_PREFIX_TEXT];

	vpn_address_format(prefix, text);
	if (!route.table) {
		complain(NULL,
			 "route %s is left out: it would lead packets that are encrypted into the tunnel again; give them a mark with 'vpnctl set %s fwmark 51820', then apply again",
			 text, p->dev->ifname);
		p->status = STATUS_FAILED;
	} else if (!has_route(p, &route)) {
		change_route(p, &route, true);
	}
}

static void add_routes(struct plan *p)
{
	unsigned int i;

	for (i = 0; i < p->routes.count; i++)
		add_route(p, &p->routes.list[i]);
}

static void change_rule(struct plan *p, uint16_t family, enum vpn_rtnl_rule rule, bool add)
{
	uint32_t mark = p->dev->fwmark;
	struct vpn_error err;
	char table[48];

	snprintf(table, sizeof(table), rule == VPN_RTNL_RULE_TABLE ? "%u" :
		 "main suppress_prefixlength 0", mark);
	if (step(p, "ip -%d rule %s not fwmark 0x%x lookup %s protocol 118",
		 family == AF_INET ? 4 : 6, add ? "add" : "del", mark, table))
		took(p, vpn_rtnl_change_rule(&p->rtnl, family, mark, rule, add, &err), &err);
}

/* Rules lead to the table of the default route. */
static void change_rules(struct plan *p, uint16_t family)
{
	const struct vpn_address everything = { .family = family };
	bool wanted = vpn_addresses_has(&p->routes, &everything), present[VPN_RTNL_RULES];
	enum vpn_rtnl_rule rule;
	struct vpn_error err;

	if (!p->dev->fwmark)
		return;
	if (vpn_rtnl_rules(&p->rtnl, family, p->dev->fwmark, present, &err)) {
		/* A kernel without IPv6 has no rules of it. */
		if (wanted)
			p->status = complain_error(&err);
		return;
	}
	for (rule = 0; rule < VPN_RTNL_RULES; rule++) {
		if (wanted != present[rule])
			change_rule(p, family, rule, wanted);
	}
}

static void change_mtu(struct plan *p)
{
	struct vpn_error err;
	uint32_t mtu;

	if (!p->mtu)
		return;
	if (vpn_rtnl_get_mtu(&p->rtnl, p->dev->ifindex, &mtu, &err)) {
		p->status = complain_error(&err);
		return;
	}
	if (mtu != p->mtu && step(p, "ip link set %s mtu %u", p->dev->ifname, p->mtu))
		took(p, vpn_rtnl_set_mtu(&p->rtnl, p->dev->ifindex, p->mtu, &err), &err);
}

static void tell_dns(const struct plan *p)
{
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	if (!p->dns.count)
		return;
	printf("# DNS is left to you, for instance: resolvectl dns %s", p->dev->ifname);
	for (i = 0; i < p->dns.count; i++) {
		vpn_address_format_host(&p->dns.list[i], text);
		printf(" %s", text);
	}
	putchar('\n');
}

/* What goes, goes first: a new address may be in the network of an old one. */
static void carry_out(struct plan *p)
{
	drop_routes(p);
	drop_addresses(p);
	change_mtu(p);
	add_addresses(p);
	add_routes(p);
	change_rules(p, AF_INET);
	change_rules(p, AF_INET6);
	tell_dns(p);
}

static int apply(struct plan *p)
{
	struct vpn_error err;

	if (!gather_all(p))
		return STATUS_FAILED;
	if (vpn_socket_open(&p->rtnl, NETLINK_ROUTE, &err))
		return complain_error(&err);
	if (vpn_rtnl_addresses(&p->rtnl, p->dev->ifindex, &p->have_addresses, &err) ||
	    vpn_rtnl_routes(&p->rtnl, p->dev->ifindex, &p->have_routes, &err))
		p->status = complain_error(&err);
	else
		carry_out(p);
	vpn_socket_close(&p->rtnl);
	return p->status;
}

static int apply_device(const char *ifname, bool dry)
{
	struct plan p = { .dry = dry };
	struct vpn_device *dev;
	struct vpn_error err;
	int status;

	if (vpn_device_get(ifname, &dev, &err))
		return complain_error(&err);
	p.dev = dev;
	status = apply(&p);
	vpn_addresses_free(&p.addresses);
	vpn_addresses_free(&p.dns);
	vpn_addresses_free(&p.routes);
	vpn_rtnl_free(&p.have_addresses);
	vpn_rtnl_free(&p.have_routes);
	vpn_device_free(dev);
	return status;
}

int cmd_apply(int argc, char *argv[])
{
	const char *ifname = NULL;
	bool dry = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--dry-run")) {
			dry = true;
			continue;
		}
		if (ifname)
			return complain_usage("apply", "'%s' is one argument too many", argv[i]);
		ifname = argv[i];
	}
	if (!ifname)
		return complain_usage("apply", "one device is needed");
	return apply_device(ifname, dry);
}
