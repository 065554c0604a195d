// SPDX-License-Identifier: GPL-2.0
/* Files: the key, the certificates, and what the server is told. */
#include <errno.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../libcred/authority.h"
#include "../libcred/file.h"
#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "complain.h"
#include "issue.h"
#include "parse.h"
#include "setup.h"

/* A server that nobody looks after goes on as long as its CA. */
#define LIFETIME_DAYS	"3650"
#define DNS_MAX		2
#define NO_SERVER_ACCESS \
	"# firewalld has vpn0 in its zone 'trusted', to which all of this host is open.\n" \
	"allow_server_access = false\n"

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static bool path_is_there(const struct setup *s, const char *what)
{
	(void)s;
	return exists(what);
}

/*
 * Undoing: things are moved to a folder with a date, or removed.
 */

static bool make_kept(struct setup *s)
{
	time_t now = time(NULL);
	char folder[64];
	struct tm tm;

	if (!*s->record.kept) {
		gmtime_r(&now, &tm);
		strftime(folder, sizeof(folder), SETUP_FOLDER "/kept-%Y%m%d-%H%M%S", &tm);
		if (!setup_record_kept(&s->record, folder))
			return false;
	}
	return !mkdir(s->record.kept, 0700) || errno == EEXIST ||
	       complain(NULL, "'%s' cannot be made: %s", s->record.kept, strerror(errno));
}

static bool keep(struct setup *s, const char *path)
{
	char to[PATH_MAX];

	if (!exists(path))
		return true;
	if (!make_kept(s))
		return false;
	if (snprintf(to, sizeof(to), "%s%s", s->record.kept, strrchr(path, '/')) >=
	    (int)sizeof(to))
		return complain(NULL, "'%s' is too long", path);
	return !rename(path, to) ||
	       complain(NULL, "'%s' cannot be moved to '%s': %s", path, to, strerror(errno));
}

static bool remove_file(const char *path)
{
	return !unlink(path) || errno == ENOENT ||
	       complain(NULL, "'%s' cannot be removed: %s", path, strerror(errno));
}

/* A write that was cut off has left this. */
static bool remove_new(const char *path)
{
	char new[PATH_MAX];

	return snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new) || remove_file(new);
}

static bool keep_or_remove(struct setup *s, const char *path)
{
	return remove_new(path) && (s->purge ? remove_file(path) : keep(s, path));
}

/*
 * Folders
 */

static bool folder_make(struct setup *s, const char *path)
{
	(void)s;
	return !mkdir(path, 0755) ||
	       complain(NULL, "'%s' cannot be made: %s", path, strerror(errno));
}

/* With something of somebody else's in it, it stays. */
static bool folder_undo(struct setup *s, const char *path)
{
	(void)s;
	return !rmdir(path) || errno == ENOENT || errno == ENOTEMPTY ||
	       complain(NULL, "'%s' cannot be removed: %s", path, strerror(errno));
}

const struct setup_kind setup_folder = {
	.name = "folder", .is_there = path_is_there, .make = folder_make, .undo = folder_undo,
};

/*
 * The CA
 */

static bool authority_is_there(const struct setup *s, const char *folder)
{
	char path[PATH_MAX];

	(void)s;
	snprintf(path, sizeof(path), "%s/ca.key", folder);
	return exists(path);
}

static bool authority_make(struct setup *s, const char *folder)
{
	struct vpn_error err;

	(void)s;
	return !cred_authority_make(folder, "VPN CA", "ed25519",
				    atoll(LIFETIME_DAYS) * 86400, &err) || !complain_error(&err);
}

static int remove_part(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

static bool remove_tree(const char *folder)
{
	return !nftw(folder, remove_part, 16, FTW_DEPTH | FTW_PHYS) || errno == ENOENT ||
	       complain(NULL, "'%s' cannot be removed: %s", folder, strerror(errno));
}

static bool authority_undo(struct setup *s, const char *folder)
{
	return s->purge ? remove_tree(folder) : keep(s, folder);
}

const struct setup_kind setup_authority = {
	.name = "authority", .is_there = authority_is_there, .make = authority_make,
	.undo = authority_undo,
};

/*
 * The server's key
 */

static bool write_key(const char *path, mode_t mode, const uint8_t key[VPN_KEY_LEN])
{
	char text[VPN_KEY_BASE64_LEN + 1];
	struct vpn_error err;
	bool good;

	vpn_key_to_base64(key, text);
	text[VPN_KEY_BASE64_LEN] = '\n';
	good = !cred_file_write(path, mode, text, sizeof(text), &err) || !complain_error(&err);
	explicit_bzero(text, sizeof(text));
	return good;
}

static bool key_make(struct setup *s, const char *path)
{
	uint8_t key[VPN_KEY_LEN];
	bool good;

	(void)s;
	good = vpn_key_private(key) ? write_key(path, 0600, key) :
	       complain(NULL, "the system gives no random numbers");
	explicit_bzero(key, sizeof(key));
	return good;
}

const struct setup_kind setup_key = {
	.name = "key", .is_there = path_is_there, .make = key_make, .undo = keep_or_remove,
};

static bool own_public(uint8_t key[VPN_KEY_LEN])
{
	const struct origin at = { .word = "the server's key" };
	uint8_t private_key[VPN_KEY_LEN];
	bool good;

	if (!parse_key_file(&at, SETUP_KEY, private_key))
		return false;
	good = vpn_key_public(key, private_key) ||
	       complain(NULL, "the crypto library cannot compute X25519");
	explicit_bzero(private_key, sizeof(private_key));
	return good;
}

static bool public_make(struct setup *s, const char *path)
{
	uint8_t key[VPN_KEY_LEN];

	(void)s;
	return own_public(key) && write_key(path, 0644, key);
}

const struct setup_kind setup_public = {
	.name = "public", .is_there = path_is_there, .make = public_make, .undo = keep_or_remove,
};

/*
 * The server's certificate
 */

bool setup_certificate_path(const struct setup *s, char path[PATH_MAX])
{
	const struct setup_entry *entry = setup_record_find(&s->record, &setup_certificate, NULL);
	unsigned int n;

	if (entry)
		return snprintf(path, PATH_MAX, "%s", entry->what) > 0;
	snprintf(path, PATH_MAX, SETUP_PKI "/certs/server.crt");
	for (n = 2; n < 100 && exists(path); n++)
		snprintf(path, PATH_MAX, SETUP_PKI "/certs/server-%u.crt", n);
	return !exists(path) ||
	       complain(NULL, "'%s' has a hundred servers' certificates already", SETUP_PKI);
}

static bool certificate_make(struct setup *s, const char *path)
{
	struct issuing i = {
		.folder = SETUP_PKI, .public_key = SETUP_PUBLIC, .days = LIFETIME_DAYS,
		.server = true,
		.hosts = { .words = { s->answers->host }, .count = 1 },
	};
	char *name = strdup(strrchr(path, '/') + 1);
	bool good;

	if (!name)
		return complain(NULL, "%s", strerror(ENOMEM));
	*strrchr(name, '.') = '\0';
	i.name = name;
	good = !issue(&i);
	issue_free(&i);
	free(name);
	return good;
}

const struct setup_kind setup_certificate = {
	.name = "certificate", .is_there = path_is_there, .make = certificate_make,
	.undo = keep_or_remove,
};

/*
 * The server's file; the record has its digest, so that changes are seen
 */

static bool digest(const char *text, size_t len, char hex[SETUP_DIGEST])
{
	unsigned char octets[EVP_MAX_MD_SIZE];
	unsigned int size = 0, i;

	if (!EVP_Digest(text, len, octets, &size, EVP_sha256(), NULL))
		return false;
	for (i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", octets[i]);
	return true;
}

/* Name servers that others can ask as well; "" if there are none. */
static void own_resolvers(char *list, size_t size)
{
	static const char *const files[] = {
		"/run/systemd/resolve/resolv.conf", "/etc/resolv.conf",
	};
	char line[256], word[64];
	struct vpn_address address, loopback;
	unsigned int count = 0;
	FILE *file = NULL;
	size_t i;

	*list = '\0';
	for (i = 0; i < 2 && !file; i++)
		file = fopen(files[i], "re");
	while (file && count < DNS_MAX && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "nameserver %63s", word) != 1 ||
		    !vpn_address_parse(&address, word) || strchr(word, '/'))
			continue;
		vpn_address_parse(&loopback, address.family == AF_INET ? "127.0.0.0/8" : "::1");
		if (vpn_address_overlap(&loopback, &address))
			continue;
		snprintf(list + strlen(list), size - strlen(list), "%s\"%s\"", count++ ? ", " : "",
			 word);
	}
	if (file)
		fclose(file);
}

char *setup_compose(const struct setup *s, char hex[SETUP_DIGEST])
{
	const struct setup_answers *a = s->answers;
	char certificate[PATH_MAX], resolvers[256], *text;

	own_resolvers(resolvers, sizeof(resolvers));
	if (!setup_certificate_path(s, certificate))
		return NULL;
	if (asprintf(&text,
		     "# Made by 'vpnctl setup' for clients that reach this host as %s.\n"
		     "# vpn.toml(5) explains it; 'vpnctl reload server' makes changes work.\n"
		     "[server]\n"
		     "listen_address = \"[::]:%s\"\n"
		     "virtual_network = \"%s\"\n"
		     "[security]\n"
		     "private_key_path = \"" SETUP_KEY "\"\n"
		     "certificate_path = \"%s\"\n"
		     "ca_certificate_path = \"" SETUP_PKI "/ca.crt\"\n"
		     "crl_path = \"" SETUP_PKI "/crl.pem\"\n"
		     "[firewall]\n"
		     "open_port = true\n"
		     "%sdns_servers = [%s]\n"
		     "[logging]\n"
		     "output = \"journal\"\n",
		     a->host, a->port, a->network, certificate,
		     setup_firewalld_is_active() ? NO_SERVER_ACCESS : "", resolvers) < 0 ||
	    !digest(text, strlen(text), hex)) {
		complain(NULL, "%s", strerror(ENOMEM));
		return NULL;
	}
	return text;
}

static bool file_is_there(const struct setup *s, const char *what)
{
	(void)s;
	(void)what;
	return exists(SETUP_FILE);
}

static bool file_make(struct setup *s, const char *what)
{
	struct vpn_error err;

	(void)what;
	return !cred_file_write(SETUP_FILE, 0644, s->file, strlen(s->file), &err) ||
	       !complain_error(&err);
}

/* As one of those that setup has written. */
static bool is_unchanged(const struct setup *s)
{
	char hex[SETUP_DIGEST], *text;
	struct vpn_error err;
	bool same = false;
	size_t len;

	if (cred_file_read(SETUP_FILE, &text, &len, &err))
		return false;
	if (digest(text, len, hex))
		same = setup_record_find(&s->record, &setup_file, hex);
	cred_file_free(text, len);
	return same;
}

static bool file_undo(struct setup *s, const char *what)
{
	(void)what;
	if (!remove_new(SETUP_FILE))
		return false;
	if (!exists(SETUP_FILE) || is_unchanged(s))
		return remove_file(SETUP_FILE);
	printf("'" SETUP_FILE "' was changed since, so it is kept\n");
	return keep(s, SETUP_FILE);
}

const struct setup_kind setup_file = {
	.name = "file", .path = SETUP_FILE, .is_there = file_is_there, .make = file_make,
	.undo = file_undo,
};

/*
 * What the running server makes
 */

static bool leases_make(struct setup *s, const char *path)
{
	(void)s;
	(void)path;
	return true;
}

static bool leases_undo(struct setup *s, const char *path)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	char part[PATH_MAX];
	bool good = true;
	size_t i;

	(void)s;
	for (i = 0; i < 3; i++) {
		snprintf(part, sizeof(part), "%s%s", path, parts[i]);
		good &= remove_file(part);
	}
	return good;
}

const struct setup_kind setup_leases = {
	.name = "leases", .is_there = path_is_there, .make = leases_make, .undo = leases_undo,
};
