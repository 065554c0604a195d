// SPDX-License-Identifier: GPL-2.0
#include "complain.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "command.h"

bool complain(const struct origin *at, const char *format, ...)
{
	va_list args;

	fputs("vpnctl: ", stderr);
	if (at && at->file)
		fprintf(stderr, "%s:%u: ", at->file, at->line);
	if (at && at->word)
		fprintf(stderr, "%s ", at->word);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return false;
}

void warn(const char *format, ...)
{
	va_list args;

	fputs("vpnctl: warning: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int complain_error(const struct vpn_error *err)
{
	if (err->fault == VPN_FAULT_NO_RIGHTS)
		complain(NULL, "%s; CAP_NET_ADMIN is needed: run it as root", err->text);
	else
		complain(NULL, "%s", err->text);
	return STATUS_FAILED;
}

int complain_usage(const char *name, const char *format, ...)
{
	const struct command *command = command_find(name);
	va_list args;

	fputs("vpnctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (command)
		fprintf(stderr, "usage: vpnctl %s %s\n", command->name, command->synopsis);
	else
		fputs("'vpnctl help' lists the commands\n", stderr);
	return STATUS_USAGE;
}
