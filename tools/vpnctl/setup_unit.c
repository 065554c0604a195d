// SPDX-License-Identifier: GPL-2.0
/* The unit of systemd. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "setup.h"

static int systemctl(const char *verb, const char *unit, char output[SETUP_TEXT])
{
	const char *const argv[] = { "systemctl", verb, unit, NULL };

	return setup_run(argv, output, SETUP_TEXT);
}

bool setup_unit_check(void)
{
	char output[SETUP_TEXT];

	if (access("/run/systemd/system", F_OK))
		return complain(NULL,
				"systemd does not run this host, and setup makes a unit of it; 'vpnctl up' runs a file that you have written, see vpn.toml(5)");
	return !systemctl("cat", SETUP_UNIT, output) ||
	       complain(NULL,
			"there is no unit vpn@.service; it comes with the same package as vpnctl");
}

static bool is(const char *verb, const char *unit)
{
	char output[SETUP_TEXT];

	return !systemctl(verb, unit, output);
}

/* False after a complaint. */
static bool must(const char *verb, const char *unit)
{
	char output[SETUP_TEXT];

	return !systemctl(verb, unit, output) ||
	       complain(NULL, "'systemctl %s %s' has failed: %s", verb, unit, output);
}

static bool enabled_is_there(const struct setup *s, const char *unit)
{
	(void)s;
	return is("is-enabled", unit);
}

static bool enabled_make(struct setup *s, const char *unit)
{
	(void)s;
	return must("enable", unit);
}

static bool enabled_undo(struct setup *s, const char *unit)
{
	(void)s;
	return !is("is-enabled", unit) || must("disable", unit);
}

const struct setup_kind setup_enabled = {
	.name = "enabled", .is_there = enabled_is_there, .make = enabled_make,
	.undo = enabled_undo,
};

static bool started_is_there(const struct setup *s, const char *unit)
{
	(void)s;
	return is("is-active", unit);
}

static void show_log(const char *unit)
{
	const char *const argv[] = {
		"journalctl", "--no-pager", "-q", "-o", "cat", "-n", "5", "-u", unit, NULL
	};
	char output[SETUP_TEXT], *rest = output;
	const char *line;

	setup_run(argv, output, sizeof(output));
	while ((line = strsep(&rest, "\n")))
		fprintf(stderr, "  %s\n", line);
}

static bool started_make(struct setup *s, const char *unit)
{
	char output[SETUP_TEXT];

	(void)s;
	if (!systemctl("start", unit, output))
		return true;
	complain(NULL, "%s does not start; the last it said:", unit);
	show_log(unit);
	return false;
}

/* A failure that it ended with is not to be seen afterwards, either. */
static bool started_undo(struct setup *s, const char *unit)
{
	char output[SETUP_TEXT];

	(void)s;
	if (!must("stop", unit))
		return false;
	systemctl("reset-failed", unit, output);
	return true;
}

const struct setup_kind setup_started = {
	.name = "started", .is_there = started_is_there, .make = started_make,
	.undo = started_undo,
};
