/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Denial-of-service defence: mac1, mac2, cookies (white paper, sections 5.4.4
 * and 5.4.7), and the limit of handshakes an address.
 */
#ifndef VPN_COOKIE_H
#define VPN_COOKIE_H

#include <linux/atomic.h>
#include <linux/rwsem.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "messages.h"

struct vpn_device;
struct vpn_peer;

/**
 * struct vpn_cookie_checker - a device's side of the defence
 * @lock: protects the rest
 * @secret: of the cookies we give; renewed every two minutes
 * @secret_birth: boot clock, ns; zero when there is no secret yet
 * @cookie_key: seals cookies that we give; follows our public key
 * @mac1_key: of messages to us; follows our public key
 * @ready: whether the device has a public key; without one it is deaf
 * @load_end: until when the device counts as under load, boot clock, ns; not
 *	protected
 */
struct vpn_cookie_checker {
	struct rw_semaphore lock;
	u8 secret[VPN_HASH_LEN];
	u64 secret_birth;
	u8 cookie_key[VPN_KEY_LEN];
	u8 mac1_key[VPN_KEY_LEN];
	bool ready;
	atomic64_t load_end;
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

int vpn_cookie_init(void);	/* module-wide: the rate limiter */
void vpn_cookie_uninit(void);

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
	VPN_MAC_LIMITED,	/* both, but too many of this address */
};

/**
 * vpn_cookie_check() - judge the macs at the end of a handshake message
 * @vpn: the device
 * @skb: the message, linear, with its UDP packet's headers
 * @under_load: whether mac2 is looked at, and the address's rate
 *
 * Context: process.
 * Return: the verdict.
 */
enum vpn_mac_verdict vpn_cookie_check(struct vpn_device *vpn,
				      struct sk_buff *skb, bool under_load);

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
 * Context: process.
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

#ifdef VPN_TEST
/* The rate limiter by itself: @prefix is the IPv4 address or the IPv6 /64. */
bool vpn_ratelimit_allow(const void *scope, u8 family, u64 prefix, u64 now);
#endif

#endif
