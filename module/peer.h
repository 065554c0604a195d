/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_PEER_H
#define VPN_PEER_H

#include <linux/kref.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "cookie.h"
#include "index.h"
#include "lease.h"
#include "noise.h"
#include "session.h"
#include "socket.h"
#include "terms.h"

struct vpn_device;

/**
 * struct vpn_timers - the clocks of a peer; timer.c says what each is for
 * @retransmit_handshake: an initiation waits for its answer
 * @send_keepalive: data were received and wait for an answer
 * @new_handshake: data were sent and wait for an answer
 * @erase_keys: what has to do with the last sessions goes
 * @persistent_keepalive: a message is due, whatever happens
 * @renew: we ask for an address, again
 * @expiry: the peer's time is over
 * @echo: the round-trip time is taken, if the session is in use
 * @handshake_attempts: initiations repeated since the first
 * @persistent_keepalive_interval: seconds; 0 is off
 * @need_another_keepalive: more was received while @send_keepalive ran
 * @sent_lastminute_handshake: a receiver began a new session before the old one
 *	ended, and need not do so again
 * @enabled: none is armed without it
 */
struct vpn_timers {
	struct timer_list retransmit_handshake;
	struct timer_list send_keepalive;
	struct timer_list new_handshake;
	struct timer_list erase_keys;
	struct timer_list persistent_keepalive;
	struct timer_list renew;
	struct timer_list expiry;
	struct timer_list echo;
	unsigned int handshake_attempts;
	u16 persistent_keepalive_interval;
	bool need_another_keepalive;
	bool sent_lastminute_handshake;
	bool enabled;
};

/**
 * struct vpn_echo - a ping that waits for its pong
 * @octets: of the ping, random; zero when none waits
 * @sent: when it was sent, boot clock, ns
 * @rtt: round-trip time of the latest one, ns; zero before
 * @rx_bytes: what had been received when the last one was sent
 */
struct vpn_echo {
	atomic64_t octets;
	u64 sent;
	u64 rtt;
	u64 rx_bytes;
};

/**
 * struct vpn_peer - the other end of a tunnel
 * @vpn: its device; valid as long as the peer
 * @keypairs: the sessions
 * @endpoint: where to send, NULL while unknown; immutable once published
 * @endpoint_lock: serialises writers of @endpoint
 * @handshake: state of the Noise handshake
 * @index: of a session on its way from the handshake to its keypair; zero but
 *	under handshake.lock
 * @cookie: cookie that the peer gave us under its load
 * @timers: rekey, keepalive, expiry
 * @staged: packets waiting for a key; bounded by %VPN_STAGED_MAX
 * @staged_bytes: memory of those, bounded by %VPN_STAGED_BYTES_MAX; under the
 *	lock of @staged
 * @initiation_work: sends an initiation from process context
 * @erase_work: ends the sessions from process context
 * @expire_work: the same, and says so, when the peer's time is over
 * @terms: what either end may have and has said
 * @echo: the ping that waits for its pong
 * @latency: of handshakes and echoes; NULL before the first
 * @disconnect: reason that the peer gave last; zero for none
 * @disconnect_time: when, wall clock, ns
 * @last_initiation: when an initiation was last sent, boot clock, ns
 * @last_handshake: when the latest handshake completed, wall clock, ns
 * @rx_bytes: octets of authenticated messages, with their overhead
 * @tx_bytes: the same, sent
 * @allowedips: prefixes of this peer. vpn_device.lock
 * @address_mode: %VPN_ADDRESS_MODE_NONE, _LEASE or _REQUEST. vpn_device.lock
 *	writes, READ_ONCE() reads
 * @wanted: the addresses that it is to have or we ask it for. vpn_device.lock
 *	and handshake.lock write, either reads
 * @wanted_count: how many of those; with none, any will do
 * @leases: IPv4 and IPv6, NULL for none. vpn_device.lock and that of the pools
 *	write, either reads
 * @node: in vpn_device.peers_by_key
 * @list: in vpn_device.peers
 * @name: for people, NULL for none. vpn_device.lock
 * @id: for log and trace; never reused
 * @dead: removed from the device. vpn_device.lock writes
 * @kref: holders beyond RCU
 * @rcu: defers freeing
 */
struct vpn_peer {
	struct vpn_device *vpn;
	struct vpn_keypairs keypairs;
	struct vpn_endpoint __rcu *endpoint;
	spinlock_t endpoint_lock;
	struct vpn_handshake handshake;
	struct vpn_index index;
	struct vpn_cookie cookie;
	struct vpn_timers timers;
	struct sk_buff_head staged;
	unsigned int staged_bytes;
	struct work_struct initiation_work;
	struct work_struct erase_work;
	struct work_struct expire_work;
	struct vpn_terms terms;
	struct vpn_echo echo;
	struct vpn_latency *latency;
	u8 disconnect;
	u64 disconnect_time;
	atomic64_t last_initiation;
	u64 last_handshake;
	atomic64_t rx_bytes;
	atomic64_t tx_bytes;
	struct list_head allowedips;
	u8 address_mode;
	u8 wanted_count;
	struct vpn_prefix wanted[VPN_FAMILIES];
	struct vpn_lease *leases[VPN_FAMILIES];
	struct rhash_head node;
	struct list_head list;
	char *name;
	u64 id;
	bool dead;
	struct kref kref;
	struct rcu_head rcu;
};

int vpn_peer_init(void);
void vpn_peer_uninit(void);

/* The tables of a device by which peers and messages find each other. */
int vpn_peer_tables_setup(struct vpn_device *vpn);
void vpn_peer_tables_destroy(struct vpn_device *vpn);

/**
 * vpn_peer_create() - add a peer to a device
 * @vpn: the device, @vpn->lock held
 * @public_key: its static public key
 *
 * Context: process.
 * Return: the peer, or ERR_PTR(): -EEXIST if the device has such a peer,
 * -EADDRNOTAVAIL if it is the device's own key, -EMFILE above 2^20 peers,
 * -ENOMEM.
 */
struct vpn_peer *vpn_peer_create(struct vpn_device *vpn,
				 const u8 public_key[VPN_KEY_LEN]);

/**
 * vpn_peer_remove() - take a peer from its device and end its sessions
 * @peer: the peer, its device's lock held
 *
 * Context: process; sleeps until nothing of the peer runs any more.
 */
void vpn_peer_remove(struct vpn_peer *peer);

/**
 * vpn_peer_take_out() - begin to remove a peer
 * @peer: live, its device's lock held
 * @gone: peers that have been taken out, for vpn_peer_remove_those()
 *
 * Nobody who looks for it finds it from now on.
 */
void vpn_peer_take_out(struct vpn_peer *peer, struct list_head *gone);

/**
 * vpn_peer_remove_those() - remove peers that have been taken out
 * @vpn: their device, lock held ever since
 * @gone: the peers; empty afterwards
 *
 * Waits for one grace period, for all of them.
 *
 * Context: process.
 */
void vpn_peer_remove_those(struct vpn_device *vpn, struct list_head *gone);

/**
 * vpn_peer_remove_all() - the same for every peer
 * @vpn: the device, @vpn->lock held
 */
void vpn_peer_remove_all(struct vpn_device *vpn);

/**
 * vpn_peer_find() - look a peer up by its public key
 * @vpn: the device
 * @public_key: the key
 *
 * Context: any, takes RCU itself.
 * Return: the peer with a reference that vpn_peer_put() gives back, or NULL.
 */
struct vpn_peer *vpn_peer_find(struct vpn_device *vpn,
			       const u8 public_key[VPN_KEY_LEN]);

/**
 * vpn_peer_get_rcu() - take a reference to a peer seen under RCU
 * @peer: the peer or NULL
 *
 * Return: @peer, or NULL if it is about to be freed.
 */
struct vpn_peer *vpn_peer_get_rcu(struct vpn_peer *peer);
void vpn_peer_put(struct vpn_peer *peer);

/**
 * vpn_peer_queue_work() - run one of a peer's works, which owns a reference
 * @peer: the peer, held or seen under RCU
 * @work: vpn_peer.initiation_work or vpn_peer.erase_work; its function gives
 *	the reference back
 */
void vpn_peer_queue_work(struct vpn_peer *peer, struct work_struct *work);

/**
 * vpn_peer_end_sessions() - erase keys, handshake and what waits for a key
 * @peer: the peer
 *
 * Context: process.
 */
void vpn_peer_end_sessions(struct vpn_peer *peer);

/**
 * vpn_peer_set_name() - name a peer
 * @peer: the peer, its device's lock held
 * @name: zero terminated; empty takes the name away
 *
 * Return: 0 or -ENOMEM.
 */
int vpn_peer_set_name(struct vpn_peer *peer, const char *name);

/**
 * vpn_peer_set_address_mode() - say where a peer's address comes from
 * @peer: the peer, its device's lock held
 * @mode: %VPN_ADDRESS_MODE_NONE, _LEASE or _REQUEST
 * @wanted: vpn_peer.wanted
 * @count: vpn_peer.wanted_count
 *
 * Context: process.
 */
void vpn_peer_set_address_mode(struct vpn_peer *peer, u8 mode,
			       const struct vpn_prefix *wanted,
			       unsigned int count);

#endif
