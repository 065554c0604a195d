// SPDX-License-Identifier: GPL-2.0
/* Programs that setup has to tell something; none of them is a shell. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "setup.h"

extern char **environ;

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

/* Whatever does not fit is read all the same, or the program would wait. */
static void read_output(int fd, char *output, size_t size)
{
	char rest[512];
	size_t len = 0;
	ssize_t got;

	do {
		got = len + 1 < size ? read(fd, output + len, size - 1 - len) :
		      read(fd, rest, sizeof(rest));
		if (got > 0 && len + 1 < size)
			len += got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	while (len && output[len - 1] == '\n')
		len--;
	output[len] = '\0';
}

/* What root's shell has after su may lack /usr/sbin; and words are read, so they are English. */
static void settle_environment(void)
{
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("LC_ALL", "C", 1);
	setenv("SYSTEMD_PAGER", "", 1);
}

static int start(const char *const argv[], int output, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int ret;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	ret = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return ret;
}

int setup_run(const char *const argv[], char *output, size_t size)
{
	int ends[2], ret;
	pid_t pid;

	*output = '\0';
	settle_environment();
	if (pipe2(ends, O_CLOEXEC))
		return -1;
	ret = start(argv, ends[1], &pid);
	close(ends[1]);
	if (!ret)
		read_output(ends[0], output, size);
	close(ends[0]);
	return ret ? -1 : wait_for(pid);
}
