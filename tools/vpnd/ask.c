// SPDX-License-Identifier: GPL-2.0
#include "ask.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "daemon.h"

/* For how long a connection is waited for. */
#define CONNECT_SECONDS	30
/* For an answer that needs nothing but a look. */
#define ANSWER_SECONDS	10
/* For one that comes after the hooks of a reload; and for an end, after those of it. */
#define WAIT_SECONDS	120
#define POLL_NSEC	200000000

#define LEFT \
	"'%s' does not run, and has left what it made; 'vpnd --undo %s' undoes that, 'vpnctl up FILE' goes on with it"

struct asking {
	const char *command;
	char name[64];
	bool json, dry, keep;
};

static int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int complain(const char *format, ...)
{
	va_list args;

	fputs("vpnctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return 1;
}

static int patience(const char *command)
{
	return strcmp(command, "reload") && strcmp(command, "stop") ? ANSWER_SECONDS :
	       WAIT_SECONDS;
}

static int connect_to(const char *name, int seconds)
{
	const struct timeval wait = { .tv_sec = seconds };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *folder = daemon_run_folder();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ret;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s.sock", folder, name);
	free(folder);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		ret = errno;
		close(fd);
		errno = ret;
		fd = -1;
	}
	return fd;
}

/* False: nothing has come in that time. */
static bool wait_readable(int fd, int seconds)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };

	return poll(&poller, 1, seconds * 1000);
}

/* The answer, or NULL, and errno: nobody is there, or ETIMEDOUT: somebody is, and is silent. */
static json_t *converse(const struct asking *asking, const char *command)
{
	int seconds = patience(command), fd = connect_to(asking->name, seconds), silent;
	json_t *question, *answer = NULL;

	if (fd < 0) {
		/* Its queue is full. */
		errno = errno == EAGAIN ? ETIMEDOUT : errno;
		return NULL;
	}
	question = json_pack("{s:s, s:b, s:b}", "command", command, "dry_run", asking->dry, "keep",
			     asking->keep);
	silent = json_dumpfd(question, fd, JSON_COMPACT) || write(fd, "\n", 1) != 1 ? 0 :
		 !wait_readable(fd, seconds);
	if (!silent)
		answer = json_loadfd(fd, 0, NULL);
	json_decref(question);
	close(fd);
	errno = silent ? ETIMEDOUT : ECONNREFUSED;
	return answer;
}

json_t *ask_status(const char *name)
{
	struct asking asking = { .command = "status" };

	snprintf(asking.name, sizeof(asking.name), "%s", name);
	return converse(&asking, asking.command);
}

/* "server" in the folder of those that run, with that ending. */
static bool path_of(const struct asking *asking, const char *ending, char path[PATH_MAX])
{
	char *folder = daemon_run_folder();

	snprintf(path, PATH_MAX, "%s/%s%s", folder, asking->name, ending);
	free(folder);
	return !access(path, F_OK);
}

/* Whoever runs holds its lock to the very end. */
static bool is_locked(const struct asking *asking)
{
	char path[PATH_MAX];
	bool locked;
	FILE *lock;

	path_of(asking, ".lock", path);
	lock = fopen(path, "re");
	if (!lock)
		return false;
	locked = flock(fileno(lock), LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	fclose(lock);
	return locked;
}

/* Why there is no answer. */
static int complain_gone(const struct asking *asking)
{
	const char *name = asking->name;
	char path[PATH_MAX];

	if (errno == ETIMEDOUT)
		return complain("'%s' runs, and does not answer; its log may say what it waits for",
				name);
	if (errno == EACCES || errno == EPERM)
		return complain("'%s' cannot be asked: %s; only root may", name, strerror(errno));
	if (is_locked(asking))
		return complain("'%s' is just starting or ending; ask again in a moment", name);
	if (path_of(asking, ".journal", path))
		return complain(LEFT, name, name);
	return complain("'%s' does not run; 'vpnctl up FILE' starts it", name);
}

static const char *text_of(const json_t *answer, const char *name)
{
	const char *text = json_string_value(json_object_get(answer, name));

	return text ? text : "";
}

static void print_status(const json_t *answer)
{
	long long up = time(NULL) - json_integer_value(json_object_get(answer, "started"));
	const char *state = text_of(answer, "state"), *trouble = text_of(answer, "trouble");

	printf("%s: a %s at %s, pid %lld, for %lld s\n", text_of(answer, "name"),
	       text_of(answer, "role"), text_of(answer, "device"),
	       (long long)json_integer_value(json_object_get(answer, "pid")), up);
	if (*state)
		printf("  %s: %s%s%s\n", state, text_of(answer, "server"), *trouble ? "; " : "",
		       trouble);
	else
		printf("  clients: %lld\n",
		       (long long)json_integer_value(json_object_get(answer, "connected")));
}

static int print_answer(const struct asking *asking, const json_t *answer)
{
	const char *text = text_of(answer, "text");

	if (asking->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!strcmp(asking->command, "status")) {
		print_status(answer);
	} else if (*text) {
		fputs(text, stdout);
	} else if (!strcmp(asking->command,
			   "reload") && json_is_true(json_object_get(answer, "ok"))) {
		puts("nothing differs");
	}
	if (json_is_true(json_object_get(answer, "ok")))
		return 0;
	return complain("%s", text_of(answer, "error"));
}

static void pause_shortly(void)
{
	const struct timespec wait = { .tv_nsec = POLL_NSEC };

	nanosleep(&wait, NULL);
}

/* Until it is connected, or has been told why not. */
static int wait_connected(const struct asking *asking)
{
	uint64_t end = clock_seconds() + CONNECT_SECONDS;
	char trouble[512] = "the server does not answer";
	bool connected, troubled;
	json_t *answer;

	while (clock_seconds() < end) {
		answer = converse(asking, "status");
		if (!answer && errno != ETIMEDOUT)
			return complain("vpnd has ended meanwhile; its log says why");
		if (!answer)
			return complain_gone(asking);
		connected = !strcmp(text_of(answer, "state"), "connected");
		troubled = *text_of(answer, "trouble");
		if (troubled)
			snprintf(trouble, sizeof(trouble), "%s", text_of(answer, "trouble"));
		json_decref(answer);
		if (connected && !troubled)
			return 0;
		/* A server does not think better of it, nor does this host. */
		if (connected || !strncmp(trouble, "refused", 7))
			break;
		pause_shortly();
	}
	return complain("%s", trouble);
}

/* It has stopped when nobody is there any more. */
static int wait_stopped(const struct asking *asking)
{
	uint64_t end = clock_seconds() + WAIT_SECONDS;
	bool there;

	while ((there = is_locked(asking)) && clock_seconds() < end)
		pause_shortly();
	return there ? complain("'%s' has not ended in %d seconds; its log says what it waits for",
				asking->name, WAIT_SECONDS) : 0;
}

static int carry_out(const struct asking *asking)
{
	json_t *answer = converse(asking, strcmp(asking->command,
						 "down") ? asking->command : "stop");
	int status;

	if (!answer)
		return complain_gone(asking);
	status = print_answer(asking, answer);
	json_decref(answer);
	if (status)
		return status;
	if (!strcmp(asking->command, "connect"))
		return wait_connected(asking);
	return strcmp(asking->command, "down") ? 0 : wait_stopped(asking);
}

/* Those that run; the number of them. */
static int find_running(struct asking *asking, int (*each)(const struct asking *))
{
	char *folder = daemon_run_folder();
	const struct dirent *entry;
	int count = 0;
	size_t len;
	DIR *dir;

	dir = opendir(folder);
	free(folder);
	while (dir && (entry = readdir(dir))) {
		len = strlen(entry->d_name);
		if (len < 6 || strcmp(entry->d_name + len - 5, ".sock"))
			continue;
		snprintf(asking->name, sizeof(asking->name), "%.*s", (int)len - 5, entry->d_name);
		count++;
		if (each)
			each(asking);
	}
	if (dir)
		closedir(dir);
	return count;
}

static int without_name(struct asking *asking)
{
	int count;

	if (!strcmp(asking->command, "status")) {
		if (!find_running(asking, carry_out))
			puts("nothing runs");
		return 0;
	}
	count = find_running(asking, NULL);
	if (!count)
		return complain("nothing runs; 'vpnctl up FILE' starts it");
	if (count > 1)
		return complain("%d of them run; say which one", count);
	return carry_out(asking);
}

int ask(int argc, char *argv[])
{
	struct asking asking = { .command = argv[0] };
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json"))
			asking.json = true;
		else if (!strcmp(argv[i], "--dry-run") && !strcmp(argv[0], "reload"))
			asking.dry = true;
		else if (!strcmp(argv[i], "--keep") && !strcmp(argv[0], "down"))
			asking.keep = true;
		else if (*argv[i] != '-' && !*asking.name)
			config_name(asking.name, sizeof(asking.name), argv[i]);
		else
			return complain("'%s' is one argument too many", argv[i]) + 1;
	}
	return *asking.name ? carry_out(&asking) : without_name(&asking);
}
