// SPDX-License-Identifier: GPL-2.0
/*
 * Control messages within a session of version 1.
 */
#include <net/genetlink.h>

#include "control.h"
#include "netlink-gen.h"

void vpn_control_receive(struct vpn_peer *peer, struct vpn_keypair *keypair,
			 const u8 *tlvs, size_t len)
{
}

int vpn_nl_peer_ping_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}
