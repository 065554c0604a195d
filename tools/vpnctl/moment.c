// SPDX-License-Identifier: GPL-2.0
#include "moment.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "../libvpn/span.h"

#define MOMENT_IS \
	"a time is 'never', a date as in 2026-12-31 or 2026-12-31T23:59:59Z, seconds since the epoch, or from now on as in +90m or +30d"
#define SPAN_IS		"a time is 'forever' or a number of seconds, or one with s, m, h, d or w, as in 12h"

/* Nanoseconds of later moments do not fit: the year 2554. */
#define LAST_SECOND	(UINT64_MAX / NSEC_PER_SEC - 1)

/* Exactly so many digits. */
static bool take_digits(const char **text, unsigned int count, int *number)
{
	*number = 0;
	while (count--) {
		if (**text < '0' || **text > '9')
			return false;
		*number = *number * 10 + *(*text)++ - '0';
	}
	return true;
}

static bool take_char(const char **text, const char *any)
{
	if (!**text || !strchr(any, **text))
		return false;
	(*text)++;
	return true;
}

static bool take_date(const char **text, struct tm *tm)
{
	if (!take_digits(text, 4, &tm->tm_year) || !take_char(text, "-") ||
	    !take_digits(text, 2, &tm->tm_mon) || !take_char(text, "-") ||
	    !take_digits(text, 2, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	return true;
}

static bool take_time(const char **text, struct tm *tm)
{
	return take_digits(text, 2, &tm->tm_hour) && take_char(text, ":") &&
	       take_digits(text, 2, &tm->tm_min) && take_char(text, ":") &&
	       take_digits(text, 2, &tm->tm_sec);
}

/* ".25": digits beyond nanoseconds are left out. */
static bool take_fraction(const char **text, uint64_t *nanoseconds)
{
	uint64_t unit = NSEC_PER_SEC / 10;

	*nanoseconds = 0;
	if (!take_char(text, "."))
		return true;
	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
		*nanoseconds += (**text - '0') * unit;
	return true;
}

/* "Z" or "+01:00" in seconds. */
static bool take_zone(const char **text, long *offset)
{
	int hours, minutes, sign = **text == '-' ? -1 : 1;

	*offset = 0;
	if (take_char(text, "Zz"))
		return true;
	if (!take_char(text, "+-") || !take_digits(text, 2, &hours) || !take_char(text, ":") ||
	    !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset = sign * (hours * 3600L + minutes * 60L);
	return true;
}

/* False for the 31st of February, which timegm() would move to March. */
static bool to_seconds(const struct tm *tm, time_t *seconds)
{
	struct tm same = *tm;

	*seconds = timegm(&same);
	return same.tm_mon == tm->tm_mon && same.tm_mday == tm->tm_mday &&
	       same.tm_hour == tm->tm_hour && same.tm_min == tm->tm_min &&
	       same.tm_sec == tm->tm_sec;
}

static bool parse_date(const char *text, uint64_t *moment)
{
	struct tm tm = { 0 };
	uint64_t fraction = 0;
	long offset = 0;
	time_t seconds;

	if (!take_date(&text, &tm))
		return false;
	if (*text && (!take_char(&text, "Tt ") || !take_time(&text, &tm) ||
		      !take_fraction(&text, &fraction) || !take_zone(&text, &offset)))
		return false;
	if (*text || !to_seconds(&tm, &seconds))
		return false;
	seconds -= offset;
	if (seconds < 0 || (uint64_t)seconds > LAST_SECOND)
		return false;
	*moment = seconds * NSEC_PER_SEC + fraction;
	/* Zero would mean never. */
	return *moment;
}

/* As many digits as there are, but at least one; at most that. */
static bool take_number(const char **text, uint64_t max, uint64_t *number)
{
	const char *first = *text;

	for (*number = 0; **text >= '0' && **text <= '9'; (*text)++) {
		*number = *number * 10 + (**text - '0');
		if (*number > max)
			return false;
	}
	return *text != first;
}

static bool parse_from_now(const char *text, uint64_t *moment)
{
	uint64_t seconds, now = time(NULL);

	if (!vpn_span_parse(text, &seconds) || now + seconds > LAST_SECOND)
		return false;
	*moment = (now + seconds) * NSEC_PER_SEC;
	return true;
}

static bool parse_epoch(const char *text, uint64_t *moment)
{
	uint64_t seconds;

	if (!take_number(&text, LAST_SECOND, &seconds) || *text || !seconds)
		return false;
	*moment = seconds * NSEC_PER_SEC;
	return true;
}

bool moment_parse(const char *text, uint64_t *moment)
{
	*moment = 0;
	if (!strcasecmp(text, "never"))
		return true;
	if (*text == '+')
		return parse_from_now(text + 1, moment);
	return parse_epoch(text, moment) || parse_date(text, moment);
}

void moment_format(uint64_t moment, char text[MOMENT_TEXT])
{
	unsigned long fraction = moment % NSEC_PER_SEC;
	time_t seconds = moment / NSEC_PER_SEC;
	struct tm tm;
	size_t len;

	if (!moment) {
		snprintf(text, MOMENT_TEXT, "never");
		return;
	}
	gmtime_r(&seconds, &tm);
	len = strftime(text, MOMENT_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	if (fraction)
		len += snprintf(text + len, MOMENT_TEXT - len, ".%09lu", fraction);
	snprintf(text + len, MOMENT_TEXT - len, "Z");
}

bool parse_moment(const struct origin *at, const char *value, uint64_t *moment)
{
	return moment_parse(value, moment) ||
	       complain(at, "'%s' is not a time; " MOMENT_IS, value);
}

bool parse_lease_time(const struct origin *at, const char *value, uint32_t *seconds)
{
	uint64_t span = 0;

	if (strcasecmp(value, "forever") &&
	    (!vpn_span_parse(value, &span) || !span || span > UINT32_MAX))
		return complain(at, "'%s' is not a time; " SPAN_IS, value);
	*seconds = span;
	return true;
}
