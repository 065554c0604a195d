/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_NETLINK_H
#define VPN_NETLINK_H

#include <linux/netdevice.h>
#include <linux/netlink.h>

struct vpn_peer;

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
