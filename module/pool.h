/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address pools of a device, and the leases in them. A lease belongs to a
 * public key: the peer with that key holds it while it is there, and finds it
 * again when it comes back.
 */
#ifndef VPN_POOL_H
#define VPN_POOL_H

#include <linux/netlink.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "prefix.h"

struct vpn_device;
struct vpn_lease;
struct vpn_peer;

#define VPN_LEASE_FAMILIES 2

int vpn_pool_init(void);		/* module-wide: cache and workqueue */
void vpn_pool_uninit(void);

/* The pools of a device, at first none. Freed without vpn_device.lock. */
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

/**
 * vpn_lease_bind() - give a peer its leases
 * @peer: the peer, its device's lock held
 * @fixed: the addresses that it has to be, of one family at most one
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
			    struct vpn_prefix leases[VPN_LEASE_FAMILIES],
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

#endif
