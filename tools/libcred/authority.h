/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A certificate authority in a folder of plain files:
 *
 *	ca.key, ca.crt	its private key and its certificate, PEM
 *	crl.pem		whom it has revoked
 *	index.txt	what it has issued, a line each, as 'openssl ca' writes it
 *	certs/NAME.crt	the last certificate of that name
 *	keys/NAME.key	the private key, if it was made here
 */
#ifndef LIBCRED_AUTHORITY_H
#define LIBCRED_AUTHORITY_H

#include "../libvpn/error.h"
#include "verdict.h"

#define CRED_SERIAL_TEXT	48

struct cred_authority;

/* A line of the index. */
struct cred_issued {
	bool revoked;
	int64_t expires, revoked_at;		/* seconds since the epoch */
	char serial[CRED_SERIAL_TEXT];		/* hexadecimal */
	char name[VPN_NAME_MAX + 1], role[CRED_ROLE_MAX + 1];
};

struct cred_request {
	const char *name;
	const char *role;		/* NULL: none */
	uint8_t key[VPN_KEY_LEN];	/* public */
	bool server;			/* or a client */
	const char *const *hosts;	/* names and addresses of a server, NULL at the end */
	int64_t seconds;		/* from now on; never past the CA's own end */
};

/* "ed25519", "ecdsa", "rsa"; each zero, or a negative errno with a sentence in err. */
int cred_authority_make(const char *folder, const char *name, const char *kind, int64_t seconds,
			struct vpn_error *err);
/* Nobody else changes it until it is closed. */
int cred_authority_open(const char *folder, struct cred_authority **ca, struct vpn_error *err);
void cred_authority_close(struct cred_authority *ca);

/* Sign, note, and write certs/NAME.crt. Text is that file, PEM, to free. */
int cred_authority_issue(struct cred_authority *ca, const struct cred_request *request,
			 char **text, struct vpn_error *err);
/* All of that name, or the one with that serial number; and a new list. *count: how many. */
int cred_authority_revoke(struct cred_authority *ca, const char *which, unsigned int *count,
			  struct vpn_error *err);
/* Sign the list anew; it is to be looked for again after that time. */
int cred_authority_list(const struct cred_authority *ca, int64_t seconds, struct vpn_error *err);

/* What was issued, in that order. */
const struct cred_issued *cred_authority_issued(const struct cred_authority *ca,
						unsigned int *count);
/* "FOLDER/PART/NAME.ENDING", to free; part and ending may be NULL. */
char *cred_authority_path(const char *folder, const char *part, const char *name,
			  const char *ending);

#endif
