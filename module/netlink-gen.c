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
const struct nla_policy vpn_address_nl_policy[VPN_A_ADDRESS_PREFIX_LEN + 1] = {
	[VPN_A_ADDRESS_IPADDR] = NLA_POLICY_MAX_LEN(16),
	[VPN_A_ADDRESS_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
};

const struct nla_policy vpn_allowedip_nl_policy[VPN_A_ALLOWEDIP_FLAGS + 1] = {
	[VPN_A_ALLOWEDIP_FAMILY] = { .type = NLA_U16, },
	[VPN_A_ALLOWEDIP_IPADDR] = NLA_POLICY_MAX_LEN(16),
	[VPN_A_ALLOWEDIP_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[VPN_A_ALLOWEDIP_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x1),
};

const struct nla_policy vpn_lease_set_input_nl_policy[VPN_A_LEASE_EXPIRES + 1] = {
	[VPN_A_LEASE_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(VPN_KEY_LEN),
	[VPN_A_LEASE_ADDRESS] = NLA_POLICY_NESTED(vpn_address_nl_policy),
	[VPN_A_LEASE_EXPIRES] = { .type = NLA_U64, },
};

const struct nla_policy vpn_list_nl_policy[VPN_A_LIST_ADDRESS + 1] = {
	[VPN_A_LIST_ADDRESS] = NLA_POLICY_NESTED(vpn_address_nl_policy),
};

const struct nla_policy vpn_peer_set_input_nl_policy[VPN_A_PEER_PUSH_ROUTES + 1] = {
	[VPN_A_PEER_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(VPN_KEY_LEN),
	[VPN_A_PEER_PRESHARED_KEY] = NLA_POLICY_EXACT_LEN(VPN_KEY_LEN),
	[VPN_A_PEER_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0xf),
	[VPN_A_PEER_NAME] = { .type = NLA_NUL_STRING, .len = VPN_NAME_MAX, },
	[VPN_A_PEER_ENDPOINT_IPV4] = { .type = NLA_BE32, },
	[VPN_A_PEER_ENDPOINT_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[VPN_A_PEER_ENDPOINT_PORT] = { .type = NLA_BE16, },
	[VPN_A_PEER_ENDPOINT_SCOPE_ID] = { .type = NLA_U32, },
	[VPN_A_PEER_PERSISTENT_KEEPALIVE] = { .type = NLA_U16, },
	[VPN_A_PEER_ALLOWEDIPS] = NLA_POLICY_NESTED(vpn_allowedip_nl_policy),
	[VPN_A_PEER_ADDRESS_MODE] = NLA_POLICY_MAX(NLA_U32, 3),
	[VPN_A_PEER_ADDRESS] = NLA_POLICY_NESTED(vpn_address_nl_policy),
	[VPN_A_PEER_CIPHER] = NLA_POLICY_MAX(NLA_U32, 2),
	[VPN_A_PEER_CREDENTIAL_KIND] = NLA_POLICY_RANGE(NLA_U32, 1, 2),
	[VPN_A_PEER_CREDENTIAL] = NLA_POLICY_MAX_LEN(VPN_CREDENTIAL_MAX),
	[VPN_A_PEER_EXPIRES] = { .type = NLA_U64, },
	[VPN_A_PEER_PUSH_ROUTES] = NLA_POLICY_NESTED(vpn_list_nl_policy),
};

const struct nla_policy vpn_pool_set_input_nl_policy[VPN_A_POOL_LEASE_TIME + 1] = {
	[VPN_A_POOL_PREFIX] = NLA_POLICY_NESTED(vpn_address_nl_policy),
	[VPN_A_POOL_RESERVED] = NLA_POLICY_NESTED(vpn_range_nl_policy),
	[VPN_A_POOL_LEASE_TIME] = { .type = NLA_U32, },
};

const struct nla_policy vpn_range_nl_policy[VPN_A_RANGE_LAST + 1] = {
	[VPN_A_RANGE_FIRST] = NLA_POLICY_MAX_LEN(16),
	[VPN_A_RANGE_LAST] = NLA_POLICY_MAX_LEN(16),
};

const struct nla_policy vpn_reject_input_nl_policy[VPN_A_REFUSAL_TEXT + 1] = {
	[VPN_A_REFUSAL_REASON] = NLA_POLICY_RANGE(NLA_U32, 1, 9),
	[VPN_A_REFUSAL_TEXT] = { .type = NLA_NUL_STRING, .len = VPN_REASON_TEXT_MAX, },
};

/* VPN_CMD_DEVICE_GET - dump */
static const struct nla_policy vpn_device_get_nl_policy[VPN_A_DEVICE_IFNAME + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* VPN_CMD_DEVICE_SET - do */
static const struct nla_policy vpn_device_set_nl_policy[VPN_A_DEVICE_PUSH_KEEPALIVE + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[VPN_A_DEVICE_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x1),
	[VPN_A_DEVICE_PRIVATE_KEY] = NLA_POLICY_EXACT_LEN(VPN_KEY_LEN),
	[VPN_A_DEVICE_LISTEN_PORT] = { .type = NLA_U16, },
	[VPN_A_DEVICE_FWMARK] = { .type = NLA_U32, },
	[VPN_A_DEVICE_PEERS] = NLA_POLICY_NESTED(vpn_peer_set_input_nl_policy),
	[VPN_A_DEVICE_HOST_NAME] = { .type = NLA_NUL_STRING, .len = VPN_HOST_NAME_MAX, },
	[VPN_A_DEVICE_MAX_PEERS] = { .type = NLA_U32, },
	[VPN_A_DEVICE_PUSH_DNS] = NLA_POLICY_NESTED(vpn_list_nl_policy),
	[VPN_A_DEVICE_PUSH_ROUTES] = NLA_POLICY_NESTED(vpn_list_nl_policy),
	[VPN_A_DEVICE_PUSH_MTU] = { .type = NLA_U16, },
	[VPN_A_DEVICE_PUSH_KEEPALIVE] = { .type = NLA_U16, },
};

/* VPN_CMD_POOL_ADD - do */
static const struct nla_policy vpn_pool_add_nl_policy[VPN_A_DEVICE_POOL + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[VPN_A_DEVICE_POOL] = NLA_POLICY_NESTED(vpn_pool_set_input_nl_policy),
};

/* VPN_CMD_POOL_DEL - do */
static const struct nla_policy vpn_pool_del_nl_policy[VPN_A_DEVICE_FORCE + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[VPN_A_DEVICE_POOL] = NLA_POLICY_NESTED(vpn_pool_set_input_nl_policy),
	[VPN_A_DEVICE_FORCE] = { .type = NLA_FLAG, },
};

/* VPN_CMD_POOL_GET - dump */
static const struct nla_policy vpn_pool_get_nl_policy[VPN_A_DEVICE_IFNAME + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* VPN_CMD_LEASE_GET - dump */
static const struct nla_policy vpn_lease_get_nl_policy[VPN_A_DEVICE_IFNAME + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* VPN_CMD_LEASE_RELEASE - do */
static const struct nla_policy vpn_lease_release_nl_policy[VPN_A_DEVICE_LEASE + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[VPN_A_DEVICE_LEASE] = NLA_POLICY_NESTED(vpn_lease_set_input_nl_policy),
};

/* VPN_CMD_LEASE_RESTORE - do */
static const struct nla_policy vpn_lease_restore_nl_policy[VPN_A_DEVICE_LEASE + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[VPN_A_DEVICE_LEASE] = NLA_POLICY_NESTED(vpn_lease_set_input_nl_policy),
};

/* VPN_CMD_PEER_REJECT - do */
static const struct nla_policy vpn_peer_reject_nl_policy[VPN_A_DEVICE_PEER_KEY + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[VPN_A_DEVICE_PEER_KEY] = NLA_POLICY_EXACT_LEN(VPN_KEY_LEN),
	[VPN_A_DEVICE_REJECT] = NLA_POLICY_NESTED(vpn_reject_input_nl_policy),
};

/* VPN_CMD_PEER_PING - do */
static const struct nla_policy vpn_peer_ping_nl_policy[VPN_A_DEVICE_PEER_KEY + 1] = {
	[VPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[VPN_A_DEVICE_PEER_KEY] = NLA_POLICY_EXACT_LEN(VPN_KEY_LEN),
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
		.maxattr	= VPN_A_DEVICE_PUSH_KEEPALIVE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VPN_CMD_POOL_ADD,
		.pre_doit	= vpn_nl_pre_doit,
		.doit		= vpn_nl_pool_add_doit,
		.post_doit	= vpn_nl_post_doit,
		.policy		= vpn_pool_add_nl_policy,
		.maxattr	= VPN_A_DEVICE_POOL,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VPN_CMD_POOL_DEL,
		.pre_doit	= vpn_nl_pre_doit,
		.doit		= vpn_nl_pool_del_doit,
		.post_doit	= vpn_nl_post_doit,
		.policy		= vpn_pool_del_nl_policy,
		.maxattr	= VPN_A_DEVICE_FORCE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VPN_CMD_POOL_GET,
		.start		= vpn_nl_pool_get_start,
		.dumpit		= vpn_nl_pool_get_dumpit,
		.done		= vpn_nl_pool_get_done,
		.policy		= vpn_pool_get_nl_policy,
		.maxattr	= VPN_A_DEVICE_IFNAME,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VPN_CMD_LEASE_GET,
		.start		= vpn_nl_lease_get_start,
		.dumpit		= vpn_nl_lease_get_dumpit,
		.done		= vpn_nl_lease_get_done,
		.policy		= vpn_lease_get_nl_policy,
		.maxattr	= VPN_A_DEVICE_IFNAME,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VPN_CMD_LEASE_RELEASE,
		.pre_doit	= vpn_nl_pre_doit,
		.doit		= vpn_nl_lease_release_doit,
		.post_doit	= vpn_nl_post_doit,
		.policy		= vpn_lease_release_nl_policy,
		.maxattr	= VPN_A_DEVICE_LEASE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VPN_CMD_LEASE_RESTORE,
		.pre_doit	= vpn_nl_pre_doit,
		.doit		= vpn_nl_lease_restore_doit,
		.post_doit	= vpn_nl_post_doit,
		.policy		= vpn_lease_restore_nl_policy,
		.maxattr	= VPN_A_DEVICE_LEASE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VPN_CMD_PEER_REJECT,
		.pre_doit	= vpn_nl_pre_doit,
		.doit		= vpn_nl_peer_reject_doit,
		.post_doit	= vpn_nl_post_doit,
		.policy		= vpn_peer_reject_nl_policy,
		.maxattr	= VPN_A_DEVICE_PEER_KEY,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VPN_CMD_PEER_PING,
		.pre_doit	= vpn_nl_pre_doit,
		.doit		= vpn_nl_peer_ping_doit,
		.post_doit	= vpn_nl_post_doit,
		.policy		= vpn_peer_ping_nl_policy,
		.maxattr	= VPN_A_DEVICE_PEER_KEY,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group vpn_nl_mcgrps[] = {
	[VPN_NLGRP_EVENTS] = { "events", },
	[VPN_NLGRP_AUTH] = { "auth", },
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
