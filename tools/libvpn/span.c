// SPDX-License-Identifier: GPL-2.0
#include "span.h"

#include <stddef.h>

/* So that nanoseconds since the epoch fit into 64 bits, with a span of weeks. */
#define NUMBER_MAX	(UINT64_MAX / 1000000000ULL / 604800)

static bool take_number(const char **text, uint64_t *number)
{
	const char *first = *text;

	for (*number = 0; **text >= '0' && **text <= '9'; (*text)++) {
		*number = *number * 10 + (**text - '0');
		if (*number > NUMBER_MAX)
			return false;
	}
	return *text != first;
}

bool vpn_span_parse(const char *text, uint64_t *seconds)
{
	static const struct {
		char name;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	size_t i;

	if (!take_number(&text, seconds))
		return false;
	if (!*text)
		return true;
	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (*text != units[i].name || text[1])
			continue;
		*seconds *= units[i].seconds;
		return true;
	}
	return false;
}
