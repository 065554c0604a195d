/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_HANDSHAKE_H
#define VPN_HANDSHAKE_H

#include <linux/skbuff.h>
#include <linux/workqueue.h>

#include "messages.h"

struct vpn_device;
struct vpn_peer;
struct vpn_reject;

/**
 * struct vpn_handshake_worker - drains vpn_device.handshakes on one CPU
 * @work: runs vpn_handshake_work()
 * @vpn: the device
 */
struct vpn_handshake_worker {
	struct work_struct work;
	struct vpn_device *vpn;
};

/**
 * vpn_handshake_init() - compute what all handshakes begin with
 *
 * Context: module load, after vpn_noise_init() and vpn_aead_init().
 */
void vpn_handshake_init(void);

/**
 * vpn_handshake_setup() - initialise the handshake of a new peer
 * @peer: not yet published, peer->handshake zeroed
 * @remote_static: the peer's public key
 *
 * Context: process, vpn_device.lock held (computes a shared secret).
 */
void vpn_handshake_setup(struct vpn_peer *peer,
			 const u8 remote_static[VPN_KEY_LEN]);

/**
 * vpn_handshake_identity_changed() - compute what depends on our static key
 * @peer: the peer
 *
 * Context: process, identity.lock held for writing; takes handshake.lock.
 */
void vpn_handshake_identity_changed(struct vpn_peer *peer);

/**
 * vpn_handshake_set_preshared_key() - change the preshared key of later handshakes
 * @peer: the peer
 * @key: 32 octets, all zero for none
 */
void vpn_handshake_set_preshared_key(struct vpn_peer *peer,
				     const u8 key[VPN_KEY_LEN]);

/**
 * vpn_handshake_clear() - forget a handshake in progress
 * @peer: the peer
 *
 * Erases the ephemeral state and withdraws the index. Context: process.
 */
void vpn_handshake_clear(struct vpn_peer *peer);

/**
 * vpn_handshake_initiate() - send an initiation
 * @peer: the peer
 *
 * Does nothing when one was sent within the last rekey timeout.
 *
 * Context: process.
 */
void vpn_handshake_initiate(struct vpn_peer *peer);

/**
 * vpn_handshake_queue() - ask for an initiation from any context
 * @peer: the peer
 * @is_retry: whether the retransmission timer asks; otherwise the count of
 *	attempts begins anew
 */
void vpn_handshake_queue(struct vpn_peer *peer, bool is_retry);
void vpn_handshake_initiation_work(struct work_struct *work);

/**
 * struct vpn_handshake_cb - what is noted about a message that waits
 * @admitted: its macs were right, and its sender has a share left
 */
struct vpn_handshake_cb {
	bool admitted;
};

#define VPN_HANDSHAKE_CB(skb) ((struct vpn_handshake_cb *)(skb)->cb)

/**
 * vpn_handshake_admit() - tell whether a message may wait for a worker
 * @vpn: the device
 * @skb: initiation, response or cookie reply, linear; data is the whole
 *	message, the network and transport headers are those of the UDP packet
 *
 * Answers with a cookie if that is what the message is worth.
 *
 * Context: any but hard interrupts.
 * Return: whether it may. If not, it has been counted.
 */
bool vpn_handshake_admit(struct vpn_device *vpn, struct sk_buff *skb);

/**
 * vpn_handshake_receive() - consume one handshake message
 * @vpn: the device
 * @skb: initiation, response or cookie reply; data is the whole message, the
 *	network and transport headers are those of the UDP packet. Not freed
 *
 * Context: process.
 */
void vpn_handshake_receive(struct vpn_device *vpn, struct sk_buff *skb);

/**
 * vpn_handshake_reject() - refuse a stranger's initiation, in words
 * @vpn: the device
 * @skb: the initiation, which was found authentic before
 * @reject: why
 *
 * Does nothing about an initiation of version 0.
 *
 * Context: process.
 */
void vpn_handshake_reject(struct vpn_device *vpn, struct sk_buff *skb,
			  const struct vpn_reject *reject);

/**
 * vpn_handshake_work() - consume the messages in vpn_device.handshakes
 * @work: of a struct vpn_handshake_worker
 */
void vpn_handshake_work(struct work_struct *work);

#endif
