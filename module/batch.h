/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_BATCH_H
#define VPN_BATCH_H

#include "aead.h"

/* As many segments as UDP GRO puts into one train. */
#define VPN_BATCH_MAX	64U

/**
 * struct vpn_batch - messages that are sealed or opened in one go
 * @count: how many
 * @segments: the messages
 */
struct vpn_batch {
	unsigned int count;
	struct vpn_segment segments[VPN_BATCH_MAX];
};

#endif
