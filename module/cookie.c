// SPDX-License-Identifier: GPL-2.0
/*
 * Denial-of-service defence (WireGuard white paper, section 5.3).
 *
 * A message must first show by mac1 that its sender knows our public key. Under
 * load it must also show by mac2, that is by a cookie which we sent to its
 * source address, that it can receive there; and then that address gets its
 * share of our time and no more.
 */

#include <crypto/chacha20poly1305.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/list.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/udp.h>
#include <linux/workqueue.h>

#include "cookie.h"
#include "device.h"
#include "index.h"
#include "peer.h"
#include "timer.h"

#define LABEL_LEN 8

static const u8 mac1_label[LABEL_LEN] __nonstring = "mac1----";
static const u8 cookie_label[LABEL_LEN] __nonstring = "cookie--";

/*
 * The rate limiter: a token bucket for every source that got as far as a valid
 * mac2, an IPv4 address or an IPv6 network of 64 bits. One table serves every
 * device. A bucket that is full again says no more than no bucket, so it is
 * freed then; a new source is refused while the table is full.
 */
#define RATE_PER_SECOND		20
#define RATE_BURST		5
#define RATE_TOKEN		(NSEC_PER_SEC / RATE_PER_SECOND)
#define RATE_FULL		(RATE_TOKEN * RATE_BURST)
#define RATE_TABLE_BITS		13
#define RATE_ENTRIES_MAX	(8U << RATE_TABLE_BITS)
#define RATE_GC_INTERVAL	HZ

/**
 * struct rate_entry - the bucket of a source
 * @node: in the table
 * @scope: the device; compared only, never followed
 * @prefix: the source
 * @family: of @prefix
 * @lock: protects @tokens and @last
 * @tokens: nanoseconds of credit
 * @last: when @tokens was right, boot clock, ns
 * @rcu: defers freeing
 */
struct rate_entry {
	struct hlist_node node;
	const void *scope;
	u64 prefix;
	u8 family;
	spinlock_t lock;	/* of the two below */
	u64 tokens;
	u64 last;
	struct rcu_head rcu;
};

static struct hlist_head rate_table[1 << RATE_TABLE_BITS];
static DEFINE_SPINLOCK(rate_lock);	/* writers of the table and the count */
static unsigned int rate_count;
static siphash_aligned_key_t rate_key;

static void rate_collect(struct work_struct *work);
static DECLARE_DELAYED_WORK(rate_work, rate_collect);

static struct hlist_head *rate_bucket(const void *scope, u8 family, u64 prefix)
{
	u64 hash = siphash_3u64((unsigned long)scope, family, prefix,
				&rate_key);

	return &rate_table[hash & (ARRAY_SIZE(rate_table) - 1)];
}

static struct rate_entry *rate_find(struct hlist_head *bucket,
				    const void *scope, u8 family, u64 prefix)
{
	struct rate_entry *entry;

	hlist_for_each_entry_rcu(entry, bucket, node,
				 lockdep_is_held(&rate_lock)) {
		if (entry->scope == scope && entry->family == family &&
		    entry->prefix == prefix)
			return entry;
	}
	return NULL;
}

static bool rate_take(struct rate_entry *entry, u64 now)
{
	bool allowed = false;

	spin_lock(&entry->lock);
	/* Callers read the clock before they wait for the lock. */
	if (now > entry->last) {
		entry->tokens = min(entry->tokens + (now - entry->last),
				    RATE_FULL);
		entry->last = now;
	}
	if (entry->tokens >= RATE_TOKEN) {
		entry->tokens -= RATE_TOKEN;
		allowed = true;
	}
	spin_unlock(&entry->lock);
	return allowed;
}

/* Both of two workers may come here with the first message of a source. */
static bool rate_insert(struct rate_entry *entry, u64 now)
{
	struct hlist_head *bucket = rate_bucket(entry->scope, entry->family,
						entry->prefix);
	struct rate_entry *other;
	bool allowed = false;

	spin_lock(&rate_lock);
	other = rate_find(bucket, entry->scope, entry->family, entry->prefix);
	if (other) {
		allowed = rate_take(other, now);
	} else if (rate_count < RATE_ENTRIES_MAX) {
		if (!rate_count++)
			queue_delayed_work(system_power_efficient_wq,
					   &rate_work, RATE_GC_INTERVAL);
		hlist_add_head_rcu(&entry->node, bucket);
		allowed = true;
		entry = NULL;
	}
	spin_unlock(&rate_lock);
	kfree(entry);
	return allowed;
}

static bool rate_allow(const void *scope, u8 family, u64 prefix, u64 now)
{
	struct hlist_head *bucket = rate_bucket(scope, family, prefix);
	struct rate_entry *entry;
	bool allowed;

	rcu_read_lock();
	entry = rate_find(bucket, scope, family, prefix);
	if (entry) {
		allowed = rate_take(entry, now);
		rcu_read_unlock();
		return allowed;
	}
	rcu_read_unlock();

	if (READ_ONCE(rate_count) >= RATE_ENTRIES_MAX)
		return false;
	entry = kmalloc_obj(*entry, GFP_KERNEL | __GFP_NOWARN);
	if (!entry)
		return false;
	entry->scope = scope;
	entry->family = family;
	entry->prefix = prefix;
	entry->tokens = RATE_FULL - RATE_TOKEN;
	entry->last = now;
	spin_lock_init(&entry->lock);
	return rate_insert(entry, now);
}

static bool rate_is_full(struct rate_entry *entry, u64 now)
{
	bool full;

	spin_lock(&entry->lock);
	full = now > entry->last &&
	       entry->tokens + (now - entry->last) >= RATE_FULL;
	spin_unlock(&entry->lock);
	return full;
}

static void rate_collect_bucket(struct hlist_head *bucket, bool all)
{
	u64 now = ktime_get_boottime_ns();
	struct rate_entry *entry;
	struct hlist_node *next;

	spin_lock(&rate_lock);
	hlist_for_each_entry_safe(entry, next, bucket, node) {
		if (!all && !rate_is_full(entry, now))
			continue;
		hlist_del_rcu(&entry->node);
		rate_count--;
		kfree_rcu(entry, rcu);
	}
	spin_unlock(&rate_lock);
}

static void rate_collect_all(bool all)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rate_table); i++) {
		if (!hlist_empty(&rate_table[i]))
			rate_collect_bucket(&rate_table[i], all);
		cond_resched();
	}
}

static void rate_collect(struct work_struct *work)
{
	rate_collect_all(false);

	spin_lock(&rate_lock);
	if (rate_count)
		queue_delayed_work(system_power_efficient_wq, &rate_work,
				   RATE_GC_INTERVAL);
	spin_unlock(&rate_lock);
}

#ifdef VPN_TEST
bool vpn_ratelimit_allow(const void *scope, u8 family, u64 prefix, u64 now)
{
	return rate_allow(scope, family, prefix, now);
}
#endif

static bool rate_allow_skb(struct vpn_device *vpn, const struct sk_buff *skb)
{
	u64 now = ktime_get_boottime_ns();
	__be32 network[2];
	u64 prefix;

	if (skb->protocol == htons(ETH_P_IP))
		return rate_allow(vpn, AF_INET,
				  (__force u32)ip_hdr(skb)->saddr, now);

	memcpy(network, &ipv6_hdr(skb)->saddr, sizeof(network));
	memcpy(&prefix, network, sizeof(prefix));
	return rate_allow(vpn, AF_INET6, prefix, now);
}

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
	init_rwsem(&checker->lock);
}

void vpn_cookie_checker_identity_changed(struct vpn_device *vpn)
{
	struct vpn_cookie_checker *checker = &vpn->cookie;
	const struct vpn_identity *identity = &vpn->identity;

	lockdep_assert_held_write(&vpn->identity.lock);

	down_write(&checker->lock);
	memzero_explicit(checker->secret, sizeof(checker->secret));
	memzero_explicit(checker->cookie_key, sizeof(checker->cookie_key));
	memzero_explicit(checker->mac1_key, sizeof(checker->mac1_key));
	checker->secret_birth = 0;
	checker->ready = identity->present;
	if (checker->ready) {
		derive_key(checker->cookie_key, cookie_label,
			   identity->public_key);
		derive_key(checker->mac1_key, mac1_label,
			   identity->public_key);
	}
	up_write(&checker->lock);
}

void vpn_cookie_setup(struct vpn_cookie *cookie,
		      const u8 remote_static[VPN_KEY_LEN])
{
	init_rwsem(&cookie->lock);
	derive_key(cookie->cookie_key, cookie_label, remote_static);
	derive_key(cookie->mac1_key, mac1_label, remote_static);
}

static bool secret_is_old(const struct vpn_cookie_checker *checker)
{
	return !checker->secret_birth ||
	       vpn_time_passed(checker->secret_birth, VPN_COOKIE_SECRET_AGE);
}

/* Hold the checker for reading with a secret that may be used. */
static void hold_secret(struct vpn_cookie_checker *checker)
	__acquires(&checker->lock)
{
	down_read(&checker->lock);
	if (likely(!secret_is_old(checker)))
		return;
	up_read(&checker->lock);

	down_write(&checker->lock);
	if (secret_is_old(checker)) {
		get_random_bytes(checker->secret, sizeof(checker->secret));
		checker->secret_birth = ktime_get_boottime_ns();
	}
	downgrade_write(&checker->lock);
}

/* The cookie of a packet's source; nothing about it has to be remembered. */
static void make_cookie(const struct vpn_cookie_checker *checker,
			const struct sk_buff *skb, u8 cookie[VPN_COOKIE_LEN])
{
	const __be16 port = udp_hdr(skb)->source;
	struct vpn_blake2s ctx;

	vpn_blake2s_init(&ctx, VPN_COOKIE_LEN, checker->secret, VPN_HASH_LEN);
	if (skb->protocol == htons(ETH_P_IP))
		vpn_blake2s_update(&ctx, &ip_hdr(skb)->saddr,
				   sizeof(struct in_addr));
	else
		vpn_blake2s_update(&ctx, &ipv6_hdr(skb)->saddr,
				   sizeof(struct in6_addr));
	vpn_blake2s_update(&ctx, &port, sizeof(port));
	vpn_blake2s_final(&ctx, cookie);
}

static bool mac1_is_valid(struct vpn_cookie_checker *checker,
			  const struct sk_buff *skb)
{
	const struct vpn_macs *macs = macs_of(skb->data, skb->len);
	u8 mac1[VPN_MAC_LEN];
	bool ready;

	down_read(&checker->lock);
	ready = checker->ready;
	make_mac1(mac1, skb->data, skb->len, checker->mac1_key);
	up_read(&checker->lock);
	return !crypto_memneq(mac1, macs->mac1, VPN_MAC_LEN) && ready;
}

static bool mac2_is_valid(struct vpn_cookie_checker *checker,
			  const struct sk_buff *skb)
{
	const struct vpn_macs *macs = macs_of(skb->data, skb->len);
	u8 cookie[VPN_COOKIE_LEN];
	u8 mac2[VPN_MAC_LEN];

	hold_secret(checker);
	make_cookie(checker, skb, cookie);
	up_read(&checker->lock);
	make_mac2(mac2, skb->data, skb->len, cookie);
	memzero_explicit(cookie, sizeof(cookie));
	return !crypto_memneq(mac2, macs->mac2, VPN_MAC_LEN);
}

enum vpn_mac_verdict vpn_cookie_check(struct vpn_device *vpn,
				      struct sk_buff *skb, bool under_load)
{
	if (skb->len < sizeof(struct vpn_macs) ||
	    !mac1_is_valid(&vpn->cookie, skb))
		return VPN_MAC_INVALID;
	if (!under_load || !mac2_is_valid(&vpn->cookie, skb))
		return VPN_MAC_VALID;
	if (!rate_allow_skb(vpn, skb))
		return VPN_MAC_LIMITED;
	return VPN_MAC_WITH_COOKIE;
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

void vpn_cookie_make_reply(struct vpn_device *vpn, struct sk_buff *skb,
			   __le32 receiver, struct vpn_msg_cookie *reply)
{
	const struct vpn_macs *macs = macs_of(skb->data, skb->len);
	struct vpn_cookie_checker *checker = &vpn->cookie;
	u8 cookie[VPN_COOKIE_LEN];

	*reply = (struct vpn_msg_cookie){
		.header.type = VPN_MSG_COOKIE,
		.receiver = receiver,
	};
	get_random_bytes(reply->nonce, sizeof(reply->nonce));

	hold_secret(checker);
	make_cookie(checker, skb, cookie);
	xchacha20poly1305_encrypt(reply->sealed_cookie, cookie, sizeof(cookie),
				  macs->mac1, VPN_MAC_LEN, reply->nonce,
				  checker->cookie_key);
	up_read(&checker->lock);
	memzero_explicit(cookie, sizeof(cookie));
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

int __init vpn_cookie_init(void)
{
	get_random_bytes(&rate_key, sizeof(rate_key));
	return 0;
}

void vpn_cookie_uninit(void)
{
	cancel_delayed_work_sync(&rate_work);
	rate_collect_all(true);
}
