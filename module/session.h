/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_SESSION_H
#define VPN_SESSION_H

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "aead.h"
#include "index.h"
#include "messages.h"

struct vpn_device;
struct vpn_keypair;
struct vpn_peer;

/**
 * struct vpn_keypairs - the sessions of a peer (white paper, section 6.3)
 * @lock: serialises changes of the pointers
 * @current_keypair: what we seal with
 * @previous: what the peer may still seal with
 * @next: agreed as responder, not yet confirmed by a message of the peer
 * @seated: the peer counts in vpn_device.seats
 */
struct vpn_keypairs {
	spinlock_t lock;
	bool seated;
	struct vpn_keypair __rcu *current_keypair;
	struct vpn_keypair __rcu *previous;
	struct vpn_keypair __rcu *next;
};

/**
 * struct vpn_replay - window of accepted counters (RFC 6479)
 * @lock: protects the others
 * @next: highest accepted counter plus one
 * @bits: which of the counters before it were accepted, as a ring
 */
struct vpn_replay {
	spinlock_t lock;
	u64 next;
	unsigned long bits[VPN_REPLAY_BITS / BITS_PER_LONG];
};

/**
 * struct vpn_keypair - one session
 * @index: how the peer addresses it; vpn_index.peer is whose it is
 * @send: key of the direction to the peer
 * @receive: key of the direction from the peer
 * @send_counter: the next counter to seal with
 * @replay: counters that were accepted
 * @remote_index: how we address it
 * @kind: version and cipher suite that were agreed on
 * @initiator: whether we began the handshake
 * @birth: boot clock, ns
 * @holds: batches that the crypto API has not completed yet
 * @free: erases and frees after a grace period, in process context
 */
struct vpn_keypair {
	struct vpn_index index;
	struct vpn_aead_key send;
	struct vpn_aead_key receive;
	atomic64_t send_counter;
	struct vpn_replay replay;
	__le32 remote_index;
	struct vpn_session_kind kind;
	bool initiator;
	u64 birth;
	atomic_t holds;
	struct rcu_work free;
};

int vpn_session_init(void);
void vpn_session_uninit(void);

/**
 * vpn_session_flush() - wait until the keys of ended sessions are erased
 *
 * Context: process; sleeps for a grace period.
 */
void vpn_session_flush(void);

void vpn_replay_init(struct vpn_replay *replay);

/**
 * vpn_replay_accept() - note the counter of an authenticated message
 * @replay: the window, its lock held
 * @counter: as received
 *
 * Return: true the first time, false for a replay or a counter that has
 * fallen out of the window.
 */
bool vpn_replay_accept(struct vpn_replay *replay, u64 counter);

/**
 * vpn_session_begin() - make a keypair from a finished handshake
 * @peer: with handshake.lock held for writing; its index passes to the keypair
 * @send: key of the direction to the peer
 * @receive: key of the direction from the peer
 * @remote_index: the peer's address for messages of this session
 * @initiator: whether we began the handshake; then the keypair is in use at
 *	once, otherwise from the first message of the peer on
 * @kind: version and cipher suite of the handshake
 *
 * Context: process.
 * Return: 0, -ENOMEM or another error of vpn_aead_key_init(), or -ENOENT when
 * the peer was removed meanwhile.
 */
int vpn_session_begin(struct vpn_peer *peer, const u8 send[VPN_KEY_LEN],
		      const u8 receive[VPN_KEY_LEN], __le32 remote_index,
		      bool initiator, const struct vpn_session_kind *kind);

/**
 * vpn_session_take_seat() - count a peer among those with a session
 * @peer: the peer
 * @max: how many there may be; zero for any number
 *
 * Context: process or softirq.
 * Return: whether the peer has a seat now. vpn_session_end_all() gives it back.
 */
bool vpn_session_take_seat(struct vpn_peer *peer, unsigned int max);

/**
 * vpn_session_leave_seat() - no session came of it
 * @peer: the peer, which keeps its seat if it has another session
 */
void vpn_session_leave_seat(struct vpn_peer *peer);

/**
 * vpn_session_confirm() - note that a message of a session was authenticated
 * @peer: the peer
 * @keypair: the session, seen under RCU
 *
 * The first message of the peer moves a session that we agreed to as responder
 * into use.
 *
 * Return: whether it did.
 */
bool vpn_session_confirm(struct vpn_peer *peer, struct vpn_keypair *keypair);

/**
 * vpn_session_usable() - tell whether a session may still be used
 * @keypair: seen under RCU
 *
 * Return: whether it may.
 */
bool vpn_session_usable(const struct vpn_keypair *keypair);

/**
 * vpn_session_hold() - keep a session and its peer for a batch that outlasts RCU
 * @keypair: seen under RCU
 *
 * Return: false when the peer is about to be freed, or too many batches of the
 * device are held already.
 */
bool vpn_session_hold(struct vpn_keypair *keypair);

/**
 * vpn_session_release() - the reverse
 * @keypair: held; may be gone afterwards, its device, too
 */
void vpn_session_release(struct vpn_keypair *keypair);

/**
 * vpn_session_settle() - wait until no session of a device is held
 * @vpn: the device; whatever is received of a batch is still taken care of
 *
 * Context: process, may sleep.
 */
void vpn_session_settle(struct vpn_device *vpn);

/**
 * vpn_session_end_all() - erase every keypair of a peer
 * @peer: the peer
 *
 * Context: process or softirq. The memory is zeroed and freed after a grace
 * period.
 * Return: whether there was any.
 */
bool vpn_session_end_all(struct vpn_peer *peer);

#endif
