// SPDX-License-Identifier: GPL-2.0
/* What vpnd does for vpnctl, by being run. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "complain.h"

#define ARGUMENTS_MAX	60

/* Beside this program, or where an installation has it. */
static void run_vpnd(char *argv[])
{
	char path[PATH_MAX], *slash;
	ssize_t len;

	len = readlink("/proc/self/exe", path, sizeof(path) - sizeof("/../sbin/vpnd"));
	path[len > 0 ? len : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		strcpy(slash, "/../sbin/vpnd");
		execv(path, argv);
		strcpy(slash, "/../vpnd/vpnd");
		execv(path, argv);
	}
	execvp("vpnd", argv);
}

/* Run vpnd with options before the arguments of the command. */
static int run_with(const char *first, const char *second, const char *third, int argc,
		    char *argv[])
{
	char program[] = "vpnd", *args[ARGUMENTS_MAX + 4] = { program };
	int count = 1;

	if (argc - 1 > ARGUMENTS_MAX)
		return complain_usage(argv[0], "these are too many arguments");
	args[count++] = (char *)first;
	if (second)
		args[count++] = (char *)second;
	if (third)
		args[count++] = (char *)third;
	memcpy(args + count, argv + 1, (argc - 1) * sizeof(*argv));
	run_vpnd(args);
	complain(NULL, "vpnd cannot be run: %s; it comes with the same package as vpnctl",
		 strerror(errno));
	return STATUS_FAILED;
}

int cmd_check(int argc, char *argv[])
{
	if (argc < 2)
		return complain_usage("check", "a file is needed");
	return run_with("--check", NULL, NULL, argc, argv);
}

int cmd_up(int argc, char *argv[])
{
	if (argc != 2)
		return complain_usage("up", "one file is needed");
	return run_with("--daemon", NULL, NULL, argc, argv);
}

int cmd_doctor(int argc, char *argv[])
{
	return run_with("--doctor", want_json ? "-j" : NULL, NULL, argc, argv);
}

/* "down", "reload" and so on. */
int cmd_ask(int argc, char *argv[])
{
	return run_with("--ask", argv[0], want_json ? "-j" : NULL, argc, argv);
}
