// SPDX-License-Identifier: GPL-2.0
/*
 * Address pools and leases: many of them in large pools, and random changes of
 * a small pool against an array of its addresses.
 */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/prandom.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../device.h"
#include "../peer.h"
#include "../pool.h"
#include "selftest.h"

#define LEASES_DEFAULT	1000
#define SMALL_HOSTS	62	/* of a /26 */
#define SMALL_KEYS	80
#define ROUNDS		4000

static unsigned int leases = LEASES_DEFAULT;
module_param_named(selftest_leases, leases, uint, 0);
MODULE_PARM_DESC(selftest_leases, "how many leases the self test makes (test builds only)");

struct trial {
	struct vpn_device *vpn;
	struct vpn_peer *peer;	/* takes the part of one after the other */
	struct rnd_state random;
};

static u32 below(struct trial *t, u32 limit)
{
	return prandom_u32_state(&t->random) % limit;
}

/* The peer with this number; random as keys are, and always the same. */
static void play(struct trial *t, u32 number)
{
	struct rnd_state state;

	prandom_seed_state(&state, 0x5eed0000ULL + number);
	prandom_bytes_state(&state, t->peer->handshake.remote_static,
			    VPN_KEY_LEN);
}

static const u8 *key_of(const struct trial *t)
{
	return t->peer->handshake.remote_static;
}

static bool add_pool(struct trial *t, u8 len, u8 bits, u8 first, u32 lease_time)
{
	struct vpn_pool_settings settings = {
		.prefix = { .len = len, .bits = bits, .ip = { first } },
		.lease_time = lease_time,
	};

	return !vpn_pool_set(t->vpn, &settings, NULL);
}

static bool remove_pool(struct trial *t, u8 len, u8 bits, u8 first)
{
	struct vpn_prefix prefix = { .len = len, .bits = bits, .ip = { first } };

	return !vpn_pool_remove(t->vpn, &prefix, true, NULL);
}

/* A lease for one that comes, and goes again; its address. */
static bool visit(struct trial *t, struct vpn_prefix *address)
{
	struct vpn_prefix held[VPN_FAMILIES];
	unsigned int count;
	u32 seconds;

	if (vpn_lease_bind(t->peer, NULL, 0, NULL))
		return false;
	count = vpn_lease_read(t->peer, held, &seconds);
	vpn_lease_unbind(t->peer);
	*address = held[0];
	return count == 1 && list_empty(&t->peer->allowedips);
}

/* Each key has an address, and nobody else has that. */
static bool each_has_its_own(struct trial *t, unsigned int count, bool six)
{
	const struct vpn_lease *lease;
	struct vpn_prefix address = {};
	unsigned int i;

	for (i = 0; i < count; i++) {
		play(t, i);
		lease = vpn_lease_find(t->vpn->pools, six, key_of(t));
		if (!lease)
			return false;
		address.len = six ? 16 : 4;
		memcpy(address.ip, lease->ip, VPN_IP_MAX);
		if (vpn_lease_at(t->vpn->pools, &address) != lease)
			return false;
		cond_resched();
	}
	return t->vpn->pools->lease_count == count;
}

/* Whoever comes back gets what he had; some have been forgotten meanwhile. */
static bool come_back(struct trial *t, unsigned int count, bool six)
{
	struct vpn_prefix before = {}, after;
	struct vpn_lease *lease;
	unsigned int i;

	for (i = 0; i < count; i += 7) {
		play(t, i);
		lease = vpn_lease_find(t->vpn->pools, six, key_of(t));
		memcpy(before.ip, lease->ip, VPN_IP_MAX);
		/* In a large IPv6 pool the address follows from the key. */
		if (six && i % 2)
			vpn_lease_end(t->vpn->pools, lease);
		if (!visit(t, &after) ||
		    memcmp(before.ip, after.ip, VPN_IP_MAX))
			return false;
		cond_resched();
	}
	return true;
}

/* Leases for @count keys, from number @first on; nanoseconds, or zero. */
static u64 visits(struct trial *t, unsigned int first, unsigned int count)
{
	struct vpn_prefix address;
	u64 start = ktime_get_ns();
	unsigned int i;

	for (i = first; i < first + count; i++) {
		play(t, i);
		if (!visit(t, &address))
			return 0;
		cond_resched();
	}
	return ktime_get_ns() - start;
}

/* The last ones may not take much longer than the first ones. */
static bool stays_fast(struct trial *t, unsigned int count, u8 bits)
{
	unsigned int tenth = count / 10;
	u64 early, middle, late;

	early = visits(t, 0, tenth);
	middle = visits(t, tenth, count - 2 * tenth);
	late = visits(t, count - tenth, tenth);
	if (!early || !middle || !late)
		return false;
	/* With few, an interrupt makes the difference. */
	if (count <= LEASES_DEFAULT)
		return true;
	pr_info("vpn: pool: %u leases of a /%u; each %llu ns at first, %llu ns at last\n",
		count, bits, div_u64(early, tenth), div_u64(late, tenth));
	return late < 8 * early;
}

static bool many(struct trial *t, unsigned int count, u8 len, u8 bits, u8 first)
{
	return add_pool(t, len, bits, first, 0) &&
	       stays_fast(t, count, bits) &&
	       each_has_its_own(t, count, len == 16) &&
	       come_back(t, count, len == 16) &&
	       remove_pool(t, len, bits, first) && !t->vpn->pools->lease_count;
}

/* Which of the small pool's addresses each key has, zero for none. */
static bool agrees(struct trial *t, const u8 *has)
{
	const struct vpn_lease *lease;
	unsigned int i, used = 0;

	for (i = 0; i < SMALL_KEYS; i++) {
		play(t, i);
		lease = vpn_lease_find(t->vpn->pools, false, key_of(t));
		if (has[i] != (lease ? lease->ip[3] : 0))
			return false;
		used += !!has[i];
	}
	return t->vpn->pools->lease_count == used;
}

static bool is_taken(const u8 *has, u8 host)
{
	return memchr(has, host, SMALL_KEYS);
}

static bool is_full(const u8 *has)
{
	u8 host;

	for (host = 1; host <= SMALL_HOSTS; host++)
		if (!is_taken(has, host))
			return false;
	return true;
}

/* A key comes for any address. */
static bool try_any(struct trial *t, u8 *has, u32 key)
{
	bool full = !has[key] && is_full(has);
	struct vpn_prefix address;

	play(t, key);
	if (!visit(t, &address))
		return full;
	if (full || (has[key] && has[key] != address.ip[3]) ||
	    (!has[key] && is_taken(has, address.ip[3])) ||
	    !address.ip[3] || address.ip[3] > SMALL_HOSTS)
		return false;
	has[key] = address.ip[3];
	return true;
}

/* A key comes for a certain address, perhaps one that is not to be had. */
static bool try_fixed(struct trial *t, u8 *has, u32 key)
{
	struct vpn_prefix fixed = { .len = 4, .bits = 32, .ip = { 10 } };
	u8 host = below(t, SMALL_HOSTS + 3);
	bool free;

	play(t, key);
	fixed.ip[3] = host;
	free = has[key] == host || !is_taken(has, host);
	free = free && host && host <= SMALL_HOSTS;
	if (!!vpn_lease_bind(t->peer, &fixed, 1, NULL) == free)
		return false;
	vpn_lease_unbind(t->peer);
	if (free)
		has[key] = host;
	return true;
}

static bool forget(struct trial *t, u8 *has, u32 key)
{
	struct vpn_lease *lease;

	play(t, key);
	lease = vpn_lease_find(t->vpn->pools, false, key_of(t));
	if (lease)
		vpn_lease_end(t->vpn->pools, lease);
	has[key] = 0;
	return true;
}

static bool small(struct trial *t)
{
	u8 has[SMALL_KEYS] = {};
	unsigned int i;
	bool good;
	u32 key;

	if (!add_pool(t, 4, 26, 10, 0))
		return false;
	for (i = 0; i < ROUNDS; i++) {
		key = below(t, SMALL_KEYS);
		switch (below(t, 4)) {
		case 0:
			good = forget(t, has, key);
			break;
		case 1:
			good = try_fixed(t, has, key);
			break;
		default:
			good = try_any(t, has, key);
		}
		if (!good || (i % 16 == 0 && !agrees(t, has)))
			return false;
	}
	return remove_pool(t, 4, 26, 10);
}

/* A peer that was told of its lease has it for a lease time. */
static bool renewal(struct trial *t)
{
	struct vpn_prefix held[VPN_FAMILIES];
	u32 seconds;

	play(t, 0);
	if (!add_pool(t, 4, 24, 10, 2) ||
	    vpn_lease_bind(t->peer, NULL, 0, NULL) ||
	    vpn_lease_read(t->peer, held, &seconds) != 1 || seconds)
		return false;
	vpn_lease_renew(t->peer);
	if (vpn_lease_read(t->peer, held, &seconds) != 1 || !seconds ||
	    seconds > 2 || held[0].bits != 24 || held[0].ip[3] != 1)
		return false;

	/* Only a long run has the time to wait for the end. */
	if (leases > LEASES_DEFAULT) {
		mutex_unlock(&t->vpn->lock);
		msleep(4 * MSEC_PER_SEC);
		mutex_lock(&t->vpn->lock);
		if (vpn_lease_read(t->peer, held, &seconds) ||
		    t->vpn->pools->lease_count ||
		    !list_empty(&t->peer->allowedips))
			return false;
	}
	return remove_pool(t, 4, 24, 10) &&
	       !vpn_lease_read(t->peer, held, &seconds) &&
	       list_empty(&t->peer->allowedips);
}

static bool run(struct trial *t)
{
	if (leases < LEASES_DEFAULT)
		leases = LEASES_DEFAULT;
	if (!small(t)) {
		pr_err("vpn: pool: a small one is not what it should be\n");
		return false;
	}
	if (!renewal(t)) {
		pr_err("vpn: pool: a lease does not end as it should\n");
		return false;
	}
	/* A bitmap and the lowest first; a bitmap and the key; no bitmap. */
	if (!many(t, leases, 4, 8, 10) ||
	    !many(t, LEASES_DEFAULT, 16, 104, 0xfd) ||
	    !many(t, max_t(unsigned int, leases / 4, LEASES_DEFAULT), 16, 64,
		  0xfd)) {
		pr_err("vpn: pool: a large one is not what it should be\n");
		return false;
	}
	return true;
}

static bool setup(struct trial *t)
{
	t->vpn = kvzalloc_obj(*t->vpn, GFP_KERNEL);
	if (!t->vpn)
		return false;
	mutex_init(&t->vpn->lock);
	vpn_allowedips_setup(&t->vpn->allowedips);
	t->peer = kvzalloc_obj(*t->peer, GFP_KERNEL);
	if (!t->peer)
		return false;
	/* Never registered: it is asked for its addresses, and has none. */
	t->vpn->dev = alloc_netdev(0, "vpntest%d", NET_NAME_UNKNOWN,
				   ether_setup);
	if (!t->vpn->dev)
		return false;
	INIT_LIST_HEAD(&t->peer->allowedips);
	t->peer->vpn = t->vpn;
	return !vpn_pools_setup(t->vpn);
}

static void teardown(struct trial *t)
{
	if (t->vpn) {
		if (t->vpn->pools)
			vpn_pools_free(t->vpn);
		mutex_lock(&t->vpn->lock);
		vpn_allowedips_free(&t->vpn->allowedips, &t->vpn->lock);
		mutex_unlock(&t->vpn->lock);
		if (t->vpn->dev)
			free_netdev(t->vpn->dev);
	}
	kvfree(t->peer);
	kvfree(t->vpn);
}

bool vpn_selftest_pool(void)
{
	struct trial t = {};
	u64 seed = get_random_u64();
	bool good;

	prandom_seed_state(&t.random, seed);
	good = setup(&t);
	if (good) {
		mutex_lock(&t.vpn->lock);
		good = run(&t);
		mutex_unlock(&t.vpn->lock);
		if (!good)
			pr_err("vpn: pool: seed %#llx\n", seed);
	}
	teardown(&t);
	return good;
}
