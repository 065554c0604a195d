// SPDX-License-Identifier: GPL-2.0
/*
 * Multicast notifications. What happened is said once, to the namespace that
 * the device is in at that moment; listeners learn what it led to by reading
 * the device.
 */
#include <linux/netdevice.h>
#include <net/genetlink.h>

#include "device.h"
#include "event.h"
#include "lease.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "peer.h"

/* What every message has, and the most that any of them adds. */
#define HEAD_SIZE	(nla_total_size(sizeof(u32)) + /* ifindex */	\
			 nla_total_size(IFNAMSIZ))
#define PEER_SIZE	(nla_total_size(0) +				\
			 nla_total_size(VPN_KEY_LEN) +			\
			 nla_total_size(VPN_NAME_MAX + 1) +		\
			 nla_total_size(sizeof(struct in6_addr)) +	\
			 nla_total_size(sizeof(__be16)) + /* port */	\
			 nla_total_size(sizeof(u32)) +	/* scope */	\
			 nla_total_size(sizeof(u16)) +	/* keepalive */	\
			 nla_total_size(sizeof(u32)) +	/* version */	\
			 3 * nla_total_size(sizeof(u64)))
#define DEVICE_SIZE	(nla_total_size(sizeof(u16)) +	/* port */	\
			 nla_total_size(sizeof(u32)) +	/* fwmark */	\
			 nla_total_size(sizeof(u32)))	/* peer count */
#define LEASE_SIZE	(nla_total_size(0) +				\
			 nla_total_size(VPN_KEY_LEN) +			\
			 nla_total_size(0) +	/* address */		\
			 nla_total_size(VPN_IP_MAX) +			\
			 nla_total_size(sizeof(u8)) + /* prefix */	\
			 nla_total_size(sizeof(u64)) + /* end */	\
			 nla_total_size(0) +	/* bound */		\
			 nla_total_size(VPN_NAME_MAX + 1))

/**
 * struct event - a message that is being written
 * @net: where it goes
 * @skb: the message
 * @hdr: its generic netlink header
 * @gfp: how to allocate
 */
struct event {
	struct net *net;
	struct sk_buff *skb;
	void *hdr;
	gfp_t gfp;
};

/* Whether there is anybody to tell; then @event is ready to be written to. */
static bool begin(struct event *event, struct vpn_device *vpn, u8 cmd,
		  size_t size, gfp_t gfp)
{
	event->net = dev_net(vpn->dev);
	event->gfp = gfp;
	/* Nor is there anybody to know of a device that is being made. */
	if (vpn->dev->reg_state == NETREG_UNINITIALIZED)
		return false;
	if (!genl_has_listeners(&vpn_nl_family, event->net, VPN_NLGRP_EVENTS))
		return false;

	event->skb = genlmsg_new(HEAD_SIZE + size, gfp);
	if (!event->skb)
		goto lost;
	event->hdr = genlmsg_put(event->skb, 0, 0, &vpn_nl_family, 0, cmd);
	if (!event->hdr ||
	    nla_put_u32(event->skb, VPN_A_DEVICE_IFINDEX, vpn->dev->ifindex) ||
	    nla_put_string(event->skb, VPN_A_DEVICE_IFNAME, vpn->dev->name))
		goto lost;
	return true;

lost:
	/* Listeners must know that they have missed something. */
	nlmsg_free(event->skb);
	genl_set_err(&vpn_nl_family, event->net, 0, VPN_NLGRP_EVENTS, -ENOBUFS);
	return false;
}

static void finish(struct event *event, int err)
{
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(event->skb);
		return;
	}
	genlmsg_end(event->skb, event->hdr);
	genlmsg_multicast_netns(&vpn_nl_family, event->net, event->skb, 0,
				VPN_NLGRP_EVENTS, event->gfp);
}

static int put_peer(struct sk_buff *skb, struct vpn_peer *peer, const char *name)
{
	struct nlattr *nest;

	nest = nla_nest_start(skb, VPN_A_DEVICE_PEERS);
	if (!nest || vpn_netlink_put_peer(skb, peer) ||
	    (name && nla_put_string(skb, VPN_A_PEER_NAME, name)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Administrators hold the device's lock, which keeps the name. */
static void admin_event(struct vpn_peer *peer, u8 cmd)
{
	struct event event;

	lockdep_assert_held(&peer->vpn->lock);
	if (begin(&event, peer->vpn, cmd, PEER_SIZE, GFP_KERNEL))
		finish(&event, put_peer(event.skb, peer, peer->name));
}

/* RCU keeps the namespace, should the device move to another. */
static void traffic_event(struct vpn_peer *peer, u8 cmd)
{
	struct event event;

	rcu_read_lock();
	if (begin(&event, peer->vpn, cmd, PEER_SIZE, GFP_ATOMIC))
		finish(&event, put_peer(event.skb, peer, NULL));
	rcu_read_unlock();
}

void vpn_event_peer_added(struct vpn_peer *peer)
{
	admin_event(peer, VPN_CMD_PEER_ADDED_NTF);
}

void vpn_event_peer_changed(struct vpn_peer *peer)
{
	admin_event(peer, VPN_CMD_PEER_CHANGED_NTF);
}

void vpn_event_peer_removed(struct vpn_peer *peer)
{
	admin_event(peer, VPN_CMD_PEER_REMOVED_NTF);
}

void vpn_event_handshake_done(struct vpn_peer *peer)
{
	traffic_event(peer, VPN_CMD_HANDSHAKE_DONE_NTF);
}

void vpn_event_endpoint_moved(struct vpn_peer *peer)
{
	traffic_event(peer, VPN_CMD_ENDPOINT_MOVED_NTF);
}

void vpn_event_session_expired(struct vpn_peer *peer)
{
	traffic_event(peer, VPN_CMD_SESSION_EXPIRED_NTF);
}

void vpn_event_device_changed(struct vpn_device *vpn)
{
	struct event event;
	int err;

	lockdep_assert_held(&vpn->lock);
	if (!begin(&event, vpn, VPN_CMD_DEVICE_CHANGED_NTF, DEVICE_SIZE,
		   GFP_KERNEL))
		return;
	err = nla_put_u16(event.skb, VPN_A_DEVICE_LISTEN_PORT, vpn->listen_port);
	if (!err)
		err = nla_put_u32(event.skb, VPN_A_DEVICE_FWMARK, vpn->fwmark);
	if (!err)
		err = nla_put_u32(event.skb, VPN_A_DEVICE_PEER_COUNT,
				  vpn->peer_count);
	finish(&event, err);
}

static void lease_event(struct vpn_device *vpn,
			const struct vpn_lease_info *info, u8 cmd, gfp_t gfp)
{
	struct event event;

	if (begin(&event, vpn, cmd, LEASE_SIZE, gfp))
		finish(&event, vpn_lease_put_info(event.skb, VPN_A_DEVICE_LEASE,
						  info));
}

void vpn_event_lease_added(struct vpn_device *vpn,
			   const struct vpn_lease_info *info)
{
	lockdep_assert_held(&vpn->lock);
	lease_event(vpn, info, VPN_CMD_LEASE_ADDED_NTF, GFP_KERNEL);
}

void vpn_event_lease_removed(struct vpn_device *vpn,
			     const struct vpn_lease_info *info)
{
	lockdep_assert_held(&vpn->lock);
	lease_event(vpn, info, VPN_CMD_LEASE_REMOVED_NTF, GFP_KERNEL);
}

void vpn_event_lease_renewed(struct vpn_device *vpn,
			     const struct vpn_lease_info *info)
{
	rcu_read_lock();
	lease_event(vpn, info, VPN_CMD_LEASE_ADDED_NTF, GFP_ATOMIC);
	rcu_read_unlock();
}
