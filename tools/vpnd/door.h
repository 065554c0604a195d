/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may come in: strangers show a credential, which another process reads; what it
 * thinks of it, and the role, decide. Each decision is a line of the log.
 */
#ifndef VPND_DOOR_H
#define VPND_DOOR_H

#include "daemon.h"
#include "guest.h"

/* Before anything is set up: who was let in before is a part of what should be. */
int door_open(struct daemon *d, struct vpn_error *err);
/* Strangers are heard from now on. */
int door_begin(struct door *door, struct vpn_error *err);
void door_close(struct daemon *d);

/* By another configuration from now on; or an error with a sentence in err, and nothing is. */
int door_reconfigure(struct door *door, const struct config *config, struct vpn_error *err);

/* Events. */
void door_connected(struct door *door, const uint8_t key[VPN_KEY_LEN]);
void door_left(struct door *door, const uint8_t key[VPN_KEY_LEN]);
void door_lease(struct door *door, const struct vpn_lease *lease, bool added);

/* It was found to have that address. */
void door_has(struct door *door, const uint8_t key[VPN_KEY_LEN],
	      const struct vpn_address *address);

struct door_counts {
	uint64_t let_in, turned_away, cut_off;
};

const struct door_counts *door_counts(const struct door *door);

#endif
