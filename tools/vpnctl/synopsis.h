/* SPDX-License-Identifier: GPL-2.0 */
/* What a synopsis says may be written: "DEVICE [peer KEY [remove] [name NAME]]...". */
#ifndef VPNCTL_SYNOPSIS_H
#define VPNCTL_SYNOPSIS_H

#include <stdbool.h>

#define SYNOPSIS_MAX	128

/* A word of it: "peer", "KEY|NAME". Points into the text, which is not changed. */
struct atom {
	const char *text;
	int len;
	int group;		/* the innermost brackets around it; zero: none */
};

struct synopsis {
	struct atom atoms[SYNOPSIS_MAX];
	int count;
	int parents[SYNOPSIS_MAX];	/* of groups: the one around it */
	int groups;			/* numbered from 1 */
};

/* Read a text up to the end of its usage, and add what it says. */
void synopsis_read(struct synopsis *synopsis, const char *text);

/* A word that is written as it is: "peer", but not "KEY" nor "any|none". */
bool synopsis_literal(const struct atom *atom);
/* The index of what has to follow a word, or -1: "KEY" after "peer". */
int synopsis_value(const struct synopsis *synopsis, int index);
/* The index of a literal, or -1. */
int synopsis_find(const struct synopsis *synopsis, const char *word);
/* Is there a group within that one? */
bool synopsis_nests(const struct synopsis *synopsis, int group);

#endif
