// SPDX-License-Identifier: GPL-2.0
/* Routes, and the rules that lead to a table of them. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "../libvpn/address.h"
#include "item.h"

static const struct {
	const char *name;
	uint8_t type;
} types[] = {
	{ "through", RTN_UNICAST }, { "throw", RTN_THROW }, { "unreachable", RTN_UNREACHABLE },
};

static bool build(const struct item *item, struct vpn_rtnl_entry *route)
{
	const char *type = item_text(item, "type"), *source = item_text(item, "source");
	size_t i;

	memset(route, 0, sizeof(*route));
	route->table = item_number(item, "table");
	route->metric = item_number(item, "metric");
	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!strcmp(types[i].name, type))
			route->type = types[i].type;
	}
	if (*source)
		vpn_address_parse(&route->source, source);
	route->source.prefix_len = 0;
	return vpn_address_parse(&route->address, item_text(item, "prefix"));
}

static bool same(const struct vpn_rtnl_entry *a, const struct vpn_rtnl_entry *b)
{
	return a->table == b->table && a->type == b->type &&
	       (!a->metric || a->metric == b->metric) &&
	       !vpn_address_compare(&a->address, &b->address) &&
	       !vpn_address_compare(&a->source, &b->source);
}

static bool route_matches(struct world *w, const struct item *item)
{
	struct vpn_rtnl_entries have;
	struct vpn_rtnl_entry want;
	struct vpn_error err;
	bool found = false;
	unsigned int i;
	int ret;

	if (!build(item, &want))
		return false;
	ret = want.type == RTN_UNICAST ?
	      vpn_rtnl_routes(&w->rtnl, world_ifindex(w), &have, &err) :
	      vpn_rtnl_blocks(&w->rtnl, want.table, &have, &err);
	for (i = 0; i < have.count && !ret; i++)
		found |= same(&want, &have.list[i]);
	vpn_rtnl_free(&have);
	return found;
}

static int route_change(struct world *w, const struct item *item, bool add, struct vpn_error *err)
{
	struct vpn_rtnl_entry route;

	build(item, &route);
	return vpn_rtnl_change_route(&w->rtnl, world_ifindex(w), &route, add, err);
}

static int route_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	return route_change(w, item, true, err);
}

static int route_undo(struct world *w, const struct item *item, const json_t *before,
		      struct vpn_error *err)
{
	(void)before;
	return route_matches(w, item) ? route_change(w, item, false, err) : 0;
}

const struct item_kind kind_route = {
	.name = "route", .matches = route_matches, .make = route_make, .undo = route_undo,
};

static void rule_which(const struct item *item, uint16_t *family, enum vpn_rtnl_rule *rule)
{
	*family = item_number(item, "family") == 4 ? AF_INET : AF_INET6;
	*rule = json_is_true(json_object_get(item->value, "main")) ? VPN_RTNL_RULE_MAIN :
		VPN_RTNL_RULE_TABLE;
}

static bool rule_matches(struct world *w, const struct item *item)
{
	bool present[VPN_RTNL_RULES];
	enum vpn_rtnl_rule rule;
	struct vpn_error err;
	uint16_t family;

	rule_which(item, &family, &rule);
	return !vpn_rtnl_rules(&w->rtnl, family, item_number(item, "mark"), present, &err) &&
	       present[rule];
}

static int rule_change(struct world *w, const struct item *item, bool add, struct vpn_error *err)
{
	enum vpn_rtnl_rule rule;
	uint16_t family;

	rule_which(item, &family, &rule);
	return vpn_rtnl_change_rule(&w->rtnl, family, item_number(item, "mark"), rule, add, err);
}

static int rule_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	return rule_change(w, item, true, err);
}

static int rule_undo(struct world *w, const struct item *item, const json_t *before,
		     struct vpn_error *err)
{
	(void)before;
	return rule_matches(w, item) ? rule_change(w, item, false, err) : 0;
}

const struct item_kind kind_rule = {
	.name = "rule", .matches = rule_matches, .make = rule_make, .undo = rule_undo,
};
