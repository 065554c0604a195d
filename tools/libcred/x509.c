// SPDX-License-Identifier: GPL-2.0
#include "x509.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Certificates between a client's and a CA's. */
#define BETWEEN_MAX	4
/* As strong as 112 bits at least: RSA of 2048 bits, and no SHA-1. */
#define STRENGTH	2
/* A moment that no date of a certificate gets near to. */
#define FOREVER		INT64_MAX

struct cred_x509 {
	X509_STORE *store;
	struct stack_st_X509 *between;
	ASN1_OBJECT *role;		/* NULL: the OU has it */
	bool has_crl;
	int64_t next_update;
};

#define REVOKED_ON	"%s was revoked on %s"

/* A certificate that is being judged. */
struct judging {
	const struct cred_x509 *trust;
	X509 *leaf;
	struct stack_st_X509 *between;
	struct cred_verdict *verdict;
};

static int no_memory(struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm tm;

	return time && ASN1_TIME_to_tm(time, &tm) ? (int64_t)timegm(&tm) : 0;
}

/* "2026-11-01" */
static const char *date_of(const ASN1_TIME *time, char text[CRED_DATE_TEXT])
{
	cred_date(seconds_of(time), text);
	return text;
}

static bool signed_itself(X509 *certificate)
{
	return X509_get_extension_flags(certificate) & EXFLAG_SS;
}

/*
 * What is trusted
 */

static bool sort_in(struct cred_x509 *trust, X509 *certificate, unsigned int *anchors)
{
	if (!signed_itself(certificate))
		return sk_X509_push(trust->between, certificate) > 0;
	if (!X509_STORE_add_cert(trust->store, certificate))
		return false;
	X509_free(certificate);
	++*anchors;
	return true;
}

/* Without one that signed itself, the chain may end with any of them. */
static bool trust_all(struct cred_x509 *trust)
{
	int i;

	for (i = 0; i < sk_X509_num(trust->between); i++) {
		if (!X509_STORE_add_cert(trust->store, sk_X509_value(trust->between, i)))
			return false;
	}
	return X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN);
}

static int read_certificates(struct cred_x509 *trust, BIO *bio, struct vpn_error *err)
{
	unsigned int count = 0, anchors = 0;
	X509 *certificate;

	while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		count++;
		if (!X509_check_ca(certificate)) {
			X509_free(certificate);
			return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
					     "has a certificate that may not sign others; the certificate of a CA is needed");
		}
		if (!sort_in(trust, certificate, &anchors)) {
			X509_free(certificate);
			return no_memory(err);
		}
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		count = 0;
	ERR_clear_error();
	if (!count)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
				     "has no certificate that can be read; it is the certificate of a CA, as PEM");
	return anchors || trust_all(trust) ? 0 : no_memory(err);
}

/* The certificate of who has signed the list. */
static bool is_signed_by(X509_CRL *list, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	return key && !X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(issuer)) &&
	       X509_CRL_verify(list, key) == 1;
}

static bool is_of_trusted(const struct cred_x509 *trust, X509_CRL *list)
{
	struct stack_st_X509_OBJECT *objects = X509_STORE_get0_objects(trust->store);
	X509 *certificate;
	bool found = false;
	int i;

	for (i = 0; i < sk_X509_OBJECT_num(objects) && !found; i++) {
		certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		found = certificate && is_signed_by(list, certificate);
	}
	for (i = 0; i < sk_X509_num(trust->between) && !found; i++)
		found = is_signed_by(list, sk_X509_value(trust->between, i));
	ERR_clear_error();
	return found;
}

static int take_list(struct cred_x509 *trust, X509_CRL *list, struct vpn_error *err)
{
	int64_t next = seconds_of(X509_CRL_get0_nextUpdate(list));

	if (!is_of_trusted(trust, list))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
				     "has a revocation list that none of the CAs has signed");
	if (!X509_STORE_add_crl(trust->store, list))
		return no_memory(err);
	if (next && (!trust->next_update || next < trust->next_update))
		trust->next_update = next;
	trust->has_crl = true;
	return 0;
}

static int read_lists(struct cred_x509 *trust, BIO *bio, struct vpn_error *err)
{
	X509_CRL *list;
	int ret = 0;

	while (!ret && (list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL))) {
		ret = take_list(trust, list, err);
		X509_CRL_free(list);
	}
	if (!ret && (!trust->has_crl ||
		     ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE))
		ret = vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
				    "has no revocation list that can be read; it is PEM");
	ERR_clear_error();
	return ret;
}

/*
 * A list that is out of date still says who was revoked until then, and a CA of
 * which there is none has revoked nobody.
 */
static int on_fault(int good, X509_STORE_CTX *ctx)
{
	int fault = X509_STORE_CTX_get_error(ctx);

	if (good || (fault != X509_V_ERR_UNABLE_TO_GET_CRL &&
		     fault != X509_V_ERR_CRL_HAS_EXPIRED && fault != X509_V_ERR_CRL_NOT_YET_VALID))
		return good;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static int fill(struct cred_x509 *trust, const char *ca, size_t ca_len, const char *crl,
		size_t crl_len, struct vpn_error *err)
{
	BIO *bio = BIO_new_mem_buf(ca, ca_len);
	int ret;

	ret = bio ? read_certificates(trust, bio, err) : no_memory(err);
	BIO_free(bio);
	if (ret || !crl)
		return ret;
	bio = BIO_new_mem_buf(crl, crl_len);
	ret = bio ? read_lists(trust, bio, err) : no_memory(err);
	BIO_free(bio);
	return ret;
}

struct cred_x509 *cred_x509_open(const char *ca, size_t ca_len, const char *crl, size_t crl_len,
				 const char *role_oid, struct vpn_error *err)
{
	struct cred_x509 *trust = calloc(1, sizeof(*trust));
	int ret;

	if (!trust) {
		no_memory(err);
		return NULL;
	}
	ERR_clear_error();
	trust->store = X509_STORE_new();
	trust->between = sk_X509_new_null();
	ret = trust->store && trust->between ? fill(trust, ca, ca_len, crl, crl_len, err) :
	      no_memory(err);
	if (!ret && role_oid) {
		trust->role = OBJ_txt2obj(role_oid, 1);
		if (!trust->role)
			ret = vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
					    "'%s' is no object identifier; it is numbers with dots between, as in 1.3.6.1.4.1.99999.1",
					    role_oid);
	}
	if (!ret) {
		X509_STORE_set_verify_cb(trust->store, on_fault);
		return trust;
	}
	cred_x509_free(trust);
	return NULL;
}

void cred_x509_free(struct cred_x509 *trust)
{
	if (!trust)
		return;
	X509_STORE_free(trust->store);
	sk_X509_pop_free(trust->between, X509_free);
	ASN1_OBJECT_free(trust->role);
	free(trust);
}

int64_t cred_x509_next_update(const struct cred_x509 *trust)
{
	return trust->next_update;
}

/*
 * One certificate
 */

static bool unauthorised(const struct judging *j, const char *sentence)
{
	return cred_refuse(j->verdict, VPN_REJECT_REASON_UNAUTHORISED, "%s", sentence);
}

/* The first, and those behind it; all octets belong to one of them. */
static bool read_chain(struct judging *j, const uint8_t *der, size_t len)
{
	const unsigned char *at = der, *end = der + len;
	X509 *certificate;

	j->leaf = len <= VPN_CREDENTIAL_MAX ? d2i_X509(NULL, &at, len) : NULL;
	if (!j->leaf)
		return unauthorised(j, "certificate cannot be read");
	while (at < end) {
		certificate = sk_X509_num(j->between) < BETWEEN_MAX ?
			      d2i_X509(NULL, &at, end - at) : NULL;
		if (!certificate)
			return unauthorised(j,
					    "certificate has something behind it that does not belong there");
		if (!sk_X509_push(j->between, certificate)) {
			X509_free(certificate);
			return unauthorised(j, strerror(ENOMEM));
		}
	}
	return true;
}

static bool key_of(X509 *certificate, uint8_t key[VPN_KEY_LEN])
{
	EVP_PKEY *pkey = X509_get0_pubkey(certificate);
	size_t len = VPN_KEY_LEN;

	return pkey && EVP_PKEY_get_id(pkey) == EVP_PKEY_X25519 &&
	       EVP_PKEY_get_raw_public_key(pkey, key, &len) == 1 && len == VPN_KEY_LEN;
}

static bool check_key(const struct judging *j, const uint8_t *key)
{
	uint8_t own[VPN_KEY_LEN];
	EVP_PKEY *pkey = X509_get0_pubkey(j->leaf);
	const char *kind = pkey ? EVP_PKEY_get0_type_name(pkey) : NULL;

	if (!key_of(j->leaf, own))
		return cred_refuse(j->verdict, VPN_REJECT_REASON_UNAUTHORISED,
				   "certificate has a key of %s; the key of X25519 is needed",
				   kind ? kind : "an unknown kind");
	return !key || !CRYPTO_memcmp(own, key, VPN_KEY_LEN) ||
	       unauthorised(j, "certificate is of another key than the one that shows it");
}

/* The one common name; false: there is none, or more. */
static bool name_from_subject(const struct judging *j)
{
	const X509_NAME *subject = X509_get_subject_name(j->leaf);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1), len;
	unsigned char *text = NULL;
	bool good;

	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return false;
	len = ASN1_STRING_to_UTF8(&text,
				  X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	good = len > 0 && cred_take_text(j->verdict->name, sizeof(j->verdict->name), text, len);
	OPENSSL_free(text);
	return good;
}

/* The first host name or address of mail. */
static bool name_from_san(const struct judging *j)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(j->leaf, NID_subject_alt_name, NULL, NULL);
	const ASN1_IA5STRING *text;
	const GENERAL_NAME *name;
	bool found = false;
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS && name->type != GEN_EMAIL)
			continue;
		text = name->d.ia5;
		found = cred_take_text(j->verdict->name, sizeof(j->verdict->name),
				       ASN1_STRING_get0_data(text), ASN1_STRING_length(text));
	}
	GENERAL_NAMES_free(names);
	return found;
}

static bool bad_role(const struct judging *j)
{
	return unauthorised(j,
			    "certificate has a role that is not one text without control characters");
}

/* Without an OU there is no role; with two it is not clear which. */
static bool role_from_subject(const struct judging *j)
{
	const X509_NAME *subject = X509_get_subject_name(j->leaf);
	int at = X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, -1), len;
	unsigned char *text = NULL;
	bool good;

	if (at < 0)
		return true;
	if (X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, at) >= 0)
		return bad_role(j);
	len = ASN1_STRING_to_UTF8(&text,
				  X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	good = len > 0 && cred_take_text(j->verdict->role, sizeof(j->verdict->role), text, len);
	OPENSSL_free(text);
	return good || bad_role(j);
}

/* The extension's value is a text of ASN.1. */
static bool role_from_extension(const struct judging *j)
{
	int at = X509_get_ext_by_OBJ(j->leaf, j->trust->role, -1), len = 0;
	const ASN1_OCTET_STRING *value;
	unsigned char *text = NULL;
	const unsigned char *octets;
	ASN1_TYPE *type;
	bool good;

	if (at < 0)
		return true;
	value = X509_EXTENSION_get_data(X509_get_ext(j->leaf, at));
	octets = ASN1_STRING_get0_data(value);
	type = d2i_ASN1_TYPE(NULL, &octets, ASN1_STRING_length(value));
	if (type && (type->type == V_ASN1_UTF8STRING || type->type == V_ASN1_PRINTABLESTRING ||
		     type->type == V_ASN1_IA5STRING))
		len = ASN1_STRING_to_UTF8(&text, type->value.asn1_string);
	good = len > 0 && cred_take_text(j->verdict->role, sizeof(j->verdict->role), text, len);
	OPENSSL_free(text);
	ASN1_TYPE_free(type);
	return good || bad_role(j);
}

static void take_serial(const struct judging *j)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(j->leaf), NULL);
	char *text = number ? BN_bn2hex(number) : NULL;

	if (text && strlen(text) <= CRED_ID_MAX)
		strcpy(j->verdict->id, text);
	OPENSSL_free(text);
	BN_free(number);
}

/* What a certificate of that usage says if it says anything of it. */
static bool check_usage(const struct judging *j, enum cred_usage usage)
{
	uint32_t use = X509_get_key_usage(j->leaf), more = X509_get_extended_key_usage(j->leaf);

	if (!(use & KU_KEY_AGREEMENT))
		return unauthorised(j,
				    "certificate is not for agreeing on keys: its key usage says otherwise");
	if (X509_check_ca(j->leaf))
		return unauthorised(j, "certificate is that of a CA");
	if (usage == CRED_CLIENT)
		return more & XKU_SSL_CLIENT ||
		       unauthorised(j,
				    "certificate is not for clients: its extended key usage says otherwise");
	/* Any client could be the server, if it need not be said. */
	return (more != UINT32_MAX && more & XKU_SSL_SERVER) ||
	       unauthorised(j,
			    "certificate is not for servers: its extended key usage does not say so");
}

static void subject_of(X509 *certificate, char *text, size_t size)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);

	if (X509_NAME_get_text_by_NID(subject, NID_commonName, text, size) <= 0)
		snprintf(text, size, "the CA");
}

/* Which certificate the words are about: the client's own, or one above it. */
static void begin_sentence(X509 *certificate, int depth, char *text, size_t size)
{
	char name[64];

	if (!depth) {
		snprintf(text, size, "certificate");
		return;
	}
	subject_of(certificate, name, sizeof(name));
	snprintf(text, size, "certificate of '%s', which signed it,", name);
}

/* The entry in one of the lists; NULL: it is in none. */
static X509_REVOKED *find_entry(const struct cred_x509 *trust, X509 *certificate)
{
	struct stack_st_X509_OBJECT *objects = X509_STORE_get0_objects(trust->store);
	X509_REVOKED *entry = NULL;
	X509_CRL *list;
	int i;

	for (i = 0; i < sk_X509_OBJECT_num(objects) && !entry; i++) {
		list = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));
		if (list && !X509_NAME_cmp(X509_CRL_get_issuer(list),
					   X509_get_issuer_name(certificate)))
			X509_CRL_get0_by_cert(list, &entry, certificate);
	}
	return entry;
}

static bool revoked(const struct judging *j, X509 *certificate, const char *what)
{
	const X509_REVOKED *entry = find_entry(j->trust, certificate);
	char date[CRED_DATE_TEXT];

	if (!entry)
		return cred_refuse(j->verdict, VPN_REJECT_REASON_REVOKED,
				   "%s was put on the revocation list", what);
	return cred_refuse(j->verdict, VPN_REJECT_REASON_REVOKED, REVOKED_ON, what,
			   date_of(X509_REVOKED_get0_revocationDate(entry), date));
}

static bool explain(const struct judging *j, X509_STORE_CTX *ctx)
{
	int fault = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);
	X509 *certificate = X509_STORE_CTX_get_current_cert(ctx);
	char what[128], date[CRED_DATE_TEXT];

	certificate = certificate ? certificate : j->leaf;
	begin_sentence(certificate, depth, what, sizeof(what));
	switch (fault) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return cred_refuse(j->verdict, VPN_REJECT_REASON_EXPIRED, "%s expired on %s", what,
				   date_of(X509_get0_notAfter(certificate), date));
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return cred_refuse(j->verdict, VPN_REJECT_REASON_NOT_YET_VALID,
				   "%s is not valid before %s", what,
				   date_of(X509_get0_notBefore(certificate), date));
	case X509_V_ERR_CERT_REVOKED:
		return revoked(j, certificate, what);
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return unauthorised(j, "certificate is not signed by a CA that is trusted here");
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return cred_refuse(j->verdict, VPN_REJECT_REASON_UNAUTHORISED,
				   "%s has a signature that is not right", what);
	default:
		return cred_refuse(j->verdict, VPN_REJECT_REASON_UNAUTHORISED,
				   "%s is not right: %s", what,
				   X509_verify_cert_error_string(fault));
	}
}

/* It is good as long as all of its chain is. */
static void take_expiry(const struct judging *j, X509_STORE_CTX *ctx)
{
	struct stack_st_X509 *chain = X509_STORE_CTX_get0_chain(ctx);
	int64_t first = FOREVER, end;
	int i;

	for (i = 0; i < sk_X509_num(chain); i++) {
		end = seconds_of(X509_get0_notAfter(sk_X509_value(chain, i)));
		first = end < first ? end : first;
	}
	/* Till the end of the day before year 2500, which the kernel can count to. */
	j->verdict->expires = first > 16725225600LL ? 0 : first > 0 ? first : 1;
}

static void set_rules(const struct judging *j, X509_STORE_CTX *ctx, enum cred_usage usage,
		      time_t now)
{
	X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_time(rules, now);
	X509_VERIFY_PARAM_set_depth(rules, BETWEEN_MAX);
	X509_VERIFY_PARAM_set_auth_level(rules, STRENGTH);
	X509_VERIFY_PARAM_set_purpose(rules, usage == CRED_SERVER ? X509_PURPOSE_SSL_SERVER :
				      X509_PURPOSE_SSL_CLIENT);
	if (j->trust->has_crl)
		X509_VERIFY_PARAM_set_flags(rules,
					    X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

static bool verify(const struct judging *j, enum cred_usage usage, time_t now)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool good = false;

	if (ctx && X509_STORE_CTX_init(ctx, j->trust->store, j->leaf, j->between)) {
		set_rules(j, ctx, usage, now);
		good = X509_verify_cert(ctx) == 1 || explain(j, ctx);
		if (good)
			take_expiry(j, ctx);
	} else {
		unauthorised(j, strerror(ENOMEM));
	}
	X509_STORE_CTX_free(ctx);
	return good;
}

/* Those that come with it, and those that are known. */
static bool gather(struct judging *j)
{
	X509 *certificate;
	int i;

	for (i = 0; i < sk_X509_num(j->trust->between); i++) {
		certificate = sk_X509_value(j->trust->between, i);
		if (!X509_up_ref(certificate))
			return false;
		if (!sk_X509_push(j->between, certificate)) {
			X509_free(certificate);
			return false;
		}
	}
	return true;
}

static bool judge(struct judging *j, const uint8_t *der, size_t len, const uint8_t *key,
		  enum cred_usage usage, time_t now)
{
	if (!read_chain(j, der, len))
		return false;
	if (!name_from_subject(j) && !name_from_san(j))
		return unauthorised(j,
				    "certificate names nobody: it has neither one common name nor a host name");
	take_serial(j);
	if (!check_key(j, key) || !check_usage(j, usage))
		return false;
	if (!gather(j))
		return unauthorised(j, strerror(ENOMEM));
	return verify(j, usage, now) &&
	       (j->trust->role ? role_from_extension(j) : role_from_subject(j));
}

bool cred_x509_check(const struct cred_x509 *trust, const uint8_t *der, size_t len,
		     const uint8_t *key, enum cred_usage usage, time_t now,
		     struct cred_verdict *verdict)
{
	struct judging j = { trust, NULL, sk_X509_new_null(), verdict };
	bool good;

	memset(verdict, 0, sizeof(*verdict));
	good = j.between ? judge(&j, der, len, key, usage, now) :
	       unauthorised(&j, strerror(ENOMEM));
	X509_free(j.leaf);
	sk_X509_pop_free(j.between, X509_free);
	ERR_clear_error();
	return good;
}

static const char *usage_of(X509 *certificate)
{
	uint32_t more = X509_get_extended_key_usage(certificate);

	if (X509_check_ca(certificate))
		return "signing certificates";
	if (more == UINT32_MAX)
		return "anything";
	if ((more & (XKU_SSL_CLIENT | XKU_SSL_SERVER)) == (XKU_SSL_CLIENT | XKU_SSL_SERVER))
		return "clients and servers";
	return more & XKU_SSL_SERVER ? "servers" : more & XKU_SSL_CLIENT ? "clients" : "other uses";
}

bool cred_x509_describe(const uint8_t *der, size_t len, struct cred_certificate *what)
{
	static const struct cred_x509 nothing;
	const struct judging j = {
		.trust = &nothing, .leaf = d2i_X509(NULL, &der, len), .verdict = &what->verdict,
	};

	memset(what, 0, sizeof(*what));
	if (!j.leaf)
		return unauthorised(&j, "certificate cannot be read");
	if (!name_from_subject(&j))
		name_from_san(&j);
	role_from_subject(&j);
	take_serial(&j);
	what->verdict.expires = seconds_of(X509_get0_notAfter(j.leaf));
	what->not_before = seconds_of(X509_get0_notBefore(j.leaf));
	X509_NAME_get_text_by_NID(X509_get_issuer_name(j.leaf), NID_commonName, what->issuer,
				  sizeof(what->issuer));
	what->usage = usage_of(j.leaf);
	what->has_key = key_of(j.leaf, what->key);
	X509_free(j.leaf);
	ERR_clear_error();
	return true;
}

bool cred_x509_is_for(const uint8_t *der, size_t len, const char *host)
{
	X509 *certificate = d2i_X509(NULL, &der, len);
	bool good;

	good = certificate && (X509_check_ip_asc(certificate, host, 0) == 1 ||
			       X509_check_host(certificate, host, strlen(host), 0, NULL) == 1);
	X509_free(certificate);
	ERR_clear_error();
	return good;
}

bool cred_x509_key(const uint8_t *der, size_t len, uint8_t key[VPN_KEY_LEN])
{
	X509 *certificate = d2i_X509(NULL, &der, len);
	bool good = certificate && key_of(certificate, key);

	X509_free(certificate);
	ERR_clear_error();
	return good;
}
