/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_TX_H
#define VPN_TX_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

struct vpn_peer;

int vpn_tx_init(void);
void vpn_tx_uninit(void);

/**
 * vpn_tx_list() - send packets that have waited for one another
 * @list: from vpn_tx_xmit(), emptied
 *
 * Context: bottom halves disabled, RCU.
 */
void vpn_tx_list(struct sk_buff_head *list);

/* The peer that a packet of such a list is for. */
struct vpn_peer *vpn_tx_peer(const struct sk_buff *skb);

netdev_tx_t vpn_tx_xmit(struct sk_buff *skb, struct net_device *dev);

/**
 * vpn_tx_staged() - send what waited for a key
 * @peer: the peer
 *
 * Asks for a handshake when there is still no usable key.
 * Context: process or softirq.
 */
void vpn_tx_staged(struct vpn_peer *peer);

/**
 * vpn_tx_keepalive() - send what waited for a key, or an empty message
 * @peer: the peer
 *
 * Context: process or softirq.
 */
void vpn_tx_keepalive(struct vpn_peer *peer);
void vpn_tx_purge_staged(struct vpn_peer *peer);

/**
 * vpn_tx_control() - send a control message
 * @peer: the peer, held or seen under RCU
 * @tlvs: the message, padded with zeros on the way
 * @len: octets of it
 *
 * Context: process or softirq.
 * Return: 0; -ENOTCONN without a session of version 1 in use; -ENOMEM; or -EIO
 * when the message could not be sealed or sent.
 */
int vpn_tx_control(struct vpn_peer *peer, const u8 *tlvs, size_t len);

#endif
