/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the peers of a server are that its file gives an endpoint. Names are asked for in
 * a process of its own, one after the other, and again later those that nobody knows. A
 * peer is told of it when it is new, or the file names another place: else it is where it
 * spoke from last.
 */
#ifndef VPND_ENDPOINTS_H
#define VPND_ENDPOINTS_H

#include "daemon.h"

int endpoints_open(struct daemon *d, struct vpn_error *err);
void endpoints_close(struct daemon *d);
/* Ask for what the configuration has that is not known yet. */
void endpoints_ask(struct daemon *d);

/* What needs no question: addresses. */
void endpoints_read(struct config *config);
/* What is known of peers that both have, and which of them the new one has moved. */
void endpoints_inherit(struct config *new, const struct config *old);
/* The same of a run before this one, by what the journal says of its configuration. */
void endpoints_recover(struct config *config, const struct journal *journal);
/* What was moved is where it is to be. */
void endpoints_settle(struct config *config);
/* What the journal is to say. */
json_t *endpoints_json(const struct config *config);

#endif
