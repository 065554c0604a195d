/* SPDX-License-Identifier: GPL-2.0 */
/* The difference between what is and what should be, and how to get from one to the other. */
#ifndef VPND_PLAN_H
#define VPND_PLAN_H

#include "item.h"
#include "journal.h"

/*
 * Make the world as the items say: undo what is in the journal and not among
 * them, then make what is missing and change what differs. Each step is printed
 * to "to", if there is one; dry: and that is all. Returns zero, or a negative
 * errno with a sentence in err; then what was done stays, and the caller says
 * where to go back to.
 */
int plan_apply(struct world *w, struct journal *journal, const struct item_list *items, bool dry,
	       FILE *to, struct vpn_error *err);

/*
 * Undo all that the journal has, the latest first. What fails is logged, and the
 * remainder undone all the same; returns how many failed.
 */
unsigned int plan_undo_all(struct world *w, struct journal *journal);

#endif
