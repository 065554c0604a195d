/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory in which packets are built. A CPU fills one block of pages after the
 * other and comes back to the first: one that nobody else uses any more is
 * filled again, which saves allocating it, and zeroing it where the kernel does.
 */
#ifndef VPN_PAGES_H
#define VPN_PAGES_H

#include <linux/mm_types.h>
#include <linux/skbuff.h>
#include <linux/types.h>

int vpn_pages_init(void);
void vpn_pages_uninit(void);

/**
 * vpn_pages_cut() - memory for packets of one length, one behind the other
 * @front: octets in front of the first
 * @len: octets of each
 * @count: how many are wanted, at least one; how many there are room for
 *
 * Context: bottom halves disabled.
 * Return: contiguous memory, of which the head page has been given a reference
 * for the caller; or NULL.
 */
void *vpn_pages_cut(unsigned int front, unsigned int len, unsigned int *count);

/**
 * vpn_pages_skb() - an empty skb in such memory
 * @headroom: octets in front of the data
 * @room: octets behind that
 *
 * Context: bottom halves disabled.
 * Return: the skb or NULL.
 */
struct sk_buff *vpn_pages_skb(unsigned int headroom, unsigned int room);

#endif
