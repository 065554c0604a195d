/* SPDX-License-Identifier: GPL-2.0 */
/* Time that passes, and the wall clock, which somebody may set. */
#ifndef VPND_CLOCK_H
#define VPND_CLOCK_H

#include "daemon.h"

/* Seconds since the host was switched on; what takes long is measured with that. */
uint64_t clock_seconds(void);

/* On disk are dates. When the clock is set, they are others. */
void clock_watch(struct daemon *d);
void clock_close(struct daemon *d);

#endif
