/* SPDX-License-Identifier: GPL-2.0 */
/* What should be, from config and facts alone. */
#ifndef VPND_DESIRED_H
#define VPND_DESIRED_H

#include "item.h"

/* Room for the name of a table of nftables. */
#define TABLE_NAME	(3 * IF_NAMESIZE + 8)

/* In the order in which it is made. False: memory is out. */
bool desired_list(const struct config *config, const struct facts *facts, struct item_list *list);

/* Keys, port, peers and the like; NULL with a sentence in err. To be freed. */
struct vpn_device *desired_device(const struct config *config, const struct facts *facts,
				  struct vpn_error *err);

/* The rules of nftables; NULL when memory is out. To be freed. */
char *desired_firewall(const struct config *config, const struct facts *facts);
/* The name of the table. */
void desired_table(const struct config *config, char name[TABLE_NAME]);

/* The server's address in a network: what is given, or the first one. */
struct vpn_address desired_server_address(const struct vpn_address *network);

/* What the kernel is told of somebody who was let in; false: memory is out. */
struct guest;
bool guest_to_peer(const struct guest *guest, const struct config *config, struct vpn_peer *peer);

#endif
