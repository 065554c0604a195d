// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink commands about address pools and leases. What the attributes mean
 * is written in uapi/vpn.yaml.
 */
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/genetlink.h>

#include "device.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "pool.h"

#define POOL_ATTRS	ARRAY_SIZE(vpn_pool_set_input_nl_policy)
#define RANGE_ATTRS	ARRAY_SIZE(vpn_range_nl_policy)
#define LEASE_ATTRS	ARRAY_SIZE(vpn_lease_set_input_nl_policy)

/**
 * struct request - a command that is being carried out
 * @info: the request
 * @tb: attributes of the pool
 * @settings: of the pool
 */
struct request {
	struct genl_info *info;
	struct nlattr *tb[POOL_ATTRS];
	struct vpn_pool_settings settings;
};

/* Do something to the device with its lock held, if it is still there. */
static int with_device(struct request *request,
		       int (*act)(struct vpn_device *vpn,
				  struct request *request))
{
	struct net_device *dev = vpn_netlink_device(request->info);
	struct vpn_device *vpn = netdev_priv(dev);
	int err = -ENODEV;

	mutex_lock(&vpn->lock);
	if (vpn_netlink_still_there(dev, genl_info_net(request->info)))
		err = act(vpn, request);
	else
		GENL_SET_ERR_MSG(request->info,
				 "the device has just been removed");
	mutex_unlock(&vpn->lock);
	return err;
}

/*
 * Reading requests
 */

static int read_bound(u8 *ip, const struct nlattr *attr, u8 len,
		      struct netlink_ext_ack *extack)
{
	if (nla_len(attr) != len)
		return refuse(extack, attr,
			      "a reserved address is of the pool's family");
	memcpy(ip, nla_data(attr), len);
	return 0;
}

static int read_range(struct vpn_range *range, const struct nlattr *attr, u8 len,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[RANGE_ATTRS], *first, *last;
	int err;

	err = nla_parse_nested(tb, RANGE_ATTRS - 1, attr, vpn_range_nl_policy,
			       extack);
	if (err)
		return err;

	first = tb[VPN_A_RANGE_FIRST];
	last = tb[VPN_A_RANGE_LAST] ?: first;
	if (!first)
		return refuse_without(extack, attr, VPN_A_RANGE_FIRST,
				      "a reserved range needs its first address");
	err = read_bound(range->first, first, len, extack);
	return err ?: read_bound(range->last, last, len, extack);
}

static int read_ranges(struct vpn_pool_settings *settings,
		       const struct nlattr *pool, struct netlink_ext_ack *extack)
{
	struct nlattr *attr;
	int err, rem;

	nla_for_each_nested(attr, pool, rem) {
		if (nla_type(attr) != VPN_A_POOL_RESERVED)
			continue;
		if (settings->reserved_count >= VPN_POOL_RESERVED_MAX)
			return refuse(extack, attr,
				      "a pool has 64 reserved ranges at most; join some");
		err = read_range(&settings->reserved[settings->reserved_count++],
				 attr, settings->prefix.len, extack);
		if (err)
			return err;
	}
	return 0;
}

/* The one pool that a command names. */
static struct nlattr *find_pool(struct genl_info *info)
{
	struct nlattr *attr, *pool = NULL;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != VPN_A_DEVICE_POOL)
			continue;
		if (pool)
			return ERR_PTR(refuse(info->extack, attr,
					      "one pool at a time"));
		pool = attr;
	}
	if (!pool)
		return ERR_PTR(refuse_without(info->extack, NULL,
					      VPN_A_DEVICE_POOL,
					      "name a pool by its prefix"));
	return pool;
}

static int read_pool(struct request *request)
{
	struct netlink_ext_ack *extack = request->info->extack;
	struct nlattr *pool = find_pool(request->info);
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);

	err = nla_parse_nested(request->tb, POOL_ATTRS - 1, pool,
			       vpn_pool_set_input_nl_policy, extack);
	if (err)
		return err;
	if (!request->tb[VPN_A_POOL_PREFIX])
		return refuse_without(extack, pool, VPN_A_POOL_PREFIX,
				      "a pool needs a prefix");
	return vpn_netlink_read_address(&request->settings.prefix,
					request->tb[VPN_A_POOL_PREFIX], extack);
}

static int set_pool(struct vpn_device *vpn, struct request *request)
{
	int err = vpn_pool_set(vpn, &request->settings, request->info->extack);

	if (err)
		NL_SET_BAD_ATTR(request->info->extack,
				request->info->attrs[VPN_A_DEVICE_POOL]);
	return err;
}

static int read_and_set_pool(struct request *request)
{
	struct nlattr *time;
	int err;

	err = read_pool(request);
	if (!err)
		err = read_ranges(&request->settings,
				  request->info->attrs[VPN_A_DEVICE_POOL],
				  request->info->extack);
	if (err)
		return err;
	time = request->tb[VPN_A_POOL_LEASE_TIME];
	request->settings.lease_time = time ? nla_get_u32(time) : 0;
	return with_device(request, set_pool);
}

int vpn_nl_pool_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request request = { .info = info };
	int err;

	request.settings.reserved = kcalloc(VPN_POOL_RESERVED_MAX,
					    sizeof(struct vpn_range),
					    GFP_KERNEL);
	if (!request.settings.reserved)
		return -ENOMEM;
	err = read_and_set_pool(&request);
	kfree(request.settings.reserved);
	return err;
}

static int remove_pool(struct vpn_device *vpn, struct request *request)
{
	struct genl_info *info = request->info;
	int err;

	err = vpn_pool_remove(vpn, &request->settings.prefix,
			      info->attrs[VPN_A_DEVICE_FORCE], info->extack);
	if (err)
		NL_SET_BAD_ATTR(info->extack, info->attrs[VPN_A_DEVICE_POOL]);
	return err;
}

int vpn_nl_pool_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request request = { .info = info };
	int err = read_pool(&request);

	return err ?: with_device(&request, remove_pool);
}

/*
 * Leases in requests
 */

/**
 * struct lease_name - which lease an entry of a request means
 * @attr: the entry
 * @extack: where to say what is wrong with it
 * @key: its public key, NULL for none
 * @expires: its end, NULL for none
 * @address: its address; @address.len is zero for none
 */
struct lease_name {
	const struct nlattr *attr;
	struct netlink_ext_ack *extack;
	const u8 *key;
	const struct nlattr *expires;
	struct vpn_prefix address;
};

static int read_lease(struct lease_name *name, const struct nlattr *attr,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[LEASE_ATTRS];
	int err;

	err = nla_parse_nested(tb, LEASE_ATTRS - 1, attr,
			       vpn_lease_set_input_nl_policy, extack);
	if (err)
		return err;

	memset(name, 0, sizeof(*name));
	name->attr = attr;
	name->extack = extack;
	name->expires = tb[VPN_A_LEASE_EXPIRES];
	if (tb[VPN_A_LEASE_PUBLIC_KEY])
		name->key = nla_data(tb[VPN_A_LEASE_PUBLIC_KEY]);
	if (tb[VPN_A_LEASE_ADDRESS])
		err = vpn_netlink_read_address(&name->address,
					       tb[VPN_A_LEASE_ADDRESS], extack);
	return err;
}

/* Do something with each lease that a request names, until one fails. */
static int walk_leases(struct vpn_device *vpn, struct genl_info *info,
		       int (*act)(struct vpn_device *vpn,
				  const struct lease_name *name))
{
	struct lease_name name;
	struct nlattr *attr;
	int err, rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != VPN_A_DEVICE_LEASE)
			continue;
		err = read_lease(&name, attr, info->extack);
		if (!err)
			err = act(vpn, &name);
		if (err)
			return err;
	}
	return 0;
}

static int need_lease(struct genl_info *info)
{
	if (info->attrs[VPN_A_DEVICE_LEASE])
		return 0;
	return refuse_without(info->extack, NULL, VPN_A_DEVICE_LEASE,
			      "name a lease by its public key or its address");
}

/*
 * Releasing
 */

/* The leases that are meant, at most one of a family. */
static unsigned int find_leases(const struct vpn_pools *pools,
				const struct lease_name *name,
				struct vpn_lease *found[VPN_FAMILIES])
{
	unsigned int count = 0;
	int six;

	if (name->address.len) {
		found[0] = vpn_lease_at(pools, &name->address);
		return found[0] && (!name->key ||
				    !memcmp(found[0]->public_key, name->key,
					    VPN_KEY_LEN));
	}
	for (six = 0; six < VPN_FAMILIES; six++) {
		found[count] = vpn_lease_find(pools, six, name->key);
		if (found[count])
			count++;
	}
	return count;
}

static int check_release(struct vpn_device *vpn, const struct lease_name *name)
{
	struct vpn_lease *found[VPN_FAMILIES];

	if (!name->key && !name->address.len)
		return refuse_without(name->extack, name->attr,
				      VPN_A_LEASE_PUBLIC_KEY,
				      "name a lease by its public key or its address");
	if (find_leases(vpn->pools, name, found))
		return 0;
	NL_SET_ERR_MSG_ATTR(name->extack, name->attr,
			    "there is no such lease; read the leases to see those there are");
	return -ENOENT;
}

static int release(struct vpn_device *vpn, const struct lease_name *name)
{
	struct vpn_lease *found[VPN_FAMILIES];
	unsigned int count;

	count = find_leases(vpn->pools, name, found);
	while (count-- > 0)
		vpn_lease_end(vpn->pools, found[count]);
	return 0;
}

static int release_all(struct vpn_device *vpn, struct request *request)
{
	int err = walk_leases(vpn, request->info, check_release);

	return err ?: walk_leases(vpn, request->info, release);
}

int vpn_nl_lease_release_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request request = { .info = info };
	int err = need_lease(info);

	return err ?: with_device(&request, release_all);
}

/*
 * Restoring
 */

static void to_record(const struct lease_name *name,
		      struct vpn_lease_record *record)
{
	record->address = name->address;
	memcpy(record->public_key, name->key, VPN_KEY_LEN);
	record->expires = name->expires ? nla_get_u64(name->expires) : U64_MAX;
}

static int check_restore(struct vpn_device *vpn, const struct lease_name *name)
{
	if (!name->key)
		return refuse_without(name->extack, name->attr,
				      VPN_A_LEASE_PUBLIC_KEY,
				      "a lease to restore needs a public key");
	if (!name->address.len)
		return refuse_without(name->extack, name->attr, VPN_A_LEASE_ADDRESS,
				      "a lease to restore needs an address");
	if (!memchr_inv(name->key, 0, VPN_KEY_LEN))
		return refuse(name->extack, name->attr, "the public key is all zero");
	return 0;
}

static int restore(struct vpn_device *vpn, const struct lease_name *name)
{
	struct vpn_lease_record record;
	int err;

	to_record(name, &record);
	err = vpn_lease_restore(vpn, &record, name->extack);
	if (err)
		NL_SET_BAD_ATTR(name->extack, name->attr);
	return err;
}

static int keep(struct vpn_device *vpn, const struct lease_name *name)
{
	struct vpn_lease_record record;

	to_record(name, &record);
	vpn_lease_settle(vpn, &record, true);
	return 0;
}

static int undo(struct vpn_device *vpn, const struct lease_name *name)
{
	struct vpn_lease_record record;

	to_record(name, &record);
	vpn_lease_settle(vpn, &record, false);
	return 0;
}

static int restore_all(struct vpn_device *vpn, struct request *request)
{
	int err;

	err = walk_leases(vpn, request->info, check_restore);
	if (err)
		return err;
	err = walk_leases(vpn, request->info, restore);
	walk_leases(vpn, request->info, err ? undo : keep);
	return err;
}

int vpn_nl_lease_restore_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request request = { .info = info };
	int err = need_lease(info);

	return err ?: with_device(&request, restore_all);
}

/*
 * Dumps
 */

/**
 * struct cursor - where a dump goes on with the next message
 * @dump: which device it is of; finished when all is written
 * @pool_id: the next pool, or the pool of the next lease; ids rise along the
 *	list
 * @ip: the address to go on with in that pool
 */
struct cursor {
	struct vpn_dump dump;
	u64 pool_id;
	u8 ip[VPN_IP_MAX];
};

static int cursor_start(struct netlink_callback *cb)
{
	struct cursor *cursor = kzalloc_obj(*cursor, GFP_KERNEL);

	BUILD_BUG_ON(offsetof(struct cursor, dump));
	return vpn_dump_start(cb, cursor ? &cursor->dump : NULL);
}

static int put_range(struct sk_buff *skb, const struct vpn_range *range, u8 len)
{
	struct nlattr *nest = nla_nest_start(skb, VPN_A_POOL_RESERVED);

	if (!nest || nla_put(skb, VPN_A_RANGE_FIRST, len, range->first) ||
	    nla_put(skb, VPN_A_RANGE_LAST, len, range->last))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_ranges(struct sk_buff *skb, const struct vpn_pool *pool)
{
	const struct vpn_pool_settings *settings = &pool->settings;
	unsigned int i;

	for (i = 0; i < settings->reserved_count; i++)
		if (put_range(skb, &settings->reserved[i], settings->prefix.len))
			return -EMSGSIZE;
	return 0;
}

static int put_pool(struct sk_buff *skb, const struct vpn_pool *pool)
{
	struct nlattr *nest = nla_nest_start(skb, VPN_A_DEVICE_POOL);

	if (!nest ||
	    vpn_netlink_put_address(skb, VPN_A_POOL_PREFIX,
				    &pool->settings.prefix) ||
	    put_ranges(skb, pool) ||
	    nla_put_u32(skb, VPN_A_POOL_LEASE_TIME, pool->settings.lease_time) ||
	    nla_put_uint(skb, VPN_A_POOL_SIZE, pool->size) ||
	    nla_put_uint(skb, VPN_A_POOL_USED, pool->used)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* False when the message is full. */
static bool put_pools(struct sk_buff *skb, const struct vpn_pools *pools,
		      struct cursor *cursor)
{
	const struct vpn_pool *pool;

	list_for_each_entry(pool, &pools->list, list) {
		if (pool->id < cursor->pool_id)
			continue;
		cursor->pool_id = pool->id;
		if (put_pool(skb, pool))
			return false;
		cursor->pool_id++;
	}
	return true;
}

static int put_lease(struct sk_buff *skb, struct vpn_pools *pools,
		     const struct vpn_lease *lease)
{
	struct vpn_lease_info info;

	vpn_lease_describe(pools, lease, &info);
	return vpn_lease_put_info(skb, VPN_A_DEVICE_LEASE, &info);
}

/* Those of a pool from the cursor's address on. */
static bool put_leases_of(struct sk_buff *skb, struct vpn_pools *pools,
			  const struct vpn_pool *pool, struct cursor *cursor)
{
	const struct vpn_lease *lease = vpn_pool_lease_from(pool, cursor->ip);
	const struct rb_node *node = lease ? &lease->by_address : NULL;

	for (; node; node = rb_next(node)) {
		lease = rb_entry(node, struct vpn_lease, by_address);
		memcpy(cursor->ip, lease->ip, VPN_IP_MAX);
		if (put_lease(skb, pools, lease))
			return false;
	}
	return true;
}

static bool put_leases(struct sk_buff *skb, struct vpn_pools *pools,
		       struct cursor *cursor)
{
	const struct vpn_pool *pool;

	list_for_each_entry(pool, &pools->list, list) {
		if (pool->id < cursor->pool_id)
			continue;
		if (pool->id > cursor->pool_id)
			memset(cursor->ip, 0, VPN_IP_MAX);
		cursor->pool_id = pool->id;
		if (!put_leases_of(skb, pools, pool, cursor))
			return false;
	}
	return true;
}

static int put_message(struct sk_buff *skb, struct netlink_callback *cb,
		       struct vpn_device *vpn, struct cursor *cursor, u8 cmd)
{
	struct vpn_pools *pools = vpn->pools;
	unsigned int empty;
	void *hdr;

	hdr = vpn_dump_begin(skb, cb, vpn, cmd, pools->generation);
	if (!hdr)
		return -EMSGSIZE;
	empty = skb->len;
	cursor->dump.finished = cmd == VPN_CMD_POOL_GET ?
				put_pools(skb, pools, cursor) :
				put_leases(skb, pools, cursor);
	/* Each message must bring the dump forward. */
	if (!cursor->dump.finished && skb->len == empty) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return skb->len;
}

static int put_pool_message(struct sk_buff *skb, struct netlink_callback *cb,
			    struct vpn_device *vpn, struct vpn_dump *dump)
{
	return put_message(skb, cb, vpn,
			   container_of(dump, struct cursor, dump),
			   VPN_CMD_POOL_GET);
}

static int put_lease_message(struct sk_buff *skb, struct netlink_callback *cb,
			     struct vpn_device *vpn, struct vpn_dump *dump)
{
	return put_message(skb, cb, vpn,
			   container_of(dump, struct cursor, dump),
			   VPN_CMD_LEASE_GET);
}

int vpn_nl_pool_get_start(struct netlink_callback *cb)
{
	return cursor_start(cb);
}

int vpn_nl_pool_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vpn_dump_next(skb, cb, put_pool_message);
}

int vpn_nl_pool_get_done(struct netlink_callback *cb)
{
	return vpn_dump_done(cb);
}

int vpn_nl_lease_get_start(struct netlink_callback *cb)
{
	return cursor_start(cb);
}

int vpn_nl_lease_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vpn_dump_next(skb, cb, put_lease_message);
}

int vpn_nl_lease_get_done(struct netlink_callback *cb)
{
	return vpn_dump_done(cb);
}
