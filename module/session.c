// SPDX-License-Identifier: GPL-2.0
/*
 * Transport sessions: keypairs, their succession, and the replay window
 * (WireGuard white paper, sections 5.4.5, 5.4.6 and 6.3).
 */

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "device.h"
#include "peer.h"
#include "session.h"
#include "timer.h"

#define REPLAY_WORDS (VPN_REPLAY_BITS / BITS_PER_LONG)

/*
 * Batches of a device in the hands of the crypto API. Each can have 64 KiB; and
 * what is more than this many behind is better dropped than late.
 */
#define HOLDS_MAX 128

#ifdef VPN_TEST
/* Nobody can wait for a session's last messages. */
static unsigned long long test_first_counter;
module_param_named(first_counter, test_first_counter, ullong, 0644);
MODULE_PARM_DESC(first_counter, "number of a session's first message (test builds only)");

static u64 first_counter(void)
{
	return READ_ONCE(test_first_counter);
}
#else
static u64 first_counter(void)
{
	return 0;
}
#endif

/* Erasing a key may sleep, so it can't happen in the RCU callback itself. */
static struct workqueue_struct *erase_wq;

void vpn_replay_init(struct vpn_replay *replay)
{
	memset(replay, 0, sizeof(*replay));
	spin_lock_init(&replay->lock);
}

/* Move the window up to @counter: the words it enters begin empty. */
static void replay_advance(struct vpn_replay *replay, u64 counter)
{
	u64 top = (replay->next ? replay->next - 1 : 0) / BITS_PER_LONG;
	u64 words = min_t(u64, counter / BITS_PER_LONG - top, REPLAY_WORDS);

	while (words--)
		replay->bits[++top % REPLAY_WORDS] = 0;
	replay->next = counter + 1;
}

bool vpn_replay_accept(struct vpn_replay *replay, u64 counter)
{
	lockdep_assert_held(&replay->lock);

	if (counter >= VPN_REJECT_AFTER_MESSAGES)
		return false;
	if (counter + VPN_REPLAY_WINDOW < replay->next)
		return false;
	if (counter >= replay->next)
		replay_advance(replay, counter);
	return !__test_and_set_bit(counter % VPN_REPLAY_BITS, replay->bits);
}

static void keypair_erase_work(struct work_struct *work)
{
	struct vpn_keypair *keypair = container_of(to_rcu_work(work),
						   struct vpn_keypair, free);

	/* No more are added: nobody has seen it since a grace period. */
	wait_var_event(&keypair->holds, !atomic_read(&keypair->holds));
	vpn_aead_key_erase(&keypair->send);
	vpn_aead_key_erase(&keypair->receive);
	kfree_sensitive(keypair);
}

/* Nobody finds the keypair from now on; those who hold it under RCU go on. */
static void keypair_drop(struct vpn_keypair *keypair)
{
	if (!keypair)
		return;
	vpn_index_withdraw(&keypair->index);
	queue_rcu_work(erase_wq, &keypair->free);
}

static struct vpn_keypair *
keypair_create(const u8 send[VPN_KEY_LEN], const u8 receive[VPN_KEY_LEN],
	       const struct vpn_session_kind *kind)
{
	struct vpn_keypair *keypair = kzalloc_obj(*keypair, GFP_KERNEL);
	int err;

	if (!keypair)
		return ERR_PTR(-ENOMEM);
	err = vpn_aead_key_init(&keypair->send, kind->suite, kind->version, send);
	if (err)
		goto err_free;
	err = vpn_aead_key_init(&keypair->receive, kind->suite, kind->version,
				receive);
	if (err)
		goto err_send;

	keypair->index.kind = VPN_INDEX_KEYPAIR;
	keypair->kind = *kind;
	keypair->birth = ktime_get_boottime_ns();
	atomic64_set(&keypair->send_counter, first_counter());
	vpn_replay_init(&keypair->replay);
	INIT_RCU_WORK(&keypair->free, keypair_erase_work);
	return keypair;

err_send:
	vpn_aead_key_erase(&keypair->send);
err_free:
	kfree_sensitive(keypair);
	return ERR_PTR(err);
}

static struct vpn_keypair *slot_swap(struct vpn_keypairs *keypairs,
				     struct vpn_keypair __rcu **slot,
				     struct vpn_keypair *keypair)
	__must_hold(&keypairs->lock)
{
	return rcu_replace_pointer(*slot, keypair,
				   lockdep_is_held(&keypairs->lock));
}

/*
 * As initiator we know that the peer has the new keys and use them at once.
 * What comes just before them stays readable for packets still on their way:
 * that is an unconfirmed keypair of a handshake that crossed ours, if any.
 */
static void install_as_initiator(struct vpn_keypairs *keypairs,
				 struct vpn_keypair *keypair)
	__must_hold(&keypairs->lock)
{
	struct vpn_keypair *former = slot_swap(keypairs,
					       &keypairs->current_keypair,
					       keypair);
	struct vpn_keypair *next = slot_swap(keypairs, &keypairs->next, NULL);

	if (next) {
		keypair_drop(former);
		former = next;
	}
	keypair_drop(slot_swap(keypairs, &keypairs->previous, former));
}

/*
 * As responder we can't know that the initiator got our answer until it uses
 * the keys; the current ones stay in use until then.
 */
static void install_as_responder(struct vpn_keypairs *keypairs,
				 struct vpn_keypair *keypair)
	__must_hold(&keypairs->lock)
{
	keypair_drop(slot_swap(keypairs, &keypairs->next, keypair));
	keypair_drop(slot_swap(keypairs, &keypairs->previous, NULL));
}

static bool take_seat(struct vpn_peer *peer, unsigned int max)
	__must_hold(&peer->keypairs.lock)
{
	atomic_t *seats = &peer->vpn->seats;
	int taken = atomic_read(seats);

	if (peer->keypairs.seated)
		return true;
	do {
		if (max && taken >= 0 && (unsigned int)taken >= max)
			return false;
	} while (!atomic_try_cmpxchg(seats, &taken, taken + 1));
	peer->keypairs.seated = true;
	return true;
}

static void leave_seat(struct vpn_peer *peer)
	__must_hold(&peer->keypairs.lock)
{
	if (peer->keypairs.seated)
		atomic_dec(&peer->vpn->seats);
	peer->keypairs.seated = false;
}

int vpn_session_begin(struct vpn_peer *peer, const u8 send[VPN_KEY_LEN],
		      const u8 receive[VPN_KEY_LEN], __le32 remote_index,
		      bool initiator, const struct vpn_session_kind *kind)
{
	struct vpn_keypairs *keypairs = &peer->keypairs;
	struct vpn_keypair *keypair;

	lockdep_assert_held_write(&peer->handshake.lock);

	keypair = keypair_create(send, receive, kind);
	if (IS_ERR(keypair))
		return PTR_ERR(keypair);
	keypair->index.peer = peer;
	keypair->remote_index = remote_index;
	keypair->initiator = initiator;

	spin_lock_bh(&keypairs->lock);
	if (READ_ONCE(peer->dead) ||
	    !vpn_index_pass_on(&peer->index, &keypair->index)) {
		spin_unlock_bh(&keypairs->lock);
		keypair_drop(keypair);
		return -ENOENT;
	}
	if (initiator) {
		install_as_initiator(keypairs, keypair);
	} else {
		/* Its seat may have gone with other sessions, just now. */
		take_seat(peer, 0);
		install_as_responder(keypairs, keypair);
	}
	spin_unlock_bh(&keypairs->lock);
	return 0;
}

bool vpn_session_take_seat(struct vpn_peer *peer, unsigned int max)
{
	bool seated;

	spin_lock_bh(&peer->keypairs.lock);
	seated = take_seat(peer, max);
	spin_unlock_bh(&peer->keypairs.lock);
	return seated;
}

void vpn_session_leave_seat(struct vpn_peer *peer)
{
	struct vpn_keypairs *keypairs = &peer->keypairs;

	spin_lock_bh(&keypairs->lock);
	if (!rcu_access_pointer(keypairs->current_keypair) &&
	    !rcu_access_pointer(keypairs->previous) &&
	    !rcu_access_pointer(keypairs->next))
		leave_seat(peer);
	spin_unlock_bh(&keypairs->lock);
}

bool vpn_session_confirm(struct vpn_peer *peer, struct vpn_keypair *keypair)
{
	struct vpn_keypairs *keypairs = &peer->keypairs;
	struct vpn_keypair *former;

	if (likely(keypair != rcu_access_pointer(keypairs->next)))
		return false;

	spin_lock_bh(&keypairs->lock);
	if (unlikely(keypair != rcu_access_pointer(keypairs->next))) {
		spin_unlock_bh(&keypairs->lock);
		return false;
	}
	slot_swap(keypairs, &keypairs->next, NULL);
	former = slot_swap(keypairs, &keypairs->current_keypair, keypair);
	keypair_drop(slot_swap(keypairs, &keypairs->previous, former));
	spin_unlock_bh(&keypairs->lock);
	return true;
}

bool vpn_session_usable(const struct vpn_keypair *keypair)
{
	return !vpn_time_had_passed(keypair->birth, VPN_REJECT_AFTER_TIME);
}

bool vpn_session_end_all(struct vpn_peer *peer)
{
	struct vpn_keypairs *keypairs = &peer->keypairs;
	struct vpn_keypair *current_keypair, *previous, *next;

	spin_lock_bh(&keypairs->lock);
	current_keypair = slot_swap(keypairs, &keypairs->current_keypair, NULL);
	previous = slot_swap(keypairs, &keypairs->previous, NULL);
	next = slot_swap(keypairs, &keypairs->next, NULL);
	keypair_drop(current_keypair);
	keypair_drop(previous);
	keypair_drop(next);
	leave_seat(peer);
	spin_unlock_bh(&keypairs->lock);
	return current_keypair || previous || next;
}

bool vpn_session_hold(struct vpn_keypair *keypair)
{
	struct vpn_peer *peer = keypair->index.peer;
	struct vpn_device *vpn = peer->vpn;

	if (atomic_read(&vpn->holds) >= HOLDS_MAX || !vpn_peer_get_rcu(peer))
		return false;
	atomic_inc(&vpn->holds);
	atomic_inc(&keypair->holds);
	return true;
}

static void drop_hold(atomic_t *holds)
{
	if (atomic_dec_and_test(holds))
		wake_up_var(holds);
}

/* Whoever waits may free what it is called with as soon as it is zero. */
void vpn_session_release(struct vpn_keypair *keypair)
{
	struct vpn_peer *peer = keypair->index.peer;
	struct vpn_device *vpn = peer->vpn;

	drop_hold(&keypair->holds);
	vpn_peer_put(peer);
	drop_hold(&vpn->holds);
}

void vpn_session_settle(struct vpn_device *vpn)
{
	wait_var_event(&vpn->holds, !atomic_read(&vpn->holds));
}

int __init vpn_session_init(void)
{
	erase_wq = alloc_workqueue("vpn-erase", WQ_UNBOUND, 0);
	return erase_wq ? 0 : -ENOMEM;
}

void vpn_session_flush(void)
{
	/* Keypairs that were dropped last may not have reached the queue. */
	rcu_barrier();
	flush_workqueue(erase_wq);
}

void vpn_session_uninit(void)
{
	vpn_session_flush();
	destroy_workqueue(erase_wq);
}
