// SPDX-License-Identifier: GPL-2.0
/* /etc/resolv.conf: a file, or a link to one, that waits beside it until it is put back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dns.h"

#define FILE_NAME	"/etc/resolv.conf"
#define ASIDE		"/etc/resolv.conf.before-vpn"
#define NEW		"/etc/resolv.conf.vpnd-new"
#define MARKER		"# Made by vpnd for "
#define TEXT_MAX	65536

const char *resolv_file_before_path(void)
{
	return access(ASIDE, F_OK) ? FILE_NAME : ASIDE;
}

static void put_marker(FILE *to, const char *ifname)
{
	fprintf(to, MARKER "%s. What was here is in " ASIDE ",\n"
		"# and is put back when vpnd ends.\n", ifname);
}

static char *make_text(const char *ifname, const json_t *value)
{
	const json_t *part;
	char *text = NULL;
	size_t size, i;
	FILE *to;

	to = open_memstream(&text, &size);
	if (!to)
		return NULL;
	put_marker(to, ifname);
	json_array_foreach(json_object_get(value, "servers"), i, part)
		fprintf(to, "nameserver %s\n", json_string_value(part));
	json_array_foreach(json_object_get(value, "domains"), i, part)
		fprintf(to, "%s%s", i ? " " : "search ", json_string_value(part));
	if (i)
		fputc('\n', to);
	fclose(to);
	return text;
}

static char *read_file(void)
{
	char *text = calloc(1, TEXT_MAX);
	FILE *file = fopen(FILE_NAME, "re");

	if (!file) {
		free(text);
		return NULL;
	}
	if (text)
		text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
	fclose(file);
	return text;
}

/* The file is the one that we have made, whatever it says of servers. */
bool resolv_file_ours(const char *ifname)
{
	char *text = read_file(), *marker = NULL;
	bool ours = false;
	size_t size;
	FILE *to;

	to = open_memstream(&marker, &size);
	if (to) {
		put_marker(to, ifname);
		fclose(to);
		ours = text && !strncmp(text, marker, strlen(marker));
	}
	free(marker);
	free(text);
	return ours;
}

/* It is that of another device. */
static bool is_others(const char *ifname)
{
	char *text = read_file();
	bool made = text && !strncmp(text, MARKER, strlen(MARKER));

	free(text);
	return made && !resolv_file_ours(ifname);
}

bool resolv_file_has(const char *ifname, const json_t *value)
{
	char *text = read_file(), *wanted = make_text(ifname, value);
	bool same = text && wanted && !strcmp(text, wanted);

	free(text);
	free(wanted);
	return same;
}

json_t *resolv_file_before(void)
{
	char *text = read_file();
	json_t *before = text ? json_string(text) : NULL;

	free(text);
	return before;
}

static int failed(const char *what, struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_SYSTEM, errno, FILE_NAME " cannot be %s: %s", what,
			     strerror(errno));
}

/* An empty one, after the power has failed, would be taken for somebody else's. */
static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
		    !fchmod(fd, 0644) && !fsync(fd);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Whole or not at all; where something is mounted over it, it is written over instead. */
static int write_file(const char *text, struct vpn_error *err)
{
	int ret = 0;

	if (!write_to(NEW, text))
		ret = failed("written", err);
	else if (rename(NEW, FILE_NAME) && (errno != EBUSY || !write_to(FILE_NAME, text)))
		ret = failed("written", err);
	unlink(NEW);
	return ret;
}

int resolv_file_set(const char *ifname, const json_t *value, struct vpn_error *err)
{
	char *text;
	int ret = 0;

	if (is_others(ifname))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EBUSY,
				     "/etc/resolv.conf is another vpnd's; stop it, or use_vpn_dns = false");
	text = make_text(ifname, value);
	if (!text)
		return failed("written", err);
	/* Where something is mounted over it, it is written over instead. */
	if (!resolv_file_ours(ifname) && rename(FILE_NAME, ASIDE) && errno != ENOENT &&
	    errno != EBUSY && errno != EXDEV)
		ret = failed("moved", err);
	if (!ret)
		ret = write_file(text, err);
	free(text);
	return ret;
}

/* A link that leads nowhere is there, too. */
static bool is_gone(const char *path)
{
	struct stat st;

	return lstat(path, &st) && errno == ENOENT;
}

/* What whoever was stopped between two steps has left: no file, or ours. */
bool resolv_file_left(const char *ifname)
{
	return !is_gone(ASIDE) && (is_gone(FILE_NAME) || resolv_file_ours(ifname));
}

/* Somebody else's file is newer than the one that waits, and stays. */
int resolv_file_revert(const char *ifname, const json_t *before, struct vpn_error *err)
{
	unlink(NEW);
	if (!is_gone(FILE_NAME) && !resolv_file_ours(ifname)) {
		/* Another vpnd will want to put it back. */
		if (!is_others(ifname))
			unlink(ASIDE);
		return 0;
	}
	if (!is_gone(ASIDE))
		return rename(ASIDE, FILE_NAME) ? failed("put back", err) : 0;
	if (before)
		return write_file(json_string_value(before), err);
	unlink(FILE_NAME);
	return 0;
}
