/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_EVENT_H
#define VPN_EVENT_H

struct vpn_device;
struct vpn_lease_info;
struct vpn_peer;

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

#endif
