/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_RX_H
#define VPN_RX_H

struct sk_buff;
struct vpn_device;

int vpn_rx_setup(struct vpn_device *vpn);
void vpn_rx_enable(struct vpn_device *vpn);	/* the device came up */
void vpn_rx_disable(struct vpn_device *vpn);	/* it goes down; sleeps */
void vpn_rx_teardown(struct vpn_device *vpn);

/**
 * vpn_rx_schedule() - the socket has packets, or packets to send wait
 * @vpn: the device
 *
 * Context: softirq of the CPU that received them; bottom halves disabled.
 */
void vpn_rx_schedule(struct vpn_device *vpn);

/**
 * vpn_rx_direct() - receive a datagram at once, if it is alone
 * @vpn: the device
 * @skb: at its UDP header; used up, if it is received
 *
 * Context: softirq, or bottom halves disabled; RCU.
 * Return: whether it is received; otherwise it belongs into the socket's queue.
 */
bool vpn_rx_direct(struct vpn_device *vpn, struct sk_buff *skb);

/**
 * vpn_rx_requeue() - let a handshake message be consumed once more
 * @vpn: the device
 * @skb: the message, as it was received; its reference passes on
 *
 * Context: process.
 * Return: whether there was room for it.
 */
bool vpn_rx_requeue(struct vpn_device *vpn, struct sk_buff *skb);

#endif
