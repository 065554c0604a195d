// SPDX-License-Identifier: GPL-2.0
/*
 * Control messages within a session of version 1: goodbye, echo, and new
 * assignments (Documentation/protocol-v1.md).
 */

#include <linux/ktime.h>
#include <linux/random.h>
#include <net/genetlink.h>

#include "control.h"
#include "device.h"
#include "event.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "peer.h"
#include "session.h"
#include "stats.h"
#include "terms.h"
#include "timer.h"
#include "tlv.h"
#include "tx.h"

#define TLVS_MAX 64

void vpn_control_disconnect(struct vpn_peer *peer, u8 reason)
{
	u8 tlvs[TLVS_MAX];
	int len;

	len = vpn_tlv_write_disconnect(reason, tlvs, sizeof(tlvs));
	if (len > 0 && !vpn_tx_control(peer, tlvs, len))
		vpn_stats_inc(peer->vpn, VPN_STAT_DISCONNECTS_SENT);
}

static int send_echo(struct vpn_peer *peer, u8 type,
		     const u8 octets[VPN_ECHO_LEN])
{
	u8 tlvs[TLVS_MAX];
	int len;

	len = vpn_tlv_write_echo(type, octets, tlvs, sizeof(tlvs));
	return len < 0 ? len : vpn_tx_control(peer, tlvs, len);
}

int vpn_control_ping(struct vpn_peer *peer)
{
	struct vpn_echo *echo = &peer->echo;
	u8 octets[VPN_ECHO_LEN];
	u64 random;

	/* Zero stands for none. */
	random = get_random_u64() | 1;
	put_unaligned_be64(random, octets);
	WRITE_ONCE(echo->sent, ktime_get_boottime_ns());
	atomic64_set(&echo->octets, random);
	return send_echo(peer, VPN_TLV_PING, octets);
}

/* The first pong with the right octets counts. */
static void receive_pong(struct vpn_peer *peer, const u8 octets[VPN_ECHO_LEN])
{
	struct vpn_echo *echo = &peer->echo;
	s64 expected = get_unaligned_be64(octets);
	u64 rtt;

	if (!expected ||
	    !atomic64_try_cmpxchg(&echo->octets, &expected, 0))
		return;
	rtt = ktime_get_boottime_ns() - READ_ONCE(echo->sent);
	WRITE_ONCE(echo->rtt, rtt);
	vpn_latency_echo(peer, rtt);
	vpn_event_echo_done(peer);
}

static void receive_disconnect(struct vpn_peer *peer, u8 reason)
{
	WRITE_ONCE(peer->disconnect_time, ktime_get_real_ns());
	WRITE_ONCE(peer->disconnect, reason);
	vpn_stats_inc(peer->vpn, VPN_STAT_DISCONNECTS_RECEIVED);
	vpn_session_end_all(peer);
	vpn_tx_purge_staged(peer);
	vpn_timers_disconnected(peer);
	vpn_event_disconnected(peer);
}

/* Whoever began the session is told what to configure, and nobody else. */
static void receive_assignment(struct vpn_peer *peer,
			       const struct vpn_keypair *keypair,
			       const struct vpn_assignment *assignment)
{
	if (!keypair->initiator)
		return;
	vpn_timers_assigned(peer, assignment->lease);
	if (vpn_terms_assigned(peer, assignment, GFP_ATOMIC | __GFP_NOWARN))
		vpn_event_assigned(peer);
}

void vpn_control_receive(struct vpn_peer *peer, struct vpn_keypair *keypair,
			 const u8 *tlvs, size_t len)
{
	struct vpn_controls controls;

	if (vpn_tlv_read_controls(&controls, tlvs, len)) {
		vpn_stats_drop(peer->vpn, VPN_STAT_DROP_RX_MALFORMED, 1);
		return;
	}
	if (controls.has_assignment)
		receive_assignment(peer, keypair, &controls.assignment);
	if (controls.has_ping)
		send_echo(peer, VPN_TLV_PONG, controls.ping);
	if (controls.has_pong)
		receive_pong(peer, controls.pong);
	if (controls.disconnect)
		receive_disconnect(peer, controls.disconnect);
}

int vpn_nl_peer_ping_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vpn_device *vpn = netdev_priv(vpn_netlink_device(info));
	struct nlattr *key = info->attrs[VPN_A_DEVICE_PEER_KEY];
	struct vpn_peer *peer;
	int err;

	if (!key) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, VPN_A_DEVICE_PEER_KEY);
		GENL_SET_ERR_MSG(info, "name the peer by its public key");
		return -EINVAL;
	}
	peer = vpn_peer_find(vpn, nla_data(key));
	if (!peer) {
		NL_SET_ERR_MSG_ATTR(info->extack, key,
				    "the device has no peer with this public key");
		return -ENOENT;
	}
	err = vpn_control_ping(peer);
	if (err == -ENOTCONN)
		NL_SET_ERR_MSG_ATTR(info->extack, key,
				    "there is no session of version 1 with this peer");
	else if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, key,
				    "the echo request can't be sent");
	vpn_peer_put(peer);
	return err;
}
