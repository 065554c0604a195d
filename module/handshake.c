// SPDX-License-Identifier: GPL-2.0
/*
 * Handshake messages on the wire, version 0 (WireGuard white paper, section
 * 5.4) and version 1 (Documentation/protocol-v1.md): build them, consume them,
 * and answer. What a payload of version 1 says is the business of terms.c.
 */

#include <crypto/curve25519.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "cookie.h"
#include "device.h"
#include "event.h"
#include "handshake.h"
#include "limit.h"
#include "lobby.h"
#include "noise.h"
#include "peer.h"
#include "session.h"
#include "socket.h"
#include "stats.h"
#include "terms.h"
#include "timer.h"
#include "tlv.h"
#include "trace.h"
#include "tx.h"

/*
 * Messages a worker consumes before it queues itself again: who flushes the
 * workqueue must not wait as long as strangers keep sending.
 */
#define WORK_MESSAGES	64

/* Peers of a device until their secrets are not computed ahead of need. */
#define CROWD		2048

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

static const char prologue_v0[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

#define PROLOGUE_V1 "vpn protocol version 1"

/* What version 1 mixes in: a name, and the header of the initiation. */
struct prologue_v1 {
	char name[sizeof(PROLOGUE_V1) - 1] __nonstring;
	struct vpn_header header;
} __packed;

/**
 * struct incoming - a handshake message as it came
 * @skb: with the headers of its UDP packet
 * @kind: version and suite that its header says
 * @payload: the opened payload; NULL where there is none
 * @payload_len: octets of it
 */
struct incoming {
	struct sk_buff *skb;
	struct vpn_session_kind kind;
	u8 *payload;
	size_t payload_len;
};

/**
 * struct outgoing - a handshake message that is being built
 * @len: octets of the message with its macs; zero when there is none to send
 * @payload: its payload, before it is sealed; as much room as @message
 * @message: itself
 */
struct outgoing {
	size_t len;
	u8 *payload;
	u8 message[];
};

/* Room for a message of that length. */
static struct outgoing *outgoing_alloc(size_t most)
{
	struct outgoing *out = kmalloc(sizeof(*out) + 2 * most, GFP_KERNEL);

	if (!out)
		return NULL;
	out->len = 0;
	out->payload = out->message + most;
	return out;
}

static size_t most_of_response(u8 version)
{
	return version ? VPN_V1_RESPONSE_MAX : sizeof(struct vpn_msg_response);
}

/* What became of an initiation. */
enum outcome {
	IGNORED,	/* not authentic, or nobody's business */
	WAITING,	/* in the lobby */
	FAILED,		/* for want of memory, say */
	REJECTED,
	ACCEPTED,
};

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
static struct vpn_header header_of(u8 type, struct vpn_session_kind kind)
{
	return (struct vpn_header){
		.type = type,
		.version = kind.version,
		.flags = cpu_to_le16(kind.suite),
	};
}

/* What handshakes begin with, by version and suite. */
static struct vpn_noise prepared[2][VPN_AEAD_SUITES] __ro_after_init;

void __init vpn_handshake_init(void)
{
	struct vpn_session_kind kind = { .version = 1 };
	struct prologue_v1 prologue_v1 = { .name = PROLOGUE_V1 };

	vpn_noise_prepare(&prepared[0][VPN_CIPHER_CHACHA20_POLY1305],
			  &vpn_noise_chacha20poly1305, prologue_v0,
			  sizeof(prologue_v0) - 1);
	for (kind.suite = 0; kind.suite < VPN_AEAD_SUITES; kind.suite++) {
		if (!vpn_noise_suite_of(kind.suite))
			continue;
		prologue_v1.header = header_of(VPN_MSG_INITIATION, kind);
		vpn_noise_prepare(&prepared[1][kind.suite],
				  vpn_noise_suite_of(kind.suite), &prologue_v1,
				  sizeof(prologue_v1));
	}
}

/* Its suite is available. */
static void begin_noise(struct vpn_noise *noise, struct vpn_session_kind kind,
			const u8 responder[VPN_KEY_LEN])
{
	vpn_noise_begin(noise, &prepared[!!kind.version][kind.suite],
			responder);
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

/* What can't be computed is left zero, and refused when it is used. */
static void compute_static_static(struct vpn_handshake *handshake,
				  const struct vpn_identity *identity)
{
	if (!identity->present ||
	    !curve25519(handshake->static_static, identity->private_key,
			handshake->remote_static))
		memzero_explicit(handshake->static_static, VPN_KEY_LEN);
	handshake->static_known = true;
}

static const u8 *static_static_of(struct vpn_peer *peer)
{
	const struct vpn_identity *identity = &peer->vpn->identity;
	struct vpn_handshake *handshake = &peer->handshake;

	lockdep_assert_held_read(&identity->lock);
	lockdep_assert_held_write(&handshake->lock);

	if (!handshake->static_known)
		compute_static_static(handshake, identity);
	return handshake->static_static;
}

/*
 * A secret takes ten times as long as all else about adding a peer. In a crowd
 * many a peer never comes, so there it waits until one does.
 */
static bool computes_ahead(const struct vpn_device *vpn)
{
	/* Enough to read the identity, too: changing it takes both locks. */
	lockdep_assert_held(&vpn->lock);

	return vpn->identity.present && vpn->peer_count <= CROWD;
}

void vpn_handshake_setup(struct vpn_peer *peer,
			 const u8 remote_static[VPN_KEY_LEN])
{
	struct vpn_handshake *handshake = &peer->handshake;

	init_rwsem(&handshake->lock);
	memcpy(handshake->remote_static, remote_static, VPN_KEY_LEN);
	handshake->index.peer = peer;
	handshake->index.kind = VPN_INDEX_HANDSHAKE;
	if (computes_ahead(peer->vpn))
		compute_static_static(handshake, &peer->vpn->identity);
}

void vpn_handshake_identity_changed(struct vpn_peer *peer)
{
	struct vpn_handshake *handshake = &peer->handshake;

	lockdep_assert_held_write(&peer->vpn->identity.lock);

	down_write(&handshake->lock);
	forget_initiation(handshake);
	handshake->static_known = false;
	memzero_explicit(handshake->static_static, VPN_KEY_LEN);
	if (computes_ahead(peer->vpn))
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

/*
 * The time stamp and, in version 1, what we have to say; filled up so that the
 * message is as long as any answer. Returns octets of the payload or -EMSGSIZE.
 */
static int write_payload(struct vpn_peer *peer, struct vpn_session_kind kind,
			 u8 *payload)
{
	const size_t least = VPN_V1_INITIATION_MIN - VPN_INITIATION_OVERHEAD;
	const size_t most = VPN_V1_INITIATION_MAX - VPN_INITIATION_OVERHEAD;
	struct tai64n timestamp;
	size_t len;
	int said;

	make_timestamp(&peer->handshake, &timestamp);
	memcpy(payload, &timestamp, sizeof(timestamp));
	if (!kind.version)
		return sizeof(timestamp);
	said = vpn_terms_write_request(peer, payload + sizeof(timestamp),
				       most - sizeof(timestamp));
	if (said < 0)
		return said;
	len = sizeof(timestamp) + said;
	if (len < least) {
		memset(payload + len, 0, least - len);
		len = least;
	}
	return len;
}

/* Put a new initiation in place of one that waits, if any. */
static int write_initiation(struct vpn_peer *peer, struct outgoing *out)
{
	struct vpn_msg_initiation *message = (void *)out->message;
	struct vpn_identity *identity = &peer->vpn->identity;
	struct vpn_handshake *handshake = &peer->handshake;
	const struct vpn_noise_keys keys = {
		.local_public = identity->public_key,
		.ephemeral_private = handshake->ephemeral_private,
		.remote_static = handshake->remote_static,
		.static_static = static_static_of(peer),
	};
	struct vpn_session_kind kind = vpn_terms_kind(peer);
	int err, len;

	lockdep_assert_held_read(&identity->lock);

	forget_initiation(handshake);
	if (!identity->present)
		return -ENOKEY;
	if (!vpn_noise_suite_of(kind.suite))
		return -EOPNOTSUPP;
	len = write_payload(peer, kind, out->payload);
	if (len < 0)
		return len;

	message->header = header_of(VPN_MSG_INITIATION, kind);
	handshake->kind = kind;
	curve25519_generate_secret(handshake->ephemeral_private);
	begin_noise(&handshake->noise, kind, handshake->remote_static);
	if (!vpn_noise_write_initiation(&handshake->noise, &keys, out->payload,
					len, message->ephemeral)) {
		forget_initiation(handshake);
		return -EKEYREJECTED;
	}

	err = vpn_index_assign(&handshake->index);
	if (err) {
		forget_initiation(handshake);
		return err;
	}
	message->sender = handshake->index.value;
	handshake->pending = true;
	out->len = VPN_INITIATION_OVERHEAD + len;
	return 0;
}

/*
 * Whoever ends the sessions of a peer that is removed, whose time is over, or
 * whose link goes down, clears its handshake under the same lock, after one of
 * these has come true: what began before is cleared, and nothing begins after.
 */
static bool may_initiate(const struct vpn_peer *peer)
{
	return !peer_is_gone(peer) && !vpn_terms_expired(peer) &&
	       READ_ONCE(peer->timers.enabled);
}

static int create_initiation(struct vpn_peer *peer, struct outgoing *out)
{
	struct vpn_identity *identity = &peer->vpn->identity;
	struct vpn_handshake *handshake = &peer->handshake;
	int err = -ENOENT;

	down_read(&identity->lock);
	down_write(&handshake->lock);
	if (may_initiate(peer))
		err = write_initiation(peer, out);
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

/* One that there is no memory for is as one that is lost on its way. */
static int build_initiation(struct vpn_peer *peer, struct outgoing *out)
{
	return out ? create_initiation(peer, out) : -ENOMEM;
}

static void send_initiation(struct vpn_peer *peer, struct outgoing *out)
{
	vpn_cookie_add_macs(out->message, out->len, peer);
	vpn_timers_authenticated_sent(peer);
	WRITE_ONCE(peer->terms.unanswered, peer->terms.unanswered + 1);
	WRITE_ONCE(peer->handshake.sent, ktime_get_boottime_ns());
	if (!vpn_socket_send_message(peer, out->message, out->len))
		count_message(peer->vpn, peer->id, VPN_MSG_INITIATION, true);
}

void vpn_handshake_initiate(struct vpn_peer *peer)
{
	struct outgoing *out;
	int err;

	/* Once after boot; not with locks held. */
	wait_for_random_bytes();

	if (vpn_terms_expired(peer) || !claim_initiation(peer))
		return;
	out = outgoing_alloc(VPN_V1_INITIATION_MAX);
	err = build_initiation(peer, out);
	if (!err || err == -ENOMEM)
		vpn_timers_handshake_initiated(peer);
	if (!err)
		send_initiation(peer, out);
	/* The credential in it may be worth money. */
	kfree_sensitive(out);
}

void vpn_handshake_queue(struct vpn_peer *peer, bool is_retry)
{
	if (!is_retry)
		WRITE_ONCE(peer->timers.handshake_attempts, 0);

	/* vpn_peer_remove() waits for readers before it flushes the queue. */
	rcu_read_lock();
	if (initiation_is_due(atomic64_read(&peer->last_initiation)))
		vpn_peer_queue_work(peer, &peer->initiation_work);
	else
		vpn_timers_handshake_wanted(peer);
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
			 __le32 remote_index, bool initiator,
			 struct vpn_session_kind kind)
{
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
static bool timestamp_is_good(const struct vpn_handshake *handshake,
			      const u8 timestamp[VPN_TIMESTAMP_LEN])
{
	u64 last = handshake->last_initiation_consumed;

	lockdep_assert_held(&handshake->lock);

	if (memcmp(timestamp, handshake->latest_timestamp,
		   VPN_TIMESTAMP_LEN) <= 0)
		return false;
	return !last || ktime_get_boottime_ns() - last >=
			NSEC_PER_SEC / VPN_INITIATIONS_PER_SECOND;
}

static void take_timestamp(struct vpn_handshake *handshake,
			   const u8 timestamp[VPN_TIMESTAMP_LEN])
{
	lockdep_assert_held_write(&handshake->lock);

	memcpy(handshake->latest_timestamp, timestamp, VPN_TIMESTAMP_LEN);
	handshake->last_initiation_consumed = ktime_get_boottime_ns();
}

/* The second half of an initiation, with the shared secret of its peer. */
static bool read_payload(struct incoming *in, struct vpn_noise *noise,
			 const u8 static_static[VPN_KEY_LEN],
			 struct vpn_request *request)
{
	const struct vpn_msg_initiation *message = (void *)in->skb->data;
	const struct vpn_noise_keys keys = { .static_static = static_static };

	if (!vpn_noise_read_payload(noise, &keys, message->ephemeral,
				    in->payload, in->payload_len))
		return false;
	/* Version 0 says nothing behind the time stamp. */
	return !vpn_tlv_read_request(request, in->payload + VPN_TIMESTAMP_LEN,
				     in->payload_len - VPN_TIMESTAMP_LEN);
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

/* Octets of the response's payload, or -EMSGSIZE. */
static int write_answer(struct vpn_session_kind kind,
			const struct vpn_answer *answer, u8 *payload)
{
	const size_t most = VPN_V1_RESPONSE_MAX - VPN_RESPONSE_OVERHEAD;
	int said, len;

	if (!kind.version)
		return 0;
	said = vpn_tlv_write_answer(answer, payload, most);
	if (said < 0)
		return said;
	len = max(roundup(said, VPN_V1_RESPONSE_STEP), VPN_V1_RESPONSE_STEP);
	memset(payload + said, 0, len - said);
	return len;
}

/* Everything of a response but the sender's index and the macs. */
static int write_response(struct vpn_noise *noise, const struct incoming *in,
			  const struct vpn_answer *answer,
			  const u8 remote_static[VPN_KEY_LEN],
			  const u8 preshared_key[VPN_KEY_LEN],
			  struct outgoing *out)
{
	const struct vpn_msg_initiation *initiation = (void *)in->skb->data;
	struct vpn_msg_response *response = (void *)out->message;
	u8 ephemeral_private[VPN_KEY_LEN];
	const struct vpn_noise_keys keys = {
		.ephemeral_private = ephemeral_private,
		.remote_static = remote_static,
		.remote_ephemeral = initiation->ephemeral,
		.preshared_key = preshared_key,
	};
	bool ok;
	int len;

	len = write_answer(in->kind, answer, out->payload);
	if (len < 0)
		return len;
	curve25519_generate_secret(ephemeral_private);
	ok = vpn_noise_write_response(noise, &keys, out->payload, len,
				      response->ephemeral);
	memzero_explicit(ephemeral_private, sizeof(ephemeral_private));
	if (!ok)
		return -EKEYREJECTED;
	response->header = header_of(VPN_MSG_RESPONSE, in->kind);
	response->sender = 0;
	response->receiver = initiation->sender;
	out->len = VPN_RESPONSE_OVERHEAD + len;
	return 0;
}

/* Build the response and install the session that the peer has to confirm. */
static enum outcome accept_initiation(struct vpn_peer *peer,
				      struct vpn_noise *noise,
				      const struct incoming *in,
				      const struct vpn_answer *answer,
				      struct outgoing *out)
{
	const struct vpn_msg_initiation *initiation = (void *)in->skb->data;
	struct vpn_msg_response *response = (void *)out->message;
	struct vpn_handshake *handshake = &peer->handshake;

	if (write_response(noise, in, answer, handshake->remote_static,
			   handshake->preshared_key, out) ||
	    vpn_index_assign(&peer->index))
		goto err;
	response->sender = peer->index.value;
	if (begin_session(peer, noise, initiation->sender, false, in->kind))
		goto err;
	return ACCEPTED;
err:
	vpn_session_leave_seat(peer);
	out->len = 0;
	return FAILED;
}

/* In version 0 there are no words for it. */
static void reject_initiation(struct vpn_peer *peer, struct vpn_noise *noise,
			      const struct incoming *in,
			      const struct vpn_answer *answer,
			      struct outgoing *out)
{
	struct vpn_handshake *handshake = &peer->handshake;

	vpn_terms_refused(peer, &answer->reject, true);
	if (in->kind.version)
		write_response(noise, in, answer, handshake->remote_static,
			       handshake->preshared_key, out);
}

/*
 * Who was let in for a time may show something newer, by which userspace may let
 * it stay for longer. Nothing waits for that.
 */
static void show_credential(struct vpn_peer *peer, const struct incoming *in,
			    const struct vpn_request *request)
{
	if (request->credential && READ_ONCE(peer->terms.expires) &&
	    vpn_lobby_is_open(peer->vpn))
		vpn_event_auth_request(peer->vpn, in->skb,
				       peer->handshake.remote_static, in->kind,
				       request);
}

/* An authentic initiation of a peer. */
static enum outcome answer_peer(struct vpn_peer *peer, struct vpn_noise *noise,
				const struct incoming *in,
				const struct vpn_request *request,
				struct outgoing *out)
{
	struct vpn_answer answer;
	enum vpn_verdict verdict;

	verdict = vpn_terms_judge(peer, in->kind, in->payload, request,
				  &answer);
	/* It comes back with the same time stamp. */
	if (verdict == VPN_VERDICT_WAIT)
		return vpn_lobby_park(peer, in->skb, request) ? WAITING :
								 IGNORED;
	take_timestamp(&peer->handshake, in->payload);
	forget_lost_initiation(peer);
	if (verdict == VPN_VERDICT_REJECT) {
		reject_initiation(peer, noise, in, &answer, out);
		return REJECTED;
	}
	vpn_terms_heard(peer, in->kind, request);
	show_credential(peer, in, request);
	return accept_initiation(peer, noise, in, &answer, out);
}

static enum outcome consume_of_peer(struct vpn_peer *peer,
				    struct vpn_noise *noise,
				    struct incoming *in, struct outgoing *out)
{
	struct vpn_handshake *handshake = &peer->handshake;
	enum outcome outcome = IGNORED;
	struct vpn_request request;

	down_write(&handshake->lock);
	if (!peer_is_gone(peer) &&
	    read_payload(in, noise, static_static_of(peer), &request) &&
	    timestamp_is_good(handshake, in->payload))
		outcome = answer_peer(peer, noise, in, &request, out);
	up_write(&handshake->lock);
	return outcome;
}

/* Whether a stranger has the key that its initiation claims. */
static bool read_stranger(struct vpn_device *vpn, struct vpn_noise *noise,
			  struct incoming *in,
			  const u8 remote_static[VPN_KEY_LEN],
			  struct vpn_request *request)
{
	u8 static_static[VPN_KEY_LEN];
	bool ok;

	lockdep_assert_held_read(&vpn->identity.lock);

	ok = curve25519(static_static, vpn->identity.private_key,
			remote_static) &&
	     read_payload(in, noise, static_static, request);
	memzero_explicit(static_static, sizeof(static_static));
	return ok;
}

/*
 * Compute as much as for a peer whose message is forged: how long it takes is
 * not to tell those who know a public key whether it is a peer's.
 */
static void waste_time(struct vpn_noise *noise, struct incoming *in)
{
	/* Zero would be refused at once. */
	static const u8 no_secret[VPN_KEY_LEN] = { 1 };
	struct vpn_request request;

	read_payload(in, noise, no_secret, &request);
}

static enum outcome consume_of_stranger(struct vpn_device *vpn,
					struct vpn_noise *noise,
					struct incoming *in,
					const u8 remote_static[VPN_KEY_LEN])
{
	struct vpn_request request;

	if (!vpn_lobby_is_open(vpn)) {
		waste_time(noise, in);
		return IGNORED;
	}
	if (!read_stranger(vpn, noise, in, remote_static, &request))
		return IGNORED;
	if (vpn_lobby_enter(vpn, in->skb, remote_static, in->kind, &request))
		return WAITING;
	vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_LOBBY_FULL, 1);
	return WAITING;
}

/* As far as the message can be understood without knowing its peer. */
static bool read_static(struct vpn_device *vpn, struct vpn_noise *noise,
			const struct incoming *in, u8 remote_static[VPN_KEY_LEN])
{
	const struct vpn_msg_initiation *message = (void *)in->skb->data;
	const struct vpn_identity *identity = &vpn->identity;
	const struct vpn_noise_keys keys = {
		.local_private = identity->private_key,
	};

	lockdep_assert_held_read(&identity->lock);

	if (!identity->present)
		return false;
	begin_noise(noise, in->kind, identity->public_key);
	return vpn_noise_read_static(noise, &keys, message->ephemeral,
				     remote_static);
}

/*
 * Consume an initiation and build what is to be sent.
 *
 * Return: what became of it; then @peer is whose it is, with a reference, or
 * NULL.
 */
static enum outcome consume_initiation(struct vpn_device *vpn,
				       struct incoming *in,
				       struct outgoing *out,
				       struct vpn_peer **peer)
{
	enum outcome outcome = IGNORED;
	u8 remote_static[VPN_KEY_LEN];
	struct vpn_noise noise;

	*peer = NULL;
	down_read(&vpn->identity.lock);
	if (!read_static(vpn, &noise, in, remote_static))
		goto out;
	*peer = vpn_peer_find(vpn, remote_static);
	if (*peer)
		outcome = consume_of_peer(*peer, &noise, in, out);
	else
		outcome = consume_of_stranger(vpn, &noise, in, remote_static);
out:
	up_read(&vpn->identity.lock);
	memzero_explicit(&noise, sizeof(noise));
	return outcome;
}

static void note_authenticated(struct vpn_peer *peer, const struct sk_buff *skb)
{
	atomic64_add(skb->len, &peer->rx_bytes);
	vpn_timers_authenticated_received(peer);
}

/*
 * To where the initiation came from. That is no place to send more to: whoever
 * has recorded it can send it again once we have forgotten its time stamp, with
 * the device. The peer is there when it confirms the session.
 */
static void send_response(struct vpn_peer *peer, const struct sk_buff *skb,
			  struct outgoing *out)
{
	vpn_timers_authenticated_sent(peer);
	vpn_cookie_add_macs(out->message, out->len, peer);
	if (vpn_socket_reply(peer->vpn, skb, out->message, out->len,
			     GFP_KERNEL))
		return;
	atomic64_add(out->len, &peer->tx_bytes);
	count_message(peer->vpn, peer->id, VPN_MSG_RESPONSE, true);
}

/* What follows from the initiation of a peer. */
static void conclude_initiation(struct vpn_peer *peer, enum outcome outcome,
				const struct incoming *in, struct outgoing *out)
{
	struct vpn_device *vpn = peer->vpn;

	if (outcome == IGNORED) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_REFUSED, 1);
		return;
	}
	if (outcome == WAITING)
		return;
	count_message(vpn, peer->id, VPN_MSG_INITIATION, false);
	note_authenticated(peer, in->skb);
	if (outcome == ACCEPTED) {
		/* The peer is about to confirm; one of ours can wait. */
		atomic64_set(&peer->last_initiation, ktime_get_boottime_ns());
		vpn_timers_session_derived(peer);
	} else if (outcome == REJECTED) {
		/* It has no session; where it was refused is of interest. */
		vpn_endpoint_learn(peer, in->skb);
		vpn_stats_inc(vpn, VPN_STAT_HANDSHAKE_REJECTS_SENT);
		vpn_event_refused(peer);
	}
	if (out->len)
		send_response(peer, in->skb, out);
}

static void receive_initiation(struct vpn_device *vpn, struct incoming *in,
			       struct outgoing *out)
{
	enum outcome outcome;
	struct vpn_peer *peer;

	outcome = consume_initiation(vpn, in, out, &peer);
	if (peer)
		conclude_initiation(peer, outcome, in, out);
	else if (outcome == IGNORED)
		vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_REFUSED, 1);
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

/* Whether the response opens and says something that we understand. */
static bool open_response(struct vpn_peer *peer, struct incoming *in,
			  struct vpn_noise *noise, struct vpn_answer *answer)
{
	const struct vpn_msg_response *message = (void *)in->skb->data;
	struct vpn_handshake *handshake = &peer->handshake;
	const struct vpn_noise_keys keys = {
		.local_private = peer->vpn->identity.private_key,
		.ephemeral_private = handshake->ephemeral_private,
		.preshared_key = handshake->preshared_key,
	};

	return handshake->pending &&
	       handshake->index.value == message->receiver &&
	       handshake->kind.version == in->kind.version &&
	       handshake->kind.suite == in->kind.suite &&
	       vpn_noise_read_response(noise, &keys, message->ephemeral,
				       in->payload, in->payload_len) &&
	       !vpn_tlv_read_answer(answer, in->payload, in->payload_len);
}

/**
 * struct conclusion - how an initiation of ours ended
 * @rejected: the peer refused it
 * @assigned: the peer told us something new to configure
 * @lease: seconds that holds; zero for ever
 * @err: zero when there is a session
 */
struct conclusion {
	bool rejected;
	bool assigned;
	u32 lease;
	int err;
};

/* The response is the peer's: take what it says. */
static void conclude_handshake(struct vpn_peer *peer, struct incoming *in,
			       struct vpn_noise *noise,
			       const struct vpn_answer *answer,
			       struct conclusion *conclusion)
{
	const struct vpn_msg_response *message = (void *)in->skb->data;
	struct vpn_handshake *handshake = &peer->handshake;

	conclusion->err = -ENOENT;
	WRITE_ONCE(peer->terms.unanswered, 0);
	if (answer->reject.reason) {
		conclusion->rejected = true;
		vpn_terms_refused(peer, &answer->reject, false);
		return;
	}
	if (vpn_index_pass_on(&handshake->index, &peer->index))
		conclusion->err = begin_session(peer, noise, message->sender,
						true, in->kind);
	/* Who is told nothing has been told nothing new. */
	if (conclusion->err ||
	    !memchr_inv(&answer->assignment, 0, sizeof(answer->assignment)))
		return;
	conclusion->lease = answer->assignment.lease;
	conclusion->assigned = vpn_terms_assigned(peer, &answer->assignment,
						  GFP_KERNEL);
}

/*
 * Whether the response completes the initiation that waits. The state is
 * copied, so that a forged response spoils nothing.
 */
static bool read_response(struct vpn_peer *peer, struct incoming *in,
			  struct conclusion *conclusion)
{
	struct vpn_handshake *handshake = &peer->handshake;
	struct vpn_noise noise = handshake->noise;
	struct vpn_answer answer;
	bool ok;

	ok = open_response(peer, in, &noise, &answer);
	if (ok) {
		conclude_handshake(peer, in, &noise, &answer, conclusion);
		forget_initiation(handshake);
	}
	memzero_explicit(&noise, sizeof(noise));
	return ok;
}

/* Return: whose response it is, with a reference; NULL when it is ignored. */
static struct vpn_peer *consume_response(struct vpn_device *vpn,
					 struct incoming *in,
					 struct conclusion *conclusion)
{
	const struct vpn_msg_response *message = (void *)in->skb->data;
	struct vpn_peer *peer = peer_of_response(vpn, message->receiver);
	bool accepted;

	if (!peer)
		return NULL;

	down_read(&vpn->identity.lock);
	down_write(&peer->handshake.lock);
	accepted = !peer_is_gone(peer) && read_response(peer, in, conclusion);
	up_write(&peer->handshake.lock);
	up_read(&vpn->identity.lock);

	if (accepted)
		return peer;
	vpn_peer_put(peer);
	return NULL;
}

static void start_using_session(struct vpn_peer *peer)
{
	vpn_latency_handshake(peer, ktime_get_boottime_ns() -
				    READ_ONCE(peer->handshake.sent));
	vpn_timers_session_derived(peer);
	vpn_timers_handshake_complete(peer);
	vpn_event_handshake_done(peer);
	/* The peer may not use the session before we have. */
	vpn_tx_keepalive(peer);
}

static void receive_response(struct vpn_device *vpn, struct incoming *in)
{
	struct conclusion conclusion = {};
	struct vpn_peer *peer;

	peer = consume_response(vpn, in, &conclusion);
	if (!peer) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_REFUSED, 1);
		return;
	}
	count_message(vpn, peer->id, VPN_MSG_RESPONSE, false);
	vpn_endpoint_learn(peer, in->skb);
	note_authenticated(peer, in->skb);
	if (conclusion.rejected) {
		vpn_stats_inc(vpn, VPN_STAT_HANDSHAKE_REJECTS_RECEIVED);
		vpn_timers_handshake_rejected(peer);
		vpn_event_refused(peer);
	} else if (!conclusion.err) {
		start_using_session(peer);
		vpn_timers_assigned(peer, conclusion.lease);
		if (in->kind.version)
			vpn_timers_echo(peer);
		if (conclusion.assigned)
			vpn_event_assigned(peer);
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
	reply.header.version = message->header.version;
	if (!vpn_socket_reply(vpn, skb, &reply, sizeof(reply),
			      GFP_ATOMIC | __GFP_NOWARN))
		count_message(vpn, 0, VPN_MSG_COOKIE, true);
}

static_assert(offsetof(struct vpn_msg_initiation, sender) ==
	      offsetof(struct vpn_msg_response, sender));

/* Whether the macs let a message through to the expensive part. */
static bool pass_macs(struct vpn_device *vpn, struct sk_buff *skb, bool loaded,
		      u64 now)
{
	switch (loaded ? vpn_cookie_check_loaded(vpn, skb, now) :
			 vpn_cookie_check(vpn, skb)) {
	case VPN_MAC_WITH_COOKIE:
		return true;
	case VPN_MAC_VALID:
		if (!loaded)
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

/* Whether we have said something that the message could be the answer to. */
static bool is_awaited(struct vpn_device *vpn, const struct sk_buff *skb)
{
	const struct vpn_msg_response *response = (void *)skb->data;
	const struct vpn_msg_cookie *cookie = (void *)skb->data;
	struct vpn_index *index;
	bool awaited;

	rcu_read_lock();
	if (response->header.type == VPN_MSG_RESPONSE) {
		index = vpn_index_find(vpn, response->receiver);
		awaited = index && index->kind == VPN_INDEX_HANDSHAKE;
	} else {
		awaited = vpn_index_find(vpn, cookie->receiver);
	}
	rcu_read_unlock();
	return awaited;
}

bool vpn_handshake_admit(struct vpn_device *vpn, struct sk_buff *skb)
{
	const struct vpn_header *header = (void *)skb->data;
	u64 now = ktime_get_boottime_ns();

	VPN_HANDSHAKE_CB(skb)->admitted = false;
	if (header->type != VPN_MSG_INITIATION && !is_awaited(vpn, skb)) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_REFUSED, 1);
		return false;
	}
	if (header->type == VPN_MSG_COOKIE || !vpn_limit_under_load(vpn, now))
		return true;
	vpn_limit_note_arrival(vpn->limits, now);
	/* Right after boot there are no secrets; those who wait know that. */
	if (!rng_is_initialized()) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_HANDSHAKE_LIMITED, 1);
		return false;
	}
	VPN_HANDSHAKE_CB(skb)->admitted = pass_macs(vpn, skb, true, now);
	return VPN_HANDSHAKE_CB(skb)->admitted;
}

/* Octets of a message of that type that are not its payload. */
static size_t overhead_of(u8 type)
{
	return type == VPN_MSG_INITIATION ? VPN_INITIATION_OVERHEAD :
					    VPN_RESPONSE_OVERHEAD;
}

/* False when there is no memory, or the suite is not available. */
static bool incoming_begin(struct incoming *in, struct sk_buff *skb)
{
	const struct vpn_header *header = (void *)skb->data;

	in->skb = skb;
	in->kind.version = header->version;
	in->kind.suite = le16_to_cpu(header->flags);
	in->payload_len = skb->len - overhead_of(header->type);
	in->payload = NULL;
	if (!vpn_noise_suite_of(in->kind.suite))
		return false;
	if (in->payload_len)
		in->payload = kmalloc(in->payload_len, GFP_KERNEL);
	return in->payload || !in->payload_len;
}

/* An initiation or a response, whose macs were right. */
static void receive_noise(struct vpn_device *vpn, struct sk_buff *skb)
{
	const struct vpn_header *header = (void *)skb->data;
	struct outgoing *out = NULL;
	struct incoming in;

	if (!incoming_begin(&in, skb))
		goto no_memory;
	if (header->type == VPN_MSG_RESPONSE) {
		receive_response(vpn, &in);
		goto out;
	}
	out = outgoing_alloc(most_of_response(header->version));
	if (!out)
		goto no_memory;
	receive_initiation(vpn, &in, out);
	goto out;

no_memory:
	vpn_stats_drop(vpn, VPN_STAT_DROP_RX_NO_MEMORY, 1);
out:
	kfree_sensitive(in.payload);
	kfree_sensitive(out);
}

/* Once is enough, also of a message that has been in the lobby. */
static bool is_admitted(struct vpn_device *vpn, struct sk_buff *skb)
{
	u64 now = ktime_get_boottime_ns();

	if (!VPN_HANDSHAKE_CB(skb)->admitted)
		VPN_HANDSHAKE_CB(skb)->admitted =
			pass_macs(vpn, skb, vpn_limit_under_load(vpn, now),
				  now);
	return VPN_HANDSHAKE_CB(skb)->admitted;
}

void vpn_handshake_receive(struct vpn_device *vpn, struct sk_buff *skb)
{
	if (skb_linearize(skb)) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_RX_NO_MEMORY, 1);
		return;
	}
	if (skb->len < sizeof(struct vpn_header) ||
	    !vpn_is_handshake((const struct vpn_header *)skb->data, skb->len))
		vpn_stats_drop(vpn, VPN_STAT_DROP_RX_MALFORMED, 1);
	else if (((const struct vpn_header *)skb->data)->type == VPN_MSG_COOKIE)
		receive_cookie(vpn, skb);
	else if (is_admitted(vpn, skb))
		receive_noise(vpn, skb);
}

/* A stranger has no preshared key with us. */
static noinline_for_stack void
write_rejection(struct vpn_device *vpn, struct incoming *in,
		const struct vpn_answer *answer, struct outgoing *out,
		u8 remote_static[VPN_KEY_LEN])
{
	static const u8 none[VPN_KEY_LEN];
	struct vpn_request request;
	struct vpn_noise noise;

	down_read(&vpn->identity.lock);
	if (read_static(vpn, &noise, in, remote_static) &&
	    read_stranger(vpn, &noise, in, remote_static, &request))
		write_response(&noise, in, answer, remote_static, none, out);
	up_read(&vpn->identity.lock);
	memzero_explicit(&noise, sizeof(noise));
}

void vpn_handshake_reject(struct vpn_device *vpn, struct sk_buff *skb,
			  const struct vpn_reject *reject)
{
	struct vpn_answer answer = { .reject = *reject };
	u8 remote_static[VPN_KEY_LEN];
	struct incoming in = {};
	struct outgoing *out;

	/* Version 0 has no words for it. */
	if (!((const struct vpn_header *)skb->data)->version)
		return;
	out = outgoing_alloc(VPN_V1_RESPONSE_MAX);
	if (!out)
		return;
	if (incoming_begin(&in, skb))
		write_rejection(vpn, &in, &answer, out, remote_static);
	if (out->len) {
		vpn_cookie_add_mac1(out->message, out->len, remote_static);
		vpn_stats_inc(vpn, VPN_STAT_HANDSHAKE_REJECTS_SENT);
		if (!vpn_socket_reply(vpn, skb, out->message, out->len,
				      GFP_KERNEL))
			count_message(vpn, 0, VPN_MSG_RESPONSE, true);
	}
	kfree_sensitive(in.payload);
	kfree_sensitive(out);
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
