// SPDX-License-Identifier: GPL-2.0
/* The name servers of a client, by whichever way this host has. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns.h"
#include "item.h"

/* One that is resolvectl under another name is of use only with resolved. */
static bool has_resolvconf(void)
{
	static const char *const places[] = { "/sbin/resolvconf", "/usr/bin/resolvconf" };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (realpath(places[i], path) && !strstr(path, "resolvectl"))
			return true;
	}
	return false;
}

/* Both programs of that name keep what they are told. */
static bool resolvconf_knows(const char *ifname)
{
	static const char *const folders[] = { "interface", "interfaces", "keys" };
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "/run/resolvconf/%s/%s", folders[i], ifname);
		if (!access(path, F_OK))
			return true;
	}
	return false;
}

/* The method that it was made by, if it is, whatever there would be to choose now. */
static const char *method_of(const struct world *w, const struct item *item)
{
	const char *method = json_string_value(json_object_get(w->before, "method"));

	if (method)
		return method;
	method = item_text(item, "method");
	if (strcmp(method, "auto"))
		return method;
	return resolved_is_used() ? "resolved" : has_resolvconf() ? "resolvconf" : "file";
}

static json_t *dns_before(struct world *w, const struct item *item)
{
	const char *method = method_of(w, item);
	json_t *file = strcmp(method, "file") ? NULL : resolv_file_before();

	return json_pack("{s:s, s:i, s:o*}", "method", method, "ifindex", world_ifindex(w), "file",
			 file);
}

static bool dns_matches(struct world *w, const struct item *item)
{
	const char *method = method_of(w, item);

	if (!strcmp(method, "resolved"))
		return resolved_has(world_ifindex(w),
				    json_array_size(json_object_get(item->value, "servers")));
	if (!strcmp(method, "file"))
		return resolv_file_has(w->ifname, item->value);
	return resolvconf_knows(w->ifname);
}

static int resolvconf_set(const char *ifname, const json_t *value, struct vpn_error *err)
{
	const json_t *part;
	char command[160];
	size_t i;
	FILE *to;

	/* Those of the first kind put it in front of all others. */
	snprintf(command, sizeof(command),
		 "t=$(cat); echo \"$t\" | resolvconf -a '%s' -m 0 -x || echo \"$t\" | resolvconf -a '%s'",
		 ifname, ifname);
	to = popen(command, "we");
	if (!to)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, errno, "resolvconf cannot be run: %s",
				     strerror(errno));
	json_array_foreach(json_object_get(value, "servers"), i, part)
		fprintf(to, "nameserver %s\n", json_string_value(part));
	json_array_foreach(json_object_get(value, "domains"), i, part)
		fprintf(to, "%s%s", i ? " " : "search ", json_string_value(part));
	if (pclose(to))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ECANCELED, "resolvconf failed");
	return 0;
}

static int resolvconf_revert(const char *ifname)
{
	char command[64];
	FILE *to;

	snprintf(command, sizeof(command), "resolvconf -d '%s'", ifname);
	to = popen(command, "we");
	if (to)
		pclose(to);
	return 0;
}

static int dns_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	const char *method = method_of(w, item);

	if (!strcmp(method, "resolved"))
		return resolved_set(world_ifindex(w), item->value, err);
	if (!strcmp(method, "resolvconf"))
		return resolvconf_set(w->ifname, item->value, err);
	return resolv_file_set(w->ifname, item->value, err);
}

static int dns_undo(struct world *w, const struct item *item, const json_t *before,
		    struct vpn_error *err)
{
	const char *method = json_string_value(json_object_get(before, "method"));
	int ifindex = json_integer_value(json_object_get(before, "ifindex"));

	(void)item;
	if (!method)
		return 0;
	if (!strcmp(method, "resolved"))
		return resolved_revert(ifindex, err);
	if (!strcmp(method, "resolvconf"))
		return resolvconf_revert(w->ifname);
	return resolv_file_revert(w->ifname, json_object_get(before, "file"), err);
}

static void dns_describe(const struct world *w, const struct item *item, const char *sign, FILE *to)
{
	const json_t *server;
	size_t i;

	fprintf(to, "%s dns by %s:", sign, method_of(w, item));
	json_array_foreach(json_object_get(item->value, "servers"), i, server)
		fprintf(to, " %s", json_string_value(server));
	fputc('\n', to);
}

const struct item_kind kind_dns = {
	.name = "dns", .matches = dns_matches, .before = dns_before, .make = dns_make,
	.undo = dns_undo, .describe = dns_describe,
};
