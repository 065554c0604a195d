/* SPDX-License-Identifier: GPL-2.0 */
/* Options with two dashes, as the commands about credentials have them. */
#ifndef VPNCTL_OPTIONS_H
#define VPNCTL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Values of an option that may be given again; NULL at the end. */
#define OPTION_LIST_MAX	16

struct option_list {
	const char *words[OPTION_LIST_MAX + 1];
	unsigned int count;
};

/* One of the three pointers is where it goes. */
struct option_of {
	const char *name;		/* "--role"; NULL ends the table */
	const char **value;
	struct option_list *list;
	bool *flag;
};

/*
 * Take the options out of the arguments. The number of those that are left, from
 * argv[0] on, or -1 after a complaint.
 */
int options_take(const char *command, const struct option_of *options, int argc, char *argv[]);

/*
 * "--days 30" or "--for 12h", of which one may be given, as seconds; false after a
 * complaint.
 */
bool options_lifetime(const char *days, const char *span, int64_t fallback, int64_t *seconds);

#endif
