/* SPDX-License-Identifier: GPL-2.0 */
/* Commands of the user's, run by the shell. */
#ifndef VPND_HOOK_H
#define VPND_HOOK_H

#include "config.h"

struct hook_peer {
	const char *key, *name, *endpoint;	/* each may be NULL */
};

/* Start commands, and do not wait for them. */
void hook_start(const struct config *config, const struct strings *commands,
		const struct hook_peer *peer);

#endif
