// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of nftables, as text. Protocols are numbers (TCP 6, UDP 17, ICMPv6 58):
 * nftables of Debian 12 looks names up in /etc/protocols, which may be missing.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "desired.h"
#include "policy.h"

/* Networks that are nobody's on the internet. */
static const char *const private_networks[] = {
	"10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
	"fc00::/7", "fe80::/10", NULL
};

static const uint16_t families[] = { AF_INET, AF_INET6 };

/* Two devices have two tables: what a name cannot have stands there as its number. */
void desired_table(const struct config *config, char name[TABLE_NAME])
{
	const char *c;
	char *to = name + sprintf(name, "vpn_");

	for (c = config->ifname; *c; c++)
		to += sprintf(to, isalnum((unsigned char)*c) ? "%c" : "_%02x", (unsigned char)*c);
}

static const char *word(uint16_t family)
{
	return family == AF_INET ? "ip" : "ip6";
}

static void put_network(FILE *to, const struct vpn_address *address)
{
	char text[VPN_PREFIX_TEXT];
	struct vpn_allowedip ip = { 0 };

	vpn_address_format(address, text);
	vpn_prefix_parse(&ip, text);
	vpn_prefix_format(&ip, text);
	fputs(text, to);
}

static unsigned int put_elements(FILE *to, const struct vpn_addresses *addresses, uint16_t family,
				 unsigned int count)
{
	unsigned int i;

	for (i = 0; i < addresses->count; i++) {
		if (addresses->list[i].family != family)
			continue;
		fputs(count++ ? ", " : "", to);
		put_network(to, &addresses->list[i]);
	}
	return count;
}

/* A rule for each family that is among the addresses. */
static void put_rules(FILE *to, const char *before, const struct vpn_addresses *addresses,
		      const char *behind)
{
	size_t f;

	for (f = 0; f < 2; f++) {
		if (!vpn_addresses_have_family(addresses, families[f]))
			continue;
		fprintf(to, "\t\t%s %s daddr { ", before, word(families[f]));
		put_elements(to, addresses, families[f], 0);
		fprintf(to, " } %s\n", behind);
	}
}

static void put_lan(FILE *to, const struct facts *facts)
{
	struct vpn_address address;
	unsigned int count, i;
	size_t f;

	for (f = 0; f < 2; f++) {
		fprintf(to,
			"\tset lan%d {\n\t\ttype %s; flags interval; auto-merge\n\t\telements = { ",
			f ? 6 : 4, f ? "ipv6_addr" : "ipv4_addr");
		for (i = 0, count = 0; private_networks[i]; i++) {
			vpn_address_parse(&address, private_networks[i]);
			if (address.family == families[f])
				fprintf(to, "%s%s", count++ ? ", " : "", private_networks[i]);
		}
		put_elements(to, &facts->onlink, families[f], count);
		fputs(" }\n\t}\n", to);
	}
}

static void begin_chain(FILE *to, const char *name, const char *type, const char *hook,
			const char *priority)
{
	fprintf(to, "\tchain %s {\n\t\ttype %s hook %s priority %s; policy accept;\n", name, type,
		hook, priority);
}

#define REFUSE	"reject with icmpx admin-prohibited"

/* Some of the guests; policy is of use to one of these. */
typedef bool (*is_other)(const struct config *config, const struct guest *guest,
			 const struct config_policy *policy);

/* Its role says otherwise than what is said of everybody. */
static bool other_lan(const struct config *config, const struct guest *guest,
		      const struct config_policy *policy)
{
	(void)policy;
	return policy_lan(config, guest) != config->allow_lan_access;
}

static bool other_clients(const struct config *config, const struct guest *guest,
			  const struct config_policy *policy)
{
	(void)policy;
	return policy_clients(config, guest) != config->client_to_client;
}

static bool own_routes(const struct config *config, const struct guest *guest,
		       const struct config_policy *policy)
{
	(void)policy;
	return policy_routes(config, guest);
}

static bool of_role(const struct config *config, const struct guest *guest,
		    const struct config_policy *policy)
{
	return config_policy_find(config, guest->verdict.role) == policy;
}

static const struct guest *first_guest(const struct facts *facts)
{
	return facts->guests ? facts->guests->first : NULL;
}

/* The addresses that such guests have, with commas; to may be NULL. Returns how many. */
static unsigned int put_sources(FILE *to, const struct config *config, const struct facts *facts,
				is_other other, const struct config_policy *policy, uint16_t family)
{
	const struct guest *guest;
	char text[VPN_PREFIX_TEXT];
	unsigned int count = 0, i;

	for (guest = first_guest(facts); guest; guest = guest->next) {
		if (!other(config, guest, policy))
			continue;
		for (i = 0; i < guest->leased.count; i++) {
			if (guest->leased.list[i].family != family)
				continue;
			vpn_address_format_host(&guest->leased.list[i], text);
			if (to)
				fprintf(to, "%s%s", count ? ", " : "", text);
			count++;
		}
	}
	return count;
}

/* What such guests send, as a rule for each family that they have addresses of. */
static bool put_others(FILE *to, const struct config *config, const struct facts *facts,
		       is_other other, const char *before, const char *behind[2])
{
	bool any = false;
	size_t f;

	for (f = 0; f < 2; f++) {
		if (!put_sources(NULL, config, facts, other, NULL, families[f]))
			continue;
		any = true;
		if (!to)
			continue;
		fprintf(to, "\t\t%s %s saddr { ", before, word(families[f]));
		put_sources(to, config, facts, other, NULL, families[f]);
		fprintf(to, " } %s\n", behind[f]);
	}
	return any;
}

static bool has_others(const struct config *config, const struct facts *facts, is_other other)
{
	return put_others(NULL, config, facts, other, NULL, NULL);
}

#define ANSWERS		"ct state established,related accept"

/* Who may speak to other clients may be answered by them. */
static void put_between(FILE *to, const struct config *config, const struct facts *facts)
{
	static const char *accept[2] = { "accept", "accept" }, *refuse[2] = { REFUSE, REFUSE };
	const char *dev = config->ifname;
	char between[96];

	snprintf(between, sizeof(between), "iifname \"%s\" oifname \"%s\"", dev, dev);
	if (has_others(config, facts, other_clients)) {
		fprintf(to, "\t\t%s " ANSWERS "\n", between);
		put_others(to, config, facts, other_clients, between,
			   config->client_to_client ? refuse : accept);
	}
	if (!config->client_to_client)
		fprintf(to, "\t\t%s " REFUSE "\n", between);
}

/* A rule for what those guests, or with "!= " all others, send to these networks. */
static void put_way(FILE *to, const struct config *config, const struct facts *facts,
		    const char *from, const char *not, is_other other,
		    const struct config_policy *policy, const struct vpn_addresses *networks)
{
	unsigned int sources;
	size_t f;

	for (f = 0; f < 2; f++) {
		sources = put_sources(NULL, config, facts, other, policy, families[f]);
		if (!vpn_addresses_have_family(networks, families[f]) || (!*not && !sources))
			continue;
		fprintf(to, "\t\t%s ", from);
		if (sources) {
			fprintf(to, "%s saddr %s{ ", word(families[f]), not);
			put_sources(to, config, facts, other, policy, families[f]);
			fputs(" } ", to);
		}
		fprintf(to, "%s daddr { ", word(families[f]));
		put_elements(to, networks, families[f], 0);
		fputs(" } accept\n", to);
	}
}

/* What clients are told to reach, they may: their role's networks, or else everybody's. */
static void put_pushed(FILE *to, const struct config *config, const struct facts *facts,
		       const char *from)
{
	const struct config_policy *policy;

	for (policy = config->policies; policy; policy = policy->next) {
		if (policy->own_routes)
			put_way(to, config, facts, from, "", of_role, policy, &policy->push_routes);
	}
	put_way(to, config, facts, from, "!= ", own_routes, NULL, &config->push_routes);
}

#define TO_LAN4		"ip daddr @lan4 " REFUSE
#define TO_LAN6		"ip6 daddr @lan6 " REFUSE

/* What is behind the server, or is itself: in a chain for what is forwarded, or comes in. */
static void put_lan_rules(FILE *to, const struct config *config, const struct facts *facts,
			  const char *from, const char *to_lan6)
{
	const char *refuse[2] = { TO_LAN4, to_lan6 };
	static const char *accept[2] = { "accept", "accept" };

	put_rules(to, from, &config->push_dns, "meta l4proto { 6, 17 } th dport 53 accept");
	put_pushed(to, config, facts, from);
	put_others(to, config, facts, other_lan, from, config->allow_lan_access ? refuse : accept);
	if (config->allow_lan_access)
		return;
	fprintf(to, "\t\t%s " TO_LAN4 "\n", from);
	fprintf(to, "\t\t%s %s\n", from, to_lan6);
}

/* What comes in for this host; its own addresses in the LAN are a part of that. */
static void put_input(FILE *to, const struct config *config, const struct facts *facts,
		      const char *from)
{
	begin_chain(to, "input", "filter", "input", "filter");
	fprintf(to, "\t\t%s " ANSWERS "\n", from);
	if (config->allow_server_access) {
		put_rules(to, from, &config->networks, "accept");
		put_lan_rules(to, config, facts, from, "meta l4proto != 58 " TO_LAN6);
	} else {
		put_rules(to, from, &config->push_dns, "meta l4proto { 6, 17 } th dport 53 accept");
		fprintf(to, "\t\t%s meta l4proto != { 1, 58 } " REFUSE "\n", from);
	}
	fputs("\t}\n", to);
}

/* Every client may reach the LAN. */
static bool lan_is_open(const struct config *config, const struct facts *facts)
{
	return config->allow_lan_access && !has_others(config, facts, other_lan);
}

static void put_isolation(FILE *to, const struct config *config, const struct facts *facts)
{
	const bool lan = lan_is_open(config, facts);
	const char *dev = config->ifname;
	char from[64];

	snprintf(from, sizeof(from), "iifname \"%s\"", dev);
	begin_chain(to, "forward", "filter", "forward", "filter");
	put_between(to, config, facts);
	if (!lan) {
		fprintf(to, "\t\t%s oifname \"%s\" accept\n", from, dev);
		fprintf(to, "\t\t%s " ANSWERS "\n", from);
		put_lan_rules(to, config, facts, from, TO_LAN6);
	}
	fputs("\t}\n", to);
	if (!lan || !config->allow_server_access)
		put_input(to, config, facts, from);
}

static void put_nat(FILE *to, const struct config *config)
{
	unsigned int i;

	begin_chain(to, "postrouting", "nat", "postrouting", "srcnat");
	for (i = 0; i < config->networks.count; i++) {
		fprintf(to, "\t\t%s saddr ", word(config->networks.list[i].family));
		put_network(to, &config->networks.list[i]);
		fprintf(to, " oifname %s\"%s\" masquerade\n", config->nat_interface ? "" : "!= ",
			config->nat_interface ? config->nat_interface : config->ifname);
	}
	fputs("\t}\n", to);
}

static bool is_any(const struct vpn_address *address)
{
	static const struct in6_addr zero;

	return !memcmp(&address->ip6, &zero, vpn_address_len(address->family));
}

/* The device listens on all addresses; here it is silent on those not meant. */
static void put_listen(FILE *to, const struct config *config)
{
	struct vpn_address address;
	char text[VPN_PREFIX_TEXT];

	if (!vpn_address_parse(&address, config->listen.host) ||
	    (address.family == AF_INET6 && is_any(&address)))
		return;
	begin_chain(to, "listen", "filter", "input", "filter - 5");
	fprintf(to, "\t\tmeta nfproto %s udp dport %s drop\n",
		address.family == AF_INET ? "ipv6" : "ipv4", config->listen.port);
	if (!is_any(&address)) {
		vpn_address_format_host(&address, text);
		fprintf(to, "\t\tudp dport %s %s daddr != %s drop\n", config->listen.port,
			word(address.family), text);
	}
	fputs("\t}\n", to);
}

/* Figures that are served on every address are not meant for who comes through the tunnel. */
static void put_metrics(FILE *to, const struct config *config)
{
	char *copy = strdup(config->metrics_address), *host, *port;
	struct vpn_address address;

	if (copy && vpn_endpoint_split(copy, &host, &port) && vpn_address_parse(&address, host) &&
	    is_any(&address)) {
		begin_chain(to, "metrics", "filter", "input", "filter - 4");
		fprintf(to, "\t\tiifname \"%s\" meta l4proto 6 th dport %s " REFUSE "\n\t}\n",
			config->ifname, port);
	}
	free(copy);
}

static void put_server(FILE *to, const struct config *config, const struct facts *facts)
{
	const bool lan = lan_is_open(config, facts);

	if (!lan)
		put_lan(to, facts);
	if (!lan || !config->allow_server_access || !config->client_to_client ||
	    has_others(config, facts, other_clients))
		put_isolation(to, config, facts);
	if (config->nat)
		put_nat(to, config);
	put_listen(to, config);
	put_metrics(to, config);
}

/*
 * What comes back to the tunnel's own packets gets their mark, so that a check of
 * its way back finds the route that they took.
 */
static void put_marks(FILE *to, const struct config *config)
{
	begin_chain(to, "mark_out", "filter", "postrouting", "mangle");
	fprintf(to, "\t\tmeta l4proto 17 meta mark %lld ct mark set meta mark\n\t}\n",
		(long long)config->fwmark);
	begin_chain(to, "mark_in", "filter", "prerouting", "mangle");
	fprintf(to, "\t\tmeta l4proto 17 ct mark %lld meta mark set ct mark\n\t}\n",
		(long long)config->fwmark);
}

/* Nobody outside of the tunnel reaches the address that is inside. */
static void put_guard(FILE *to, const struct config *config, const struct vpn_addresses *own)
{
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	begin_chain(to, "guard", "filter", "prerouting", "raw");
	for (i = 0; i < own->count; i++) {
		vpn_address_format_host(&own->list[i], text);
		fprintf(to, "\t\tiifname != \"%s\" %s daddr %s fib saddr type != local drop\n",
			config->ifname, word(own->list[i].family), text);
	}
	fputs("\t}\n", to);
}

static void put_switch_rules(FILE *to, const struct config *config)
{
	fprintf(to, "\t\toifname { \"lo\", \"%s\" } accept\n", config->ifname);
	fprintf(to, "\t\tmeta mark %lld meta l4proto { 17, 6 } accept\n",
		(long long)config->fwmark);
	put_rules(to, "", &config->exclude_routes, "accept");
}

static void put_kill_switch(FILE *to, const struct config *config)
{
	begin_chain(to, "output", "filter", "output", "filter");
	put_switch_rules(to, config);
	fputs("\t\tudp sport 68 udp dport 67 accept\n", to);
	fputs("\t\tudp sport 546 udp dport 547 accept\n", to);
	fputs("\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n", to);
	fputs("\t\ticmpv6 type nd-router-solicit accept\n", to);
	fputs("\t\t" REFUSE "\n\t}\n", to);
	begin_chain(to, "forward", "filter", "forward", "filter");
	put_switch_rules(to, config);
	fputs("\t\t" REFUSE "\n\t}\n", to);
}

static void put_client(FILE *to, const struct config *config, const struct facts *facts)
{
	const struct vpn_addresses *own = &config->addresses;

	if (!own->count && facts->assigned)
		own = &facts->assigned->addresses;
	if (facts->connect && own->count)
		put_guard(to, config, own);
	if (facts->connect && own->count)
		put_marks(to, config);
	if (config->kill_switch)
		put_kill_switch(to, config);
}

char *desired_firewall(const struct config *config, const struct facts *facts)
{
	char *rules = NULL;
	size_t size = 0;
	FILE *to;

	to = open_memstream(&rules, &size);
	if (!to)
		return NULL;
	if (config->role == ROLE_SERVER)
		put_server(to, config, facts);
	else
		put_client(to, config, facts);
	if (!fclose(to))
		return rules;
	free(rules);
	return NULL;
}
