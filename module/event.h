/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_EVENT_H
#define VPN_EVENT_H

#include <linux/types.h>

#include "messages.h"

struct sk_buff;
struct vpn_device;
struct vpn_lease_info;
struct vpn_peer;
struct vpn_request;

/*
 * Multicast notifications to the device's network namespace. Administrators
 * cause the first six; the rest come from authenticated messages only. None
 * carries a key but the peer's public one. Nothing is built unless somebody
 * listens.
 */
void vpn_event_peer_added(struct vpn_peer *peer);
void vpn_event_peer_changed(struct vpn_peer *peer);
void vpn_event_peer_removed(struct vpn_peer *peer);
void vpn_event_device_changed(struct vpn_device *vpn);
void vpn_event_lease_added(struct vpn_device *vpn,
			   const struct vpn_lease_info *info);
void vpn_event_lease_removed(struct vpn_device *vpn,
			     const struct vpn_lease_info *info);

/* Any context. */
void vpn_event_handshake_done(struct vpn_peer *peer);
void vpn_event_endpoint_moved(struct vpn_peer *peer);
void vpn_event_session_expired(struct vpn_peer *peer);
void vpn_event_lease_renewed(struct vpn_device *vpn,
			     const struct vpn_lease_info *info);
void vpn_event_assigned(struct vpn_peer *peer);
void vpn_event_refused(struct vpn_peer *peer);
void vpn_event_disconnected(struct vpn_peer *peer);
void vpn_event_peer_expired(struct vpn_peer *peer);
void vpn_event_echo_done(struct vpn_peer *peer);

/* Whether anybody would answer to vpn_event_auth_request(). Any context. */
bool vpn_event_auth_listeners(struct vpn_device *vpn);

/**
 * vpn_event_auth_request() - ask whether a stranger may become a peer
 * @vpn: the device
 * @skb: its initiation, with the headers of the UDP packet
 * @public_key: which it has proved
 * @kind: what it proposes
 * @request: what it says
 *
 * Context: any.
 */
void vpn_event_auth_request(struct vpn_device *vpn, const struct sk_buff *skb,
			    const u8 public_key[VPN_KEY_LEN],
			    struct vpn_session_kind kind,
			    const struct vpn_request *request);

#endif
