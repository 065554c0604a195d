// SPDX-License-Identifier: GPL-2.0
/*
 * Control messages within a session of version 1.
 */
#include <net/genetlink.h>

#include "netlink-gen.h"

int vpn_nl_peer_ping_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}
