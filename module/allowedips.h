/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cryptokey routing: longest-prefix match from an address to a peer.
 */
#ifndef VPN_ALLOWEDIPS_H
#define VPN_ALLOWEDIPS_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>

struct vpn_allowedips_node;
struct vpn_peer;

/**
 * struct vpn_allowedips - the table of a device
 * @root4: IPv4 prefixes
 * @root6: IPv6 prefixes
 *
 * Readers hold RCU; writers hold vpn_device.lock, which they pass for lockdep.
 */
struct vpn_allowedips {
	struct vpn_allowedips_node __rcu *root4;
	struct vpn_allowedips_node __rcu *root6;
};

int vpn_allowedips_init(void);		/* module-wide: the slab cache */
void vpn_allowedips_uninit(void);

void vpn_allowedips_setup(struct vpn_allowedips *table);

/**
 * vpn_allowedips_insert4() - route a prefix to a peer
 * @table: the table
 * @ip: network address; bits beyond @prefix_len are ignored
 * @prefix_len: at most 32
 * @peer: the new owner; the prefix is taken from whoever had it
 * @lock: vpn_device.lock, held
 *
 * Context: process.
 * Return: 0, -EINVAL or -ENOMEM.
 */
int vpn_allowedips_insert4(struct vpn_allowedips *table,
			   const struct in_addr *ip, u8 prefix_len,
			   struct vpn_peer *peer, struct mutex *lock);
int vpn_allowedips_insert6(struct vpn_allowedips *table,
			   const struct in6_addr *ip, u8 prefix_len,
			   struct vpn_peer *peer, struct mutex *lock);

/* Take a prefix from @peer; nothing happens when it has another owner or none. */
int vpn_allowedips_remove4(struct vpn_allowedips *table,
			   const struct in_addr *ip, u8 prefix_len,
			   struct vpn_peer *peer, struct mutex *lock);
int vpn_allowedips_remove6(struct vpn_allowedips *table,
			   const struct in6_addr *ip, u8 prefix_len,
			   struct vpn_peer *peer, struct mutex *lock);
void vpn_allowedips_remove_peer(struct vpn_allowedips *table,
				struct vpn_peer *peer, struct mutex *lock);
void vpn_allowedips_free(struct vpn_allowedips *table, struct mutex *lock);

/**
 * vpn_allowedips_read() - tell what a node of vpn_peer.allowedips stands for
 * @entry: list entry
 * @ip: 16 octets of room, network order
 * @prefix_len: filled
 *
 * Return: AF_INET or AF_INET6.
 */
int vpn_allowedips_read(const struct list_head *entry, u8 ip[16],
			u8 *prefix_len);

/**
 * vpn_allowedips_find4() - the peer of an address
 * @table: the table
 * @ip: the address
 *
 * Context: RCU read side, as long as the result is used.
 * Return: peer or NULL.
 */
struct vpn_peer *vpn_allowedips_find4(const struct vpn_allowedips *table,
				      const struct in_addr *ip);
struct vpn_peer *vpn_allowedips_find6(const struct vpn_allowedips *table,
				      const struct in6_addr *ip);

/**
 * vpn_allowedips_match() - the peer of an address, and by which prefix
 * @table: the table
 * @ip: the address, in network order
 * @len: its octets, 4 or 16
 * @prefix_len: filled if there is a peer
 *
 * Context: RCU read side, as long as the result is used.
 * Return: peer or NULL.
 */
struct vpn_peer *vpn_allowedips_match(const struct vpn_allowedips *table,
				      const u8 *ip, u8 len, u8 *prefix_len);

/**
 * vpn_allowedips_find_dst() - the peer that a packet goes to
 * @table: the table
 * @skb: skb->protocol and the network header are right
 *
 * Context: RCU read side, as long as the result is used.
 * Return: peer or NULL.
 */
struct vpn_peer *vpn_allowedips_find_dst(const struct vpn_allowedips *table,
					 const struct sk_buff *skb);

#endif
