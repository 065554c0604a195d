// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../libvpn/event.h"
#include "../libvpn/link.h"
#include "command.h"
#include "complain.h"
#include "fields.h"
#include "out.h"

/* "2025-01-31T12:00:00.123456+01:00" */
static void put_time(void)
{
	static const struct out_field field = { "time", NULL, HEADING_NONE };
	char text[64], zone[8];
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text + len, sizeof(text) - len, ".%06ld%.3s:%s", now.tv_nsec / 1000, zone,
		 zone + 3);
	out_string(&field, text);
}

static void put_event(const char *name)
{
	static const struct out_field field = { "event", NULL, HEADING_NONE };

	out_string(&field, name);
}

/* The kernel tells the state of the peer; most of it is old. */
static void put_news(uint8_t command, const struct vpn_peer *peer)
{
	switch (command) {
	case VPN_CMD_ECHO_DONE_NTF:
		field_rtt(peer);
		break;
	case VPN_CMD_ASSIGNED_NTF:
		field_assigned(peer);
		break;
	case VPN_CMD_REFUSED_NTF:
		field_refusal(peer);
		break;
	case VPN_CMD_DISCONNECTED_NTF:
		field_disconnect(peer);
		break;
	}
}

/* An event has what changed, and says nothing about the remainder. */
static void put_peer(uint8_t command, const struct vpn_peer *peer)
{
	out_group("peer");
	field_peer(peer);
	if (peer->has & VPN_PEER_HAS_NAME)
		field_name(peer);
	if (peer->has & VPN_PEER_HAS_ENDPOINT)
		field_endpoint(peer);
	if (peer->allowedips)
		field_allowed_ips(peer);
	if (peer->has & VPN_PEER_HAS_KEEPALIVE)
		field_keepalive(peer);
	if (peer->has & VPN_PEER_HAS_TRANSFER)
		field_transfer(peer);
	put_news(command, peer);
	out_group_end();
}

static void put_device(const struct vpn_device *dev)
{
	if (dev->has & VPN_DEVICE_HAS_LISTEN_PORT)
		field_listen_port(dev);
	if (dev->has & VPN_DEVICE_HAS_FWMARK)
		field_fwmark(dev);
	if (dev->has & VPN_DEVICE_HAS_PEER_COUNT)
		field_peer_count(dev);
	if (dev->leases.first) {
		out_group("lease");
		field_lease(dev->leases.first);
		out_group_end();
	}
	if (dev->auth_request)
		field_auth_request(dev->auth_request);
}

static void print_event(const struct vpn_event *event, void *data)
{
	const char *ifname = data;

	if (ifname && strcmp(event->dev->ifname, ifname))
		return;
	out_object(NULL);
	put_time();
	field_ifname(event->dev);
	field_ifindex(event->dev);
	put_event(event->name);
	put_device(event->dev);
	if (event->dev->peers)
		put_peer(event->command, event->dev->peers);
	out_object_end();
	out_end_line();
	fflush(stdout);
}

/* The kernel does not count what it had to drop. */
static void print_loss(const struct vpn_error *err)
{
	complain(NULL, "%s; 'vpnctl show' has the present state", err->text);
	out_object(NULL);
	put_time();
	put_event("events-lost");
	out_object_end();
	out_end_line();
	fflush(stdout);
}

static int follow(struct vpn_socket *sock, char *ifname)
{
	struct vpn_error err;

	while (!ferror(stdout)) {
		if (!vpn_event_read(sock, print_event, ifname, &err))
			continue;
		if (err.fault != VPN_FAULT_LOST)
			return complain_error(&err);
		print_loss(&err);
	}
	return STATUS_FAILED;
}

int cmd_monitor(int argc, char *argv[])
{
	bool auth = argc > 1 && !strcmp(argv[1], "auth");
	struct vpn_socket sock;
	struct vpn_error err;
	uint32_t ifindex;
	char *ifname;
	int status;

	if (argc > 2 + auth)
		return complain_usage("monitor", "'%s' is one argument too many", argv[2 + auth]);
	ifname = argv[1 + auth];
	if (vpn_event_open(&sock, auth ? VPN_EVENT_AUTH : VPN_EVENT_ALL, &err))
		return complain_error(&err);
	if (ifname && vpn_link_find(ifname, &ifindex, &err)) {
		status = complain_error(&err);
	} else {
		out_begin(want_json ? OUT_JSON : OUT_LINE);
		status = follow(&sock, ifname);
	}
	vpn_socket_close(&sock);
	return status;
}
