// SPDX-License-Identifier: GPL-2.0
/*
 * Address pools: which addresses there are to give, and which of them are free.
 *
 * Leases hang in a tree by address. A pool of up to 2^24 addresses has a bit
 * for each besides, by which a free one is found without looking at those that
 * are not. A larger pool is never close to full, since a device has a limited
 * number of leases: there, trying one address after the other takes few tries.
 */
#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/inetdevice.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>

#include "allowedips.h"
#include "device.h"
#include "netlink.h"
#include "peer.h"
#include "pool.h"

/* Host bits up to which a pool has a bit an address: 2 MiB. */
#define BITMAP_HOST_BITS	24
/* Host bits up to which an IPv6 pool is filled from its beginning. */
#define SMALL_HOST_BITS		8

/*
 * Not a secret: all it does is that a key gets the same address wherever a
 * pool has this prefix.
 */
static const siphash_key_t host_key = { { 0x76706e20706f6f6cULL,
					  0x2061646472657373ULL } };

/*
 * Addresses, octet by octet. Those of a pool have the same family.
 */

static unsigned int host_bits(const struct vpn_pool *pool)
{
	const struct vpn_prefix *prefix = &pool->settings.prefix;

	return prefix->len * 8 - prefix->bits;
}

static int compare(const struct vpn_pool *pool, const u8 *a, const u8 *b)
{
	return memcmp(a, b, pool->settings.prefix.len);
}

/* Set or clear what is behind the first @bits bits. */
static void fill(u8 *ip, u8 len, u8 bits, bool set)
{
	unsigned int i = bits / 8;
	u8 mask = 0xff >> bits % 8;

	if (i >= len)
		return;
	ip[i] = set ? ip[i] | mask : ip[i] & ~mask;
	memset(ip + i + 1, set ? 0xff : 0, len - i - 1);
}

static void last_of(const struct vpn_prefix *prefix, u8 *ip)
{
	memcpy(ip, prefix->ip, VPN_IP_MAX);
	fill(ip, prefix->len, prefix->bits, true);
}

static bool contains(const struct vpn_prefix *prefix, u8 len, const u8 *ip)
{
	u8 copy[VPN_IP_MAX] = {};

	if (prefix->len != len)
		return false;
	memcpy(copy, ip, len);
	fill(copy, len, prefix->bits, false);
	return !memcmp(copy, prefix->ip, len);
}

/* Go on to the next address; false at the end of the pool. */
static bool advance(const struct vpn_pool *pool, u8 *ip)
{
	unsigned int i = pool->settings.prefix.len;
	u8 last[VPN_IP_MAX];

	last_of(&pool->settings.prefix, last);
	if (!compare(pool, ip, last))
		return false;
	while (i-- > 0 && !++ip[i])
		;
	return true;
}

/* The last 64 bits, or as many as there are. */
static u64 low_bits(const struct vpn_pool *pool, const u8 *ip)
{
	unsigned int i, len = pool->settings.prefix.len;
	u64 low = 0;

	for (i = len > 8 ? len - 8 : 0; i < len; i++)
		low = low << 8 | ip[i];
	return low;
}

static u64 host_mask(const struct vpn_pool *pool)
{
	unsigned int bits = host_bits(pool);

	return bits < 64 ? BIT_ULL(bits) - 1 : U64_MAX;
}

static u64 host_of(const struct vpn_pool *pool, const u8 *ip)
{
	return low_bits(pool, ip) & host_mask(pool);
}

/* The address with this host part. */
static void set_host(const struct vpn_pool *pool, u8 *ip, u64 host)
{
	unsigned int i = pool->settings.prefix.len;

	memcpy(ip, pool->settings.prefix.ip, VPN_IP_MAX);
	for (host &= host_mask(pool); host; host >>= 8)
		ip[--i] |= host;
}

/*
 * What nobody gets
 */

static int compare_ranges(const void *a, const void *b)
{
	return memcmp(((const struct vpn_range *)a)->first,
		      ((const struct vpn_range *)b)->first, VPN_IP_MAX);
}

/* In order, and without overlap. Returns how many are left. */
static unsigned int merge(struct vpn_range *ranges, unsigned int count)
{
	unsigned int i, n = 0;

	sort(ranges, count, sizeof(*ranges), compare_ranges, NULL);
	for (i = 1; i < count; i++) {
		if (memcmp(ranges[i].first, ranges[n].last, VPN_IP_MAX) > 0)
			ranges[++n] = ranges[i];
		else if (memcmp(ranges[i].last, ranges[n].last, VPN_IP_MAX) > 0)
			memcpy(ranges[n].last, ranges[i].last, VPN_IP_MAX);
	}
	return count ? n + 1 : 0;
}

static int block(struct vpn_pool *pool)
{
	const struct vpn_pool_settings *settings = &pool->settings;
	unsigned int count = settings->reserved_count;
	struct vpn_range *range;

	/* Two more, for network and broadcast. */
	pool->blocked = kcalloc(count + 2, sizeof(*range), GFP_KERNEL);
	if (!pool->blocked)
		return -ENOMEM;
	if (count)
		memcpy(pool->blocked, settings->reserved,
		       count * sizeof(*range));

	/* With two addresses or one, all are for hosts (RFC 3021, RFC 6164). */
	if (host_bits(pool) > 1) {
		range = &pool->blocked[count++];
		memcpy(range->first, settings->prefix.ip, VPN_IP_MAX);
		memcpy(range->last, settings->prefix.ip, VPN_IP_MAX);
	}
	if (host_bits(pool) > 1 && settings->prefix.len == sizeof(struct in_addr)) {
		range = &pool->blocked[count++];
		last_of(&settings->prefix, range->first);
		last_of(&settings->prefix, range->last);
	}
	pool->blocked_count = merge(pool->blocked, count);
	return 0;
}

static const struct vpn_range *blocking(const struct vpn_pool *pool,
					const u8 *ip)
{
	unsigned int low = 0, high = pool->blocked_count, middle;
	const struct vpn_range *range;

	while (low < high) {
		middle = (low + high) / 2;
		range = &pool->blocked[middle];
		if (compare(pool, ip, range->first) < 0)
			high = middle;
		else if (compare(pool, ip, range->last) > 0)
			low = middle + 1;
		else
			return range;
	}
	return NULL;
}

/* Count what is left to give, and set the bits of what is not. */
static int measure(struct vpn_pool *pool)
{
	unsigned int i, bits = host_bits(pool);
	const struct vpn_range *range;
	u64 first, length;

	if (bits >= 64) {
		pool->size = U64_MAX;
		return 0;
	}
	if (bits <= BITMAP_HOST_BITS) {
		pool->taken = kvcalloc(BITS_TO_LONGS(BIT(bits)), sizeof(long),
				       GFP_KERNEL_ACCOUNT);
		if (!pool->taken)
			return -ENOMEM;
	}
	pool->size = BIT_ULL(bits);
	for (i = 0; i < pool->blocked_count; i++) {
		range = &pool->blocked[i];
		first = host_of(pool, range->first);
		length = host_of(pool, range->last) - first + 1;
		pool->size -= length;
		if (pool->taken)
			bitmap_set(pool->taken, first, length);
	}
	return 0;
}

/*
 * Looking for a free address
 */

struct vpn_lease *vpn_pool_lease_from(const struct vpn_pool *pool,
				      const u8 ip[VPN_IP_MAX])
{
	struct rb_node *node = pool->leases.rb_node;
	struct vpn_lease *lease, *found = NULL;
	int order;

	while (node) {
		lease = rb_entry(node, struct vpn_lease, by_address);
		order = compare(pool, ip, lease->ip);
		if (!order)
			return lease;
		if (order < 0)
			found = lease;
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return found;
}

/* Go on to where neither a lease nor a reservation is; false at the end. */
static bool skip_taken(const struct vpn_pool *pool, u8 *ip)
{
	const struct vpn_range *range;
	const struct vpn_lease *lease;
	unsigned long bit, bits;

	if (pool->taken) {
		bits = BIT(host_bits(pool));
		bit = find_next_zero_bit(pool->taken, bits, host_of(pool, ip));
		set_host(pool, ip, bit);
		return bit < bits;
	}

	for (;;) {
		range = blocking(pool, ip);
		lease = vpn_pool_lease_from(pool, ip);
		if (range)
			memcpy(ip, range->last, VPN_IP_MAX);
		else if (!lease || compare(pool, lease->ip, ip))
			return true;
		if (!advance(pool, ip))
			return false;
		cond_resched();
	}
}

static bool is_own4(struct net_device *dev, const u8 *ip)
{
	struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;

	if (!in_dev)
		return false;
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		if (!memcmp(&ifa->ifa_local, ip, sizeof(ifa->ifa_local)) ||
		    !memcmp(&ifa->ifa_broadcast, ip, sizeof(ifa->ifa_broadcast)))
			return true;
	return false;
}

static bool is_own6(struct net_device *dev, const u8 *ip)
{
	struct inet6_dev *idev = __in6_dev_get(dev);
	const struct inet6_ifaddr *ifa;
	bool own = false;

	if (!idev)
		return false;
	read_lock_bh(&idev->lock);
	list_for_each_entry(ifa, &idev->addr_list, if_list)
		if (!memcmp(&ifa->addr, ip, sizeof(ifa->addr)))
			own = true;
	read_unlock_bh(&idev->lock);
	return own;
}

static bool is_own(struct net_device *dev, u8 len, const u8 *ip)
{
	bool own;

	rcu_read_lock();
	own = len == sizeof(struct in_addr) ? is_own4(dev, ip) : is_own6(dev, ip);
	rcu_read_unlock();
	return own;
}

/*
 * The length of another peer's allowed IP that covers the address, or zero. One
 * that has more than the pool in it, a default route say, means other
 * addresses than the pool's.
 */
static u8 covered(struct vpn_device *vpn, const struct vpn_pool *pool,
		  const u8 *key, const u8 *ip)
{
	const struct vpn_prefix *prefix = &pool->settings.prefix;
	const struct vpn_peer *other;
	u8 bits = 0;

	rcu_read_lock();
	other = vpn_allowedips_match(&vpn->allowedips, ip, prefix->len, &bits);
	if (!other || bits < prefix->bits ||
	    !memcmp(other->handshake.remote_static, key, VPN_KEY_LEN))
		bits = 0;
	rcu_read_unlock();
	return bits;
}

/* Look from @ip on; it is free if that is true, and not behind @last. */
static bool search(struct vpn_device *vpn, const struct vpn_pool *pool,
		   const u8 *key, u8 *ip, const u8 *last)
{
	u8 len = pool->settings.prefix.len, bits;

	do {
		if (!skip_taken(pool, ip) || compare(pool, ip, last) > 0)
			return false;
		bits = covered(vpn, pool, key, ip);
		if (!bits && !is_own(vpn->dev, len, ip))
			return true;
		if (bits)
			fill(ip, len, bits, true);
		cond_resched();
	} while (advance(pool, ip));
	return false;
}

/* In order of the addresses? Then the low ones are found by heart. */
static bool in_order(const struct vpn_pool *pool)
{
	return pool->settings.prefix.len == sizeof(struct in_addr) ||
	       host_bits(pool) <= SMALL_HOST_BITS;
}

bool vpn_pool_find_free(struct vpn_device *vpn, struct vpn_pool *pool,
			struct vpn_peer *peer, u8 ip[VPN_IP_MAX])
{
	const u8 *key = peer->handshake.remote_static;
	u8 start[VPN_IP_MAX], last[VPN_IP_MAX];

	lockdep_assert_held(&vpn->lock);

	set_host(pool, start, in_order(pool) ? pool->hint :
				siphash(key, VPN_KEY_LEN, &host_key));
	last_of(&pool->settings.prefix, last);
	memcpy(ip, start, VPN_IP_MAX);
	if (!search(vpn, pool, key, ip, last)) {
		memcpy(ip, pool->settings.prefix.ip, VPN_IP_MAX);
		if (!search(vpn, pool, key, ip, start))
			return false;
	}
	if (in_order(pool))
		pool->hint = host_of(pool, ip);
	return true;
}

int vpn_pool_check(struct vpn_device *vpn, const struct vpn_pool *pool,
		   const u8 key[VPN_KEY_LEN], const u8 ip[VPN_IP_MAX],
		   struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&vpn->lock);

	if (blocking(pool, ip))
		NL_SET_ERR_MSG(extack, "the pool keeps this address reserved; choose another");
	else if (is_own(vpn->dev, pool->settings.prefix.len, ip))
		NL_SET_ERR_MSG(extack, "the device itself has this address; choose another");
	else if (covered(vpn, pool, key, ip))
		NL_SET_ERR_MSG(extack, "another peer's allowed IPs cover this address");
	else
		return 0;
	return -EADDRNOTAVAIL;
}

void vpn_pool_link(struct vpn_pool *pool, struct vpn_lease *lease)
{
	struct rb_node **link = &pool->leases.rb_node, *parent = NULL;
	const struct vpn_lease *other;

	while (*link) {
		parent = *link;
		other = rb_entry(parent, struct vpn_lease, by_address);
		link = compare(pool, lease->ip, other->ip) < 0 ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&lease->by_address, parent, link);
	rb_insert_color(&lease->by_address, &pool->leases);
	lease->pool = pool;
	pool->used++;
	if (pool->taken)
		__set_bit(host_of(pool, lease->ip), pool->taken);
}

void vpn_pool_unlink(struct vpn_pool *pool, struct vpn_lease *lease)
{
	u64 host = host_of(pool, lease->ip);

	rb_erase(&lease->by_address, &pool->leases);
	lease->pool = NULL;
	pool->used--;
	if (pool->taken)
		__clear_bit(host, pool->taken);
	if (in_order(pool) && host < pool->hint)
		pool->hint = host;
}

/*
 * Pools
 */

static struct vpn_pool *find_pool(const struct vpn_pools *pools,
				  const struct vpn_prefix *prefix)
{
	struct vpn_pool *pool;

	list_for_each_entry(pool, &pools->list, list)
		if (!memcmp(&pool->settings.prefix, prefix, sizeof(*prefix)))
			return pool;
	return NULL;
}

struct vpn_pool *vpn_pool_of(const struct vpn_pools *pools,
			     const struct vpn_prefix *address)
{
	struct vpn_pool *pool;

	list_for_each_entry(pool, &pools->list, list)
		if (contains(&pool->settings.prefix, address->len, address->ip))
			return pool;
	return NULL;
}

static struct vpn_pool *overlapped(const struct vpn_pools *pools,
				   const struct vpn_prefix *prefix)
{
	struct vpn_pool *pool;

	list_for_each_entry(pool, &pools->list, list)
		if (contains(&pool->settings.prefix, prefix->len, prefix->ip) ||
		    contains(prefix, pool->settings.prefix.len,
			     pool->settings.prefix.ip))
			return pool;
	return NULL;
}

static bool is_unicast(const struct vpn_prefix *prefix)
{
	const u8 *ip = prefix->ip;

	/* 0/8, 127/8, multicast, and what was reserved for ever. */
	if (prefix->len == sizeof(struct in_addr))
		return ip[0] && ip[0] != IN_LOOPBACKNET && ip[0] < 224;
	/* None, loopback, IPv4 in other clothes; multicast. */
	return memchr_inv(ip, 0, 8) && ip[0] != 0xff;
}

static int check_prefix(const struct vpn_prefix *prefix,
			struct netlink_ext_ack *extack)
{
	u8 network[VPN_IP_MAX];

	memcpy(network, prefix->ip, VPN_IP_MAX);
	fill(network, prefix->len, prefix->bits, false);
	if (prefix->bits < VPN_POOL_BITS_MIN)
		NL_SET_ERR_MSG(extack, "a pool is a /8 at most; give a longer prefix");
	else if (memcmp(network, prefix->ip, VPN_IP_MAX))
		NL_SET_ERR_MSG(extack, "the prefix has bits set behind its length; clear them");
	else if (!is_unicast(prefix))
		NL_SET_ERR_MSG(extack, "these addresses are not for hosts; give a unicast prefix");
	else
		return 0;
	return -EINVAL;
}

static int check_reserved(const struct vpn_pool_settings *settings,
			  struct netlink_ext_ack *extack)
{
	const struct vpn_prefix *prefix = &settings->prefix;
	const struct vpn_range *range = settings->reserved;
	unsigned int i;

	for (i = 0; i < settings->reserved_count; i++, range++) {
		if (!contains(prefix, prefix->len, range->first) ||
		    !contains(prefix, prefix->len, range->last)) {
			NL_SET_ERR_MSG(extack, "a reserved address lies outside of the pool");
			return -EINVAL;
		}
		if (memcmp(range->first, range->last, prefix->len) > 0) {
			NL_SET_ERR_MSG(extack, "a reserved range ends before it begins");
			return -EINVAL;
		}
	}
	return 0;
}

static void pool_free(struct vpn_pool *pool)
{
	if (!pool)
		return;
	kvfree(pool->taken);
	kfree(pool->blocked);
	kfree(pool->settings.reserved);
	kfree(pool);
}

static struct vpn_pool *pool_alloc(const struct vpn_pool_settings *settings)
{
	size_t size = settings->reserved_count * sizeof(*settings->reserved);
	struct vpn_pool *pool = kzalloc_obj(*pool, GFP_KERNEL_ACCOUNT);

	if (!pool)
		return NULL;
	pool->settings = *settings;
	pool->settings.reserved = NULL;
	pool->leases = RB_ROOT;
	if (size) {
		pool->settings.reserved = kmemdup(settings->reserved, size,
						  GFP_KERNEL_ACCOUNT);
		if (!pool->settings.reserved)
			goto err_pool;
	}
	if (block(pool) || measure(pool))
		goto err_pool;
	return pool;

err_pool:
	pool_free(pool);
	return NULL;
}

/* The leases of a pool fit what it would be like with other reservations. */
static int check_leases(struct vpn_pool *pool, struct vpn_pool *wanted,
			struct netlink_ext_ack *extack)
{
	struct vpn_lease *lease;
	struct rb_node *node;

	for (node = rb_first(&pool->leases); node; node = rb_next(node)) {
		lease = rb_entry(node, struct vpn_lease, by_address);
		if (blocking(wanted, lease->ip)) {
			NL_SET_ERR_MSG(extack, "a leased address can't be reserved; release it");
			return -EBUSY;
		}
		if (wanted->taken)
			__set_bit(host_of(pool, lease->ip), wanted->taken);
		cond_resched();
	}
	return 0;
}

/* Leases stay with @pool, which becomes like @wanted; that goes. */
static void take_over(struct vpn_pools *pools, struct vpn_pool *pool,
		      struct vpn_pool *wanted)
{
	/* Handshakes read the settings. */
	spin_lock_bh(&pools->lock);
	swap(pool->settings, wanted->settings);
	spin_unlock_bh(&pools->lock);
	swap(pool->blocked, wanted->blocked);
	swap(pool->blocked_count, wanted->blocked_count);
	swap(pool->taken, wanted->taken);
	swap(pool->size, wanted->size);
	pool->hint = 0;
	pool_free(wanted);
}

static int pool_change(struct vpn_pools *pools, struct vpn_pool *pool,
		       struct vpn_pool *wanted, struct netlink_ext_ack *extack)
{
	int err = check_leases(pool, wanted, extack);

	if (err)
		pool_free(wanted);
	else
		take_over(pools, pool, wanted);
	return err;
}

static int check_new(const struct vpn_pools *pools,
		     const struct vpn_prefix *prefix,
		     struct netlink_ext_ack *extack)
{
	const struct vpn_pool *other = overlapped(pools, prefix);

	if (other) {
		vpn_netlink_say_prefix(extack, "the pool overlaps another one",
				       &other->settings.prefix);
		return -EEXIST;
	}
	if (pools->count >= VPN_POOLS_MAX) {
		NL_SET_ERR_MSG(extack, "the device has 256 pools, and no more can be added");
		return -EMFILE;
	}
	return 0;
}

static void pool_add(struct vpn_pools *pools, struct vpn_pool *pool)
{
	pool->id = ++pools->last_id;
	list_add_tail(&pool->list, &pools->list);
	WRITE_ONCE(pools->count, pools->count + 1);
}

int vpn_pool_set(struct vpn_device *vpn,
		 const struct vpn_pool_settings *settings,
		 struct netlink_ext_ack *extack)
{
	struct vpn_pools *pools = vpn->pools;
	struct vpn_pool *pool, *wanted;
	int err;

	lockdep_assert_held(&vpn->lock);

	err = check_prefix(&settings->prefix, extack);
	if (!err)
		err = check_reserved(settings, extack);
	pool = find_pool(pools, &settings->prefix);
	if (!err && !pool)
		err = check_new(pools, &settings->prefix, extack);
	if (err)
		return err;

	wanted = pool_alloc(settings);
	if (!wanted) {
		NL_SET_ERR_MSG(extack, "no memory for the pool");
		return -ENOMEM;
	}
	if (pool)
		err = pool_change(pools, pool, wanted, extack);
	else
		pool_add(pools, wanted);
	pools->generation++;
	return err;
}

static void release_all(struct vpn_pools *pools, struct vpn_pool *pool)
{
	struct rb_node *node;

	while ((node = rb_first(&pool->leases))) {
		vpn_lease_end(pools, rb_entry(node, struct vpn_lease,
					      by_address));
		cond_resched();
	}
}

int vpn_pool_remove(struct vpn_device *vpn, const struct vpn_prefix *prefix,
		    bool force, struct netlink_ext_ack *extack)
{
	struct vpn_pools *pools = vpn->pools;
	struct vpn_pool *pool;

	lockdep_assert_held(&vpn->lock);

	pool = find_pool(pools, prefix);
	if (!pool) {
		NL_SET_ERR_MSG(extack, "the device has no pool with this prefix");
		return -ENOENT;
	}
	if (pool->used && !force) {
		NL_SET_ERR_MSG(extack, "the pool has leases; release them first, or use force");
		return -EBUSY;
	}
	release_all(pools, pool);
	list_del(&pool->list);
	WRITE_ONCE(pools->count, pools->count - 1);
	pools->generation++;
	pool_free(pool);
	return 0;
}

bool vpn_pools_any(const struct vpn_device *vpn)
{
	return READ_ONCE(vpn->pools->count);
}

int vpn_pools_setup(struct vpn_device *vpn)
{
	struct vpn_pools *pools = kzalloc_obj(*pools, GFP_KERNEL);

	if (!pools)
		return -ENOMEM;
	pools->vpn = vpn;
	INIT_LIST_HEAD(&pools->list);
	spin_lock_init(&pools->lock);
	vpn_lease_setup(pools);
	vpn->pools = pools;
	return 0;
}

void vpn_pools_free(struct vpn_device *vpn)
{
	struct vpn_pool *pool, *next;

	vpn_lease_free_all(vpn->pools);
	list_for_each_entry_safe(pool, next, &vpn->pools->list, list)
		pool_free(pool);
	kfree(vpn->pools);
	vpn->pools = NULL;
}
