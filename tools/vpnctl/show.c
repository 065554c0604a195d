// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/nearest.h"
#include "command.h"
#include "complain.h"
#include "devices.h"
#include "fields.h"
#include "out.h"

#define FIELDS_MAX	28

/* What is shown, in which order. */
struct view {
	const char *name;
	device_field device[FIELDS_MAX];
	peer_field peer[FIELDS_MAX];
};

static const struct view views[] = {
	{ "public-key", .device = { field_public_key } },
	{ "private-key", .device = { field_private_key } },
	{ "listen-port", .device = { field_listen_port } },
	{ "fwmark", .device = { field_fwmark } },
	{ "peers", .peer = { field_peer } },
	{ "preshared-keys", .peer = { field_peer, field_preshared_key } },
	{ "endpoints", .peer = { field_peer, field_endpoint } },
	{ "allowed-ips", .peer = { field_peer, field_allowed_ips } },
	{ "latest-handshakes", .peer = { field_peer, field_latest_handshake } },
	{ "transfer", .peer = { field_peer, field_transfer } },
	{ "persistent-keepalive", .peer = { field_peer, field_keepalive } },
	{ "host-name", .device = { field_host_name } },
	{ "max-peers", .device = { field_max_peers } },
	{ "push-dns", .device = { field_push_dns } },
	{ "push-routes", .device = { field_push_routes } },
	{ "push-mtu", .device = { field_push_mtu } },
	{ "push-keepalive", .device = { field_push_keepalive } },
	{ "address", .peer = { field_peer, field_address } },
	{ "lease", .peer = { field_peer, field_leases } },
	{ "assigned", .peer = { field_peer, field_assigned } },
	{ "cipher", .peer = { field_peer, field_cipher, field_session_cipher } },
	{ "protocol-version", .peer = { field_peer, field_version } },
	{ "credential", .peer = { field_peer, field_credential } },
	{ "expires", .peer = { field_peer, field_expires } },
	{ "host", .peer = { field_peer, field_peer_host_name, field_software } },
	{ "refusal", .peer = { field_peer, field_refusal } },
	{ "disconnect", .peer = { field_peer, field_disconnect } },
	{ "unanswered", .peer = { field_peer, field_unanswered } },
	{ "rtt", .peer = { field_peer, field_rtt } },
	{ "latency", .peer = { field_peer, field_latency } },
	{ "peer-routes", .peer = { field_peer, field_peer_routes } },
	{
		"dump",
		.device = {
			field_private_key, field_public_key, field_listen_port, field_fwmark,
		},
		.peer = {
			field_peer, field_preshared_key, field_endpoint, field_allowed_ips_comma,
			field_latest_handshake, field_transfer, field_keepalive,
		},
	},
};

static const struct view pretty = {
	.device = {
		field_ifname, field_public_key, field_private_key_hidden, field_listen_port,
		field_fwmark, field_host_name, field_max_peers, field_push_dns, field_push_routes,
		field_push_mtu, field_push_keepalive,
	},
	.peer = {
		field_peer, field_name, field_preshared_key_hidden, field_endpoint,
		field_allowed_ips, field_address, field_leases, field_assigned, field_cipher,
		field_session_cipher, field_version, field_credential, field_expires,
		field_peer_routes, field_peer_host_name, field_software, field_latest_handshake,
		field_transfer, field_keepalive, field_rtt, field_latency, field_refusal,
		field_disconnect, field_hint,
	},
};

/* Secret keys are in JSON only when they are asked for by name. */
static const struct view json = {
	.device = {
		field_public_key, field_listen_port, field_fwmark, field_peer_count,
		field_host_name, field_max_peers, field_push_dns, field_push_routes,
		field_push_mtu, field_push_keepalive, field_device_latency,
	},
	.peer = {
		field_peer, field_name, field_endpoint, field_allowed_ips, field_address,
		field_leases, field_assigned, field_cipher, field_session_cipher,
		field_credential, field_expires, field_peer_routes, field_peer_host_name,
		field_software, field_latest_handshake, field_transfer, field_keepalive,
		field_version, field_rtt, field_latency, field_refusal, field_disconnect,
		field_unanswered, field_hint,
	},
};

struct showing {
	const struct view *view;
	bool named;		/* each line begins with the device's name */
	bool sorted;
};

struct ranked {
	const struct vpn_peer *peer;
	unsigned int place;
};

/* The latest handshake first; otherwise the order of the kernel. */
static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *first = a, *second = b;
	uint64_t one = first->peer->last_handshake, two = second->peer->last_handshake;

	if (one != two)
		return one > two ? -1 : 1;
	return first->place < second->place ? -1 : 1;
}

/* Calls show() for each peer in the order that is wanted. */
static int each_peer(const struct showing *s, const struct vpn_device *dev,
		     void (*show)(const struct showing *, const struct vpn_device *,
				  const struct vpn_peer *))
{
	const struct vpn_peer *peer;
	struct ranked *ranked;
	size_t count = 0, i;

	for (peer = dev->peers; peer; peer = peer->next)
		count++;
	ranked = calloc(count + 1, sizeof(*ranked));
	if (!ranked)
		return -1;
	for (peer = dev->peers, i = 0; peer; peer = peer->next, i++)
		ranked[i] = (struct ranked){ peer, i };
	if (s->sorted)
		qsort(ranked, count, sizeof(*ranked), compare_ranked);
	for (i = 0; i < count; i++)
		show(s, dev, ranked[i].peer);
	free(ranked);
	return 0;
}

static void show_peer(const struct showing *s, const struct vpn_device *dev,
		      const struct vpn_peer *peer)
{
	const peer_field *field;

	out_object(NULL);
	if (s->named && out_style() == OUT_TABS)
		field_ifname(dev);
	for (field = s->view->peer; *field; field++)
		(*field)(peer);
	out_object_end();
}

static void show_own(const struct showing *s, const struct vpn_device *dev)
{
	const device_field *field = s->view->device;

	if (out_style() == OUT_JSON) {
		field_ifname(dev);
		field_ifindex(dev);
	} else if (*field && s->named && out_style() == OUT_TABS) {
		field_ifname(dev);
	}
	for (; *field; field++)
		(*field)(dev);
	if (out_style() != OUT_JSON)
		out_end_line();
}

static int show_device(const struct showing *s, const char *ifname)
{
	struct vpn_device *dev;
	struct vpn_error err;
	int ret = 0;

	if (vpn_device_get(ifname, &dev, &err)) {
		/* Gone since the devices were listed. */
		if (s->named && err.code == ENODEV)
			return 0;
		return complain_error(&err);
	}
	out_object(NULL);
	show_own(s, dev);
	if (s->view->peer[0]) {
		out_array("peers");
		ret = each_peer(s, dev, show_peer);
		out_array_end();
	}
	out_object_end();
	vpn_device_free(dev);
	return ret ? !complain(NULL, "out of memory") : 0;
}

static int show_all(const struct showing *s)
{
	struct vpn_link *links, *link;
	int status = devices_list(&links);

	if (status)
		return status;
	out_array(NULL);
	for (link = links; link; link = link->next)
		status |= show_device(s, link->ifname);
	out_array_end();
	vpn_link_free(links);
	return status;
}

static int show_interfaces(void)
{
	static const struct out_field field = { NULL, NULL, HEADING_NONE };
	struct vpn_link *links, *link;
	struct vpn_error err;

	if (vpn_link_list(&links, &err))
		return complain_error(&err);
	out_begin(want_json ? OUT_JSON : OUT_TABS);
	out_list(&field, " ");
	for (link = links; link; link = link->next)
		out_item(link->ifname);
	out_list_end(NULL);
	out_end_line();
	vpn_link_free(links);
	return 0;
}

static const struct view *find_view(const char *name)
{
	struct nearest nearest;
	size_t i;

	nearest_begin(&nearest, name);
	for (i = 0; i < sizeof(views) / sizeof(*views); i++) {
		if (!strcmp(views[i].name, name))
			return &views[i];
		nearest_try(&nearest, views[i].name);
	}
	complain(NULL, "'%s' is not a field%s", name, nearest_hint(&nearest));
	return NULL;
}

static int choose(struct showing *s, const char *field)
{
	enum out_style style = want_json ? OUT_JSON : field ? OUT_TABS : OUT_PRETTY;

	s->view = field ? find_view(field) : &pretty;
	if (!s->view)
		return STATUS_FAILED;
	if (want_json && (!field || !strcmp(field, "dump")))
		s->view = &json;
	s->sorted = style != OUT_TABS;
	out_begin(style);
	return 0;
}

int cmd_show(int argc, char *argv[])
{
	const char *device = argc > 1 ? argv[1] : "all";
	struct showing s = { .named = !strcmp(device, "all") };
	int status;

	if (argc > 3)
		return complain_usage("show", "'%s' is one argument too many", argv[3]);
	if (argc == 2 && !strcmp(device, "interfaces"))
		return show_interfaces();
	if (choose(&s, argc > 2 ? argv[2] : NULL))
		return STATUS_FAILED;
	status = s.named ? show_all(&s) : show_device(&s, device);
	if (want_json)
		out_end_line();
	return status;
}
