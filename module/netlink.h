/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_NETLINK_H
#define VPN_NETLINK_H

#include <linux/netdevice.h>
#include <linux/netlink.h>

#include "prefix.h"

struct genl_info;
struct vpn_peer;

/* Refuse an attribute, in words. */
#define refuse(extack, attr, words) ({					\
	NL_SET_ERR_MSG_ATTR(extack, attr, words);			\
	-EINVAL;							\
})

/* Refuse what lacks an attribute, in words. */
#define refuse_without(extack, nest, type, words) ({			\
	struct netlink_ext_ack *_extack = (extack);			\
									\
	NL_SET_ERR_MSG(_extack, words);					\
	NL_SET_ERR_ATTR_MISS(_extack, nest, type);			\
	-EINVAL;							\
})

int vpn_netlink_init(void);
void vpn_netlink_uninit(void);

/**
 * vpn_netlink_hold_device() - find the device that a request names
 * @net: the requester's namespace
 * @attrs: the request's attributes
 * @tracker: of the reference that the device is returned with
 * @extack: says why there is none
 *
 * Context: process.
 * Return: a device of this driver, or ERR_PTR(): -EINVAL without a name,
 * -ENODEV, -EOPNOTSUPP for a device of another kind.
 */
struct net_device *vpn_netlink_hold_device(struct net *net,
					   struct nlattr **attrs,
					   netdevice_tracker *tracker,
					   struct netlink_ext_ack *extack);

/**
 * vpn_netlink_still_there() - tell whether a device is still where it was found
 * @dev: a device that the caller holds
 * @net: the namespace
 *
 * Context: any.
 * Return: whether it is; with RTNL held, that stays so.
 */
bool vpn_netlink_still_there(const struct net_device *dev,
			     const struct net *net);

/**
 * vpn_netlink_device() - tell which device a command is about
 * @info: of a command for which vpn_nl_pre_doit() ran
 *
 * Return: the device, held until the command is done.
 */
struct net_device *vpn_netlink_device(struct genl_info *info);

/**
 * vpn_netlink_read_address() - read a nest of address attributes
 * @prefix: filled; octets that the address does not have are zero
 * @attr: the nest
 * @extack: says what is wrong with it
 *
 * Context: process.
 * Return: 0 or a negative error.
 */
int vpn_netlink_read_address(struct vpn_prefix *prefix,
			     const struct nlattr *attr,
			     struct netlink_ext_ack *extack);

/**
 * vpn_netlink_put_address() - append a nest of address attributes
 * @skb: message
 * @type: of the nest
 * @prefix: the address, and the length of its prefix
 *
 * Return: 0 or -EMSGSIZE.
 */
int vpn_netlink_put_address(struct sk_buff *skb, int type,
			    const struct vpn_prefix *prefix);

/**
 * vpn_netlink_put_peer() - append what a peer is and does, without its secrets
 * @skb: message, within a nest of peer attributes
 * @peer: the peer
 *
 * The public key, the endpoint, the keepalive interval, and the counters; not
 * the name, which takes a lock to read.
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE.
 */
int vpn_netlink_put_peer(struct sk_buff *skb, struct vpn_peer *peer);

#endif
