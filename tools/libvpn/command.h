/* SPDX-License-Identifier: GPL-2.0 */
/* What is asked of a device besides its settings: pools, leases, strangers, echoes. */
#ifndef LIBVPN_COMMAND_H
#define LIBVPN_COMMAND_H

#include "device.h"

/*
 * Each returns zero, or a negative errno with a sentence in err. After success
 * err->text is what the kernel remarked, or empty.
 */

/* Add a pool, or change the one with that prefix. */
int vpn_pool_add(const char *ifname, const struct vpn_pool *pool, struct vpn_error *err);
/* force: with the leases in it. */
int vpn_pool_del(const char *ifname, const struct vpn_pool *pool, bool force,
		 struct vpn_error *err);

/* At most this many ranges go into a request. */
#define VPN_POOL_RANGES_MAX	512

/* Forget leases, each named by key, address or both. */
int vpn_lease_release(const char *ifname, const struct vpn_leases *leases, struct vpn_error *err);
/*
 * Make leases. Many take several messages, of which each is carried out as a
 * whole or not at all; after a refusal the remaining ones are not sent.
 */
int vpn_lease_restore(const char *ifname, const struct vpn_leases *leases, struct vpn_error *err);

/* Refuse a stranger that waits; text may be NULL. */
int vpn_peer_reject(const char *ifname, const uint8_t key[VPN_KEY_LEN], uint32_t reason,
		    const char *text, struct vpn_error *err);
/* Send an echo request; the event "echo-done" tells of its answer. */
int vpn_peer_ping(const char *ifname, const uint8_t key[VPN_KEY_LEN], struct vpn_error *err);

#endif
