/* SPDX-License-Identifier: GPL-2.0 */
/* Devices and peers that a command line names. */
#ifndef VPNCTL_DEVICES_H
#define VPNCTL_DEVICES_H

#include "../libvpn/device.h"
#include "../libvpn/link.h"

typedef int (*device_get)(const char *ifname, struct vpn_device **dev, struct vpn_error *err);

/*
 * Read the device of that name, or with NULL all in turn, and show each. The
 * exit status.
 */
int devices_each(const char *ifname, device_get get, void (*show)(const struct vpn_device *));

/*
 * The devices that there are. Where there is none, it is told why there can be
 * none. The exit status.
 */
int devices_list(struct vpn_link **links);

/* Is it a public key? Otherwise it may be a name. */
bool is_key(const char *word, uint8_t key[VPN_KEY_LEN]);

/* The peer with that key or name; complains and returns NULL if there is not one. */
struct vpn_peer *device_peer(const struct vpn_device *dev, const char *word);

/* Say what the kernel remarked, or why it refused; the exit status. */
int report(int ret, const struct vpn_error *err);

#endif
