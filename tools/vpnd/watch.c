// SPDX-License-Identifier: GPL-2.0
#include "watch.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../libvpn/address.h"
#include "../libvpn/event.h"
#include "../libvpn/key.h"
#include "../libvpn/names.h"
#include "client.h"
#include "clock.h"
#include "desired.h"
#include "door.h"
#include "hook.h"
#include "leases.h"
#include "log.h"

#define USEC		1000000ULL
/* A session is not used for longer. */
#define SESSION_SECONDS	180

/* What is remembered of a peer between its events. */
struct seen {
	uint8_t key[VPN_KEY_LEN];
	char name[VPN_NAME_MAX + 1];
	char address[VPN_PREFIX_TEXT];
	char endpoint[VPN_ENDPOINT_TEXT];
	bool there;			/* the device has it; else there is a lease of its key */
	bool connected;
	uint64_t since;			/* by clock_seconds() */
	uint64_t rx_bytes, tx_bytes;	/* at that time */
};

struct watch {
	struct daemon *d;
	struct vpn_socket events, routes, tables;
	struct sd_event_source *sources[3], *flush, *update;
	void *peers;			/* a tree of struct seen */
	struct watch_counts counts;
};

const struct watch_counts *watch_counts(const struct watch *watch)
{
	return &watch->counts;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, VPN_KEY_LEN);
}

static struct seen *add_seen(struct watch *watch, struct seen *seen)
{
	if (seen && tsearch(seen, &watch->peers, compare))
		return seen;
	free(seen);
	return NULL;
}

static struct seen *find_seen(struct watch *watch, const uint8_t key[VPN_KEY_LEN])
{
	struct seen **found = tfind(key, &watch->peers, compare), *seen;

	if (found)
		return *found;
	seen = calloc(1, sizeof(*seen));
	if (seen)
		memcpy(seen->key, key, VPN_KEY_LEN);
	return add_seen(watch, seen);
}

static struct seen *take_seen(void **peers, const uint8_t key[VPN_KEY_LEN])
{
	struct seen **found = tfind(key, peers, compare), *seen = found ? *found : NULL;

	if (found)
		tdelete(key, peers, compare);
	return seen;
}

/* Clients may come with a new key each time: of who is gone nothing is kept. */
static void forget_seen(struct watch *watch, const uint8_t key[VPN_KEY_LEN])
{
	free(take_seen(&watch->peers, key));
}

static void note_peer(struct seen *seen, const struct vpn_peer *peer)
{
	seen->there = true;
	if (*peer->name)
		memcpy(seen->name, peer->name, sizeof(seen->name));
	if (peer->has & VPN_PEER_HAS_ENDPOINT)
		vpn_endpoint_format(&peer->endpoint, seen->endpoint);
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static void run_hooks(const struct watch *watch, const struct seen *seen, bool connect)
{
	const struct config *config = watch->d->config;
	char key[VPN_KEY_BASE64_LEN + 1];
	const struct hook_peer peer = { key, seen->name, seen->endpoint };

	vpn_key_to_base64(seen->key, key);
	hook_start(config, connect ? &config->hook_connect : &config->hook_disconnect, &peer);
}

static void log_peer(const char *message, const struct seen *seen, const char *name,
		     const char *text)
{
	char key[VPN_KEY_BASE64_LEN + 1];

	vpn_key_to_base64(seen->key, key);
	log_event(LEVEL_INFO, message, "peer", or_null(seen->name), "public_key", key, "address",
		  or_null(seen->address), "endpoint", or_null(seen->endpoint), name, text);
}

static void set_connected(struct watch *watch, struct seen *seen, const struct vpn_peer *peer)
{
	seen->connected = true;
	seen->since = clock_seconds();
	seen->rx_bytes = peer->rx_bytes;
	seen->tx_bytes = peer->tx_bytes;
	watch->counts.connected++;
}

static void on_handshake(struct watch *watch, struct seen *seen, const struct vpn_peer *peer)
{
	note_peer(seen, peer);
	if (watch->d->client)
		client_handshake(watch->d->client);
	if (watch->d->door)
		door_connected(watch->d->door, peer->public_key);
	if (seen->connected)
		return;
	set_connected(watch, seen, peer);
	watch->counts.connects++;
	log_peer("connected", seen, NULL, NULL);
	run_hooks(watch, seen, true);
}

static void on_moved(struct watch *watch, struct seen *seen, const struct vpn_peer *peer)
{
	char before[VPN_ENDPOINT_TEXT];

	memcpy(before, seen->endpoint, sizeof(before));
	note_peer(seen, peer);
	/* Where a peer is at first is no move. */
	if (!seen->connected || !*before)
		return;
	watch->counts.moves++;
	log_peer("moved", seen, "from", before);
}

/* A peer that was removed and added meanwhile counts from zero again. */
static unsigned long long grown(uint64_t now, uint64_t before)
{
	return now < before ? now : now - before;
}

static void on_left(struct watch *watch, struct seen *seen, const struct vpn_peer *peer,
		    const char *reason)
{
	char seconds[24], received[24], sent[24], key[VPN_KEY_BASE64_LEN + 1];

	if (!seen->connected)
		return;
	seen->connected = false;
	watch->counts.connected--;
	watch->counts.leaves++;
	vpn_key_to_base64(seen->key, key);
	snprintf(seconds, sizeof(seconds), "%llu",
		 (unsigned long long)(clock_seconds() - seen->since));
	snprintf(received, sizeof(received), "%llu", grown(peer->rx_bytes, seen->rx_bytes));
	snprintf(sent, sizeof(sent), "%llu", grown(peer->tx_bytes, seen->tx_bytes));
	log_event(LEVEL_INFO, "disconnected", "peer", or_null(seen->name), "public_key", key,
		  "address", or_null(seen->address), "endpoint", or_null(seen->endpoint), "seconds",
		  seconds, "received_bytes", received, "sent_bytes", sent, "reason", reason);
	run_hooks(watch, seen, false);
}

static void on_refused(struct watch *watch, struct seen *seen, const struct vpn_peer *peer)
{
	const struct vpn_refusal *refusal = peer->last_refusal;
	char key[VPN_KEY_BASE64_LEN + 1];

	note_peer(seen, peer);
	if (!refusal)
		return;
	if (refusal->reason < sizeof(watch->counts.refusals) / sizeof(*watch->counts.refusals))
		watch->counts.refusals[refusal->reason]++;
	if (watch->d->client && !refusal->ours)
		client_refused(watch->d->client, refusal);
	vpn_key_to_base64(seen->key, key);
	log_event(LEVEL_WARNING, refusal->ours ? "refused" : "refused by the server", "peer",
		  or_null(seen->name), "public_key", key, "endpoint", or_null(seen->endpoint),
		  "reason", vpn_name_of(&vpn_reject_reasons, refusal->reason), "text",
		  or_null(refusal->text));
}

static const char *ending_reason(const struct vpn_peer *peer)
{
	return peer->last_disconnect ?
	       vpn_name_of(&vpn_disconnect_reasons, peer->last_disconnect->reason) : "goodbye";
}

static void tell_door(const struct watch *watch, const struct vpn_peer *peer)
{
	if (watch->d->door)
		door_left(watch->d->door, peer->public_key);
}

static void on_peer(struct watch *watch, const struct vpn_event *event)
{
	const struct vpn_peer *peer = event->dev->peers;
	struct seen *seen = peer ? find_seen(watch, peer->public_key) : NULL;

	if (!seen)
		return;
	switch (event->command) {
	case VPN_CMD_PEER_ADDED_NTF:
	case VPN_CMD_PEER_CHANGED_NTF:
		note_peer(seen, peer);
		break;
	case VPN_CMD_HANDSHAKE_DONE_NTF:
		on_handshake(watch, seen, peer);
		break;
	case VPN_CMD_ENDPOINT_MOVED_NTF:
		on_moved(watch, seen, peer);
		break;
	case VPN_CMD_REFUSED_NTF:
		on_refused(watch, seen, peer);
		break;
	case VPN_CMD_DISCONNECTED_NTF:
		on_left(watch, seen, peer, ending_reason(peer));
		if (watch->d->client && peer->last_disconnect)
			client_sent_away(watch->d->client, peer->last_disconnect->reason);
		tell_door(watch, peer);
		break;
	case VPN_CMD_SESSION_EXPIRED_NTF:
		on_left(watch, seen, peer, "silent");
		tell_door(watch, peer);
		break;
	case VPN_CMD_PEER_REMOVED_NTF:
		on_left(watch, seen, peer, "removed");
		forget_seen(watch, peer->public_key);
		tell_door(watch, peer);
		break;
	case VPN_CMD_PEER_EXPIRED_NTF:
		on_left(watch, seen, peer, "expired");
		tell_door(watch, peer);
		break;
	case VPN_CMD_ASSIGNED_NTF:
		if (watch->d->client && peer->assigned)
			client_assigned(watch->d->client, peer->assigned);
		break;
	}
}

/* Once after that time, which does not begin anew: what keeps coming does not put it off. */
static void soon(sd_event_source *timer, uint64_t usec)
{
	int state = SD_EVENT_OFF;

	if (!usec || sd_event_source_get_enabled(timer, &state) < 0 || state != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(timer, usec);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int on_flush(sd_event_source *source, uint64_t usec, void *data)
{
	struct watch *watch = data;

	(void)source;
	(void)usec;
	leases_flush();
	/* What could not be saved before is saved now, with all the rest. */
	if (leases_pending()) {
		leases_save_all(watch->d->config->ifname, true);
		soon(watch->flush, leases_pending() ? 10 * USEC : 0);
	}
	return 0;
}

static void on_lease(struct watch *watch, const struct vpn_event *event)
{
	const struct vpn_lease *lease = event->dev->leases.first;
	struct seen *seen = lease && lease->has_key ? find_seen(watch, lease->public_key) : NULL;

	if (!lease)
		return;
	if (watch->d->door)
		door_lease(watch->d->door, lease,
			   event->command == VPN_CMD_LEASE_ADDED_NTF);
	if (event->command == VPN_CMD_LEASE_REMOVED_NTF) {
		if (seen && !seen->there)
			forget_seen(watch, lease->public_key);
		leases_forget(lease);
	} else {
		leases_note(lease);
		if (seen)
			vpn_address_format_host(&lease->address, seen->address);
	}
	/* Many at a time, soon. */
	if (leases_pending())
		soon(watch->flush, USEC / 4);
}

static void on_event(const struct vpn_event *event, void *data)
{
	struct watch *watch = data;

	if (strcmp(event->dev->ifname, watch->d->config->ifname))
		return;
	if (event->command == VPN_CMD_LEASE_ADDED_NTF ||
	    event->command == VPN_CMD_LEASE_REMOVED_NTF)
		on_lease(watch, event);
	else
		on_peer(watch, event);
}

/* What was there before we listened, or while we could not hear; without lines. */
static void catch_up(struct watch *watch)
{
	const struct vpn_lease *lease;
	const struct vpn_peer *peer;
	void *before = watch->peers;
	struct vpn_device *dev;
	struct vpn_error err;
	struct seen *seen;

	if (vpn_device_get(watch->d->config->ifname, &dev, &err))
		return;
	watch->peers = NULL;
	watch->counts.connected = 0;
	for (peer = dev->peers; peer; peer = peer->next) {
		seen = add_seen(watch, take_seen(&before, peer->public_key));
		seen = seen ? seen : find_seen(watch, peer->public_key);
		if (!seen)
			continue;
		watch->counts.connected += seen->connected;
		note_peer(seen, peer);
		for (lease = peer->leases.first; lease; lease = lease->next) {
			vpn_address_format_host(&lease->address, seen->address);
			if (watch->d->door)
				door_has(watch->d->door, peer->public_key, &lease->address);
		}
		if (watch->d->door && peer->last_handshake)
			door_connected(watch->d->door, peer->public_key);
		if (!seen->connected && peer->last_handshake / 1000000000ULL + SESSION_SECONDS >
					(uint64_t)time(NULL))
			set_connected(watch, seen, peer);
	}
	tdestroy(before, free);
	if (!watch->d->client)
		leases_save_all(watch->d->config->ifname, true);
	/* With no room for them, they are tried again. */
	if (leases_pending())
		soon(watch->flush, 10 * USEC);
	vpn_device_free(dev);
}

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct watch *watch = data;
	struct vpn_error err;

	(void)source;
	(void)fd;
	(void)revents;
	if (!vpn_event_read(&watch->events, on_event, watch, &err))
		return 0;
	if (err.fault != VPN_FAULT_LOST) {
		log_event(LEVEL_ERROR, "events of the kernel cannot be heard", "reason", err.text);
		return 0;
	}
	watch->counts.events_lost++;
	log_event(LEVEL_WARNING, "events of the kernel were lost; reading everything again");
	catch_up(watch);
	return 0;
}

static int on_update(sd_event_source *source, uint64_t usec, void *data)
{
	struct watch *watch = data;

	(void)source;
	(void)usec;
	daemon_update(watch->d);
	return 0;
}

/* Routes come and go in swarms, our own among them; a look at all of it later will do. */
static int on_routes(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct watch *watch = data;

	(void)source;
	(void)fd;
	(void)revents;
	while (mnl_socket_recvfrom(watch->routes.nl, watch->routes.buffer, VPN_SOCKET_BUFFER) < 0 &&
	       errno == EINTR)
		;
	soon(watch->update, USEC);
	return 0;
}

/* All messages about tables, and what is in them, begin with the table's name. */
static bool is_about(const struct nlmsghdr *nlh, const char *table)
{
	const struct nlattr *attr;

	if (NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWGEN)
		return false;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME)
			return !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) &&
			       !strcmp(mnl_attr_get_str(attr), table);
	}
	return false;
}

/*
 * Somebody, or we, have changed the firewall; of many changes those of others are no
 * concern, unless their tables have rules of ours.
 */
static int on_tables(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct watch *watch = data;
	struct vpn_socket *sock = &watch->tables;
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)sock->buffer;
	char table[TABLE_NAME];
	bool ours;
	int left;

	(void)source;
	(void)fd;
	(void)revents;
	desired_table(watch->d->config, table);
	left = mnl_socket_recvfrom(sock->nl, sock->buffer, VPN_SOCKET_BUFFER);
	/* Some may have been lost. */
	ours = (left < 0 && errno != EINTR) || watch->d->config->open_port;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		ours |= is_about(nlh, table);
	if (ours)
		soon(watch->update, USEC);
	return 0;
}

static int add_timer(struct daemon *d, sd_event_source **source, sd_event_time_handler_t handler,
		     struct watch *watch)
{
	int ret;

	ret = sd_event_add_time_relative(d->event, source, CLOCK_MONOTONIC, 0, 0, handler, watch);
	return ret < 0 ? ret : sd_event_source_set_enabled(*source, SD_EVENT_OFF);
}

static int open_routes(struct watch *watch, struct vpn_error *err)
{
	static const int groups[] = { RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE };
	size_t i;
	int ret;

	ret = vpn_socket_open(&watch->routes, NETLINK_ROUTE, err);
	for (i = 0; i < 2 && !ret; i++) {
		if (mnl_socket_setsockopt(watch->routes.nl, NETLINK_ADD_MEMBERSHIP,
					  (void *)&groups[i], sizeof(groups[i])) < 0)
			ret = vpn_socket_failed(err, "cannot listen to changes of routes");
	}
	return ret;
}

/* Where the kernel has no nftables, there is nothing to listen to. */
static void open_tables(struct watch *watch)
{
	static const int group = NFNLGRP_NFTABLES;
	struct vpn_error err;

	if (vpn_socket_open(&watch->tables, NETLINK_NETFILTER, &err))
		return;
	if (mnl_socket_setsockopt(watch->tables.nl, NETLINK_ADD_MEMBERSHIP, (void *)&group,
				  sizeof(group)) < 0)
		vpn_socket_close(&watch->tables);
}

int watch_open(struct daemon *d, struct vpn_error *err)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int ret;

	if (!watch)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	d->watch = watch;
	watch->d = d;
	ret = vpn_event_open(&watch->events, VPN_EVENT_ALL, err);
	if (!ret && d->config->role == ROLE_SERVER)
		ret = open_routes(watch, err);
	if (!ret)
		open_tables(watch);
	if (!ret && add_timer(d, &watch->flush, on_flush, watch) < 0)
		ret = vpn_socket_failed(err, "cannot make a timer");
	if (!ret && add_timer(d, &watch->update, on_update, watch) < 0)
		ret = vpn_socket_failed(err, "cannot make a timer");
	return ret;
}

void watch_begin(struct watch *watch)
{
	struct daemon *d = watch->d;

	catch_up(watch);
	sd_event_add_io(d->event, &watch->sources[0], mnl_socket_get_fd(watch->events.nl), EPOLLIN,
			on_events, watch);
	if (watch->routes.nl)
		sd_event_add_io(d->event, &watch->sources[1], mnl_socket_get_fd(watch->routes.nl),
				EPOLLIN, on_routes, watch);
	if (watch->tables.nl)
		sd_event_add_io(d->event, &watch->sources[2], mnl_socket_get_fd(watch->tables.nl),
				EPOLLIN, on_tables, watch);
}

void watch_close(struct daemon *d)
{
	struct watch *watch = d->watch;

	if (!watch)
		return;
	sd_event_source_unref(watch->sources[0]);
	sd_event_source_unref(watch->sources[1]);
	sd_event_source_unref(watch->sources[2]);
	sd_event_source_unref(watch->flush);
	sd_event_source_unref(watch->update);
	vpn_socket_close(&watch->events);
	vpn_socket_close(&watch->routes);
	vpn_socket_close(&watch->tables);
	tdestroy(watch->peers, free);
	free(watch);
	d->watch = NULL;
}
