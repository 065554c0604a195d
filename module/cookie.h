/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Denial-of-service defence: mac1, mac2, cookies (white paper, sections 5.4.4
 * and 5.4.7).
 */
#ifndef VPN_COOKIE_H
#define VPN_COOKIE_H

#include <linux/rwsem.h>
#include <linux/seqlock.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "messages.h"

struct vpn_device;
struct vpn_peer;

/**
 * struct vpn_cookie_checker - a device's side of the defence
 * @lock: protects the rest; readers copy what they need
 * @cookie: mac of cookies we give, begun with a secret that is renewed every
 *	two minutes
 * @secret_birth: boot clock, ns; zero when there is no secret yet
 * @cookie_key: seals cookies that we give; follows our public key
 * @initiation_mac1: begun for initiations to us; follows our public key
 * @response_mac1: the same for responses
 * @ready: whether the device has a public key; without one it is deaf
 */
struct vpn_cookie_checker {
	seqlock_t lock;
	struct vpn_blake2s cookie;
	u64 secret_birth;
	u8 cookie_key[VPN_KEY_LEN];
	struct vpn_blake2s initiation_mac1;
	struct vpn_blake2s response_mac1;
	bool ready;
};

/**
 * struct vpn_cookie - a peer's side: the cookie that it gave us
 * @lock: protects the rest
 * @birth: boot clock, ns; zero when there is no cookie
 * @bytes: the cookie
 * @mac1_sent: of our latest message, associated data of the peer's reply
 * @version_sent: of that message, and of a reply to it
 * @have_mac1: whether @mac1_sent waits for a reply
 * @cookie_key: opens cookies of the peer
 * @mac1_key: of messages to the peer
 */
struct vpn_cookie {
	struct rw_semaphore lock;
	u64 birth;
	u8 bytes[VPN_COOKIE_LEN];
	u8 mac1_sent[VPN_MAC_LEN];
	u8 version_sent;
	bool have_mac1;
	u8 cookie_key[VPN_KEY_LEN];
	u8 mac1_key[VPN_KEY_LEN];
};

void vpn_cookie_checker_setup(struct vpn_cookie_checker *checker);

/**
 * vpn_cookie_checker_identity_changed() - derive the keys anew
 * @vpn: the device, identity.lock held for writing
 *
 * Also forgets the secret, which belongs to the former identity.
 */
void vpn_cookie_checker_identity_changed(struct vpn_device *vpn);

/**
 * vpn_cookie_setup() - initialise the cookie state of a new peer
 * @cookie: zeroed
 * @remote_static: the peer's public key
 */
void vpn_cookie_setup(struct vpn_cookie *cookie,
		      const u8 remote_static[VPN_KEY_LEN]);

enum vpn_mac_verdict {
	VPN_MAC_INVALID,	/* not for us */
	VPN_MAC_VALID,		/* mac1 only */
	VPN_MAC_WITH_COOKIE,	/* mac1 and mac2 */
	VPN_MAC_LIMITED,	/* perhaps, but its sender has had its share */
};

/**
 * vpn_cookie_check() - judge the first mac of a handshake message
 * @vpn: the device
 * @skb: initiation or response, linear
 *
 * Context: any but hard interrupts.
 * Return: %VPN_MAC_VALID or %VPN_MAC_INVALID.
 */
enum vpn_mac_verdict vpn_cookie_check(struct vpn_device *vpn,
				      const struct sk_buff *skb);

/**
 * vpn_cookie_check_loaded() - judge both macs, and what the sender may have
 * @vpn: the device
 * @skb: initiation or response, linear, with its UDP packet's headers
 * @now: boot clock, ns
 *
 * Context: any but hard interrupts, once there are random numbers.
 * Return: %VPN_MAC_VALID if it is to be answered with a cookie.
 */
enum vpn_mac_verdict vpn_cookie_check_loaded(struct vpn_device *vpn,
					     const struct sk_buff *skb,
					     u64 now);

/**
 * vpn_cookie_add_macs() - finish a handshake message to a peer
 * @message: whole message; its last octets are struct vpn_macs
 * @len: octets
 * @peer: to whom
 *
 * Context: process.
 */
void vpn_cookie_add_macs(void *message, size_t len, struct vpn_peer *peer);

/**
 * vpn_cookie_add_mac1() - finish a handshake message to a stranger
 * @message: whole message; its last octets are struct vpn_macs
 * @len: octets
 * @remote_static: the stranger's public key
 *
 * Context: process.
 */
void vpn_cookie_add_mac1(void *message, size_t len,
			 const u8 remote_static[VPN_KEY_LEN]);

/**
 * vpn_cookie_make_reply() - build the reply to a message without cookie
 * @vpn: the device
 * @skb: the message, linear, with its UDP packet's headers
 * @receiver: sender index of the message
 * @reply: filled
 *
 * Context: any but hard interrupts, once there are random numbers.
 */
void vpn_cookie_make_reply(struct vpn_device *vpn, struct sk_buff *skb,
			   __le32 receiver, struct vpn_msg_cookie *reply);

/**
 * vpn_cookie_consume_reply() - take the cookie that a peer gave
 * @vpn: the device
 * @reply: as received
 *
 * Context: process.
 * Return: the peer that sent it, with a reference; NULL if we had not written
 * to anybody who could have answered so.
 */
struct vpn_peer *vpn_cookie_consume_reply(struct vpn_device *vpn,
					  const struct vpn_msg_cookie *reply);

#endif
