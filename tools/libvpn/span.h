/* SPDX-License-Identifier: GPL-2.0 */
/* Spans of time, as users write them. */
#ifndef LIBVPN_SPAN_H
#define LIBVPN_SPAN_H

#include <stdbool.h>
#include <stdint.h>

/* A number of seconds, or one with s, m, h, d or w behind it; some 500 years at most. */
bool vpn_span_parse(const char *text, uint64_t *seconds);

#endif
