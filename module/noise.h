/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Noise handshake IKpsk2 as the WireGuard white paper, section 5.4, writes
 * it: keys and hashes, no messages, no I/O.
 */
#ifndef VPN_NOISE_H
#define VPN_NOISE_H

#include <linux/rwsem.h>
#include <linux/types.h>

#include "messages.h"

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

enum vpn_handshake_state {
	VPN_HANDSHAKE_NONE,
	VPN_HANDSHAKE_INITIATION_SENT,
	VPN_HANDSHAKE_INITIATION_RECEIVED,
	VPN_HANDSHAKE_RESPONSE_SENT,
	VPN_HANDSHAKE_RESPONSE_RECEIVED,
};

/**
 * struct vpn_handshake - what a peer's handshake has come to
 * @lock: protects the rest; taken inside vpn_identity.lock
 * @state: the latest message sent or received
 * @remote_static: the peer's public key; never changes
 * @static_static: shared secret of both static keys, computed in advance
 * @preshared_key: zero when there is none
 * @chaining_key: Noise's ck
 * @hash: Noise's h
 * @ephemeral_private: ours, zero when there is none
 * @remote_ephemeral: the peer's
 * @remote_index: the peer's address for messages of this handshake
 * @latest_timestamp: greatest TAI64N accepted of the peer
 * @last_initiation_consumed: boot clock, ns; limits the rate
 */
struct vpn_handshake {
	struct rw_semaphore lock;
	enum vpn_handshake_state state;
	u8 remote_static[VPN_KEY_LEN];
	u8 static_static[VPN_KEY_LEN];
	u8 preshared_key[VPN_KEY_LEN];
	u8 chaining_key[VPN_HASH_LEN];
	u8 hash[VPN_HASH_LEN];
	u8 ephemeral_private[VPN_KEY_LEN];
	u8 remote_ephemeral[VPN_KEY_LEN];
	__le32 remote_index;
	u8 latest_timestamp[VPN_TIMESTAMP_LEN];
	u64 last_initiation_consumed;
};

int vpn_noise_init(void);

#endif
