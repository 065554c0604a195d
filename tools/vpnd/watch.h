/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel tells: who came, moved, was refused, went; leases; networks. */
#ifndef VPND_WATCH_H
#define VPND_WATCH_H

#include "daemon.h"

int watch_open(struct daemon *d, struct vpn_error *err);
/* When everything is set up: from now on lines are written about it. */
void watch_begin(struct watch *watch);
void watch_close(struct daemon *d);

struct watch_counts {
	uint64_t connected;		/* peers at this moment */
	uint64_t connects, moves, leaves, events_lost;
	uint64_t refusals[16];		/* by VPN_REJECT_REASON_* */
};

const struct watch_counts *watch_counts(const struct watch *watch);

#endif
