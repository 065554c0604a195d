/* SPDX-License-Identifier: GPL-2.0 */
/* Names of servers, asked for outside of the tunnel. */
#ifndef VPND_RESOLVE_H
#define VPND_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../libvpn/device.h"

#define RESOLVE_MAX	16

struct resolve_answer {
	union vpn_endpoint list[RESOLVE_MAX];
	unsigned int count;
	bool failed;			/* a server has said that it does not know */
	char trouble[160];		/* why there is none */
};

/*
 * Ask in a process of its own, which writes a struct resolve_answer to the
 * descriptor that is returned, and ends. Negative errno: it could not be started.
 * Questions carry the mark, so that they do not go into a tunnel that may be broken.
 */
int resolve_start(const char *host, const char *port, uint32_t mark, pid_t *pid);

/* What it has written, or that it has not. */
void resolve_read(int fd, struct resolve_answer *answer);

#endif
