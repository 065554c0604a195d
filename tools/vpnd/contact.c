// SPDX-License-Identifier: GPL-2.0
#include "contact.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"

static char *contact_path(const struct config *config)
{
	char *folder = daemon_state_folder(), *path = NULL;

	if (folder && asprintf(&path, "%s/%s.connected", folder, config->name) < 0)
		path = NULL;
	free(folder);
	return path;
}

/* Where it cannot be written, less can be told later. */
void contact_note(const struct config *config)
{
	char *path = contact_path(config);
	int fd = -1;

	if (path)
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		futimens(fd, NULL);
		close(fd);
	}
	free(path);
}

bool contact_is_ahead(const struct config *config, char *text, size_t size)
{
	char *path = contact_path(config), date[32];
	time_t now = time(NULL);
	struct stat st;
	struct tm tm;
	bool ahead;

	ahead = path && !stat(path, &st) && st.st_mtime > now;
	free(path);
	if (!ahead)
		return false;
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&st.st_mtime, &tm));
	snprintf(text, size,
		 "the clock of this host is %lld s behind its last connection (%s): until then a server takes what it says for old, and is silent; set the clock",
		 (long long)(st.st_mtime - now), date);
	return true;
}
