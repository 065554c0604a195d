/* SPDX-License-Identifier: GPL-2.0 */
/* From what a device should be to what has to be changed. */
#ifndef LIBVPN_REDUCE_H
#define LIBVPN_REDUCE_H

#include "device.h"

/*
 * Reduce what is wanted to what differs from the device as it is, peers that are
 * to go among it. What is left out is the default, except the port and endpoints:
 * any port is the one that the kernel chose, and an endpoint may have been learnt.
 * Nothing differs when neither want->has nor want->peers is left. False: memory is
 * out.
 */
bool vpn_device_reduce(struct vpn_device *want, const struct vpn_device *have);

#endif
