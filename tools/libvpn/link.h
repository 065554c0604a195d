/* SPDX-License-Identifier: GPL-2.0 */
/* Network devices of kind "vpn", as rtnetlink knows them. */
#ifndef LIBVPN_LINK_H
#define LIBVPN_LINK_H

#include <net/if.h>
#include <stdint.h>

#include "error.h"

struct vpn_link {
	struct vpn_link *next;
	uint32_t ifindex;
	char ifname[IF_NAMESIZE];
	char kind[16];		/* empty: a device without a kind */
};

/* All links of kind "vpn" in the order of the kernel; *links may become NULL. */
int vpn_link_list(struct vpn_link **links, struct vpn_error *err);
void vpn_link_free(struct vpn_link *links);

/* Find a link by name. It is an error when it is not of kind "vpn". */
int vpn_link_find(const char *ifname, uint32_t *ifindex, struct vpn_error *err);

/* Make a link of kind "vpn"; remove one. */
int vpn_link_add(const char *ifname, struct vpn_error *err);
int vpn_link_del(const char *ifname, struct vpn_error *err);

#endif
