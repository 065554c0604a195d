// SPDX-License-Identifier: GPL-2.0
/*
 * Firewalls that have rules of their own: each is told by its own command of the
 * server's port, and that clients may go on through this host. What is there already
 * is left alone, and not undone. Where nftables is used by itself, vpnd sees to it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/probe.h"
#include "complain.h"
#include "setup.h"

#define WORDS		8
#define COMMENT		"vpnctl setup"
/*
 * It accepts what comes from the device, for this host as well as for what is behind
 * it: there is none that does one only. What clients may reach vpnd decides.
 */
#define TRUSTED		"trusted"
#define OURS		" comment '" COMMENT "'"

/* A program and the words of what, with others around them. */
struct command {
	const char *argv[WORDS * 2];
	unsigned int count;
	char words[SETUP_TEXT];
};

static void add_word(struct command *c, const char *word)
{
	if (c->count + 1 < WORDS * 2)
		c->argv[c->count++] = word;
	c->argv[c->count] = NULL;
}

static void add_words(struct command *c, const char *text)
{
	char *word, *save;

	snprintf(c->words, sizeof(c->words), "%s", text);
	for (word = strtok_r(c->words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		add_word(c, word);
}

/* False after a complaint. */
static bool run(const struct command *c)
{
	char output[SETUP_TEXT];

	return !setup_run(c->argv, output, sizeof(output)) ||
	       complain(NULL, "'%s %s' has failed: %s", c->argv[0], c->argv[1], output);
}

/*
 * ufw: "allow 51820/udp"
 */

static bool ufw_is_active(void)
{
	const char *const argv[] = { "ufw", "status", NULL };
	char output[SETUP_TEXT];

	return !setup_run(argv, output, sizeof(output)) && strstr(output, "Status: active");
}

/* Is there that rule, with this behind it, or with that? */
static bool ufw_has(const char *rule, const char *this, const char *that)
{
	const char *const argv[] = { "ufw", "show", "added", NULL };
	static char output[1 << 18];
	char line[SETUP_TEXT];

	if (setup_run(argv, output, sizeof(output) - 1))
		return false;
	strcat(output, "\n");
	snprintf(line, sizeof(line), "\nufw %s%s", rule, this);
	if (strstr(output, line))
		return true;
	snprintf(line, sizeof(line), "\nufw %s%s", rule, that);
	return strstr(output, line);
}

static bool ufw_is_there(const struct setup *s, const char *rule)
{
	(void)s;
	return ufw_has(rule, "\n", " comment ");
}

static bool ufw_make(struct setup *s, const char *rule)
{
	struct command c = { .argv = { "ufw" }, .count = 1 };

	(void)s;
	add_words(&c, rule);
	add_word(&c, "comment");
	add_word(&c, COMMENT);
	return run(&c);
}

/* "route delete allow ...", "delete allow ..." */
static bool ufw_undo(struct setup *s, const char *rule)
{
	struct command c = { .argv = { "ufw" }, .count = 1 };
	bool route = !strncmp(rule, "route ", 6);

	(void)s;
	if (!ufw_has(rule, OURS "\n", OURS " "))
		return true;
	if (route)
		add_word(&c, "route");
	add_word(&c, "delete");
	add_words(&c, rule + (route ? 6 : 0));
	return run(&c);
}

const struct setup_kind setup_ufw = {
	.name = "ufw", .is_there = ufw_is_there, .make = ufw_make, .undo = ufw_undo,
};

static bool tell_ufw(struct setup *s)
{
	char rule[64];

	snprintf(rule, sizeof(rule), "allow %s/udp", s->answers->port);
	return setup_make(s, &setup_ufw, rule) &&
	       setup_make(s, &setup_ufw, "route allow in on " SETUP_LINK);
}

/*
 * firewalld: "permanent public port 51820/udp", "runtime public port 51820/udp"
 */

/* It is slow to say so, and asked more than once. */
bool setup_firewalld_is_active(void)
{
	const char *const argv[] = { "firewall-cmd", "--state", NULL };
	static enum { UNKNOWN, NO, YES } active;
	char output[SETUP_TEXT];

	if (active == UNKNOWN)
		active = setup_run(argv, output, sizeof(output)) ? NO : YES;
	return active == YES;
}

struct firewalld {
	char permanent[12], zone[64], sort[16], value[64];
};

/* "add", "remove" or "query" */
static int firewall_cmd(const char *verb, const char *what, char output[SETUP_TEXT])
{
	struct command c = { .argv = { "firewall-cmd" }, .count = 1 };
	char zone[80], change[128];
	struct firewalld f;

	if (sscanf(what, "%11s %63s %15s %63s", f.permanent, f.zone, f.sort, f.value) != 4)
		return -1;
	if (!strcmp(f.permanent, "permanent"))
		add_word(&c, "--permanent");
	snprintf(zone, sizeof(zone), "--zone=%s", f.zone);
	add_word(&c, zone);
	snprintf(change, sizeof(change), "--%s-%s=%s", verb, f.sort, f.value);
	add_word(&c, change);
	return setup_run(c.argv, output, SETUP_TEXT);
}

static bool firewalld_is_there(const struct setup *s, const char *what)
{
	char output[SETUP_TEXT];

	(void)s;
	return !firewall_cmd("query", what, output);
}

static bool firewalld_make(struct setup *s, const char *what)
{
	char output[SETUP_TEXT];

	(void)s;
	return !firewall_cmd("add", what, output) ||
	       complain(NULL, "firewalld refuses '%s': %s", what, output);
}

/* Of one that does not run, what it does now needs not be undone, and the rest cannot be. */
static bool firewalld_undo(struct setup *s, const char *what)
{
	char output[SETUP_TEXT];

	if (!setup_firewalld_is_active())
		return !strncmp(what, "runtime", 7) ||
		       complain(NULL, "firewalld does not run, so '%s' cannot be undone; start it",
				what);
	return !firewalld_is_there(s, what) || !firewall_cmd("remove", what, output) ||
	       complain(NULL, "firewalld cannot undo '%s': %s", what, output);
}

const struct setup_kind setup_firewalld = {
	.name = "firewalld", .is_there = firewalld_is_there, .make = firewalld_make,
	.undo = firewalld_undo,
};

/* That of the device by which this host reaches the internet, or the default one. */
static bool find_zone(char zone[SETUP_TEXT])
{
	const char *const of_default[] = { "firewall-cmd", "--get-default-zone", NULL };
	struct command of_link = { .argv = { "firewall-cmd" }, .count = 1 };
	char uplink[IF_NAMESIZE], word[64];

	if (probe_uplink(AF_INET, 0, uplink) || probe_uplink(AF_INET6, 0, uplink)) {
		snprintf(word, sizeof(word), "--get-zone-of-interface=%s", uplink);
		add_word(&of_link, word);
		if (!setup_run(of_link.argv, zone, SETUP_TEXT))
			return true;
	}
	return !setup_run(of_default, zone, SETUP_TEXT) ||
	       complain(NULL, "firewalld does not tell its default zone: %s", zone);
}

static bool tell_firewalld(struct setup *s)
{
	static const char *const when[] = { "permanent", "runtime" };
	char zone[SETUP_TEXT], what[256];
	size_t i;

	if (!find_zone(zone))
		return false;
	for (i = 0; i < 2; i++) {
		snprintf(what, sizeof(what), "%s %.63s port %s/udp", when[i], zone,
			 s->answers->port);
		if (!setup_make(s, &setup_firewalld, what))
			return false;
		snprintf(what, sizeof(what), "%s " TRUSTED " interface " SETUP_LINK, when[i]);
		if (!setup_make(s, &setup_firewalld, what))
			return false;
	}
	return true;
}

bool setup_firewalls(struct setup *s)
{
	return (!ufw_is_active() || tell_ufw(s)) &&
	       (!setup_firewalld_is_active() || tell_firewalld(s));
}
