/* SPDX-License-Identifier: GPL-2.0 */
/* The attributes of the family "vpn", decoded. */
#ifndef LIBVPN_ATTR_H
#define LIBVPN_ATTR_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "device.h"

bool vpn_attr_read_allowedip(const struct nlattr *nest, struct vpn_allowedip *ip);
bool vpn_attr_read_public_key(const struct nlattr *peer, uint8_t key[VPN_KEY_LEN]);

/*
 * Add what a message says to the device. A peer with the key of the last one
 * continues that one. Returns zero or -ENOMEM.
 */
int vpn_attr_read_device(const struct nlmsghdr *nlh, struct vpn_device *dev);

#endif
