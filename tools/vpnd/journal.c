// SPDX-License-Identifier: GPL-2.0
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

static void free_entry(struct journal_entry *entry)
{
	free(entry->item.key);
	json_decref(entry->item.value);
	json_decref(entry->before);
	free(entry);
}

static void unlink_entry(struct journal *journal, struct journal_entry *entry)
{
	*(entry->prev ? &entry->prev->next : &journal->first) = entry->next;
	*(entry->next ? &entry->next->prev : &journal->last) = entry->prev;
}

struct journal_entry *journal_find(const struct journal *journal, const struct item_kind *kind,
				   const char *key)
{
	struct journal_entry *entry;

	for (entry = journal->first; entry; entry = entry->next) {
		if (entry->item.kind == kind && !strcmp(entry->item.key, key))
			return entry;
	}
	return NULL;
}

static bool remember(struct journal *journal, const struct item_kind *kind, const char *key,
		     json_t *value, json_t *before)
{
	struct journal_entry *entry = journal_find(journal, kind, key);

	if (entry) {
		json_decref(entry->item.value);
		entry->item.value = json_incref(value);
		entry->undoing = false;
		return true;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return false;
	entry->item.kind = kind;
	entry->item.key = strdup(key);
	entry->item.value = json_incref(value);
	entry->before = json_incref(before);
	entry->prev = journal->last;
	*(journal->last ? &journal->last->next : &journal->first) = entry;
	journal->last = entry;
	return entry->item.key;
}

static int failed(const struct journal *journal, struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_SYSTEM, errno, "the journal '%s' cannot be written: %s",
			     journal->path, strerror(errno));
}

/* What there is of a line goes, or the next one would be glued to it. */
static int cut_off(const struct journal *journal, ssize_t written, struct vpn_error *err)
{
	int ret;

	if (written >= 0)
		errno = ENOSPC;
	ret = failed(journal, err);
	if (written > 0 && ftruncate(journal->fd, lseek(journal->fd, 0, SEEK_END) - written))
		log_line(LEVEL_ERROR, "half a line stays in the journal '%s'", journal->path);
	return ret;
}

/* A line is whole or it is the last one, cut by the end of the program. */
static int write_line(const struct journal *journal, json_t *line, struct vpn_error *err)
{
	char *text = json_dumps(line, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;
	ssize_t written;
	int ret = 0;

	if (!text) {
		errno = ENOMEM;
		ret = failed(journal, err);
	} else {
		text[len] = '\n';
		written = write(journal->fd, text, len + 1);
		if (written != (ssize_t)(len + 1))
			ret = cut_off(journal, written, err);
	}
	free(text);
	json_decref(line);
	return ret;
}

static json_t *entry_json(const struct item *item, const json_t *before, bool undoing)
{
	return json_pack("{s:s, s:s, s:O, s:O*, s:b}", "kind", item->kind->name, "key", item->key,
			 "value", item->value, "before", (json_t *)before, "undoing", undoing);
}

static void replay_line(struct journal *journal, const json_t *line)
{
	const char *name = json_string_value(json_object_get(line, "kind"));
	const char *key = json_string_value(json_object_get(line, "key"));
	json_t *value = json_object_get(line, "value");
	const struct item_kind *kind = name ? item_kind_find(name) : NULL;
	struct journal_entry *entry;

	if (json_object_get(line, "net"))
		journal->net = json_integer_value(json_object_get(line, "net"));
	if (!kind || !key)
		return;
	if (value)
		remember(journal, kind, key, value, json_object_get(line, "before"));
	entry = journal_find(journal, kind, key);
	if (entry && value) {
		entry->undoing = json_is_true(json_object_get(line, "undoing"));
	} else if (entry) {
		unlink_entry(journal, entry);
		free_entry(entry);
	}
}

static void replay(struct journal *journal, FILE *file)
{
	char *text = NULL;
	size_t size = 0;
	json_t *line;

	while (getline(&text, &size, file) >= 0) {
		line = json_loads(text, 0, NULL);
		if (line)
			replay_line(journal, line);
		json_decref(line);
	}
	free(text);
}

/* A file of what holds now, in the place of the one that tells how it came to that. */
static int rewrite(struct journal *journal, struct vpn_error *err)
{
	const struct journal_entry *entry;
	char *path;
	int ret = 0;

	if (asprintf(&path, "%s.new", journal->path) < 0)
		return failed(journal, err);
	journal->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (journal->fd < 0)
		ret = failed(journal, err);
	else
		ret = write_line(journal, json_pack("{s:I}", "net", (json_int_t)journal->net), err);
	for (entry = journal->first; entry && !ret; entry = entry->next)
		ret = write_line(journal, entry_json(&entry->item, entry->before,
						     entry->undoing), err);
	if (!ret && rename(path, journal->path))
		ret = failed(journal, err);
	if (ret)
		unlink(path);
	free(path);
	return ret;
}

static uint64_t net_of_ours(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

bool journal_read(struct journal *journal, const char *path)
{
	FILE *file = fopen(path, "re");

	memset(journal, 0, sizeof(*journal));
	journal->fd = -1;
	if (!file)
		return false;
	replay(journal, file);
	fclose(file);
	return true;
}

int journal_open(struct journal *journal, const char *path, struct vpn_error *err)
{
	journal_read(journal, path);
	journal->net = net_of_ours();
	journal->path = strdup(path);
	if (!journal->path)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, errno, "%s", strerror(errno));
	return rewrite(journal, err);
}

void journal_forget(struct journal *journal)
{
	struct journal_entry *entry;

	while ((entry = journal->first)) {
		unlink_entry(journal, entry);
		free_entry(entry);
	}
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal->path);
	memset(journal, 0, sizeof(*journal));
	journal->fd = -1;
}

void journal_close(struct journal *journal)
{
	if (journal->path && !journal->first)
		unlink(journal->path);
	journal_forget(journal);
}

int journal_make(struct journal *journal, const struct item *item, json_t *before,
		 struct vpn_error *err)
{
	int ret;

	ret = write_line(journal, entry_json(item, before, false), err);
	if (!ret && !remember(journal, item->kind, item->key, item->value, before)) {
		errno = ENOMEM;
		ret = failed(journal, err);
	}
	json_decref(before);
	return ret;
}

int journal_undoing(const struct journal *journal, struct journal_entry *entry,
		    struct vpn_error *err)
{
	int ret = write_line(journal, entry_json(&entry->item, entry->before, true), err);

	entry->undoing |= !ret;
	return ret;
}

int journal_undone(struct journal *journal, struct journal_entry *entry, struct vpn_error *err)
{
	int ret;

	ret = write_line(journal, json_pack("{s:s, s:s}", "kind", entry->item.kind->name, "key",
					    entry->item.key), err);
	if (ret)
		return ret;
	unlink_entry(journal, entry);
	free_entry(entry);
	return 0;
}
