// SPDX-License-Identifier: GPL-2.0
#include "client.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "../libvpn/names.h"
#include "clock.h"
#include "contact.h"
#include "credential.h"
#include "log.h"
#include "process.h"
#include "resolve.h"
#include "secret.h"
#include "watched.h"

#define USEC		1000000ULL
/* An initiation that nobody answers is repeated after so many seconds. */
#define RETRY_SECONDS	5

/* Files are written one after the other; a look at all of them then will do. */
#define SETTLE_USEC	(USEC / 5)

enum state { WAITING, RESOLVING, CONNECTING, CONNECTED };

struct client {
	struct daemon *d;
	enum state state;
	unsigned int next_address;	/* of the server's, when it has several */
	pid_t resolver;
	int answer_fd;
	sd_event_source *answer, *timer, *refresh, *again;
	struct watched watched;
	bool other_credential;		/* than the one that the server has seen */
	bool refused;			/* or cut off, and not let in since */
	uint64_t since;			/* clock_seconds() when it was last changed what is tried */
	char trouble[320];
	char failure[320];		/* of the host, not of the server */
};

static const struct config *config_of(const struct client *client)
{
	return client->d->config;
}

static struct facts *facts_of(struct client *client)
{
	return &client->d->world.facts;
}

const char *client_state(const struct client *client)
{
	static const char *const names[] = { "waiting", "resolving", "connecting", "connected" };

	return names[client->state];
}

const char *client_server(const struct client *client)
{
	return config_of(client)->servers.list[client->d->world.facts.server].host;
}

const char *client_trouble(const struct client *client)
{
	return *client->failure ? client->failure : client->trouble;
}

void client_failed(struct client *client, const char *reason)
{
	snprintf(client->failure, sizeof(client->failure), "%s", reason);
}

static void set_trouble(struct client *client, const char *text)
{
	if (strcmp(client->trouble, text) && *text)
		log_event(LEVEL_WARNING, text, "server", client_server(client));
	snprintf(client->trouble, sizeof(client->trouble), "%s", text);
}

/* The n-th key, or the only one. */
static int read_server_key(struct client *client, struct vpn_error *err)
{
	const struct config *config = config_of(client);
	struct facts *facts = facts_of(client);
	unsigned int n = facts->server;

	facts->has_server_key = false;
	if (credential_names_server(config)) {
		if (credential_server_key(config, config->servers.list[n].host,
					  facts->server_key, err))
			return -err->code;
	} else if (config->server_keys.count) {
		n = config->server_keys.count > 1 ? n : 0;
		memcpy(facts->server_key, config->server_keys.list[n].key, VPN_KEY_LEN);
	} else {
		n = config->server_key_paths.count > 1 ? n : 0;
		if (secret_read(config->server_key_paths.list[n], facts->server_key, err))
			return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOKEY,
					     "the server's public key is not known: give server_public_key in [client], or copy the file that the server has beside its private key to '%s'",
					     config->server_key_paths.list[n]);
	}
	facts->has_server_key = true;
	return 0;
}

static void stop_resolver(struct client *client)
{
	sd_event_source_disable_unref(client->answer);
	client->answer = NULL;
	if (client->answer_fd >= 0)
		close(client->answer_fd);
	client->answer_fd = -1;
	if (client->resolver > 0) {
		kill(client->resolver, SIGKILL);
		process_wait(client->resolver);
	}
	client->resolver = 0;
}

/* Not that it has to be so: as long as the module stays, it goes on with later time stamps. */
static bool is_clock_behind(struct client *client)
{
	char text[sizeof(client->trouble)];

	if (!contact_is_ahead(config_of(client), text, sizeof(text)))
		return false;
	set_trouble(client, text);
	return true;
}

static void use_answer(struct client *client, const struct resolve_answer *answer)
{
	struct facts *facts = facts_of(client);
	char text[VPN_ENDPOINT_TEXT];

	client->since = clock_seconds();
	if (!answer->count) {
		set_trouble(client, answer->trouble);
		return;
	}
	facts->endpoint = answer->list[client->next_address++ % answer->count];
	facts->has_endpoint = true;
	facts->connect = true;
	client->state = CONNECTING;
	vpn_endpoint_format(&facts->endpoint, text);
	log_event(LEVEL_INFO,
		  "connecting",
		  "server", client_server(client), "endpoint", text);
	is_clock_behind(client);
	daemon_update(client->d);
}

static int on_answer(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct client *client = data;
	struct resolve_answer answer;

	(void)source;
	(void)revents;
	resolve_read(fd, &answer);
	stop_resolver(client);
	use_answer(client, &answer);
	return 0;
}

/* Try the present server; what goes on meanwhile goes on. */
static int try_server(struct client *client, struct vpn_error *err)
{
	const struct config *config = config_of(client);
	const struct config_endpoint *server = &config->servers.list[facts_of(client)->server];
	int ret;

	stop_resolver(client);
	client->since = clock_seconds();
	ret = read_server_key(client, err);
	if (ret)
		return ret;
	client->state = RESOLVING;
	client->answer_fd = resolve_start(server->host, server->port, config->fwmark,
					  &client->resolver);
	if (client->answer_fd >= 0 &&
	    sd_event_add_io(client->d->event, &client->answer, client->answer_fd,
			    EPOLLIN | EPOLLHUP, on_answer, client) >= 0)
		return 0;
	stop_resolver(client);
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EAGAIN,
			     "no process can be started to resolve '%s'",
			     server->host);
}

static void try_next(struct client *client)
{
	struct facts *facts = facts_of(client);
	struct vpn_error err;

	facts->server = (facts->server + 1) % config_of(client)->servers.count;
	if (try_server(client, &err))
		set_trouble(client, err.text);
}

/*
 * For how many seconds the server has been asked in vain; UINT64_MAX: it has not
 * answered once.
 */
static uint64_t silence(const struct client *client)
{
	uint64_t seconds = UINT64_MAX;
	struct vpn_device *dev;
	struct vpn_error err;

	if (vpn_device_get(config_of(client)->ifname, &dev, &err))
		return seconds;
	if (dev->peers && dev->peers->last_handshake)
		seconds = (uint64_t)dev->peers->unanswered * RETRY_SECONDS;
	vpn_device_free(dev);
	return seconds;
}

static bool is_silent(struct client *client)
{
	uint64_t patience = config_of(client)->resolve_interval, seconds;

	if (!patience || clock_seconds() - client->since < patience)
		return false;
	if (client->state == RESOLVING)
		return true;
	seconds = silence(client);
	/* The event may have been missed, or the server was asked needlessly. */
	if (!seconds && !client->refused)
		client_handshake(client);
	return seconds >= patience;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct client *client = data;

	(void)usec;
	sd_event_source_set_time_relative(source, USEC);
	if (client->state == WAITING || !is_silent(client))
		return 0;
	if (client->state == CONNECTED)
		set_trouble(client, "the server does not answer any more");
	else if (client->state == CONNECTING && !is_clock_behind(client))
		set_trouble(client, "the server does not answer");
	try_next(client);
	return 0;
}

/*
 * What is shown to the server
 */

static void forget_credential(struct facts *facts)
{
	if (facts->credential)
		explicit_bzero(facts->credential, facts->credential_len);
	free(facts->credential);
	facts->credential = NULL;
	facts->credential_len = 0;
	facts->credential_kind = 0;
}

static int read_credential(struct client *client, struct vpn_error *err)
{
	struct facts *facts = facts_of(client);
	struct vpn_credential credential;
	int ret = credential_read(config_of(client), &credential, err);

	if (ret)
		return ret;
	if (credential.len == facts->credential_len &&
	    (!credential.len || !memcmp(credential.octets, facts->credential, credential.len))) {
		free(credential.octets);
		return 0;
	}
	forget_credential(facts);
	facts->credential = credential.octets;
	facts->credential_len = credential.len;
	facts->credential_kind = credential.kind;
	facts->credential_set = false;
	client->other_credential = true;
	return 0;
}

static void forget_assigned(struct facts *facts)
{
	if (!facts->assigned)
		return;
	vpn_addresses_free(&facts->assigned->addresses);
	vpn_addresses_free(&facts->assigned->dns);
	vpn_addresses_free(&facts->assigned->routes);
	free(facts->assigned);
	facts->assigned = NULL;
}

void client_disconnect(struct client *client)
{
	struct facts *facts = facts_of(client);

	stop_resolver(client);
	client->state = WAITING;
	client->trouble[0] = '\0';
	client->refused = false;
	facts->connect = false;
	facts->has_endpoint = false;
	forget_assigned(facts);
	daemon_update(client->d);
}

void client_handshake(struct client *client)
{
	client->trouble[0] = '\0';
	client->refused = false;
	contact_note(config_of(client));
	if (client->state == CONNECTING)
		client->state = CONNECTED;
	client->since = clock_seconds();
}

static bool copy_list(struct vpn_addresses *to, const struct vpn_addresses *from)
{
	to->list = calloc(from->count + 1, sizeof(*to->list));
	to->count = to->list ? from->count : 0;
	if (to->list && from->count)
		memcpy(to->list, from->list, from->count * sizeof(*to->list));
	return to->list;
}

static bool remember_assigned(struct facts *facts, const struct vpn_assigned *assigned)
{
	struct vpn_assigned *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return false;
	copy->mtu = assigned->mtu;
	copy->keepalive = assigned->keepalive;
	copy->time = assigned->time;
	forget_assigned(facts);
	facts->assigned = copy;
	return copy_list(&copy->addresses, &assigned->addresses) &&
	       copy_list(&copy->dns, &assigned->dns) && copy_list(&copy->routes, &assigned->routes);
}

void client_assigned(struct client *client, const struct vpn_assigned *assigned)
{
	struct facts *facts = facts_of(client);

	if (!facts->connect)
		return;
	if (!remember_assigned(facts, assigned))
		log_line(LEVEL_ERROR, "what the server assigns is lost: %s", strerror(ENOMEM));
	daemon_update(client->d);
}

static void not_connected(struct client *client)
{
	client->refused = true;
	if (client->state == CONNECTED)
		client->state = CONNECTING;
}

void client_refused(struct client *client, const struct vpn_refusal *refusal)
{
	const char *reason = vpn_name_of(&vpn_reject_reasons, refusal->reason);

	snprintf(client->trouble, sizeof(client->trouble), "refused by %.100s: %s",
		 client_server(client), *refusal->text ? refusal->text : reason);
	not_connected(client);
}

static int set_peer(const struct client *client, uint16_t keepalive, struct vpn_error *err)
{
	const struct config *config = config_of(client);
	struct vpn_device *dev = vpn_device_new();
	struct vpn_peer *peer = dev ? vpn_device_add_peer(dev) : NULL;
	int ret = -ENOMEM;

	if (peer) {
		snprintf(dev->ifname, sizeof(dev->ifname), "%s", config->ifname);
		memcpy(peer->public_key, client->d->world.facts.server_key, VPN_KEY_LEN);
		peer->flags = VPN_PEER_FLAGS_UPDATE_ONLY;
		peer->has = VPN_PEER_HAS_PUBLIC_KEY;
		if (config->addresses.count) {
			peer->has |= VPN_PEER_HAS_KEEPALIVE;
			peer->keepalive = keepalive;
		} else {
			peer->has |= VPN_PEER_HAS_ADDRESS_MODE;
			peer->address_mode = VPN_ADDRESS_MODE_REQUEST;
		}
		ret = vpn_device_set(dev, err);
	}
	vpn_device_free(dev);
	return ret;
}

/*
 * Setting anew that an address is asked for, or that something is sent when there is
 * nothing to send, makes the kernel begin a handshake.
 */
static void shake_hands(struct client *client)
{
	const struct config *config = config_of(client);
	struct vpn_error err;

	client->other_credential = false;
	if (!facts_of(client)->connect || !facts_of(client)->has_server_key)
		return;
	if (config->addresses.count)
		set_peer(client, 0, &err);
	set_peer(client, config->keepalive, &err);
}

static void ask_again(struct client *client)
{
	daemon_update(client->d);
	shake_hands(client);
}

/* Under way or there already, unless the server said no: then ask it once more. */
int client_connect(struct client *client, struct vpn_error *err)
{
	int ret;

	if (client->state == RESOLVING || (client->state != WAITING && !*client->trouble))
		return 0;
	client->trouble[0] = '\0';
	ret = read_credential(client, err);
	if (!ret && client->state == WAITING)
		ret = try_server(client, err);
	else if (!ret)
		ask_again(client);
	if (ret)
		set_trouble(client, err->text);
	return ret;
}

static int on_again(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	shake_hands(data);
	return 0;
}

/* Whoever asks at once is told why. */
void client_sent_away(struct client *client, uint32_t reason)
{
	char text[96];

	if (reason != VPN_DISCONNECT_REASON_EXPIRED &&
	    reason != VPN_DISCONNECT_REASON_PEER_REMOVED)
		return;
	snprintf(text, sizeof(text), "cut off by %.60s: %s", client_server(client),
		 vpn_name_of(&vpn_disconnect_reasons, reason));
	set_trouble(client, text);
	not_connected(client);
	sd_event_source_set_time_relative(client->again, SETTLE_USEC);
	sd_event_source_set_enabled(client->again, SD_EVENT_ONESHOT);
}

static int on_file(sd_event_source *source, const struct inotify_event *event, void *data)
{
	struct client *client = data;

	(void)source;
	(void)event;
	sd_event_source_set_time_relative(client->refresh, SETTLE_USEC);
	sd_event_source_set_enabled(client->refresh, SD_EVENT_ONESHOT);
	return 0;
}

static void watch_path(struct client *client, const char *path)
{
	watched_add(&client->watched, client->d->event, path, false, on_file, client);
}

static void watch_files(struct client *client)
{
	const struct config *config = config_of(client);

	watched_clear(&client->watched);
	watch_path(client, config->certificate_path);
	watch_path(client, config->token_path);
	watch_path(client, config->server_certificate_path);
	watch_path(client, config->crl_path);
}

/* First they are watched, then read, lest a change is missed between. */
static int on_refresh(sd_event_source *source, uint64_t usec, void *data)
{
	struct client *client = data;
	struct vpn_error err;

	(void)source;
	(void)usec;
	watch_files(client);
	if (read_credential(client, &err)) {
		log_event(LEVEL_ERROR, "what is shown to the server stays as it was", "reason",
			  err.text);
		return 0;
	}
	if (client->state != WAITING && read_server_key(client, &err))
		set_trouble(client, err.text);
	if (!client->other_credential)
		return 0;
	log_event(LEVEL_INFO, "another certificate or token is shown to the server from now on");
	ask_again(client);
	return 0;
}

/* Another number of servers: begin with the first. */
int client_reconfigure(struct client *client, struct vpn_error *err)
{
	struct facts *facts = facts_of(client);

	if (facts->server >= config_of(client)->servers.count)
		facts->server = 0;
	if (read_credential(client, err))
		return -err->code;
	return client->state == WAITING ? 0 : read_server_key(client, err);
}

void client_restored(struct client *client)
{
	struct vpn_error err;

	if (read_credential(client, &err))
		log_event(LEVEL_ERROR, "what is shown to the server cannot be read", "reason",
			  err.text);
}

void client_reconfigured(struct client *client, const struct config_endpoint *before)
{
	const struct config_endpoint *now_is =
		&config_of(client)->servers.list[facts_of(client)->server];
	struct vpn_error err;

	watch_files(client);
	if (client->other_credential)
		shake_hands(client);
	if (client->state == WAITING ||
	    (!strcmp(before->host, now_is->host) && !strcmp(before->port, now_is->port)))
		return;
	client->next_address = 0;
	if (try_server(client, &err))
		set_trouble(client, err.text);
}

/* The kernel has as much of the name as it has room for. */
static bool is_named(const struct vpn_peer *peer, const char *host)
{
	return !strncmp(peer->name, host, sizeof(peer->name) - 1);
}

/* A run before this one has left the device connected: go on from there. */
static void recover(struct client *client)
{
	struct facts *facts = facts_of(client);
	const struct vpn_peer *peer;
	struct vpn_device *dev;
	struct vpn_error err;

	if (!journal_find(&client->d->journal, &kind_up, config_of(client)->ifname) ||
	    vpn_device_get(config_of(client)->ifname, &dev, &err))
		return;
	peer = dev->peers;
	for (; peer && facts->server < config_of(client)->servers.count; facts->server++) {
		if (!read_server_key(client, &err) &&
		    !memcmp(peer->public_key, facts->server_key, VPN_KEY_LEN) &&
		    is_named(peer, client_server(client)))
			break;
	}
	if (peer && facts->server < config_of(client)->servers.count &&
	    peer->has & VPN_PEER_HAS_ENDPOINT) {
		facts->endpoint = peer->endpoint;
		facts->has_endpoint = true;
		facts->connect = true;
		client->state = peer->last_handshake ? CONNECTED : CONNECTING;
		if (peer->assigned)
			remember_assigned(facts, peer->assigned);
	} else {
		facts->server = 0;
	}
	client->since = clock_seconds();
	vpn_device_free(dev);
}

static int add_timer(struct client *client, sd_event_source **timer,
		     sd_event_time_handler_t handler)
{
	int ret;

	ret = sd_event_add_time_relative(client->d->event, timer, CLOCK_MONOTONIC, 0, 0, handler,
					 client);
	return ret < 0 ? ret : sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
}

int client_open(struct daemon *d, struct vpn_error *err)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	d->client = client;
	client->d = d;
	client->answer_fd = -1;
	if (sd_event_add_time_relative(d->event, &client->timer, CLOCK_BOOTTIME, USEC, 0, on_timer,
				       client) < 0)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	sd_event_source_set_enabled(client->timer, SD_EVENT_ON);
	if (add_timer(client, &client->refresh, on_refresh) < 0 ||
	    add_timer(client, &client->again, on_again) < 0)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	if (read_credential(client, err))
		return -err->code;
	client->other_credential = false;
	watch_files(client);
	recover(client);
	return 0;
}

void client_begin(struct client *client)
{
	struct vpn_error err;

	if (!config_of(client)->auto_connect && client->state == WAITING) {
		log_event(LEVEL_INFO, "waiting for 'vpnctl connect'");
		return;
	}
	client_connect(client, &err);
}

void client_close(struct daemon *d)
{
	struct client *client = d->client;

	if (!client)
		return;
	stop_resolver(client);
	sd_event_source_disable_unref(client->timer);
	sd_event_source_disable_unref(client->refresh);
	sd_event_source_disable_unref(client->again);
	watched_clear(&client->watched);
	forget_credential(&d->world.facts);
	forget_assigned(&d->world.facts);
	free(client);
	d->client = NULL;
}
