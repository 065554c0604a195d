/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address pools of a device: which addresses there are to give, and which of
 * them are free.
 */
#ifndef VPN_POOL_H
#define VPN_POOL_H

#include <linux/netlink.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "lease.h"
#include "noise.h"
#include "prefix.h"

struct vpn_device;
struct vpn_peer;

#define VPN_POOLS_MAX		256		/* of a device */
#define VPN_POOL_RESERVED_MAX	64		/* ranges of a pool */
#define VPN_POOL_BITS_MIN	8		/* length of its prefix */

/**
 * struct vpn_range - addresses from @first to @last, both included
 * @first: network order
 * @last: of the same family
 */
struct vpn_range {
	u8 first[VPN_IP_MAX];
	u8 last[VPN_IP_MAX];
};

/**
 * struct vpn_pool_settings - what an administrator says of a pool
 * @prefix: its addresses, without bits behind the prefix
 * @lease_time: seconds, zero for ever
 * @reserved: addresses that nobody gets, as they were given
 * @reserved_count: how many ranges
 */
struct vpn_pool_settings {
	struct vpn_prefix prefix;
	u32 lease_time;
	struct vpn_range *reserved;
	unsigned int reserved_count;
};

/**
 * struct vpn_pool - addresses to be leased
 * @list: in vpn_pools.list
 * @id: rises along the list; never reused in a device
 * @settings: what was asked for
 * @blocked: what nobody gets, in order, without overlap: reserved addresses, and
 *	those of the network and of its broadcast
 * @blocked_count: how many ranges
 * @taken: a bit an address, set when it is leased or blocked; NULL where that
 *	would be too many bits
 * @hint: bit of @taken to look for a free address from
 * @leases: by address
 * @used: how many leases
 * @size: how many addresses there are to give, %U64_MAX for 2^64 and more
 *
 * All under vpn_device.lock.
 */
struct vpn_pool {
	struct list_head list;
	u64 id;
	struct vpn_pool_settings settings;
	struct vpn_range *blocked;
	unsigned int blocked_count;
	unsigned long *taken;
	u32 hint;
	struct rb_root leases;
	unsigned int used;
	u64 size;
};

/**
 * struct vpn_pools - the pools and leases of a device
 * @vpn: the device
 * @list: the pools, in order of their creation. vpn_device.lock
 * @count: how many. vpn_device.lock writes, READ_ONCE() reads
 * @last_id: of the latest pool. vpn_device.lock
 * @lease_count: how many leases in all pools. vpn_device.lock
 * @generation: changes with pools and leases, so that a dump can tell.
 *	vpn_device.lock
 * @full: prefix of the pool that had no room for the latest lease that was
 *	wanted; of length zero if there was room. vpn_device.lock
 * @keys: IPv4 and IPv6 leases by public key. vpn_device.lock
 * @lock: serialises what handshakes do with leases; taken inside every other
 *	lock, with bottom halves off
 * @expiry: leases that have an end, by that. @lock
 * @expire: ends those whose time is over
 */
struct vpn_pools {
	struct vpn_device *vpn;
	struct list_head list;
	unsigned int count;
	u64 last_id;
	unsigned int lease_count;
	u32 generation;
	struct vpn_prefix full;
	struct rb_root keys[VPN_FAMILIES];
	spinlock_t lock;
	struct rb_root_cached expiry;
	struct delayed_work expire;
};

/*
 * The pools of a device, at first none. They are freed when neither a peer nor
 * a handshake is left, and without vpn_device.lock.
 */
int vpn_pools_setup(struct vpn_device *vpn);
void vpn_pools_free(struct vpn_device *vpn);

/**
 * vpn_pools_any() - tell whether a device has an address pool
 * @vpn: the device
 *
 * Context: any; only with @vpn->lock it stays so.
 * Return: whether it has.
 */
bool vpn_pools_any(const struct vpn_device *vpn);

/* What follows is called with vpn_device.lock held, in process context. */

/**
 * vpn_pool_set() - add a pool, or change the one that has this prefix
 * @vpn: the device
 * @settings: of the pool; the ranges are copied
 * @extack: says why not
 *
 * Return: 0; -EINVAL for a prefix or a range that makes no sense, -EEXIST for
 * one that overlaps another pool, -EBUSY if an address to be reserved is
 * leased, -EMFILE above %VPN_POOLS_MAX, -ENOMEM.
 */
int vpn_pool_set(struct vpn_device *vpn,
		 const struct vpn_pool_settings *settings,
		 struct netlink_ext_ack *extack);

/**
 * vpn_pool_remove() - take a pool from a device
 * @vpn: the device
 * @prefix: names it
 * @force: end the leases in it
 * @extack: says why not
 *
 * Return: 0, -ENOENT, or -EBUSY if there are leases and no @force.
 */
int vpn_pool_remove(struct vpn_device *vpn, const struct vpn_prefix *prefix,
		    bool force, struct netlink_ext_ack *extack);

/**
 * vpn_pool_of() - find the pool that an address lies in
 * @pools: the pools
 * @address: the address
 *
 * Return: the pool or NULL.
 */
struct vpn_pool *vpn_pool_of(const struct vpn_pools *pools,
			     const struct vpn_prefix *address);

/**
 * vpn_pool_find_free() - look for an address to give
 * @vpn: the device
 * @pool: where
 * @peer: for whom
 * @ip: filled
 *
 * The lowest of a small or an IPv4 pool, as a rule; in a larger one the address
 * follows from the peer's public key, unless it is taken.
 *
 * Return: whether there is one.
 */
bool vpn_pool_find_free(struct vpn_device *vpn, struct vpn_pool *pool,
			struct vpn_peer *peer, u8 ip[VPN_IP_MAX]);

/**
 * vpn_pool_check() - tell whether an address can be given, but for its lease
 * @vpn: the device
 * @pool: the pool that it lies in
 * @key: for whom
 * @ip: the address
 * @extack: says why not; may be NULL
 *
 * Return: 0, or -EADDRNOTAVAIL: it is reserved, the device's own, or covered by
 * another peer's allowed IPs.
 */
int vpn_pool_check(struct vpn_device *vpn, const struct vpn_pool *pool,
		   const u8 key[VPN_KEY_LEN], const u8 ip[VPN_IP_MAX],
		   struct netlink_ext_ack *extack);

/**
 * vpn_pool_lease_from() - find a lease by address
 * @pool: the pool
 * @ip: where to begin
 *
 * Return: the lease with this address or the next higher one, or NULL.
 */
struct vpn_lease *vpn_pool_lease_from(const struct vpn_pool *pool,
				      const u8 ip[VPN_IP_MAX]);

/* Enter a lease into its pool, where its address is free, and take it out. */
void vpn_pool_link(struct vpn_pool *pool, struct vpn_lease *lease);
void vpn_pool_unlink(struct vpn_pool *pool, struct vpn_lease *lease);

#endif
