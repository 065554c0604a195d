// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/vpn.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/vpn.h>

/* Common nested types */
const struct nla_policy vpn_allowedip_nl_policy[VPN_A_ALLOWEDIP_FLAGS + 1] = {
	[VPN_A_ALLOWEDIP_FAMILY] = { .type = NLA_U16, },
	[VPN_A_ALLOWEDIP_IPADDR] = NLA_POLICY_MAX_LEN(16),
	[VPN_A_ALLOWEDIP_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[VPN_A_ALLOWEDIP_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x1),
};

const struct nla_policy vpn_peer_set_input_nl_policy[VPN_A_PEER_ALLOWEDIPS + 1] = {
	[VPN_A_PEER_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(VPN_KEY_LEN),
	[VPN_A_PEER_PRESHARED_KEY] = NLA_POLICY_EXACT_LEN(VPN_KEY_LEN),
	[VPN_A_PEER_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x7),
	[VPN_A_PEER_NAME] = { .type = NLA_NUL_STRING, .len = VPN_NAME_MAX, },
	[VPN_A_PEER_ENDPOINT_IPV4] = { .type = NLA_BE32, },
	[VPN_A_PEER_ENDPOINT_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[VPN_A_PEER_ENDPOINT_PORT] = { .type = NLA_BE16, },
	[VPN_A_PEER_ENDPOINT_SCOPE_ID] = { .type = NLA_U32, },
	[VPN_A_PEER_PERSISTENT_KEEPALIVE] = { .type = NLA_U16, },
	[VPN_A_PEER_ALLOWEDIPS] = NLA_POLICY_NESTED(vpn_allowedip_nl_policy),
};

/* VPN_CMD_DEVICE_GET - dump */
static const struct nla_policy vpn_device_get_nl_policy[VPN_A_DEVICE_IFNAME + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* VPN_CMD_DEVICE_SET - do */
static const struct nla_policy vpn_device_set_nl_policy[VPN_A_DEVICE_PEERS + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[VPN_A_DEVICE_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x1),
	[VPN_A_DEVICE_PRIVATE_KEY] = NLA_POLICY_EXACT_LEN(VPN_KEY_LEN),
	[VPN_A_DEVICE_LISTEN_PORT] = { .type = NLA_U16, },
	[VPN_A_DEVICE_FWMARK] = { .type = NLA_U32, },
	[VPN_A_DEVICE_PEERS] = NLA_POLICY_NESTED(vpn_peer_set_input_nl_policy),
};

/* Ops table for vpn */
static const struct genl_split_ops vpn_nl_ops[] = {
	{
		.cmd		= VPN_CMD_DEVICE_GET,
		.start		= vpn_nl_device_get_start,
		.dumpit		= vpn_nl_device_get_dumpit,
		.done		= vpn_nl_device_get_done,
		.policy		= vpn_device_get_nl_policy,
		.maxattr	= VPN_A_DEVICE_IFNAME,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VPN_CMD_DEVICE_SET,
		.pre_doit	= vpn_nl_pre_doit,
		.doit		= vpn_nl_device_set_doit,
		.post_doit	= vpn_nl_post_doit,
		.policy		= vpn_device_set_nl_policy,
		.maxattr	= VPN_A_DEVICE_PEERS,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group vpn_nl_mcgrps[] = {
	[VPN_NLGRP_EVENTS] = { "events", },
};

struct genl_family vpn_nl_family __ro_after_init = {
	.name		= VPN_FAMILY_NAME,
	.version	= VPN_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= vpn_nl_ops,
	.n_split_ops	= ARRAY_SIZE(vpn_nl_ops),
	.mcgrps		= vpn_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(vpn_nl_mcgrps),
};
