// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing that a token says is believed before its signature is checked, but for its
 * header, which only chooses among what the keys here are good for.
 */
#include "token.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <jwt.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"

/* How far the clocks of who makes tokens and of who reads them may be apart. */
#define SLACK_SECONDS	60
/* Later than any date that is meant; and no double loses a second of it. */
#define LAST_SECOND	253402300799LL

enum family { FAMILY_SECRET, FAMILY_RSA, FAMILY_EC, FAMILY_ED };

static const struct algorithm {
	const char *name;
	enum family family;
	unsigned int bits;		/* of the curve; zero: any */
	jwt_alg_t number;		/* of libjwt, which has none for the last */
} algorithms[] = {
	{ "HS256", FAMILY_SECRET, 0, JWT_ALG_HS256 }, { "HS384", FAMILY_SECRET, 0, JWT_ALG_HS384 },
	{ "HS512", FAMILY_SECRET, 0, JWT_ALG_HS512 }, { "RS256", FAMILY_RSA, 0, JWT_ALG_RS256 },
	{ "RS384", FAMILY_RSA, 0, JWT_ALG_RS384 }, { "RS512", FAMILY_RSA, 0, JWT_ALG_RS512 },
	{ "ES256", FAMILY_EC, 256, JWT_ALG_ES256 }, { "ES384", FAMILY_EC, 384, JWT_ALG_ES384 },
	{ "ES512", FAMILY_EC, 521, JWT_ALG_ES512 }, { "EdDSA", FAMILY_ED, 0, JWT_ALG_NONE },
	{ NULL, 0, 0, JWT_ALG_NONE }
};

struct token_key {
	char kid[CRED_KID_MAX + 1];
	enum family family;
	unsigned int bits;
	unsigned char *data;		/* a secret, or PEM; with a zero behind it */
	size_t len;
	EVP_PKEY *pkey;			/* NULL: a secret */
};

struct cred_tokens {
	char *issuer, *audience, *algorithms;
	bool bound;
	struct token_key *keys;
	unsigned int count;
};

/* A token in its parts; header and claims are NULL until they are read. */
struct token {
	const char *text;		/* with a zero behind it */
	size_t signed_len;		/* header and claims, with the dot between */
	const char *signature;
	json_t *header, *claims;
};

static const struct algorithm *find_algorithm(const char *name)
{
	const struct algorithm *algorithm = algorithms;

	while (algorithm->name && strcmp(algorithm->name, name))
		algorithm++;
	return algorithm->name ? algorithm : NULL;
}

bool cred_token_knows(const char *algorithm)
{
	return find_algorithm(algorithm);
}

/*
 * Keys
 */

static char *copy_of(const char *text, bool *good)
{
	char *copy = text ? strdup(text) : NULL;

	*good &= !text || copy;
	return copy;
}

struct cred_tokens *cred_tokens_open(const struct cred_token_rules *rules)
{
	struct cred_tokens *tokens = calloc(1, sizeof(*tokens));
	bool good = tokens;

	if (!tokens)
		return NULL;
	tokens->issuer = copy_of(rules->issuer, &good);
	tokens->audience = copy_of(rules->audience, &good);
	tokens->algorithms = copy_of(rules->algorithms, &good);
	tokens->bound = rules->bound;
	if (good)
		return tokens;
	cred_tokens_free(tokens);
	return NULL;
}

static void free_key(struct token_key *key)
{
	if (key->data)
		explicit_bzero(key->data, key->len);
	free(key->data);
	EVP_PKEY_free(key->pkey);
}

void cred_tokens_free(struct cred_tokens *tokens)
{
	if (!tokens)
		return;
	while (tokens->count)
		free_key(&tokens->keys[--tokens->count]);
	free(tokens->keys);
	free(tokens->issuer);
	free(tokens->audience);
	free(tokens->algorithms);
	free(tokens);
}

static int refuse_key(struct vpn_error *err, const char *sentence)
{
	ERR_clear_error();
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL, "%s", sentence);
}

/* There are other curves of as many bits. */
static bool is_curve(const EVP_PKEY *pkey, unsigned int bits)
{
	const char *wanted = bits == 256 ? "prime256v1" : bits == 384 ? "secp384r1" : "secp521r1";
	char name[64];
	size_t len;

	return EVP_PKEY_get_group_name(pkey, name, sizeof(name), &len) == 1 &&
	       !strcmp(name, wanted);
}

/* What a key is good for; false: nothing. */
static bool classify(struct token_key *key)
{
	switch (EVP_PKEY_get_base_id(key->pkey)) {
	case EVP_PKEY_RSA:
		key->family = FAMILY_RSA;
		return EVP_PKEY_get_bits(key->pkey) >= 2048;
	case EVP_PKEY_EC:
		key->family = FAMILY_EC;
		key->bits = EVP_PKEY_get_bits(key->pkey);
		return is_curve(key->pkey, key->bits);
	case EVP_PKEY_ED25519:
		key->family = FAMILY_ED;
		return true;
	default:
		return false;
	}
}

/* libjwt takes a public key as PEM, whatever it was before. */
static bool write_public(struct token_key *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	if (bio && PEM_write_bio_PUBKEY(bio, key->pkey)) {
		len = BIO_get_mem_data(bio, &data);
		key->data = (unsigned char *)strndup(data, len);
		key->len = len;
	}
	BIO_free(bio);
	return key->data;
}

static EVP_PKEY *read_public(const char *data, size_t len)
{
	BIO *bio = BIO_new_mem_buf(data, len);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	X509 *certificate;

	if (bio && !pkey) {
		BIO_reset(bio);
		certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		pkey = certificate ? X509_get_pubkey(certificate) : NULL;
		X509_free(certificate);
	}
	BIO_free(bio);
	ERR_clear_error();
	return pkey;
}

#define KEY_IS \
	"it is PEM of an RSA key of 2048 bits or more, of P-256, P-384, P-521 or Ed25519, or a secret of 32 octets or more"

static int take_public(struct token_key *key, const char *data, size_t len, struct vpn_error *err)
{
	if (memmem(data, len, "PRIVATE KEY-----", 16))
		return refuse_key(err,
				  "holds a private key; whoever checks tokens needs the public one only: 'openssl pkey -pubout' makes it");
	key->pkey = read_public(data, len);
	if (!key->pkey)
		return refuse_key(err, "has no public key that can be read; " KEY_IS);
	if (!classify(key))
		return refuse_key(err, "has a key that tokens cannot be signed with; " KEY_IS);
	return write_public(key) ? 0 : refuse_key(err, strerror(ENOMEM));
}

static bool is_pem(const char *data, size_t len)
{
	return memmem(data, len, "-----BEGIN ", 11);
}

static size_t trimmed(const char *data, size_t len)
{
	while (len && isspace((unsigned char)data[len - 1]))
		len--;
	return len;
}

static int take_secret(struct token_key *key, const char *data, size_t len, struct vpn_error *err)
{
	key->len = trimmed(data, len);
	key->family = FAMILY_SECRET;
	if (key->len < CRED_SECRET_MIN)
		return refuse_key(err,
				  "has a secret that is too short; it has 32 octets or more, as 'vpnctl genpsk' prints them");
	key->data = malloc(key->len + 1);
	if (!key->data)
		return refuse_key(err, strerror(ENOMEM));
	memcpy(key->data, data, key->len);
	key->data[key->len] = '\0';
	return 0;
}

static const struct token_key *find_key(const struct cred_tokens *tokens, const char *kid)
{
	unsigned int i;

	for (i = 0; i < tokens->count; i++) {
		if (!strcmp(tokens->keys[i].kid, kid))
			return &tokens->keys[i];
	}
	return NULL;
}

int cred_tokens_add(struct cred_tokens *tokens, const char *kid, const char *data, size_t len,
		    struct vpn_error *err)
{
	struct token_key *grown, key = { .data = NULL };
	int ret;

	if (!cred_take_text(key.kid, sizeof(key.kid), kid, strlen(kid)))
		return refuse_key(err, "has a name that is none for a key");
	if (find_key(tokens, kid))
		return refuse_key(err, "has the name of another key");
	ret = is_pem(data, len) ? take_public(&key, data, len, err) :
	      take_secret(&key, data, len, err);
	grown = ret ? NULL : reallocarray(tokens->keys, tokens->count + 1, sizeof(*grown));
	if (!grown) {
		free_key(&key);
		return ret ? ret : refuse_key(err, strerror(ENOMEM));
	}
	tokens->keys = grown;
	tokens->keys[tokens->count++] = key;
	return 0;
}

/*
 * Reading
 */

static bool unauthorised(struct cred_verdict *verdict, const char *sentence)
{
	return cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED, "%s", sentence);
}

/* An object in which no name is there twice. */
static json_t *read_object(const char *text, size_t len)
{
	uint8_t octets[VPN_CREDENTIAL_MAX];
	ssize_t count = base64url_decode(text, len, octets, sizeof(octets));
	json_t *object = NULL;

	if (count > 0)
		object = json_loadb((char *)octets, count, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(object))
		return object;
	json_decref(object);
	return NULL;
}

static void drop_token(struct token *token)
{
	json_decref(token->header);
	json_decref(token->claims);
}

static bool read_token(struct token *token, struct cred_verdict *verdict)
{
	const char *dot = strchr(token->text, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;

	if (!second || strchr(second + 1, '.'))
		return unauthorised(verdict, "token is not three parts with dots between");
	token->signed_len = second - token->text;
	token->signature = second + 1;
	token->header = read_object(token->text, dot - token->text);
	token->claims = read_object(dot + 1, second - dot - 1);
	if (!token->header || !token->claims)
		return unauthorised(verdict,
				    "token cannot be read: a part of it is no JSON object in base64url, or has a name twice");
	return true;
}

static const char *text_in(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);

	/* One with a zero octet inside is none. */
	return text && strlen(text) == json_string_length(value) ? text : NULL;
}

/*
 * The signature
 */

static const struct token_key *choose_key(const struct cred_tokens *tokens,
					  const struct token *token, struct cred_verdict *verdict)
{
	const json_t *named = json_object_get(token->header, "kid");
	const char *kid = text_in(token->header, "kid");
	const struct token_key *key = NULL;

	if (!tokens->count)
		unauthorised(verdict,
			     "token is not accepted here: there is no key to check it with");
	else if (!named && tokens->count > 1)
		unauthorised(verdict,
			     "token does not say by which key it is signed, and there are several");
	else if (!named)
		key = tokens->keys;
	else if (!kid)
		unauthorised(verdict, "token has a name of its key that is no text");
	else
		key = find_key(tokens, kid);
	if (!key && !verdict->reason)
		cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED,
			    "token is signed by a key '%s' that is not known here", kid);
	return key;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *at;

	for (at = list; (at = strstr(at, word)); at += len) {
		if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	}
	return false;
}

static bool fits(const struct token_key *key, const struct algorithm *algorithm)
{
	return algorithm->family == key->family &&
	       (!algorithm->bits || algorithm->bits == key->bits);
}

/* By what the key is, and what is allowed; what the token says has to be that. */
static const struct algorithm *choose_algorithm(const struct cred_tokens *tokens,
						const struct token_key *key,
						const struct token *token,
						struct cred_verdict *verdict)
{
	const char *name = text_in(token->header, "alg"), *type = text_in(token->header, "typ");
	const struct algorithm *algorithm = name ? find_algorithm(name) : NULL;

	if (json_object_get(token->header, "crit"))
		unauthorised(verdict, "token asks for extensions that are not known here");
	else if (json_object_get(token->header, "typ") && (!type || strcasecmp(type, "JWT")))
		unauthorised(verdict, "token is of another type than JWT");
	else if (!algorithm)
		cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED,
			    "token is signed with '%s', which is not accepted",
			    name ? name : "nothing");
	else if (!fits(key, algorithm))
		cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED,
			    "token is signed with %s, for which the key '%s' is not", name,
			    key->kid);
	else if (tokens->algorithms && !has_word(tokens->algorithms, name))
		cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED,
			    "token is signed with %s, which is not accepted here", name);
	return verdict->reason ? NULL : algorithm;
}

static bool verify_ed(const struct token_key *key, const struct token *token)
{
	uint8_t signature[64];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good;

	good = ctx && base64url_decode(token->signature, strlen(token->signature), signature,
				       sizeof(signature)) == sizeof(signature) &&
	       EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	       EVP_DigestVerify(ctx, signature, sizeof(signature),
				(const unsigned char *)token->text, token->signed_len) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

static bool verify_jwt(const struct token_key *key, const struct algorithm *algorithm,
		       const struct token *token)
{
	jwt_t *jwt = NULL;
	bool good;

	good = !jwt_decode(&jwt, token->text, key->data, key->len) &&
	       jwt_get_alg(jwt) == algorithm->number;
	jwt_free(jwt);
	return good;
}

static bool check_signature(const struct cred_tokens *tokens, const struct token *token,
			    struct cred_verdict *verdict)
{
	const struct token_key *key = choose_key(tokens, token, verdict);
	const struct algorithm *algorithm;
	uint8_t signature[VPN_CREDENTIAL_MAX];
	bool good;

	algorithm = key ? choose_algorithm(tokens, key, token, verdict) : NULL;
	if (!algorithm)
		return false;
	/* Libraries forgive what is not base64 in it. */
	good = base64url_decode(token->signature, strlen(token->signature), signature,
				sizeof(signature)) > 0 &&
	       (key->family == FAMILY_ED ? verify_ed(key, token) :
		verify_jwt(key, algorithm, token));
	ERR_clear_error();
	return good || unauthorised(verdict, "token has a signature that is not right");
}

/*
 * The claims
 */

/* A number of seconds; absent is zero. False: it is none. */
static bool take_seconds(const struct token *token, const char *name, int64_t *seconds,
			 struct cred_verdict *verdict)
{
	const json_t *value = json_object_get(token->claims, name);
	double number = json_number_value(value);

	*seconds = 0;
	if (!value)
		return true;
	if (!json_is_number(value) || !(number >= 1 && number <= LAST_SECOND))
		return cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED,
				   "token has a time '%s' that is none", name);
	*seconds = number;
	return true;
}

static bool check_expiry(const struct token *token, time_t now, struct cred_verdict *verdict)
{
	char date[CRED_DATE_TEXT];
	int64_t seconds;

	if (!take_seconds(token, "exp", &seconds, verdict))
		return false;
	if (!seconds)
		return unauthorised(verdict, "token has no end (exp); one is needed");
	verdict->expires = seconds;
	cred_date(seconds, date);
	return now < seconds || cred_refuse(verdict, VPN_REJECT_REASON_EXPIRED,
					    "token expired on %s", date);
}

static bool check_begin(const struct token *token, const char *name, time_t now,
			struct cred_verdict *verdict)
{
	char date[CRED_DATE_TEXT];
	int64_t seconds;

	if (!take_seconds(token, name, &seconds, verdict))
		return false;
	cred_date(seconds, date);
	return seconds <= now + SLACK_SECONDS ||
	       cred_refuse(verdict, VPN_REJECT_REASON_NOT_YET_VALID,
			   "token is not valid before %s", date);
}

static bool has_audience(const json_t *audience, const char *wanted)
{
	const json_t *one;
	size_t i;

	if (json_is_string(audience))
		return !strcmp(json_string_value(audience), wanted);
	json_array_foreach((json_t *)audience, i, one) {
		if (json_is_string(one) && !strcmp(json_string_value(one), wanted))
			return true;
	}
	return false;
}

static bool check_parties(const struct cred_tokens *tokens, const struct token *token,
			  struct cred_verdict *verdict)
{
	const json_t *audience = json_object_get(token->claims, "aud");
	const char *issuer = text_in(token->claims, "iss");

	if (tokens->issuer && (!issuer || strcmp(issuer, tokens->issuer)))
		return cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED,
				   "token is issued by '%s', and not by '%s'",
				   issuer ? issuer : "nobody", tokens->issuer);
	/* One that is meant for somebody else is none for us. */
	if (audience && !tokens->audience)
		return unauthorised(verdict,
				    "token is for a certain audience, and this server has no token_audience");
	if (tokens->audience && (!audience || !has_audience(audience, tokens->audience)))
		return cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED,
				   "token is not for the audience '%s'", tokens->audience);
	return true;
}

/* RFC 7800, with the key as RFC 8037 writes it. */
static bool key_in(const json_t *cnf, uint8_t key[VPN_KEY_LEN])
{
	const json_t *jwk = json_object_get(cnf, "jwk");
	const char *type = text_in(jwk, "kty"), *curve = text_in(jwk, "crv"),
		*text = text_in(jwk, "x");

	return json_object_size(cnf) == 1 && type && !strcmp(type, "OKP") && curve &&
	       !strcmp(curve, "X25519") && text &&
	       base64url_decode(text, strlen(text), key, VPN_KEY_LEN) == VPN_KEY_LEN;
}

static bool check_binding(const struct cred_tokens *tokens, const struct token *token,
			  const uint8_t *key, struct cred_verdict *verdict)
{
	const json_t *cnf = json_object_get(token->claims, "cnf");
	uint8_t bound[VPN_KEY_LEN];

	if (!cnf)
		return !tokens->bound ||
		       unauthorised(verdict,
				    "token is not bound to a key (cnf); this server needs that");
	if (!key_in(cnf, bound))
		return unauthorised(verdict,
				    "token is bound (cnf) to something else than a key of X25519");
	return !key || !CRYPTO_memcmp(bound, key, VPN_KEY_LEN) ||
	       unauthorised(verdict, "token is bound to another key than the one that shows it");
}

static bool take_claim(const struct token *token, const char *name, bool needed, char *to,
		       size_t room, struct cred_verdict *verdict)
{
	const json_t *value = json_object_get(token->claims, name);

	if (!value && !needed)
		return true;
	if (json_is_string(value) &&
	    cred_take_text(to, room, json_string_value(value), json_string_length(value)))
		return true;
	return cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED,
			   "token has no '%s' that is a text of 1 to %zu octets", name, room - 1);
}

static bool check_claims(const struct cred_tokens *tokens, const struct token *token,
			 const uint8_t *key, time_t now, struct cred_verdict *verdict)
{
	return take_claim(token, "sub", true, verdict->name, sizeof(verdict->name), verdict) &&
	       take_claim(token, "jti", false, verdict->id, sizeof(verdict->id), verdict) &&
	       take_claim(token, "role", false, verdict->role, sizeof(verdict->role), verdict) &&
	       check_parties(tokens, token, verdict) && check_expiry(token, now, verdict) &&
	       check_begin(token, "nbf", now, verdict) && check_begin(token, "iat", now, verdict) &&
	       check_binding(tokens, token, key, verdict);
}

bool cred_token_check(const struct cred_tokens *tokens, const char *text, size_t len,
		      const uint8_t *key, time_t now, struct cred_verdict *verdict)
{
	struct token token = { .text = NULL };
	char *copy;
	bool good;

	memset(verdict, 0, sizeof(*verdict));
	if (len > VPN_CREDENTIAL_MAX || memchr(text, '\0', len))
		return unauthorised(verdict, "token cannot be read");
	copy = strndup(text, len);
	if (!copy)
		return unauthorised(verdict, strerror(ENOMEM));
	token.text = copy;
	good = read_token(&token, verdict) && check_signature(tokens, &token, verdict) &&
	       check_claims(tokens, &token, key, now, verdict);
	drop_token(&token);
	explicit_bzero(copy, len);
	free(copy);
	return good;
}

/*
 * Making
 */

static void put_text(json_t *object, const char *name, const char *text)
{
	if (text)
		json_object_set_new(object, name, json_string(text));
}

static void put_seconds(json_t *object, const char *name, int64_t seconds)
{
	if (seconds)
		json_object_set_new(object, name, json_integer(seconds));
}

static json_t *claims_json(const struct cred_claims *claims)
{
	json_t *object = json_object();
	char key[BASE64URL_TEXT(VPN_KEY_LEN)];

	put_text(object, "sub", claims->subject);
	put_text(object, "role", claims->role);
	put_text(object, "aud", claims->audience);
	put_text(object, "iss", claims->issuer);
	put_text(object, "jti", claims->id);
	put_seconds(object, "iat", claims->issued);
	put_seconds(object, "nbf", claims->not_before);
	put_seconds(object, "exp", claims->expires);
	if (claims->key) {
		base64url_encode(claims->key, VPN_KEY_LEN, key);
		json_object_set_new(object, "cnf",
				    json_pack("{s:{s:s, s:s, s:s}}", "jwk", "kty", "OKP", "crv",
					      "X25519", "x", key));
	}
	return object;
}

static int take_private(struct token_key *key, const char *data, size_t len,
			struct vpn_error *err)
{
	BIO *bio = BIO_new_mem_buf(data, len);

	key->pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	if (!key->pkey)
		return refuse_key(err, "has no private key that can be read; " KEY_IS);
	if (!classify(key))
		return refuse_key(err, "has a key that tokens cannot be signed with; " KEY_IS);
	key->data = (unsigned char *)strndup(data, len);
	key->len = len;
	return key->data ? 0 : refuse_key(err, strerror(ENOMEM));
}

/* "header.claims" */
static char *unsigned_text(const json_t *header, const json_t *claims)
{
	char *first = json_dumps(header, JSON_COMPACT), *second = json_dumps(claims, JSON_COMPACT);
	char *text = NULL;
	size_t len;

	if (first && second)
		text = malloc(BASE64URL_TEXT(strlen(first)) + BASE64URL_TEXT(strlen(second)) +
			      BASE64URL_TEXT(64) + 2);
	if (text) {
		len = base64url_encode(first, strlen(first), text);
		text[len++] = '.';
		base64url_encode(second, strlen(second), text + len);
	}
	free(first);
	free(second);
	return text;
}

static char *sign_ed(const struct token_key *key, const char *kid, const json_t *claims)
{
	json_t *header = json_pack("{s:s, s:s}", "alg", "EdDSA", "typ", "JWT");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[64];
	size_t len = sizeof(signature), used;
	char *text;

	put_text(header, "kid", kid);
	text = unsigned_text(header, claims);
	used = text ? strlen(text) : 0;
	if (text && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	    EVP_DigestSign(ctx, signature, &len, (unsigned char *)text, used) == 1) {
		text[used] = '.';
		base64url_encode(signature, len, text + used + 1);
	} else {
		free(text);
		text = NULL;
	}
	EVP_MD_CTX_free(ctx);
	json_decref(header);
	return text;
}

static char *sign_jwt(const struct token_key *key, const struct algorithm *algorithm,
		      const char *kid, const json_t *claims)
{
	char *json = json_dumps(claims, JSON_COMPACT), *text = NULL;
	jwt_t *jwt = NULL;

	if (json && !jwt_new(&jwt) && !jwt_add_grants_json(jwt, json) &&
	    (!kid || !jwt_add_header(jwt, "kid", kid)) &&
	    !jwt_set_alg(jwt, algorithm->number, key->data, key->len))
		text = jwt_encode_str(jwt);
	jwt_free(jwt);
	free(json);
	return text;
}

static const struct algorithm *usual_algorithm(const struct token_key *key)
{
	const struct algorithm *algorithm = algorithms;

	while (!fits(key, algorithm))
		algorithm++;
	return algorithm;
}

static int sign_with(const struct token_key *key, const struct cred_claims *claims,
		     const char *kid, const char *name, char **text, struct vpn_error *err)
{
	const struct algorithm *algorithm = name ? find_algorithm(name) : usual_algorithm(key);
	json_t *object;

	if (!algorithm)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
				     "cannot sign with '%s', which is not known; without --algorithm it signs with %s",
				     name, usual_algorithm(key)->name);
	if (!fits(key, algorithm))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
				     "has a key that is not for %s; it signs with %s", name,
				     usual_algorithm(key)->name);
	object = claims_json(claims);
	*text = key->family == FAMILY_ED ? sign_ed(key, kid, object) :
		sign_jwt(key, algorithm, kid, object);
	json_decref(object);
	return *text ? 0 : refuse_key(err, "cannot sign a token");
}

int cred_token_sign(const struct cred_claims *claims, const char *kid, const char *algorithm,
		    const char *data, size_t len, char **text, struct vpn_error *err)
{
	struct token_key key = { .data = NULL };
	int ret;

	ret = is_pem(data, len) ? take_private(&key, data, len, err) :
	      take_secret(&key, data, len, err);
	if (!ret)
		ret = sign_with(&key, claims, kid, algorithm, text, err);
	free_key(&key);
	return ret;
}

char *cred_token_describe(const char *text, size_t len)
{
	struct token token = { .text = NULL };
	struct cred_verdict verdict = { 0 };
	char *copy, *said = NULL;
	json_t *both;

	len = trimmed(text, len);
	copy = len <= VPN_CREDENTIAL_MAX && !memchr(text, '\0', len) ? strndup(text, len) : NULL;
	if (!copy)
		return NULL;
	token.text = copy;
	if (read_token(&token, &verdict)) {
		both = json_pack("{s:O, s:O}", "header", token.header, "claims", token.claims);
		said = json_dumps(both, JSON_INDENT(2));
		json_decref(both);
	}
	drop_token(&token);
	explicit_bzero(copy, len);
	free(copy);
	return said;
}
