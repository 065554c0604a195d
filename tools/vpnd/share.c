// SPDX-License-Identifier: GPL-2.0
#include "share.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define ENDING	".journal"

/* Where all journals are. To be freed. */
static char *folder_of(const struct journal *journal)
{
	const char *slash = strrchr(journal->path, '/');

	return strndup(journal->path, slash ? slash - journal->path : 0);
}

int share_lock(const struct journal *journal)
{
	char *folder = folder_of(journal);
	int lock = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(folder);
	if (lock < 0 || !flock(lock, LOCK_EX))
		return lock;
	close(lock);
	return -1;
}

void share_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

/* That of another run in the same network namespace: the kernel's settings are of one. */
static bool look_into(const char *path, const struct journal *own, const struct item *item,
		      json_t **before)
{
	const struct journal_entry *entry;
	struct journal other;
	bool found = false;

	if (!journal_read(&other, path))
		return false;
	entry = other.net == own->net ? journal_find(&other, item->kind, item->key) : NULL;
	if (entry) {
		found = true;
		if (before)
			*before = json_incref(entry->before);
	}
	journal_forget(&other);
	return found;
}

static bool is_journal(const char *name)
{
	size_t len = strlen(name);

	return len > strlen(ENDING) && !strcmp(name + len - strlen(ENDING), ENDING);
}

bool share_find(const struct journal *journal, const struct item *item, json_t **before)
{
	char *folder = folder_of(journal), path[PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	dir = folder ? opendir(folder) : NULL;
	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (is_journal(entry->d_name) && strcmp(path, journal->path))
			found = look_into(path, journal, item, before);
	}
	if (dir)
		closedir(dir);
	free(folder);
	return found;
}
