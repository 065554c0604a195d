/* SPDX-License-Identifier: GPL-2.0 */
/* Certificates: whom a CA vouches for, and who a certificate says that it is. */
#ifndef LIBCRED_X509_H
#define LIBCRED_X509_H

#include "../libvpn/error.h"
#include "verdict.h"

struct cred_x509;

enum cred_usage { CRED_CLIENT, CRED_SERVER };

/*
 * What is trusted: certificates of CAs as PEM, and their revocation lists as PEM,
 * which may be NULL. Those that signed themselves are trusted; the others lead from
 * them to what they signed. If there is none of the former, all are trusted.
 * role_oid is the extension that has the role, or NULL: it is the OU then.
 * NULL with a sentence in err; it goes on behind a file's name.
 */
struct cred_x509 *cred_x509_open(const char *ca, size_t ca_len, const char *crl, size_t crl_len,
				 const char *role_oid, struct vpn_error *err);
void cred_x509_free(struct cred_x509 *trust);

/* When the first of the revocation lists is out of date; zero: never, or there is none. */
int64_t cred_x509_next_update(const struct cred_x509 *trust);

/*
 * Judge a certificate, DER, behind which those between it and the CA may follow:
 * whether it is good at that time, and whether its key is that one (NULL: any).
 */
bool cred_x509_check(const struct cred_x509 *trust, const uint8_t *der, size_t len,
		     const uint8_t *key, enum cred_usage usage, time_t now,
		     struct cred_verdict *verdict);

/* What a certificate says of itself, whether or not it is good. */
struct cred_certificate {
	struct cred_verdict verdict;	/* its name, role, serial number and end */
	int64_t not_before;
	char issuer[64];
	const char *usage;		/* "clients", for instance */
	bool has_key;
	uint8_t key[VPN_KEY_LEN];	/* of X25519 */
};

bool cred_x509_describe(const uint8_t *der, size_t len, struct cred_certificate *what);

/* Is a certificate for that host name or address? */
bool cred_x509_is_for(const uint8_t *der, size_t len, const char *host);

/* The key that the certificate is of, if that is one of X25519. */
bool cred_x509_key(const uint8_t *der, size_t len, uint8_t key[VPN_KEY_LEN]);

#endif
