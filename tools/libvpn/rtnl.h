/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses, routes, rules and the MTU of a network device. What is made here
 * carries a protocol number, by which it is known again.
 */
#ifndef LIBVPN_RTNL_H
#define LIBVPN_RTNL_H

#include <linux/if_link.h>
#include <stdbool.h>

#include "device.h"
#include "socket.h"

/* Of addresses, routes and rules; none of those that the kernel or iproute2 name. */
#define VPN_RTNL_PROTOCOL	118

struct vpn_rtnl_entry {
	struct vpn_address address;	/* or the prefix that is routed */
	uint32_t table;			/* of a route */
	uint8_t type;			/* of a route: RTN_*; zero means unicast */
	struct vpn_address source;	/* that a route prefers; family zero: none */
	uint32_t metric;		/* of a route; zero: the kernel's choice */
	bool ours;			/* has that protocol number */
};

struct vpn_rtnl_entries {
	struct vpn_rtnl_entry *list;
	unsigned int count;
};

/*
 * All take a socket of NETLINK_ROUTE and return zero, or a negative errno with a
 * sentence in err. Lists are to be freed with vpn_rtnl_free().
 */
int vpn_rtnl_addresses(struct vpn_socket *sock, uint32_t ifindex, struct vpn_rtnl_entries *entries,
		       struct vpn_error *err);
int vpn_rtnl_routes(struct vpn_socket *sock, uint32_t ifindex, struct vpn_rtnl_entries *entries,
		    struct vpn_error *err);
/* Prefixes that the host is on, through other links than that one. */
int vpn_rtnl_onlink(struct vpn_socket *sock, uint32_t ifindex, struct vpn_rtnl_entries *entries,
		    struct vpn_error *err);
/* Whatever this host has a route to, in any table; but for the default. */
int vpn_rtnl_known(struct vpn_socket *sock, struct vpn_rtnl_entries *entries,
		   struct vpn_error *err);
/* Routes of ours that lead nowhere (throw, unreachable), in that table. */
int vpn_rtnl_blocks(struct vpn_socket *sock, uint32_t table, struct vpn_rtnl_entries *entries,
		    struct vpn_error *err);
void vpn_rtnl_free(struct vpn_rtnl_entries *entries);

/* flags: IFA_F_*, of an address that is added. */
int vpn_rtnl_change_address(struct vpn_socket *sock, uint32_t ifindex,
			    const struct vpn_address *address, uint32_t flags, bool add,
			    struct vpn_error *err);
int vpn_rtnl_change_route(struct vpn_socket *sock, uint32_t ifindex,
			  const struct vpn_rtnl_entry *route, bool add, struct vpn_error *err);

int vpn_rtnl_get_mtu(struct vpn_socket *sock, uint32_t ifindex, uint32_t *mtu,
		     struct vpn_error *err);
int vpn_rtnl_set_mtu(struct vpn_socket *sock, uint32_t ifindex, uint32_t mtu,
		     struct vpn_error *err);

int vpn_rtnl_is_up(struct vpn_socket *sock, uint32_t ifindex, bool *up, struct vpn_error *err);
int vpn_rtnl_set_up(struct vpn_socket *sock, uint32_t ifindex, bool up, struct vpn_error *err);
int vpn_rtnl_get_stats(struct vpn_socket *sock, uint32_t ifindex, struct rtnl_link_stats64 *stats,
		       struct vpn_error *err);

/*
 * Two rules by which what has not the mark is looked up in the table of that
 * number, unless the main table has more than a default route for it.
 */
enum vpn_rtnl_rule {
	VPN_RTNL_RULE_TABLE,	/* is tried last, so has to be added first */
	VPN_RTNL_RULE_MAIN,
	VPN_RTNL_RULES
};

/* present[]: which of ours are there. */
int vpn_rtnl_rules(struct vpn_socket *sock, uint16_t family, uint32_t mark,
		   bool present[VPN_RTNL_RULES], struct vpn_error *err);
int vpn_rtnl_change_rule(struct vpn_socket *sock, uint16_t family, uint32_t mark,
			 enum vpn_rtnl_rule rule, bool add, struct vpn_error *err);

#endif
