// SPDX-License-Identifier: GPL-2.0
/*
 * The trie of allowed IPs against the plainest thing that does the same: an
 * array that is searched from one end to the other.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../allowedips.h"
#include "../peer.h"
#include "selftest.h"

#define PEERS		6
#define ENTRIES_MAX	160	/* of one family */
#define ROUNDS		8
#define CHANGES		250	/* between two comparisons */

/* An address of either family, and the prefix that begins it. */
struct entry {
	u8 ip[16];
	u8 prefix_len;
	int peer;	/* -1: the entry is free */
};

struct trial {
	struct vpn_allowedips table;
	struct mutex lock;	/* stands for vpn_device.lock */
	struct vpn_peer *peers[PEERS];
	struct entry entries[2][ENTRIES_MAX];	/* IPv4, IPv6 */
	struct rnd_state random;
	unsigned int lookups;
};

static u32 below(struct trial *t, u32 limit)
{
	return prandom_u32_state(&t->random) % limit;
}

static unsigned int octets(int six)
{
	return six ? 16 : 4;
}

static bool bit_of(const u8 *ip, unsigned int i)
{
	return ip[i / 8] >> (7 - i % 8) & 1;
}

static bool contains(const struct entry *e, const u8 *ip)
{
	unsigned int i;

	for (i = 0; i < e->prefix_len; i++) {
		if (bit_of(e->ip, i) != bit_of(ip, i))
			return false;
	}
	return true;
}

/* Set all bits behind the prefix. */
static void fill_host(u8 *ip, u8 prefix_len, int six, bool ones)
{
	unsigned int i;

	for (i = prefix_len; i < octets(six) * 8; i++) {
		if (ones)
			ip[i / 8] |= 0x80 >> i % 8;
		else
			ip[i / 8] &= ~(0x80 >> i % 8);
	}
}

/* The address after (@step 1) or before (@step -1) this one. */
static void neighbour(u8 *ip, int six, int step)
{
	int i = octets(six);

	while (i-- > 0) {
		ip[i] += step;
		if (ip[i] != (step > 0 ? 0 : 0xff))
			break;
	}
}

static struct entry *naive_get(struct trial *t, int six, const struct entry *like)
{
	struct entry *e = t->entries[six];
	int i;

	for (i = 0; i < ENTRIES_MAX; i++, e++) {
		if (e->peer >= 0 && e->prefix_len == like->prefix_len &&
		    contains(e, like->ip))
			return e;
	}
	return NULL;
}

static struct vpn_peer *naive_find(struct trial *t, int six, const u8 *ip)
{
	const struct entry *e = t->entries[six], *best = NULL;
	int i;

	for (i = 0; i < ENTRIES_MAX; i++, e++) {
		if (e->peer >= 0 &&
		    (!best || e->prefix_len > best->prefix_len) &&
		    contains(e, ip))
			best = e;
	}
	return best ? t->peers[best->peer] : NULL;
}

/*
 * Addresses that differ from one in use in one bit and what follows it make the
 * trie branch everywhere; addresses out of the blue seldom meet.
 */
static void random_prefix(struct trial *t, int six, struct entry *e)
{
	const struct entry *near = &t->entries[six][below(t, ENTRIES_MAX)];
	unsigned int bits = octets(six) * 8, i;

	memset(e->ip, 0, sizeof(e->ip));
	prandom_bytes_state(&t->random, e->ip, octets(six));
	if (near->peer >= 0 && below(t, 8)) {
		unsigned int flip = below(t, bits);

		for (i = 0; i <= flip; i++) {
			e->ip[i / 8] &= ~(0x80 >> i % 8);
			e->ip[i / 8] |= near->ip[i / 8] & 0x80 >> i % 8;
		}
		e->ip[flip / 8] ^= 0x80 >> flip % 8;
	}
	switch (below(t, 8)) {
	case 0:
		e->prefix_len = 0;
		break;
	case 1:
		e->prefix_len = bits;
		break;
	default:
		e->prefix_len = below(t, bits + 1);
	}
	e->peer = below(t, PEERS);
}

static int insert(struct trial *t, int six, const struct entry *e)
{
	struct vpn_peer *peer = t->peers[e->peer];

	if (six)
		return vpn_allowedips_insert6(&t->table,
					      (const struct in6_addr *)e->ip,
					      e->prefix_len, peer, &t->lock);
	return vpn_allowedips_insert4(&t->table, (const struct in_addr *)e->ip,
				      e->prefix_len, peer, &t->lock);
}

static int remove(struct trial *t, int six, const struct entry *e)
{
	struct vpn_peer *peer = t->peers[e->peer];

	if (six)
		return vpn_allowedips_remove6(&t->table,
					      (const struct in6_addr *)e->ip,
					      e->prefix_len, peer, &t->lock);
	return vpn_allowedips_remove4(&t->table, (const struct in_addr *)e->ip,
				      e->prefix_len, peer, &t->lock);
}

/* Do something at random to the table and to the array. */
static bool change(struct trial *t, int six, bool growing)
{
	struct entry *known, *spare, wanted;
	int i;

	random_prefix(t, six, &wanted);
	known = &t->entries[six][below(t, ENTRIES_MAX)];
	if (known->peer >= 0 && below(t, growing ? 8 : 2) == 0) {
		/* Removal on behalf of a peer that may not be the owner. */
		wanted = *known;
		if (below(t, 3) == 0)
			wanted.peer = below(t, PEERS);
		if (remove(t, six, &wanted))
			return false;
		if (wanted.peer == known->peer)
			known->peer = -1;
		return true;
	}
	if (known->peer >= 0 && below(t, 4) == 0) {
		/* To another peer, or to the same one again. */
		known->peer = below(t, PEERS);
		return !insert(t, six, known);
	}

	known = naive_get(t, six, &wanted);
	if (known) {
		known->peer = wanted.peer;
		return !insert(t, six, &wanted);
	}
	spare = t->entries[six];
	for (i = 0; i < ENTRIES_MAX; i++, spare++) {
		if (spare->peer >= 0)
			continue;
		if (insert(t, six, &wanted))
			return false;
		*spare = wanted;
		fill_host(spare->ip, spare->prefix_len, six, false);
		return true;
	}
	/* Full. This one is in nobody's possession, and stays so. */
	return !remove(t, six, &wanted);
}

static bool lookup_agrees(struct trial *t, int six, const u8 *ip)
{
	struct vpn_peer *wanted = naive_find(t, six, ip), *got;

	t->lookups++;
	rcu_read_lock();
	if (six)
		got = vpn_allowedips_find6(&t->table,
					   (const struct in6_addr *)ip);
	else
		got = vpn_allowedips_find4(&t->table,
					   (const struct in_addr *)ip);
	rcu_read_unlock();
	if (got == wanted)
		return true;
	if (six)
		pr_err("vpn: allowedips: wrong peer for %pI6c\n", ip);
	else
		pr_err("vpn: allowedips: wrong peer for %pI4\n", ip);
	return false;
}

/* The ends of a prefix, and what is just outside. */
static bool edges_agree(struct trial *t, int six, const struct entry *e)
{
	u8 ip[16];
	int step;

	for (step = -1; step <= 1; step += 2) {
		memcpy(ip, e->ip, sizeof(ip));
		fill_host(ip, e->prefix_len, six, step > 0);
		if (!lookup_agrees(t, six, ip))
			return false;
		neighbour(ip, six, step);
		if (!lookup_agrees(t, six, ip))
			return false;
	}
	return true;
}

static bool find_dst_agrees(struct trial *t, struct sk_buff *skb, int six)
{
	struct vpn_peer *got;
	struct entry e;

	random_prefix(t, six, &e);
	memset(skb->data, 0, sizeof(struct ipv6hdr));
	if (six) {
		skb->protocol = htons(ETH_P_IPV6);
		memcpy(&ipv6_hdr(skb)->daddr, e.ip, 16);
	} else {
		skb->protocol = htons(ETH_P_IP);
		memcpy(&ip_hdr(skb)->daddr, e.ip, 4);
	}
	rcu_read_lock();
	got = vpn_allowedips_find_dst(&t->table, skb);
	rcu_read_unlock();
	if (got != naive_find(t, six, e.ip))
		return false;

	skb->protocol = htons(ETH_P_ARP);
	rcu_read_lock();
	got = vpn_allowedips_find_dst(&t->table, skb);
	rcu_read_unlock();
	return !got;
}

/* What hangs on the peers is what the array says, each prefix once. */
static bool lists_agree(struct trial *t)
{
	int wanted[PEERS] = { 0 }, got, six, family, i;
	const struct list_head *entry;
	struct entry e, *known;

	for (six = 0; six < 2; six++) {
		for (i = 0; i < ENTRIES_MAX; i++) {
			if (t->entries[six][i].peer >= 0)
				wanted[t->entries[six][i].peer]++;
		}
	}
	for (i = 0; i < PEERS; i++) {
		got = 0;
		list_for_each(entry, &t->peers[i]->allowedips) {
			memset(&e, 0xa5, sizeof(e));
			family = vpn_allowedips_read(entry, e.ip, &e.prefix_len);
			six = family == AF_INET6;
			known = naive_get(t, six, &e);
			if ((!six && family != AF_INET) || !known ||
			    known->peer != i ||
			    memcmp(known->ip, e.ip, octets(six))) {
				pr_err("vpn: allowedips: a peer lists what it does not own\n");
				return false;
			}
			got++;
		}
		if (got != wanted[i]) {
			pr_err("vpn: allowedips: a peer lists %d prefixes, not %d\n",
			       got, wanted[i]);
			return false;
		}
	}
	return true;
}

static bool all_agree(struct trial *t, struct sk_buff *skb)
{
	struct entry e;
	int six, i;

	for (six = 0; six < 2; six++) {
		for (i = 0; i < ENTRIES_MAX; i++) {
			if (!edges_agree(t, six, &t->entries[six][i]))
				return false;
			random_prefix(t, six, &e);
			if (!lookup_agrees(t, six, e.ip) ||
			    !edges_agree(t, six, &e))
				return false;
		}
		for (i = 0; i < 16; i++) {
			if (!find_dst_agrees(t, skb, six)) {
				pr_err("vpn: allowedips: wrong peer for a packet\n");
				return false;
			}
		}
		cond_resched();
	}
	return lists_agree(t);
}

static void forget_peer(struct trial *t, int peer)
{
	int six, i;

	vpn_allowedips_remove_peer(&t->table, t->peers[peer], &t->lock);
	for (six = 0; six < 2; six++) {
		for (i = 0; i < ENTRIES_MAX; i++) {
			if (t->entries[six][i].peer == peer)
				t->entries[six][i].peer = -1;
		}
	}
}

static bool refuses_nonsense(struct trial *t)
{
	struct entry e = { .peer = 0 };

	e.prefix_len = 33;
	if (insert(t, 0, &e) != -EINVAL || remove(t, 0, &e) != -EINVAL)
		return false;
	e.prefix_len = 129;
	return insert(t, 1, &e) == -EINVAL && remove(t, 1, &e) == -EINVAL;
}

static bool random_trial(struct trial *t, struct sk_buff *skb)
{
	int round, i;

	if (!refuses_nonsense(t)) {
		pr_err("vpn: allowedips: took a prefix that is too long\n");
		return false;
	}
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < CHANGES; i++) {
			if (!change(t, i & 1, round < ROUNDS / 2)) {
				pr_err("vpn: allowedips: a change was refused\n");
				return false;
			}
		}
		cond_resched();
		if (!all_agree(t, skb))
			return false;
	}
	for (i = 0; i < PEERS; i++) {
		forget_peer(t, i);
		if (i % 2 == 0 && !all_agree(t, skb))
			return false;
	}
	/* Nothing that only branched may have been left behind. */
	if (rcu_access_pointer(t->table.root4) ||
	    rcu_access_pointer(t->table.root6)) {
		pr_err("vpn: allowedips: an empty table has nodes\n");
		return false;
	}

	/* Fill it once more for vpn_allowedips_free(). */
	for (i = 0; i < CHANGES; i++) {
		if (!change(t, i & 1, true))
			return false;
	}
	vpn_allowedips_free(&t->table, &t->lock);
	for (i = 0; i < ENTRIES_MAX; i++) {
		t->entries[0][i].peer = -1;
		t->entries[1][i].peer = -1;
	}
	return all_agree(t, skb);
}

bool vpn_selftest_allowedips(void)
{
	u64 seed = get_random_u64();
	bool good = false;
	struct sk_buff *skb;
	struct trial *t;
	int i;

	t = kzalloc_obj(*t, GFP_KERNEL);
	if (!t)
		return false;
	skb = alloc_skb(sizeof(struct ipv6hdr), GFP_KERNEL);
	if (!skb)
		goto out;
	skb_put(skb, sizeof(struct ipv6hdr));
	skb_reset_network_header(skb);
	prandom_seed_state(&t->random, seed);
	mutex_init(&t->lock);
	vpn_allowedips_setup(&t->table);
	for (i = 0; i < PEERS; i++) {
		t->peers[i] = kzalloc_obj(*t->peers[i], GFP_KERNEL);
		if (!t->peers[i])
			goto out;
		INIT_LIST_HEAD(&t->peers[i]->allowedips);
	}
	for (i = 0; i < ENTRIES_MAX; i++) {
		t->entries[0][i].peer = -1;
		t->entries[1][i].peer = -1;
	}

	mutex_lock(&t->lock);
	good = random_trial(t, skb);
	vpn_allowedips_free(&t->table, &t->lock);
	mutex_unlock(&t->lock);
	if (good)
		pr_debug("vpn: allowedips: %u lookups\n", t->lookups);
	else
		pr_err("vpn: allowedips: seed %#llx\n", seed);
out:
	for (i = 0; i < PEERS; i++)
		kfree(t->peers[i]);
	kfree_skb(skb);
	kfree(t);
	return good;
}
