/* SPDX-License-Identifier: GPL-2.0 */
/* What the two processes say to each other. */
#ifndef VPND_VERIFYING_H
#define VPND_VERIFYING_H

#include "../libcred/verdict.h"

/* Where the other process finds its socket, and what is to be trusted. */
enum { VERIFYING_SOCKET = 3, VERIFYING_TRUST = 4 };

/* What is trusted is a row of these, each with its name and its data behind it. */
enum verifying_part {
	PART_CA = 1, PART_CRL, PART_OID, PART_KEY, PART_ISSUER, PART_AUDIENCE, PART_ALGORITHMS,
	PART_BOUND
};

struct verifying_record {
	uint32_t part, name_len, data_len;
};

struct verifying_question {
	uint64_t id;			/* zero: none */
	int64_t now;			/* seconds since the epoch */
	uint32_t kind;			/* VPN_CREDENTIAL_KIND_* */
	uint32_t len;
	uint8_t key[VPN_KEY_LEN];
	uint8_t octets[VPN_CREDENTIAL_MAX];
};

/* The first one is about what is trusted, and has the number zero. */
struct verifying_answer {
	uint64_t id;
	struct cred_verdict verdict;
	char text[512];			/* why that cannot be trusted; empty: it can */
	int64_t next_update;		/* of the revocation lists, seconds since the epoch */
};

#endif
