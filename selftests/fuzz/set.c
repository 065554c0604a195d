// SPDX-License-Identifier: GPL-2.0
/*
 * The words of 'vpnctl set', one a line: all are good but for the kernel, to which there is
 * no way from here, or there is a complaint. That is the case either way.
 */

#define FUZZ_TARGET
#include "tools.h"
#include "target.h"

#include "../../tools/vpnctl/command.h"

#define WORDS_MAX	64

/* That of main.c, where all commands hang together. */
const struct command *command_find(const char *name)
{
	(void)name;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[WORDS_MAX + 3] = { "set", "vpn0" }, *said = NULL, *text, *at;
	int argc = 2;
	size_t len;

	text = malloc(size + 1);
	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (at = text; argc < WORDS_MAX && at;)
		argv[argc++] = strsep(&at, "\n");
	fuzz_complaints = open_memstream(&said, &len);
	MUST(fuzz_complaints);
	/* No file is the input of this one. */
	if (!strstr(text, "/proc/"))
		MUST(cmd_set(argc, argv) && (fflush(fuzz_complaints), len));
	fclose(fuzz_complaints);
	free(said);
	free(text);
	return 0;
}
