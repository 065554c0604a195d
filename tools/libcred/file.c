// SPDX-License-Identifier: GPL-2.0
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *path, const char *what, struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_SYSTEM, errno, "'%s' cannot be %s: %s", path, what,
			     strerror(errno));
}

/* Files of /proc and pipes have no size before they are read. */
static ssize_t read_all(int fd, char *data, size_t room)
{
	size_t len = 0;
	ssize_t got = 1;

	while (len < room && got > 0) {
		got = read(fd, data + len, room - len);
		len += got > 0 ? got : 0;
	}
	return got < 0 ? -1 : (ssize_t)len;
}

static int read_open(int fd, const char *path, char **data, size_t *len, struct vpn_error *err)
{
	size_t room = 1 << 16;
	struct stat st;
	ssize_t got;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		room = st.st_size < CRED_FILE_MAX ? st.st_size + 1 : CRED_FILE_MAX + 1;
	*data = malloc(room + 1);
	if (!*data)
		return failed(path, "read", err);
	got = read_all(fd, *data, room);
	if (got >= 0 && (size_t)got < room) {
		(*data)[got] = '\0';
		*len = got;
		return 0;
	}
	if (got >= 0)
		errno = EFBIG;
	cred_file_free(*data, room);
	return failed(path, "read", err);
}

int cred_file_read(const char *path, char **data, size_t *len, struct vpn_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return failed(path, "read", err);
	ret = read_open(fd, path, data, len, err);
	close(fd);
	return ret;
}

void cred_file_free(char *data, size_t len)
{
	if (data)
		explicit_bzero(data, len);
	free(data);
}

/* A file that was renamed is so after a power failure, too, when its folder is on disk. */
static void sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd;

	snprintf(folder, sizeof(folder), "%s", path);
	fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

int cred_file_write(const char *path, mode_t mode, const void *data, size_t len,
		    struct vpn_error *err)
{
	char new[PATH_MAX];
	int fd, ret = 0;

	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new)) {
		errno = ENAMETOOLONG;
		return failed(path, "written", err);
	}
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || fchmod(fd, mode) || write(fd, data, len) != (ssize_t)len || fsync(fd) ||
	    rename(new, path))
		ret = failed(path, "written", err);
	if (fd >= 0)
		close(fd);
	if (ret)
		unlink(new);
	else
		sync_folder(path);
	return ret;
}
