/* SPDX-License-Identifier: GPL-2.0 */
/* Points in time and spans of it, as users write and read them. */
#ifndef VPNCTL_MOMENT_H
#define VPNCTL_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "complain.h"

#define NSEC_PER_SEC	1000000000ULL
/* "2026-12-31T23:59:59.123456789Z" with room to spare. */
#define MOMENT_TEXT	48

/*
 * "2026-12-31T23:59:59Z", "2026-12-31", seconds since the epoch, "+30d" from now,
 * or "never", which is zero. In nanoseconds since the epoch.
 */
bool moment_parse(const char *text, uint64_t *moment);
void moment_format(uint64_t moment, char text[MOMENT_TEXT]);

/* For settings; they complain. */
bool parse_moment(const struct origin *at, const char *value, uint64_t *moment);
/* "1h", or "forever", which is zero. */
bool parse_lease_time(const struct origin *at, const char *value, uint32_t *seconds);

#endif
