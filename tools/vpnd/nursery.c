// SPDX-License-Identifier: GPL-2.0
#include "nursery.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "privileges.h"

#define NOBODY		65534
/* With the number of a process added these are users that nobody else is. */
#define USERS		0x70000000
#define ARGUMENT_MAX	32

/* A process to be ended, or with two descriptors one to be started. */
struct request {
	pid_t stop;
	char argument[ARGUMENT_MAX];
};

/* Room for two descriptors. */
union control {
	struct cmsghdr header;
	char octets[CMSG_SPACE(2 * sizeof(int))];
};

/*
 * In that process
 */

static bool become(uid_t user)
{
	return !setresgid(user, user, user) && !setresuid(user, user, user);
}

/*
 * What is not allowed stays as it is: without CAP_SYS_ADMIN there is no other network, and
 * users above 65535 are not in every container. What is started sees to its last rights.
 */
static void give_up_rights(void)
{
	if (unshare(CLONE_NEWNET) || unshare(CLONE_NEWIPC) || setgroups(0, NULL))
		errno = 0;
	if (!become(USERS + getpid()) && !become(NOBODY))
		errno = 0;
	privileges_drop_all();
}

static void run(const char *argument, int fds[2])
{
	const char *const args[] = { "vpnd", argument, NULL };
	static const char *const environment[] = { "LC_ALL=C", NULL };
	int i;

	for (i = 0; i < 2; i++) {
		/* Neither may lie where the other goes. */
		fds[i] = fcntl(fds[i], F_DUPFD, 16);
		if (fds[i] < 0)
			_exit(1);
	}
	for (i = 0; i < 2; i++) {
		if (dup2(fds[i], STDERR_FILENO + 1 + i) < 0)
			_exit(1);
	}
	close_range(STDERR_FILENO + 3, ~0U, 0);
	/* A new program: what this one has in its memory is no business of that one. */
	execve("/proc/self/exe", (char *const *)args, (char *const *)environment);
	_exit(1);
}

static pid_t start(const char *argument, int fds[2])
{
	pid_t pid = fork();

	if (!pid)
		run(argument, fds);
	return pid < 0 ? -errno : pid;
}

static bool take_descriptors(struct msghdr *message, int fds[2])
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	if (!header || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return false;
	memcpy(fds, CMSG_DATA(header), 2 * sizeof(int));
	return true;
}

/* One request; false: nobody is there any more. */
static bool serve(int fd)
{
	union control control;
	struct request request;
	struct iovec part = { &request, sizeof(request) };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	pid_t answer = 0;
	int fds[2];

	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != sizeof(request))
		return false;
	request.argument[ARGUMENT_MAX - 1] = '\0';
	if (take_descriptors(&message, fds)) {
		answer = start(request.argument, fds);
		close(fds[0]);
		close(fds[1]);
	} else if (request.stop > 0 && !kill(request.stop, SIGKILL)) {
		waitpid(request.stop, NULL, 0);
	}
	return send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) == sizeof(answer);
}

/* Whoever ends a group of processes means the daemon, and this ends with that. */
static void ignore_signals(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

static void tend(int fd, pid_t parent)
{
	ignore_signals();
	fd = dup2(fd, STDERR_FILENO + 1);
	close_range(STDERR_FILENO + 2, ~0U, 0);
	give_up_rights();
	/* A change of the user has taken it back. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	while (serve(fd))
		;
	_exit(0);
}

/*
 * In ours
 */

int nursery_open(void)
{
	pid_t parent = getpid(), pid;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid = fork();
	if (!pid)
		tend(ends[1], parent);
	close(ends[1]);
	if (pid > 0)
		return ends[0];
	close(ends[0]);
	return -errno;
}

void nursery_close(int nursery)
{
	if (nursery >= 0)
		close(nursery);
}

/* Its answer, or -errno. */
static pid_t ask(int nursery, const struct msghdr *message)
{
	ssize_t len;
	pid_t answer;

	if (nursery < 0 || sendmsg(nursery, message, MSG_NOSIGNAL) < 0)
		return nursery < 0 ? -EPIPE : -errno;
	do {
		len = recv(nursery, &answer, sizeof(answer), 0);
	} while (len < 0 && errno == EINTR);
	return len == sizeof(answer) ? answer : -EPIPE;
}

/*
 * It does next to nothing that could end it, but the kernel may, for want of memory. The
 * next one is made with what rights we have left: its children keep our user.
 */
static int replace(int *nursery)
{
	nursery_close(*nursery);
	*nursery = nursery_open();
	return *nursery < 0 ? *nursery : 0;
}

static bool is_dead(pid_t answer)
{
	return answer == -EPIPE || answer == -ECONNRESET || answer == -EBADF;
}

pid_t nursery_start(int *nursery, const char *argument, int third, int fourth)
{
	const int fds[2] = { third, fourth };
	struct request request = { 0 };
	struct iovec part = { &request, sizeof(request) };
	union control control = {
		.header = {
			.cmsg_len = CMSG_LEN(sizeof(fds)), .cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		},
	};
	const struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	pid_t answer;

	snprintf(request.argument, sizeof(request.argument), "%s", argument);
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	answer = ask(*nursery, &message);
	if (!is_dead(answer))
		return answer;
	answer = replace(nursery);
	return answer ? answer : ask(*nursery, &message);
}

void nursery_stop(int nursery, pid_t pid)
{
	struct request request = { .stop = pid };
	struct iovec part = { &request, sizeof(request) };
	const struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	ask(nursery, &message);
}
