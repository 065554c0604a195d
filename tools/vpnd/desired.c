// SPDX-License-Identifier: GPL-2.0
#include "desired.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"

struct vpn_address desired_server_address(const struct vpn_address *network)
{
	struct vpn_address address = *network;
	uint8_t *octets = (uint8_t *)&address.ip6;

	if (vpn_address_is_prefix(network))
		octets[vpn_address_len(network->family) - 1] |= 1;
	return address;
}

static bool add_address(struct item_list *list, const struct vpn_address *address)
{
	char text[VPN_PREFIX_TEXT];

	vpn_address_format(address, text);
	return item_add(list, &kind_address, text, json_object());
}

static bool add_mtu(struct item_list *list, int64_t mtu)
{
	return !mtu || item_add(list, &kind_mtu, "mtu", json_pack("{s:I}", "mtu", (json_int_t)mtu));
}

static json_t *range_json(const struct vpn_address *first, const struct vpn_address *last)
{
	char from[VPN_PREFIX_TEXT], to[VPN_PREFIX_TEXT];

	vpn_address_format_host(first, from);
	vpn_address_format_host(last, to);
	return json_pack("[s, s]", from, to);
}

static bool within(const struct vpn_address *network, const struct vpn_address *address)
{
	struct vpn_address cut = *address;
	char a[VPN_PREFIX_TEXT], b[VPN_PREFIX_TEXT];
	struct vpn_allowedip one = { 0 }, other = { 0 };

	if (network->family != address->family)
		return false;
	cut.prefix_len = network->prefix_len;
	vpn_address_format(network, a);
	vpn_address_format(&cut, b);
	return vpn_prefix_parse(&one, a) && vpn_prefix_parse(&other, b) &&
	       !vpn_prefix_compare(&one, &other);
}

static bool add_pool(struct item_list *list, const struct config *config,
		     const struct vpn_address *network)
{
	struct vpn_address own = desired_server_address(network);
	json_t *reserved = json_array();
	struct vpn_allowedip ip = { 0 };
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	json_array_append_new(reserved, range_json(&own, &own));
	for (i = 0; i < config->reserved.count; i++) {
		if (within(network, &config->reserved.list[i].first))
			json_array_append_new(reserved, range_json(&config->reserved.list[i].first,
								   &config->reserved.list[i].last));
	}
	vpn_address_format(network, text);
	vpn_prefix_parse(&ip, text);
	vpn_prefix_format(&ip, text);
	return item_add(list, &kind_pool, text,
			json_pack("{s:I, s:o}", "lease_time", (json_int_t)config->lease_time,
				  "reserved", reserved));
}

/* The value says nothing: what differs is found by asking the kernel. */
static bool add_settings(struct item_list *list, const struct config *config)
{
	return item_add(list, &kind_settings, config->ifname, json_object());
}

static bool add_firewall(struct item_list *list, const struct config *config,
			 const struct facts *facts)
{
	char *rules = desired_firewall(config, facts);
	char table[IF_NAMESIZE + 8];
	bool good = rules;

	desired_table(config, table);
	if (rules && *rules)
		good = item_add(list, &kind_firewall, table, json_pack("{s:s}", "rules", rules));
	free(rules);
	return good;
}

static json_t *strings_json(const struct strings *strings)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < strings->count; i++)
		json_array_append_new(list, json_string(strings->list[i]));
	return list;
}

static bool add_hooks(struct item_list *list, const struct config *config)
{
	if (!config->hook_up.count && !config->hook_down.count)
		return true;
	return item_add(list, &kind_hook, "hooks",
			json_pack("{s:o, s:o}", "up", strings_json(&config->hook_up), "down",
				  strings_json(&config->hook_down)));
}

static bool has_family(const struct vpn_addresses *addresses, uint16_t family)
{
	unsigned int i;

	for (i = 0; i < addresses->count; i++) {
		if (addresses->list[i].family == family)
			return true;
	}
	return false;
}

static bool server_list(const struct config *config, const struct facts *facts,
			struct item_list *list)
{
	const struct vpn_addresses *networks = &config->networks;
	struct vpn_address address;
	bool good = true;
	unsigned int i;

	good = item_add(list, &kind_device, config->ifname, json_object()) &&
	       add_mtu(list, config->mtu);
	for (i = 0; i < networks->count && good; i++) {
		address = desired_server_address(&networks->list[i]);
		good = add_address(list, &address);
	}
	for (i = 0; i < networks->count && good; i++)
		good = add_pool(list, config, &networks->list[i]);
	good = good && add_settings(list, config) && add_firewall(list, config, facts);
	if (good && has_family(networks, AF_INET))
		good = item_add(list, &kind_forwarding, "ipv4", json_object());
	if (good && has_family(networks, AF_INET6))
		good = item_add(list, &kind_forwarding, "ipv6", json_object());
	return good && item_add(list, &kind_up, config->ifname, json_object());
}

/* The addresses of a client: its own, or those that the server gave it. */
static const struct vpn_addresses *client_addresses(const struct config *config,
						    const struct facts *facts)
{
	static const struct vpn_addresses none;

	if (config->addresses.count)
		return &config->addresses;
	return facts->assigned ? &facts->assigned->addresses : &none;
}

static int64_t client_mtu(const struct config *config, const struct facts *facts)
{
	return config->mtu ? config->mtu : facts->assigned ? facts->assigned->mtu : 0;
}

static bool add_route(struct item_list *list, const char *type, const struct vpn_address *prefix,
		      uint32_t table, const struct vpn_addresses *own)
{
	char text[VPN_PREFIX_TEXT], source[VPN_PREFIX_TEXT] = "", key[3 * VPN_PREFIX_TEXT];
	unsigned int i;

	for (i = 0; i < own->count && !*source && !strcmp(type, "through"); i++) {
		if (own->list[i].family == prefix->family)
			vpn_address_format_host(&own->list[i], source);
	}
	vpn_address_format(prefix, text);
	snprintf(key, sizeof(key), "%s %s table %u%s%s", text, type, table, *source ? " from " : "",
		 source);
	if (item_find(list, &kind_route, key))
		return true;
	return item_add(list, &kind_route, key,
			json_pack("{s:s, s:s, s:I, s:s}", "prefix", text, "type", type, "table",
				  (json_int_t)table, "source", source));
}

static bool add_rule(struct item_list *list, int family, int64_t mark, bool main)
{
	char key[64];

	snprintf(key, sizeof(key), "ipv%d mark %lld %s", family, (long long)mark,
		 main ? "main" : "table");
	return item_add(list, &kind_rule, key,
			json_pack("{s:i, s:I, s:b}", "family", family, "mark", (json_int_t)mark,
				  "main", main));
}

/*
 * Everything into a table that rules lead to. What is excluded is thrown back to
 * the main table; a family that the tunnel does not carry goes nowhere, lest it
 * goes outside.
 */
static bool add_default(struct item_list *list, const struct config *config, int family,
			const struct vpn_addresses *own)
{
	const uint16_t af = family == 4 ? AF_INET : AF_INET6;
	const struct vpn_address everything = { .family = af };
	bool good, carried = has_family(own, af);
	unsigned int i;

	good = add_route(list, carried ?
			 "through" : "unreachable", &everything, config->fwmark, own);
	for (i = 0; i < config->exclude_routes.count && good; i++) {
		if (config->exclude_routes.list[i].family == af)
			good = add_route(list, "throw", &config->exclude_routes.list[i],
					 config->fwmark, own);
	}
	/* The one that is added first is tried last. */
	return good && add_rule(list, family, config->fwmark, false) &&
	       add_rule(list, family, config->fwmark, true);
}

static bool add_networks(struct item_list *list, const struct vpn_addresses *routes,
			 const struct vpn_addresses *own)
{
	unsigned int i;

	for (i = 0; i < routes->count; i++) {
		/* What we have no address for cannot be sent. */
		if (!routes->list[i].prefix_len || !has_family(own, routes->list[i].family))
			continue;
		if (!add_route(list, "through", &routes->list[i], RT_TABLE_MAIN, own))
			return false;
	}
	return true;
}

static bool add_routes(struct item_list *list, const struct config *config,
		       const struct facts *facts, const struct vpn_addresses *own)
{
	if (facts->assigned && !add_networks(list, &facts->assigned->routes, own))
		return false;
	if (!add_networks(list, &config->routes, own))
		return false;
	if (!config->default_gateway)
		return true;
	/* So that what comes back with the mark is not taken for misled. */
	return item_add(list, &kind_sysctl, "ipv4/conf/all/src_valid_mark",
			json_pack("{s:s}", "value", "1")) &&
	       add_default(list, config, 4, own) && add_default(list, config, 6, own);
}

static bool add_dns(struct item_list *list, const struct config *config,
		    const struct facts *facts)
{
	static const char *const methods[] = { "auto", "resolved", "resolvconf", "file", "none" };
	const struct vpn_addresses *servers = &config->dns_servers;
	char text[VPN_PREFIX_TEXT];
	json_t *addresses;
	unsigned int i;

	if (!servers->count && facts->assigned)
		servers = &facts->assigned->dns;
	if (!config->use_vpn_dns || !servers->count || config->dns_method == DNS_NONE)
		return true;
	addresses = json_array();
	for (i = 0; i < servers->count; i++) {
		vpn_address_format_host(&servers->list[i], text);
		json_array_append_new(addresses, json_string(text));
	}
	return item_add(list, &kind_dns, config->ifname,
			json_pack("{s:o, s:o, s:s, s:b}", "servers", addresses, "domains",
				  strings_json(&config->dns_domains), "method",
				  methods[config->dns_method], "everything",
				  config->default_gateway));
}

static bool client_list(const struct config *config, const struct facts *facts,
			struct item_list *list)
{
	const struct vpn_addresses *own = client_addresses(config, facts);
	bool good;
	unsigned int i;

	good = item_add(list, &kind_device, config->ifname, json_object()) &&
	       add_settings(list, config) && add_firewall(list, config, facts);
	if (!good || !facts->connect)
		return good;
	good = add_mtu(list, client_mtu(config, facts));
	for (i = 0; i < own->count && good; i++)
		good = add_address(list, &own->list[i]);
	good = good && item_add(list, &kind_up, config->ifname, json_object());
	if (good && own->count)
		good = add_routes(list, config, facts, own) && add_dns(list, config, facts);
	return good;
}

bool desired_list(const struct config *config, const struct facts *facts, struct item_list *list)
{
	bool good;

	item_list_init(list);
	good = config->role == ROLE_SERVER ? server_list(config, facts, list) :
	       client_list(config, facts, list);
	return good && add_hooks(list, config);
}
