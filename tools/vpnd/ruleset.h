/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rules of nftables, whoever made them, do with a packet. Nothing is sent:
 * the rules are read. Of what a rule asks, much is not known; such a rule may apply.
 */
#ifndef VPND_RULESET_H
#define VPND_RULESET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "../libvpn/error.h"

#define RULESET_WHERE	160

/* A new connection's packet, or an answer to it, as far as it is known. */
struct packet {
	uint16_t family;
	const char *in, *out;		/* devices; NULL: some other than loopback and tunnel */
	const char *tunnel;
	const char *source, *target;	/* addresses or networks; NULL: any */
	const char *protocol;		/* "udp"; NULL: any */
	uint16_t port;			/* that it is for, with a protocol */
	bool answer;
};

/* A rule of a chain, or its policy. */
struct ruleset_place {
	char family[8], table[64], chain[64];
	long long handle;		/* zero: the policy */
};

enum fate {
	FATE_PASSES,
	FATE_PASSES_SOME,	/* a rule before the one that drops may take it */
	FATE_DROPPED,
};

/*
 * True: the commands were carried out, and what they print is in *shown, to be freed, if
 * that is not NULL. Otherwise what nftables says is in err.
 */
bool ruleset_run(const char *commands, char **shown, struct vpn_error *err);
/* The rules of this host, to be json_decref()ed; NULL with a sentence in err. */
json_t *ruleset_read(struct vpn_error *err);
/* What the chains at a hook do with it; where: what drops it. */
enum fate ruleset_fate(const json_t *ruleset, const char *hook, const struct packet *packet,
		       struct ruleset_place *where);
/* "inet filter input, policy drop" */
void ruleset_format(const struct ruleset_place *place, char text[RULESET_WHERE]);
/* Is there a rule that may give it another source? */
bool ruleset_translates(const json_t *ruleset, const struct packet *packet);

#endif
