/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sealing and opening of data messages, a batch at a time: the kernel crypto
 * API and the crypto library behind one small interface, for both cipher
 * suites (enum vpn_cipher).
 */
#ifndef VPN_AEAD_H
#define VPN_AEAD_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <uapi/linux/vpn.h>

#include "messages.h"

struct aes_gcm_key;
struct crypto_aead;
struct vpn_aead_api;
struct vpn_aead_slot;

#define VPN_AEAD_SUITES		(VPN_CIPHER_AES_256_GCM + 1)

/* Octets in front of a plaintext, its header with them: see vpn_segment.front */
#define VPN_SEAL_FRONT		64U

/* Octets of a message that the functions for handshakes take. */
#define VPN_AEAD_MESSAGE_MAX	4096

/**
 * struct vpn_aead_key - the key of one direction of a session
 * @api: for the crypto API: what the algorithm's handles share
 * @tfm: for the crypto API; NULL when the library is in use
 * @gcm: for AES-256-GCM of the library; NULL when that is not in use
 * @words: for ChaCha20-Poly1305 of the library
 * @ad_len: octets in front of a message that are authenticated with it
 * @big_endian: how the counter is written into the nonce
 * @async: the crypto API may complete a message later
 */
struct vpn_aead_key {
	const struct vpn_aead_api *api;
	struct crypto_aead *tfm;
	struct aes_gcm_key *gcm;
	u32 words[VPN_KEY_LEN / sizeof(u32)];
	u8 ad_len;
	bool big_endian;
	bool async;
};

/**
 * struct vpn_segment - one message of a batch
 * @data: contiguous memory of the linear mapping: plaintext with VPN_TAG_LEN
 *	octets of room behind it when sealing, ciphertext followed by the tag
 *	when opening; changed in place. With associated data, those are right
 *	in front of it. Where the header of the next message of the batch is
 *	right behind the tag, octets of one message change, and change back,
 *	while the other is sealed or opened
 * @len: octets of plaintext
 * @front: sealing is cheaper, as the VPN_SEAL_FRONT octets in front of @data are
 *	nobody else's; they change, and change back
 * @ok: set by vpn_aead_open(): the tag was right
 * @counter: makes the nonce
 */
struct vpn_segment {
	u8 *data;
	u32 len;
	bool front;
	bool ok;
	u64 counter;
};

/**
 * struct vpn_aead_job - a batch that the crypto API may complete later
 * @pending: messages in progress, and one more until vpn_aead_job_defer()
 * @slots: those messages
 * @done: what to do when all of them are complete
 * @err: of a message that failed at once; only when sealing
 * @lost: messages that could not be opened for want of memory, or of room in a
 *	queue; their tag may be right
 *
 * Embedded in what its owner needs to go on. vpn_aead_seal() and
 * vpn_aead_open() fill it.
 */
struct vpn_aead_job {
	atomic_t pending;
	struct vpn_aead_slot *slots;
	void (*done)(struct vpn_aead_job *job);
	int err;
	unsigned int lost;
};

/**
 * enum vpn_aead_backend - implementations of an AEAD
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
 * Module parameters "aead" (ChaCha20-Poly1305) and "aead_gcm" (AES-256-GCM)
 * override the choice: auto, api or library.
 *
 * Context: process, module load.
 * Return: 0 or a negative error.
 */
int vpn_aead_init(void);
void vpn_aead_uninit(void);

/**
 * vpn_aead_suite_available() - tell whether this kernel knows a cipher suite
 * @suite: any number
 *
 * Return: whether it does.
 */
bool vpn_aead_suite_available(u8 suite);

/**
 * vpn_aead_fastest_suite() - the suite that this machine seals fastest with
 *
 * Return: a suite that is available.
 */
u8 vpn_aead_fastest_suite(void);

/**
 * vpn_aead_has() - tell whether a backend can be used, chosen or not
 * @suite: of which suite
 * @backend: which
 *
 * Return: whether it can.
 */
bool vpn_aead_has(u8 suite, enum vpn_aead_backend backend);

/**
 * vpn_aead_key_init() - prepare a key for the backend of choice
 * @key: zeroed or erased before
 * @suite: cipher suite that the key is for
 * @with_ad: whether the header in front of a message is authenticated
 * @bytes: the 32 octets
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error; -EOPNOTSUPP when the suite isn't available.
 */
int vpn_aead_key_init(struct vpn_aead_key *key, u8 suite, bool with_ad,
		      const u8 bytes[VPN_KEY_LEN]);

/**
 * vpn_aead_key_init_for() - prepare a key for a certain backend
 * @key: zeroed or erased before
 * @suite: cipher suite that the key is for
 * @with_ad: whether the header in front of a message is authenticated
 * @bytes: the 32 octets
 * @backend: one that vpn_aead_has()
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int vpn_aead_key_init_for(struct vpn_aead_key *key, u8 suite, bool with_ad,
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
 * @job: needed when @key->async, else NULL
 *
 * Context: softirq, or process with bottom halves disabled.
 * Return: 0; a negative error, after which no segment may leave; or
 * -EINPROGRESS when memory of the segments is still in use and the caller has
 * to call vpn_aead_job_defer().
 */
int vpn_aead_seal(const struct vpn_aead_key *key, struct vpn_segment *segments,
		  unsigned int count, struct vpn_aead_job *job);

/**
 * vpn_aead_open() - decrypt a batch in place
 * @key: the key
 * @segments: the messages; each tells in @ok whether its tag was right, and
 *	the data of one that was not must not be used
 * @count: how many
 * @job: needed when @key->async, else NULL
 *
 * Context: softirq, or process with bottom halves disabled.
 * Return: 0, or -EINPROGRESS as of vpn_aead_seal(); then @ok is right after
 * vpn_aead_job_end().
 */
int vpn_aead_open(const struct vpn_aead_key *key, struct vpn_segment *segments,
		  unsigned int count, struct vpn_aead_job *job);

/**
 * vpn_aead_job_defer() - name what is done when a batch is complete
 * @job: of a call that returned -EINPROGRESS
 * @done: called once, in softirq or with bottom halves disabled, perhaps on
 *	another CPU, perhaps before this function returns; it has to call
 *	vpn_aead_job_end()
 */
void vpn_aead_job_defer(struct vpn_aead_job *job,
			void (*done)(struct vpn_aead_job *job));

/**
 * vpn_aead_job_end() - collect what came of a deferred batch
 * @job: complete
 * @segments: of vpn_aead_open(), or a copy of them; NULL when sealing
 *
 * Return: 0 or the first error.
 */
int vpn_aead_job_end(struct vpn_aead_job *job, struct vpn_segment *segments);

/**
 * vpn_aead_seal_wait() - vpn_aead_seal(), and wait until it is complete
 * @key: the key
 * @segments: the messages
 * @count: how many
 *
 * Context: process.
 * Return: 0 or a negative error.
 */
int vpn_aead_seal_wait(const struct vpn_aead_key *key,
		       struct vpn_segment *segments, unsigned int count);

/**
 * vpn_aead_open_wait() - vpn_aead_open(), and wait until it is complete
 * @key: the key
 * @segments: the messages
 * @count: how many
 *
 * Context: process.
 */
void vpn_aead_open_wait(const struct vpn_aead_key *key,
			struct vpn_segment *segments, unsigned int count);

/**
 * vpn_aead_gcm_seal() - AES-256-GCM of a message of a handshake, nonce zero
 * @out: @len + VPN_TAG_LEN octets of room
 * @in: the plaintext
 * @len: octets of it, at most VPN_AEAD_MESSAGE_MAX
 * @ad: associated data
 * @key: never used for another message
 *
 * Context: process, may sleep.
 * Return: whether it succeeded.
 */
bool vpn_aead_gcm_seal(u8 *out, const u8 *in, size_t len,
		       const u8 ad[VPN_HASH_LEN], const u8 key[VPN_KEY_LEN]);

/**
 * vpn_aead_gcm_open() - the reverse
 * @out: @len octets of room
 * @in: the ciphertext, followed by the tag
 * @len: octets of the plaintext, at most VPN_AEAD_MESSAGE_MAX
 * @ad: associated data
 * @key: the key
 *
 * Context: process, may sleep.
 * Return: whether the tag was right; otherwise @out is undefined.
 */
bool vpn_aead_gcm_open(u8 *out, const u8 *in, size_t len,
		       const u8 ad[VPN_HASH_LEN], const u8 key[VPN_KEY_LEN]);

#endif
