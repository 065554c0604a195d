/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/vpn.yaml */
/* YNL-GEN uapi header */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#ifndef _UAPI_LINUX_VPN_H
#define _UAPI_LINUX_VPN_H

#define VPN_FAMILY_NAME		"vpn"
#define VPN_FAMILY_VERSION	1

#define VPN_KEY_LEN	32
#define VPN_NAME_MAX	63

/**
 * enum vpn_device_flags
 * @VPN_DEVICE_FLAGS_REPLACE_PEERS: Remove every peer that the device has
 *   before adding those given.
 */
enum vpn_device_flags {
	VPN_DEVICE_FLAGS_REPLACE_PEERS = 1,
};

/**
 * enum vpn_peer_flags
 * @VPN_PEER_FLAGS_REMOVE: Remove the peer.
 * @VPN_PEER_FLAGS_REPLACE_ALLOWEDIPS: Drop every allowed IP of the peer before
 *   adding those given.
 * @VPN_PEER_FLAGS_UPDATE_ONLY: Change the peer only if it exists; otherwise
 *   ignore the entry.
 */
enum vpn_peer_flags {
	VPN_PEER_FLAGS_REMOVE = 1,
	VPN_PEER_FLAGS_REPLACE_ALLOWEDIPS = 2,
	VPN_PEER_FLAGS_UPDATE_ONLY = 4,
};

/**
 * enum vpn_allowedip_flags
 * @VPN_ALLOWEDIP_FLAGS_REMOVE: Take the prefix from the peer instead of giving
 *   it.
 */
enum vpn_allowedip_flags {
	VPN_ALLOWEDIP_FLAGS_REMOVE = 1,
};

enum {
	VPN_A_ALLOWEDIP_FAMILY = 1,
	VPN_A_ALLOWEDIP_IPADDR,
	VPN_A_ALLOWEDIP_PREFIX_LEN,
	VPN_A_ALLOWEDIP_FLAGS,

	__VPN_A_ALLOWEDIP_MAX,
	VPN_A_ALLOWEDIP_MAX = (__VPN_A_ALLOWEDIP_MAX - 1)
};

enum {
	VPN_A_PEER_PUBLIC_KEY = 1,
	VPN_A_PEER_PRESHARED_KEY,
	VPN_A_PEER_FLAGS,
	VPN_A_PEER_NAME,
	VPN_A_PEER_ENDPOINT_IPV4,
	VPN_A_PEER_ENDPOINT_IPV6,
	VPN_A_PEER_ENDPOINT_PORT,
	VPN_A_PEER_ENDPOINT_SCOPE_ID,
	VPN_A_PEER_PERSISTENT_KEEPALIVE,
	VPN_A_PEER_PROTOCOL_VERSION,
	VPN_A_PEER_LAST_HANDSHAKE,
	VPN_A_PEER_RX_BYTES,
	VPN_A_PEER_TX_BYTES,
	VPN_A_PEER_ALLOWEDIPS,

	__VPN_A_PEER_MAX,
	VPN_A_PEER_MAX = (__VPN_A_PEER_MAX - 1)
};

enum {
	VPN_A_DEVICE_IFINDEX = 1,
	VPN_A_DEVICE_IFNAME,
	VPN_A_DEVICE_FLAGS,
	VPN_A_DEVICE_PRIVATE_KEY,
	VPN_A_DEVICE_PUBLIC_KEY,
	VPN_A_DEVICE_LISTEN_PORT,
	VPN_A_DEVICE_FWMARK,
	VPN_A_DEVICE_PEER_COUNT,
	VPN_A_DEVICE_PEERS,

	__VPN_A_DEVICE_MAX,
	VPN_A_DEVICE_MAX = (__VPN_A_DEVICE_MAX - 1)
};

enum {
	VPN_CMD_DEVICE_GET = 1,
	VPN_CMD_DEVICE_SET,
	VPN_CMD_PEER_ADDED_NTF,
	VPN_CMD_PEER_CHANGED_NTF,
	VPN_CMD_PEER_REMOVED_NTF,
	VPN_CMD_HANDSHAKE_DONE_NTF,
	VPN_CMD_ENDPOINT_MOVED_NTF,
	VPN_CMD_SESSION_EXPIRED_NTF,
	VPN_CMD_DEVICE_CHANGED_NTF,

	__VPN_CMD_MAX,
	VPN_CMD_MAX = (__VPN_CMD_MAX - 1)
};

#define VPN_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_VPN_H */
