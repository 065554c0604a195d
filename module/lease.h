/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Leases of addresses. A lease belongs to a public key: the peer with that key
 * holds it while it is there, and finds it again when it comes back.
 */
#ifndef VPN_LEASE_H
#define VPN_LEASE_H

#include <linux/bits.h>
#include <linux/netlink.h>
#include <linux/rbtree.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "noise.h"
#include "prefix.h"

struct vpn_device;
struct vpn_peer;
struct vpn_pool;
struct vpn_pools;

#define VPN_FAMILIES	2
#define VPN_LEASES_MAX		BIT(21)		/* of a device */

/**
 * struct vpn_lease - an address that belongs to a public key
 * @by_address: in vpn_pool.leases
 * @by_key: in vpn_pools.keys
 * @by_expiry: in vpn_pools.expiry, if there is an end
 * @pool: the pool that the address is of
 * @peer: who holds it, NULL while there is no such peer
 * @expires: its end on the boot clock, ns; zero for none
 * @public_key: whose it is
 * @fresh: made by a request that is not through yet
 * @ip: network order
 *
 * vpn_device.lock writes, and for @peer and @expires also vpn_pools.lock;
 * either reads.
 */
struct vpn_lease {
	struct rb_node by_address;
	struct rb_node by_key;
	struct rb_node by_expiry;
	struct vpn_pool *pool;
	struct vpn_peer *peer;
	u64 expires;
	u8 public_key[VPN_KEY_LEN];
	bool fresh;
	u8 ip[VPN_IP_MAX];
};

/**
 * struct vpn_lease_info - what there is to tell of a lease
 * @address: with the length of the pool's prefix
 * @public_key: whose it is
 * @expires: its end on the boot clock, ns; zero for none
 * @bound: whether a peer holds it
 * @name: that peer's, NULL for none
 */
struct vpn_lease_info {
	struct vpn_prefix address;
	u8 public_key[VPN_KEY_LEN];
	u64 expires;
	bool bound;
	const char *name;
};

/**
 * struct vpn_lease_record - a lease as it was once read
 * @address: the address
 * @public_key: whose it is
 * @expires: its end on the wall clock, ns; %U64_MAX if it had none
 */
struct vpn_lease_record {
	struct vpn_prefix address;
	u8 public_key[VPN_KEY_LEN];
	u64 expires;
};

int vpn_lease_init(void);		/* module-wide: cache and workqueue */
void vpn_lease_uninit(void);

/* The leases of a device, at first none; see vpn_pools_free(). */
void vpn_lease_setup(struct vpn_pools *pools);
void vpn_lease_free_all(struct vpn_pools *pools);

/**
 * vpn_lease_bind() - give a peer its leases
 * @peer: the peer, its device's lock held
 * @fixed: the addresses that it has to be, of one family at most one; all zero
 *	for any of its family
 * @count: how many; with none, the peer gets an address of each family that
 *	there are pools of
 * @extack: says what is in the way; may be NULL
 *
 * What the peer holds or has held is kept if it fits, an address of the first
 * pool with room is taken otherwise. Each address goes into the peer's allowed
 * IPs. Either all is done or nothing.
 *
 * Context: process.
 * Return: 0, -ENOSPC without a free address, -EADDRNOTAVAIL if a fixed one is
 * not to be had, -ENOMEM.
 */
int vpn_lease_bind(struct vpn_peer *peer, const struct vpn_prefix *fixed,
		   unsigned int count, struct netlink_ext_ack *extack);

/**
 * vpn_lease_unbind() - take a peer's leases from it
 * @peer: the peer, its device's lock held
 *
 * The addresses leave its allowed IPs. They stay reserved for its public key,
 * as long as the pool's lease time says.
 *
 * Context: process.
 */
void vpn_lease_unbind(struct vpn_peer *peer);

/**
 * vpn_lease_read() - tell what a peer holds
 * @peer: the peer
 * @leases: filled: addresses, with the length of their pool's prefix
 * @seconds: filled: how long the first of them ends to live; zero for ever
 *
 * Context: any.
 * Return: how many there are.
 */
unsigned int vpn_lease_read(struct vpn_peer *peer,
			    struct vpn_prefix leases[VPN_FAMILIES],
			    u32 *seconds);

/**
 * vpn_lease_renew() - let a peer's leases end a lease time from now
 * @peer: the peer, which is about to be told of them
 *
 * A lease that was never told of has no end while its peer is there. When it
 * does end, the peer loses the address, and vpn_lease_bind() gets it a new one.
 *
 * Context: any.
 */
void vpn_lease_renew(struct vpn_peer *peer);

/**
 * vpn_lease_put() - append a peer's leases to a message
 * @skb: message, within a nest of peer attributes
 * @peer: the peer, its device's lock held
 *
 * Return: 0 or -EMSGSIZE.
 */
int vpn_lease_put(struct sk_buff *skb, struct vpn_peer *peer);

/**
 * vpn_lease_holder() - tell whose an address is
 * @vpn: the device, @vpn->lock held
 * @address: an address, with the length of a whole address
 *
 * Context: process.
 * Return: the public key that has a lease of it, or NULL. Valid until the lock
 * is released.
 */
const u8 *vpn_lease_holder(struct vpn_device *vpn,
			   const struct vpn_prefix *address);

/**
 * vpn_lease_keep() - put a peer's leases into its allowed IPs, again
 * @peer: the peer, its device's lock held; its allowed IPs were changed
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int vpn_lease_keep(struct vpn_peer *peer);

/**
 * vpn_lease_end() - end a lease
 * @pools: where it is, vpn_device.lock held
 * @lease: the lease; freed
 *
 * Context: process.
 */
void vpn_lease_end(struct vpn_pools *pools, struct vpn_lease *lease);

/**
 * vpn_lease_find() - find a lease by its key
 * @pools: where to look, vpn_device.lock held
 * @six: the IPv6 one
 * @key: public key
 *
 * Return: the lease or NULL.
 */
struct vpn_lease *vpn_lease_find(const struct vpn_pools *pools, bool six,
				 const u8 key[VPN_KEY_LEN]);

/**
 * vpn_lease_at() - find a lease by its address
 * @pools: where to look, vpn_device.lock held
 * @address: the address
 *
 * Return: the lease or NULL.
 */
struct vpn_lease *vpn_lease_at(const struct vpn_pools *pools,
			       const struct vpn_prefix *address);

/**
 * vpn_lease_restore() - make a lease again, provisionally
 * @vpn: the device, @vpn->lock held
 * @record: the lease as it was; nothing is done if its time is over
 * @extack: says why not
 *
 * The request that makes leases so ends, before it releases the lock, with
 * vpn_lease_settle() for each.
 *
 * Context: process.
 * Return: 0; -EADDRNOTAVAIL if the address is in no pool, is another key's, or
 * can't be given; -EEXIST if the key has another address; -ENOSPC above
 * %VPN_LEASES_MAX; -ENOMEM.
 */
int vpn_lease_restore(struct vpn_device *vpn,
		      const struct vpn_lease_record *record,
		      struct netlink_ext_ack *extack);

/**
 * vpn_lease_settle() - keep what vpn_lease_restore() made, or undo it
 * @vpn: the device, @vpn->lock held all the time
 * @record: what that was called with
 * @keep: whether to keep it
 *
 * Context: process.
 */
void vpn_lease_settle(struct vpn_device *vpn,
		      const struct vpn_lease_record *record, bool keep);

/**
 * vpn_lease_describe() - tell of a lease
 * @pools: where it is, vpn_device.lock held
 * @lease: the lease
 * @info: filled; valid until the lock is released
 */
void vpn_lease_describe(struct vpn_pools *pools, const struct vpn_lease *lease,
			struct vpn_lease_info *info);

/**
 * vpn_lease_put_info() - append a lease to a message
 * @skb: message
 * @type: of the nest
 * @info: what to say
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE.
 */
int vpn_lease_put_info(struct sk_buff *skb, int type,
		       const struct vpn_lease_info *info);

#endif
