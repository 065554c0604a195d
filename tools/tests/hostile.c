// SPDX-License-Identifier: GPL-2.0
/*
 * hostile CA CERTIFICATE [SECRET TOKEN]: credentials that are good, in all the ways in
 * which they can be damaged. None of them may be taken for good, nor do harm.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../libcred/file.h"
#include "../libcred/token.h"
#include "../libcred/x509.h"
#include "../libvpn/credential.h"

static unsigned int points, failures;
static unsigned long tried, taken;

static void conclude(const char *text)
{
	bool good = tried && !taken;

	failures += !good;
	printf("%s %u - %s: %lu tried, %lu taken for good\n", good ? "ok" : "not ok", ++points,
	       text, tried, taken);
	tried = 0;
	taken = 0;
}

struct file {
	char *data;
	size_t len;
};

static struct file load(const char *path)
{
	struct vpn_error err;
	struct file file;

	if (!cred_file_read(path, &file.data, &file.len, &err))
		return file;
	fprintf(stderr, "%s\n", err.text);
	exit(2);
}

/* A copy that ends where it ends, so that whatever reads on is caught. */
static void *exactly(const void *octets, size_t len)
{
	void *copy = malloc(len ? len : 1);

	if (!copy)
		exit(2);
	memcpy(copy, octets, len);
	return copy;
}

/*
 * Certificates
 */

static const struct cred_x509 *trust;

static bool try_certificate(const uint8_t *octets, size_t len)
{
	uint8_t *copy = exactly(octets, len);
	struct cred_verdict verdict;
	bool good = cred_x509_check(trust, copy, len, NULL, CRED_CLIENT, time(NULL), &verdict);

	/* Whatever becomes of it, there are words. */
	if (!good && (!verdict.reason || !*verdict.text))
		good = true;
	free(copy);
	tried++;
	taken += good;
	return good;
}

static void damage_certificate(const uint8_t *octets, size_t len)
{
	uint8_t *copy = exactly(octets, len), both[VPN_CREDENTIAL_MAX + 64] = { 0 };
	size_t i;

	for (i = 0; i < len; i++)
		try_certificate(octets, i);
	conclude("certificate: cut off");
	for (i = 0; i < len * 8; i++) {
		copy[i / 8] ^= 1 << i % 8;
		try_certificate(copy, len);
		copy[i / 8] ^= 1 << i % 8;
	}
	conclude("certificate: a bit is another one");
	for (i = 0; i < len; i++) {
		memset(copy + i, 0xff, len - i < 4 ? len - i : 4);
		try_certificate(copy, len);
		memcpy(copy, octets, len);
	}
	conclude("certificate: lengths that are too long");
	memcpy(both, octets, len);
	for (i = 1; i < 64; i++)
		try_certificate(both, len + i);
	try_certificate(both, sizeof(both));
	conclude("certificate: with something behind it");
	free(copy);
}

/* The leaf is right, and what leads from it to the CA goes in circles. */
static void loop_certificates(const struct file *ca)
{
	struct vpn_credential issuer;
	uint8_t chain[VPN_CREDENTIAL_MAX];
	struct vpn_error err;
	size_t len = 0;

	if (vpn_credential_recognise(ca->data, ca->len, &issuer, &err))
		exit(2);
	while (len + issuer.len <= sizeof(chain)) {
		memcpy(chain + len, issuer.octets, issuer.len);
		len += issuer.len;
		try_certificate(chain, len);
	}
	free(issuer.octets);
	conclude("certificate: the CA behind the CA");
}

/* SEQUENCE within SEQUENCE, as many as fit, with lengths that are right or indefinite. */
static void nest(uint8_t tag, bool indefinite)
{
	uint8_t octets[VPN_CREDENTIAL_MAX];
	size_t at, left;

	for (at = 0; at + 4 <= sizeof(octets); at += indefinite ? 2 : 4) {
		left = sizeof(octets) - at - 4;
		octets[at] = tag;
		octets[at + 1] = indefinite ? 0x80 : 0x82;
		if (!indefinite) {
			octets[at + 2] = left >> 8;
			octets[at + 3] = left;
		}
	}
	try_certificate(octets, sizeof(octets));
}

static void nest_certificates(void)
{
	static const uint8_t tags[] = { 0x30, 0x31, 0xa0, 0xa3, 0x24, 0x2c, 0x7f };
	size_t i;

	for (i = 0; i < sizeof(tags); i++) {
		nest(tags[i], false);
		nest(tags[i], true);
	}
	conclude("certificate: a thousand levels deep");
}

static void test_certificates(const char *ca_path, const char *path)
{
	struct file ca = load(ca_path), file = load(path);
	struct vpn_credential certificate;
	struct cred_verdict verdict;
	struct vpn_error err;

	trust = cred_x509_open(ca.data, ca.len, NULL, 0, NULL, &err);
	if (!trust || vpn_credential_recognise(file.data, file.len, &certificate, &err) ||
	    !cred_x509_check(trust, certificate.octets, certificate.len, NULL, CRED_CLIENT,
			     time(NULL), &verdict)) {
		fprintf(stderr, "the certificate is not good to begin with\n");
		exit(2);
	}
	damage_certificate(certificate.octets, certificate.len);
	loop_certificates(&ca);
	nest_certificates();
	free(certificate.octets);
	cred_x509_free((struct cred_x509 *)trust);
	cred_file_free(ca.data, ca.len);
	cred_file_free(file.data, file.len);
}

/*
 * Tokens
 */

#ifdef HAVE_JWT

static const struct cred_tokens *tokens;

static void try_token(const char *text, size_t len)
{
	char *copy = exactly(text, len);
	struct cred_verdict verdict;

	tried++;
	taken += cred_token_check(tokens, copy, len, NULL, time(NULL), &verdict) ||
		 !verdict.reason || !*verdict.text;
	free(copy);
}

static void damage_token(const char *text, size_t len)
{
	static const char others[] = "Aa0-_.= +/\n\x01\xff";
	char *copy = exactly(text, len), before;
	size_t i, j;

	for (i = 0; i < len; i++)
		try_token(text, i);
	conclude("token: cut off");
	for (i = 0; i < len; i++) {
		before = copy[i];
		for (j = 0; j < sizeof(others); j++) {
			copy[i] = others[j];
			if (copy[i] != before)
				try_token(copy, len);
		}
		copy[i] = before;
	}
	conclude("token: a character is another one");
	free(copy);
}

static void test_tokens(const char *secret_path, const char *path)
{
	const struct cred_token_rules rules = { NULL };
	struct file secret = load(secret_path), file = load(path);
	struct cred_tokens *keys = cred_tokens_open(&rules);
	struct cred_verdict verdict;
	struct vpn_error err;

	while (file.len && file.data[file.len - 1] == '\n')
		file.len--;
	tokens = keys;
	if (!keys || cred_tokens_add(keys, "ours", secret.data, secret.len, &err) ||
	    !cred_token_check(tokens, file.data, file.len, NULL, time(NULL), &verdict)) {
		fprintf(stderr, "the token is not good to begin with\n");
		exit(2);
	}
	damage_token(file.data, file.len);
	cred_tokens_free(keys);
	cred_file_free(secret.data, secret.len);
	cred_file_free(file.data, file.len);
}

#else

static void test_tokens(const char *secret_path, const char *path)
{
	(void)secret_path;
	(void)path;
}

#endif

int main(int argc, char *argv[])
{
	if (argc < 3)
		return 2;
	test_certificates(argv[1], argv[2]);
	if (argc > 4)
		test_tokens(argv[3], argv[4]);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
