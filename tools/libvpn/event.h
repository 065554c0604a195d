/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel tells about vpn devices as it happens. */
#ifndef LIBVPN_EVENT_H
#define LIBVPN_EVENT_H

#include "device.h"
#include "socket.h"

struct vpn_event {
	const char *name;		/* "peer-added", as in vpn.yaml without "-ntf" */
	uint8_t command;		/* VPN_CMD_*_NTF */
	struct vpn_device *dev;		/* with the peer, if it is about one */
};

/* A socket of the family "vpn" that hears its events. */
int vpn_event_open(struct vpn_socket *sock, struct vpn_error *err);

/*
 * Wait for events and hand each to the handler, which must not keep it. After
 * VPN_FAULT_LOST the next call goes on.
 */
int vpn_event_read(struct vpn_socket *sock, void (*handler)(const struct vpn_event *, void *),
		   void *data, struct vpn_error *err);

#endif
