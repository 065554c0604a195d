// SPDX-License-Identifier: GPL-2.0
/*
 * Handshake messages on the wire, version 0 (WireGuard white paper, section
 * 5.4): build them, consume them, and answer.
 */

#include <crypto/curve25519.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "cookie.h"
#include "device.h"
#include "event.h"
#include "handshake.h"
#include "noise.h"
#include "peer.h"
#include "session.h"
#include "socket.h"
#include "stats.h"
#include "timer.h"
#include "trace.h"
#include "tx.h"

/* Messages that wait until we count as under load, and for how long we do. */
#define LOAD_MESSAGES	(VPN_HANDSHAKES_MAX / 8)
#define LOAD_NS		NSEC_PER_SEC

/*
 * Messages a worker consumes before it queues itself again: who flushes the
 * workqueue must not wait as long as strangers keep sending.
 */
#define WORK_MESSAGES	64

/* Seconds since 1970 in TAI64; the leap seconds since don't matter here. */
#define TAI64_EPOCH	0x400000000000000aULL

/* Time stamps tell no more of our clock than one initiation needs. */
#define TIMESTAMP_STEP	rounddown_pow_of_two(NSEC_PER_SEC /		\
					     VPN_INITIATIONS_PER_SECOND)

/**
 * struct tai64n - external TAI64N label
 * @seconds: since the epoch
 * @nanoseconds: within the second
 *
 * Labels compare like strings of octets.
 */
struct tai64n {
	__be64 seconds;
	__be32 nanoseconds;
} __packed;

static_assert(sizeof(struct tai64n) == VPN_TIMESTAMP_LEN);

static const char prologue[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

/*
 * How far the wall clock has ever been ahead of the boot clock, over every
 * device. Time stamps are made of the boot clock and this: peers refuse those
 * that go back, and somebody may set the wall clock back.
 */
static atomic64_t wall_ahead = ATOMIC64_INIT(S64_MIN);

static u64 monotonic_wall_clock(void)
{
	u64 boot = ktime_get_boottime_ns();
	s64 ahead = ktime_get_real_ns() - boot;
	s64 greatest = atomic64_read(&wall_ahead);

	while (ahead > greatest)
		if (atomic64_try_cmpxchg(&wall_ahead, &greatest, ahead))
			return boot + ahead;
	return boot + greatest;
}

static void make_timestamp(struct vpn_handshake *handshake,
			   struct tai64n *timestamp)
{
	u64 now = round_down(monotonic_wall_clock(), TIMESTAMP_STEP);
	u32 nanoseconds;
	u64 seconds;

	if (now <= handshake->latest_sent)
		now = handshake->latest_sent + TIMESTAMP_STEP;
	handshake->latest_sent = now;

	seconds = div_u64_rem(now, NSEC_PER_SEC, &nanoseconds);
	timestamp->seconds = cpu_to_be64(TAI64_EPOCH + seconds);
	timestamp->nanoseconds = cpu_to_be32(nanoseconds);
}

/* @peer_id is zero when nobody knows whose the message is. */
static void count_message(struct vpn_device *vpn, u64 peer_id, u8 type,
			  bool sent)
{
	static const enum vpn_stat stats[2][VPN_MSG_DATA] = {
		{
			[VPN_MSG_INITIATION] =
				VPN_STAT_HANDSHAKE_INITIATIONS_RECEIVED,
			[VPN_MSG_RESPONSE] =
				VPN_STAT_HANDSHAKE_RESPONSES_RECEIVED,
			[VPN_MSG_COOKIE] = VPN_STAT_HANDSHAKE_COOKIES_RECEIVED,
		}, {
			[VPN_MSG_INITIATION] =
				VPN_STAT_HANDSHAKE_INITIATIONS_SENT,
			[VPN_MSG_RESPONSE] = VPN_STAT_HANDSHAKE_RESPONSES_SENT,
			[VPN_MSG_COOKIE] = VPN_STAT_HANDSHAKE_COOKIES_SENT,
		},
	};

	vpn_stats_inc(vpn, stats[sent][type]);
	trace_vpn_handshake(vpn->dev, peer_id, type, sent);
}

/* Version 0 has the three octets behind the type all zero. */
static struct vpn_header header_v0(u8 type)
{
	return (struct vpn_header){ .type = type };
}

static void begin_v0(struct vpn_noise *noise,
		     const u8 responder[VPN_KEY_LEN])
{
	vpn_noise_begin(noise, &vpn_noise_chacha20poly1305, prologue,
			sizeof(prologue) - 1, responder);
}

/* Neither a session nor a secret of a handshake may outlive its peer. */
static bool peer_is_gone(const struct vpn_peer *peer)
{
	return READ_ONCE(peer->dead);
}

static void forget_initiation(struct vpn_handshake *handshake)
{
	lockdep_assert_held_write(&handshake->lock);

	handshake->pending = false;
	vpn_index_withdraw(&handshake->index);
	memzero_explicit(&handshake->noise, sizeof(handshake->noise));
	memzero_explicit(handshake->ephemeral_private, VPN_KEY_LEN);
}

static void compute_static_static(struct vpn_handshake *handshake,
				  const struct vpn_identity *identity)
{
	/* What can't be computed is left zero, and refused when it is used. */
	if (!identity->present ||
	    !curve25519(handshake->static_static, identity->private_key,
			handshake->remote_static))
		memzero_explicit(handshake->static_static, VPN_KEY_LEN);
}

void vpn_handshake_setup(struct vpn_peer *peer,
			 const u8 remote_static[VPN_KEY_LEN])
{
	struct vpn_handshake *handshake = &peer->handshake;

	/* Enough to read the identity, too: changing it takes both locks. */
	lockdep_assert_held(&peer->vpn->lock);

	init_rwsem(&handshake->lock);
	memcpy(handshake->remote_static, remote_static, VPN_KEY_LEN);
	handshake->index.peer = peer;
	handshake->index.kind = VPN_INDEX_HANDSHAKE;
	compute_static_static(handshake, &peer->vpn->identity);
}

void vpn_handshake_identity_changed(struct vpn_peer *peer)
{
	struct vpn_handshake *handshake = &peer->handshake;

	lockdep_assert_held_write(&peer->vpn->identity.lock);

	down_write(&handshake->lock);
	forget_initiation(handshake);
	compute_static_static(handshake, &peer->vpn->identity);
	up_write(&handshake->lock);
}

void vpn_handshake_set_preshared_key(struct vpn_peer *peer,
				     const u8 key[VPN_KEY_LEN])
{
	struct vpn_handshake *handshake = &peer->handshake;

	down_write(&handshake->lock);
	memcpy(handshake->preshared_key, key, VPN_KEY_LEN);
	up_write(&handshake->lock);
}

void vpn_handshake_clear(struct vpn_peer *peer)
{
	struct vpn_handshake *handshake = &peer->handshake;

	down_write(&handshake->lock);
	forget_initiation(handshake);
	up_write(&handshake->lock);
}

/* Put a new initiation in place of one that waits, if any. */
static int write_initiation(struct vpn_peer *peer,
			    struct vpn_msg_initiation *message)
{
	struct vpn_identity *identity = &peer->vpn->identity;
	struct vpn_handshake *handshake = &peer->handshake;
	const struct vpn_noise_keys keys = {
		.local_public = identity->public_key,
		.ephemeral_private = handshake->ephemeral_private,
		.remote_static = handshake->remote_static,
		.static_static = handshake->static_static,
	};
	struct tai64n timestamp;
	int err;

	lockdep_assert_held_read(&identity->lock);

	forget_initiation(handshake);
	if (!identity->present)
		return -ENOKEY;

	make_timestamp(handshake, &timestamp);
	curve25519_generate_secret(handshake->ephemeral_private);
	begin_v0(&handshake->noise, handshake->remote_static);
	if (!vpn_noise_write_initiation(&handshake->noise, &keys, &timestamp,
					sizeof(timestamp),
					message->ephemeral)) {
		forget_initiation(handshake);
		return -EKEYREJECTED;
	}

	err = vpn_index_assign(&handshake->index);
	if (err) {
		forget_initiation(handshake);
		return err;
	}
	message->header = header_v0(VPN_MSG_INITIATION);
	message->sender = handshake->index.value;
	handshake->pending = true;
	return 0;
}

static int create_initiation(struct vpn_peer *peer,
			     struct vpn_msg_initiation *message)
{
	struct vpn_identity *identity = &peer->vpn->identity;
	struct vpn_handshake *handshake = &peer->handshake;
	int err = -ENOENT;

	down_read(&identity->lock);
	down_write(&handshake->lock);
	if (!peer_is_gone(peer))
		err = write_initiation(peer, message);
	up_write(&handshake->lock);
	up_read(&identity->lock);
	return err;
}

static bool initiation_is_due(u64 last)
{
	return !last || vpn_time_passed(last, VPN_REKEY_TIMEOUT);
}

/* Of several that want to send an initiation now, one may. */
static bool claim_initiation(struct vpn_peer *peer)
{
	s64 last = atomic64_read(&peer->last_initiation);

	return initiation_is_due(last) &&
	       atomic64_try_cmpxchg(&peer->last_initiation, &last,
				    ktime_get_boottime_ns());
}

void vpn_handshake_initiate(struct vpn_peer *peer)
{
	struct vpn_msg_initiation message;
	int err;

	/* Once after boot; not with locks held. */
	wait_for_random_bytes();

	if (!claim_initiation(peer))
		return;
	err = create_initiation(peer, &message);
	if (err && err != -ENOMEM)
		return;

	/* One that there is no memory for is as one that is lost on its way. */
	vpn_timers_handshake_initiated(peer);
	if (err)
		return;

	vpn_cookie_add_macs(&message, sizeof(message), peer);
	vpn_timers_authenticated_sent(peer);
	if (!vpn_socket_send_message(peer, &message, sizeof(message)))
		count_message(peer->vpn, peer->id, VPN_MSG_INITIATION, true);
}

void vpn_handshake_queue(struct vpn_peer *peer, bool is_retry)
{
	if (!is_retry)
		WRITE_ONCE(peer->timers.handshake_attempts, 0);

	/* vpn_peer_remove() waits for readers before it flushes the queue. */
	rcu_read_lock();
	if (initiation_is_due(atomic64_read(&peer->last_initiation)))
		vpn_peer_queue_work(peer, &peer->initiation_work);
	rcu_read_unlock();
}

void vpn_handshake_initiation_work(struct work_struct *work)
{
	struct vpn_peer *peer = container_of(work, struct vpn_peer,
					     initiation_work);

	vpn_handshake_initiate(peer);
	vpn_peer_put(peer);
}

/* Derive and install the keys; the index of the session is peer->index. */
static int begin_session(struct vpn_peer *peer, struct vpn_noise *noise,
			 __le32 remote_index, bool initiator)
{
	static const struct vpn_session_kind kind;
	u8 to_responder[VPN_KEY_LEN];
	u8 to_initiator[VPN_KEY_LEN];
	int err;

	vpn_noise_split(noise, to_responder, to_initiator);
	if (initiator)
		err = vpn_session_begin(peer, to_responder, to_initiator,
					remote_index, true, &kind);
	else
		err = vpn_session_begin(peer, to_initiator, to_responder,
					remote_index, false, &kind);
	memzero_explicit(to_responder, sizeof(to_responder));
	memzero_explicit(to_initiator, sizeof(to_initiator));
	if (err)
		vpn_index_withdraw(&peer->index);
	return err;
}

/*
 * Whether an initiation may be answered. A replayed one has a time stamp that
 * we have seen; and nobody, not even the peer, may keep us busy.
 */
static bool accept_timestamp(struct vpn_handshake *handshake,
			     const u8 timestamp[VPN_TIMESTAMP_LEN])
{
	u64 now = ktime_get_boottime_ns();

	lockdep_assert_held_write(&handshake->lock);

	if (memcmp(timestamp, handshake->latest_timestamp,
		   VPN_TIMESTAMP_LEN) <= 0)
		return false;
	if (handshake->last_initiation_consumed &&
	    now - handshake->last_initiation_consumed <
	    NSEC_PER_SEC / VPN_INITIATIONS_PER_SECOND)
		return false;

	memcpy(handshake->latest_timestamp, timestamp, VPN_TIMESTAMP_LEN);
	handshake->last_initiation_consumed = now;
	return true;
}

/* The second half of an initiation, once its peer is known. */
static bool read_timestamp(struct vpn_peer *peer, struct vpn_noise *noise,
			   const struct vpn_msg_initiation *message)
{
	struct vpn_handshake *handshake = &peer->handshake;
	const struct vpn_noise_keys keys = {
		.static_static = handshake->static_static,
	};
	u8 timestamp[VPN_TIMESTAMP_LEN];

	return vpn_noise_read_payload(noise, &keys, message->ephemeral,
				      timestamp, sizeof(timestamp)) &&
	       accept_timestamp(handshake, timestamp);
}

/*
 * An initiation of ours that the peer's did not cross was lost: its ephemeral
 * key is not to lie about until our next one.
 */
static void forget_lost_initiation(struct vpn_peer *peer)
{
	if (peer->handshake.pending &&
	    initiation_is_due(atomic64_read(&peer->last_initiation)))
		forget_initiation(&peer->handshake);
}

/* Build the response and install the session that the peer has to confirm. */
static int write_response(struct vpn_peer *peer, struct vpn_noise *noise,
			  const struct vpn_msg_initiation *message,
			  struct vpn_msg_response *response)
{
	struct vpn_handshake *handshake = &peer->handshake;
	u8 ephemeral_private[VPN_KEY_LEN];
	const struct vpn_noise_keys keys = {
		.ephemeral_private = ephemeral_private,
		.remote_static = handshake->remote_static,
		.remote_ephemeral = message->ephemeral,
		.preshared_key = handshake->preshared_key,
	};
	bool ok;
	int err;

	curve25519_generate_secret(ephemeral_private);
	ok = vpn_noise_write_response(noise, &keys, NULL, 0,
				      response->ephemeral);
	memzero_explicit(ephemeral_private, sizeof(ephemeral_private));
	if (!ok)
		return -EKEYREJECTED;

	err = vpn_index_assign(&peer->index);
	if (err)
		return err;
	response->header = header_v0(VPN_MSG_RESPONSE);
	response->sender = peer->index.value;
	response->receiver = message->sender;
	return begin_session(peer, noise, message->sender, false);
}

/* As far as the message can be understood without knowing its peer. */
static struct vpn_peer *peer_of_initiation(struct vpn_device *vpn,
					   struct vpn_noise *noise,
					   const struct vpn_msg_initiation *message)
{
	const struct vpn_identity *identity = &vpn->identity;
	const struct vpn_noise_keys keys = {
		.local_private = identity->private_key,
	};
	u8 remote_static[VPN_KEY_LEN];

	lockdep_assert_held_read(&identity->lock);

	if (!identity->present)
		return NULL;
	begin_v0(noise, identity->public_key);
	if (!vpn_noise_read_static(noise, &keys, message->ephemeral,
				   remote_static))
		return NULL;
	return vpn_peer_find(vpn, remote_static);
}

/*
 * Consume an initiation and build the response.
 *
 * Return: the peer with a reference, or NULL when the message is refused;
 * @err tells whether there is a response.
 */
static struct vpn_peer *
consume_initiation(struct vpn_device *vpn,
		   const struct vpn_msg_initiation *message,
		   struct vpn_msg_response *response, int *err)
{
	struct vpn_noise noise;
	struct vpn_peer *peer;
	bool accepted = false;

	down_read(&vpn->identity.lock);
	peer = peer_of_initiation(vpn, &noise, message);
	if (!peer)
		goto out;

	down_write(&peer->handshake.lock);
	accepted = !peer_is_gone(peer) && read_timestamp(peer, &noise, message);
	if (accepted) {
		forget_lost_initiation(peer);
		*err = write_response(peer, &noise, message, response);
	}
	up_write(&peer->handshake.lock);

	if (!accepted) {
		vpn_peer_put(peer);
		peer = NULL;
	}
out:
	up_read(&vpn->identity.lock);
	memzero_explicit(&noise, sizeof(noise));
	return peer;
}

static void note_authenticated(struct vpn_peer *peer, const struct sk_buff *skb)
{
	vpn_endpoint_learn(peer, skb);
	atomic64_add(skb->len, &peer->rx_bytes);
	vpn_timers_authenticated_received(peer);
}

static void send_response(struct vpn_peer *peer,
			  struct vpn_msg_response *response)
{
	/* The peer is about to confirm; an initiation of ours can wait. */
	atomic64_set(&peer->last_initiation, ktime_get_boottime_ns());

	vpn_timers_session_derived(peer);
	vpn_timers_authenticated_sent(peer);
	vpn_cookie_add_macs(response, sizeof(*response), peer);
	if (!vpn_socket_send_message(peer, response, sizeof(*response)))
		count_message(peer->vpn, peer->id, VPN_MSG_RESPONSE, true);
}

static void receive_initiation(struct vpn_device *vpn, struct sk_buff *skb)
{
	const struct vpn_msg_initiation *message = (void *)skb->data;
	struct vpn_msg_response response;
	struct vpn_peer *peer;
	int err;

	peer = consume_initiation(vpn, message, &response, &err);
	if (!peer) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_REFUSED, 1);
		return;
	}
	count_message(vpn, peer->id, VPN_MSG_INITIATION, false);
	note_authenticated(peer, skb);
	if (!err)
		send_response(peer, &response);
	vpn_peer_put(peer);
}

static struct vpn_peer *peer_of_response(struct vpn_device *vpn, __le32 value)
{
	struct vpn_peer *peer = NULL;
	struct vpn_index *index;

	rcu_read_lock();
	index = vpn_index_find(vpn, value);
	if (index && index->kind == VPN_INDEX_HANDSHAKE)
		peer = vpn_peer_get_rcu(index->peer);
	rcu_read_unlock();
	return peer;
}

/* Whether the response completes the initiation that waits, and how it went. */
static bool read_response(struct vpn_peer *peer,
			  const struct vpn_msg_response *message, int *err)
{
	struct vpn_handshake *handshake = &peer->handshake;
	const struct vpn_noise_keys keys = {
		.local_private = peer->vpn->identity.private_key,
		.ephemeral_private = handshake->ephemeral_private,
		.preshared_key = handshake->preshared_key,
	};
	struct vpn_noise noise;
	bool ok;

	if (!handshake->pending || handshake->index.value != message->receiver)
		return false;

	noise = handshake->noise;
	ok = vpn_noise_read_response(&noise, &keys, message->ephemeral,
				     NULL, 0);
	if (ok) {
		*err = -ENOENT;
		if (vpn_index_pass_on(&handshake->index, &peer->index))
			*err = begin_session(peer, &noise, message->sender,
					     true);
		forget_initiation(handshake);
	}
	memzero_explicit(&noise, sizeof(noise));
	return ok;
}

/* Return: as consume_initiation(); @err tells whether there is a session. */
static struct vpn_peer *
consume_response(struct vpn_device *vpn,
		 const struct vpn_msg_response *message, int *err)
{
	struct vpn_peer *peer = peer_of_response(vpn, message->receiver);
	bool accepted;

	if (!peer)
		return NULL;

	down_read(&vpn->identity.lock);
	down_write(&peer->handshake.lock);
	accepted = !peer_is_gone(peer) && read_response(peer, message, err);
	up_write(&peer->handshake.lock);
	up_read(&vpn->identity.lock);

	if (accepted)
		return peer;
	vpn_peer_put(peer);
	return NULL;
}

static void receive_response(struct vpn_device *vpn, struct sk_buff *skb)
{
	const struct vpn_msg_response *message = (void *)skb->data;
	struct vpn_peer *peer;
	int err;

	peer = consume_response(vpn, message, &err);
	if (!peer) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_REFUSED, 1);
		return;
	}
	count_message(vpn, peer->id, VPN_MSG_RESPONSE, false);
	note_authenticated(peer, skb);
	if (!err) {
		vpn_timers_session_derived(peer);
		vpn_timers_handshake_complete(peer);
		vpn_event_handshake_done(peer);
		/* The peer may not use the session before we have. */
		vpn_tx_keepalive(peer);
	}
	vpn_peer_put(peer);
}

static void receive_cookie(struct vpn_device *vpn, const struct sk_buff *skb)
{
	const struct vpn_msg_cookie *message = (void *)skb->data;
	struct vpn_peer *peer;

	peer = vpn_cookie_consume_reply(vpn, message);
	if (!peer) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_REFUSED, 1);
		return;
	}
	count_message(vpn, peer->id, VPN_MSG_COOKIE, false);
	vpn_peer_put(peer);
}

static void send_cookie(struct vpn_device *vpn, struct sk_buff *skb)
{
	/* The sender's index is at the same place in both messages. */
	const struct vpn_msg_initiation *message = (void *)skb->data;
	struct vpn_msg_cookie reply;

	vpn_cookie_make_reply(vpn, skb, message->sender, &reply);
	if (!vpn_socket_reply(vpn, skb, &reply, sizeof(reply)))
		count_message(vpn, 0, VPN_MSG_COOKIE, true);
}

static_assert(offsetof(struct vpn_msg_initiation, sender) ==
	      offsetof(struct vpn_msg_response, sender));

static bool is_under_load(struct vpn_device *vpn)
{
	u64 now = ktime_get_boottime_ns();

	if (skb_queue_len_lockless(&vpn->handshakes) >= LOAD_MESSAGES) {
		atomic64_set(&vpn->cookie.load_end, now + LOAD_NS);
		return true;
	}
	return now < atomic64_read(&vpn->cookie.load_end);
}

/* Whether the macs let a message through to the expensive part. */
static bool pass_macs(struct vpn_device *vpn, struct sk_buff *skb)
{
	bool under_load = is_under_load(vpn);

	switch (vpn_cookie_check(vpn, skb, under_load)) {
	case VPN_MAC_WITH_COOKIE:
		return true;
	case VPN_MAC_VALID:
		if (!under_load)
			return true;
		send_cookie(vpn, skb);
		return false;
	case VPN_MAC_LIMITED:
		vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_LIMITED, 1);
		return false;
	case VPN_MAC_INVALID:
		break;
	}
	vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_BAD_MAC, 1);
	return false;
}

static bool message_is(const struct sk_buff *skb, u8 type, unsigned int len)
{
	return skb->len == len &&
	       vpn_header_is((const struct vpn_header *)skb->data, type);
}

void vpn_handshake_receive(struct vpn_device *vpn, struct sk_buff *skb)
{
	if (skb_linearize(skb)) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_RX_NO_MEMORY, 1);
		return;
	}

	if (message_is(skb, VPN_MSG_COOKIE, sizeof(struct vpn_msg_cookie))) {
		receive_cookie(vpn, skb);
	} else if (message_is(skb, VPN_MSG_INITIATION,
			      sizeof(struct vpn_msg_initiation))) {
		if (pass_macs(vpn, skb))
			receive_initiation(vpn, skb);
	} else if (message_is(skb, VPN_MSG_RESPONSE,
			      sizeof(struct vpn_msg_response))) {
		if (pass_macs(vpn, skb))
			receive_response(vpn, skb);
	} else {
		vpn_stats_drop(vpn, VPN_STAT_DROP_RX_MALFORMED, 1);
	}
}

void vpn_handshake_work(struct work_struct *work)
{
	struct vpn_handshake_worker *worker =
		container_of(work, struct vpn_handshake_worker, work);
	struct vpn_device *vpn = worker->vpn;
	unsigned int left = WORK_MESSAGES;
	struct sk_buff *skb;

	/* Once after boot; not with locks held. */
	wait_for_random_bytes();

	while (left-- && (skb = skb_dequeue(&vpn->handshakes))) {
		vpn_handshake_receive(vpn, skb);
		dev_kfree_skb(skb);
		cond_resched();
	}
	if (!skb_queue_empty_lockless(&vpn->handshakes))
		queue_work(vpn->wq, work);
}
