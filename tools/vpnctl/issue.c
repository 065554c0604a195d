// SPDX-License-Identifier: GPL-2.0
#include "issue.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libcred/file.h"
#include "../libvpn/key.h"
#include "complain.h"
#include "parse.h"

#define FOLDER	"/etc/vpn/pki"
#define HOST	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:*_"

const char *issue_folder(const char *given)
{
	const char *folder = getenv("VPN_PKI_DIR");

	return given ? given : folder && *folder ? folder : FOLDER;
}

/* As 'openssl pkey -pubout' writes it. */
static bool read_pem(const char *text, size_t len, uint8_t key[VPN_KEY_LEN])
{
	BIO *bio = BIO_new_mem_buf(text, len);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	size_t room = VPN_KEY_LEN;
	bool good;

	good = pkey && EVP_PKEY_get_id(pkey) == EVP_PKEY_X25519 &&
	       EVP_PKEY_get_raw_public_key(pkey, key, &room) == 1;
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	return good;
}

bool issue_read_public(const char *path, uint8_t key[VPN_KEY_LEN])
{
	struct vpn_error err;
	size_t len, end;
	char *text;
	bool good;

	if (cred_file_read(path, &text, &len, &err))
		return !complain_error(&err);
	for (end = len; end && isspace((unsigned char)text[end - 1]); end--)
		;
	good = vpn_key_from_base64(key, text, end) || read_pem(text, len, key);
	cred_file_free(text, len);
	return good ||
	       complain(NULL,
			"--public-key '%s' has no public key in it; it is one line as 'vpnctl pubkey' prints it, or PEM of X25519",
			path);
}

static bool write_private(const char *path, const uint8_t key[VPN_KEY_LEN])
{
	char text[VPN_KEY_BASE64_LEN + 1];
	struct vpn_error err;
	bool good;

	vpn_key_to_base64(key, text);
	text[VPN_KEY_BASE64_LEN] = '\n';
	good = !cred_file_write(path, 0600, text, sizeof(text), &err) || !complain_error(&err);
	explicit_bzero(text, sizeof(text));
	return good;
}

/* A new certificate for a key that is there already renews it. */
static bool find_private(struct issuing *i, uint8_t key[VPN_KEY_LEN])
{
	const struct origin at = { .word = "keys" };

	if (!access(i->key_path, F_OK)) {
		if (!parse_key_file(&at, i->key_path, i->private_key))
			return false;
	} else {
		if (!vpn_key_private(i->private_key))
			return complain(NULL, "the system gives no random numbers");
		if (!write_private(i->key_path, i->private_key))
			return false;
	}
	return vpn_key_public(key, i->private_key) ||
	       complain(NULL, "the crypto library cannot compute X25519");
}

static bool find_key(struct issuing *i, uint8_t key[VPN_KEY_LEN])
{
	if (i->public_key)
		return issue_read_public(i->public_key, key);
	if (strchr(i->name, '/') || *i->name == '.' || !*i->name)
		return complain(NULL,
				"name '%s' is not right; it becomes the name of files, so it has no '/' and no dot at its beginning",
				i->name);
	i->key_path = cred_authority_path(issue_folder(i->folder), "keys", i->name, ".key");
	return i->key_path ? find_private(i, key) : complain(NULL, "%s", strerror(ENOMEM));
}

/* They go into a line of their own kind, with commas and colons. */
static bool check_hosts(const struct option_list *hosts)
{
	unsigned int i;

	for (i = 0; i < hosts->count; i++) {
		if (!*hosts->words[i] || hosts->words[i][strspn(hosts->words[i], HOST)])
			return complain(NULL,
					"--host '%s' is neither a name nor an address of a host",
					hosts->words[i]);
	}
	return true;
}

int issue(struct issuing *i)
{
	struct cred_request request = {
		.name = i->name, .role = i->role, .server = i->server || i->hosts.count,
		.hosts = i->hosts.words,
	};
	struct cred_authority *ca;
	struct vpn_error err;
	int ret;

	if (!options_lifetime(i->days, i->span, ISSUE_DAYS * 86400, &request.seconds) ||
	    !check_hosts(&i->hosts))
		return STATUS_FAILED;
	if (cred_authority_open(issue_folder(i->folder), &ca, &err))
		return complain_error(&err);
	if (find_key(i, request.key)) {
		ret = cred_authority_issue(ca, &request, &i->certificate, &err);
		if (ret)
			ret = complain_error(&err);
	} else {
		ret = STATUS_FAILED;
	}
	cred_authority_close(ca);
	return ret;
}

void issue_free(struct issuing *i)
{
	explicit_bzero(i->private_key, sizeof(i->private_key));
	free(i->certificate);
	free(i->key_path);
}
