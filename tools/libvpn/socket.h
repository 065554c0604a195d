/* SPDX-License-Identifier: GPL-2.0 */
/* Netlink sockets: one request, its answers, and what the kernel has to say. */
#ifndef LIBVPN_SOCKET_H
#define LIBVPN_SOCKET_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct vpn_socket {
	struct mnl_socket *nl;
	uint16_t family;	/* of generic netlink's "vpn" */
	uint32_t events, auth;	/* its multicast groups */
	uint32_t seq;
	char *buffer;
};

/*
 * What becomes of the messages of an answer. A dump that the kernel says is
 * inconsistent is read again: restart() drops what has been collected. Unless it
 * is ordered: then what is there all the time is in it once, and it will do.
 */
struct vpn_answer {
	int (*message)(const struct nlmsghdr *nlh, void *data);
	void (*restart)(void *data);
	bool ordered;
	void *data;
};

/* bus: NETLINK_ROUTE or NETLINK_GENERIC. */
int vpn_socket_open(struct vpn_socket *sock, int bus, struct vpn_error *err);
/* A NETLINK_GENERIC socket with the family "vpn" looked up. */
int vpn_socket_open_family(struct vpn_socket *sock, struct vpn_error *err);
void vpn_socket_close(struct vpn_socket *sock);

/*
 * Send the request, whose flags say whether it is a dump, and read its answer
 * to the end. answer may be NULL. Returns zero, or a negative errno with a
 * sentence in err. After zero, too, err may have got a remark of the kernel's.
 */
int vpn_socket_talk(struct vpn_socket *sock, struct nlmsghdr *request,
		    const struct vpn_answer *answer, struct vpn_error *err);

/* Room for a request that has little to say. */
union vpn_request {
	struct nlmsghdr nlh;
	char room[128];
};

/* Begin a request of the family "vpn" in the buffer. */
struct nlmsghdr *vpn_socket_request(const struct vpn_socket *sock, void *buffer, uint8_t command);

/* Fill err with a failed system call of the socket; returns -errno. */
int vpn_socket_failed(struct vpn_error *err, const char *what);

/* Room for any message that the kernel makes. */
#define VPN_SOCKET_BUFFER	65536

#endif
