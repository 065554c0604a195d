// SPDX-License-Identifier: GPL-2.0
#include "verifier.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../libcred/file.h"
#include "../libcred/token.h"
#include "log.h"
#include "nursery.h"
#include "verifying.h"

#define USEC		1000000ULL
/* No credential takes longer to read; on a slow machine neither. */
#define PATIENCE	(10 * USEC)
/* What a process is given to begin. */
#define READY_MS	20000
/* A question that so many have died of is not asked again. */
#define DEATHS_MAX	2
/* Questions that one process is sent ahead; the others wait here. */
#define AHEAD_MAX	32

struct pending {
	struct pending *next;
	struct verifying_question question;
	unsigned int deaths;		/* of processes that had it to answer */
};

/* A process, and what it trusts. */
struct helper {
	pid_t pid;
	int *nursery;			/* that it was started from */
	int fd;
	char *trust;
	size_t trust_len;
};

struct verifier {
	struct daemon *d;
	verifier_answer answer;
	void *data;
	struct helper helper;		/* fd -1: none */
	sd_event_source *source, *timer;
	struct pending *first, **end;
	unsigned int ahead;		/* of these have been sent */
	unsigned int deaths;		/* in a row, without an answer */
	uint64_t last_id;
};

/*
 * What is trusted, as a row of records
 */

struct parts {
	FILE *to;
	char *data;
	size_t len;
};

static void put_part(struct parts *parts, enum verifying_part part, const char *name,
		     const char *data, size_t len)
{
	const struct verifying_record record = { part, strlen(name), len };

	fwrite(&record, sizeof(record), 1, parts->to);
	fwrite(name, 1, record.name_len, parts->to);
	fwrite(data, 1, len, parts->to);
}

static void put_text(struct parts *parts, enum verifying_part part, const char *text)
{
	if (text && *text)
		put_part(parts, part, "", text, strlen(text));
}

static int put_file(struct parts *parts, enum verifying_part part, const char *name,
		    const char *path, struct vpn_error *err)
{
	size_t len;
	char *data;
	int ret;

	if (!path)
		return 0;
	ret = cred_file_read(path, &data, &len, err);
	if (ret)
		return ret;
	put_part(parts, part, name, data, len);
	cred_file_free(data, len);
	return 0;
}

static int is_key_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return *entry->d_name != '.' && dot && (!strcmp(dot, ".pem") || !strcmp(dot, ".secret"));
}

/* "2026.pem" is the key 2026. */
static int put_key(struct parts *parts, const char *folder, const char *file,
		   struct vpn_error *err)
{
	char *path, *kid = strndup(file, strrchr(file, '.') - file);
	int ret;

	if (!kid || asprintf(&path, "%s/%s", folder, file) < 0) {
		free(kid);
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	}
	ret = put_file(parts, PART_KEY, kid, path, err);
	free(path);
	free(kid);
	return ret;
}

static int put_keys(struct parts *parts, const char *folder, struct vpn_error *err)
{
	struct dirent **entries;
	int count, i, ret = 0;

	if (!folder)
		return 0;
	count = scandir(folder, &entries, is_key_file, alphasort);
	if (count < 0)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, errno,
				     "token_keys_path: '%s' cannot be read: %s", folder,
				     strerror(errno));
	for (i = 0; i < count; i++) {
		if (!ret)
			ret = put_key(parts, folder, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

static int put_all(struct parts *parts, const struct config *config, struct vpn_error *err)
{
	char *algorithms = NULL;
	size_t size;
	unsigned int i;
	FILE *list;
	int ret;

	list = open_memstream(&algorithms, &size);
	for (i = 0; list && i < config->token_algorithms.count; i++)
		fprintf(list, "%s%s", i ? " " : "", config->token_algorithms.list[i]);
	if (!list || fclose(list))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	put_text(parts, PART_ALGORITHMS, algorithms);
	free(algorithms);
	put_text(parts, PART_OID, config->role_extension);
	put_text(parts, PART_ISSUER, config->token_issuer);
	put_text(parts, PART_AUDIENCE, config->token_audience);
	put_text(parts, PART_BOUND, config->token_binding ? "1" : NULL);
	ret = put_file(parts, PART_CA, "", config->ca_certificate_path, err);
	if (!ret)
		ret = put_file(parts, PART_CRL, "", config->crl_path, err);
	return ret ? ret : put_keys(parts, config->token_keys_path, err);
}

static int gather(const struct config *config, struct parts *parts, struct vpn_error *err)
{
	int ret;

	memset(parts, 0, sizeof(*parts));
	parts->to = open_memstream(&parts->data, &parts->len);
	if (!parts->to)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	ret = put_all(parts, config, err);
	fclose(parts->to);
	if (ret)
		cred_file_free(parts->data, parts->len);
	return ret;
}

/*
 * The process
 */

static int no_process(struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_SYSTEM, errno,
			     "no process can be started to read credentials: %s", strerror(errno));
}

static int start_helper(struct helper *helper, int *nursery, struct vpn_error *err)
{
	int ends[2], trust = memfd_create("trust", MFD_CLOEXEC);

	helper->fd = -1;
	helper->nursery = nursery;
	if (trust < 0 || write(trust, helper->trust, helper->trust_len) !=
			 (ssize_t)helper->trust_len ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		no_process(err);
		if (trust >= 0)
			close(trust);
		return -err->code;
	}
	helper->pid = nursery_start(nursery, "--verifier", ends[1], trust);
	close(ends[1]);
	close(trust);
	if (helper->pid > 0) {
		helper->fd = ends[0];
		return 0;
	}
	close(ends[0]);
	errno = -helper->pid;
	return no_process(err);
}

static void stop_helper(struct helper *helper)
{
	if (helper->fd < 0)
		return;
	close(helper->fd);
	helper->fd = -1;
	nursery_stop(*helper->nursery, helper->pid);
}

static void free_helper(struct helper *helper)
{
	stop_helper(helper);
	cred_file_free(helper->trust, helper->trust_len);
	helper->trust = NULL;
	helper->trust_len = 0;
}

static void warn_of_age(int64_t next_update)
{
	char date[CRED_DATE_TEXT];

	if (!next_update || next_update > time(NULL))
		return;
	cred_date(next_update, date);
	log_event(LEVEL_WARNING,
		  "the revocation list is out of date; it stays in force, and 'vpnctl pki crl' makes a new one",
		  "since", date);
}

/* It says whether it can begin. */
static int await_helper(const struct helper *helper, struct vpn_error *err)
{
	struct verifying_answer answer;
	struct pollfd wait = { .fd = helper->fd, .events = POLLIN };

	if (poll(&wait, 1, READY_MS) != 1 ||
	    recv(helper->fd, &answer, sizeof(answer), 0) != sizeof(answer))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EIO,
				     "the process that reads credentials does not begin");
	answer.text[sizeof(answer.text) - 1] = '\0';
	if (*answer.text)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL, "%s", answer.text);
	warn_of_age(answer.next_update);
	return 0;
}

/*
 * Questions and answers
 */

static int on_answer(sd_event_source *source, int fd, uint32_t revents, void *data);

static void watch_time(struct verifier *v)
{
	sd_event_source_set_time_relative(v->timer, PATIENCE);
	sd_event_source_set_enabled(v->timer, v->first ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* As many as the socket takes; an error shows as its end. */
static void send_ahead(struct verifier *v)
{
	struct pending *pending = v->first;
	unsigned int i;

	for (i = 0; i < v->ahead && pending; i++)
		pending = pending->next;
	for (; pending && v->ahead < AHEAD_MAX && v->helper.fd >= 0; pending = pending->next) {
		if (send(v->helper.fd, &pending->question, sizeof(pending->question),
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		v->ahead++;
	}
	watch_time(v);
}

static void listen_to(struct verifier *v)
{
	sd_event_source_disable_unref(v->source);
	v->source = NULL;
	if (v->helper.fd >= 0)
		sd_event_add_io(v->d->event, &v->source, v->helper.fd, EPOLLIN, on_answer, v);
	v->ahead = 0;
	send_ahead(v);
}

/* The first question is the one that was being answered. */
static void conclude(struct verifier *v, const struct cred_verdict *verdict)
{
	struct pending *pending = v->first;
	uint64_t id = pending->question.id;

	v->first = pending->next;
	if (!v->first)
		v->end = &v->first;
	v->ahead -= !!v->ahead;
	explicit_bzero(&pending->question, sizeof(pending->question));
	free(pending);
	v->answer(v->data, id, verdict);
}

static void give_up_first(struct verifier *v)
{
	struct cred_verdict verdict = { 0 };

	if (!v->first || ++v->first->deaths < DEATHS_MAX)
		return;
	cred_refuse(&verdict, VPN_REJECT_REASON_UNAUTHORISED, "credential cannot be read");
	conclude(v, &verdict);
}

/* It has died, or takes too long: another one begins where it was. */
static void replace_helper(struct verifier *v)
{
	struct vpn_error err;

	stop_helper(&v->helper);
	v->deaths++;
	log_event(LEVEL_WARNING,
		  "the process that reads credentials has ended; another one begins");
	give_up_first(v);
	if (start_helper(&v->helper, &v->d->nursery, &err) || await_helper(&v->helper, &err)) {
		log_event(LEVEL_ERROR, "credentials cannot be read", "reason", err.text);
		stop_helper(&v->helper);
	}
	listen_to(v);
	/* The next attempt; whoever waits is not forgotten. */
	if (v->helper.fd < 0) {
		sd_event_source_set_time_relative(v->timer, PATIENCE);
		sd_event_source_set_enabled(v->timer, SD_EVENT_ONESHOT);
	}
}

static int on_answer(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct verifying_answer answer;
	struct verifier *v = data;
	ssize_t len;

	(void)source;
	(void)revents;
	len = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (len != sizeof(answer)) {
		replace_helper(v);
		return 0;
	}
	v->deaths = 0;
	/* What comes from there is not believed to be well formed. */
	answer.verdict.text[sizeof(answer.verdict.text) - 1] = '\0';
	answer.verdict.name[sizeof(answer.verdict.name) - 1] = '\0';
	answer.verdict.role[sizeof(answer.verdict.role) - 1] = '\0';
	answer.verdict.id[sizeof(answer.verdict.id) - 1] = '\0';
	if (v->first && v->first->question.id == answer.id)
		conclude(v, &answer.verdict);
	send_ahead(v);
	return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	replace_helper(data);
	return 0;
}

uint64_t verifier_ask(struct verifier *v, uint32_t kind, const uint8_t *octets, size_t len,
		      const uint8_t key[VPN_KEY_LEN])
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return 0;
	pending->question.id = ++v->last_id;
	pending->question.now = time(NULL);
	pending->question.kind = kind;
	pending->question.len = len < VPN_CREDENTIAL_MAX ? len : VPN_CREDENTIAL_MAX;
	memcpy(pending->question.key, key, VPN_KEY_LEN);
	memcpy(pending->question.octets, octets, pending->question.len);
	*v->end = pending;
	v->end = &pending->next;
	send_ahead(v);
	return v->last_id;
}

/*
 * Life
 */

bool verifier_is_open(const struct verifier *v)
{
	return v->helper.trust;
}

static bool wants_any(const struct config *config)
{
	return config->ca_certificate_path || config->token_keys_path;
}

int verifier_load(struct verifier *v, const struct config *config, bool *changed,
		  struct vpn_error *err)
{
	struct helper new = { .fd = -1 };
	struct parts parts;
	int ret;

	*changed = false;
	if (!wants_any(config)) {
		*changed = v->helper.trust;
		free_helper(&v->helper);
		listen_to(v);
		return 0;
	}
	ret = gather(config, &parts, err);
	if (ret)
		return ret;
	if (v->helper.trust && v->helper.trust_len == parts.len &&
	    !memcmp(v->helper.trust, parts.data, parts.len)) {
		cred_file_free(parts.data, parts.len);
		return 0;
	}
	new.trust = parts.data;
	new.trust_len = parts.len;
	ret = start_helper(&new, &v->d->nursery, err);
	if (!ret)
		ret = await_helper(&new, err);
	if (ret) {
		free_helper(&new);
		return ret;
	}
	free_helper(&v->helper);
	v->helper = new;
	*changed = true;
	listen_to(v);
	return 0;
}

struct verifier *verifier_new(struct daemon *d, verifier_answer answer, void *data)
{
	struct verifier *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->d = d;
	v->answer = answer;
	v->data = data;
	v->helper.fd = -1;
	v->end = &v->first;
	if (sd_event_add_time_relative(d->event, &v->timer, CLOCK_MONOTONIC, PATIENCE, 0, on_time,
				       v) < 0) {
		free(v);
		return NULL;
	}
	sd_event_source_set_enabled(v->timer, SD_EVENT_OFF);
	return v;
}

void verifier_free(struct verifier *v)
{
	struct pending *pending;

	if (!v)
		return;
	sd_event_source_disable_unref(v->source);
	sd_event_source_disable_unref(v->timer);
	free_helper(&v->helper);
	while ((pending = v->first)) {
		v->first = pending->next;
		explicit_bzero(pending, sizeof(*pending));
		free(pending);
	}
	free(v);
}
