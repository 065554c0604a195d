/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where initiations wait that can't be answered at once: of strangers, until
 * userspace has decided about them, and of peers that have to be given a lease.
 */
#ifndef VPN_LOBBY_H
#define VPN_LOBBY_H

#include <linux/list.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "messages.h"
#include "tlv.h"

struct vpn_device;
struct vpn_peer;

#define VPN_LOBBY_MAX		256		/* messages that wait, a device */
#define VPN_LOBBY_BYTES_MAX	(512 << 10)	/* and their memory */
#define VPN_LOBBY_SOURCE_MAX	16		/* of one IPv4 address or IPv6 /64 */
#define VPN_LOBBY_SECONDS	10

/**
 * struct vpn_lobby - messages that wait
 * @lock: protects @guests, @count and @bytes
 * @guests: oldest first
 * @count: length of @guests
 * @bytes: their memory
 * @timer: sends away who has waited long enough
 * @lease_work: gives leases to those that wait for one
 * @vpn: the device
 */
struct vpn_lobby {
	spinlock_t lock;
	struct list_head guests;
	unsigned int count;
	unsigned int bytes;
	struct timer_list timer;
	struct work_struct lease_work;
	struct vpn_device *vpn;
};

void vpn_lobby_setup(struct vpn_device *vpn);

/**
 * vpn_lobby_close() - send everybody away, for good
 * @vpn: the device, whose handshake workers have ended
 *
 * Context: process, @vpn->lock not held.
 */
void vpn_lobby_close(struct vpn_device *vpn);

/* Send everybody away. Context: process. */
void vpn_lobby_clear(struct vpn_device *vpn);

/**
 * vpn_lobby_is_open() - tell whether anybody would decide about a stranger
 * @vpn: the device
 *
 * Context: any.
 * Return: whether somebody listens.
 */
bool vpn_lobby_is_open(struct vpn_device *vpn);

/**
 * vpn_lobby_enter() - let the initiation of a stranger wait, and ask about it
 * @vpn: the device
 * @skb: the message; a reference is taken
 * @public_key: which the stranger has proved
 * @kind: what it proposes
 * @request: what it says
 *
 * A message of the same key that waits already is replaced, without asking
 * again.
 *
 * Context: process.
 * Return: whether there was room.
 */
bool vpn_lobby_enter(struct vpn_device *vpn, struct sk_buff *skb,
		     const u8 public_key[VPN_KEY_LEN],
		     struct vpn_session_kind kind,
		     const struct vpn_request *request);

/**
 * vpn_lobby_park() - let the initiation of a peer wait for its lease
 * @peer: whose it is; handshake.lock held
 * @skb: the message; a reference is taken
 * @request: what it says
 *
 * Context: process.
 * Return: whether there was room.
 */
bool vpn_lobby_park(struct vpn_peer *peer, struct sk_buff *skb,
		    const struct vpn_request *request);

/**
 * vpn_lobby_admit() - answer a stranger that has become a peer
 * @peer: the peer, its device's lock held
 *
 * Context: process.
 */
void vpn_lobby_admit(struct vpn_peer *peer);

#endif
