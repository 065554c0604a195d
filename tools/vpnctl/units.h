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
/* "59 minutes, 3 seconds left", or "over" */
void units_left(uint64_t seconds, char text[UNITS_TEXT]);
/* "in 59 minutes, 3 seconds", or as units_ago() */
void units_when(uint64_t seconds, char text[UNITS_TEXT]);
/* "1 hour, 30 minutes" */
void units_span(uint64_t seconds, char text[UNITS_TEXT]);
/* "1.25 ms" */
void units_latency(uint64_t nanoseconds, char text[UNITS_TEXT]);
/* "1.20 KiB received" */
void units_bytes(uint64_t bytes, const char *what, char text[UNITS_TEXT]);

#endif
