// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST	(STDERR_FILENO + 1)

static void close_others(int keep)
{
	if (keep > FIRST)
		close_range(FIRST, keep - 1, 0);
	close_range(keep < FIRST ? FIRST : keep + 1, ~0U, 0);
}

static void settle(int keep, int end_signal, pid_t parent)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, end_signal);
	/* It may have ended before it was to be told of. */
	if (end_signal && getppid() != parent)
		_exit(128 + end_signal);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	close_others(keep);
	/* systemd is told by one process only. */
	unsetenv("NOTIFY_SOCKET");
}

pid_t process_fork(int keep, int end_signal)
{
	pid_t parent = getpid(), pid = fork();

	if (!pid)
		settle(keep, end_signal, parent);
	return pid;
}

int process_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In the child. */
static void become(const char *const argv[], int input, unsigned int seconds)
{
	dup2(input, STDIN_FILENO);
	close(input);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	alarm(seconds);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

int process_run(const char *const argv[], const char *input, unsigned int seconds)
{
	size_t len = input ? strlen(input) : 0;
	int ends[2], status;
	bool whole = true;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = process_fork(ends[0], SIGTERM);
	if (!pid)
		become(argv, ends[0], seconds);
	close(ends[0]);
	if (pid > 0 && len && write(ends[1], input, len) != (ssize_t)len)
		whole = false;
	close(ends[1]);
	status = pid < 0 ? -1 : process_wait(pid);
	return whole ? status : -1;
}
