/* SPDX-License-Identifier: GPL-2.0 */
/* What somebody may who was believed. */
#ifndef VPND_POLICY_H
#define VPND_POLICY_H

#include "config.h"
#include "guest.h"

/*
 * Decide about somebody whose credential is good: may he come in, until when, and with
 * which address. False: verdict says why not.
 */
bool policy_apply(const struct config *config, const struct guests *guests, struct guest *guest,
		  struct cred_verdict *verdict);

/* What its role says; of who has none, what is said of everybody. */
bool policy_lan(const struct config *config, const struct guest *guest);
bool policy_clients(const struct config *config, const struct guest *guest);
/* NULL: its role has none of its own. */
const struct vpn_addresses *policy_routes(const struct config *config, const struct guest *guest);

/* The next address of its role behind that one, which somebody else has; false: there is none. */
bool policy_next_address(const struct config *config, const struct guests *guests,
			 struct guest *guest);

#endif
