/* SPDX-License-Identifier: GPL-2.0 */
/* Which part of the address pools is ours, where several servers share virtual_network. */
#ifndef VPND_SLICE_H
#define VPND_SLICE_H

#include "config.h"

#define SLICES_MAX	1024
/* Each has that many addresses or more: the network's own one, ours, and two for clients. */
#define SLICE_LEAST	4

/* The first and the last address of a network that are ours. */
void slice_range(const struct config_slice *slice, const struct vpn_address *network,
		 struct vpn_range *range);
/* Would each slice of that network have enough addresses? */
bool slice_fits(const struct config_slice *slice, const struct vpn_address *network);
/* May we give that address of virtual_network to somebody? */
bool slice_has(const struct config *config, const struct vpn_address *address);
/*
 * From that address of a network on, which is a part of virtual_network, go to the first one
 * that we may give. False: there is none.
 */
bool slice_enter(const struct config *config, const struct vpn_address *network,
		 struct vpn_address *address);
/*
 * What of a network we have to leave alone: all that is not ours, but what the file gives
 * to a [[peer]], which is the same one on all servers. False: memory is out. To be freed.
 */
bool slice_others(const struct config *config, const struct vpn_address *network,
		  struct config_ranges *ranges);

#endif
