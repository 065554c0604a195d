// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "complain.h"
#include "settings.h"

/* Take one setting off the arguments; the exit status, zero when it is good. */
static int take_setting(struct builder *b, char ***args)
{
	const char *word = *(*args)++, *value = NULL;
	const struct setting *setting = setting_by_word(word, b->peer);
	const struct origin at = { .word = word };
	bool starts_peer = setting && !strcmp(word, "peer");

	if (!setting)
		return !complain(NULL, "'%s' is not a setting%s", word, setting_hint(word, false));
	if (setting->of_peer && !b->peer && !starts_peer)
		return !complain(&at, "belongs to a peer; write 'peer KEY' before it");
	if (!setting->of_peer && b->peer)
		return !complain(&at, "belongs to the device; write it before the first peer");
	if (!starts_peer && !setting_once(b, setting, &at))
		return STATUS_FAILED;
	if (strcmp(word, "remove")) {
		value = *(*args)++;
		if (!value)
			return complain_usage("set", "'%s' needs a value", word);
	}
	return setting->parse_word(b, &at, value) ? 0 : STATUS_FAILED;
}

int cmd_set(int argc, char *argv[])
{
	struct builder b;
	int status = 0;

	if (argc < 3)
		return complain_usage("set", "a device and a setting are needed");
	if (!builder_begin(&b, argv[1]))
		return STATUS_FAILED;
	argv += 2;
	while (*argv && !status)
		status = take_setting(&b, &argv);
	builder_end(&b);
	if (!status)
		status = settings_apply(b.dev);
	vpn_device_free(b.dev);
	return status;
}
