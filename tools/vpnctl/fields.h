/* SPDX-License-Identifier: GPL-2.0 */
/* What there is to show of devices and peers, each printed by one function. */
#ifndef VPNCTL_FIELDS_H
#define VPNCTL_FIELDS_H

#include "../libvpn/device.h"

typedef void (*device_field)(const struct vpn_device *dev);
typedef void (*peer_field)(const struct vpn_peer *peer);

void field_ifname(const struct vpn_device *dev);
void field_ifindex(const struct vpn_device *dev);
void field_public_key(const struct vpn_device *dev);
void field_private_key(const struct vpn_device *dev);
void field_private_key_hidden(const struct vpn_device *dev);
void field_listen_port(const struct vpn_device *dev);
void field_fwmark(const struct vpn_device *dev);
void field_peer_count(const struct vpn_device *dev);

void field_peer(const struct vpn_peer *peer);
void field_name(const struct vpn_peer *peer);
void field_preshared_key(const struct vpn_peer *peer);
void field_preshared_key_hidden(const struct vpn_peer *peer);
void field_endpoint(const struct vpn_peer *peer);
/* The second form separates by commas in OUT_TABS, the first one by spaces. */
void field_allowed_ips(const struct vpn_peer *peer);
void field_allowed_ips_comma(const struct vpn_peer *peer);
void field_latest_handshake(const struct vpn_peer *peer);
void field_transfer(const struct vpn_peer *peer);
void field_keepalive(const struct vpn_peer *peer);
void field_version(const struct vpn_peer *peer);

/* The remainder is of version 1 of the protocol. In text the default is left out. */

void field_host_name(const struct vpn_device *dev);
void field_max_peers(const struct vpn_device *dev);
void field_push_dns(const struct vpn_device *dev);
void field_push_routes(const struct vpn_device *dev);
void field_push_mtu(const struct vpn_device *dev);
void field_push_keepalive(const struct vpn_device *dev);
void field_device_latency(const struct vpn_device *dev);

void field_address(const struct vpn_peer *peer);
void field_leases(const struct vpn_peer *peer);
void field_assigned(const struct vpn_peer *peer);
void field_cipher(const struct vpn_peer *peer);
void field_session_cipher(const struct vpn_peer *peer);
void field_credential(const struct vpn_peer *peer);
void field_expires(const struct vpn_peer *peer);
void field_peer_routes(const struct vpn_peer *peer);
void field_peer_host_name(const struct vpn_peer *peer);
void field_software(const struct vpn_peer *peer);
void field_refusal(const struct vpn_peer *peer);
void field_disconnect(const struct vpn_peer *peer);
void field_unanswered(const struct vpn_peer *peer);
void field_rtt(const struct vpn_peer *peer);
/* For people only of peers that speak version 1. */
void field_latency(const struct vpn_peer *peer);
/* What may be wrong with the peer. */
void field_hint(const struct vpn_peer *peer);

void field_lease(const struct vpn_lease *lease);
void field_auth_request(const struct vpn_auth_request *request);

#endif
