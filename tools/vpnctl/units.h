/* SPDX-License-Identifier: GPL-2.0 */
/* Quantities as people read them. */
#ifndef VPNCTL_UNITS_H
#define VPNCTL_UNITS_H

#include <stdint.h>

#define UNITS_TEXT	128

/* "1 minute, 12 seconds ago", by the clock of the moment. */
void units_ago(uint64_t seconds, char text[UNITS_TEXT]);
/* "every 25 seconds" */
void units_every(uint64_t seconds, char text[UNITS_TEXT]);
/* "1.20 KiB received" */
void units_bytes(uint64_t bytes, const char *what, char text[UNITS_TEXT]);

#endif
