// SPDX-License-Identifier: GPL-2.0
/*
 * Denial-of-service defence (WireGuard white paper, section 5.3).
 *
 * A message must first show by mac1 that its sender knows our public key. Under
 * load it must also show by mac2, that is by a cookie which we sent to its
 * source address, that it can receive there; and then that address gets its
 * share of our time and no more (limit.c).
 */

#include <crypto/chacha20poly1305.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/udp.h>

#include "cookie.h"
#include "device.h"
#include "index.h"
#include "limit.h"
#include "peer.h"
#include "timer.h"

#define LABEL_LEN 8

static const u8 mac1_label[LABEL_LEN] __nonstring = "mac1----";
static const u8 cookie_label[LABEL_LEN] __nonstring = "cookie--";

static void derive_key(u8 key[VPN_KEY_LEN], const u8 label[LABEL_LEN],
		       const u8 public_key[VPN_KEY_LEN])
{
	struct vpn_blake2s ctx;

	vpn_blake2s_init(&ctx, VPN_KEY_LEN, NULL, 0);
	vpn_blake2s_update(&ctx, label, LABEL_LEN);
	vpn_blake2s_update(&ctx, public_key, VPN_KEY_LEN);
	vpn_blake2s_final(&ctx, key);
}

static struct vpn_macs *macs_of(void *message, size_t len)
{
	return message + len - sizeof(struct vpn_macs);
}

/*
 * A mac of which the key and the first octet have been taken already. A key
 * fills a block of BLAKE2s, which is computed when there is more; so that is
 * done once, and not for every message.
 */
static void begin_mac(struct vpn_blake2s *mac, const u8 *key, size_t key_len,
		      u8 first)
{
	vpn_blake2s_init(mac, VPN_MAC_LEN, key, key_len);
	vpn_blake2s_update(mac, &first, 1);
}

/* mac1 covers the message up to itself. */
static void make_mac1(u8 mac1[VPN_MAC_LEN], const void *message, size_t len,
		      const u8 key[VPN_KEY_LEN])
{
	len -= sizeof(struct vpn_macs);
	vpn_blake2s(mac1, VPN_MAC_LEN, key, VPN_KEY_LEN, message, len);
}

/* mac2 covers mac1, too. */
static void make_mac2(u8 mac2[VPN_MAC_LEN], const void *message, size_t len,
		      const u8 cookie[VPN_COOKIE_LEN])
{
	len -= sizeof(struct vpn_macs) - offsetof(struct vpn_macs, mac2);
	vpn_blake2s(mac2, VPN_MAC_LEN, cookie, VPN_COOKIE_LEN, message, len);
}

void vpn_cookie_checker_setup(struct vpn_cookie_checker *checker)
{
	memset(checker, 0, sizeof(*checker));
	seqlock_init(&checker->lock);
}

static void begin_mac1s(struct vpn_cookie_checker *checker,
			const u8 public_key[VPN_KEY_LEN])
{
	u8 key[VPN_KEY_LEN];

	derive_key(key, mac1_label, public_key);
	begin_mac(&checker->initiation_mac1, key, sizeof(key),
		  VPN_MSG_INITIATION);
	begin_mac(&checker->response_mac1, key, sizeof(key), VPN_MSG_RESPONSE);
}

void vpn_cookie_checker_identity_changed(struct vpn_device *vpn)
{
	struct vpn_cookie_checker *checker = &vpn->cookie;
	const struct vpn_identity *identity = &vpn->identity;

	lockdep_assert_held_write(&vpn->identity.lock);

	write_seqlock_bh(&checker->lock);
	memzero_explicit(&checker->cookie, sizeof(checker->cookie));
	memzero_explicit(checker->cookie_key, sizeof(checker->cookie_key));
	WRITE_ONCE(checker->secret_birth, 0);
	checker->ready = identity->present;
	if (checker->ready) {
		derive_key(checker->cookie_key, cookie_label,
			   identity->public_key);
		begin_mac1s(checker, identity->public_key);
	}
	write_sequnlock_bh(&checker->lock);
}

void vpn_cookie_setup(struct vpn_cookie *cookie,
		      const u8 remote_static[VPN_KEY_LEN])
{
	init_rwsem(&cookie->lock);
	derive_key(cookie->cookie_key, cookie_label, remote_static);
	derive_key(cookie->mac1_key, mac1_label, remote_static);
}

static bool secret_is_old(u64 birth)
{
	return !birth || vpn_time_passed(birth, VPN_COOKIE_SECRET_AGE);
}

static void renew_secret(struct vpn_cookie_checker *checker)
{
	u8 secret[VPN_HASH_LEN];

	get_random_bytes(secret, sizeof(secret));
	write_seqlock_bh(&checker->lock);
	if (secret_is_old(checker->secret_birth)) {
		begin_mac(&checker->cookie, secret, sizeof(secret), 0);
		WRITE_ONCE(checker->secret_birth, ktime_get_boottime_ns());
	}
	write_sequnlock_bh(&checker->lock);
	memzero_explicit(secret, sizeof(secret));
}

/* The mac that makes cookies. Whoever asks late gets it of a new secret. */
static void begin_cookie(struct vpn_cookie_checker *checker,
			 struct vpn_blake2s *mac)
{
	unsigned int seq;

	if (unlikely(secret_is_old(READ_ONCE(checker->secret_birth))))
		renew_secret(checker);
	do {
		seq = read_seqbegin(&checker->lock);
		*mac = checker->cookie;
	} while (read_seqretry(&checker->lock, seq));
}

/* The cookie of a packet's source; nothing about it has to be remembered. */
static void make_cookie(struct vpn_cookie_checker *checker,
			const struct sk_buff *skb, u8 cookie[VPN_COOKIE_LEN])
{
	const __be16 port = udp_hdr(skb)->source;
	struct vpn_blake2s mac;

	begin_cookie(checker, &mac);
	if (skb->protocol == htons(ETH_P_IP))
		vpn_blake2s_update(&mac, &ip_hdr(skb)->saddr,
				   sizeof(struct in_addr));
	else
		vpn_blake2s_update(&mac, &ipv6_hdr(skb)->saddr,
				   sizeof(struct in6_addr));
	vpn_blake2s_update(&mac, &port, sizeof(port));
	vpn_blake2s_final(&mac, cookie);
}

/* Of an initiation or a response. */
static bool mac1_is_valid(struct vpn_cookie_checker *checker,
			  const struct sk_buff *skb)
{
	const struct vpn_macs *macs = macs_of(skb->data, skb->len);
	const struct vpn_blake2s *begun;
	struct vpn_blake2s mac;
	u8 mac1[VPN_MAC_LEN];
	unsigned int seq;
	bool ready;

	begun = skb->data[0] == VPN_MSG_INITIATION ? &checker->initiation_mac1 :
						     &checker->response_mac1;
	do {
		seq = read_seqbegin(&checker->lock);
		ready = checker->ready;
		mac = *begun;
	} while (read_seqretry(&checker->lock, seq));
	if (!ready)
		return false;
	vpn_blake2s_update(&mac, skb->data + 1,
			   skb->len - 1 - sizeof(struct vpn_macs));
	vpn_blake2s_final(&mac, mac1);
	return !crypto_memneq(mac1, macs->mac1, VPN_MAC_LEN);
}

/* Who has no cookie sends zeros, and that is no secret. */
static bool has_mac2(const struct sk_buff *skb)
{
	return memchr_inv(macs_of(skb->data, skb->len)->mac2, 0, VPN_MAC_LEN);
}

static bool mac2_is_valid(struct vpn_cookie_checker *checker,
			  const struct sk_buff *skb)
{
	const struct vpn_macs *macs = macs_of(skb->data, skb->len);
	u8 cookie[VPN_COOKIE_LEN];
	u8 mac2[VPN_MAC_LEN];

	if (!has_mac2(skb))
		return false;
	make_cookie(checker, skb, cookie);
	make_mac2(mac2, skb->data, skb->len, cookie);
	memzero_explicit(cookie, sizeof(cookie));
	return !crypto_memneq(mac2, macs->mac2, VPN_MAC_LEN);
}

enum vpn_mac_verdict vpn_cookie_check(struct vpn_device *vpn,
				      const struct sk_buff *skb)
{
	return mac1_is_valid(&vpn->cookie, skb) ? VPN_MAC_VALID :
						  VPN_MAC_INVALID;
}

/* The cheapest is asked first: most of what comes is to be dropped. */
enum vpn_mac_verdict vpn_cookie_check_loaded(struct vpn_device *vpn,
					     const struct sk_buff *skb, u64 now)
{
	bool proven = mac2_is_valid(&vpn->cookie, skb);

	if (!proven && !vpn_limit_has_cookie(vpn->limits, skb, now))
		return VPN_MAC_LIMITED;
	/* Who does not know our key uses up nobody's share. */
	if (!mac1_is_valid(&vpn->cookie, skb))
		return VPN_MAC_INVALID;
	if (proven)
		return vpn_limit_take_handshake(vpn->limits, skb, now) ?
		       VPN_MAC_WITH_COOKIE : VPN_MAC_LIMITED;
	return vpn_limit_take_cookie(vpn->limits, skb, now) ?
	       VPN_MAC_VALID : VPN_MAC_LIMITED;
}

static bool cookie_is_fresh(const struct vpn_cookie *cookie)
{
	/* The peer's secret ages while the message is on its way. */
	return cookie->birth &&
	       !vpn_time_passed(cookie->birth,
				VPN_COOKIE_SECRET_AGE - VPN_COOKIE_LATENCY);
}

void vpn_cookie_add_macs(void *message, size_t len, struct vpn_peer *peer)
{
	const struct vpn_header *header = message;
	struct vpn_macs *macs = macs_of(message, len);
	struct vpn_cookie *cookie = &peer->cookie;

	down_write(&cookie->lock);
	make_mac1(macs->mac1, message, len, cookie->mac1_key);
	memcpy(cookie->mac1_sent, macs->mac1, VPN_MAC_LEN);
	cookie->version_sent = header->version;
	cookie->have_mac1 = true;
	if (cookie_is_fresh(cookie)) {
		make_mac2(macs->mac2, message, len, cookie->bytes);
	} else {
		cookie->birth = 0;
		memzero_explicit(cookie->bytes, VPN_COOKIE_LEN);
		memset(macs->mac2, 0, VPN_MAC_LEN);
	}
	up_write(&cookie->lock);
}

void vpn_cookie_add_mac1(void *message, size_t len,
			 const u8 remote_static[VPN_KEY_LEN])
{
	struct vpn_macs *macs = macs_of(message, len);
	u8 key[VPN_KEY_LEN];

	derive_key(key, mac1_label, remote_static);
	make_mac1(macs->mac1, message, len, key);
	memset(macs->mac2, 0, VPN_MAC_LEN);
}

/* As random as it gets; by words, of which the kernel has some at hand. */
static void make_nonce(u8 nonce[VPN_COOKIE_NONCE_LEN])
{
	unsigned int i;

	for (i = 0; i < VPN_COOKIE_NONCE_LEN; i += sizeof(u64))
		put_unaligned(get_random_u64(), (u64 *)(nonce + i));
}

void vpn_cookie_make_reply(struct vpn_device *vpn, struct sk_buff *skb,
			   __le32 receiver, struct vpn_msg_cookie *reply)
{
	const struct vpn_macs *macs = macs_of(skb->data, skb->len);
	struct vpn_cookie_checker *checker = &vpn->cookie;
	u8 cookie[VPN_COOKIE_LEN];
	u8 key[VPN_KEY_LEN];
	unsigned int seq;

	*reply = (struct vpn_msg_cookie){
		.header.type = VPN_MSG_COOKIE,
		.receiver = receiver,
	};
	make_nonce(reply->nonce);

	do {
		seq = read_seqbegin(&checker->lock);
		memcpy(key, checker->cookie_key, sizeof(key));
	} while (read_seqretry(&checker->lock, seq));
	make_cookie(checker, skb, cookie);
	xchacha20poly1305_encrypt(reply->sealed_cookie, cookie, sizeof(cookie),
				  macs->mac1, VPN_MAC_LEN, reply->nonce, key);
	memzero_explicit(cookie, sizeof(cookie));
	memzero_explicit(key, sizeof(key));
}

/* Either of our handshake messages may have been answered with a cookie. */
static struct vpn_peer *peer_of_index(struct vpn_device *vpn, __le32 value)
{
	struct vpn_peer *peer = NULL;
	struct vpn_index *index;

	rcu_read_lock();
	index = vpn_index_find(vpn, value);
	if (index)
		peer = vpn_peer_get_rcu(index->peer);
	rcu_read_unlock();
	return peer;
}

struct vpn_peer *vpn_cookie_consume_reply(struct vpn_device *vpn,
					  const struct vpn_msg_cookie *reply)
{
	u8 bytes[VPN_COOKIE_LEN];
	struct vpn_cookie *cookie;
	struct vpn_peer *peer;
	bool ok = false;

	peer = peer_of_index(vpn, reply->receiver);
	if (!peer)
		return NULL;
	cookie = &peer->cookie;

	down_write(&cookie->lock);
	if (cookie->have_mac1 &&
	    cookie->version_sent == reply->header.version)
		ok = xchacha20poly1305_decrypt(bytes, reply->sealed_cookie,
					       sizeof(reply->sealed_cookie),
					       cookie->mac1_sent, VPN_MAC_LEN,
					       reply->nonce,
					       cookie->cookie_key);
	if (ok) {
		memcpy(cookie->bytes, bytes, VPN_COOKIE_LEN);
		cookie->birth = ktime_get_boottime_ns();
		cookie->have_mac1 = false;
	}
	up_write(&cookie->lock);
	memzero_explicit(bytes, sizeof(bytes));

	if (!ok) {
		vpn_peer_put(peer);
		return NULL;
	}
	return peer;
}
