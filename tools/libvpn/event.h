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

enum vpn_event_group {
	VPN_EVENT_ALL,		/* but for the next */
	VPN_EVENT_AUTH,		/* strangers that want to be let in */
};

/* A socket of the family "vpn" that hears events of that group. */
int vpn_event_open(struct vpn_socket *sock, enum vpn_event_group group, struct vpn_error *err);

/*
 * Wait for events, or a signal, and hand each to the handler, which must not keep it. After
 * VPN_FAULT_LOST the next call goes on.
 */
int vpn_event_read(struct vpn_socket *sock, void (*handler)(const struct vpn_event *, void *),
		   void *data, struct vpn_error *err);

#endif
