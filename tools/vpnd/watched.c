// SPDX-License-Identifier: GPL-2.0
#include "watched.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* As many as the kernel follows. */
#define LINKS_MAX	40

/* The way to a file: where it has led to, without links, and what is left of it. */
struct way {
	char at[PATH_MAX], rest[PATH_MAX];
	unsigned int links;
};

void watched_clear(struct watched *watched)
{
	while (watched->count) {
		watched->count--;
		sd_event_source_disable_unref(watched->sources[watched->count]);
		free(watched->folders[watched->count]);
	}
}

static bool is_watched(const struct watched *watched, const char *folder)
{
	unsigned int i;

	for (i = 0; i < watched->count; i++) {
		if (!strcmp(watched->folders[i], folder))
			return true;
	}
	return false;
}

static bool watch(struct watched *watched, sd_event *event, const char *folder,
		  sd_event_inotify_handler_t handler, void *data)
{
	char *copy;

	if (is_watched(watched, folder))
		return true;
	copy = watched->count < WATCHED_MAX ? strdup(folder) : NULL;
	if (!copy)
		return false;
	if (sd_event_add_inotify(event, &watched->sources[watched->count], copy,
				 IN_CLOSE_WRITE | IN_MOVE | IN_DELETE | IN_ONLYDIR, handler,
				 data) < 0) {
		free(copy);
		return false;
	}
	watched->folders[watched->count++] = copy;
	return true;
}

/* The next name on the way is taken off it. */
static void take_name(struct way *way, char name[NAME_MAX + 1])
{
	const char *rest = way->rest + strspn(way->rest, "/");
	size_t len = strcspn(rest, "/");

	snprintf(name, NAME_MAX + 1, "%.*s", (int)len, rest);
	rest += len;
	rest += strspn(rest, "/");
	memmove(way->rest, rest, strlen(rest) + 1);
}

static bool descend(struct way *way, const char *name)
{
	size_t len = strlen(way->at);

	return snprintf(way->at + len, sizeof(way->at) - len, "%s%s",
			len && way->at[len - 1] == '/' ? "" : "/", name) <
	       (int)(sizeof(way->at) - len);
}

static void ascend(char at[PATH_MAX])
{
	const char *slash = strrchr(at, '/');

	at[slash == at ? 1 : slash - at] = '\0';
}

/* Where the link leads comes before what is left. */
static bool follow(struct way *way, const char *to)
{
	char rest[PATH_MAX];

	if (++way->links > LINKS_MAX ||
	    snprintf(rest, sizeof(rest), "%s/%s", to, way->rest) >= (int)sizeof(rest))
		return false;
	memcpy(way->rest, rest, sizeof(rest));
	if (*to == '/')
		strcpy(way->at, "/");
	else
		ascend(way->at);
	return true;
}

static bool begin(struct way *way, const char *path)
{
	way->links = 0;
	strcpy(way->at, "/");
	return (*path == '/' || getcwd(way->at, sizeof(way->at))) &&
	       snprintf(way->rest, sizeof(way->rest), "%s", path) < (int)sizeof(way->rest);
}

bool watched_add(struct watched *watched, sd_event *event, const char *path, bool is_folder,
		 sd_event_inotify_handler_t handler, void *data)
{
	char name[NAME_MAX + 1], folder[PATH_MAX], to[PATH_MAX];
	struct way way;
	ssize_t len;

	if (!path)
		return true;
	if (!begin(&way, path))
		return false;
	while (*way.rest) {
		take_name(&way, name);
		if (!strcmp(name, "..")) {
			ascend(way.at);
			continue;
		}
		memcpy(folder, way.at, sizeof(folder));
		if (!*name || !strcmp(name, "."))
			continue;
		if (!descend(&way, name))
			return false;
		len = readlink(way.at, to, sizeof(to) - 1);
		if (len >= 0 || (!*way.rest && !is_folder)) {
			if (!watch(watched, event, folder, handler, data))
				return false;
		}
		if (len < 0)
			continue;
		to[len] = '\0';
		if (!follow(&way, to))
			return false;
	}
	return !is_folder || watch(watched, event, way.at, handler, data);
}
