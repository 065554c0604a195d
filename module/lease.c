// SPDX-License-Identifier: GPL-2.0
/*
 * Leases of addresses. A lease belongs to a public key, and there is at most
 * one of a family. While a peer with that key holds it, the address is among
 * the peer's allowed IPs.
 *
 * A lease has no end while its peer is there, unless the peer was told of it:
 * then it ends a lease time after it was last told. Without its peer, it ends a
 * lease time after the peer has gone. Ends are kept in a tree, and a work that
 * waits for the first of them.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include <net/netlink.h>
#include <uapi/linux/vpn.h>

#include "allowedips.h"
#include "device.h"
#include "event.h"
#include "netlink.h"
#include "peer.h"
#include "pool.h"

/*
 * A delay is counted in jiffies, which stand still while the machine sleeps:
 * look again before long.
 */
#define EXPIRE_DELAY_MAX	(300 * HZ)
/* Leases that end at once, before others may have the lock. */
#define EXPIRE_BATCH		256

static struct kmem_cache *lease_cache;
static struct workqueue_struct *lease_wq;

static bool is_prefix6(const struct vpn_prefix *prefix)
{
	return prefix->len == sizeof(struct in6_addr);
}

static bool is_six(const struct vpn_lease *lease)
{
	return is_prefix6(&lease->pool->settings.prefix);
}

static u64 end_after(const struct vpn_pool *pool)
{
	u64 seconds = pool->settings.lease_time;

	return seconds ? ktime_get_boottime_ns() + seconds * NSEC_PER_SEC : 0;
}

/*
 * What the wall clock is ahead of the boot clock. Two readings would differ by
 * the time between them, and the same end would be told differently each time.
 */
static u64 real_offset(void)
{
	return ktime_to_ns(ktime_mono_to_any(0, TK_OFFS_REAL)) -
	       ktime_to_ns(ktime_mono_to_any(0, TK_OFFS_BOOT));
}

/*
 * The end of a lease
 */

static u64 expiry_of(const struct rb_node *node)
{
	return rb_entry(node, struct vpn_lease, by_expiry)->expires;
}

static bool expires_before(struct rb_node *a, const struct rb_node *b)
{
	return expiry_of(a) < expiry_of(b);
}

static void schedule_expiry(struct vpn_pools *pools)
{
	struct rb_node *first = rb_first_cached(&pools->expiry);
	u64 now = ktime_get_boottime_ns(), end;
	unsigned long delay = 0;

	lockdep_assert_held(&pools->lock);

	if (!first)
		return;
	end = expiry_of(first);
	if (end > now)
		delay = min_t(u64, nsecs_to_jiffies64(end - now) + 1,
			      EXPIRE_DELAY_MAX);
	mod_delayed_work(lease_wq, &pools->expire, delay);
}

static void set_expiry(struct vpn_pools *pools, struct vpn_lease *lease,
		       u64 expires)
{
	lockdep_assert_held(&pools->lock);

	if (lease->expires)
		rb_erase_cached(&lease->by_expiry, &pools->expiry);
	lease->expires = expires;
	if (!expires)
		return;
	/* Only an end before all others is news to the work. */
	if (rb_add_cached(&lease->by_expiry, &pools->expiry, expires_before))
		schedule_expiry(pools);
}

/*
 * The table of keys
 */

struct vpn_lease *vpn_lease_find(const struct vpn_pools *pools, bool six,
				 const u8 key[VPN_KEY_LEN])
{
	struct rb_node *node = pools->keys[six].rb_node;
	struct vpn_lease *lease;
	int order;

	lockdep_assert_held(&pools->vpn->lock);

	while (node) {
		lease = rb_entry(node, struct vpn_lease, by_key);
		order = memcmp(key, lease->public_key, VPN_KEY_LEN);
		if (!order)
			return lease;
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return NULL;
}

static bool key_before(struct rb_node *a, const struct rb_node *b)
{
	return memcmp(rb_entry(a, struct vpn_lease, by_key)->public_key,
		      rb_entry(b, struct vpn_lease, by_key)->public_key,
		      VPN_KEY_LEN) < 0;
}

struct vpn_lease *vpn_lease_at(const struct vpn_pools *pools,
			       const struct vpn_prefix *address)
{
	struct vpn_pool *pool = vpn_pool_of(pools, address);
	struct vpn_lease *lease;

	lockdep_assert_held(&pools->vpn->lock);

	if (!pool)
		return NULL;
	lease = vpn_pool_lease_from(pool, address->ip);
	if (!lease || memcmp(lease->ip, address->ip, VPN_IP_MAX))
		return NULL;
	return lease;
}

/*
 * Making and ending
 */

/* Enter all tables; the key has no lease of this family. */
static void enter(struct vpn_pools *pools, struct vpn_pool *pool,
		  struct vpn_lease *lease)
{
	vpn_pool_link(pool, lease);
	rb_add(&lease->by_key, &pools->keys[is_six(lease)], key_before);
	pools->lease_count++;
	pools->generation++;
}

static void leave(struct vpn_pools *pools, struct vpn_lease *lease)
{
	rb_erase(&lease->by_key, &pools->keys[is_six(lease)]);
	vpn_pool_unlink(lease->pool, lease);
	pools->lease_count--;
	pools->generation++;
}

static struct vpn_lease *lease_alloc(const struct vpn_pools *pools,
				     const u8 *key, const u8 *ip,
				     struct netlink_ext_ack *extack)
{
	struct vpn_lease *lease;

	if (pools->lease_count >= VPN_LEASES_MAX) {
		NL_SET_ERR_MSG(extack, "the device has 2097152 leases, and no more can be made");
		return ERR_PTR(-ENOSPC);
	}
	lease = kmem_cache_zalloc(lease_cache, GFP_KERNEL);
	if (!lease) {
		NL_SET_ERR_MSG(extack, "no memory for the lease");
		return ERR_PTR(-ENOMEM);
	}
	memcpy(lease->public_key, key, VPN_KEY_LEN);
	memcpy(lease->ip, ip, VPN_IP_MAX);
	return lease;
}

static int allow(struct vpn_peer *peer, const u8 *ip, bool six)
{
	struct vpn_device *vpn = peer->vpn;

	if (six)
		return vpn_allowedips_insert6(&vpn->allowedips,
					      (const struct in6_addr *)ip, 128,
					      peer, &vpn->lock);
	return vpn_allowedips_insert4(&vpn->allowedips,
				      (const struct in_addr *)ip, 32, peer,
				      &vpn->lock);
}

static void disallow(struct vpn_peer *peer, const u8 *ip, bool six)
{
	struct vpn_device *vpn = peer->vpn;

	if (six)
		vpn_allowedips_remove6(&vpn->allowedips,
				       (const struct in6_addr *)ip, 128, peer,
				       &vpn->lock);
	else
		vpn_allowedips_remove4(&vpn->allowedips,
				       (const struct in_addr *)ip, 32, peer,
				       &vpn->lock);
}

static void describe(const struct vpn_pools *pools,
		     const struct vpn_lease *lease, struct vpn_lease_info *info)
{
	lockdep_assert_held(&pools->lock);

	info->address = lease->pool->settings.prefix;
	memcpy(info->address.ip, lease->ip, VPN_IP_MAX);
	memcpy(info->public_key, lease->public_key, VPN_KEY_LEN);
	info->expires = lease->expires;
	info->bound = lease->peer;
	info->name = NULL;
}

void vpn_lease_describe(struct vpn_pools *pools, const struct vpn_lease *lease,
			struct vpn_lease_info *info)
{
	lockdep_assert_held(&pools->vpn->lock);

	spin_lock_bh(&pools->lock);
	describe(pools, lease, info);
	spin_unlock_bh(&pools->lock);
	if (lease->peer)
		info->name = lease->peer->name;
}

static void tell(struct vpn_pools *pools, const struct vpn_lease *lease,
		 void (*event)(struct vpn_device *vpn,
			       const struct vpn_lease_info *info))
{
	struct vpn_lease_info info;

	vpn_lease_describe(pools, lease, &info);
	event(pools->vpn, &info);
}

/* No handshake finds the lease from now on. The caller holds both locks. */
static void detach(struct vpn_pools *pools, struct vpn_lease *lease)
{
	lockdep_assert_held(&pools->lock);

	set_expiry(pools, lease, 0);
	if (lease->peer)
		lease->peer->leases[is_six(lease)] = NULL;
}

static void end_detached(struct vpn_pools *pools, struct vpn_lease *lease)
{
	tell(pools, lease, vpn_event_lease_removed);
	if (lease->peer) {
		disallow(lease->peer, lease->ip, is_six(lease));
		pools->vpn->generation++;
	}
	leave(pools, lease);
	kmem_cache_free(lease_cache, lease);
}

void vpn_lease_end(struct vpn_pools *pools, struct vpn_lease *lease)
{
	lockdep_assert_held(&pools->vpn->lock);

	spin_lock_bh(&pools->lock);
	detach(pools, lease);
	spin_unlock_bh(&pools->lock);
	end_detached(pools, lease);
}

/*
 * Binding
 */

/**
 * struct plan - what is to become of a peer's leases of one family
 * @old: what its key has
 * @wanted: what it is to have, @old or another; NULL for none
 * @pool: of @wanted
 * @allowed: the address was added to the peer's allowed IPs
 */
struct plan {
	struct vpn_lease *old;
	struct vpn_lease *wanted;
	struct vpn_pool *pool;
	bool allowed;
};

static const struct vpn_prefix *
fixed_of(const struct vpn_prefix *fixed, unsigned int count, bool six)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (is_prefix6(&fixed[i]) == six)
			return &fixed[i];
	return NULL;
}

/* Whether what the key has can stay, or be taken up again. */
static bool keeps(struct vpn_peer *peer, const struct plan *plan,
		  const struct vpn_prefix *fixed)
{
	const struct vpn_lease *old = plan->old;

	if (!old || (fixed && memcmp(fixed->ip, old->ip, VPN_IP_MAX)))
		return false;
	return !vpn_pool_check(peer->vpn, old->pool, old->public_key, old->ip,
			       NULL);
}

static int choose_fixed(struct vpn_peer *peer, struct plan *plan,
			const struct vpn_prefix *fixed,
			struct netlink_ext_ack *extack)
{
	struct vpn_pools *pools = peer->vpn->pools;
	const struct vpn_lease *other;

	plan->pool = vpn_pool_of(pools, fixed);
	if (!plan->pool) {
		NL_SET_ERR_MSG(extack, "the address is in no pool of the device; choose another");
		return -EADDRNOTAVAIL;
	}
	other = vpn_lease_at(pools, fixed);
	if (other && other != plan->old) {
		NL_SET_ERR_MSG(extack, "the address is leased to another key; choose another");
		return -EADDRNOTAVAIL;
	}
	return vpn_pool_check(peer->vpn, plan->pool,
			      peer->handshake.remote_static, fixed->ip, extack);
}

static int choose_free(struct vpn_peer *peer, struct plan *plan, bool six,
		       u8 ip[VPN_IP_MAX], struct netlink_ext_ack *extack)
{
	struct vpn_pool *pool, *full = NULL;

	list_for_each_entry(pool, &peer->vpn->pools->list, list) {
		if (is_prefix6(&pool->settings.prefix) != six)
			continue;
		if (vpn_pool_find_free(peer->vpn, pool, peer, ip)) {
			plan->pool = pool;
			return 0;
		}
		full = pool;
	}
	if (!full)
		return 0;
	peer->vpn->pools->full = full->settings.prefix;
	vpn_netlink_say_prefix(extack, "no address is free, add a pool",
			       &full->settings.prefix);
	return -ENOSPC;
}

static int make_plan(struct vpn_peer *peer, struct plan *plan, bool six,
		     const struct vpn_prefix *fixed,
		     struct netlink_ext_ack *extack)
{
	const u8 *key = peer->handshake.remote_static;
	struct vpn_pools *pools = peer->vpn->pools;
	u8 ip[VPN_IP_MAX] = {};
	int err;

	if (keeps(peer, plan, fixed)) {
		plan->wanted = plan->old;
		return 0;
	}
	if (fixed) {
		memcpy(ip, fixed->ip, VPN_IP_MAX);
		err = choose_fixed(peer, plan, fixed, extack);
	} else {
		err = choose_free(peer, plan, six, ip, extack);
	}
	if (err || !plan->pool)
		return err;

	plan->wanted = lease_alloc(pools, key, ip, extack);
	if (IS_ERR(plan->wanted)) {
		err = PTR_ERR(plan->wanted);
		plan->wanted = NULL;
	}
	return err;
}

/* The last step that can fail. */
static int allow_plan(struct vpn_peer *peer, struct plan *plan, bool six,
		      struct netlink_ext_ack *extack)
{
	int err;

	if (!plan->wanted || plan->wanted->peer)
		return 0;
	err = allow(peer, plan->wanted->ip, six);
	if (err)
		NL_SET_ERR_MSG(extack, "no memory for the lease");
	plan->allowed = !err;
	return err;
}

static void undo_plan(struct vpn_peer *peer, struct plan *plan, bool six)
{
	if (!plan->wanted)
		return;
	if (plan->allowed)
		disallow(peer, plan->wanted->ip, six);
	if (plan->wanted != plan->old)
		kmem_cache_free(lease_cache, plan->wanted);
}

static void unbind(struct vpn_peer *peer, bool six)
{
	struct vpn_lease *lease = peer->leases[six];
	struct vpn_pools *pools = peer->vpn->pools;

	if (!lease)
		return;
	disallow(peer, lease->ip, six);
	spin_lock_bh(&pools->lock);
	peer->leases[six] = NULL;
	lease->peer = NULL;
	set_expiry(pools, lease, end_after(lease->pool));
	spin_unlock_bh(&pools->lock);
	pools->generation++;
	pools->vpn->generation++;
	tell(pools, lease, vpn_event_lease_added);
}

static void commit_plan(struct vpn_peer *peer, struct plan *plan, bool six)
{
	struct vpn_pools *pools = peer->vpn->pools;
	struct vpn_lease *lease = plan->wanted;

	if (!lease) {
		unbind(peer, six);
		return;
	}
	if (lease->peer)
		return;
	if (plan->old && plan->old != lease)
		vpn_lease_end(pools, plan->old);
	if (plan->old != lease)
		enter(pools, plan->pool, lease);
	spin_lock_bh(&pools->lock);
	set_expiry(pools, lease, 0);
	lease->peer = peer;
	peer->leases[six] = lease;
	spin_unlock_bh(&pools->lock);
	pools->generation++;
	pools->vpn->generation++;
	tell(pools, lease, vpn_event_lease_added);
}

/* All zero stands for any address of the family. */
static bool is_any(const struct vpn_prefix *address)
{
	return !memchr_inv(address->ip, 0, sizeof(address->ip));
}

static int make_plans(struct vpn_peer *peer, struct plan *plans,
		      const struct vpn_prefix *fixed, unsigned int count,
		      struct netlink_ext_ack *extack)
{
	const struct vpn_prefix *address;
	int six, err = 0;

	for (six = 0; six < VPN_FAMILIES && !err; six++) {
		plans[six].old = vpn_lease_find(peer->vpn->pools, six,
						peer->handshake.remote_static);
		address = fixed_of(fixed, count, six);
		if (count && !address)
			continue;
		if (address && is_any(address))
			address = NULL;
		err = make_plan(peer, &plans[six], six, address, extack);
		if (!err && count && !plans[six].wanted) {
			NL_SET_ERR_MSG(extack, "the device has no pool of this family; add one");
			err = -ENOSPC;
		}
	}
	for (six = 0; six < VPN_FAMILIES && !err; six++)
		err = allow_plan(peer, &plans[six], six, extack);
	return err;
}

int vpn_lease_bind(struct vpn_peer *peer, const struct vpn_prefix *fixed,
		   unsigned int count, struct netlink_ext_ack *extack)
{
	struct plan plans[VPN_FAMILIES] = {};
	int six, err;

	lockdep_assert_held(&peer->vpn->lock);

	peer->vpn->pools->full.len = 0;
	if (!vpn_pools_any(peer->vpn)) {
		NL_SET_ERR_MSG(extack, "the device has no address pool; add one first");
		return -ENOSPC;
	}
	err = make_plans(peer, plans, fixed, count, extack);
	for (six = 0; six < VPN_FAMILIES; six++) {
		if (err)
			undo_plan(peer, &plans[six], six);
		else
			commit_plan(peer, &plans[six], six);
	}
	return err;
}

void vpn_lease_unbind(struct vpn_peer *peer)
{
	int six;

	lockdep_assert_held(&peer->vpn->lock);

	for (six = 0; six < VPN_FAMILIES; six++)
		unbind(peer, six);
}

int vpn_lease_keep(struct vpn_peer *peer)
{
	int six, err = 0;

	lockdep_assert_held(&peer->vpn->lock);

	for (six = 0; six < VPN_FAMILIES && !err; six++)
		if (peer->leases[six])
			err = allow(peer, peer->leases[six]->ip, six);
	return err;
}

const u8 *vpn_lease_holder(struct vpn_device *vpn,
			   const struct vpn_prefix *address)
{
	const struct vpn_lease *lease = vpn_lease_at(vpn->pools, address);

	return lease ? lease->public_key : NULL;
}

/*
 * What handshakes do
 */

unsigned int vpn_lease_read(struct vpn_peer *peer,
			    struct vpn_prefix leases[VPN_FAMILIES],
			    u32 *seconds)
{
	struct vpn_pools *pools = peer->vpn->pools;
	u64 now = ktime_get_boottime_ns(), first = 0;
	const struct vpn_lease *lease;
	unsigned int six, count = 0;

	spin_lock_bh(&pools->lock);
	for (six = 0; six < VPN_FAMILIES; six++) {
		lease = peer->leases[six];
		if (!lease)
			continue;
		leases[count] = lease->pool->settings.prefix;
		memcpy(leases[count++].ip, lease->ip, VPN_IP_MAX);
		first = min_not_zero(first, lease->expires);
	}
	spin_unlock_bh(&pools->lock);

	*seconds = 0;
	if (first)
		*seconds = first > now ? div_u64(first - now + NSEC_PER_SEC - 1,
						 NSEC_PER_SEC) : 1;
	return count;
}

/* Renew one of them; false if there is none. */
static bool renew(struct vpn_pools *pools, struct vpn_peer *peer, bool six,
		  struct vpn_lease_info *info)
{
	struct vpn_lease *lease;

	spin_lock_bh(&pools->lock);
	lease = peer->leases[six];
	if (lease) {
		set_expiry(pools, lease, end_after(lease->pool));
		describe(pools, lease, info);
	}
	spin_unlock_bh(&pools->lock);
	return lease;
}

void vpn_lease_renew(struct vpn_peer *peer)
{
	struct vpn_pools *pools = peer->vpn->pools;
	struct vpn_lease_info info;
	int six;

	for (six = 0; six < VPN_FAMILIES; six++)
		if (renew(pools, peer, six, &info))
			vpn_event_lease_renewed(peer->vpn, &info);
}

/*
 * Expiry
 */

static struct vpn_lease *take_expired(struct vpn_pools *pools)
{
	struct vpn_lease *lease = NULL;
	struct rb_node *first;

	spin_lock_bh(&pools->lock);
	first = rb_first_cached(&pools->expiry);
	if (first && expiry_of(first) <= ktime_get_boottime_ns()) {
		lease = rb_entry(first, struct vpn_lease, by_expiry);
		detach(pools, lease);
	} else {
		schedule_expiry(pools);
	}
	spin_unlock_bh(&pools->lock);
	return lease;
}

/* Returns whether there may be more. */
static bool expire_batch(struct vpn_pools *pools)
{
	struct vpn_lease *lease;
	unsigned int n;

	for (n = 0; n < EXPIRE_BATCH; n++) {
		lease = take_expired(pools);
		if (!lease)
			return false;
		end_detached(pools, lease);
	}
	return true;
}

static void expire_work(struct work_struct *work)
{
	struct vpn_pools *pools = container_of(to_delayed_work(work),
					       struct vpn_pools, expire);
	bool more;

	do {
		mutex_lock(&pools->vpn->lock);
		more = expire_batch(pools);
		mutex_unlock(&pools->vpn->lock);
		cond_resched();
	} while (more);
}

/*
 * Restoring
 */

static u64 boot_from_real(u64 real)
{
	u64 now = ktime_get_real_ns(), left = real > now ? real - now : 0;

	/* No longer than a lease time can be. */
	if (left > U32_MAX * (u64)NSEC_PER_SEC)
		return ktime_get_boottime_ns() + U32_MAX * (u64)NSEC_PER_SEC;
	return real - real_offset();
}

static bool is_over(const struct vpn_lease_record *record)
{
	return record->expires <= ktime_get_real_ns();
}

/* Whether the lease is there already. */
static int check_restored(struct vpn_pools *pools,
			  const struct vpn_lease_record *record,
			  struct vpn_pool *pool, bool *there,
			  struct netlink_ext_ack *extack)
{
	const struct vpn_lease *other = vpn_lease_at(pools, &record->address);
	bool six = is_prefix6(&record->address);

	*there = other && !memcmp(other->public_key, record->public_key,
				  VPN_KEY_LEN);
	if (*there)
		return 0;
	if (other) {
		NL_SET_ERR_MSG(extack, "the address is leased to another key");
		return -EADDRNOTAVAIL;
	}
	if (vpn_lease_find(pools, six, record->public_key)) {
		NL_SET_ERR_MSG(extack, "the key has another address; release that first");
		return -EEXIST;
	}
	return vpn_pool_check(pools->vpn, pool, record->public_key,
			      record->address.ip, extack);
}

int vpn_lease_restore(struct vpn_device *vpn,
		      const struct vpn_lease_record *record,
		      struct netlink_ext_ack *extack)
{
	struct vpn_pools *pools = vpn->pools;
	struct vpn_lease *lease;
	struct vpn_pool *pool;
	bool there;
	int err;

	lockdep_assert_held(&vpn->lock);

	if (is_over(record))
		return 0;
	pool = vpn_pool_of(pools, &record->address);
	if (!pool) {
		NL_SET_ERR_MSG(extack, "the address is in no pool; add the pool first");
		return -EADDRNOTAVAIL;
	}
	err = check_restored(pools, record, pool, &there, extack);
	if (err || there)
		return err;

	lease = lease_alloc(pools, record->public_key, record->address.ip,
			    extack);
	if (IS_ERR(lease))
		return PTR_ERR(lease);
	lease->fresh = true;
	enter(pools, pool, lease);
	return 0;
}

void vpn_lease_settle(struct vpn_device *vpn,
		      const struct vpn_lease_record *record, bool keep)
{
	struct vpn_lease *lease = vpn_lease_at(vpn->pools, &record->address);
	struct vpn_pools *pools = vpn->pools;
	u64 expires;

	if (!lease || lease->peer ||
	    memcmp(lease->public_key, record->public_key, VPN_KEY_LEN))
		return;
	if (!keep) {
		if (lease->fresh) {
			leave(pools, lease);
			kmem_cache_free(lease_cache, lease);
		}
		return;
	}

	/* One that is over is no news of a lease that was there before. */
	if (!lease->fresh && is_over(record))
		return;
	if (record->expires == U64_MAX)
		expires = end_after(lease->pool);
	else
		expires = boot_from_real(record->expires);
	lease->fresh = false;
	spin_lock_bh(&pools->lock);
	set_expiry(pools, lease, expires);
	spin_unlock_bh(&pools->lock);
	pools->generation++;
	tell(pools, lease, vpn_event_lease_added);
}

/*
 * Messages
 */

int vpn_lease_put_info(struct sk_buff *skb, int type,
		       const struct vpn_lease_info *info)
{
	struct nlattr *nest = nla_nest_start(skb, type);
	u64 expires = info->expires + real_offset();

	if (!nest ||
	    nla_put(skb, VPN_A_LEASE_PUBLIC_KEY, VPN_KEY_LEN,
		    info->public_key) ||
	    vpn_netlink_put_address(skb, VPN_A_LEASE_ADDRESS, &info->address) ||
	    (info->expires &&
	     nla_put(skb, VPN_A_LEASE_EXPIRES, sizeof(expires), &expires)) ||
	    (info->bound && nla_put_flag(skb, VPN_A_LEASE_BOUND)) ||
	    (info->name &&
	     nla_put_string(skb, VPN_A_LEASE_NAME, info->name))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int vpn_lease_put(struct sk_buff *skb, struct vpn_peer *peer)
{
	struct vpn_pools *pools = peer->vpn->pools;
	struct vpn_lease_info info;
	int six;

	lockdep_assert_held(&peer->vpn->lock);

	for (six = 0; six < VPN_FAMILIES; six++) {
		if (!peer->leases[six])
			continue;
		vpn_lease_describe(pools, peer->leases[six], &info);
		/* It is told within its peer. */
		info.name = NULL;
		if (vpn_lease_put_info(skb, VPN_A_PEER_LEASE, &info))
			return -EMSGSIZE;
	}
	return 0;
}

/*
 * Of a device, and of the module
 */

void vpn_lease_setup(struct vpn_pools *pools)
{
	pools->keys[0] = RB_ROOT;
	pools->keys[1] = RB_ROOT;
	pools->expiry = RB_ROOT_CACHED;
	INIT_DELAYED_WORK(&pools->expire, expire_work);
}

void vpn_lease_free_all(struct vpn_pools *pools)
{
	struct vpn_lease *lease, *next;
	int six;

	cancel_delayed_work_sync(&pools->expire);
	for (six = 0; six < VPN_FAMILIES; six++) {
		rbtree_postorder_for_each_entry_safe(lease, next,
						     &pools->keys[six], by_key) {
			kmem_cache_free(lease_cache, lease);
			cond_resched();
		}
	}
}

int __init vpn_lease_init(void)
{
	lease_cache = KMEM_CACHE(vpn_lease, SLAB_ACCOUNT);
	if (!lease_cache)
		return -ENOMEM;
	lease_wq = alloc_workqueue("vpn-leases", WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!lease_wq) {
		kmem_cache_destroy(lease_cache);
		return -ENOMEM;
	}
	return 0;
}

void vpn_lease_uninit(void)
{
	destroy_workqueue(lease_wq);
	kmem_cache_destroy(lease_cache);
}
