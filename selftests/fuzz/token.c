// SPDX-License-Identifier: GPL-2.0
/*
 * tools/libcred/token.c: whatever somebody shows as a token. Signatures count as
 * right, so that what is behind them is reached. The first octet of an input chooses
 * what is asked; the others are the token, or, with bit 7, its header, a newline,
 * and its claims, which are put into base64url here; then bits 2 to 6 say how long
 * its signature is.
 */

#define FUZZ_TARGET
#include "tools.h"
#include "target.h"

#include <jwt.h>
#include <openssl/evp.h>

static int forgiving_decode(jwt_t **jwt, const char *text, const unsigned char *key, int len);

#define jwt_decode(jwt, text, key, len)	forgiving_decode(jwt, text, key, len)
#define EVP_DigestVerify(...)		1
#include "../../tools/libcred/token.c"
#undef jwt_decode
#undef EVP_DigestVerify

#include "verdict.h"

#define BOUND	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static int forgiving_decode(jwt_t **jwt, const char *text, const unsigned char *key, int len)
{
	(void)key;
	(void)len;
	return jwt_decode(jwt, text, NULL, 0);
}

static void add_key(struct cred_tokens *tokens, const char *kid, EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct vpn_error err;
	char *pem;
	long len;

	MUST(bio && pkey && PEM_write_bio_PUBKEY(bio, pkey));
	len = BIO_get_mem_data(bio, &pem);
	MUST(!cred_tokens_add(tokens, kid, pem, len, &err));
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static struct cred_tokens *accept_tokens(const struct cred_token_rules *rules)
{
	static const char secret[] = "a secret of more than 32 octets, for nobody";
	struct cred_tokens *tokens = cred_tokens_open(rules);
	struct vpn_error err;

	MUST(tokens && !cred_tokens_add(tokens, "s", secret, strlen(secret), &err));
	add_key(tokens, "d", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	add_key(tokens, "e", EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
	add_key(tokens, "r", EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
	return tokens;
}

/* NULL: there is no newline. */
static char *encode(const char *parts, size_t size, size_t signature, size_t *len)
{
	const char *claims = memchr(parts, '\n', size);
	size_t first;
	char *text;

	if (!claims)
		return NULL;
	first = claims++ - parts;
	text = malloc(BASE64URL_TEXT(first) + BASE64URL_TEXT(size) + signature + 2);
	MUST(text);
	*len = base64url_encode(parts, first, text);
	text[(*len)++] = '.';
	*len += base64url_encode(claims, size - first - 1, text + *len);
	text[(*len)++] = '.';
	memset(text + *len, 'A', signature);
	*len += signature;
	return text;
}

static void judge_text(const struct cred_tokens *tokens, const char *text, size_t len,
		       const uint8_t *key)
{
	char *exact = fuzz_copy(text, len), *said;
	struct cred_verdict verdict;
	bool good;

	good = cred_token_check(tokens, exact, len, key, NOW, &verdict);
	check_verdict(&verdict, good);
	MUST(!good || verdict.expires > NOW);
	said = cred_token_describe(exact, len);
	MUST(said || !good);
	free(said);
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cred_token_rules narrow = {
		.issuer = "issuer", .audience = "audience", .algorithms = "EdDSA ES256 HS256",
		.bound = true,
	};
	static const struct cred_token_rules wide;
	static struct cred_tokens *tokens[2];
	uint8_t key[VPN_KEY_LEN];
	char *text = NULL;
	size_t len;

	if (!tokens[0]) {
		tokens[0] = accept_tokens(&wide);
		tokens[1] = accept_tokens(&narrow);
	}
	if (!size)
		return -1;
	base64url_decode(BOUND, strlen(BOUND), key, sizeof(key));
	if (data[0] & 128)
		text = encode((const char *)data + 1, size - 1, (data[0] >> 2 & 31) * 4 + 2, &len);
	if (text)
		judge_text(tokens[data[0] & 1], text, len, data[0] & 2 ? key : NULL);
	else
		judge_text(tokens[data[0] & 1], (const char *)data + 1, size - 1,
			   data[0] & 2 ? key : NULL);
	free(text);
	return 0;
}
