/* SPDX-License-Identifier: GPL-2.0 */
/* Configuration files with [Interface] and [Peer] sections. */
#ifndef VPNCTL_CONFIG_H
#define VPNCTL_CONFIG_H

#include <stdbool.h>

#include "../libvpn/device.h"

/*
 * Read a file into a device to free, or complain and return NULL. whole: the
 * file says everything, what it leaves out is removed; otherwise it adds.
 */
struct vpn_device *config_read(const char *ifname, const char *path, bool whole);

/* The body of setconf and addconf. */
int config_apply(int argc, char *argv[], bool whole);

#endif
