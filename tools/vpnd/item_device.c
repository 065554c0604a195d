// SPDX-License-Identifier: GPL-2.0
/* The device itself, whether it is up, its MTU and its addresses. */
#include <errno.h>
#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "../libvpn/link.h"
#include "item.h"
#include "leases.h"

static bool device_matches(struct world *w, const struct item *item)
{
	(void)item;
	return world_ifindex(w);
}

static int device_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	(void)w;
	return vpn_link_add(item->key, err);
}

/*
 * What clients were told until now is on disk before the device goes, whoever removes it:
 * first it gives nobody an address any more. One that never was up may have been without
 * the leases that are on disk.
 */
static void save_leases(struct world *w)
{
	struct vpn_error err;
	bool up;

	if (!leases_are_kept())
		return;
	up = world_is_up(w);
	if (up)
		vpn_rtnl_set_up(&w->rtnl, world_ifindex(w), false, &err);
	leases_save_all(w->ifname, up);
}

static int device_undo(struct world *w, const struct item *item, const json_t *before,
		       struct vpn_error *err)
{
	int ret;

	(void)before;
	save_leases(w);
	ret = vpn_link_del(item->key, err);
	return ret == -ENODEV || ret == -EOPNOTSUPP ? 0 : ret;
}

const struct item_kind kind_device = {
	.name = "device", .matches = device_matches, .make = device_make, .undo = device_undo,
};

static bool up_matches(struct world *w, const struct item *item)
{
	(void)item;
	return world_is_up(w);
}

static int up_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	(void)item;
	return vpn_rtnl_set_up(&w->rtnl, world_ifindex(w), true, err);
}

static int up_undo(struct world *w, const struct item *item, const json_t *before,
		   struct vpn_error *err)
{
	uint32_t ifindex = world_ifindex(w);

	(void)item;
	(void)before;
	return ifindex ? vpn_rtnl_set_up(&w->rtnl, ifindex, false, err) : 0;
}

const struct item_kind kind_up = {
	.name = "up", .of_device = true, .matches = up_matches, .make = up_make, .undo = up_undo,
};

static bool mtu_matches(struct world *w, const struct item *item)
{
	struct vpn_error err;
	uint32_t mtu;

	return !vpn_rtnl_get_mtu(&w->rtnl, world_ifindex(w), &mtu, &err) &&
	       mtu == item_number(item, "mtu");
}

static json_t *mtu_before(struct world *w, const struct item *item)
{
	struct vpn_error err;
	uint32_t mtu;

	(void)item;
	if (vpn_rtnl_get_mtu(&w->rtnl, world_ifindex(w), &mtu, &err))
		return NULL;
	return json_integer(mtu);
}

static int mtu_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	return vpn_rtnl_set_mtu(&w->rtnl, world_ifindex(w), item_number(item, "mtu"), err);
}

static int mtu_undo(struct world *w, const struct item *item, const json_t *before,
		    struct vpn_error *err)
{
	uint32_t ifindex = world_ifindex(w);

	if (!ifindex || !before || !mtu_matches(w, item))
		return 0;
	return vpn_rtnl_set_mtu(&w->rtnl, ifindex, json_integer_value(before), err);
}

static void mtu_describe(const struct world *w, const struct item *item, const char *sign, FILE *to)
{
	fprintf(to, "%s mtu %lld of %s\n", sign, (long long)item_number(item, "mtu"), w->ifname);
}

const struct item_kind kind_mtu = {
	.name = "mtu", .of_device = true, .matches = mtu_matches, .before = mtu_before,
	.make = mtu_make, .undo = mtu_undo, .describe = mtu_describe,
};

static bool address_matches(struct world *w, const struct item *item)
{
	struct vpn_rtnl_entries entries;
	struct vpn_address address;
	struct vpn_error err;
	bool found = false;
	unsigned int i;

	if (!vpn_address_parse(&address, item->key) ||
	    vpn_rtnl_addresses(&w->rtnl, world_ifindex(w), &entries, &err))
		return false;
	for (i = 0; i < entries.count; i++)
		found |= !vpn_address_compare(&entries.list[i].address, &address);
	vpn_rtnl_free(&entries);
	return found;
}

static int address_change(struct world *w, const struct item *item, bool add,
			  struct vpn_error *err)
{
	bool alone = json_is_true(json_object_get(item->value, "alone"));
	struct vpn_address address;

	vpn_address_parse(&address, item->key);
	return vpn_rtnl_change_address(&w->rtnl, world_ifindex(w), &address,
				       alone ? IFA_F_NOPREFIXROUTE : 0, add, err);
}

static int address_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	return address_change(w, item, true, err);
}

static int address_undo(struct world *w, const struct item *item, const json_t *before,
			struct vpn_error *err)
{
	(void)before;
	return address_matches(w, item) ? address_change(w, item, false, err) : 0;
}

static void address_describe(const struct world *w, const struct item *item, const char *sign,
			     FILE *to)
{
	fprintf(to, "%s address %s of %s\n", sign, item->key, w->ifname);
}

const struct item_kind kind_address = {
	.name = "address", .of_device = true, .matches = address_matches, .make = address_make,
	.undo = address_undo, .describe = address_describe,
};
