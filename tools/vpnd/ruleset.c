// SPDX-License-Identifier: GPL-2.0
#include "ruleset.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../libvpn/address.h"

/* Chains that lead from one to another; the kernel allows 16. */
#define DEPTH_MAX	16

enum answer { NO, MAYBE, YES };
enum end { GOES_ON, TAKEN, DROPPED };

struct walk {
	const json_t *objects;
	const struct packet *packet;
	const char *family, *table;	/* whose chains are walked */
	bool may_be_taken, translated;
	struct ruleset_place *where;
	unsigned int depth;
};

bool ruleset_run(const char *commands, char **shown, struct vpn_error *err)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	bool good = false;
	const char *said;

	if (!nft) {
		vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "nftables cannot be reached");
		return false;
	}
	nft_ctx_buffer_error(nft);
	nft_ctx_buffer_output(nft);
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_STATELESS);
	good = !nft_run_cmd_from_buffer(nft, commands);
	if (good && shown)
		*shown = strdup(nft_ctx_get_output_buffer(nft));
	if (!good) {
		said = nft_ctx_get_error_buffer(nft);
		vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL, "nftables refused: %.*s",
			      (int)strcspn(said, "\n"), said);
	}
	nft_ctx_free(nft);
	return good;
}

json_t *ruleset_read(struct vpn_error *err)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	json_t *rules = NULL;

	if (nft) {
		nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON);
		nft_ctx_buffer_error(nft);
		nft_ctx_buffer_output(nft);
		if (!nft_run_cmd_from_buffer(nft, "list ruleset"))
			rules = json_loads(nft_ctx_get_output_buffer(nft), 0, NULL);
		nft_ctx_free(nft);
	}
	if (!rules)
		vpn_error_set(err, VPN_FAULT_SYSTEM, EIO, "the rules of nftables cannot be read");
	return rules;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static bool is_of(const struct walk *w, const json_t *object)
{
	return !strcmp(text_of(object, "family"), w->family) &&
	       !strcmp(text_of(object, "table"), w->table);
}

/* A set, map or chain of the table; NULL: there is none. */
static const json_t *find(const struct walk *w, const char *kind, const char *name)
{
	const json_t *each, *object;
	size_t i;

	json_array_foreach(w->objects, i, each) {
		object = json_object_get(each, kind);
		if (object && is_of(w, object) && !strcmp(text_of(object, "name"), name))
			return object;
	}
	return NULL;
}

/*
 * Values
 */

struct value {
	char text[VPN_PREFIX_TEXT];	/* empty: not known */
	bool device;
};

static void set_device(struct value *value, const char *name)
{
	value->device = true;
	if (name)
		snprintf(value->text, sizeof(value->text), "%s", name);
}

static void set_text(struct value *value, const char *text)
{
	if (text)
		snprintf(value->text, sizeof(value->text), "%s", text);
}

static void read_meta(const struct packet *packet, const char *key, struct value *value)
{
	if (!strcmp(key, "iifname") || !strcmp(key, "iif"))
		set_device(value, packet->in);
	else if (!strcmp(key, "oifname") || !strcmp(key, "oif"))
		set_device(value, packet->out);
	else if (!strcmp(key, "l4proto"))
		set_text(value, packet->protocol);
	else if (!strcmp(key, "nfproto"))
		set_text(value, packet->family == AF_INET ? "ipv4" : "ipv6");
}

static void read_payload(const struct packet *packet, const char *protocol, const char *field,
			 struct value *value)
{
	bool network = !strcmp(protocol, "ip") || !strcmp(protocol, "ip6");

	if (!strcmp(field, "dport") && packet->protocol)
		snprintf(value->text, sizeof(value->text), "%u", packet->port);
	else if (network && !strcmp(field, "saddr"))
		set_text(value, packet->source);
	else if (network && !strcmp(field, "daddr"))
		set_text(value, packet->target);
	else if (network && (!strcmp(field, "protocol") || !strcmp(field, "nexthdr")))
		set_text(value, packet->protocol);
}

static void read_ct(const struct packet *packet, const char *key, struct value *value)
{
	if (!strcmp(key, "state"))
		set_text(value, packet->answer ? "established" : "new");
	else if (!strcmp(key, "direction"))
		set_text(value, packet->answer ? "reply" : "original");
}

/* False: a packet like this has no such field. */
static bool has_protocol(const struct packet *packet, const char *protocol)
{
	if (!strcmp(protocol, "ip") || !strcmp(protocol, "ip6"))
		return (packet->family == AF_INET) == !strcmp(protocol, "ip");
	return !packet->protocol || !strcmp(protocol, "th") || !strcmp(protocol, packet->protocol);
}

static bool read_left(const struct packet *packet, const json_t *left, struct value *value)
{
	const json_t *payload = json_object_get(left, "payload");
	const char *protocol = text_of(payload, "protocol");

	memset(value, 0, sizeof(*value));
	read_meta(packet, text_of(json_object_get(left, "meta"), "key"), value);
	read_ct(packet, text_of(json_object_get(left, "ct"), "key"), value);
	if (!payload || !*protocol)
		return true;
	read_payload(packet, protocol, text_of(payload, "field"), value);
	return has_protocol(packet, protocol);
}

/*
 * Comparisons
 */

static enum answer either(enum answer a, enum answer b)
{
	return a > b ? a : b;
}

static bool word_is(const struct value *value, const char *word)
{
	static const struct {
		const char *name, *number;
	} protocols[] = { { "udp", "17" }, { "tcp", "6" } };
	size_t i;

	if (!strcmp(value->text, word))
		return true;
	for (i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		if (!strcmp(value->text, protocols[i].name) && !strcmp(word, protocols[i].number))
			return true;
	}
	return false;
}

/* A network that we have in mind, in a rule's prefix. */
static enum answer within(const struct value *value, const char *text, uint8_t len)
{
	struct vpn_address own, prefix;
	struct vpn_allowedip a = { 0 }, b = { 0 };
	char cut[VPN_PREFIX_TEXT];
	uint8_t least;

	if (!vpn_address_parse(&own, value->text) || !vpn_address_parse(&prefix, text) ||
	    own.family != prefix.family)
		return NO;
	if (len != UINT8_MAX)
		prefix.prefix_len = len;
	least = own.prefix_len < prefix.prefix_len ? own.prefix_len : prefix.prefix_len;
	len = prefix.prefix_len;
	own.prefix_len = least;
	prefix.prefix_len = least;
	vpn_address_format(&own, cut);
	vpn_prefix_parse(&a, cut);
	vpn_address_format(&prefix, cut);
	vpn_prefix_parse(&b, cut);
	if (vpn_prefix_compare(&a, &b))
		return NO;
	return least == len ? YES : MAYBE;
}

/* A device that we don't know is neither the loopback nor the tunnel. */
static enum answer is_device(const struct walk *w, const struct value *value, const char *word)
{
	size_t len = strlen(word);

	if (!*value->text)
		return !strcmp(word, "lo") || !strcmp(word, w->packet->tunnel) ? NO : MAYBE;
	if (len && word[len - 1] == '*')
		return strncmp(value->text, word, len - 1) ? NO : YES;
	return strcmp(value->text, word) ? NO : YES;
}

static enum answer is_one_of(const struct walk *w, const struct value *value,
			     const json_t *right);

static enum answer is_in_named(const struct walk *w, const struct value *value, const char *name)
{
	const json_t *set = find(w, "set", name);

	return set ? is_one_of(w, value, json_object_get(set, "elem")) : MAYBE;
}

static enum answer is_word(const struct walk *w, const struct value *value, const char *word)
{
	if (*word == '@')
		return is_in_named(w, value, word + 1);
	if (value->device)
		return is_device(w, value, word);
	if (!*value->text)
		return MAYBE;
	return word_is(value, word) ? YES : within(value, word, UINT8_MAX);
}

static enum answer is_in_range(const struct value *value, const json_t *range)
{
	long long least = json_integer_value(json_array_get(range, 0)), number;
	long long most = json_integer_value(json_array_get(range, 1));
	char *end;

	number = strtoll(value->text, &end, 10);
	if (!*value->text || *end || !json_is_integer(json_array_get(range, 0)))
		return MAYBE;
	return number >= least && number <= most ? YES : NO;
}

static enum answer is_object(const struct walk *w, const struct value *value, const json_t *right)
{
	const json_t *prefix = json_object_get(right, "prefix"), *part;

	part = json_object_get(right, "set");
	if (part)
		return is_one_of(w, value, part);
	part = json_object_get(right, "range");
	if (part)
		return is_in_range(value, part);
	part = json_object_get(right, "elem");
	if (part)
		return is_one_of(w, value, json_object_get(part, "val"));
	if (!prefix || !*value->text)
		return MAYBE;
	return within(value, text_of(prefix, "addr"),
		      json_integer_value(json_object_get(prefix, "len")));
}

static enum answer is_one_of(const struct walk *w, const struct value *value, const json_t *right)
{
	enum answer answer = NO;
	const json_t *each;
	char number[24];
	size_t i;

	if (json_is_string(right))
		return is_word(w, value, json_string_value(right));
	if (json_is_integer(right)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(right));
		return is_word(w, value, number);
	}
	if (json_is_object(right))
		return is_object(w, value, right);
	/* A set without elements is left out. */
	if (!json_is_array(right))
		return right ? MAYBE : NO;
	json_array_foreach(right, i, each)
		answer = either(answer, is_one_of(w, value, each));
	return answer;
}

static enum answer negate(enum answer answer)
{
	return answer == MAYBE ? MAYBE : answer == YES ? NO : YES;
}

static enum answer does_match(const struct walk *w, const json_t *match)
{
	const char *op = text_of(match, "op");
	enum answer answer;
	struct value value;

	if (!read_left(w->packet, json_object_get(match, "left"), &value))
		return NO;
	if (strcmp(op, "==") && strcmp(op, "in") && strcmp(op, "!="))
		return MAYBE;
	answer = is_one_of(w, &value, json_object_get(match, "right"));
	return strcmp(op, "!=") ? answer : negate(answer);
}

/*
 * Rules and chains
 */

static enum end run_chain(struct walk *w, const char *name);

static void note_where(struct walk *w, const char *chain, long long handle)
{
	struct ruleset_place *where = w->where;

	snprintf(where->family, sizeof(where->family), "%s", w->family);
	snprintf(where->table, sizeof(where->table), "%s", w->table);
	snprintf(where->chain, sizeof(where->chain), "%s", chain);
	where->handle = handle;
}

void ruleset_format(const struct ruleset_place *place, char text[RULESET_WHERE])
{
	int len = snprintf(text, RULESET_WHERE, "%s %s %s, ", place->family, place->table,
			   place->chain);

	if (place->handle)
		snprintf(text + len, RULESET_WHERE - len, "handle %lld", place->handle);
	else
		snprintf(text + len, RULESET_WHERE - len, "policy drop");
}

/* What a rule that applies, or may, does; over: no rule of this chain follows. */
static enum end obey(struct walk *w, const json_t *statement, enum answer applies, bool *over)
{
	const char *target = text_of(json_object_get(statement, "jump"), "target");
	bool leaves = json_object_get(statement, "goto");
	enum end end = GOES_ON;

	if (leaves)
		target = text_of(json_object_get(statement, "goto"), "target");
	if (*target)
		end = run_chain(w, target);
	else if (json_object_get(statement, "accept") || json_object_get(statement, "queue"))
		end = TAKEN;
	else if (json_object_get(statement, "drop") || json_object_get(statement, "reject"))
		end = DROPPED;
	else
		leaves = json_object_get(statement, "return");
	if (applies == YES) {
		*over = leaves;
		return end;
	}
	/* Whether it is dropped there is not known, either. */
	if (end == DROPPED)
		*w->where->family = '\0';
	w->may_be_taken |= end == TAKEN;
	return GOES_ON;
}

static enum end obey_map(struct walk *w, const json_t *vmap, enum answer applies, bool *over)
{
	const json_t *data = json_object_get(vmap, "data"), *each;
	const char *name = json_string_value(data);
	enum answer answer;
	struct value value;
	enum end end;
	size_t i;

	if (!read_left(w->packet, json_object_get(vmap, "key"), &value))
		return GOES_ON;
	data = name && *name == '@' ? json_object_get(find(w, "map", name + 1), "elem") :
	       json_object_get(data, "set");
	json_array_foreach(data, i, each) {
		answer = is_one_of(w, &value, json_array_get(each, 0));
		if (answer == NO)
			continue;
		end = obey(w, json_array_get(each, 1), answer < applies ? answer : applies, over);
		if (end != GOES_ON || *over)
			return end;
	}
	return GOES_ON;
}

/* Statements that let some packets through to the next one, and others not. */
static bool is_limit(const json_t *statement)
{
	static const char *const names[] = {
		"limit", "quota", "ct count", "xt", "meter", "dynset",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (json_object_get(statement, names[i]))
			return true;
	}
	return false;
}

static enum end run_rule(struct walk *w, const json_t *rule, bool *over)
{
	enum answer applies = YES, answer;
	const json_t *statement, *part;
	enum end end = GOES_ON;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, statement) {
		part = json_object_get(statement, "match");
		answer = part ? does_match(w, part) : is_limit(statement) ? MAYBE : YES;
		if (answer == NO)
			return GOES_ON;
		applies = answer < applies ? answer : applies;
		if (json_object_get(statement, "masquerade") || json_object_get(statement, "snat"))
			w->translated = true;
		part = json_object_get(statement, "vmap");
		end = part ? obey_map(w, part, applies, over) : obey(w, statement, applies, over);
		if (end != GOES_ON || *over)
			break;
	}
	return end;
}

static enum end run_rules(struct walk *w, const char *name)
{
	const json_t *each, *rule;
	enum end end;
	bool over;
	size_t i;

	json_array_foreach(w->objects, i, each) {
		rule = json_object_get(each, "rule");
		if (!rule || !is_of(w, rule) || strcmp(text_of(rule, "chain"), name))
			continue;
		over = false;
		end = run_rule(w, rule, &over);
		if (end == DROPPED && !*w->where->family)
			note_where(w, name,
				   json_integer_value(json_object_get(rule, "handle")));
		if (end != GOES_ON || over)
			return end;
	}
	return GOES_ON;
}

static enum end run_chain(struct walk *w, const char *name)
{
	enum end end = GOES_ON;

	if (w->depth++ < DEPTH_MAX)
		end = run_rules(w, name);
	w->depth--;
	return end;
}

static bool is_at(const json_t *chain, const char *hook, const char *type,
		  const struct packet *packet)
{
	const char *family = text_of(chain, "family");

	return !strcmp(text_of(chain, "hook"), hook) && !strcmp(text_of(chain, "type"), type) &&
	       (!strcmp(family, "inet") ||
		!strcmp(family, packet->family == AF_INET ? "ip" : "ip6"));
}

static void begin_walk(struct walk *w, const json_t *ruleset, const json_t *chain,
		       const struct packet *packet, struct ruleset_place *where)
{
	*w = (struct walk){
		.objects = json_object_get(ruleset, "nftables"), .packet = packet,
		.family = text_of(chain, "family"), .table = text_of(chain, "table"),
		.where = where,
	};
	*where->family = '\0';
}

static enum fate chain_fate(struct walk *w, const json_t *chain)
{
	enum end end = run_chain(w, text_of(chain, "name"));

	if (end == GOES_ON && !strcmp(text_of(chain, "policy"), "drop")) {
		note_where(w, text_of(chain, "name"), 0);
		end = DROPPED;
	}
	if (end != DROPPED)
		return FATE_PASSES;
	return w->may_be_taken ? FATE_PASSES_SOME : FATE_DROPPED;
}

/* What one chain takes, another one may still drop. */
enum fate ruleset_fate(const json_t *ruleset, const char *hook, const struct packet *packet,
		       struct ruleset_place *where)
{
	enum fate worst = FATE_PASSES, fate;
	struct ruleset_place here;
	const json_t *each, *chain;
	struct walk w;
	size_t i;

	*where->family = '\0';
	json_array_foreach(json_object_get(ruleset, "nftables"), i, each) {
		chain = json_object_get(each, "chain");
		if (!chain || !is_at(chain, hook, "filter", packet))
			continue;
		begin_walk(&w, ruleset, chain, packet, &here);
		fate = chain_fate(&w, chain);
		if (fate > worst) {
			worst = fate;
			*where = here;
		}
	}
	return worst;
}

bool ruleset_translates(const json_t *ruleset, const struct packet *packet)
{
	struct ruleset_place where;
	const json_t *each, *chain;
	struct walk w;
	size_t i;

	json_array_foreach(json_object_get(ruleset, "nftables"), i, each) {
		chain = json_object_get(each, "chain");
		if (!chain || !is_at(chain, "postrouting", "nat", packet))
			continue;
		begin_walk(&w, ruleset, chain, packet, &where);
		run_chain(&w, text_of(chain, "name"));
		if (w.translated)
			return true;
	}
	return false;
}
