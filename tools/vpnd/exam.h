/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the doctor looks at. Each exam says one thing about its subject, and changes
 * nothing.
 */
#ifndef VPND_EXAM_H
#define VPND_EXAM_H

#include <jansson.h>

#include "../libvpn/rtnl.h"
#include "config.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

/* A file, running or not, or a device that was made by hand. */
struct subject {
	const char *name, *ifname;
	const struct config *config;	/* NULL: there is no file */
	const json_t *status;		/* what vpnd says of itself; NULL: it does not run */
	const struct vpn_device *dev;	/* NULL: there is none */
	struct vpn_socket *rtnl;
	const json_t *ruleset;		/* of nftables; NULL: it cannot be read */
	json_t *findings;
};

/* What was found, and what helps. */
void exam_say(struct subject *s, const char *check, enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void exam_remedy(const struct subject *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool subject_is_server(const struct subject *s);
bool subject_is_client(const struct subject *s);
/* Of a client that has a session or wants one: its server; NULL: it has none now. */
const struct vpn_peer *subject_server(const struct subject *s);
/* An exam before this one has found that. */
bool subject_has_failed(const struct subject *s, const char *check);
/* It has left several handshakes without an answer. */
bool subject_is_unanswered(const struct subject *s);
/* The command that makes what the file asks for. */
const char *subject_again(const struct subject *s);
/* The mark of the tunnel's own packets. */
uint32_t subject_mark(const struct subject *s);

/* exam_host.c */
void exam_module(struct subject *s);
void exam_clock(struct subject *s);
/* exam_firewall.c */
void exam_port(struct subject *s);
void exam_forwarding(struct subject *s);
void exam_nat(struct subject *s);
/* exam_key.c */
void exam_key(struct subject *s);
/* exam_net.c */
void exam_mtu(struct subject *s);
void exam_address(struct subject *s);
void exam_route(struct subject *s);
/* exam_dns.c */
void exam_dns(struct subject *s);

#endif
