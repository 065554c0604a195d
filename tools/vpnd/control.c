// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "log.h"
#include "watch.h"

/* A question is one line of that many octets at most. */
#define QUESTION_MAX	4096
/* Whoever does not ask at once is not waited for. */
#define WAIT_SECONDS	2

struct control {
	char *path;
	int fd;
	sd_event_source *source;
};

static json_t *answer_error(const char *text, json_t *more)
{
	return json_pack("{s:b, s:s, s:o*}", "ok", 0, "error", text, "text", more);
}

static json_t *status(struct daemon *d, const json_t *question)
{
	const struct config *config = d->config;
	json_t *answer;

	(void)question;
	answer = json_pack("{s:b, s:s, s:s, s:s, s:i}", "ok", 1, "name", config->name, "file",
			   d->file, "device", config->ifname, "pid", getpid());
	json_object_set_new(answer, "role", json_string(d->client ? "client" : "server"));
	json_object_set_new(answer, "started", json_integer(d->started));
	json_object_set_new(answer, "connected", json_integer(watch_counts(d->watch)->connected));
	if (d->client) {
		json_object_set_new(answer, "state", json_string(client_state(d->client)));
		json_object_set_new(answer, "server", json_string(client_server(d->client)));
		if (*client_trouble(d->client))
			json_object_set_new(answer, "trouble",
					    json_string(client_trouble(d->client)));
	}
	return answer;
}

static json_t *reload(struct daemon *d, const json_t *question)
{
	bool dry = json_is_true(json_object_get(question, "dry_run"));
	struct vpn_error err = { 0 };
	json_t *answer, *text;
	char *steps = NULL;
	size_t size;
	FILE *to;
	int ret;

	to = open_memstream(&steps, &size);
	if (!to)
		return answer_error(strerror(errno), NULL);
	ret = daemon_reload(d, dry, to, &err);
	fclose(to);
	text = json_string(steps);
	free(steps);
	if (ret)
		return answer_error(err.text, text);
	answer = json_pack("{s:b, s:o*}", "ok", 1, "text", text);
	return answer;
}

static json_t *stop(struct daemon *d, const json_t *question)
{
	d->keep = json_is_true(json_object_get(question, "keep"));
	sd_event_exit(d->event, 0);
	return json_pack("{s:b}", "ok", 1);
}

static json_t *connect_now(struct daemon *d, const json_t *question)
{
	struct vpn_error err;

	(void)question;
	if (!d->client)
		return answer_error("this is a server; clients connect to it", NULL);
	return client_connect(d->client, &err) ? answer_error(err.text, NULL) :
	       json_pack("{s:b}", "ok", 1);
}

static json_t *disconnect_now(struct daemon *d, const json_t *question)
{
	(void)question;
	if (!d->client)
		return answer_error("this is a server; 'vpnctl set' removes a client", NULL);
	client_disconnect(d->client);
	return json_pack("{s:b}", "ok", 1);
}

static const struct {
	const char *name;
	json_t *(*answer)(struct daemon *d, const json_t *question);
} commands[] = {
	{ "status", status },
	{ "reload", reload },
	{ "stop", stop },
	{ "connect", connect_now },
	{ "disconnect", disconnect_now },
};

static json_t *answer_to(struct daemon *d, const json_t *question)
{
	const char *name = json_string_value(json_object_get(question, "command"));
	size_t i;

	for (i = 0; name && i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(commands[i].name, name))
			return commands[i].answer(d, question);
	}
	return answer_error("this vpnd does not know that command", NULL);
}

static json_t *read_question(int fd)
{
	char text[QUESTION_MAX];
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, text + len, sizeof(text) - len);
		len += got > 0 ? got : 0;
	} while (got > 0 && len < sizeof(text) && !memchr(text, '\n', len));
	return json_loadb(text, len, JSON_DISABLE_EOF_CHECK, NULL);
}

static void converse(struct daemon *d, int fd)
{
	const struct timeval wait = { .tv_sec = WAIT_SECONDS };
	json_t *question, *answer;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	question = read_question(fd);
	if (!question)
		return;
	answer = answer_to(d, question);
	json_dumpfd(answer, fd, JSON_COMPACT);
	json_decref(answer);
	json_decref(question);
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	(void)source;
	(void)revents;
	if (peer < 0)
		return 0;
	converse(data, peer);
	close(peer);
	return 0;
}

/* Only root may reach it: the file says so, and it is made so. */
static int listen_at(struct control *control, struct vpn_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int ret;

	if (strlen(control->path) >= sizeof(address.sun_path))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENAMETOOLONG,
				     "'%s' is too long for the name of a socket", control->path);
	strcpy(address.sun_path, control->path);
	unlink(control->path);
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mask = umask(0177);
	ret = control->fd < 0 ? -1 :
	      bind(control->fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (ret || listen(control->fd, 16))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, errno, "'%s' cannot be listened at: %s",
				     control->path, strerror(errno));
	return 0;
}

int control_open(struct daemon *d, struct vpn_error *err)
{
	struct control *control = calloc(1, sizeof(*control));
	int ret;

	if (!control || asprintf(&control->path, "%s/%s.sock", d->run_path, d->config->name) < 0) {
		free(control);
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	}
	control->fd = -1;
	d->control = control;
	ret = listen_at(control, err);
	if (!ret && sd_event_add_io(d->event, &control->source, control->fd, EPOLLIN, on_connection,
				    d) < 0)
		ret = vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	return ret;
}

void control_close(struct daemon *d)
{
	struct control *control = d->control;

	if (!control)
		return;
	sd_event_source_unref(control->source);
	if (control->fd >= 0) {
		unlink(control->path);
		close(control->fd);
	}
	free(control->path);
	free(control);
	d->control = NULL;
}
