// SPDX-License-Identifier: GPL-2.0
/* Settings of the kernel: one, or forwarding, on which others depend. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "item.h"

#define TREE	"/proc/sys/net/"
#define LACKING	"'" TREE "%s' cannot be set to '%s' here; start the container with --sysctl %s"

/* Returns false when it is not there. */
static bool read_setting(const char *name, char value[32])
{
	char path[160];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), TREE "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, value, 31);
	close(fd);
	value[len > 0 ? len : 0] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return len > 0;
}

/* A container's /proc/sys belongs to whoever starts it, who calls settings otherwise. */
static int refuse_setting(const char *name, const char *value, struct vpn_error *err)
{
	char option[160];
	char *c;

	snprintf(option, sizeof(option), "net.%s=%s", name, value);
	for (c = option; *c; c++) {
		if (*c == '/')
			*c = '.';
	}
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EROFS, LACKING, name, value, option);
}

static int write_setting(const char *name, const char *value, struct vpn_error *err)
{
	char path[160];
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), TREE "%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		len = write(fd, value, strlen(value));
	if (len < 0 && errno == EROFS)
		refuse_setting(name, value, err);
	else if (len < 0)
		vpn_error_set(err, VPN_FAULT_SYSTEM, errno, "'%s' cannot be set to '%s': %s", path,
			      value, strerror(errno));
	if (fd >= 0)
		close(fd);
	return len < 0 ? -err->code : 0;
}

static bool has_value(const char *name, const char *wanted)
{
	char value[32];

	return read_setting(name, value) && !strcmp(value, wanted);
}

static bool sysctl_matches(struct world *w, const struct item *item)
{
	(void)w;
	return has_value(item->key, item_text(item, "value"));
}

static json_t *sysctl_before(struct world *w, const struct item *item)
{
	char value[32];

	(void)w;
	return read_setting(item->key, value) ? json_string(value) : NULL;
}

static int sysctl_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	/* What may only be read may be right already. */
	if (sysctl_matches(w, item))
		return 0;
	return write_setting(item->key, item_text(item, "value"), err);
}

static int sysctl_undo(struct world *w, const struct item *item, const json_t *before,
		       struct vpn_error *err)
{
	if (!before || !sysctl_matches(w, item) ||
	    has_value(item->key, json_string_value(before)))
		return 0;
	return write_setting(item->key, json_string_value(before), err);
}

static void sysctl_describe(const struct world *w, const struct item *item, const char *sign,
			    FILE *to)
{
	(void)w;
	fprintf(to, "%s sysctl net.%s=%s\n", sign, item->key, item_text(item, "value"));
}

const struct item_kind kind_sysctl = {
	.name = "sysctl", .matches = sysctl_matches, .before = sysctl_before, .make = sysctl_make,
	.undo = sysctl_undo, .by_name = true, .shared = true, .describe = sysctl_describe,
};

/*
 * Switching a family's forwarding sets it for each link, sets other settings by
 * the way, and with IPv6 ends the routes that routers have announced, unless
 * accept_ra says otherwise. All of that is put back.
 */
static const struct {
	const char *main, *folder;
	const char *files[4];
} families[] = {
	{ "ipv4/ip_forward", "ipv4/conf", { "forwarding", "accept_redirects" } },
	{ "ipv6/conf/all/forwarding", "ipv6/conf", { "forwarding", "accept_ra" } },
};

static size_t family_of(const struct item *item)
{
	return strcmp(item->key, "ipv4") != 0;
}

static void note(json_t *values, const char *name)
{
	char value[32];

	if (read_setting(name, value))
		json_object_set_new(values, name, json_string(value));
}

/* All links' settings that may change. */
static json_t *forwarding_before(struct world *w, const struct item *item)
{
	size_t family = family_of(item), i;
	json_t *values = json_object();
	char name[NAME_MAX + 64];
	const struct dirent *entry;
	DIR *dir;

	note(values, families[family].main);
	snprintf(name, sizeof(name), TREE "%s", families[family].folder);
	dir = opendir(name);
	while (dir && (entry = readdir(dir))) {
		/* The device's own go with it. */
		if (*entry->d_name == '.' || !strcmp(entry->d_name, w->ifname))
			continue;
		for (i = 0; families[family].files[i]; i++) {
			snprintf(name, sizeof(name), "%s/%s/%s", families[family].folder,
				 entry->d_name, families[family].files[i]);
			note(values, name);
		}
	}
	if (dir)
		closedir(dir);
	return values;
}

static bool forwarding_matches(struct world *w, const struct item *item)
{
	(void)w;
	return has_value(families[family_of(item)].main, "1");
}

/* A router that takes its own routes from other routers has to be told so. */
static void keep_announced_routes(void)
{
	char name[NAME_MAX + 64];
	const struct dirent *entry;
	struct vpn_error err;
	DIR *dir;

	dir = opendir(TREE "ipv6/conf");
	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(name, sizeof(name), "ipv6/conf/%s/accept_ra", entry->d_name);
		if (has_value(name, "1"))
			write_setting(name, "2", &err);
	}
	if (dir)
		closedir(dir);
}

static int forwarding_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	/* A router that is one already knows what it does about others. */
	if (forwarding_matches(w, item))
		return 0;
	if (family_of(item))
		keep_announced_routes();
	return write_setting(families[family_of(item)].main, "1", err);
}

static bool is_accept_ra(const char *name)
{
	return !strcmp(strrchr(name, '/'), "/accept_ra");
}

/* What our making has left there. */
static const char *left(const char *name, const char *was)
{
	if (is_accept_ra(name))
		return strcmp(was, "1") ? was : "2";
	return strcmp(strrchr(name, '/'), "/accept_redirects") ? "1" : "0";
}

/* What somebody else has set meanwhile stays. A link that has gone is left out. */
static void put_back(const struct world *w, const char *name, const char *was, const char *now)
{
	struct vpn_error err;

	if (!now)
		return;
	if (!w->resumed && strcmp(now, left(name, was)))
		was = now;
	if (!has_value(name, was))
		write_setting(name, was, &err);
}

/*
 * First the one that changes others, then those, where they differ from what was. Where
 * somebody else has switched it off, or we were killed before we switched it on, there
 * is only what we have set before that.
 */
static int forwarding_undo(struct world *w, const struct item *item, const json_t *before,
			   struct vpn_error *err)
{
	const char *main = families[family_of(item)].main, *name;
	const json_t *was = json_object_get(before, main), *each;
	bool ours = w->resumed || forwarding_matches(w, item);
	json_t *present;
	int ret = 0;

	if (!was)
		return 0;
	present = forwarding_before(w, item);
	if (ours && !has_value(main, json_string_value(was)))
		ret = write_setting(main, json_string_value(was), err);
	json_object_foreach((json_t *)before, name, each) {
		if (ours || is_accept_ra(name))
			put_back(w, name, json_string_value(each),
				 json_string_value(json_object_get(present, name)));
	}
	json_decref(present);
	return ret;
}

const struct item_kind kind_forwarding = {
	.name = "forwarding", .matches = forwarding_matches, .before = forwarding_before,
	.make = forwarding_make, .undo = forwarding_undo, .by_name = true, .shared = true,
	.in_steps = true,
};
