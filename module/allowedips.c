// SPDX-License-Identifier: GPL-2.0
/*
 * Cryptokey routing: longest-prefix match from an address to a peer.
 *
 * A path-compressed binary trie for each address family. A node stands for a
 * prefix; its children are longer prefixes of which the first bit behind the
 * node's own tells left from right. A node without a peer only branches, and
 * always has two children: one that would have fewer is taken out at once, so
 * that there are less than twice as many nodes as prefixes.
 *
 * Addresses are held as two words in the CPU's byte order, the first bit of the
 * address being the top bit of @hi. IPv4 fills the upper half of @hi and leaves
 * the rest zero, which lets one set of functions serve both families.
 */
#include <linux/bitops.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "allowedips.h"
#include "peer.h"

struct address {
	u64 hi;
	u64 lo;
};

/**
 * struct vpn_allowedips_node - a prefix, or where two of them part
 * @child: longer prefixes; NULL or by the first bit behind this one
 * @peer: owner of the prefix; NULL where the node only branches
 * @prefix: its bits, zero behind @prefix_len
 * @prefix_len: in bits
 * @family: AF_INET or AF_INET6
 * @list: in vpn_peer.allowedips if there is a @peer; writers only
 * @rcu: defers freeing of a node that nothing refers to any more
 *
 * What readers need fits into one cache line, and so does the rest.
 */
struct vpn_allowedips_node {
	struct vpn_allowedips_node __rcu *child[2];
	struct vpn_peer __rcu *peer;
	struct address prefix;
	u8 prefix_len;
	u8 family;
	union {
		struct list_head list;
		struct rcu_head rcu;
	};
};

#if BITS_PER_LONG == 64
static_assert(sizeof(struct vpn_allowedips_node) == 64);
#endif

static struct kmem_cache *node_cache;

static inline struct address address4(const struct in_addr *ip)
{
	return (struct address){ .hi = (u64)be32_to_cpu(ip->s_addr) << 32 };
}

static inline struct address address6(const struct in6_addr *ip)
{
	const __be32 *words = ip->s6_addr32;

	return (struct address){
		.hi = (u64)be32_to_cpu(words[0]) << 32 | be32_to_cpu(words[1]),
		.lo = (u64)be32_to_cpu(words[2]) << 32 | be32_to_cpu(words[3]),
	};
}

/* Zero what is behind the first @len bits. */
static struct address truncate(struct address a, u8 len)
{
	if (len < 64) {
		a.hi &= ~(U64_MAX >> len);
		a.lo = 0;
	} else if (len < 128) {
		a.lo &= ~(U64_MAX >> (len - 64));
	}
	return a;
}

/* How many leading bits two addresses have in common, 128 if all of them. */
static inline unsigned int common_bits(struct address a, struct address b)
{
	u64 difference = a.hi ^ b.hi;

	if (difference)
		return 64 - fls64(difference);
	return 128 - fls64(a.lo ^ b.lo);
}

/*
 * The bit behind the first @len. A full-length prefix has no such bit and gets
 * an arbitrary one, of no consequence since it has no children.
 */
static inline unsigned int bit_at(struct address a, u8 len)
{
	u64 word = len & 64 ? a.lo : a.hi;

	return word >> (63 - (len & 63)) & 1;
}

/* Transmit runs under rcu_read_lock_bh(), other readers under rcu_read_lock(). */
#define deref_reader(pointer) \
	rcu_dereference_check(pointer, rcu_read_lock_bh_held())

/* @bits: length of the prefix, filled if there is one; not asked for on the data path. */
static inline struct vpn_peer *
find(struct vpn_allowedips_node __rcu *const *root, struct address a, u8 *bits)
{
	const struct vpn_allowedips_node *node = deref_reader(*root);
	struct vpn_peer *peer, *found = NULL;

	while (node && common_bits(a, node->prefix) >= node->prefix_len) {
		peer = deref_reader(node->peer);
		if (peer) {
			found = peer;
			if (bits)
				*bits = node->prefix_len;
		}
		node = deref_reader(node->child[bit_at(a, node->prefix_len)]);
	}
	return found;
}

struct vpn_peer *vpn_allowedips_find4(const struct vpn_allowedips *table,
				      const struct in_addr *ip)
{
	return find(&table->root4, address4(ip), NULL);
}

struct vpn_peer *vpn_allowedips_find6(const struct vpn_allowedips *table,
				      const struct in6_addr *ip)
{
	return find(&table->root6, address6(ip), NULL);
}

struct vpn_peer *vpn_allowedips_match(const struct vpn_allowedips *table,
				      const u8 *ip, u8 len, u8 *prefix_len)
{
	struct in6_addr ip6;
	struct in_addr ip4;

	if (len == sizeof(ip4)) {
		memcpy(&ip4, ip, len);
		return find(&table->root4, address4(&ip4), prefix_len);
	}
	memcpy(&ip6, ip, sizeof(ip6));
	return find(&table->root6, address6(&ip6), prefix_len);
}

struct vpn_peer *vpn_allowedips_find_dst(const struct vpn_allowedips *table,
					 const struct sk_buff *skb)
{
	struct in_addr ip;

	switch (skb->protocol) {
	case htons(ETH_P_IP):
		ip.s_addr = ip_hdr(skb)->daddr;
		return vpn_allowedips_find4(table, &ip);
	case htons(ETH_P_IPV6):
		return vpn_allowedips_find6(table, &ipv6_hdr(skb)->daddr);
	default:
		return NULL;
	}
}

/*
 * Writers.
 */

#define deref(pointer) \
	rcu_dereference_protected(pointer, lockdep_is_held(lock))

static struct vpn_allowedips_node *
new_node(struct address prefix, u8 prefix_len, u8 family)
{
	struct vpn_allowedips_node *node;

	node = kmem_cache_zalloc(node_cache, GFP_KERNEL);
	if (!node)
		return NULL;
	node->prefix = truncate(prefix, prefix_len);
	node->prefix_len = prefix_len;
	node->family = family;
	return node;
}

static void free_node_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(node_cache,
			container_of(rcu, struct vpn_allowedips_node, rcu));
}

/* Give a node that stands for a prefix to @peer, or to nobody. */
static void set_owner(struct vpn_allowedips_node *node, struct vpn_peer *peer,
		      struct mutex *lock)
{
	if (deref(node->peer))
		list_del(&node->list);
	if (peer)
		list_add_tail(&node->list, &peer->allowedips);
	rcu_assign_pointer(node->peer, peer);
}

static int insert(struct vpn_allowedips_node __rcu **slot, struct address ip,
		  u8 prefix_len, u8 family, struct vpn_peer *peer,
		  struct mutex *lock)
{
	struct vpn_allowedips_node *node, *leaf, *branch;
	unsigned int common = 0;

	lockdep_assert_held(lock);

	/* Go down to where the prefix is, or has to be. */
	while ((node = deref(*slot))) {
		common = min3(common_bits(ip, node->prefix),
			      (unsigned int)node->prefix_len,
			      (unsigned int)prefix_len);
		if (common < node->prefix_len)
			break;
		if (node->prefix_len == prefix_len) {
			if (deref(node->peer) != peer)
				set_owner(node, peer, lock);
			return 0;
		}
		slot = &node->child[bit_at(ip, node->prefix_len)];
	}

	leaf = new_node(ip, prefix_len, family);
	if (!leaf)
		return -ENOMEM;

	if (!node) {
		branch = leaf;
	} else if (common == prefix_len) {
		/* It contains what is there. */
		branch = leaf;
		RCU_INIT_POINTER(leaf->child[bit_at(node->prefix, common)],
				 node);
	} else {
		/* Both are contained in something that is not there yet. */
		branch = new_node(ip, common, family);
		if (!branch) {
			kmem_cache_free(node_cache, leaf);
			return -ENOMEM;
		}
		RCU_INIT_POINTER(branch->child[bit_at(ip, common)], leaf);
		RCU_INIT_POINTER(branch->child[bit_at(node->prefix, common)],
				 node);
	}
	set_owner(leaf, peer, lock);
	rcu_assign_pointer(*slot, branch);
	return 0;
}

int vpn_allowedips_insert4(struct vpn_allowedips *table,
			   const struct in_addr *ip, u8 prefix_len,
			   struct vpn_peer *peer, struct mutex *lock)
{
	if (prefix_len > 32)
		return -EINVAL;
	return insert(&table->root4, address4(ip), prefix_len, AF_INET, peer,
		      lock);
}

int vpn_allowedips_insert6(struct vpn_allowedips *table,
			   const struct in6_addr *ip, u8 prefix_len,
			   struct vpn_peer *peer, struct mutex *lock)
{
	if (prefix_len > 128)
		return -EINVAL;
	return insert(&table->root6, address6(ip), prefix_len, AF_INET6, peer,
		      lock);
}

/*
 * Take a node out of the trie unless two children hang on it. Readers may still
 * be on it, so its own pointers stay as they are.
 * Return: whether its place is empty now.
 */
static bool unlink_node(struct vpn_allowedips_node __rcu **slot,
			struct vpn_allowedips_node *node, struct mutex *lock)
{
	struct vpn_allowedips_node *left = deref(node->child[0]);
	struct vpn_allowedips_node *right = deref(node->child[1]);

	if (left && right)
		return false;
	rcu_assign_pointer(*slot, left ?: right);
	call_rcu(&node->rcu, free_node_rcu);
	return !left && !right;
}

static void remove(struct vpn_allowedips_node __rcu **slot, struct address ip,
		   u8 prefix_len, struct vpn_peer *peer, struct mutex *lock)
{
	struct vpn_allowedips_node __rcu **parent_slot = NULL;
	struct vpn_allowedips_node *node, *parent = NULL;

	lockdep_assert_held(lock);

	while ((node = deref(*slot)) && node->prefix_len < prefix_len) {
		if (common_bits(ip, node->prefix) < node->prefix_len)
			return;
		parent_slot = slot;
		parent = node;
		slot = &node->child[bit_at(ip, node->prefix_len)];
	}
	if (!node || node->prefix_len != prefix_len ||
	    common_bits(ip, node->prefix) < prefix_len ||
	    deref(node->peer) != peer)
		return;

	set_owner(node, NULL, lock);
	/* Without this child a parent that only branches has no purpose. */
	if (unlink_node(slot, node, lock) && parent && !deref(parent->peer))
		unlink_node(parent_slot, parent, lock);
}

int vpn_allowedips_remove4(struct vpn_allowedips *table,
			   const struct in_addr *ip, u8 prefix_len,
			   struct vpn_peer *peer, struct mutex *lock)
{
	if (prefix_len > 32)
		return -EINVAL;
	remove(&table->root4, address4(ip), prefix_len, peer, lock);
	return 0;
}

int vpn_allowedips_remove6(struct vpn_allowedips *table,
			   const struct in6_addr *ip, u8 prefix_len,
			   struct vpn_peer *peer, struct mutex *lock)
{
	if (prefix_len > 128)
		return -EINVAL;
	remove(&table->root6, address6(ip), prefix_len, peer, lock);
	return 0;
}

void vpn_allowedips_remove_peer(struct vpn_allowedips *table,
				struct vpn_peer *peer, struct mutex *lock)
{
	struct vpn_allowedips_node *node, *next;

	list_for_each_entry_safe(node, next, &peer->allowedips, list) {
		remove(node->family == AF_INET ? &table->root4 : &table->root6,
		       node->prefix, node->prefix_len, peer, lock);
		cond_resched();
	}
}

/* Move a node from its peer's list, if it has a peer, to another list. */
static void collect(struct vpn_allowedips_node *node, struct list_head *list,
		    struct mutex *lock)
{
	if (!node)
		return;
	if (deref(node->peer))
		list_del(&node->list);
	list_add_tail(&node->list, list);
}

void vpn_allowedips_free(struct vpn_allowedips *table, struct mutex *lock)
{
	struct vpn_allowedips_node *node, *next;
	LIST_HEAD(nodes);

	lockdep_assert_held(lock);

	collect(deref(table->root4), &nodes, lock);
	collect(deref(table->root6), &nodes, lock);
	RCU_INIT_POINTER(table->root4, NULL);
	RCU_INIT_POINTER(table->root6, NULL);
	if (list_empty(&nodes))
		return;

	/* The list grows at its end while it is walked. */
	list_for_each_entry(node, &nodes, list) {
		collect(deref(node->child[0]), &nodes, lock);
		collect(deref(node->child[1]), &nodes, lock);
		cond_resched();
	}

	/* One wait for all is less work than a callback for each. */
	synchronize_net();
	list_for_each_entry_safe(node, next, &nodes, list) {
		kmem_cache_free(node_cache, node);
		cond_resched();
	}
}

int vpn_allowedips_read(const struct list_head *entry, u8 ip[16],
			u8 *prefix_len)
{
	const struct vpn_allowedips_node *node;
	__be64 words[2];

	node = list_entry(entry, struct vpn_allowedips_node, list);
	words[0] = cpu_to_be64(node->prefix.hi);
	words[1] = cpu_to_be64(node->prefix.lo);
	memcpy(ip, words, sizeof(words));
	*prefix_len = node->prefix_len;
	return node->family;
}

void vpn_allowedips_setup(struct vpn_allowedips *table)
{
	RCU_INIT_POINTER(table->root4, NULL);
	RCU_INIT_POINTER(table->root6, NULL);
}

int vpn_allowedips_init(void)
{
	node_cache = kmem_cache_create("vpn_allowedips",
				       sizeof(struct vpn_allowedips_node), 0,
				       SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT,
				       NULL);
	return node_cache ? 0 : -ENOMEM;
}

void vpn_allowedips_uninit(void)
{
	kmem_cache_destroy(node_cache);
}
