/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/vpn.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#ifndef _LINUX_VPN_GEN_H
#define _LINUX_VPN_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/vpn.h>

/* Common nested types */
extern const struct nla_policy vpn_address_nl_policy[VPN_A_ADDRESS_PREFIX_LEN + 1];
extern const struct nla_policy vpn_allowedip_nl_policy[VPN_A_ALLOWEDIP_FLAGS + 1];
extern const struct nla_policy vpn_lease_set_input_nl_policy[VPN_A_LEASE_EXPIRES + 1];
extern const struct nla_policy vpn_list_nl_policy[VPN_A_LIST_ADDRESS + 1];
extern const struct nla_policy vpn_peer_set_input_nl_policy[VPN_A_PEER_PUSH_ROUTES + 1];
extern const struct nla_policy vpn_pool_set_input_nl_policy[VPN_A_POOL_LEASE_TIME + 1];
extern const struct nla_policy vpn_range_nl_policy[VPN_A_RANGE_LAST + 1];
extern const struct nla_policy vpn_reject_input_nl_policy[VPN_A_REFUSAL_TEXT + 1];

int vpn_nl_pre_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
		    struct genl_info *info);
void
vpn_nl_post_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
		 struct genl_info *info);
int vpn_nl_device_get_start(struct netlink_callback *cb);
int vpn_nl_pool_get_start(struct netlink_callback *cb);
int vpn_nl_lease_get_start(struct netlink_callback *cb);
int vpn_nl_device_get_done(struct netlink_callback *cb);
int vpn_nl_pool_get_done(struct netlink_callback *cb);
int vpn_nl_lease_get_done(struct netlink_callback *cb);

int vpn_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vpn_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info);
int vpn_nl_pool_add_doit(struct sk_buff *skb, struct genl_info *info);
int vpn_nl_pool_del_doit(struct sk_buff *skb, struct genl_info *info);
int vpn_nl_pool_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vpn_nl_lease_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vpn_nl_lease_release_doit(struct sk_buff *skb, struct genl_info *info);
int vpn_nl_lease_restore_doit(struct sk_buff *skb, struct genl_info *info);
int vpn_nl_peer_reject_doit(struct sk_buff *skb, struct genl_info *info);
int vpn_nl_peer_ping_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	VPN_NLGRP_EVENTS,
	VPN_NLGRP_AUTH,
};

extern struct genl_family vpn_nl_family;

#endif /* _LINUX_VPN_GEN_H */
