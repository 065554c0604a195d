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

/* An address with the length of its network's prefix; the host's bits stay. */
struct vpn_address {
	union {
		struct in_addr ip4;
		struct in6_addr ip6;
	};
	uint16_t family;	/* zero: none */
	uint8_t prefix_len;
};

struct vpn_addresses {
	struct vpn_address *list;
	unsigned int count;
};

struct vpn_range {
	struct vpn_address first, last;
};

struct vpn_pool {
	struct vpn_pool *next;
	struct vpn_address prefix;
	struct vpn_range *reserved;
	unsigned int reserved_count;
	bool has_lease_time;
	uint32_t lease_time;	/* seconds, zero: for ever */
	uint64_t size;		/* UINT64_MAX: that or more */
	uint64_t used;
};

struct vpn_lease {
	struct vpn_lease *next;
	struct vpn_address address;
	uint64_t expires;	/* nanoseconds since the epoch, zero: never */
	bool has_key, bound;
	uint8_t public_key[VPN_KEY_LEN];
	char name[VPN_NAME_MAX + 1];
};

struct vpn_leases {
	struct vpn_lease *first, *last;
};

/* What the peer told us to configure. */
struct vpn_assigned {
	struct vpn_addresses addresses, dns, routes;
	bool has_lease_time;
	uint16_t mtu, keepalive;	/* zero: nothing was said */
	uint32_t lease_time;		/* seconds, zero: for ever */
	uint64_t time;			/* nanoseconds since the epoch */
};

struct vpn_refusal {
	uint32_t reason;		/* VPN_REJECT_REASON_* */
	bool ours;
	uint64_t time;			/* nanoseconds since the epoch */
	char text[VPN_REASON_TEXT_MAX + 1];
};

struct vpn_ending {
	uint32_t reason;		/* VPN_DISCONNECT_REASON_* */
	uint64_t time;			/* nanoseconds since the epoch */
};

struct vpn_bucket {
	uint64_t bound;			/* nanoseconds, UINT64_MAX: no bound */
	uint32_t count;
};

struct vpn_histogram {
	uint64_t count, sum;		/* nanoseconds */
	struct vpn_bucket *buckets;
	unsigned int bucket_count;
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
	VPN_PEER_HAS_ADDRESS_MODE	= 1 << 8,
	VPN_PEER_HAS_CIPHER		= 1 << 9,
	VPN_PEER_HAS_SESSION_CIPHER	= 1 << 10,
	VPN_PEER_HAS_CREDENTIAL		= 1 << 11,
	VPN_PEER_HAS_EXPIRES		= 1 << 12,
	VPN_PEER_HAS_RTT		= 1 << 13,
	VPN_PEER_HAS_PUSH_ROUTES	= 1 << 14,
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
	uint32_t address_mode;			/* VPN_ADDRESS_MODE_* */
	struct vpn_addresses addresses;		/* asked for, or to be leased */
	struct vpn_leases leases;
	struct vpn_assigned *assigned;		/* NULL: nothing */
	uint32_t cipher, session_cipher;	/* VPN_CIPHER_* */
	uint32_t credential_kind;		/* VPN_CREDENTIAL_KIND_*, zero: none */
	uint8_t *credential;			/* is only written */
	size_t credential_len;
	uint64_t expires;			/* nanoseconds since the epoch, zero: never */
	bool own_routes;			/* push_routes, not those of the device */
	struct vpn_addresses push_routes;
	char *host_name, *software;		/* NULL: not told */
	struct vpn_refusal *last_refusal;	/* NULL: none */
	struct vpn_ending *last_disconnect;	/* NULL: none */
	uint32_t unanswered;
	uint64_t rtt;				/* nanoseconds */
	struct vpn_histogram handshake_latency, echo_latency;
};

/* A stranger that waits to be let in or sent away. */
struct vpn_auth_request {
	uint8_t public_key[VPN_KEY_LEN];
	bool has_endpoint;
	union vpn_endpoint endpoint;
	uint32_t version, cipher;
	uint32_t credential_kind;		/* zero: none */
	uint8_t *credential;
	size_t credential_len;
	struct vpn_addresses addresses;
	char *host_name, *software;		/* NULL: not told */
};

enum vpn_device_has {
	VPN_DEVICE_HAS_PRIVATE_KEY	= 1 << 0,
	VPN_DEVICE_HAS_PUBLIC_KEY	= 1 << 1,
	VPN_DEVICE_HAS_LISTEN_PORT	= 1 << 2,
	VPN_DEVICE_HAS_FWMARK		= 1 << 3,
	VPN_DEVICE_HAS_PEER_COUNT	= 1 << 4,
	VPN_DEVICE_HAS_HOST_NAME	= 1 << 5,
	VPN_DEVICE_HAS_MAX_PEERS	= 1 << 6,
	VPN_DEVICE_HAS_PUSH_DNS		= 1 << 7,
	VPN_DEVICE_HAS_PUSH_ROUTES	= 1 << 8,
	VPN_DEVICE_HAS_PUSH_MTU		= 1 << 9,
	VPN_DEVICE_HAS_PUSH_KEEPALIVE	= 1 << 10,
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
	char host_name[VPN_HOST_NAME_MAX + 1];
	uint32_t max_peers;			/* zero: any number */
	struct vpn_addresses push_dns, push_routes;
	uint16_t push_mtu, push_keepalive;	/* zero: nothing is told */
	struct vpn_histogram handshake_latency, echo_latency;
	struct vpn_pool *pools, *last_pool;
	struct vpn_leases leases;
	struct vpn_auth_request *auth_request;	/* NULL: none */
};

struct vpn_device *vpn_device_new(void);
/* Frees all that the device holds, and leaves it as a new one. */
void vpn_device_clear(struct vpn_device *dev);
/* Frees the device with all it holds; the keys are erased. */
void vpn_device_free(struct vpn_device *dev);

/* These append a zeroed element; NULL when memory is out. */
struct vpn_peer *vpn_device_add_peer(struct vpn_device *dev);
struct vpn_allowedip *vpn_peer_add_allowedip(struct vpn_peer *peer);
struct vpn_pool *vpn_device_add_pool(struct vpn_device *dev);
struct vpn_lease *vpn_leases_add(struct vpn_leases *leases);
struct vpn_range *vpn_pool_add_range(struct vpn_pool *pool);

/* The device takes a peer that belongs to no other one. */
void vpn_device_append_peer(struct vpn_device *dev, struct vpn_peer *peer);

void vpn_peer_free(struct vpn_peer *peer);
void vpn_peer_free_allowedips(struct vpn_peer *peer);
void vpn_pool_free(struct vpn_pool *pool);
void vpn_leases_free(struct vpn_leases *leases);
/* Erases and frees the credential. */
void vpn_peer_free_credential(struct vpn_peer *peer);

/*
 * Read the device of that name, which must be of kind vpn. Returns zero and a
 * device to free, or a negative errno with a sentence in err.
 */
int vpn_device_get(const char *ifname, struct vpn_device **dev, struct vpn_error *err);
/* As above, but with its pools, or its leases, and nothing else. */
int vpn_device_get_pools(const char *ifname, struct vpn_device **dev, struct vpn_error *err);
int vpn_device_get_leases(const char *ifname, struct vpn_device **dev, struct vpn_error *err);

/*
 * Change the device named in dev->ifname. Many peers take several messages: the
 * first one has the device's own settings and flags. When the kernel refuses
 * one, the remaining ones are not sent. After success err->text is what the
 * kernel remarked, or empty.
 */
int vpn_device_set(const struct vpn_device *dev, struct vpn_error *err);

#endif
