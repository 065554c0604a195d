/* SPDX-License-Identifier: GPL-2.0 */
/* Telling the user what is wrong: one sentence a fault, on stderr. */
#ifndef VPNCTL_COMPLAIN_H
#define VPNCTL_COMPLAIN_H

#include <stdbool.h>

#include "../libvpn/error.h"

/* Exit statuses. */
#define STATUS_FAILED	1
#define STATUS_USAGE	2

/* Where a value was found. */
struct origin {
	const char *file;	/* NULL: on the command line */
	unsigned int line;
	const char *word;	/* the keyword it belongs to; may be NULL */
};

/* "vpnctl: FILE:LINE: WORD sentence"; always false, for parsers to return. */
bool complain(const struct origin *at, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print what a call of the library said; always STATUS_FAILED. */
int complain_error(const struct vpn_error *err);

/* The sentence, then the usage of that command; always STATUS_USAGE. */
int complain_usage(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
