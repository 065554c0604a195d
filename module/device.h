/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_DEVICE_H
#define VPN_DEVICE_H

#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>

#include "allowedips.h"
#include "cookie.h"
#include "lobby.h"
#include "noise.h"
#include "stats.h"

struct vpn_gather;
struct vpn_handshake_worker;
struct vpn_limits;
struct vpn_offer;
struct vpn_pools;
struct vpn_rx_cpu;
struct vpn_socket;
struct vpn_stats;

/**
 * struct vpn_device - private part of a net_device of kind "vpn"
 * @dev: the net_device
 * @birth_net: namespace that holds the UDP sockets; NULL once it has ended.
 *	Not counted: vpn_device_net_exit() clears it. RTNL writes
 * @sock: open sockets, NULL while the device is down. @lock writes
 * @identity: the device's static key pair
 * @cookie: state of the denial-of-service defence
 * @limits: what strangers may have of it
 * @allowedips: cryptokey routing table. @lock writes
 * @pools: address pools and leases
 * @peers_by_key: every live peer by its public key. @lock writes
 * @indices: handshakes and keypairs by the index that peers address them with
 * @peers: every live peer, in the order of creation. @lock writes
 * @peer_count: length of @peers
 * @generation: changes with the configuration, so that a dump can tell
 * @lock: serialises configuration; taken inside RTNL, outside every other lock
 * @listen_port: in host order; zero until a port was chosen. @lock
 * @fwmark: mark of packets that leave encrypted. @lock writes, READ_ONCE reads
 * @offer: what peers are told, NULL for nothing. @lock writes, RCU reads
 * @max_peers: how many may have a session; zero for any number. @lock writes
 * @seats: peers that have one
 * @lobby: initiations that wait
 * @latency: of handshakes and echoes
 * @rx: one NAPI context a CPU
 * @gather: packets a CPU that wait for those behind them
 * @holds: batches that the crypto API has not completed yet
 * @wq: handshakes and deferred work of the device's peers
 * @handshakes: received handshake messages that wait for a worker; bounded by
 *	%VPN_HANDSHAKES_MAX
 * @handshake_work: a worker a CPU; see struct vpn_handshake_worker
 * @stats: counters a CPU
 * @list: in the module's list of devices, under RTNL
 */
struct vpn_device {
	struct net_device *dev;
	struct net __rcu *birth_net;
	struct vpn_socket __rcu *sock;
	struct vpn_identity identity;
	struct vpn_cookie_checker cookie;
	struct vpn_limits *limits;
	struct vpn_allowedips allowedips;
	struct vpn_pools *pools;
	struct rhashtable peers_by_key;
	struct rhashtable indices;
	struct list_head peers;
	unsigned int peer_count;
	u32 generation;
	struct mutex lock;
	u16 listen_port;
	u32 fwmark;
	struct vpn_offer __rcu *offer;
	unsigned int max_peers;
	atomic_t seats;
	struct vpn_lobby lobby;
	struct vpn_latency latency;
	struct vpn_rx_cpu __percpu *rx;
	struct vpn_gather __percpu *gather;
	atomic_t holds;
	struct workqueue_struct *wq;
	struct sk_buff_head handshakes;
	struct vpn_handshake_worker __percpu *handshake_work;
	struct vpn_stats __percpu *stats;
	struct list_head list;
};

int vpn_device_init(void);
void vpn_device_uninit(void);

/**
 * vpn_device_is() - tell whether a net_device is of this driver
 * @dev: any net_device
 *
 * Return: whether it is.
 */
bool vpn_device_is(const struct net_device *dev);

/**
 * vpn_device_set_port() - listen on another port
 * @vpn: the device, @vpn->lock held, RTNL held
 * @port: in host order; zero for one that the kernel chooses
 *
 * Reopens the sockets when the device is up and leaves the old ones in place
 * when that fails.
 *
 * Context: process.
 * Return: 0, -EADDRINUSE, or another error of bind().
 */
int vpn_device_set_port(struct vpn_device *vpn, u16 port);

/**
 * vpn_device_set_fwmark() - change the mark of encrypted packets
 * @vpn: the device, @vpn->lock held
 * @fwmark: the mark, zero for none
 *
 * Routes that were looked up with the old mark are forgotten.
 */
void vpn_device_set_fwmark(struct vpn_device *vpn, u32 fwmark);

/**
 * vpn_device_set_offer() - change what peers are told
 * @vpn: the device, @vpn->lock held
 * @offer: becomes the device's
 *
 * It goes into the answers to handshakes from now on.
 */
void vpn_device_set_offer(struct vpn_device *vpn, struct vpn_offer *offer);

/**
 * vpn_device_set_private_key() - give the device its identity
 * @vpn: the device, @vpn->lock held
 * @private_key: 32 octets; all zero removes the identity
 *
 * A peer whose public key is now the device's own is removed. Every session
 * ends, since it was agreed under another identity. Nothing happens when the
 * key is what it was.
 *
 * Context: process.
 */
void vpn_device_set_private_key(struct vpn_device *vpn,
				const u8 private_key[VPN_KEY_LEN]);

#endif
