// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "config.h"
#include "daemon.h"
#include "doctor.h"
#include "verifier.h"

#define USAGE \
	"usage: vpnd [--daemon] FILE.toml\n" \
	"       vpnd --check FILE.toml...\n" \
	"       vpnd --undo NAME\n" \
	"       vpnd --reference\n" \
	"\n" \
	"  -c, --check      say whether files are right, and do nothing else\n" \
	"  -d, --daemon     come back when it runs, and go on in the background\n" \
	"      --undo       undo what a run that was killed has left, for instance\n" \
	"                   of server.toml: --undo server\n" \
	"      --reference  print all keys of a file, as Markdown\n" \
	"  -h, --help       print this\n" \
	"  -v, --version    print the version\n" \
	"\n" \
	"vpnd(8) tells more, and vpn.toml(5) of the file.\n"

enum { STATUS_FAILED = 1, STATUS_USAGE = 2, OPTION_REFERENCE = 256, OPTION_UNDO };

static int check_files(char *files[])
{
	struct config *config;
	int status = 0;

	for (; *files; files++) {
		config = config_read(*files, stderr);
		if (config)
			printf("%s: is right, for a %s\n", *files,
			       config->role == ROLE_SERVER ? "server" : "client");
		else
			status = STATUS_FAILED;
		config_free(config);
	}
	return status;
}

/* Whoever started us may wait for our output to end, or unmount where we are. */
static void let_go(const char **path)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	char *whole = config_path(*path);

	if (fd >= 0) {
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
	}
	if (whole && !chdir("/"))
		*path = whole;
	else
		free(whole);
}

static int undo_run(const char *name)
{
	char *folder = daemon_run_folder(), path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.journal", folder, name);
	free(folder);
	if (!access(path, F_OK))
		return daemon_undo(name);
	fprintf(stderr, "vpnd: there is nothing to undo: '%s' is not there\n", path);
	return STATUS_FAILED;
}

/* The first process ends when the second one says that it is ready, or ends. */
static int run_in_background(const char *path)
{
	int ends[2];
	pid_t pid;
	char c;

	if (pipe2(ends, O_CLOEXEC)) {
		perror("vpnd");
		return STATUS_FAILED;
	}
	pid = fork();
	if (pid < 0) {
		perror("vpnd");
		return STATUS_FAILED;
	}
	if (pid) {
		close(ends[1]);
		return read(ends[0], &c, 1) == 1 ? 0 : STATUS_FAILED;
	}
	close(ends[0]);
	setsid();
	let_go(&path);
	return daemon_run(path, ends[1]);
}

static int usage(const char *sentence)
{
	fprintf(stderr, "vpnd: %s\n" USAGE, sentence);
	return STATUS_USAGE;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "daemon", no_argument, NULL, 'd' },
		{ "undo", required_argument, NULL, OPTION_UNDO },
		{ "reference", optional_argument, NULL, OPTION_REFERENCE },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	bool check = false, background = false;
	int option;

	if (argc == 2 && !strcmp(argv[1], "--verifier"))
		return verifier_main();
	/* For vpnctl, whose command line it is. */
	if (argc > 2 && !strcmp(argv[1], "--ask"))
		return ask(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "--doctor"))
		return doctor(argc - 1, argv + 1);
	while ((option = getopt_long(argc, argv, "cdhv", options, NULL)) >= 0) {
		switch (option) {
		case 'c':
			check = true;
			break;
		case 'h':
			fputs(USAGE, stdout);
			return 0;
		case 'v':
			puts("vpnd " VPN_VERSION);
			return 0;
		case 'd':
			background = true;
			break;
		case OPTION_UNDO:
			return undo_run(optarg);
		case OPTION_REFERENCE:
			if (optarg && !strcmp(optarg, "man"))
				config_print_man(stdout);
			else
				config_print_reference(stdout);
			return 0;
		default:
			return STATUS_USAGE;
		}
	}
	if (optind == argc)
		return usage("a file is needed");
	if (check)
		return check_files(argv + optind);
	if (argc - optind > 1)
		return usage("one file is enough; start vpnd once for each");
	return background ? run_in_background(argv[optind]) : daemon_run(argv[optind], -1);
}
