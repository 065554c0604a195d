/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that others replace: by renaming another one, or a symbolic link on the way to
 * them, as whoever mounts configuration into containers does. So what is watched is
 * every folder that has a part of the way, and, for a folder, itself.
 */
#ifndef VPND_WATCHED_H
#define VPND_WATCHED_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#define WATCHED_MAX	32

struct watched {
	struct sd_event_source *sources[WATCHED_MAX];
	char *folders[WATCHED_MAX];
	unsigned int count;
};

/* Nothing is watched any more. */
void watched_clear(struct watched *watched);
/*
 * Have handler called when something happens that may concern path, which may be NULL.
 * Links lead elsewhere then, so all is to be cleared and added again. False: not all
 * of it can be watched.
 */
bool watched_add(struct watched *watched, sd_event *event, const char *path, bool is_folder,
		 sd_event_inotify_handler_t handler, void *data);

#endif
