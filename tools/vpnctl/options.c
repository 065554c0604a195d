// SPDX-License-Identifier: GPL-2.0
#include "options.h"

#include <string.h>

#include "../libvpn/nearest.h"
#include "../libvpn/span.h"
#include "complain.h"
#include "parse.h"

#define DAY		86400
/* A hundred years. */
#define DAYS_MAX	36525

static const struct option_of *find(const struct option_of *options, const char *word,
				    struct nearest *nearest)
{
	nearest_begin(nearest, word);
	for (; options->name; options++) {
		if (!strcmp(options->name, word))
			return options;
		nearest_try(nearest, options->name);
	}
	return NULL;
}

/* False after a complaint. */
static bool take_value(const char *command, const struct option_of *option, const char *value)
{
	if (!value) {
		complain_usage(command, "'%s' needs a value", option->name);
		return false;
	}
	if (option->value && *option->value) {
		complain_usage(command, "'%s' is given twice", option->name);
		return false;
	}
	if (option->value)
		*option->value = value;
	else if (option->list->count == OPTION_LIST_MAX)
		return complain(NULL, "'%s' is given more than %d times", option->name,
				OPTION_LIST_MAX);
	else
		option->list->words[option->list->count++] = value;
	return true;
}

int options_take(const char *command, const struct option_of *options, int argc, char *argv[])
{
	const struct option_of *option;
	struct nearest nearest;
	int from, to = 0;

	for (from = 0; from < argc; from++) {
		if (strncmp(argv[from], "--", 2)) {
			argv[to++] = argv[from];
			continue;
		}
		option = find(options, argv[from], &nearest);
		if (!option) {
			complain_usage(command, "'%s' is no option%s", argv[from],
				       nearest_hint(&nearest));
			return -1;
		}
		if (option->flag)
			*option->flag = true;
		else if (!take_value(command, option, argv[++from]))
			return -1;
	}
	argv[to] = NULL;
	return to;
}

bool options_lifetime(const char *days, const char *span, int64_t fallback, int64_t *seconds)
{
	const struct origin at_days = { .word = "--days" }, at_span = { .word = "--for" };
	uint64_t value;

	*seconds = fallback;
	if (days && span)
		return complain(NULL, "there are both --days and --for; one is enough");
	if (days) {
		if (!parse_count(&at_days, days, 1, DAYS_MAX, "a number of days", &value))
			return false;
		*seconds = value * DAY;
	} else if (span) {
		if (!vpn_span_parse(span, &value) || !value || value > (uint64_t)DAYS_MAX * DAY)
			return complain(&at_span,
					"'%s' is not a time; a time is a number of seconds, or one with s, m, h, d or w, as in 12h",
					span);
		*seconds = value;
	}
	return true;
}
