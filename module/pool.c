// SPDX-License-Identifier: GPL-2.0
/*
 * Address pools and leases, and the netlink commands about them.
 */
#include <net/genetlink.h>

#include "netlink-gen.h"
#include "pool.h"

int vpn_pools_setup(struct vpn_device *vpn)
{
	return 0;
}

void vpn_pools_free(struct vpn_device *vpn)
{
}

bool vpn_pools_any(const struct vpn_device *vpn)
{
	return false;
}

int vpn_lease_bind(struct vpn_peer *peer, const struct vpn_prefix *fixed,
		   unsigned int count, struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack, "the device has no address pool");
	return -ENOSPC;
}

void vpn_lease_unbind(struct vpn_peer *peer)
{
}

unsigned int vpn_lease_read(struct vpn_peer *peer,
			    struct vpn_prefix leases[VPN_LEASE_FAMILIES],
			    u32 *seconds)
{
	return 0;
}

void vpn_lease_renew(struct vpn_peer *peer)
{
}

int vpn_lease_put(struct sk_buff *skb, struct vpn_peer *peer)
{
	return 0;
}

const u8 *vpn_lease_holder(struct vpn_device *vpn,
			   const struct vpn_prefix *address)
{
	return NULL;
}

int vpn_lease_keep(struct vpn_peer *peer)
{
	return 0;
}

int __init vpn_pool_init(void)
{
	return 0;
}

void vpn_pool_uninit(void)
{
}

int vpn_nl_pool_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}

int vpn_nl_pool_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}

int vpn_nl_pool_get_start(struct netlink_callback *cb)
{
	return -EOPNOTSUPP;
}

int vpn_nl_pool_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return -EOPNOTSUPP;
}

int vpn_nl_pool_get_done(struct netlink_callback *cb)
{
	return 0;
}

int vpn_nl_lease_get_start(struct netlink_callback *cb)
{
	return -EOPNOTSUPP;
}

int vpn_nl_lease_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return -EOPNOTSUPP;
}

int vpn_nl_lease_get_done(struct netlink_callback *cb)
{
	return 0;
}

int vpn_nl_lease_release_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}

int vpn_nl_lease_restore_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}
