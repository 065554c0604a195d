// SPDX-License-Identifier: GPL-2.0
#include "log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define PAIRS_MAX	16

struct pair {
	const char *name, *text;
};

struct line {
	enum config_level level;
	const char *message;
	struct pair pairs[PAIRS_MAX];
	unsigned int count;
};

static struct {
	enum config_level level;
	enum log_format format;
	enum { TO_STDERR, TO_FILE, TO_JOURNAL } to;
	char *path;
	char name[64];
	int fd;
	int prepared;			/* a file that is to be the next one, or -1 */
} out = { .level = LEVEL_INFO, .to = TO_STDERR, .fd = STDERR_FILENO, .prepared = -1 };

static const char *const level_names[] = { "error", "warning", "info", "debug" };

/* The folder may be missing at the first start; only that one is made. */
static int open_file(const char *path)
{
	char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;

	if (slash && slash != folder) {
		*slash = '\0';
		mkdir(folder, 0755);
	}
	free(folder);
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

/* One that is not there yet is made later. */
static int try_file(const char *path)
{
	return open(access(path, F_OK) ? "/dev/null" : path, O_WRONLY | O_APPEND | O_CLOEXEC);
}

int log_prepare(const struct config *config, bool dry, struct vpn_error *err)
{
	const char *output = config->log_output;

	log_abandon();
	if (*output != '/')
		return 0;
	out.prepared = dry ? try_file(output) : open_file(output);
	if (out.prepared < 0)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, errno,
				     "the log '%s' cannot be opened: %s", output, strerror(errno));
	if (dry)
		log_abandon();
	return 0;
}

void log_abandon(void)
{
	if (out.prepared >= 0)
		close(out.prepared);
	out.prepared = -1;
}

void log_use(const struct config *config)
{
	const char *output = config->log_output;
	int fd = *output == '/' ? out.prepared : STDERR_FILENO;

	out.prepared = -1;
	log_close();
	out.level = config->level;
	out.format = config->log_format;
	out.to = *output == '/' ? TO_FILE : strcmp(output, "journal") ? TO_STDERR : TO_JOURNAL;
	out.fd = fd;
	out.path = strdup(output);
	snprintf(out.name, sizeof(out.name), "%s", config->name);
}

void log_reopen(void)
{
	int fd;

	if (out.to != TO_FILE)
		return;
	fd = open_file(out.path);
	if (fd < 0) {
		log_line(LEVEL_ERROR, "the log '%s' cannot be opened again: %s", out.path,
			 strerror(errno));
		return;
	}
	close(out.fd);
	out.fd = fd;
}

void log_close(void)
{
	if (out.to == TO_FILE)
		close(out.fd);
	free(out.path);
	out.path = NULL;
	out.to = TO_STDERR;
	out.fd = STDERR_FILENO;
}

static void put_time(FILE *to)
{
	struct timespec now;
	char text[32];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(to, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

/* In quotes where a reader could not tell where it ends. */
static void put_value(FILE *to, const char *text)
{
	const char *c;

	for (c = text; *c && (isalnum((unsigned char)*c) || strchr(".:/_-+@%[],", *c)); c++)
		;
	if (*text && !*c) {
		fputs(text, to);
		return;
	}
	fputc('"', to);
	for (c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', to);
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			fprintf(to, "\\x%02x", (unsigned char)*c);
		else
			fputc(*c, to);
	}
	fputc('"', to);
}

static void put_text(FILE *to, const struct line *line)
{
	unsigned int i;

	fputs("time=", to);
	put_time(to);
	fprintf(to, " level=%s name=", level_names[line->level]);
	put_value(to, out.name);
	fputs(" msg=", to);
	put_value(to, line->message);
	for (i = 0; i < line->count; i++) {
		fprintf(to, " %s=", line->pairs[i].name);
		put_value(to, line->pairs[i].text);
	}
	fputc('\n', to);
}

static void put_json_text(FILE *to, const char *text)
{
	json_t *string = json_string(text);

	/* What is not UTF-8 is not JSON. */
	if (!string || json_dumpf(string, to, JSON_ENCODE_ANY))
		fputs("\"?\"", to);
	json_decref(string);
}

static void put_json(FILE *to, const struct line *line)
{
	unsigned int i;

	fputs("{\"time\":\"", to);
	put_time(to);
	fprintf(to, "\",\"level\":\"%s\",\"name\":", level_names[line->level]);
	put_json_text(to, out.name);
	fputs(",\"msg\":", to);
	put_json_text(to, line->message);
	for (i = 0; i < line->count; i++) {
		fprintf(to, ",\"%s\":", line->pairs[i].name);
		put_json_text(to, line->pairs[i].text);
	}
	fputs("}\n", to);
}

/* One call a line, so that lines of several writers do not mix. */
static void put_file(const struct line *line)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to;

	to = open_memstream(&text, &size);
	if (!to)
		return;
	if (out.format == LOG_JSON)
		put_json(to, line);
	else
		put_text(to, line);
	fclose(to);
	/* There is nobody to tell that a line could not be written. */
	if (write(out.fd, text, size) < 0)
		size = 0;
	free(text);
}

static void add_field(struct iovec *fields, int *count, const char *name, const char *text)
{
	char *field, *c;
	int len;

	len = asprintf(&field, "%s=%s", name, text);
	if (len < 0)
		return;
	for (c = field; *c != '='; c++)
		*c = toupper((unsigned char)*c);
	fields[(*count)++] = (struct iovec){ field, len };
}

static void put_journal(const struct line *line)
{
	static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
	struct iovec fields[PAIRS_MAX + 4];
	const char priority[2] = { '0' + priorities[line->level], '\0' };
	char name[32];
	unsigned int i;
	int count = 0;

	add_field(fields, &count, "MESSAGE", line->message);
	add_field(fields, &count, "PRIORITY", priority);
	add_field(fields, &count, "SYSLOG_IDENTIFIER", "vpnd");
	add_field(fields, &count, "VPN_NAME", out.name);
	for (i = 0; i < line->count; i++) {
		snprintf(name, sizeof(name), "VPN_%s", line->pairs[i].name);
		add_field(fields, &count, name, line->pairs[i].text);
	}
	sd_journal_sendv(fields, count);
	while (count--)
		free(fields[count].iov_base);
}

static void put(const struct line *line)
{
	if (out.to == TO_JOURNAL)
		put_journal(line);
	else
		put_file(line);
}

void log_pairs(enum config_level level, const char *message, ...)
{
	struct line line = { .level = level, .message = message };
	const char *name, *text;
	va_list args;

	if (level > out.level)
		return;
	va_start(args, message);
	while ((name = va_arg(args, const char *))) {
		text = va_arg(args, const char *);
		if (text && line.count < PAIRS_MAX)
			line.pairs[line.count++] = (struct pair){ name, text };
	}
	va_end(args);
	put(&line);
}

void log_line(enum config_level level, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_event(level, text);
}
