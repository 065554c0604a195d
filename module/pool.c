// SPDX-License-Identifier: GPL-2.0
/*
 * Address pools and leases, and the netlink commands about them.
 */
#include <net/genetlink.h>

#include "netlink-gen.h"

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
