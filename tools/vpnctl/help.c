// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "command.h"
#include "complain.h"

static void list_commands(void)
{
	const struct command *command;

	puts("usage: vpnctl [-j] COMMAND [ARGUMENT]...\n");
	for (command = commands; command->name; command++)
		printf("  %-10s %s\n", command->name, command->summary);
	puts("\n'vpnctl help COMMAND' tells more; so does vpnctl(8).");
}

int cmd_help(int argc, char *argv[])
{
	const struct command *command;

	if (argc > 2)
		return complain_usage("help", "'%s' is one argument too many", argv[2]);
	if (argc < 2) {
		list_commands();
		return 0;
	}
	command = command_find(argv[1]);
	if (!command)
		return complain_usage(NULL, "'%s' is not a command", argv[1]);
	printf("usage: vpnctl %s %s\n%s\n", command->name, command->synopsis, command->summary);
	return 0;
}
