/* SPDX-License-Identifier: GPL-2.0 */
/* Questions to the routes of this host, and a packet to somebody's port. */
#ifndef LIBVPN_PROBE_H
#define LIBVPN_PROBE_H

#include "device.h"

/* IP, UDP, and the protocol's header and tag. */
#define PROBE_OVERHEAD4	60
#define PROBE_OVERHEAD6	80

/* Where packets with that mark go: zero and our address there, or an errno. */
int probe_route(const union vpn_endpoint *to, uint32_t mark, struct vpn_address *source);

/* The device by which this host sends what is for the internet; false: there is none. */
bool probe_uplink(uint16_t family, uint32_t mark, char ifname[IF_NAMESIZE]);

struct probe_path {
	int error;		/* that came back; zero: none */
	uint32_t mtu;		/* of the path, as far as it is known; zero: there is none */
};

/* Send a datagram that takes so many octets with its headers, zero: none, and wait for errors. */
void probe_path(const union vpn_endpoint *to, uint32_t mark, unsigned int octets,
		struct probe_path *path);

/* Has somebody that UDP port, so that no device can come up with it? */
bool probe_is_taken(uint16_t port);

/* An address with a port. */
union vpn_endpoint probe_endpoint(const struct vpn_address *address, uint16_t port);

#endif
