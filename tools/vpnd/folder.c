// SPDX-License-Identifier: GPL-2.0
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libcred/file.h"
#include "../libvpn/key.h"
#include "../libvpn/text.h"
#include "log.h"

#define ENDING	".pub"

static int is_client(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	/* Files that are being written have names of their own. */
	return *entry->d_name != '.' && entry->d_name[len - 1] != '~' &&
	       (len < 4 || strcmp(entry->d_name + len - 4, ".new"));
}

static bool take_name(char name[VPN_NAME_MAX + 1], const char *file)
{
	size_t len = strlen(file);

	if (len > strlen(ENDING) && !strcmp(file + len - strlen(ENDING), ENDING))
		len -= strlen(ENDING);
	return cred_take_text(name, VPN_NAME_MAX + 1, file, len);
}

/* "role = staff" */
static bool take_line(struct cred_verdict *verdict, char *line)
{
	char *equals = strchr(line, '=');
	const char *value;

	line = text_trim(line);
	if (!*line || *line == '#')
		return true;
	if (!equals)
		return false;
	*equals = '\0';
	value = text_trim(equals + 1);
	return !strcmp(text_trim(line), "role") &&
	       cred_take_text(verdict->role, sizeof(verdict->role), value, strlen(value));
}

/* NULL: it is right. */
static const char *read_client(char *text, uint8_t key[VPN_KEY_LEN], struct cred_verdict *verdict)
{
	char *line = strsep(&text, "\n");

	line = text_trim(line);
	if (!vpn_key_from_base64(key, line, strlen(line)))
		return "its first line is no public key; a key is 44 characters of base64";
	while ((line = strsep(&text, "\n"))) {
		if (!take_line(verdict, line))
			return "behind the key there may be 'role = NAME' and nothing else";
	}
	return NULL;
}

static void take_file(const char *folder, const char *file, struct guests *guests)
{
	struct cred_verdict verdict = { 0 };
	uint8_t key[VPN_KEY_LEN];
	struct guest *guest;
	struct vpn_error err;
	const char *fault;
	char *path, *text;
	size_t len;

	if (asprintf(&path, "%s/%s", folder, file) < 0)
		return;
	if (!take_name(verdict.name, file)) {
		fault = "its name cannot be that of a client";
	} else if (cred_file_read(path, &text, &len, &err)) {
		fault = err.text;
	} else {
		fault = read_client(text, key, &verdict);
		cred_file_free(text, len);
	}
	if (fault)
		log_event(LEVEL_WARNING, "a file of a client is left out", "file", path, "reason",
			  fault);
	guest = fault ? NULL : guests_add(guests, key);
	if (guest) {
		guest->verdict = verdict;
		guest->expires = 0;
		guest->kind = 0;
		guest->stale = false;
	}
	free(path);
}

static void sweep(struct guests *guests)
{
	struct guest *guest, *next;

	for (guest = guests->first; guest; guest = next) {
		next = guest->next;
		if (guest->stale)
			guests_remove(guests, guest);
	}
}

int folder_read(const char *path, struct guests *guests, struct vpn_error *err)
{
	struct dirent **entries = NULL;
	struct guest *guest;
	int count = 0, i;

	if (path)
		count = scandir(path, &entries, is_client, alphasort);
	if (count < 0)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, errno,
				     "peers_path: '%s' cannot be read: %s", path, strerror(errno));
	for (guest = guests->first; guest; guest = guest->next)
		guest->stale = !guest->kind;
	for (i = 0; i < count; i++) {
		take_file(path, entries[i]->d_name, guests);
		free(entries[i]);
	}
	free(entries);
	sweep(guests);
	return 0;
}
