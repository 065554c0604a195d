// SPDX-License-Identifier: GPL-2.0
/* One table of nftables, replaced as a whole in one transaction. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "item.h"
#include "log.h"
#include "ruleset.h"

/* What was made last, and how nftables shows that: so it is seen when somebody changes it. */
static struct {
	char *rules, *shown;
} made;

/* How nftables shows the table, to be freed; NULL: it is not there. */
static char *show(const char *table)
{
	struct vpn_error err;
	char command[96], *shown = NULL;

	snprintf(command, sizeof(command), "list table inet %s", table);
	ruleset_run(command, &shown, &err);
	return shown;
}

/* One of an earlier run is made anew, as nobody knows what it was like. */
static bool firewall_matches(struct world *w, const struct item *item)
{
	char *shown = made.shown ? show(item->key) : NULL;
	bool same = shown && !strcmp(shown, made.shown);

	(void)w;
	free(shown);
	return same;
}

static void note_made(const struct item *item)
{
	free(made.rules);
	free(made.shown);
	made.rules = strdup(item_text(item, "rules"));
	made.shown = show(item->key);
}

/* It is only made again as it was if it is not so any more. */
static void tell_change(const struct item *item)
{
	if (made.rules && !strcmp(made.rules, item_text(item, "rules")))
		log_event(LEVEL_WARNING,
			  "somebody else has changed the firewall; it is put back", "table",
			  item->key);
}

static int firewall_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	char *commands;
	bool good;

	(void)w;
	tell_change(item);
	/* Adding first, so that deleting is no error. */
	if (asprintf(&commands, "add table inet %s\ndelete table inet %s\ntable inet %s {\n%s}\n",
		     item->key, item->key, item->key, item_text(item, "rules")) < 0)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	good = ruleset_run(commands, NULL, err);
	free(commands);
	if (good)
		note_made(item);
	return good ? 0 : -err->code;
}

static int firewall_undo(struct world *w, const struct item *item, const json_t *before,
			 struct vpn_error *err)
{
	char command[96], *shown = show(item->key);

	(void)w;
	(void)before;
	if (!shown)
		return 0;
	free(shown);
	/* Whoever makes it again does so for a reason of their own. */
	free(made.rules);
	made.rules = NULL;
	snprintf(command, sizeof(command), "delete table inet %s", item->key);
	return ruleset_run(command, NULL, err) ? 0 : -err->code;
}

static void firewall_describe(const struct world *w, const struct item *item, const char *sign,
			      FILE *to)
{
	(void)w;
	fprintf(to, "%s nftables table inet %s\n", sign, item->key);
}

const struct item_kind kind_firewall = {
	.name = "firewall", .by_name = true, .matches = firewall_matches, .make = firewall_make,
	.undo = firewall_undo, .describe = firewall_describe,
};
