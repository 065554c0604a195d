/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Noise handshake IKpsk2 as the WireGuard white paper, section 5.4, writes
 * it: keys and hashes, no messages, no I/O.
 *
 * The functions work on the Noise part of a message, which is contiguous in
 * both of them:
 *
 *	initiation	ephemeral, sealed static key, sealed payload
 *	response	ephemeral, sealed payload
 *
 * The prologue and the payloads belong to the version of the protocol, the
 * ephemeral keys to the caller.
 */
#ifndef VPN_NOISE_H
#define VPN_NOISE_H

#include <linux/rwsem.h>
#include <linux/types.h>

#include "index.h"
#include "messages.h"

/* Octets of the Noise part of the messages without what their payload takes. */
#define VPN_NOISE_INITIATION_LEN	(VPN_KEY_LEN + VPN_KEY_LEN + VPN_TAG_LEN)
#define VPN_NOISE_RESPONSE_LEN		VPN_KEY_LEN

/**
 * struct vpn_noise_suite - the primitives that a handshake may choose
 * @name: Noise's name of the protocol
 * @seal: AEAD with nonce zero; writes @len + VPN_TAG_LEN octets. Returns
 *	whether it could
 * @open: the reverse; @len counts the tag. Returns whether it was right
 */
struct vpn_noise_suite {
	const char *name;
	bool (*seal)(u8 *out, const u8 *in, size_t len,
		     const u8 ad[VPN_HASH_LEN], const u8 key[VPN_KEY_LEN]);
	bool (*open)(u8 *out, const u8 *in, size_t len,
		     const u8 ad[VPN_HASH_LEN], const u8 key[VPN_KEY_LEN]);
};

extern const struct vpn_noise_suite vpn_noise_chacha20poly1305;
extern const struct vpn_noise_suite vpn_noise_aes256gcm;

/**
 * vpn_noise_suite_of() - the primitives of a cipher suite
 * @suite: any number
 *
 * Return: the suite, or NULL when there is none or this kernel can't do it.
 */
const struct vpn_noise_suite *vpn_noise_suite_of(u8 suite);

/**
 * struct vpn_noise - symmetric state of a handshake
 * @suite: its primitives
 * @chaining_key: Noise's ck
 * @hash: Noise's h
 */
struct vpn_noise {
	const struct vpn_noise_suite *suite;
	u8 chaining_key[VPN_HASH_LEN];
	u8 hash[VPN_HASH_LEN];
};

/**
 * struct vpn_noise_keys - what one side brings to a handshake
 * @local_private: our static private key
 * @local_public: our static public key
 * @ephemeral_private: ours, fresh and clamped
 * @remote_static: the peer's static public key
 * @remote_ephemeral: the peer's, as its initiation said it
 * @static_static: shared secret of both static keys
 * @preshared_key: zero when there is none
 *
 * Every function names those that it needs.
 */
struct vpn_noise_keys {
	const u8 *local_private;
	const u8 *local_public;
	const u8 *ephemeral_private;
	const u8 *remote_static;
	const u8 *remote_ephemeral;
	const u8 *static_static;
	const u8 *preshared_key;
};

/**
 * struct vpn_identity - static key pair of a device
 * @lock: protects the rest
 * @private_key: clamped
 * @public_key: derived
 * @present: whether the device has an identity
 */
struct vpn_identity {
	struct rw_semaphore lock;
	u8 private_key[VPN_KEY_LEN];
	u8 public_key[VPN_KEY_LEN];
	bool present;
};

/**
 * struct vpn_handshake - what two ends need to agree on a session
 * @lock: protects the rest; taken inside vpn_identity.lock
 * @remote_static: the peer's public key; never changes
 * @static_static: shared secret of both static keys, computed once, ahead of
 *	need unless there are very many peers; zero when there can't be one
 * @static_known: whether it has been computed
 * @preshared_key: zero when there is none
 * @pending: whether an initiation of ours waits for its response
 * @kind: version and suite of that initiation
 * @sent: when it was sent, boot clock, ns
 * @index: address of that response
 * @noise: state after that initiation
 * @ephemeral_private: of that initiation
 * @latest_sent: TAI64N of our latest initiation, ns of the Unix epoch
 * @latest_timestamp: greatest TAI64N accepted of the peer
 * @last_initiation_consumed: boot clock, ns; limits the rate
 *
 * Only an initiator has to remember anything between two messages. So an
 * initiation of the peer that crosses ours disturbs nothing: both handshakes
 * come to an end, each with a session of its own.
 */
struct vpn_handshake {
	struct rw_semaphore lock;
	u8 remote_static[VPN_KEY_LEN];
	u8 static_static[VPN_KEY_LEN];
	u8 preshared_key[VPN_KEY_LEN];
	bool static_known;
	bool pending;
	struct vpn_session_kind kind;
	u64 sent;
	struct vpn_index index;
	struct vpn_noise noise;
	u8 ephemeral_private[VPN_KEY_LEN];
	u64 latest_sent;
	u8 latest_timestamp[VPN_TIMESTAMP_LEN];
	u64 last_initiation_consumed;
};

/**
 * vpn_noise_init() - make sure that this kernel's BLAKE2s is what we think
 *
 * Context: process, module load.
 * Return: 0 or -ENOEXEC.
 */
int vpn_noise_init(void);

/**
 * vpn_noise_derive_identity() - make a key pair of a private key
 * @identity: filled but for its lock, which is not taken
 * @private_key: 32 octets, clamped on the way; all zero makes no identity
 */
void vpn_noise_derive_identity(struct vpn_identity *identity,
			       const u8 private_key[VPN_KEY_LEN]);

/**
 * vpn_noise_prepare() - compute what all handshakes of a kind begin with
 * @noise: filled
 * @suite: its primitives
 * @prologue: what both sides must agree on
 * @len: octets of it
 */
void vpn_noise_prepare(struct vpn_noise *noise,
		       const struct vpn_noise_suite *suite,
		       const void *prologue, size_t len);

/**
 * vpn_noise_begin() - start a handshake
 * @noise: filled
 * @prepared: what vpn_noise_prepare() has filled
 * @responder: static public key of the responder
 */
void vpn_noise_begin(struct vpn_noise *noise, const struct vpn_noise *prepared,
		     const u8 responder[VPN_KEY_LEN]);

/**
 * vpn_noise_write_initiation() - e, es, s, ss
 * @noise: begun for @keys->remote_static
 * @keys: local_public, ephemeral_private, remote_static, static_static
 * @payload: to be sealed
 * @len: octets of it
 * @message: VPN_NOISE_INITIATION_LEN + @len + VPN_TAG_LEN octets of room
 *
 * Return: false if a shared secret is zero, or the cipher fails for want of
 * memory; then @noise is of no use.
 */
bool vpn_noise_write_initiation(struct vpn_noise *noise,
				const struct vpn_noise_keys *keys,
				const void *payload, size_t len, u8 *message);

/**
 * vpn_noise_read_static() - learn whose an initiation claims to be
 * @noise: begun for ourselves
 * @keys: local_private
 * @message: as received, VPN_NOISE_INITIATION_LEN octets at least
 * @remote_static: filled
 *
 * Return: whether it was meant for us; otherwise @noise is of no use.
 */
bool vpn_noise_read_static(struct vpn_noise *noise,
			   const struct vpn_noise_keys *keys,
			   const u8 *message, u8 remote_static[VPN_KEY_LEN]);

/**
 * vpn_noise_read_payload() - the rest of an initiation
 * @noise: as vpn_noise_read_static() left it
 * @keys: static_static
 * @message: as received
 * @payload: filled
 * @len: octets of the payload
 *
 * Return: whether the peer that it claims to be sent it; otherwise @noise is
 * of no use. It may still be a replay.
 */
bool vpn_noise_read_payload(struct vpn_noise *noise,
			    const struct vpn_noise_keys *keys,
			    const u8 *message, void *payload, size_t len);

/**
 * vpn_noise_write_response() - e, ee, se, psk
 * @noise: as vpn_noise_read_payload() left it
 * @keys: ephemeral_private, remote_static, remote_ephemeral, preshared_key
 * @payload: to be sealed
 * @len: octets of it
 * @message: VPN_NOISE_RESPONSE_LEN + @len + VPN_TAG_LEN octets of room
 *
 * Return: false if a shared secret is zero, or the cipher fails for want of
 * memory; then @noise is of no use.
 */
bool vpn_noise_write_response(struct vpn_noise *noise,
			      const struct vpn_noise_keys *keys,
			      const void *payload, size_t len, u8 *message);

/**
 * vpn_noise_read_response() - finish as initiator
 * @noise: a copy of what vpn_noise_write_initiation() left, so that a forged
 *	response can't spoil the handshake
 * @keys: local_private, ephemeral_private, preshared_key
 * @message: as received
 * @payload: filled
 * @len: octets of the payload
 *
 * Return: whether the peer sent it; otherwise @noise is of no use.
 */
bool vpn_noise_read_response(struct vpn_noise *noise,
			     const struct vpn_noise_keys *keys,
			     const u8 *message, void *payload, size_t len);

/**
 * vpn_noise_split() - derive the keys of the session
 * @noise: finished; erased
 * @to_responder: key of what the initiator sends
 * @to_initiator: key of what the responder sends
 */
void vpn_noise_split(struct vpn_noise *noise, u8 to_responder[VPN_KEY_LEN],
		     u8 to_initiator[VPN_KEY_LEN]);

/**
 * vpn_noise_kdf() - the white paper's KDF of one to three keys
 * @chaining_key: of the caller, may be one of the outputs
 * @in: input
 * @len: octets of it
 * @first: output
 * @second: output or NULL
 * @third: output or NULL, NULL when @second is
 */
void vpn_noise_kdf(const u8 chaining_key[VPN_HASH_LEN], const u8 *in,
		   size_t len, u8 first[VPN_HASH_LEN], u8 *second, u8 *third);

#endif
