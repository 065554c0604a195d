// SPDX-License-Identifier: GPL-2.0
/* The name servers of a client, by whichever way this host has. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns.h"
#include "item.h"
#include "process.h"

/* For the program that manages the file; everything else waits for it. */
#define LIMIT	20

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

/* To be freed. */
static char *resolvconf_text(const json_t *value)
{
	const json_t *part;
	char *text = NULL;
	size_t size, i;
	FILE *to;

	to = open_memstream(&text, &size);
	if (!to)
		return NULL;
	json_array_foreach(json_object_get(value, "servers"), i, part)
		fprintf(to, "nameserver %s\n", json_string_value(part));
	json_array_foreach(json_object_get(value, "domains"), i, part)
		fprintf(to, "%s%s", i ? " " : "search ", json_string_value(part));
	fputc('\n', to);
	fclose(to);
	return text;
}

static int resolvconf_set(const char *ifname, const json_t *value, struct vpn_error *err)
{
	const char *const first[] = { "resolvconf", "-a", ifname, "-m", "0", "-x", NULL };
	const char *const plain[] = { "resolvconf", "-a", ifname, NULL };
	char *text = resolvconf_text(value);
	int status;

	if (!text)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	/* Only one of the two programs of that name can put it in front of all others. */
	status = process_run(first, text, LIMIT);
	if (status)
		status = process_run(plain, text, LIMIT);
	free(text);
	if (!status)
		return 0;
	return vpn_error_set(err, VPN_FAULT_SYSTEM, ECANCELED,
			     "'resolvconf -a %s' ended with status %d", ifname, status);
}

static int resolvconf_revert(const char *ifname)
{
	const char *const argv[] = { "resolvconf", "-d", ifname, NULL };

	process_run(argv, NULL, LIMIT);
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
