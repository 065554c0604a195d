// SPDX-License-Identifier: GPL-2.0
/*
 * Rules in tables of others, each right before what would drop a packet that the
 * server lives on. They are known again by their comment.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "desired.h"
#include "log.h"
#include "ruleset.h"

/* Of one packet; more than that drop it in turn nowhere. */
#define RULES_MAX	32
#define RULE_TEXT	160

/* A packet, where it comes by, and the rule that takes it. */
struct need {
	const char *hook;
	struct packet packet;
	char rule[RULE_TEXT];
};

/* For two families: the port at two hooks, what is sent on, and its answers. */
#define NEEDS_MAX	8

struct needs {
	struct need list[NEEDS_MAX];
	unsigned int count;
};

static struct need *add_need(struct needs *needs, const char *hook, uint16_t family,
			     const char *tunnel)
{
	struct need *need = &needs->list[needs->count++];

	memset(need, 0, sizeof(*need));
	need->hook = hook;
	need->packet.family = family;
	need->packet.tunnel = tunnel;
	return need;
}

static void add_port(struct needs *needs, uint16_t family, const struct world *w,
		     const struct item *item)
{
	static const char *const hooks[] = { "prerouting", "input" };
	struct vpn_address address;
	const char *host = item_text(item, "host");
	struct need *need;
	size_t i;

	vpn_address_parse(&address, host);
	/* On [::] it listens to both. */
	if (address.family != family && strcmp(host, "::"))
		return;
	for (i = 0; i < 2; i++) {
		need = add_need(needs, hooks[i], family, w->ifname);
		need->packet.protocol = "udp";
		need->packet.port = strtoul(item_text(item, "port"), NULL, 10);
		snprintf(need->rule, RULE_TEXT, "udp dport %u accept", need->packet.port);
	}
}

static void add_forward(struct needs *needs, uint16_t family, const struct world *w)
{
	struct need *need;

	if (!vpn_addresses_have_family(&w->config->networks, family))
		return;
	need = add_need(needs, "forward", family, w->ifname);
	need->packet.in = w->ifname;
	snprintf(need->rule, RULE_TEXT, "iifname \"%s\" accept", w->ifname);
	need = add_need(needs, "forward", family, w->ifname);
	need->packet.out = w->ifname;
	need->packet.answer = true;
	snprintf(need->rule, RULE_TEXT, "oifname \"%s\" ct state established,related accept",
		 w->ifname);
}

static void find_needs(const struct world *w, const struct item *item, struct needs *needs)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	size_t i;

	needs->count = 0;
	for (i = 0; i < 2; i++) {
		add_port(needs, families[i], w, item);
		add_forward(needs, families[i], w);
	}
}

/*
 * Tables that somebody else makes anew from what he was told, or reads back, and
 * then takes no rule of ours for his.
 */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* iptables calls its chains so, in families of their own. */
static bool is_of_iptables(const json_t *chain)
{
	const char *name = text_of(chain, "name");

	return strcmp(text_of(chain, "family"), "inet") && *text_of(chain, "hook") &&
	       (!strcmp(name, "INPUT") || !strcmp(name, "FORWARD") ||
		!strcmp(name, "PREROUTING"));
}

static bool is_same_table(const json_t *a, const json_t *b)
{
	return !strcmp(text_of(a, "family"), text_of(b, "family")) &&
	       !strcmp(text_of(a, "table"), text_of(b, "table"));
}

static bool is_left_alone(const json_t *objects, const json_t *object)
{
	const char *table = text_of(object, "table");
	const json_t *each, *chain;
	size_t i;

	if (!strncmp(table, "vpn_", 4) || !strcmp(table, "firewalld"))
		return true;
	json_array_foreach(objects, i, each) {
		chain = json_object_get(each, "chain");
		if (chain && is_same_table(chain, object) && is_of_iptables(chain))
			return true;
	}
	return false;
}

/* Without base chains of those nothing of them is looked at. */
static json_t *read_rules(struct vpn_error *err)
{
	json_t *rules = ruleset_read(err), *objects;
	const json_t *chain;
	size_t i;

	objects = json_object_get(rules, "nftables");
	for (i = json_array_size(objects); i-- > 0;) {
		chain = json_object_get(json_array_get(objects, i), "chain");
		if (chain && *text_of(chain, "hook") && !is_of_iptables(chain) &&
		    is_left_alone(objects, chain))
			json_array_remove(objects, i);
	}
	for (i = json_array_size(objects); i-- > 0;) {
		chain = json_object_get(json_array_get(objects, i), "chain");
		if (chain && is_of_iptables(chain))
			json_array_remove(objects, i);
	}
	return rules;
}

/*
 * The item
 */

static bool opening_matches(struct world *w, const struct item *item)
{
	struct ruleset_place where;
	struct needs needs;
	struct vpn_error err;
	bool passes = true;
	unsigned int i;
	json_t *rules;

	rules = read_rules(&err);
	if (!rules)
		return false;
	find_needs(w, item, &needs);
	for (i = 0; i < needs.count && passes; i++)
		passes = ruleset_fate(rules, needs.list[i].hook, &needs.list[i].packet, &where) ==
			 FATE_PASSES;
	json_decref(rules);
	return passes;
}

static bool insert(const struct ruleset_place *where, const struct need *need,
		   const struct item *item, struct vpn_error *err)
{
	char command[512], handle[40] = "", text[RULESET_WHERE];

	if (where->handle)
		snprintf(handle, sizeof(handle), " handle %lld", where->handle);
	snprintf(command, sizeof(command), "%s rule %s %s %s%s %s comment \"%s\"",
		 where->handle ? "insert" : "add", where->family, where->table, where->chain,
		 handle, need->rule, item->key);
	if (!ruleset_run(command, NULL, err))
		return false;
	ruleset_format(where, text);
	log_event(LEVEL_INFO, "let through", "rule", need->rule, "before", text);
	return true;
}

/* As long as something drops it, there is a rule before that, which is read again. */
static int open_way(const struct need *need, const struct item *item, struct vpn_error *err)
{
	struct ruleset_place where;
	unsigned int count;
	enum fate fate;
	json_t *rules;

	for (count = 0; count < RULES_MAX; count++) {
		rules = read_rules(err);
		if (!rules)
			return -err->code;
		fate = ruleset_fate(rules, need->hook, &need->packet, &where);
		json_decref(rules);
		if (fate == FATE_PASSES)
			return 0;
		if (!insert(&where, need, item, err))
			return -err->code;
	}
	return vpn_error_set(err, VPN_FAULT_SYSTEM, ELOOP,
			     "nftables drops what '%s' is for, whatever stands before", need->rule);
}

static int opening_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	struct needs needs;
	unsigned int i;
	int ret = 0;

	find_needs(w, item, &needs);
	for (i = 0; i < needs.count && !ret; i++)
		ret = open_way(&needs.list[i], item, err);
	return ret;
}

static void put_removal(FILE *to, const json_t *rule)
{
	fprintf(to, "delete rule %s %s %s handle %lld\n", text_of(rule, "family"),
		text_of(rule, "table"), text_of(rule, "chain"),
		(long long)json_integer_value(json_object_get(rule, "handle")));
}

static int opening_undo(struct world *w, const struct item *item, const json_t *before,
			struct vpn_error *err)
{
	json_t *rules = ruleset_read(err);
	const json_t *each, *rule;
	char *commands = NULL;
	size_t size, i;
	bool good;
	FILE *to;

	(void)w;
	(void)before;
	if (!rules)
		return -err->code;
	to = open_memstream(&commands, &size);
	json_array_foreach(json_object_get(rules, "nftables"), i, each) {
		rule = json_object_get(each, "rule");
		if (to && rule && !strcmp(text_of(rule, "comment"), item->key))
			put_removal(to, rule);
	}
	json_decref(rules);
	if (!to || fclose(to))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	good = !*commands || ruleset_run(commands, NULL, err);
	free(commands);
	return good ? 0 : -err->code;
}

static void opening_describe(const struct world *w, const struct item *item, const char *sign,
			     FILE *to)
{
	(void)w;
	fprintf(to, "%s nftables rules of others: UDP port %s, forwarding\n", sign,
		item_text(item, "port"));
}

const struct item_kind kind_opening = {
	.name = "opening", .by_name = true, .matches = opening_matches, .make = opening_make,
	.undo = opening_undo, .describe = opening_describe,
};
