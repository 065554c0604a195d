// SPDX-License-Identifier: GPL-2.0
/*
 * What setup was about to make, a line each, in the order in which it was. A line is
 * on disk before anything is changed; one without an end announces nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libcred/file.h"
#include "complain.h"
#include "setup.h"

#define NAME	"setup.record"

const char *setup_state(void)
{
	const char *folder = getenv("VPN_STATE_DIR");

	return folder && *folder ? folder : "/var/lib/vpn";
}

static bool path_of(char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/" NAME, setup_state()) < PATH_MAX;
}

bool setup_record_exists(void)
{
	char path[PATH_MAX];

	return path_of(path) && !access(path, F_OK);
}

static bool failed(const struct setup_record *record, const char *what)
{
	return complain(NULL, "'%s' cannot be %s: %s", record->path, what, strerror(errno));
}

/*
 * Reading
 */

static bool remember(struct setup_record *record, const struct setup_kind *kind,
		     const char *what)
{
	struct setup_entry *entry = calloc(1, sizeof(*entry));

	if (entry)
		entry->what = strdup(what);
	if (!entry || !entry->what) {
		free(entry);
		return complain(NULL, "%s", strerror(ENOMEM));
	}
	entry->kind = kind;
	entry->prev = record->last;
	*(record->last ? &record->last->next : &record->first) = entry;
	record->last = entry;
	return true;
}

static bool take_answer(struct setup_record *record, const char *word, const char *value)
{
	struct setup_answers *answers = &record->answers;

	if (!strcmp(word, "host"))
		return snprintf(answers->host, sizeof(answers->host), "%s", value) > 0;
	if (!strcmp(word, "port"))
		return snprintf(answers->port, sizeof(answers->port), "%s", value) > 0;
	if (strcmp(word, "network"))
		return false;
	record->has_answers = true;
	return snprintf(answers->network, sizeof(answers->network), "%s", value) > 0;
}

/* "KIND WHAT" */
static bool take_line(struct setup_record *record, char *line)
{
	char *what = strchrnul(line, ' ');
	const struct setup_kind *kind;

	if (*what)
		*what++ = '\0';
	kind = setup_kind_find(line);
	if (kind)
		return remember(record, kind, what);
	if (!strcmp(line, "done")) {
		record->done = true;
		return true;
	}
	if (!strcmp(line, "kept"))
		return snprintf(record->kept, sizeof(record->kept), "%s", what) > 0;
	return take_answer(record, line, what) ||
	       complain(NULL, "'%s' has a line '%s', which this version does not know",
			record->path, line);
}

/* The end of what was cut off goes, or the next line would be glued to it. */
static bool read_lines(struct setup_record *record, char *text, size_t len)
{
	char *line, *end;
	size_t whole;

	end = len ? memrchr(text, '\n', len) : NULL;
	whole = end ? end + 1 - text : 0;
	if (whole < len && ftruncate(record->fd, whole))
		return failed(record, "mended");
	text[whole] = '\0';
	while ((line = strsep(&text, "\n"))) {
		if (*line && !take_line(record, line))
			return false;
	}
	return true;
}

static bool read_record(struct setup_record *record)
{
	struct vpn_error err;
	size_t len;
	char *text;
	bool good;

	if (cred_file_read(record->path, &text, &len, &err))
		return !complain_error(&err);
	good = read_lines(record, text, len);
	cred_file_free(text, len);
	return good;
}

/* Two at a time would take each other's steps for somebody else's. */
static bool lock(const struct setup_record *record)
{
	if (!flock(record->fd, LOCK_EX | LOCK_NB))
		return true;
	return errno == EWOULDBLOCK ?
	       complain(NULL, "another 'vpnctl setup' is at work; wait until it has ended") :
	       failed(record, "locked");
}

bool setup_record_open(struct setup_record *record, bool make)
{
	memset(record, 0, sizeof(*record));
	record->fd = -1;
	if (!path_of(record->path))
		return complain(NULL, "'%s' is too long", setup_state());
	if (make && mkdir(setup_state(), 0700) && errno != EEXIST)
		return complain(NULL, "'%s' cannot be made: %s", setup_state(), strerror(errno));
	record->fd = open(record->path, O_RDWR | O_APPEND | O_CLOEXEC | (make ? O_CREAT : 0),
			  0600);
	if (record->fd < 0)
		return failed(record, "opened");
	return lock(record) && read_record(record);
}

/*
 * Writing
 */

static bool sync_folder(void)
{
	int fd = open(setup_state(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && !fsync(fd);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool write_text(const struct setup_record *record, const char *text)
{
	size_t len = strlen(text);
	off_t end = lseek(record->fd, 0, SEEK_END);

	errno = ENOSPC;
	if (write(record->fd, text, len) == (ssize_t)len && !fsync(record->fd) &&
	    (end || sync_folder()))
		return true;
	failed(record, "written");
	/* What there is of it would be glued to the next one. */
	if (ftruncate(record->fd, end))
		failed(record, "mended");
	return false;
}

static bool write_line(const struct setup_record *record, const char *word, const char *what)
{
	char *line;
	bool good;

	if (asprintf(&line, "%s%s%s\n", word, *what ? " " : "", what) < 0)
		return complain(NULL, "%s", strerror(ENOMEM));
	good = write_text(record, line);
	free(line);
	return good;
}

bool setup_record_answers(struct setup_record *record, const struct setup_answers *answers)
{
	char *text;
	bool good;

	if (asprintf(&text, "host %s\nport %s\nnetwork %s\n", answers->host, answers->port,
		     answers->network) < 0)
		return complain(NULL, "%s", strerror(ENOMEM));
	good = write_text(record, text);
	free(text);
	record->answers = *answers;
	record->has_answers = good;
	return good;
}

bool setup_record_add(struct setup_record *record, const struct setup_kind *kind,
		      const char *what)
{
	return write_line(record, kind->name, what) && remember(record, kind, what);
}

bool setup_record_kept(struct setup_record *record, const char *folder)
{
	snprintf(record->kept, sizeof(record->kept), "%s", folder);
	return write_line(record, "kept", folder);
}

bool setup_record_done(const struct setup_record *record)
{
	return record->done || write_line(record, "done", "");
}

const struct setup_entry *setup_record_find(const struct setup_record *record,
					    const struct setup_kind *kind, const char *what)
{
	const struct setup_entry *entry;

	for (entry = record->first; entry; entry = entry->next) {
		if (entry->kind == kind && (!what || !strcmp(entry->what, what)))
			return entry;
	}
	return NULL;
}

void setup_record_remove(const struct setup_record *record)
{
	unlink(record->path);
	/* Unless others have something in it. */
	rmdir(setup_state());
}

void setup_record_close(struct setup_record *record)
{
	struct setup_entry *entry;

	while ((entry = record->first)) {
		record->first = entry->next;
		free(entry->what);
		free(entry);
	}
	if (record->fd >= 0)
		close(record->fd);
}
