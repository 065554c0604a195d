/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vpn device with its peers, as userspace holds it: what has been read from
 * the kernel, or what is to be written to it.
 */
#ifndef LIBVPN_DEVICE_H
#define LIBVPN_DEVICE_H

#include <linux/vpn.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct vpn_allowedip {
	struct vpn_allowedip *next;
	union {
		struct in_addr ip4;
		struct in6_addr ip6;
	};
	uint32_t flags;		/* VPN_ALLOWEDIP_FLAGS_* */
	uint16_t family;
	uint8_t prefix_len;
};

union vpn_endpoint {
	struct sockaddr addr;
	struct sockaddr_in addr4;
	struct sockaddr_in6 addr6;
};

/* Which members hold something: read from the kernel, or to be written. */
enum vpn_peer_has {
	VPN_PEER_HAS_PUBLIC_KEY		= 1 << 0,
	VPN_PEER_HAS_PRESHARED_KEY	= 1 << 1,
	VPN_PEER_HAS_NAME		= 1 << 2,
	VPN_PEER_HAS_ENDPOINT		= 1 << 3,
	VPN_PEER_HAS_KEEPALIVE		= 1 << 4,
	VPN_PEER_HAS_VERSION		= 1 << 5,
	VPN_PEER_HAS_HANDSHAKE		= 1 << 6,
	VPN_PEER_HAS_TRANSFER		= 1 << 7,
};

struct vpn_peer {
	struct vpn_peer *next;
	struct vpn_allowedip *allowedips, *last_allowedip;
	uint32_t has;		/* VPN_PEER_HAS_* */
	uint32_t flags;		/* VPN_PEER_FLAGS_* */
	uint8_t public_key[VPN_KEY_LEN];
	uint8_t preshared_key[VPN_KEY_LEN];	/* zero: none */
	char name[VPN_NAME_MAX + 1];
	union vpn_endpoint endpoint;
	uint16_t keepalive;			/* seconds, zero: off */
	uint32_t version;
	uint64_t last_handshake;		/* nanoseconds since the epoch */
	uint64_t rx_bytes, tx_bytes;
};

enum vpn_device_has {
	VPN_DEVICE_HAS_PRIVATE_KEY	= 1 << 0,
	VPN_DEVICE_HAS_PUBLIC_KEY	= 1 << 1,
	VPN_DEVICE_HAS_LISTEN_PORT	= 1 << 2,
	VPN_DEVICE_HAS_FWMARK		= 1 << 3,
	VPN_DEVICE_HAS_PEER_COUNT	= 1 << 4,
};

struct vpn_device {
	struct vpn_peer *peers, *last_peer;
	uint32_t has;		/* VPN_DEVICE_HAS_* */
	uint32_t flags;		/* VPN_DEVICE_FLAGS_* */
	uint32_t ifindex;
	char ifname[IF_NAMESIZE];
	uint8_t private_key[VPN_KEY_LEN];	/* zero: none */
	uint8_t public_key[VPN_KEY_LEN];
	uint16_t listen_port;
	uint32_t fwmark;
	uint32_t peer_count;
};

struct vpn_device *vpn_device_new(void);
/* Frees the device with all it holds; the keys are erased. */
void vpn_device_free(struct vpn_device *dev);

/* Both append a zeroed element; NULL when memory is out. */
struct vpn_peer *vpn_device_add_peer(struct vpn_device *dev);
struct vpn_allowedip *vpn_peer_add_allowedip(struct vpn_peer *peer);

/* The device takes a peer that belongs to no other one. */
void vpn_device_append_peer(struct vpn_device *dev, struct vpn_peer *peer);

void vpn_peer_free(struct vpn_peer *peer);
void vpn_peer_free_allowedips(struct vpn_peer *peer);

/*
 * Read the device of that name, which must be of kind vpn. Returns zero and a
 * device to free, or a negative errno with a sentence in err.
 */
int vpn_device_get(const char *ifname, struct vpn_device **dev, struct vpn_error *err);

/*
 * Change the device named in dev->ifname. Many peers take several messages: the
 * first one has the device's own settings and flags. When the kernel refuses
 * one, the remaining ones are not sent. After success err->text is what the
 * kernel remarked, or empty.
 */
int vpn_device_set(const struct vpn_device *dev, struct vpn_error *err);

#endif
