// SPDX-License-Identifier: GPL-2.0
#include "units.h"

#include <stdio.h>
#include <time.h>

/* "1 minute, 12 seconds"; returns the length. */
static int format_span(uint64_t seconds, char *text, size_t size)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {
		{ "year", 365 * 86400 }, { "day", 86400 }, { "hour", 3600 }, { "minute", 60 },
		{ "second", 1 },
	};
	unsigned int i;
	uint64_t count;
	int len = 0;

	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		count = seconds / units[i].seconds;
		seconds %= units[i].seconds;
		if (count)
			len += snprintf(text + len, size - len, "%s%llu %s%s",
					len ? ", " : "", (unsigned long long)count,
					units[i].name, count > 1 ? "s" : "");
	}
	return len;
}

void units_ago(uint64_t seconds, char text[UNITS_TEXT])
{
	uint64_t now = time(NULL);
	int len;

	if (now < seconds) {
		snprintf(text, UNITS_TEXT, "in the future: the clock was set back");
	} else if (now == seconds) {
		snprintf(text, UNITS_TEXT, "now");
	} else {
		len = format_span(now - seconds, text, UNITS_TEXT);
		snprintf(text + len, UNITS_TEXT - len, " ago");
	}
}

void units_every(uint64_t seconds, char text[UNITS_TEXT])
{
	int len = snprintf(text, UNITS_TEXT, "every ");

	format_span(seconds, text + len, UNITS_TEXT - len);
}

void units_left(uint64_t seconds, char text[UNITS_TEXT])
{
	uint64_t now = time(NULL);
	int len;

	if (now >= seconds) {
		snprintf(text, UNITS_TEXT, "over");
		return;
	}
	len = format_span(seconds - now, text, UNITS_TEXT);
	snprintf(text + len, UNITS_TEXT - len, " left");
}

void units_when(uint64_t seconds, char text[UNITS_TEXT])
{
	uint64_t now = time(NULL);
	int len;

	if (now >= seconds) {
		units_ago(seconds, text);
		return;
	}
	len = snprintf(text, UNITS_TEXT, "in ");
	format_span(seconds - now, text + len, UNITS_TEXT - len);
}

void units_span(uint64_t seconds, char text[UNITS_TEXT])
{
	if (!format_span(seconds, text, UNITS_TEXT))
		snprintf(text, UNITS_TEXT, "0 seconds");
}

void units_latency(uint64_t nanoseconds, char text[UNITS_TEXT])
{
	if (nanoseconds < 1000000)
		snprintf(text, UNITS_TEXT, "%.1f us", nanoseconds / 1e3);
	else if (nanoseconds < 1000000000)
		snprintf(text, UNITS_TEXT, "%.2f ms", nanoseconds / 1e6);
	else
		snprintf(text, UNITS_TEXT, "%.2f s", nanoseconds / 1e9);
}

void units_bytes(uint64_t bytes, const char *what, char text[UNITS_TEXT])
{
	static const char *const names[] = { "KiB", "MiB", "GiB", "TiB" };
	double value = bytes / 1024.0;
	unsigned int i;

	if (bytes < 1024) {
		snprintf(text, UNITS_TEXT, "%llu B %s", (unsigned long long)bytes, what);
		return;
	}
	for (i = 0; i < sizeof(names) / sizeof(*names) - 1 && value >= 1024; i++)
		value /= 1024;
	snprintf(text, UNITS_TEXT, "%.2f %s %s", value, names[i], what);
}
