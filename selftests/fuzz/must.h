/* SPDX-License-Identifier: GPL-2.0 */
/* What has to be true whatever a target was given. */
#ifndef VPN_FUZZ_MUST_H
#define VPN_FUZZ_MUST_H

#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)							\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "line %d: not true: %s\n",	\
				__LINE__, #condition);			\
			abort();					\
		}							\
	} while (0)

#endif
