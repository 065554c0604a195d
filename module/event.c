// SPDX-License-Identifier: GPL-2.0
/*
 * Multicast notifications. What happened is said once, to the namespace that
 * the device is in at that moment; listeners learn what it led to by reading
 * the device.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/udp.h>
#include <net/genetlink.h>

#include "device.h"
#include "event.h"
#include "lease.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "peer.h"
#include "stats.h"
#include "tlv.h"

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

/* What the peer has said and been told, of which assignments are the most. */
#define ADDRESS_SIZE	(nla_total_size(0) + nla_total_size(VPN_IP_MAX) + \
			 nla_total_size(sizeof(u8)))
#define STATE_SIZE	((VPN_FAMILIES + VPN_ROUTES_MAX) * ADDRESS_SIZE + \
			 VPN_DNS_MAX * nla_total_size(VPN_IP_MAX) +	\
			 2 * nla_total_size(VPN_HOST_NAME_MAX + 1) +	\
			 nla_total_size(VPN_REASON_TEXT_MAX + 1) +	\
			 24 * nla_total_size(sizeof(u64)))
#define AUTH_SIZE	(nla_total_size(0) +				\
			 nla_total_size(VPN_KEY_LEN) +			\
			 nla_total_size(VPN_CREDENTIAL_MAX) +		\
			 2 * nla_total_size(VPN_HOST_NAME_MAX + 1) +	\
			 VPN_FAMILIES * ADDRESS_SIZE +			\
			 nla_total_size(VPN_IP_MAX) +			\
			 4 * nla_total_size(sizeof(u32)))
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
 * @group: who gets it
 * @gfp: how to allocate
 */
struct event {
	struct net *net;
	struct sk_buff *skb;
	void *hdr;
	unsigned int group;
	gfp_t gfp;
};

/* Whether there is anybody to tell; then @event is ready to be written to. */
static bool begin_for(struct event *event, unsigned int group,
		      struct vpn_device *vpn, u8 cmd, size_t size, gfp_t gfp)
{
	event->net = dev_net(vpn->dev);
	event->group = group;
	event->gfp = gfp;
	/* Nor is there anybody to know of a device that is being made. */
	if (vpn->dev->reg_state == NETREG_UNINITIALIZED)
		return false;
	if (!genl_has_listeners(&vpn_nl_family, event->net, group))
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
	genl_set_err(&vpn_nl_family, event->net, 0, group, -ENOBUFS);
	return false;
}

static bool begin(struct event *event, struct vpn_device *vpn, u8 cmd,
		  size_t size, gfp_t gfp)
{
	return begin_for(event, VPN_NLGRP_EVENTS, vpn, cmd, size, gfp);
}

static void finish(struct event *event, int err)
{
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(event->skb);
		return;
	}
	genlmsg_end(event->skb, event->hdr);
	genlmsg_multicast_netns(&vpn_nl_family, event->net, event->skb, 0,
				event->group, event->gfp);
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

static int put_peer_state(struct sk_buff *skb, struct vpn_peer *peer)
{
	struct nlattr *nest;

	nest = nla_nest_start(skb, VPN_A_DEVICE_PEERS);
	if (!nest || vpn_netlink_put_peer(skb, peer) ||
	    vpn_netlink_put_state(skb, peer))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* As traffic_event(), and what the peer has said and been told. */
static void state_event(struct vpn_peer *peer, u8 cmd)
{
	struct event event;

	rcu_read_lock();
	if (begin(&event, peer->vpn, cmd, PEER_SIZE + STATE_SIZE, GFP_ATOMIC))
		finish(&event, put_peer_state(event.skb, peer));
	rcu_read_unlock();
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

void vpn_event_assigned(struct vpn_peer *peer)
{
	state_event(peer, VPN_CMD_ASSIGNED_NTF);
}

void vpn_event_refused(struct vpn_peer *peer)
{
	state_event(peer, VPN_CMD_REFUSED_NTF);
}

void vpn_event_disconnected(struct vpn_peer *peer)
{
	state_event(peer, VPN_CMD_DISCONNECTED_NTF);
}

void vpn_event_peer_expired(struct vpn_peer *peer)
{
	state_event(peer, VPN_CMD_PEER_EXPIRED_NTF);
}

void vpn_event_echo_done(struct vpn_peer *peer)
{
	state_event(peer, VPN_CMD_ECHO_DONE_NTF);
}

bool vpn_event_auth_listeners(struct vpn_device *vpn)
{
	bool listeners;

	rcu_read_lock();
	listeners = genl_has_listeners(&vpn_nl_family, dev_net(vpn->dev),
				       VPN_NLGRP_AUTH);
	rcu_read_unlock();
	return listeners;
}

static int put_source(struct sk_buff *to, const struct sk_buff *from)
{
	int err;

	if (from->protocol == htons(ETH_P_IP))
		err = nla_put_in_addr(to, VPN_A_AUTH_REQUEST_ENDPOINT_IPV4,
				      ip_hdr(from)->saddr);
	else
		err = nla_put_in6_addr(to, VPN_A_AUTH_REQUEST_ENDPOINT_IPV6,
				       &ipv6_hdr(from)->saddr);
	return err ?: nla_put_be16(to, VPN_A_AUTH_REQUEST_ENDPOINT_PORT,
				   udp_hdr(from)->source);
}

static int put_text(struct sk_buff *skb, int type, const char *text)
{
	return *text ? nla_put_string(skb, type, text) : 0;
}

/* What a stranger says; most of it may be missing. */
static int put_request(struct sk_buff *skb, const struct vpn_request *request)
{
	unsigned int i;
	int err = 0;

	if (request->credential)
		err = nla_put_u32(skb, VPN_A_AUTH_REQUEST_CREDENTIAL_KIND,
				  request->credential_kind) ?:
		      nla_put(skb, VPN_A_AUTH_REQUEST_CREDENTIAL,
			      request->credential_len, request->credential);
	for (i = 0; i < request->wanted_count && !err; i++)
		err = vpn_netlink_put_address(skb, VPN_A_AUTH_REQUEST_ADDRESS,
					      &request->wanted[i]);
	return err ?: put_text(skb, VPN_A_AUTH_REQUEST_HOST_NAME,
			       request->host_name) ?:
	       put_text(skb, VPN_A_AUTH_REQUEST_SOFTWARE, request->software);
}

static int put_auth_request(struct sk_buff *to, const struct sk_buff *from,
			    const u8 public_key[VPN_KEY_LEN],
			    struct vpn_session_kind kind,
			    const struct vpn_request *request)
{
	struct nlattr *nest;

	nest = nla_nest_start(to, VPN_A_DEVICE_AUTH_REQUEST);
	if (!nest ||
	    nla_put(to, VPN_A_AUTH_REQUEST_PUBLIC_KEY, VPN_KEY_LEN,
		    public_key) ||
	    put_source(to, from) ||
	    nla_put_u32(to, VPN_A_AUTH_REQUEST_PROTOCOL_VERSION,
			kind.version) ||
	    nla_put_u32(to, VPN_A_AUTH_REQUEST_CIPHER, kind.suite) ||
	    put_request(to, request))
		return -EMSGSIZE;
	nla_nest_end(to, nest);
	return 0;
}

void vpn_event_auth_request(struct vpn_device *vpn, const struct sk_buff *skb,
			    const u8 public_key[VPN_KEY_LEN],
			    struct vpn_session_kind kind,
			    const struct vpn_request *request)
{
	struct event event;

	rcu_read_lock();
	if (begin_for(&event, VPN_NLGRP_AUTH, vpn, VPN_CMD_AUTH_REQUEST_NTF,
		      AUTH_SIZE, GFP_ATOMIC)) {
		finish(&event, put_auth_request(event.skb, skb, public_key,
						kind, request));
		vpn_stats_inc(vpn, VPN_STAT_AUTH_REQUESTS);
	}
	rcu_read_unlock();
}
