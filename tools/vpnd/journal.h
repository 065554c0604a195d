/* SPDX-License-Identifier: GPL-2.0 */
/* What was changed, and what was there before: a file that is ahead of each change. */
#ifndef VPND_JOURNAL_H
#define VPND_JOURNAL_H

#include "item.h"

struct journal_entry {
	struct journal_entry *next, *prev;	/* in the order of making */
	struct item item;
	json_t *before;				/* NULL: nothing to know */
	bool undoing;				/* to undo it was begun, and not ended */
};

struct journal {
	char *path;
	int fd;
	uint64_t net;			/* the network namespace that it is about */
	struct journal_entry *first, *last;
};

/* Read what an earlier run has left, if it has, and go on there. */
int journal_open(struct journal *journal, const char *path, struct vpn_error *err);
/* Only look what is in it, as in somebody else's; false: there is none. */
bool journal_read(struct journal *journal, const char *path);
/* Frees what was read, and leaves the file. */
void journal_forget(struct journal *journal);
/* Frees; the file goes when there is nothing in it. */
void journal_close(struct journal *journal);

struct journal_entry *journal_find(const struct journal *journal, const struct item_kind *kind,
				   const char *key);
/*
 * Before an item is made. An entry that is there gets the new value, and keeps
 * what was before. Takes before.
 */
int journal_make(struct journal *journal, const struct item *item, json_t *before,
		 struct vpn_error *err);
/* Before it is undone in several steps; a run that was killed amid them goes on with them. */
int journal_undoing(const struct journal *journal, struct journal_entry *entry,
		    struct vpn_error *err);
/* After it has been undone; frees the entry, unless that cannot be written. */
int journal_undone(struct journal *journal, struct journal_entry *entry, struct vpn_error *err);

#endif
