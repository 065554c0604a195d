// SPDX-License-Identifier: GPL-2.0
/*
 * What strangers may cost a device (WireGuard white paper, section 5.3).
 *
 * While few handshake messages come, each is computed with. Under load those
 * without a cookie are answered with one, as long as their network has not had
 * its share or there are cookies to spare, and dropped otherwise: who means it
 * comes again. With a cookie, a source has its share of handshakes.
 *
 * All of that is computed on the CPU that receives, so it is what somebody who
 * has proved nothing can keep the processor busy with.
 */

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "device.h"
#include "limit.h"
#include "messages.h"

/* Messages that wait until we count as under load, and for how long we do. */
#define LOAD_MESSAGES	(VPN_HANDSHAKES_MAX / 8)
#define LOAD_NS		NSEC_PER_SEC

/**
 * struct rate - how fast a bucket is filled
 * @interval: between two tokens, ns
 * @room: for so many
 */
struct rate {
	u64 interval;
	unsigned int room;
};

/*
 * A client asks for a cookie once in five seconds. All buckets together bound
 * what a flood from forged addresses gets: 4,096 and 1,000 cookies a second.
 */
static const struct rate network_rate = { NSEC_PER_SEC, 4 };
static const struct rate spare_rate = { NSEC_PER_SEC / 1000, 128 };
static const struct rate handshake_rate = { NSEC_PER_SEC / 20, 5 };

/* When the bucket would be full again after one more; zero if it has none. */
static u64 after_one(s64 filled, const struct rate *rate, u64 now)
{
	u64 next = max_t(u64, filled, now) + rate->interval;

	return next <= now + rate->room * rate->interval ? next : 0;
}

static bool has_token(const atomic64_t *bucket, const struct rate *rate,
		      u64 now)
{
	return after_one(atomic64_read(bucket), rate, now);
}

static bool take_token(atomic64_t *bucket, const struct rate *rate, u64 now)
{
	s64 filled = atomic64_read(bucket);
	u64 next;

	do {
		next = after_one(filled, rate, now);
		if (!next)
			return false;
	} while (!atomic64_try_cmpxchg(bucket, &filled, next));
	return true;
}

u64 vpn_limit_source(const struct sk_buff *skb)
{
	__be64 prefix;

	if (skb->protocol == htons(ETH_P_IP))
		return ntohl(ip_hdr(skb)->saddr);
	memcpy(&prefix, &ipv6_hdr(skb)->saddr, sizeof(prefix));
	return be64_to_cpu(prefix);
}

/* Whoever can send from one address of it can most likely do so from others. */
static u64 network_of(const struct sk_buff *skb)
{
	u64 source = vpn_limit_source(skb);

	if (skb->protocol == htons(ETH_P_IP))
		return source & ~(u64)U8_MAX;
	return source & ~(u64)U16_MAX;
}

static unsigned int bucket_of(const struct vpn_limits *limits, u64 source)
{
	return siphash_1u64(source, &limits->key) & (VPN_LIMIT_BUCKETS - 1);
}

bool vpn_limit_has_cookie(struct vpn_limits *limits, const struct sk_buff *skb,
			  u64 now)
{
	unsigned int bucket = bucket_of(limits, network_of(skb));

	return has_token(&limits->cookies[bucket], &network_rate, now) ||
	       has_token(&limits->spare, &spare_rate, now);
}

bool vpn_limit_take_cookie(struct vpn_limits *limits, const struct sk_buff *skb,
			   u64 now)
{
	unsigned int bucket = bucket_of(limits, network_of(skb));

	return take_token(&limits->cookies[bucket], &network_rate, now) ||
	       take_token(&limits->spare, &spare_rate, now);
}

bool vpn_limit_take_handshake(struct vpn_limits *limits,
			      const struct sk_buff *skb, u64 now)
{
	unsigned int bucket = bucket_of(limits, vpn_limit_source(skb));

	return take_token(&limits->handshakes[bucket], &handshake_rate, now);
}

static void put_off_end(struct vpn_limits *limits, u64 now)
{
	atomic_set(&limits->load_count, 0);
	atomic64_set(&limits->load_end, now + LOAD_NS);
}

bool vpn_limit_under_load(struct vpn_device *vpn, u64 now)
{
	if (skb_queue_len_lockless(&vpn->handshakes) >= LOAD_MESSAGES) {
		put_off_end(vpn->limits, now);
		return true;
	}
	return now < (u64)atomic64_read(&vpn->limits->load_end);
}

void vpn_limit_note_arrival(struct vpn_limits *limits, u64 now)
{
	if (atomic_inc_return(&limits->load_count) >= LOAD_MESSAGES)
		put_off_end(limits, now);
}

struct vpn_limits *vpn_limits_alloc(void)
{
	struct vpn_limits *limits = kvzalloc(sizeof(*limits),
					     GFP_KERNEL_ACCOUNT);

	if (limits)
		get_random_bytes(&limits->key, sizeof(limits->key));
	return limits;
}

void vpn_limits_free(struct vpn_limits *limits)
{
	kvfree(limits);
}
