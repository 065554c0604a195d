// SPDX-License-Identifier: GPL-2.0
/*
 * A file of wg-quick's for 'vpnctl import': there is a complaint, or what is printed is
 * TOML, whatever the values are.
 */

#define FUZZ_TARGET
#include "tools.h"
#include "target.h"

#include "../../tools/vpnctl/command.h"
#include "../../tools/vpnd/toml.h"

/* That of main.c, where all commands hang together. */
const struct command *command_find(const char *name)
{
	(void)name;
	return NULL;
}

static void check_printed(const char *text, size_t len)
{
	struct toml_error err;
	struct toml_node *root = toml_parse(text, len, &err);

	MUST(root);
	toml_free(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *said = NULL, *printed = NULL, *argv[] = { "import", NULL, NULL };
	size_t said_len, printed_len;
	FILE *terminal = stdout;
	int fd, status;

	argv[1] = (char *)fuzz_file(data, size, &fd);
	fuzz_complaints = open_memstream(&said, &said_len);
	stdout = open_memstream(&printed, &printed_len);
	MUST(fuzz_complaints && stdout);
	status = cmd_import(2, argv);
	fclose(fuzz_complaints);
	fclose(stdout);
	stdout = terminal;
	MUST(!status || said_len);
	if (!status)
		check_printed(printed, printed_len);
	free(said);
	free(printed);
	close(fd);
	return 0;
}
