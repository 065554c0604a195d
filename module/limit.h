/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What strangers may cost: when there are too many of their handshake messages,
 * and what each source may have then.
 */
#ifndef VPN_LIMIT_H
#define VPN_LIMIT_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/siphash.h>
#include <linux/skbuff.h>
#include <linux/types.h>

struct vpn_device;

#define VPN_LIMIT_BUCKETS	BIT(12)	/* of a device, for each purpose */

/**
 * struct vpn_limits - what the strangers of a device may have
 * @key: spreads sources over buckets as nobody can foretell
 * @load_end: until when the device counts as under load, boot clock, ns
 * @load_count: messages that came under load since that was put off
 * @spare: cookies for whoever asks, wherever from
 * @cookies: cookies by the network that asks
 * @handshakes: handshakes by source
 *
 * A bucket is a time on the boot clock, in ns: when it will be full again. So a
 * source needs no memory of its own, and strangers can't use any up. Those that
 * share a bucket share what is in it.
 */
struct vpn_limits {
	siphash_aligned_key_t key;
	atomic64_t load_end;
	atomic_t load_count;
	atomic64_t spare;
	atomic64_t cookies[VPN_LIMIT_BUCKETS];
	atomic64_t handshakes[VPN_LIMIT_BUCKETS];
};

/* Return: NULL without memory. Context: process. */
struct vpn_limits *vpn_limits_alloc(void);
void vpn_limits_free(struct vpn_limits *limits);

/**
 * vpn_limit_under_load() - tell whether cookies are asked for
 * @vpn: the device
 * @now: boot clock, ns
 *
 * Return: whether too many handshake messages wait, or did so, or still come,
 * within the last second.
 */
bool vpn_limit_under_load(struct vpn_device *vpn, u64 now);

/**
 * vpn_limit_note_arrival() - count a message that came under load
 * @limits: of the device
 * @now: boot clock, ns
 *
 * It lasts as long as so many come as have brought it about.
 */
void vpn_limit_note_arrival(struct vpn_limits *limits, u64 now);

/**
 * vpn_limit_has_cookie() - tell whether somebody may have a cookie
 * @limits: of the device
 * @skb: the message, with its UDP packet's headers
 * @now: boot clock, ns
 *
 * Return: whether vpn_limit_take_cookie() would succeed now.
 */
bool vpn_limit_has_cookie(struct vpn_limits *limits, const struct sk_buff *skb,
			  u64 now);

/**
 * vpn_limit_take_cookie() - make use of the right to a cookie
 * @limits: of the device
 * @skb: the message, with its UDP packet's headers
 * @now: boot clock, ns
 *
 * Each network, an IPv4 /24 or an IPv6 /48, has a share that no other can take
 * away, and there is a number of cookies for all.
 *
 * Return: whether there was one left.
 */
bool vpn_limit_take_cookie(struct vpn_limits *limits, const struct sk_buff *skb,
			   u64 now);

/**
 * vpn_limit_take_handshake() - make use of the right to a handshake
 * @limits: of the device
 * @skb: the message, with its UDP packet's headers
 * @now: boot clock, ns
 *
 * Return: whether its source has not had too many.
 */
bool vpn_limit_take_handshake(struct vpn_limits *limits,
			      const struct sk_buff *skb, u64 now);

/**
 * vpn_limit_source() - whom a packet is from, as far as limits go
 * @skb: with IP headers
 *
 * Return: the IPv4 address, or the /64 of the IPv6 address.
 */
u64 vpn_limit_source(const struct sk_buff *skb);

#endif
