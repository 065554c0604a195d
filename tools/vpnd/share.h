/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Settings of the kernel that several runs on a host count on. Each writes down that
 * it does, with what was there before the first of them; the last one puts it back.
 */
#ifndef VPND_SHARE_H
#define VPND_SHARE_H

#include "journal.h"

/* Between looking at the others and telling them, nobody else does; -1: it cannot be had. */
int share_lock(const struct journal *journal);
void share_unlock(int lock);
/* Does another run count on it? Then *before is what was there before any, if not NULL. */
bool share_find(const struct journal *journal, const struct item *item, json_t **before);

#endif
