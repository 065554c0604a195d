/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sealing and opening of data messages, a batch at a time: the kernel crypto
 * API and the crypto library behind one small interface.
 */
#ifndef VPN_AEAD_H
#define VPN_AEAD_H

#include <linux/types.h>

#include "messages.h"

struct crypto_aead;

/**
 * struct vpn_aead_key - the key of one direction of a session
 * @bytes: for the crypto library
 * @tfm: for the crypto API; NULL when the library is in use
 */
struct vpn_aead_key {
	u8 bytes[VPN_KEY_LEN];
	struct crypto_aead *tfm;
};

/**
 * struct vpn_segment - one message of a batch
 * @data: contiguous memory of the linear mapping: plaintext with VPN_TAG_LEN
 *	octets of room behind it when sealing, ciphertext followed by the tag
 *	when opening; changed in place
 * @len: octets of plaintext
 * @ok: set by vpn_aead_open(): the tag was right
 * @counter: makes the nonce
 */
struct vpn_segment {
	u8 *data;
	u32 len;
	bool ok;
	u64 counter;
};

/**
 * enum vpn_aead_backend - implementations of the AEAD
 * @VPN_AEAD_LIBRARY: the crypto library, called directly
 * @VPN_AEAD_API: the crypto API, which may know a faster way
 * @VPN_AEAD_BACKENDS: how many there are
 */
enum vpn_aead_backend {
	VPN_AEAD_LIBRARY,
	VPN_AEAD_API,
	VPN_AEAD_BACKENDS
};

/**
 * vpn_aead_init() - time what this kernel offers and choose the fastest
 *
 * Module parameter "aead" overrides the choice: auto, api or library.
 *
 * Context: process, module load.
 * Return: 0 or a negative error.
 */
int vpn_aead_init(void);
void vpn_aead_uninit(void);

/**
 * vpn_aead_has() - tell whether a backend can be used, chosen or not
 * @backend: which
 *
 * Return: whether it can.
 */
bool vpn_aead_has(enum vpn_aead_backend backend);

/**
 * vpn_aead_key_init() - prepare a key for the backend of choice
 * @key: zeroed or erased before
 * @bytes: the 32 octets
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int vpn_aead_key_init(struct vpn_aead_key *key, const u8 bytes[VPN_KEY_LEN]);

/**
 * vpn_aead_key_init_for() - prepare a key for a certain backend
 * @key: zeroed or erased before
 * @bytes: the 32 octets
 * @backend: one that vpn_aead_has()
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int vpn_aead_key_init_for(struct vpn_aead_key *key,
			  const u8 bytes[VPN_KEY_LEN],
			  enum vpn_aead_backend backend);

/**
 * vpn_aead_key_erase() - zero a key and free what belongs to it
 * @key: no longer in use by anybody
 *
 * Context: process, may sleep.
 */
void vpn_aead_key_erase(struct vpn_aead_key *key);

/**
 * vpn_aead_seal() - encrypt a batch in place and append the tags
 * @key: the key
 * @segments: the messages
 * @count: how many
 *
 * Context: softirq, or process with bottom halves disabled.
 * Return: 0 or a negative error, after which no segment may leave.
 */
int vpn_aead_seal(const struct vpn_aead_key *key, struct vpn_segment *segments,
		  unsigned int count);

/**
 * vpn_aead_open() - decrypt a batch in place
 * @key: the key
 * @segments: the messages; each tells in @ok whether its tag was right, and
 *	the data of one that was not must not be used
 * @count: how many
 *
 * Context: softirq, or process with bottom halves disabled.
 */
void vpn_aead_open(const struct vpn_aead_key *key,
		   struct vpn_segment *segments, unsigned int count);

#endif
