// SPDX-License-Identifier: GPL-2.0
#include "desired.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "endpoints.h"
#include "slice.h"

#define IPV6_MTU_MIN	1280
/* Of a route that every other one is to win against. */
#define END_METRIC	1000000

struct vpn_address desired_server_address(const struct vpn_address *network)
{
	struct vpn_address address = *network;
	uint8_t *octets = (uint8_t *)&address.ip6;

	if (vpn_address_is_prefix(network))
		octets[vpn_address_len(network->family) - 1] |= 1;
	return address;
}

/* alone: without the route to its network that the kernel would add to the main table. */
static bool add_address(struct item_list *list, const struct vpn_address *address, bool alone)
{
	char text[VPN_PREFIX_TEXT];

	vpn_address_format(address, text);
	return item_add(list, &kind_address, text, json_pack("{s:b}", "alone", alone));
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

static bool add_pool(struct item_list *list, const struct config *config,
		     const struct vpn_address *network)
{
	struct vpn_address own = desired_server_address(network);
	json_t *reserved = json_array();
	struct config_ranges others;
	bool good;
	struct vpn_allowedip ip = { 0 };
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	json_array_append_new(reserved, range_json(&own, &own));
	for (i = 0; i < config->reserved.count; i++) {
		if (vpn_address_within(network, &config->reserved.list[i].first))
			json_array_append_new(reserved, range_json(&config->reserved.list[i].first,
								   &config->reserved.list[i].last));
	}
	good = slice_others(config, network, &others);
	for (i = 0; i < others.count; i++)
		json_array_append_new(reserved, range_json(&others.list[i].first,
							   &others.list[i].last));
	free(others.list);
	vpn_address_format(network, text);
	vpn_prefix_parse(&ip, text);
	vpn_prefix_format(&ip, text);
	return item_add(list, &kind_pool, text,
			json_pack("{s:I, s:o}", "lease_time", (json_int_t)config->lease_time,
				  "reserved", reserved)) && good;
}

/*
 * What differs is found by asking the kernel. The value only tells what the file says of
 * endpoints, since peers that are there are not where it says.
 */
static bool add_settings(struct item_list *list, const struct config *config)
{
	return item_add(list, &kind_settings, config->ifname,
			json_pack("{s:o}", "endpoints", endpoints_json(config)));
}

static bool add_firewall(struct item_list *list, const struct config *config,
			 const struct facts *facts)
{
	char *rules = desired_firewall(config, facts);
	char table[TABLE_NAME];
	bool good = rules;

	desired_table(config, table);
	if (rules && *rules)
		good = item_add(list, &kind_firewall, table, json_pack("{s:s}", "rules", rules));
	free(rules);
	return good;
}

/* The comment of rules in tables of others is what our own table is called. */
static bool add_opening(struct item_list *list, const struct config *config)
{
	char table[TABLE_NAME];

	if (!config->open_port)
		return true;
	desired_table(config, table);
	return item_add(list, &kind_opening, table,
			json_pack("{s:s, s:s}", "host", config->listen.host, "port",
				  config->listen.port));
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
		good = add_address(list, &address, false);
	}
	for (i = 0; i < networks->count && good; i++)
		good = add_pool(list, config, &networks->list[i]);
	good = good && add_settings(list, config) && add_firewall(list, config, facts) &&
	       add_opening(list, config);
	if (good && vpn_addresses_have_family(networks, AF_INET))
		good = item_add(list, &kind_forwarding, "ipv4", json_object());
	if (good && vpn_addresses_have_family(networks, AF_INET6))
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

/* With a smaller MTU than it allows, IPv6 would end, and its addresses with it. */
static int64_t client_mtu(const struct config *config, const struct facts *facts,
			  const struct vpn_addresses *own)
{
	int64_t mtu = config->mtu ? config->mtu : facts->assigned ? facts->assigned->mtu : 0;

	return mtu && mtu < IPV6_MTU_MIN && vpn_addresses_have_family(own, AF_INET6) ?
	       IPV6_MTU_MIN : mtu;
}

static json_t *route_json(const char *prefix, const char *type, uint32_t table)
{
	return json_pack("{s:s, s:s, s:I}", "prefix", prefix, "type", type, "table",
			 (json_int_t)table);
}

static bool add_through(struct item_list *list, const struct vpn_address *prefix, uint32_t table,
			const struct vpn_addresses *own)
{
	char text[VPN_PREFIX_TEXT], source[VPN_PREFIX_TEXT] = "", key[3 * VPN_PREFIX_TEXT];
	json_t *value;
	unsigned int i;

	for (i = 0; i < own->count && !*source; i++) {
		if (own->list[i].family == prefix->family)
			vpn_address_format_host(&own->list[i], source);
	}
	vpn_address_format(prefix, text);
	snprintf(key, sizeof(key), "%s through table %u from %s", text, table, source);
	if (item_find(list, &kind_route, key))
		return true;
	value = route_json(text, "through", table);
	json_object_set_new(value, "source", json_string(source));
	return item_add(list, &kind_route, key, value);
}

static bool add_throw(struct item_list *list, const struct vpn_address *prefix, uint32_t table)
{
	char text[VPN_PREFIX_TEXT], key[2 * VPN_PREFIX_TEXT];

	vpn_address_format(prefix, text);
	snprintf(key, sizeof(key), "%s throw table %u", text, table);
	return item_add(list, &kind_route, key, route_json(text, "throw", table));
}

/* Where everything ends that the tunnel should have and does not, just now or ever. */
static bool add_end(struct item_list *list, int family, uint32_t table)
{
	const char *text = family == 4 ? "0.0.0.0/0" : "::/0";
	char key[64];
	json_t *value;

	snprintf(key, sizeof(key), "%s unreachable table %u", text, table);
	value = route_json(text, "unreachable", table);
	json_object_set_new(value, "metric", json_integer(END_METRIC));
	return item_add(list, &kind_route, key, value);
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
 * A table, and the rules that lead to it, before anything that can fail: with the
 * default route inside it, nothing goes outside from here on, whatever comes. What
 * is excluded is thrown back to the main table.
 */
static bool add_table(struct item_list *list, const struct config *config, int family,
		      const struct vpn_addresses *own)
{
	const uint16_t af = family == 4 ? AF_INET : AF_INET6;
	unsigned int i;
	bool good;

	if (!config->default_gateway && !vpn_addresses_have_family(own, af))
		return true;
	good = !config->default_gateway || add_end(list, family, config->fwmark);
	for (i = 0; i < config->exclude_routes.count && good; i++) {
		if (config->exclude_routes.list[i].family == af)
			good = add_throw(list, &config->exclude_routes.list[i], config->fwmark);
	}
	/* The one that is added first is tried last. */
	return good && add_rule(list, family, config->fwmark, false) &&
	       add_rule(list, family, config->fwmark, true);
}

static bool add_tables(struct item_list *list, const struct config *config,
		       const struct vpn_addresses *own)
{
	return add_table(list, config, 4, own) && add_table(list, config, 6, own);
}

static bool add_default(struct item_list *list, const struct config *config, uint16_t family,
			const struct vpn_addresses *own)
{
	const struct vpn_address everything = { .family = family };

	return !vpn_addresses_have_family(own, family) ||
	       add_through(list, &everything, config->fwmark, own);
}

/* Without the bits of a host. */
static struct vpn_address network_of(const struct vpn_address *address)
{
	struct vpn_address network = *address;
	struct vpn_allowedip ip = { 0 };
	char text[VPN_PREFIX_TEXT];

	vpn_address_format(address, text);
	if (vpn_prefix_parse(&ip, text)) {
		vpn_prefix_format(&ip, text);
		vpn_address_parse(&network, text);
	}
	return network;
}

static bool is_excluded(const struct config *config, const struct vpn_address *network)
{
	const struct vpn_addresses *list = &config->exclude_routes;
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		if (vpn_address_within(&list->list[i], network))
			return true;
	}
	return false;
}

/* The server has no say in what does not go through the tunnel. */
static bool add_networks(struct item_list *list, const struct config *config,
			 const struct vpn_addresses *routes, const struct vpn_addresses *own,
			 uint32_t table)
{
	struct vpn_address network;
	unsigned int i;

	for (i = 0; i < routes->count; i++) {
		network = network_of(&routes->list[i]);
		/* What we have no address for cannot be sent. */
		if (!network.prefix_len || !vpn_addresses_have_family(own, network.family) ||
		    (list->pushed && is_excluded(config, &network)))
			continue;
		if (!add_through(list, &network, table, own))
			return false;
	}
	return true;
}

static bool add_own(struct item_list *list, const struct config *config,
		    const struct vpn_addresses *own)
{
	unsigned int i;
	bool good = true;

	list->pushed = !config->addresses.count;
	for (i = 0; i < own->count && good; i++)
		good = add_address(list, &own->list[i], true);
	list->pushed = false;
	return good;
}

static bool add_client_mtu(struct item_list *list, const struct config *config,
			   const struct facts *facts, const struct vpn_addresses *own)
{
	bool good;

	list->pushed = !config->mtu;
	good = add_mtu(list, client_mtu(config, facts, own));
	list->pushed = false;
	return good;
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

/* Networks that the server wishes to have, and its own; last, for they may be anything. */
static bool add_wishes(struct item_list *list, const struct config *config,
		       const struct facts *facts, const struct vpn_addresses *own)
{
	bool good;

	list->pushed = true;
	good = (!facts->assigned ||
		add_networks(list, config, &facts->assigned->routes, own,
			     config->fwmark)) &&
	       add_networks(list, config, own, own, config->fwmark);
	list->pushed = false;
	return good;
}

/*
 * So that what comes back with the mark is not taken for misled. It is there before
 * anything needs it: where it cannot be had, as in a container, the start says so.
 */
static bool add_valid_mark(struct item_list *list)
{
	return item_add(list, &kind_sysctl, "ipv4/conf/all/src_valid_mark",
			json_pack("{s:s}", "value", "1"));
}

static bool client_list(const struct config *config, const struct facts *facts,
			struct item_list *list)
{
	const struct vpn_addresses *own = client_addresses(config, facts);
	bool good;

	good = item_add(list, &kind_device, config->ifname, json_object()) &&
	       add_settings(list, config) && add_firewall(list, config, facts) &&
	       add_valid_mark(list);
	if (!good || !facts->connect)
		return good;
	good = item_add(list, &kind_up, config->ifname, json_object());
	if (!own->count)
		return good;
	good = good && add_tables(list, config, own) && add_client_mtu(list, config, facts, own) &&
	       add_own(list, config, own);
	if (config->default_gateway)
		good = good && add_default(list, config, AF_INET, own) &&
		       add_default(list, config, AF_INET6, own);
	return good && add_networks(list, config, &config->routes, own, config->fwmark) &&
	       add_dns(list, config, facts) && add_wishes(list, config, facts, own);
}

/* Networks behind clients are reached through the device, once it is up. */
static bool add_sites(struct item_list *list, const struct config *config)
{
	struct vpn_addresses own = { 0 };
	const struct config_peer *peer;
	struct vpn_address *address;
	bool good = true;
	unsigned int i;

	for (i = 0; i < config->networks.count && good; i++) {
		address = vpn_addresses_add(&own);
		good = address;
		if (good)
			*address = desired_server_address(&config->networks.list[i]);
	}
	for (peer = config->peers; peer && good; peer = peer->next)
		good = add_networks(list, config, &peer->allowed_ips, &own, RT_TABLE_MAIN);
	vpn_addresses_free(&own);
	return good;
}

bool desired_list(const struct config *config, const struct facts *facts, struct item_list *list)
{
	bool good;

	item_list_init(list);
	good = config->role == ROLE_SERVER ?
	       server_list(config, facts, list) && add_sites(list, config) :
	       client_list(config, facts, list);
	return good && add_hooks(list, config);
}
