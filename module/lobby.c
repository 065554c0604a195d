// SPDX-License-Identifier: GPL-2.0
/*
 * Strangers that wait to be let in.
 */
#include <net/genetlink.h>

#include "netlink-gen.h"

int vpn_nl_peer_reject_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}
