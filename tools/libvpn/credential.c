// SPDX-License-Identifier: GPL-2.0
#include "credential.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CREDENTIAL_IS \
	"a credential is an X.509 certificate, PEM or DER, or a JSON web token, which is three parts of base64url with dots between"
#define BEGIN_ANY		"-----BEGIN "
#define BEGIN_CERTIFICATE	"-----BEGIN CERTIFICATE-----"
#define END_CERTIFICATE		"-----END CERTIFICATE-----"
#define PRIVATE_KEY		"PRIVATE KEY-----"

static int refuse(struct vpn_error *err, const char *sentence)
{
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL, "%s", sentence);
}

static int refuse_private_key(struct vpn_error *err)
{
	return refuse(err,
		      "holds a private key, which nobody else should see; a credential is shown to the peer: name a file with the certificate alone");
}

static const char *find(const char *text, const char *end, const char *what)
{
	return memmem(text, end - text, what, strlen(what));
}

static bool is_certificate(const uint8_t *octets, size_t len)
{
	const unsigned char *end = octets;
	X509 *certificate = d2i_X509(NULL, &end, len);
	bool whole = certificate && end == octets + len;

	X509_free(certificate);
	return whole;
}

static bool is_private_key(const uint8_t *octets, size_t len)
{
	const unsigned char *end = octets;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &end, len);

	EVP_PKEY_free(key);
	return key;
}

static int take(const uint8_t *octets, size_t len, uint32_t kind,
		struct vpn_credential *credential, struct vpn_error *err)
{
	if (len > VPN_CREDENTIAL_MAX)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
				     "is a credential of %zu octets, more than a handshake carries; at most %u fit",
				     len, VPN_CREDENTIAL_MAX);
	credential->octets = malloc(len);
	if (!credential->octets)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	memcpy(credential->octets, octets, len);
	credential->len = len;
	credential->kind = kind;
	return 0;
}

/* The octets that text means, whatever white space is in it; their number or -1. */
static int decode(const char *text, size_t len, uint8_t *octets)
{
	char *packed = malloc(len + 1);
	size_t used = 0, i;
	int count = -1;

	if (!packed)
		return -1;
	for (i = 0; i < len; i++) {
		if (!strchr(" \t\r\n", text[i]))
			packed[used++] = text[i];
	}
	if (used && used % 4 == 0)
		count = EVP_DecodeBlock(octets, (unsigned char *)packed, used);
	/* The decoder counts the padding as octets. */
	if (count > 0)
		count -= (packed[used - 1] == '=') + (packed[used - 2] == '=');
	free(packed);
	return count;
}

static int take_pem(const char *text, size_t len, struct vpn_credential *credential,
		    struct vpn_error *err)
{
	const char *begin, *end = text + len, *next;
	uint8_t *octets;
	int count, ret;

	if (find(text, end, PRIVATE_KEY))
		return refuse_private_key(err);
	begin = find(text, end, BEGIN_CERTIFICATE);
	if (!begin)
		return refuse(err, "is PEM without a certificate; " CREDENTIAL_IS);
	begin += strlen(BEGIN_CERTIFICATE);
	next = find(begin, end, END_CERTIFICATE);
	if (!next)
		return refuse(err, "has a certificate without an end; the file was cut off");
	octets = malloc(next - begin + 4);
	if (!octets)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	count = decode(begin, next - begin, octets);
	if (count <= 0 || !is_certificate(octets, count))
		ret = refuse(err,
			     "has a certificate that cannot be read; its base64 or what that means is damaged");
	else
		ret = take(octets, count, VPN_CREDENTIAL_KIND_X509, credential, err);
	free(octets);
	while ((next = find(next, end, BEGIN_CERTIFICATE))) {
		credential->more++;
		next++;
	}
	return ret;
}

static bool is_base64url(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* Three parts, none of them empty. */
static bool is_token(const char *text, size_t len)
{
	unsigned int parts = 1, used = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '.') {
			if (!used)
				return false;
			parts++;
			used = 0;
		} else if (is_base64url(text[i])) {
			used++;
		} else {
			return false;
		}
	}
	return parts == 3 && used;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int vpn_credential_recognise(const void *data, size_t len, struct vpn_credential *credential,
			     struct vpn_error *err)
{
	const char *text = data;

	memset(credential, 0, sizeof(*credential));
	if (!len)
		return refuse(err, "is empty; " CREDENTIAL_IS);
	if (find(text, text + len, BEGIN_ANY))
		return take_pem(text, len, credential, err);
	if (is_certificate(data, len))
		return take(data, len, VPN_CREDENTIAL_KIND_X509, credential, err);
	if (is_private_key(data, len))
		return refuse_private_key(err);
	while (len && is_space(text[len - 1]))
		len--;
	while (len && is_space(*text)) {
		text++;
		len--;
	}
	if (is_token(text, len))
		return take((const uint8_t *)text, len, VPN_CREDENTIAL_KIND_JWT, credential, err);
	return refuse(err, "is neither a certificate nor a token; " CREDENTIAL_IS);
}
