// SPDX-License-Identifier: GPL-2.0
/* Address pools, with the leases that they had when they were there last. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "../libvpn/command.h"
#include "item.h"
#include "leases.h"

static bool build(const struct item *item, struct vpn_pool *pool)
{
	const json_t *ranges = json_object_get(item->value, "reserved"), *pair;
	struct vpn_range *range;
	size_t i;

	memset(pool, 0, sizeof(*pool));
	pool->has_lease_time = true;
	pool->lease_time = item_number(item, "lease_time");
	if (!vpn_address_parse(&pool->prefix, item->key))
		return false;
	json_array_foreach(ranges, i, pair) {
		range = vpn_pool_add_range(pool);
		if (!range)
			return false;
		vpn_address_parse(&range->first, json_string_value(json_array_get(pair, 0)));
		vpn_address_parse(&range->last, json_string_value(json_array_get(pair, 1)));
	}
	return true;
}

static bool ranges_equal(const struct vpn_pool *a, const struct vpn_pool *b)
{
	unsigned int i, j;

	for (i = 0; i < a->reserved_count; i++) {
		for (j = 0; j < b->reserved_count; j++) {
			if (!vpn_address_compare(&a->reserved[i].first, &b->reserved[j].first) &&
			    !vpn_address_compare(&a->reserved[i].last, &b->reserved[j].last))
				break;
		}
		if (j == b->reserved_count)
			return false;
	}
	return true;
}

static bool equal(const struct vpn_pool *a, const struct vpn_pool *b)
{
	return !vpn_address_compare(&a->prefix, &b->prefix) && a->lease_time == b->lease_time &&
	       ranges_equal(a, b) && ranges_equal(b, a);
}

static bool pool_matches(struct world *w, const struct item *item)
{
	const struct vpn_pool *have;
	struct vpn_device *dev;
	struct vpn_error err;
	struct vpn_pool want;
	bool found = false;

	/*
	 * Whoever made it may have been killed before it had its leases. That is the case
	 * no more when the device is up, which comes last.
	 */
	if (!world_is_up(w) || vpn_device_get_pools(w->ifname, &dev, &err))
		return false;
	if (build(item, &want)) {
		for (have = dev->pools; have; have = have->next)
			found |= equal(&want, have);
	}
	free(want.reserved);
	vpn_device_free(dev);
	return found;
}

static int pool_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	struct vpn_pool pool;
	int ret = -ENOMEM;

	if (build(item, &pool))
		ret = vpn_pool_add(w->ifname, &pool, err);
	else
		vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	if (!ret)
		ret = leases_restore(w->ifname, &pool.prefix, err);
	free(pool.reserved);
	return ret;
}

static int pool_undo(struct world *w, const struct item *item, const json_t *before,
		     struct vpn_error *err)
{
	struct vpn_pool pool;
	int ret = 0;

	(void)before;
	if (build(item, &pool))
		ret = vpn_pool_del(w->ifname, &pool, true, err);
	free(pool.reserved);
	return ret == -ENODEV || ret == -ENOENT ? 0 : ret;
}

const struct item_kind kind_pool = {
	.name = "pool", .of_device = true, .matches = pool_matches, .make = pool_make,
	.undo = pool_undo,
};
