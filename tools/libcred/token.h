/* SPDX-License-Identifier: GPL-2.0 */
/* JSON web tokens (RFC 7519): who may make them, and who they say that somebody is. */
#ifndef LIBCRED_TOKEN_H
#define LIBCRED_TOKEN_H

#include "../libvpn/error.h"
#include "verdict.h"

/* Secrets that are shorter can be guessed. */
#define CRED_SECRET_MIN	32
#define CRED_KID_MAX	63

struct cred_tokens;

/* What a token has to be, beside being signed; a NULL is not asked for. */
struct cred_token_rules {
	const char *issuer, *audience;
	const char *algorithms;		/* "ES256 RS256"; NULL: any that a key is good for */
	bool bound;			/* it has to name the key of who shows it */
};

/* NULL: memory is out. The rules' texts are copied. */
struct cred_tokens *cred_tokens_open(const struct cred_token_rules *rules);
void cred_tokens_free(struct cred_tokens *tokens);

/* The algorithm of that list, or a word of it, that there is not; NULL: all are known. */
bool cred_token_knows(const char *algorithm);

/*
 * A key that signs tokens, by the name that they call it: PEM of a public key or a
 * certificate, or else a secret, which is all but white space at the end. Zero, or a
 * negative errno with a sentence in err that goes on behind a file's name.
 */
int cred_tokens_add(struct cred_tokens *tokens, const char *kid, const char *data, size_t len,
		    struct vpn_error *err);

/* Judge a token that whoever has that key shows (NULL: it is not known who does). */
bool cred_token_check(const struct cred_tokens *tokens, const char *text, size_t len,
		      const uint8_t *key, time_t now, struct cred_verdict *verdict);

/* What goes into a token; a NULL or zero is left out. */
struct cred_claims {
	const char *subject, *role, *audience, *issuer, *id;
	int64_t issued, not_before, expires;
	const uint8_t *key;		/* whose it is to be */
};

/*
 * Sign one with a private key, PEM, or a secret. algorithm: NULL for the usual one of
 * the key. The text is to be freed.
 */
int cred_token_sign(const struct cred_claims *claims, const char *kid, const char *algorithm,
		    const char *data, size_t len, char **text, struct vpn_error *err);

/* Header and claims as JSON, whoever signed it; to be freed. NULL: it is no token. */
char *cred_token_describe(const char *text, size_t len);

#endif
