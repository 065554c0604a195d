/* SPDX-License-Identifier: GPL-2.0 */
/* What is thought of a credential, in words for whoever shows it. */
#ifndef LIBCRED_VERDICT_H
#define LIBCRED_VERDICT_H

#include <linux/vpn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CRED_ROLE_MAX	63
#define CRED_ID_MAX	63

/* It is sent from one process to another as it is. */
struct cred_verdict {
	uint32_t reason;			/* VPN_REJECT_REASON_*; zero: good */
	char text[VPN_REASON_TEXT_MAX + 1];	/* why, if it is not good */
	char name[VPN_NAME_MAX + 1];		/* whose it is, as far as it could be read */
	char role[CRED_ROLE_MAX + 1];		/* empty: none */
	char id[CRED_ID_MAX + 1];		/* serial number or jti; may be empty */
	uint64_t expires;			/* seconds since the epoch, zero: never */
};

/* "2026-11-01", in UTC */
#define CRED_DATE_TEXT	32

/* Note a reason and a sentence, which is cut to what a refusal carries; always false. */
bool cred_refuse(struct cred_verdict *verdict, uint32_t reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Take a text of that many octets, which somebody else has made, as a name or role
 * of at most room - 1 octets: UTF-8, no control character, no '#', no space at
 * either end, not empty. False, and nothing is changed: it is not such a text.
 */
bool cred_take_text(char *to, size_t room, const void *text, size_t len);

void cred_date(int64_t seconds, char text[CRED_DATE_TEXT]);

#endif
