/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP segments, or UDP datagrams, of one flow that came in one batch, put
 * together right away. The stack's GRO would make the same of them, out of an
 * skb for each.
 */
#ifndef VPN_MERGE_H
#define VPN_MERGE_H

#include <linux/mm_types.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#define VPN_MERGE_WISHES	8

/**
 * struct vpn_merge_wish - a flow of datagrams whose receiver wants trains
 * @ports: of the flow
 * @daddr: its address, or the end of it
 * @since: jiffies at which GRO took one of its datagrams; zero for never
 */
struct vpn_merge_wish {
	__be32 ports;
	__be32 daddr;
	unsigned long since;
};

/**
 * struct vpn_merge - segments in the order in which they came
 * @napi: whose they are
 * @wishes: flows of datagrams that may be put together
 * @skb: the first of them and what was added; NULL for none
 * @last: what pages are added to: @skb, or the last in its frag_list
 * @tcp: else UDP
 * @headers: octets of IP and transport header
 * @transport: of these, the IP header
 * @mss: octets of payload of all but the last
 * @count: segments
 * @max: octets of @skb that must not be reached
 * @seq: of the TCP segment that comes next
 * @id_step: what IPv4's identification grows by from one to the next
 * @complete: the last one can't be followed by another
 */
struct vpn_merge {
	struct napi_struct *napi;
	struct vpn_merge_wish wishes[VPN_MERGE_WISHES];
	struct sk_buff *skb;
	struct sk_buff *last;
	unsigned int headers;
	unsigned int transport;
	unsigned int mss;
	unsigned int count;
	unsigned int max;
	u32 seq;
	u16 id_step;
	bool tcp;
	bool complete;
};

/**
 * vpn_merge_begin() - begin with a segment, if others can follow it
 * @merge: nothing is in it
 * @skb: an inner packet with its headers in front of a page; network header and
 *	protocol are set
 *
 * Return: whether it has taken @skb.
 */
bool vpn_merge_begin(struct vpn_merge *merge, struct sk_buff *skb);

/**
 * vpn_merge_add() - add a segment, if it is the one that follows
 * @merge: nothing may be in it
 * @data: an inner packet
 * @len: octets of it, at least an IP header's
 * @page: holds it, with a reference that goes to @merge
 *
 * The source address of what is added is that of the first.
 *
 * Context: softirq.
 * Return: whether it was added.
 */
bool vpn_merge_add(struct vpn_merge *merge, u8 *data, unsigned int len,
		   struct page *page);

/**
 * vpn_merge_end() - take out what was put together
 * @merge: nothing is in it afterwards
 *
 * Return: an skb, a GSO skb of TCP or UDP if there are several, or NULL.
 */
struct sk_buff *vpn_merge_end(struct vpn_merge *merge);

/**
 * vpn_merge_pass() - hand a packet to GRO, and note what that makes of it
 * @merge: for its @napi and @wishes
 * @skb: an inner packet, or what was put together
 *
 * Whether a flow's datagrams may be put together depends on the socket that
 * gets them, or on the device. GRO knows: one that it keeps may be followed.
 */
void vpn_merge_pass(struct vpn_merge *merge, struct sk_buff *skb);

#endif
