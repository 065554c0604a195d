/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Single packets that come right behind one another wait until the last of them,
 * so that they leave as a train. Nothing waits longer than until bottom halves
 * are enabled again on its CPU.
 */
#ifndef VPN_GATHER_H
#define VPN_GATHER_H

#include <linux/skbuff.h>
#include <linux/types.h>

struct vpn_device;

/**
 * struct vpn_gather - packets that wait on one CPU
 * @list: the packets; its lock is for a NAPI in a thread, and for removal
 * @run: the run of the network softirq in which a packet came last
 */
struct vpn_gather {
	struct sk_buff_head list;
	unsigned int run;
};

int vpn_gather_setup(struct vpn_device *vpn);
void vpn_gather_teardown(struct vpn_device *vpn);

/**
 * vpn_gather_add() - have a packet wait, if others follow it
 * @vpn: the device
 * @skb: the packet
 *
 * If it does not wait, nothing waits any more that came before it: it may leave.
 *
 * Context: bottom halves disabled.
 * Return: whether it waits, or has left with those before it.
 */
bool vpn_gather_add(struct vpn_device *vpn, struct sk_buff *skb);

/**
 * vpn_gather_flush() - send what waits
 * @vpn: the device
 * @gather: of a CPU, maybe another one
 *
 * Context: bottom halves disabled, RCU.
 */
void vpn_gather_flush(struct vpn_device *vpn, struct vpn_gather *gather);

/**
 * vpn_gather_drop() - drop what waits
 * @vpn: the device
 * @dead: only what is for peers that are removed
 *
 * Context: process; a grace period after any more of it can come.
 */
void vpn_gather_drop(struct vpn_device *vpn, bool dead);

#endif
