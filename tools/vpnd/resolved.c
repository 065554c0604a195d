// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "../libvpn/address.h"
#include "dns.h"

#define SERVICE		"org.freedesktop.resolve1"
#define OBJECT		"/org/freedesktop/resolve1"
#define MANAGER		"org.freedesktop.resolve1.Manager"

/* What programs ask is resolved only if the file leads there. */
bool resolved_is_used(void)
{
	char path[PATH_MAX];
	sd_bus *bus = NULL;
	bool there = false;

	if (!realpath("/etc/resolv.conf", path) ||
	    (strncmp(path, "/run/systemd/resolve/", 21) &&
	     strcmp(path, "/usr/lib/systemd/resolv.conf")))
		return false;
	if (sd_bus_open_system(&bus) >= 0)
		there = sd_bus_call_method(bus, SERVICE, OBJECT,
					   "org.freedesktop.DBus.Peer",
					   "Ping",
					   NULL, NULL, "") >= 0;
	sd_bus_flush_close_unref(bus);
	return there;
}

static int append_servers(sd_bus_message *message, const json_t *servers)
{
	struct vpn_address address;
	const json_t *server;
	int ret;
	size_t i;

	ret = sd_bus_message_open_container(message, 'a', "(iay)");
	json_array_foreach(servers, i, server) {
		if (ret < 0 || !vpn_address_parse(&address, json_string_value(server)))
			break;
		ret = sd_bus_message_open_container(message, 'r', "iay");
		if (ret >= 0)
			ret = sd_bus_message_append(message, "i", (int)address.family);
		if (ret >= 0)
			ret = sd_bus_message_append_array(message, 'y', &address.ip6,
							  vpn_address_len(address.family));
		if (ret >= 0)
			ret = sd_bus_message_close_container(message);
	}
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

/* With everything through the tunnel, so are all names ("~."). */
static int append_domains(sd_bus_message *message, const json_t *value)
{
	const json_t *domain;
	size_t i;
	int ret;

	ret = sd_bus_message_open_container(message, 'a', "(sb)");
	json_array_foreach(json_object_get(value, "domains"), i, domain) {
		if (ret >= 0)
			ret = sd_bus_message_append(message, "(sb)", json_string_value(domain), 0);
	}
	if (ret >= 0 && json_is_true(json_object_get(value, "everything")))
		ret = sd_bus_message_append(message, "(sb)", ".", 1);
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

static int call_with(sd_bus *bus, const char *method, int ifindex, const json_t *value)
{
	sd_bus_message *message = NULL;
	int ret;

	ret = sd_bus_message_new_method_call(bus, &message, SERVICE, OBJECT, MANAGER, method);
	if (ret >= 0)
		ret = sd_bus_message_append(message, "i", ifindex);
	if (ret >= 0)
		ret = !strcmp(method, "SetLinkDNS") ?
		      append_servers(message, json_object_get(value, "servers")) :
		      append_domains(message, value);
	if (ret >= 0)
		ret = sd_bus_call(bus, message, 0, NULL, NULL);
	sd_bus_message_unref(message);
	return ret;
}

static int failed(int ret, struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_SYSTEM, -ret, "systemd-resolved refused: %s",
			     strerror(-ret));
}

int resolved_set(int ifindex, const json_t *value, struct vpn_error *err)
{
	sd_bus *bus = NULL;
	int ret;

	ret = sd_bus_open_system(&bus);
	if (ret >= 0)
		ret = call_with(bus, "SetLinkDNS", ifindex, value);
	if (ret >= 0)
		ret = call_with(bus, "SetLinkDomains", ifindex, value);
	if (ret >= 0)
		ret = sd_bus_call_method(bus, SERVICE, OBJECT, MANAGER, "SetLinkDefaultRoute", NULL,
					 NULL, "ib", ifindex,
					 json_is_true(json_object_get(value, "everything")));
	sd_bus_flush_close_unref(bus);
	return ret < 0 ? failed(ret, err) : 0;
}

static size_t count_servers(sd_bus *bus, const char *link)
{
	sd_bus_message *answer = NULL;
	size_t count = 0;

	if (sd_bus_get_property(bus, SERVICE, link, "org.freedesktop.resolve1.Link", "DNS", NULL,
				&answer, "a(iay)") >= 0 &&
	    sd_bus_message_enter_container(answer, 'a', "(iay)") >= 0) {
		while (sd_bus_message_skip(answer, "(iay)") > 0)
			count++;
	}
	sd_bus_message_unref(answer);
	return count;
}

bool resolved_has(int ifindex, size_t servers)
{
	sd_bus_message *answer = NULL;
	const char *link = NULL;
	sd_bus *bus = NULL;
	size_t count = 0;

	if (sd_bus_open_system(&bus) >= 0 &&
	    sd_bus_call_method(bus, SERVICE, OBJECT, MANAGER, "GetLink", NULL, &answer, "i",
			       ifindex) >= 0 &&
	    sd_bus_message_read(answer, "o", &link) > 0)
		count = count_servers(bus, link);
	sd_bus_message_unref(answer);
	sd_bus_flush_close_unref(bus);
	return count == servers;
}

/* It forgets a link by itself when that goes. */
int resolved_revert(int ifindex, struct vpn_error *err)
{
	sd_bus *bus = NULL;

	(void)err;
	if (sd_bus_open_system(&bus) >= 0)
		sd_bus_call_method(bus, SERVICE, OBJECT, MANAGER, "RevertLink", NULL, NULL, "i",
				   ifindex);
	sd_bus_flush_close_unref(bus);
	return 0;
}
