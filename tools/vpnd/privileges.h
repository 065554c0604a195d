/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPND_PRIVILEGES_H
#define VPND_PRIVILEGES_H

#include <stdbool.h>

/*
 * Give up for good, for us and all that we start, what neither setting up nor
 * undoing needs; nothing that is run from then on gets more. Zero, or -errno.
 */
int privileges_drop(void);
/* The same, with nothing that is kept. */
int privileges_drop_all(void);

/* Is there what nothing works without? */
bool privileges_suffice(void);

#endif
