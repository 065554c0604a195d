// SPDX-License-Identifier: GPL-2.0
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libvpn/key.h"
#include "log.h"

#define FILE_SIZE	(VPN_KEY_BASE64_LEN + 1)

static int failed(const char *path, const char *what, struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_SYSTEM, errno, "the key '%s' cannot be %s: %s", path,
			     what, strerror(errno));
}

int secret_read(const char *path, uint8_t key[VPN_KEY_LEN], struct vpn_error *err)
{
	char text[FILE_SIZE + 1];
	ssize_t len = -1;
	int fd, ret = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		len = read(fd, text, sizeof(text));
	if (len < 0)
		ret = failed(path, "read", err);
	else if (len < VPN_KEY_BASE64_LEN || len > FILE_SIZE ||
		 (len == FILE_SIZE && text[FILE_SIZE - 1] != '\n') ||
		 !vpn_key_from_base64(key, text, VPN_KEY_BASE64_LEN))
		ret = vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
				    "'%s' has no key in it; a key is 44 characters of base64 in one line",
				    path);
	if (fd >= 0)
		close(fd);
	explicit_bzero(text, sizeof(text));
	return ret;
}

/* Under another name first, so that there is a whole key or none. */
static int write_key(const char *path, const uint8_t key[VPN_KEY_LEN], mode_t mode,
		     struct vpn_error *err)
{
	char text[FILE_SIZE + 1], *new;
	int fd, ret = 0;

	if (asprintf(&new, "%s.new", path) < 0)
		return failed(path, "written", err);
	vpn_key_to_base64(key, text);
	text[VPN_KEY_BASE64_LEN] = '\n';
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || fchmod(fd, mode) || write(fd, text, FILE_SIZE) != FILE_SIZE || fsync(fd) ||
	    rename(new, path))
		ret = failed(path, "written", err);
	if (fd >= 0)
		close(fd);
	if (ret)
		unlink(new);
	explicit_bzero(text, sizeof(text));
	free(new);
	return ret;
}

static void make_folder(const char *path)
{
	char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;

	if (slash && slash != folder) {
		*slash = '\0';
		mkdir(folder, 0755);
	}
	free(folder);
}

/* "server.key" has its public key in "server.pub". */
static int write_public(const char *path, const uint8_t key[VPN_KEY_LEN], struct vpn_error *err)
{
	uint8_t public_key[VPN_KEY_LEN];
	size_t len = strlen(path);
	char *pub;
	int ret;

	if (!vpn_key_public(public_key, key))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EIO, "there is no X25519 on this host");
	if (len > 4 && !strcmp(path + len - 4, ".key"))
		len -= 4;
	if (asprintf(&pub, "%.*s.pub", (int)len, path) < 0)
		return failed(path, "written", err);
	ret = write_key(pub, public_key, 0644, err);
	free(pub);
	return ret;
}

static int make_private(const char *path, uint8_t key[VPN_KEY_LEN], struct vpn_error *err)
{
	int ret;

	if (!vpn_key_private(key))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EIO, "the system gives no randomness");
	make_folder(path);
	/* The private one last: if it is there, so is the other. */
	ret = write_public(path, key, err);
	if (!ret)
		ret = write_key(path, key, 0600, err);
	if (!ret)
		log_event(LEVEL_INFO, "made a private key", "file", path);
	return ret;
}

static void warn_of_readers(const char *path)
{
	struct stat st;

	if (!stat(path, &st) && st.st_mode & 0007)
		log_event(LEVEL_WARNING,
			  "everybody may read the private key; chmod 600 helps",
			  "file",
			  path);
}

int secret_private(const struct config *config, uint8_t key[VPN_KEY_LEN], struct vpn_error *err)
{
	const char *path = config->private_key_path;

	if (config->private_key.given) {
		memcpy(key, config->private_key.key, VPN_KEY_LEN);
		return 0;
	}
	if (access(path, F_OK) && errno == ENOENT)
		return make_private(path, key, err);
	warn_of_readers(path);
	return secret_read(path, key, err);
}

bool secret_preshared(const struct config_key_text *given, const char *path,
		      uint8_t key[VPN_KEY_LEN], struct vpn_error *err)
{
	memset(key, 0, VPN_KEY_LEN);
	if (given->given)
		memcpy(key, given->key, VPN_KEY_LEN);
	return given->given || !path || !secret_read(path, key, err);
}
