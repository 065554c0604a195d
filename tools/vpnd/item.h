/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vpnd makes and undoes: a thing of one of these kinds, which its key names
 * among its kind, and which is as its value says. Keys and values go into the
 * journal, so they have no secrets.
 */
#ifndef VPND_ITEM_H
#define VPND_ITEM_H

#include <jansson.h>
#include <stdio.h>

#include "../libvpn/rtnl.h"
#include "config.h"

struct guests;

/* What the host is like, as far as what should be depends on it. */
struct facts {
	struct vpn_addresses onlink;		/* networks that the host is on */
	bool connect;				/* a client is to be connected */
	unsigned int server;			/* a client's present one */
	bool has_endpoint;
	union vpn_endpoint endpoint;		/* of that */
	bool has_server_key;
	uint8_t server_key[VPN_KEY_LEN];
	struct vpn_assigned *assigned;		/* NULL: nothing yet */
	const struct guests *guests;		/* of a server: who was let in; may be NULL */
	uint32_t credential_kind;		/* of a client; zero: it shows none */
	uint8_t *credential;
	size_t credential_len;
	bool credential_set;			/* the kernel, which does not tell it, has it */
	uint8_t private_key[VPN_KEY_LEN], preshared_key[VPN_KEY_LEN];
};

/* What kinds of items work on. */
struct world {
	const struct config *config;
	struct facts facts;
	struct vpn_socket rtnl;
	const json_t *before;	/* of the item that is looked at, if it is made already */
	bool resumed;		/* it was begun to undo that item, and that goes on */
	char ifname[IF_NAMESIZE];
};

struct item_kind;

struct item {
	struct item *next;
	const struct item_kind *kind;
	char *key;
	json_t *value;
	bool pushed;		/* the server's wish: if it cannot be, the rest is all the same */
};

struct item_list {
	struct item *first, **end;
	bool pushed;		/* of what is added from now on */
};

struct item_kind {
	const char *name;
	bool of_device;		/* it goes when the device goes */
	bool once;		/* it cannot be seen; the journal knows whether it was made */
	bool by_name;		/* one that the journal has not is somebody else's, or stale */
	bool shared;		/* other runs may count on the same; the last one undoes it */
	bool in_steps;		/* a run that is killed may leave it undone in part */
	/* Is it there as it should be? */
	bool (*matches)(struct world *w, const struct item *item);
	/* What undo() needs to know; NULL: nothing. */
	json_t *(*before)(struct world *w, const struct item *item);
	/* Make it, or change it. Zero, or a negative errno with a sentence in err. */
	int (*make)(struct world *w, const struct item *item, struct vpn_error *err);
	/* No error if there is nothing to undo, or if somebody else has changed it. */
	int (*undo)(struct world *w, const struct item *item, const json_t *before,
		    struct vpn_error *err);
	/* The words of a plan, a line each, behind a sign; NULL: kind and key. */
	void (*describe)(const struct world *w, const struct item *item, const char *sign,
			 FILE *to);
};

extern const struct item_kind kind_device, kind_address, kind_mtu, kind_pool, kind_settings,
	kind_up, kind_route, kind_rule, kind_forwarding, kind_sysctl, kind_firewall, kind_opening,
	kind_dns, kind_hook;

const struct item_kind *item_kind_find(const char *name);

void item_list_init(struct item_list *list);
/* Takes the value; false when memory is out. */
bool item_add(struct item_list *list, const struct item_kind *kind, const char *key,
	      json_t *value);
void item_list_free(struct item_list *list);
const struct item *item_find(const struct item_list *list, const struct item_kind *kind,
			     const char *key);

/* The device's number, or zero when it is not there. */
uint32_t world_ifindex(const struct world *w);
bool world_is_up(struct world *w);
/* Members of a value. */
const char *item_text(const struct item *item, const char *name);
int64_t item_number(const struct item *item, const char *name);

#endif
