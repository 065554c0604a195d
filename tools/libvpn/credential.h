/* SPDX-License-Identifier: GPL-2.0 */
/* What a peer is shown to be let in: a certificate or a token. */
#ifndef LIBVPN_CREDENTIAL_H
#define LIBVPN_CREDENTIAL_H

#include <linux/vpn.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct vpn_credential {
	uint32_t kind;		/* VPN_CREDENTIAL_KIND_* */
	uint8_t *octets;	/* to free */
	size_t len;		/* at most VPN_CREDENTIAL_MAX */
	unsigned int more;	/* certificates behind the one that was taken */
};

/*
 * Recognise the text or octets of a file: a certificate as PEM or DER, or a JSON
 * web token. Zero, or -EINVAL with what is wrong with the file, and what would be
 * right, in err; the sentence goes on behind the file's name.
 */
int vpn_credential_recognise(const void *data, size_t len, struct vpn_credential *credential,
			     struct vpn_error *err);

#endif
