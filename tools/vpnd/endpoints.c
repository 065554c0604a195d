// SPDX-License-Identifier: GPL-2.0
#include "endpoints.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "log.h"
#include "process.h"
#include "resolve.h"

#define USEC		1000000ULL
/* A name that nobody knows is asked for again after so many seconds. */
#define RETRY_SECONDS	30

struct endpoints {
	struct daemon *d;
	pid_t resolver;
	int answer_fd;
	sd_event_source *answer, *timer;
	struct config_endpoint asked;	/* what the question is about */
};

static bool same(const struct config_endpoint *a, const struct config_endpoint *b)
{
	if (!a->host || !b->host)
		return a->host == b->host;
	return !strcmp(a->host, b->host) && !strcmp(a->port, b->port);
}

void endpoints_read(struct config *config)
{
	struct config_peer *peer;

	for (peer = config->peers; peer; peer = peer->next) {
		if (peer->endpoint.host && !peer->is_resolved)
			peer->is_resolved = vpn_endpoint_parse(&peer->resolved, peer->endpoint.host,
							       peer->endpoint.port);
	}
}

static const struct config_peer *find_peer(const struct config *config, const uint8_t *key)
{
	const struct config_peer *peer;

	for (peer = config->peers; peer; peer = peer->next) {
		if (!memcmp(peer->public_key.key, key, VPN_KEY_LEN))
			return peer;
	}
	return NULL;
}

void endpoints_inherit(struct config *new, const struct config *old)
{
	const struct config_peer *before;
	struct config_peer *peer;
	bool stays;

	for (peer = new->peers; peer; peer = peer->next) {
		if (!peer->endpoint.host)
			continue;
		before = find_peer(old, peer->public_key.key);
		stays = before && same(&before->endpoint, &peer->endpoint);
		peer->moved = before && (before->moved || !stays);
		if (!stays)
			continue;
		peer->resolved = before->resolved;
		peer->is_resolved = before->is_resolved;
	}
}

void endpoints_settle(struct config *config)
{
	struct config_peer *peer;

	for (peer = config->peers; peer; peer = peer->next)
		peer->moved &= !peer->is_resolved;
}

static void put_text(const struct config_peer *peer, char *key, char *text, size_t room)
{
	vpn_key_to_base64(peer->public_key.key, key);
	snprintf(text, room, "%s %s", peer->endpoint.host, peer->endpoint.port);
}

json_t *endpoints_json(const struct config *config)
{
	char key[VPN_KEY_BASE64_LEN + 1], text[320];
	const struct config_peer *peer;
	json_t *list = json_object();

	for (peer = config->peers; peer; peer = peer->next) {
		if (!peer->endpoint.host)
			continue;
		put_text(peer, key, text, sizeof(text));
		json_object_set_new(list, key, json_string(text));
	}
	return list;
}

void endpoints_recover(struct config *config, const struct journal *journal)
{
	const struct journal_entry *entry = journal_find(journal, &kind_settings, config->ifname);
	const json_t *list = entry ? json_object_get(entry->item.value, "endpoints") : NULL;
	char key[VPN_KEY_BASE64_LEN + 1], text[320];
	struct config_peer *peer;
	const char *before;

	for (peer = config->peers; peer && list; peer = peer->next) {
		if (!peer->endpoint.host)
			continue;
		put_text(peer, key, text, sizeof(text));
		before = json_string_value(json_object_get(list, key));
		peer->moved = before && strcmp(before, text);
	}
}

static void forget_question(struct endpoints *endpoints)
{
	sd_event_source_disable_unref(endpoints->answer);
	endpoints->answer = NULL;
	if (endpoints->answer_fd >= 0)
		close(endpoints->answer_fd);
	endpoints->answer_fd = -1;
	if (endpoints->resolver > 0) {
		kill(endpoints->resolver, SIGKILL);
		process_wait(endpoints->resolver);
	}
	endpoints->resolver = 0;
	free(endpoints->asked.host);
	free(endpoints->asked.port);
	endpoints->asked = (struct config_endpoint){ 0 };
}

static void note_answer(struct config_peer *peer, const struct resolve_answer *answer)
{
	peer->is_asked = true;
	if (answer->count) {
		peer->resolved = answer->list[0];
		peer->is_resolved = true;
		return;
	}
	log_event(LEVEL_WARNING, "where a peer is cannot be found out", "peer", peer->name,
		  "endpoint", peer->endpoint.host, "reason", answer->trouble);
}

/* Several may be at one place. */
static void use_answer(struct endpoints *endpoints, const struct resolve_answer *answer)
{
	struct config *config = endpoints->d->config;
	struct config_peer *peer;

	for (peer = config->peers; peer; peer = peer->next) {
		if (!peer->is_resolved && same(&peer->endpoint, &endpoints->asked))
			note_answer(peer, answer);
	}
	if (!answer->count)
		return;
	daemon_update(endpoints->d);
	endpoints_settle(config);
}

static int on_answer(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct endpoints *endpoints = data;
	struct resolve_answer answer;

	(void)source;
	(void)revents;
	resolve_read(fd, &answer);
	use_answer(endpoints, &answer);
	forget_question(endpoints);
	endpoints_ask(endpoints->d);
	return 0;
}

static bool start(struct endpoints *endpoints, const struct config_endpoint *about)
{
	const struct config *config = endpoints->d->config;

	endpoints->asked.host = strdup(about->host);
	endpoints->asked.port = strdup(about->port);
	if (endpoints->asked.host && endpoints->asked.port)
		endpoints->answer_fd = resolve_start(about->host, about->port, config->fwmark,
						     &endpoints->resolver);
	return endpoints->answer_fd >= 0 &&
	       sd_event_add_io(endpoints->d->event, &endpoints->answer, endpoints->answer_fd,
			       EPOLLIN | EPOLLHUP, on_answer, endpoints) >= 0;
}

/* Each is asked for once; then those that are not known, after a while. */
void endpoints_ask(struct daemon *d)
{
	struct endpoints *endpoints = d->endpoints;
	const struct config_peer *peer;
	bool unknown = false;

	if (!endpoints || endpoints->resolver)
		return;
	for (peer = d->config->peers; peer; peer = peer->next) {
		if (!peer->endpoint.host || peer->is_resolved)
			continue;
		unknown = true;
		if (!peer->is_asked)
			break;
	}
	if (peer && start(endpoints, &peer->endpoint))
		return;
	forget_question(endpoints);
	if (!unknown)
		return;
	sd_event_source_set_time_relative(endpoints->timer, RETRY_SECONDS * USEC);
	sd_event_source_set_enabled(endpoints->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct endpoints *endpoints = data;
	struct config_peer *peer;

	(void)source;
	(void)usec;
	for (peer = endpoints->d->config->peers; peer; peer = peer->next)
		peer->is_asked = false;
	endpoints_ask(endpoints->d);
	return 0;
}

int endpoints_open(struct daemon *d, struct vpn_error *err)
{
	struct endpoints *endpoints = calloc(1, sizeof(*endpoints));

	if (!endpoints)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	d->endpoints = endpoints;
	endpoints->d = d;
	endpoints->answer_fd = -1;
	if (sd_event_add_time_relative(d->event, &endpoints->timer, CLOCK_BOOTTIME, USEC, 0,
				       on_timer, endpoints) < 0)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	sd_event_source_set_enabled(endpoints->timer, SD_EVENT_OFF);
	return 0;
}

void endpoints_close(struct daemon *d)
{
	struct endpoints *endpoints = d->endpoints;

	if (!endpoints)
		return;
	forget_question(endpoints);
	sd_event_source_disable_unref(endpoints->timer);
	free(endpoints);
	d->endpoints = NULL;
}
