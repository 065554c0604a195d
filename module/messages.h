/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bytes on the wire: version 0, which is WireGuard's (white paper, section
 * 5.4, with the constants of section 6.1), and version 1
 * (Documentation/protocol-v1.md), whose messages differ in the length of their
 * payloads.
 */
#ifndef VPN_MESSAGES_H
#define VPN_MESSAGES_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/types.h>
#include <uapi/linux/vpn.h>

#define VPN_KEY_LEN		32	/* X25519 keys and symmetric keys */
#define VPN_HASH_LEN		32	/* BLAKE2s */
#define VPN_TAG_LEN		16	/* Poly1305 */
#define VPN_TIMESTAMP_LEN	12	/* TAI64N */
#define VPN_MAC_LEN		16	/* mac1, mac2 */
#define VPN_COOKIE_LEN		16
#define VPN_COOKIE_NONCE_LEN	24	/* XChaCha20 */
#define VPN_PADDING		16	/* plaintext is padded to a multiple of it */

/* Seconds; read through the helpers of timer.h, which test builds can scale. */
#define VPN_REKEY_AFTER_TIME	120
#define VPN_REJECT_AFTER_TIME	180
#define VPN_REKEY_ATTEMPT_TIME	90
#define VPN_REKEY_TIMEOUT	5
#define VPN_KEEPALIVE_TIMEOUT	10
#define VPN_COOKIE_SECRET_AGE	120
#define VPN_COOKIE_LATENCY	5

/* Messages on one key. */
#define VPN_REKEY_AFTER_MESSAGES	BIT_ULL(60)
#define VPN_REPLAY_BITS			8192UL
#define VPN_REPLAY_WINDOW		(VPN_REPLAY_BITS - BITS_PER_LONG)
#define VPN_REJECT_AFTER_MESSAGES	(U64_MAX - VPN_REPLAY_WINDOW - 1)

#define VPN_INITIATIONS_PER_SECOND	50	/* accepted of one peer */
#define VPN_STAGED_MAX			128	/* packets waiting for a key, a peer */
#define VPN_STAGED_BYTES_MAX	(512 << 10)	/* and their memory */
#define VPN_HANDSHAKES_MAX		4096	/* messages waiting for a worker, a device */

enum vpn_message_type {
	VPN_MSG_INITIATION	= 1,
	VPN_MSG_RESPONSE	= 2,
	VPN_MSG_COOKIE		= 3,
	VPN_MSG_DATA		= 4,
};

struct vpn_header {
	u8 type;
	u8 version;
	__le16 flags;
};

struct vpn_macs {
	u8 mac1[VPN_MAC_LEN];
	u8 mac2[VPN_MAC_LEN];
};

struct vpn_msg_initiation {
	struct vpn_header header;
	__le32 sender;
	u8 ephemeral[VPN_KEY_LEN];
	u8 sealed_static[VPN_KEY_LEN + VPN_TAG_LEN];
	u8 sealed_timestamp[VPN_TIMESTAMP_LEN + VPN_TAG_LEN];
	struct vpn_macs macs;
};

struct vpn_msg_response {
	struct vpn_header header;
	__le32 sender;
	__le32 receiver;
	u8 ephemeral[VPN_KEY_LEN];
	u8 sealed_nothing[VPN_TAG_LEN];
	struct vpn_macs macs;
};

struct vpn_msg_cookie {
	struct vpn_header header;
	__le32 receiver;
	u8 nonce[VPN_COOKIE_NONCE_LEN];
	u8 sealed_cookie[VPN_COOKIE_LEN + VPN_TAG_LEN];
};

struct vpn_msg_data {
	struct vpn_header header;
	__le32 receiver;
	__le64 counter;
	/* ciphertext, then the tag */
};

#define VPN_DATA_OVERHEAD	(sizeof(struct vpn_msg_data) + VPN_TAG_LEN)

static_assert(sizeof(struct vpn_header) == 4);
static_assert(sizeof(struct vpn_msg_initiation) == 148);
static_assert(sizeof(struct vpn_msg_response) == 92);
static_assert(sizeof(struct vpn_msg_cookie) == 64);
static_assert(sizeof(struct vpn_msg_data) == 16);

/* Version 1: octets of whole messages, and of what is not their payload. */
#define VPN_V1_INITIATION_MIN	1200
#define VPN_V1_INITIATION_MAX	4096
#define VPN_V1_RESPONSE_MIN	140
#define VPN_V1_RESPONSE_MAX	1200
#define VPN_V1_RESPONSE_STEP	48	/* its payload's length is a multiple */

#define VPN_INITIATION_OVERHEAD						\
	(sizeof(struct vpn_msg_initiation) - VPN_TIMESTAMP_LEN)
#define VPN_RESPONSE_OVERHEAD	sizeof(struct vpn_msg_response)

#define VPN_SUITE_MAX		VPN_CIPHER_AES_256_GCM
#define VPN_DATA_CONTROL	BIT(0)	/* flag of data messages */

static_assert(VPN_V1_RESPONSE_MIN ==
	      VPN_RESPONSE_OVERHEAD + VPN_V1_RESPONSE_STEP);

/**
 * struct vpn_session_kind - what a handshake agrees on beside keys
 * @version: of the protocol
 * @suite: enum vpn_cipher, never VPN_CIPHER_ANY
 */
struct vpn_session_kind {
	u8 version;
	u8 suite;
};

/**
 * vpn_is_handshake() - tell a handshake message by its header and length
 * @header: of a message
 * @len: octets of it
 *
 * Return: whether it is an initiation, a response or a cookie reply, of a
 * version that we speak, with flags and a length that it can have.
 */
static inline bool vpn_is_handshake(const struct vpn_header *header,
				    unsigned int len)
{
	u16 flags = le16_to_cpu(header->flags);

	if (header->version > 1 || flags > (header->version ? VPN_SUITE_MAX : 0))
		return false;
	switch (header->type) {
	case VPN_MSG_INITIATION:
		if (header->version)
			return len >= VPN_V1_INITIATION_MIN &&
			       len <= VPN_V1_INITIATION_MAX;
		return len == sizeof(struct vpn_msg_initiation);
	case VPN_MSG_RESPONSE:
		if (header->version)
			return len >= VPN_V1_RESPONSE_MIN &&
			       len <= VPN_V1_RESPONSE_MAX &&
			       !((len - VPN_V1_RESPONSE_MIN) %
				 VPN_V1_RESPONSE_STEP);
		return len == sizeof(struct vpn_msg_response);
	case VPN_MSG_COOKIE:
		return !flags && len == sizeof(struct vpn_msg_cookie);
	}
	return false;
}

/**
 * vpn_is_data() - tell a data message by its header
 * @header: of a message
 *
 * Return: whether it is one, of a version that we speak, with flags that it can
 * have.
 */
static inline bool vpn_is_data(const struct vpn_header *header)
{
	u16 flags = le16_to_cpu(header->flags);

	return header->type == VPN_MSG_DATA && header->version <= 1 &&
	       !(flags & ~(header->version ? VPN_DATA_CONTROL : 0));
}

#endif
