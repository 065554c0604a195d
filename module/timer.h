/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_TIMER_H
#define VPN_TIMER_H

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/workqueue.h>

#include "messages.h"

struct vpn_peer;

#ifdef VPN_TEST
/* Test builds can make the protocol's clocks run faster. */
extern unsigned int vpn_timescale;
#define VPN_TIMESCALE	READ_ONCE(vpn_timescale)
#else
#define VPN_TIMESCALE	1U
#endif

static inline unsigned long vpn_seconds_to_jiffies(unsigned int seconds)
{
	return seconds * (unsigned long)HZ / VPN_TIMESCALE;
}

static inline u64 vpn_seconds_to_ns(unsigned int seconds)
{
	return (u64)seconds * NSEC_PER_SEC / VPN_TIMESCALE;
}

/* Whether @seconds of the protocol's time have passed since @birth. */
static inline bool vpn_time_passed(u64 birth, unsigned int seconds)
{
	return ktime_get_boottime_ns() - birth >= vpn_seconds_to_ns(seconds);
}

/*
 * The same as of the last tick, for the data path: reading the clock takes
 * longer. @birth may be later than that.
 */
static inline bool vpn_time_had_passed(u64 birth, unsigned int seconds)
{
	return (s64)(ktime_get_coarse_boottime_ns() - birth) >=
	       (s64)vpn_seconds_to_ns(seconds);
}

void vpn_timers_setup(struct vpn_peer *peer);

/* The device came up. */
void vpn_timers_start(struct vpn_peer *peer);

/*
 * The device goes down, or the peer goes. From vpn_timers_disable() and a
 * grace period on, no timer is armed any more; vpn_timers_stop(), which sleeps,
 * then waits for those that were.
 */
void vpn_timers_disable(struct vpn_peer *peer);
void vpn_timers_stop(struct vpn_peer *peer);
void vpn_timers_set_persistent_keepalive(struct vpn_peer *peer, u16 seconds);

/* What happened to a peer; any context. A batch counts as one event. */
void vpn_timers_data_sent(struct vpn_peer *peer);
void vpn_timers_data_received(struct vpn_peer *peer);
void vpn_timers_authenticated_sent(struct vpn_peer *peer);
void vpn_timers_authenticated_received(struct vpn_peer *peer);
void vpn_timers_handshake_initiated(struct vpn_peer *peer);
void vpn_timers_handshake_complete(struct vpn_peer *peer);
/* One is wanted, but the next is not due yet. */
void vpn_timers_handshake_wanted(struct vpn_peer *peer);
void vpn_timers_handshake_rejected(struct vpn_peer *peer);
void vpn_timers_disconnected(struct vpn_peer *peer);
/* The peer told us what to configure, for so many seconds; zero for ever. */
void vpn_timers_assigned(struct vpn_peer *peer, u32 lease);
void vpn_timers_echo(struct vpn_peer *peer);
/* The settings changed: perhaps an address is to be asked for. */
void vpn_timers_request(struct vpn_peer *peer);
void vpn_timers_set_expires(struct vpn_peer *peer, u64 expires);
void vpn_timers_erase_work(struct work_struct *work);
void vpn_timers_expire_work(struct work_struct *work);
void vpn_timers_session_derived(struct vpn_peer *peer);

#endif
