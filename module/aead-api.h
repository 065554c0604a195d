/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The crypto API as a backend of aead.c, and nothing for others to call.
 */
#ifndef VPN_AEAD_API_H
#define VPN_AEAD_API_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "aead.h"

struct vpn_aead_cpu;
struct vpn_aead_room;

/**
 * struct vpn_aead_api - an algorithm of the crypto API
 * @tfm: a handle that lives as long as the module: it keeps the implementation
 *	that the requests were sized for. NULL when there is none
 * @cpus: what one CPU works with
 * @async: the implementation may complete a request later
 */
struct vpn_aead_api {
	struct crypto_aead *tfm;
	struct vpn_aead_cpu __percpu *cpus;
	bool async;
};

/**
 * vpn_aead_api_start() - look for an implementation and make it usable
 * @api: zeroed
 * @algorithm: name of an algorithm or of a driver
 * @mask: flags that the implementation must not have
 *
 * Context: process.
 * Return: 0 or a negative error.
 */
int vpn_aead_api_start(struct vpn_aead_api *api, const char *algorithm,
		       u32 mask);
void vpn_aead_api_stop(struct vpn_aead_api *api);

/* Name of the driver. */
const char *vpn_aead_api_name(const struct vpn_aead_api *api);

/* As vpn_aead_key_init(). */
int vpn_aead_api_key_init(struct vpn_aead_key *key,
			  const struct vpn_aead_api *api,
			  const u8 bytes[VPN_KEY_LEN]);

/* As vpn_aead_seal() and vpn_aead_open(), for a key with a handle. */
int vpn_aead_api_seal(const struct vpn_aead_key *key,
		      struct vpn_segment *segments, unsigned int count,
		      struct vpn_aead_job *job);
int vpn_aead_api_open(const struct vpn_aead_key *key,
		      struct vpn_segment *segments, unsigned int count,
		      struct vpn_aead_job *job);

/**
 * struct vpn_aead_desk - where whole messages are sealed and opened one by one
 * @lock: protects the rest
 * @tfm: handle of an algorithm; NULL when there is none
 * @request: for @tfm
 * @room: what the message and its like take
 */
struct vpn_aead_desk {
	struct mutex lock;
	struct crypto_aead *tfm;
	struct aead_request *request;
	struct vpn_aead_room *room;
};

int vpn_aead_desk_setup(struct vpn_aead_desk *desk,
			const struct vpn_aead_api *api);
void vpn_aead_desk_clear(struct vpn_aead_desk *desk);

/**
 * vpn_aead_desk_crypt() - seal or open a message with nonce zero
 * @desk: set up
 * @seal: otherwise open
 * @out: room for the message, with its tag when sealing
 * @in: the message, with its tag when opening
 * @len: octets without the tag, at most VPN_AEAD_MESSAGE_MAX
 * @ad: associated data
 * @key: the key
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int vpn_aead_desk_crypt(struct vpn_aead_desk *desk, bool seal, u8 *out,
			const u8 *in, size_t len, const u8 ad[VPN_HASH_LEN],
			const u8 key[VPN_KEY_LEN]);

#endif
