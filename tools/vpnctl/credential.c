// SPDX-License-Identifier: GPL-2.0
/* Credentials are read from files, as keys are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../libvpn/credential.h"
#include "parse.h"

/* A chain of certificates with comments may be longer than what is taken of it. */
#define FILE_MAX	1048576

/* In a configuration file a relative name is one in that file's directory. */
static char *full_path(const struct origin *at, const char *path)
{
	const char *slash = at->file ? strrchr(at->file, '/') : NULL;
	char *full;

	if (*path == '/' || !slash)
		return strdup(path);
	if (asprintf(&full, "%.*s/%s", (int)(slash - at->file), at->file, path) < 0)
		return NULL;
	return full;
}

/* A token lets in whoever has it. */
static void warn_of_readers(FILE *file, const char *path)
{
	struct stat st;

	if (!fstat(fileno(file), &st) && S_ISREG(st.st_mode) && (st.st_mode & 0007))
		warn("'%s' holds a token and everybody may read it; 'chmod 600 %s' helps", path,
		     path);
}

static bool recognise(const struct origin *at, const char *path, const void *data, size_t len,
		      struct vpn_peer *peer)
{
	struct vpn_credential credential;
	struct vpn_error err;

	if (vpn_credential_recognise(data, len, &credential, &err))
		return complain(at, "'%s' %s", path, err.text);
	if (credential.more)
		warn("'%s' has %u certificates; the first one is taken", path, credential.more + 1);
	vpn_peer_free_credential(peer);
	peer->credential = credential.octets;
	peer->credential_len = credential.len;
	peer->credential_kind = credential.kind;
	return true;
}

static bool read_file(const struct origin *at, FILE *file, const char *path, struct vpn_peer *peer)
{
	char *data = malloc(FILE_MAX);
	bool good;
	size_t len;

	if (!data)
		return complain(at, "%s", strerror(errno));
	setvbuf(file, NULL, _IONBF, 0);
	len = fread(data, 1, FILE_MAX, file);
	if (ferror(file))
		good = complain(at, "'%s' cannot be read: %s", path, strerror(errno));
	else if (len == FILE_MAX)
		good = complain(at,
				"'%s' is longer than any credential; at most %u octets fit into a handshake",
				path, VPN_CREDENTIAL_MAX);
	else
		good = recognise(at, path, data, len, peer);
	explicit_bzero(data, len);
	free(data);
	if (good && peer->credential_kind == VPN_CREDENTIAL_KIND_JWT)
		warn_of_readers(file, path);
	return good;
}

bool parse_credential_file(const struct origin *at, const char *path, struct vpn_peer *peer)
{
	char *full = full_path(at, path);
	FILE *file;
	bool good;

	if (!full)
		return complain(at, "%s", strerror(errno));
	file = fopen(full, "re");
	if (file) {
		good = read_file(at, file, full, peer);
		fclose(file);
	} else {
		good = complain(at,
				"'%s' cannot be opened: %s; the argument is a file with a certificate or a token",
				full, strerror(errno));
	}
	free(full);
	return good;
}
