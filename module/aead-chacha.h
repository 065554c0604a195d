/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ChaCha20-Poly1305 as a backend of aead.c, and nothing for others to call.
 */
#ifndef VPN_AEAD_CHACHA_H
#define VPN_AEAD_CHACHA_H

#include <linux/types.h>

#include "aead.h"

/* Prepare a key; nothing to free. */
void vpn_aead_chacha_key_init(struct vpn_aead_key *key,
			      const u8 bytes[VPN_KEY_LEN]);

/* As vpn_aead_seal() and vpn_aead_open(), always done at once. */
void vpn_aead_chacha_seal(const struct vpn_aead_key *key,
			  struct vpn_segment *segments, unsigned int count);
void vpn_aead_chacha_open(const struct vpn_aead_key *key,
			  struct vpn_segment *segments, unsigned int count);

#endif
