// SPDX-License-Identifier: GPL-2.0
/*
 * The clocks of a peer (WireGuard white paper, section 6). Each of its timers
 * stands for one promise:
 *
 * retransmit_handshake: an initiation is repeated until it is answered, for
 *	%VPN_REKEY_ATTEMPT_TIME or a bit longer.
 * send_keepalive: who has received data answers within %VPN_KEEPALIVE_TIMEOUT,
 *	if only with an empty message.
 * new_handshake: who has sent data and hears nothing begins a new session.
 * erase_keys: keys do not outlive their use by more than three times
 *	%VPN_REJECT_AFTER_TIME.
 * persistent_keepalive: what the administrator asked for.
 * renew: who asks for an address asks until it has one, and again when half of
 *	its lease is over.
 * expiry: a peer whose time is over has no session.
 * echo: the initiator of a session of version 1 that is in use knows its
 *	round-trip time.
 *
 * Timers run on jiffies; ages that decide about keys are taken on the boot
 * clock, which goes on while the machine sleeps.
 */

#include <linux/moduleparam.h>
#include <linux/random.h>

#include "control.h"
#include "device.h"
#include "event.h"
#include "handshake.h"
#include "peer.h"
#include "timer.h"
#include "tx.h"

/* Seconds until an address is asked for once more, and between echoes. */
#define RENEW_RETRY	30
#define ECHO_INTERVAL	60

/* Somebody may set the wall clock: look at it that often, in seconds. */
#define EXPIRY_LOOK	60

#define HANDSHAKE_ATTEMPTS_MAX (VPN_REKEY_ATTEMPT_TIME / VPN_REKEY_TIMEOUT)

#ifdef VPN_TEST
unsigned int vpn_timescale = 1;

static int timescale_set(const char *value, const struct kernel_param *kp)
{
	unsigned int scale;
	int err = kstrtouint(value, 0, &scale);

	if (err)
		return err;
	if (!scale || scale > 100)
		return -EINVAL;
	WRITE_ONCE(vpn_timescale, scale);
	return 0;
}

static const struct kernel_param_ops timescale_ops = {
	.set = timescale_set,
	.get = param_get_uint,
};

module_param_cb(timescale, &timescale_ops, &vpn_timescale, 0644);
MODULE_PARM_DESC(timescale, "how many times faster the protocol's clocks run (test builds only)");
#endif

/* Ends that began together should not go on colliding: up to a third of a second. */
static unsigned long jitter(void)
{
	return get_random_u32_below(vpn_seconds_to_jiffies(1) / 3 + 1);
}

static void arm(struct vpn_peer *peer, struct timer_list *timer,
		unsigned long delay)
{
	rcu_read_lock();
	if (READ_ONCE(peer->timers.enabled))
		mod_timer(timer, jiffies + delay);
	rcu_read_unlock();
}

static void disarm(struct timer_list *timer)
{
	if (timer_pending(timer))
		timer_delete(timer);
}

static void arm_erase_keys(struct vpn_peer *peer)
{
	arm(peer, &peer->timers.erase_keys,
	    vpn_seconds_to_jiffies(3 * VPN_REJECT_AFTER_TIME));
}

static bool asks_for_address(const struct vpn_peer *peer)
{
	return READ_ONCE(peer->address_mode) == VPN_ADDRESS_MODE_REQUEST;
}

static void retry_renewal(struct vpn_peer *peer)
{
	if (asks_for_address(peer))
		arm(peer, &peer->timers.renew,
		    vpn_seconds_to_jiffies(RENEW_RETRY));
}

/* The peer does not answer: stop, and let the application hear of it. */
static void give_up_handshake(struct vpn_peer *peer)
{
	net_dbg_ratelimited("%s: peer %llu does not answer after %u attempts\n",
			    peer->vpn->dev->name, peer->id,
			    READ_ONCE(peer->timers.handshake_attempts) + 1);
	disarm(&peer->timers.send_keepalive);
	vpn_tx_purge_staged(peer);
	if (!timer_pending(&peer->timers.erase_keys))
		arm_erase_keys(peer);
	retry_renewal(peer);
}

static void retransmit_handshake_expired(struct timer_list *timer)
{
	struct vpn_peer *peer = container_of(timer, struct vpn_peer,
					     timers.retransmit_handshake);

	unsigned int attempts = READ_ONCE(peer->timers.handshake_attempts);

	if (attempts > HANDSHAKE_ATTEMPTS_MAX) {
		give_up_handshake(peer);
		return;
	}
	/* Should this undo a reset, the next vpn_handshake_queue() resets it. */
	WRITE_ONCE(peer->timers.handshake_attempts, attempts + 1);
	/* Our own address may be the reason why nothing comes back. */
	vpn_endpoint_forget_source(peer);
	vpn_handshake_queue(peer, true);
}

static void send_keepalive_expired(struct timer_list *timer)
{
	struct vpn_peer *peer = container_of(timer, struct vpn_peer,
					     timers.send_keepalive);

	vpn_tx_keepalive(peer);
	if (READ_ONCE(peer->timers.need_another_keepalive)) {
		WRITE_ONCE(peer->timers.need_another_keepalive, false);
		arm(peer, timer, vpn_seconds_to_jiffies(VPN_KEEPALIVE_TIMEOUT));
	}
}

static void new_handshake_expired(struct timer_list *timer)
{
	struct vpn_peer *peer = container_of(timer, struct vpn_peer,
					     timers.new_handshake);

	vpn_endpoint_forget_source(peer);
	vpn_handshake_queue(peer, false);
}

static void erase_keys_expired(struct timer_list *timer)
{
	struct vpn_peer *peer = container_of(timer, struct vpn_peer,
					     timers.erase_keys);

	vpn_peer_queue_work(peer, &peer->erase_work);
}

void vpn_timers_erase_work(struct work_struct *work)
{
	struct vpn_peer *peer = container_of(work, struct vpn_peer, erase_work);

	vpn_handshake_clear(peer);
	if (vpn_session_end_all(peer))
		vpn_event_session_expired(peer);
	vpn_peer_put(peer);
}

/* Anything authenticated, in either direction, keeps the mapping of a NAT. */
static void put_off_persistent_keepalive(struct vpn_peer *peer)
{
	u16 interval = READ_ONCE(peer->timers.persistent_keepalive_interval);

	if (interval)
		arm(peer, &peer->timers.persistent_keepalive,
		    vpn_seconds_to_jiffies(interval));
}

/* Whether this one can be sent or not, the next one is due in an interval. */
static void persistent_keepalive_expired(struct timer_list *timer)
{
	struct vpn_peer *peer = container_of(timer, struct vpn_peer,
					     timers.persistent_keepalive);

	put_off_persistent_keepalive(peer);
	if (READ_ONCE(peer->timers.persistent_keepalive_interval))
		vpn_tx_keepalive(peer);
}

static void renew_expired(struct timer_list *timer)
{
	struct vpn_peer *peer = container_of(timer, struct vpn_peer,
					     timers.renew);

	if (asks_for_address(peer))
		vpn_handshake_queue(peer, false);
}

static void arm_expiry(struct vpn_peer *peer)
{
	u64 expires = READ_ONCE(peer->terms.expires);
	u64 now = ktime_get_real_ns(), left;

	if (!expires)
		return;
	left = expires > now ? expires - now : 0;
	left = min_t(u64, left, EXPIRY_LOOK * NSEC_PER_SEC);
	arm(peer, &peer->timers.expiry, nsecs_to_jiffies(left) + 1);
}

static void expiry_expired(struct timer_list *timer)
{
	struct vpn_peer *peer = container_of(timer, struct vpn_peer,
					     timers.expiry);

	if (vpn_terms_expired(peer))
		vpn_peer_queue_work(peer, &peer->expire_work);
	else
		arm_expiry(peer);
}

void vpn_timers_expire_work(struct work_struct *work)
{
	struct vpn_peer *peer = container_of(work, struct vpn_peer,
					     expire_work);

	vpn_control_disconnect(peer, VPN_DISCONNECT_REASON_EXPIRED);
	vpn_handshake_clear(peer);
	vpn_session_end_all(peer);
	vpn_tx_purge_staged(peer);
	vpn_event_peer_expired(peer);
	vpn_peer_put(peer);
}

/* Only a session in use is worth the trouble. */
static void echo_expired(struct timer_list *timer)
{
	struct vpn_peer *peer = container_of(timer, struct vpn_peer,
					     timers.echo);
	u64 received = atomic64_read(&peer->rx_bytes);

	if (received == READ_ONCE(peer->echo.rx_bytes))
		return;
	WRITE_ONCE(peer->echo.rx_bytes, received);
	if (!vpn_control_ping(peer))
		vpn_timers_echo(peer);
}

void vpn_timers_echo(struct vpn_peer *peer)
{
	arm(peer, &peer->timers.echo, vpn_seconds_to_jiffies(ECHO_INTERVAL));
}

/* After a refusal or a goodbye nothing would come back to it otherwise. */
void vpn_timers_handshake_wanted(struct vpn_peer *peer)
{
	struct timer_list *timer = &peer->timers.retransmit_handshake;

	if (!timer_pending(timer))
		arm(peer, timer, vpn_seconds_to_jiffies(VPN_REKEY_TIMEOUT) + 1);
}

void vpn_timers_handshake_rejected(struct vpn_peer *peer)
{
	disarm(&peer->timers.retransmit_handshake);
	WRITE_ONCE(peer->timers.handshake_attempts, 0);
	vpn_tx_purge_staged(peer);
	retry_renewal(peer);
}

void vpn_timers_disconnected(struct vpn_peer *peer)
{
	disarm(&peer->timers.retransmit_handshake);
	disarm(&peer->timers.new_handshake);
	disarm(&peer->timers.send_keepalive);
	disarm(&peer->timers.echo);
	retry_renewal(peer);
}

void vpn_timers_assigned(struct vpn_peer *peer, u32 lease)
{
	if (lease && asks_for_address(peer))
		arm(peer, &peer->timers.renew,
		    min_t(u64, (u64)lease * HZ / 2, MAX_JIFFY_OFFSET));
}

void vpn_timers_request(struct vpn_peer *peer)
{
	if (READ_ONCE(peer->timers.enabled) && asks_for_address(peer))
		vpn_handshake_queue(peer, false);
}

void vpn_timers_set_expires(struct vpn_peer *peer, u64 expires)
{
	lockdep_assert_held(&peer->vpn->lock);

	WRITE_ONCE(peer->terms.expires, expires);
	if (expires)
		arm_expiry(peer);
	else
		disarm(&peer->timers.expiry);
}

void vpn_timers_data_sent(struct vpn_peer *peer)
{
	struct timer_list *timer = &peer->timers.new_handshake;

	if (!timer_pending(timer))
		arm(peer, timer, jitter() +
		    vpn_seconds_to_jiffies(VPN_KEEPALIVE_TIMEOUT +
					   VPN_REKEY_TIMEOUT));
}

void vpn_timers_data_received(struct vpn_peer *peer)
{
	struct timer_list *timer = &peer->timers.send_keepalive;

	if (!timer_pending(timer))
		arm(peer, timer, vpn_seconds_to_jiffies(VPN_KEEPALIVE_TIMEOUT));
	else if (!READ_ONCE(peer->timers.need_another_keepalive))
		WRITE_ONCE(peer->timers.need_another_keepalive, true);
}

void vpn_timers_authenticated_sent(struct vpn_peer *peer)
{
	disarm(&peer->timers.send_keepalive);
	put_off_persistent_keepalive(peer);
}

void vpn_timers_authenticated_received(struct vpn_peer *peer)
{
	disarm(&peer->timers.new_handshake);
	put_off_persistent_keepalive(peer);
}

void vpn_timers_handshake_initiated(struct vpn_peer *peer)
{
	/*
	 * The first jiffy has begun: without one more the timer could come
	 * before the next initiation is due, and find nothing to do.
	 */
	arm(peer, &peer->timers.retransmit_handshake,
	    vpn_seconds_to_jiffies(VPN_REKEY_TIMEOUT) + 1 + jitter());
}

void vpn_timers_handshake_complete(struct vpn_peer *peer)
{
	disarm(&peer->timers.retransmit_handshake);
	WRITE_ONCE(peer->timers.handshake_attempts, 0);
	WRITE_ONCE(peer->timers.sent_lastminute_handshake, false);
	WRITE_ONCE(peer->last_handshake, ktime_get_real_ns());
}

void vpn_timers_session_derived(struct vpn_peer *peer)
{
	arm_erase_keys(peer);
}

void vpn_timers_set_persistent_keepalive(struct vpn_peer *peer, u16 seconds)
{
	u16 former = peer->timers.persistent_keepalive_interval;

	lockdep_assert_held(&peer->vpn->lock);

	WRITE_ONCE(peer->timers.persistent_keepalive_interval, seconds);
	if (!seconds)
		disarm(&peer->timers.persistent_keepalive);
	else if (former)
		put_off_persistent_keepalive(peer);
	else if (READ_ONCE(peer->timers.enabled))
		vpn_tx_keepalive(peer);
}

void vpn_timers_start(struct vpn_peer *peer)
{
	lockdep_assert_held(&peer->vpn->lock);

	WRITE_ONCE(peer->timers.enabled, true);
	arm_expiry(peer);
	vpn_timers_request(peer);
	if (peer->timers.persistent_keepalive_interval)
		vpn_tx_keepalive(peer);
}

void vpn_timers_disable(struct vpn_peer *peer)
{
	WRITE_ONCE(peer->timers.enabled, false);
}

void vpn_timers_stop(struct vpn_peer *peer)
{
	timer_delete_sync(&peer->timers.retransmit_handshake);
	timer_delete_sync(&peer->timers.send_keepalive);
	timer_delete_sync(&peer->timers.new_handshake);
	timer_delete_sync(&peer->timers.erase_keys);
	timer_delete_sync(&peer->timers.persistent_keepalive);
	timer_delete_sync(&peer->timers.renew);
	timer_delete_sync(&peer->timers.expiry);
	timer_delete_sync(&peer->timers.echo);
	/* What was received just before may still be looking at these. */
	WRITE_ONCE(peer->timers.handshake_attempts, 0);
	WRITE_ONCE(peer->timers.need_another_keepalive, false);
	WRITE_ONCE(peer->timers.sent_lastminute_handshake, false);
}

void vpn_timers_setup(struct vpn_peer *peer)
{
	struct vpn_timers *timers = &peer->timers;

	timer_setup(&timers->retransmit_handshake,
		    retransmit_handshake_expired, 0);
	timer_setup(&timers->send_keepalive, send_keepalive_expired, 0);
	timer_setup(&timers->new_handshake, new_handshake_expired, 0);
	timer_setup(&timers->erase_keys, erase_keys_expired, 0);
	timer_setup(&timers->persistent_keepalive,
		    persistent_keepalive_expired, 0);
	timer_setup(&timers->renew, renew_expired, 0);
	timer_setup(&timers->expiry, expiry_expired, 0);
	timer_setup(&timers->echo, echo_expired, 0);
}
