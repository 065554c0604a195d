// SPDX-License-Identifier: GPL-2.0
#include "door.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "../libvpn/command.h"
#include "../libvpn/event.h"
#include "../libvpn/key.h"
#include "../libvpn/names.h"
#include "clock.h"
#include "credential.h"
#include "desired.h"
#include "folder.h"
#include "log.h"
#include "policy.h"
#include "verifier.h"
#include "watched.h"

#define USEC		1000000ULL
#define NSEC		1000000000ULL
/* Files are written one after the other; a look at all of them then will do. */
#define SETTLE_USEC	(USEC / 5)
/* Who was let in and has not come since is not expected any more. */
#define PATIENCE	60
/* Of other addresses, when somebody has the one that was chosen. */
#define ADDRESSES_MAX	64

/* A credential that is being read. */
struct question {
	struct question *next;
	uint64_t id;
	bool known;			/* it is not of a stranger */
	uint8_t key[VPN_KEY_LEN];
	uint32_t kind;
	uint8_t *octets;
	size_t len;
	char endpoint[VPN_ENDPOINT_TEXT];
};

struct door {
	struct daemon *d;
	struct verifier *verifier;
	struct vpn_socket strangers;
	sd_event_source *source, *sweep, *refresh, *update;
	struct watched watched;
	struct guests guests;
	struct question *questions;
	char *path;			/* where guests are kept over a restart */
	struct door_counts counts;
};

const struct door_counts *door_counts(const struct door *door)
{
	return &door->counts;
}

static const struct config *config_of(const struct door *door)
{
	return door->d->config;
}

/* Once after that time, however often it is asked for until then. */
static void soon(sd_event_source *timer, uint64_t usec)
{
	int state = SD_EVENT_ON;

	if (sd_event_source_get_enabled(timer, &state) < 0 || state != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(timer, usec);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/*
 * Words
 */

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static const char *kind_word(uint32_t kind)
{
	return kind == VPN_CREDENTIAL_KIND_X509 ? "certificate" :
	       kind == VPN_CREDENTIAL_KIND_JWT ? "token" : kind ? "unknown" : "none";
}

static void say_let_in(const struct guest *guest, const char *endpoint, const char *message)
{
	char key[VPN_KEY_BASE64_LEN + 1], until[CRED_DATE_TEXT] = "";

	vpn_key_to_base64(guest->key, key);
	if (guest->expires)
		cred_date(guest->expires, until);
	log_event(LEVEL_INFO, message, "peer", guest->verdict.name, "public_key", key, "endpoint",
		  or_null(endpoint), "by", kind_word(guest->kind), "id",
		  or_null(guest->verdict.id), "role", or_null(guest->verdict.role), "until",
		  or_null(until));
}

static void say_turned_away(const uint8_t public_key[VPN_KEY_LEN], uint32_t kind,
			    const char *endpoint, const struct cred_verdict *verdict,
			    const char *message)
{
	char key[VPN_KEY_BASE64_LEN + 1];

	vpn_key_to_base64(public_key, key);
	log_event(LEVEL_WARNING, message, "peer", or_null(verdict->name), "public_key", key,
		  "endpoint", or_null(endpoint), "by", kind_word(kind), "id",
		  or_null(verdict->id), "role", or_null(verdict->role), "reason",
		  vpn_name_of(&vpn_reject_reasons, verdict->reason), "text", verdict->text);
}

/*
 * Guests
 */

static void save(struct door *door)
{
	struct vpn_error err;

	if (guests_save(&door->guests, door->path, &err))
		log_event(LEVEL_ERROR, "who was let in is not kept over a restart", "reason",
			  err.text);
}

static int on_update(sd_event_source *source, uint64_t usec, void *data)
{
	struct door *door = data;

	(void)source;
	(void)usec;
	save(door);
	daemon_update(door->d);
	return 0;
}

/* What depends on who is in follows a moment later, for many at a time. */
static void changed(struct door *door)
{
	soon(door->update, SETTLE_USEC);
}

static int change_peer(const struct door *door, const struct guest *guest, uint32_t flags,
		       struct vpn_error *err)
{
	struct vpn_device *dev = vpn_device_new();
	struct vpn_peer *peer = dev ? vpn_device_add_peer(dev) : NULL;
	int ret;

	if (peer) {
		snprintf(dev->ifname, sizeof(dev->ifname), "%s", config_of(door)->ifname);
		ret = guest_to_peer(guest, config_of(door), peer) ? 0 : -ENOMEM;
		peer->flags = flags;
		if (flags & VPN_PEER_FLAGS_REMOVE)
			peer->has = VPN_PEER_HAS_PUBLIC_KEY;
		if (!ret)
			ret = vpn_device_set(dev, err);
	} else {
		ret = vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	}
	vpn_device_free(dev);
	return ret;
}

static void cut_off(struct door *door, struct guest *guest)
{
	struct vpn_error err;

	if (change_peer(door, guest, VPN_PEER_FLAGS_REMOVE, &err))
		log_event(LEVEL_ERROR, "a client cannot be removed", "peer", guest->verdict.name,
			  "reason", err.text);
	guests_remove(&door->guests, guest);
	changed(door);
}

/*
 * Decisions
 */

static void refuse(struct door *door, const struct question *q, const struct cred_verdict *verdict)
{
	struct vpn_error err;

	door->counts.turned_away++;
	say_turned_away(q->key, q->kind, q->endpoint, verdict, "turned away");
	/* It may not wait any more; then it asks again. */
	vpn_peer_reject(config_of(door)->ifname, q->key, verdict->reason, verdict->text, &err);
}

/* What the kernel does not like may be the address, which somebody has had until lately. */
static int admit(struct door *door, struct guest *guest, struct vpn_error *err)
{
	unsigned int tries;
	int ret;

	for (tries = 0; tries < ADDRESSES_MAX; tries++) {
		ret = change_peer(door, guest, 0, err);
		if ((ret != -EADDRINUSE && ret != -EADDRNOTAVAIL) ||
		    !policy_next_address(config_of(door), &door->guests, guest))
			break;
	}
	return ret;
}

static void refuse_error(struct door *door, const struct question *q, const struct guest *guest,
			 int code, const struct vpn_error *err)
{
	struct cred_verdict verdict = guest->verdict;

	cred_refuse(&verdict, code == -ENOSPC ? VPN_REJECT_REASON_POOL_EXHAUSTED :
		    VPN_REJECT_REASON_ADDRESS_NOT_AVAILABLE, "%s", err->text);
	refuse(door, q, &verdict);
}

static void let_in(struct door *door, const struct question *q, struct cred_verdict *verdict)
{
	struct guest *guest = guests_add(&door->guests, q->key);
	struct vpn_error err;
	int ret;

	if (!guest)
		return;
	if (!policy_apply(config_of(door), &door->guests, guest, verdict)) {
		guests_remove(&door->guests, guest);
		refuse(door, q, verdict);
		return;
	}
	guest->since = clock_seconds();
	ret = guest_set_credential(guest, q->kind, q->octets, q->len) ?
	      admit(door, guest, &err) :
	      vpn_error_set(&err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	if (ret) {
		refuse_error(door, q, guest, ret, &err);
		guests_remove(&door->guests, guest);
	} else {
		door->counts.let_in++;
		say_let_in(guest, q->endpoint, "let in");
	}
	changed(door);
}

/* Whose credential cannot be read any more is still known by name. */
static void name_guest(struct cred_verdict *verdict, const struct guest *guest)
{
	if (*verdict->name)
		return;
	memcpy(verdict->name, guest->verdict.name, sizeof(verdict->name));
	memcpy(verdict->role, guest->verdict.role, sizeof(verdict->role));
	memcpy(verdict->id, guest->verdict.id, sizeof(verdict->id));
}

/* One that is in has shown another credential, or what is trusted has changed. */
static void renew(struct door *door, const struct question *q, struct guest *guest,
		  struct cred_verdict *verdict)
{
	bool same = guest->credential_len == q->len &&
		    !memcmp(guest->credential, q->octets, q->len);
	uint64_t before = guest->expires;
	struct vpn_error err;

	if (!verdict->reason)
		policy_apply(config_of(door), &door->guests, guest, verdict);
	if (verdict->reason)
		name_guest(verdict, guest);
	if (verdict->reason && !same) {
		/* The one by which it was let in still holds. */
		say_turned_away(q->key, q->kind, q->endpoint, verdict, "new credential not taken");
		return;
	}
	if (verdict->reason) {
		door->counts.cut_off++;
		say_turned_away(q->key, q->kind, q->endpoint, verdict, "cut off");
		cut_off(door, guest);
		return;
	}
	if (same && before == guest->expires)
		return;
	guest_set_credential(guest, q->kind, q->octets, q->len);
	if (change_peer(door, guest, VPN_PEER_FLAGS_UPDATE_ONLY, &err))
		log_event(LEVEL_ERROR, "a client cannot be changed", "peer", guest->verdict.name,
			  "reason", err.text);
	say_let_in(guest, q->endpoint, "renewed");
	changed(door);
}

static void free_question(struct question *q)
{
	if (q->octets)
		explicit_bzero(q->octets, q->len);
	free(q->octets);
	free(q);
}

static struct question *take_question(struct door *door, uint64_t id)
{
	struct question **at = &door->questions, *q;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	q = *at;
	if (q)
		*at = q->next;
	return q;
}

static void on_verdict(void *data, uint64_t id, const struct cred_verdict *answer)
{
	struct cred_verdict verdict = *answer;
	struct door *door = data;
	struct question *q = take_question(door, id);
	struct guest *guest = q ? guests_find(&door->guests, q->key) : NULL;

	if (!q)
		return;
	if (q->known && guest)
		renew(door, q, guest, &verdict);
	else if (q->known)
		;
	else if (verdict.reason)
		refuse(door, q, &verdict);
	else
		let_in(door, q, &verdict);
	free_question(q);
}

static struct question *new_question(const uint8_t key[VPN_KEY_LEN], uint32_t kind,
				     const uint8_t *octets, size_t len)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	memcpy(q->key, key, VPN_KEY_LEN);
	q->kind = kind;
	q->octets = malloc(len + 1);
	if (!q->octets) {
		free(q);
		return NULL;
	}
	memcpy(q->octets, octets, len);
	q->len = len;
	return q;
}

/* In the list before it is asked: the answer may come at once. */
static void ask(struct door *door, struct question *q)
{
	q->id = verifier_ask(door->verifier, q->kind, q->octets, q->len, q->key);
	if (!q->id) {
		free_question(q);
		return;
	}
	q->next = door->questions;
	door->questions = q;
}

static bool is_asked(const struct door *door, const uint8_t key[VPN_KEY_LEN])
{
	const struct question *q;

	for (q = door->questions; q; q = q->next) {
		if (!memcmp(q->key, key, VPN_KEY_LEN))
			return true;
	}
	return false;
}

/*
 * Strangers
 */

static void on_stranger(struct door *door, const struct vpn_auth_request *request)
{
	const struct guest *guest = guests_find(&door->guests, request->public_key);
	struct cred_verdict verdict = { 0 };
	struct question *q;

	if (is_asked(door, request->public_key))
		return;
	/* What it has shown before need not be read again. */
	if (guest && (!guest->kind || (guest->credential_len == request->credential_len &&
				       !memcmp(guest->credential, request->credential,
					       guest->credential_len))))
		return;
	q = new_question(request->public_key, request->credential_kind,
			 request->credential_len ? request->credential : (const uint8_t *)"",
			 request->credential_len);
	if (!q)
		return;
	q->known = guest;
	if (request->has_endpoint)
		vpn_endpoint_format(&request->endpoint, q->endpoint);
	if (request->credential_len) {
		ask(door, q);
		return;
	}
	cred_refuse(&verdict, VPN_REJECT_REASON_UNAUTHORISED,
		    "this server asks for a certificate or a token");
	refuse(door, q, &verdict);
	free_question(q);
}

static void on_event(const struct vpn_event *event, void *data)
{
	struct door *door = data;

	if (event->dev->auth_request && !strcmp(event->dev->ifname, config_of(door)->ifname))
		on_stranger(door, event->dev->auth_request);
}

/* What was lost asks again. */
static int on_strangers(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct door *door = data;
	struct vpn_error err;

	(void)source;
	(void)fd;
	(void)revents;
	if (vpn_event_read(&door->strangers, on_event, door, &err))
		log_event(LEVEL_WARNING, "strangers were not heard", "reason", err.text);
	return 0;
}

/*
 * Events
 */

void door_connected(struct door *door, const uint8_t key[VPN_KEY_LEN])
{
	struct guest *guest = guests_find(&door->guests, key);

	if (!guest || guest->connected)
		return;
	guest->connected = true;
	guest->since = clock_seconds();
}

/* Whoever comes back shows what he has then. */
void door_left(struct door *door, const uint8_t key[VPN_KEY_LEN])
{
	struct guest *guest = guests_find(&door->guests, key);

	if (!guest)
		return;
	guest->connected = false;
	guest->since = clock_seconds();
	if (guest->kind)
		cut_off(door, guest);
}

void door_has(struct door *door, const uint8_t key[VPN_KEY_LEN], const struct vpn_address *address)
{
	struct guest *guest = guests_find(&door->guests, key);
	struct vpn_address *added;

	if (!guest || vpn_addresses_has(&guest->leased, address))
		return;
	added = vpn_addresses_add(&guest->leased);
	if (added)
		*added = *address;
	changed(door);
}

void door_lease(struct door *door, const struct vpn_lease *lease, bool added)
{
	if (added && lease->has_key)
		door_has(door, lease->public_key, &lease->address);
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *data)
{
	struct door *door = data;
	struct guest *guest, *next;
	uint64_t now = clock_seconds();

	(void)usec;
	sd_event_source_set_time_relative(source, PATIENCE * USEC);
	for (guest = door->guests.first; guest; guest = next) {
		next = guest->next;
		if (guest->kind && !guest->connected && now - guest->since > PATIENCE)
			cut_off(door, guest);
	}
	return 0;
}

/*
 * Files
 */

/* Whoever is in shows again what he has shown. */
static void look_again(struct door *door)
{
	const struct guest *guest;
	struct question *q;

	for (guest = door->guests.first; guest; guest = guest->next) {
		if (!guest->kind || is_asked(door, guest->key))
			continue;
		q = new_question(guest->key, guest->kind, guest->credential,
				 guest->credential_len);
		if (!q)
			return;
		q->known = true;
		ask(door, q);
	}
}

/* Clients look at it; here it is of no use but to be told of early. */
static void look_at_own(const struct door *door, const struct config *config)
{
	struct vpn_error err;

	if (!credential_own_is_good(config, door->d->world.facts.private_key, &err))
		log_event(LEVEL_WARNING, "clients will not take this server's certificate",
			  "reason", err.text);
}

static int read_files(struct door *door, const struct config *config, struct vpn_error *err)
{
	bool differs;
	int ret;

	ret = verifier_load(door->verifier, config, &differs, err);
	if (!ret)
		ret = folder_read(config->peers_path, &door->guests, err);
	if (!ret && differs)
		look_again(door);
	if (!ret)
		look_at_own(door, config);
	return ret;
}

static int on_file(sd_event_source *source, const struct inotify_event *event, void *data)
{
	struct door *door = data;

	(void)source;
	(void)event;
	soon(door->refresh, SETTLE_USEC);
	return 0;
}

static void watch_path(struct door *door, const char *path, bool is_folder)
{
	if (!watched_add(&door->watched, door->d->event, path, is_folder, on_file, door))
		log_event(LEVEL_WARNING,
			  "changes of this are not noticed; 'vpnctl reload' reads it again", "path",
			  path);
}

static void watch_files(struct door *door, const struct config *config)
{
	watched_clear(&door->watched);
	watch_path(door, config->ca_certificate_path, false);
	watch_path(door, config->crl_path, false);
	watch_path(door, config->token_keys_path, true);
	watch_path(door, config->peers_path, true);
}

/* First it is watched, then read, lest a change is missed between. */
static int on_refresh(sd_event_source *source, uint64_t usec, void *data)
{
	struct door *door = data;
	struct vpn_error err;

	(void)source;
	(void)usec;
	watch_files(door, config_of(door));
	if (read_files(door, config_of(door), &err))
		log_event(LEVEL_ERROR, "what is trusted stays as it was", "reason", err.text);
	changed(door);
	return 0;
}

/*
 * Life
 */

/* No listener, no work for the kernel. */
static int listen_to_strangers(struct door *door, struct vpn_error *err)
{
	bool wanted = verifier_is_open(door->verifier);
	int ret;

	if (wanted == !!door->source)
		return 0;
	if (!wanted) {
		door->source = sd_event_source_disable_unref(door->source);
		vpn_socket_close(&door->strangers);
		memset(&door->strangers, 0, sizeof(door->strangers));
		return 0;
	}
	ret = vpn_event_open(&door->strangers, VPN_EVENT_AUTH, err);
	if (!ret && sd_event_add_io(door->d->event, &door->source,
				    mnl_socket_get_fd(door->strangers.nl), EPOLLIN, on_strangers,
				    door) < 0)
		ret = vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	return ret;
}

int door_reconfigure(struct door *door, const struct config *config, struct vpn_error *err)
{
	int ret = read_files(door, config, err);

	if (ret)
		return ret;
	watch_files(door, config);
	/* Roles may be others. */
	look_again(door);
	return listen_to_strangers(door, err);
}

static int add_timer(struct door *door, sd_event_source **timer, sd_event_time_handler_t handler)
{
	int ret;

	ret = sd_event_add_time_relative(door->d->event, timer, CLOCK_MONOTONIC, 0, 0, handler,
					 door);
	return ret < 0 ? ret : sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
}

static int make_timers(struct door *door, struct vpn_error *err)
{
	if (add_timer(door, &door->update, on_update) < 0 ||
	    add_timer(door, &door->refresh, on_refresh) < 0 ||
	    add_timer(door, &door->sweep, on_sweep) < 0)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	sd_event_source_set_time_relative(door->sweep, PATIENCE * USEC);
	sd_event_source_set_enabled(door->sweep, SD_EVENT_ON);
	return 0;
}

int door_open(struct daemon *d, struct vpn_error *err)
{
	struct door *door = calloc(1, sizeof(*door));
	int ret;

	if (!door || asprintf(&door->path, "%s/%s.guests", d->run_path, d->config->name) < 0) {
		free(door);
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	}
	d->door = door;
	door->d = d;
	guests_init(&door->guests);
	d->world.facts.guests = &door->guests;
	door->verifier = verifier_new(d, on_verdict, door);
	ret = door->verifier ? make_timers(door, err) :
	      vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	/* Without the device, nobody is in. */
	if (!ret && if_nametoindex(d->config->ifname))
		guests_restore(&door->guests, door->path);
	return ret ? ret : read_files(door, d->config, err);
}

int door_begin(struct door *door, struct vpn_error *err)
{
	watch_files(door, config_of(door));
	return listen_to_strangers(door, err);
}

void door_close(struct daemon *d)
{
	struct door *door = d->door;
	struct question *q;

	if (!door)
		return;
	if (d->keep)
		save(door);
	else
		unlink(door->path);
	watched_clear(&door->watched);
	sd_event_source_disable_unref(door->source);
	sd_event_source_disable_unref(door->sweep);
	sd_event_source_disable_unref(door->refresh);
	sd_event_source_disable_unref(door->update);
	vpn_socket_close(&door->strangers);
	verifier_free(door->verifier);
	while ((q = door->questions)) {
		door->questions = q->next;
		free_question(q);
	}
	d->world.facts.guests = NULL;
	guests_free(&door->guests);
	free(door->path);
	free(door);
	d->door = NULL;
}
