/* SPDX-License-Identifier: GPL-2.0 */
/* Issuing a certificate, with a key if there is none. */
#ifndef VPNCTL_ISSUE_H
#define VPNCTL_ISSUE_H

#include <stdbool.h>

#include "../libcred/authority.h"
#include "options.h"

#define ISSUE_DAYS	365

struct issuing {
	const char *folder;		/* NULL: the usual one */
	const char *name, *role, *days, *span;
	const char *public_key;		/* a file; NULL: make a key, or take the one of that name */
	struct option_list hosts;
	bool server;
	/* Filled in. */
	char *certificate;		/* PEM */
	char *key_path;			/* NULL: the private key is elsewhere */
	uint8_t private_key[VPN_KEY_LEN];
};

/* The folder of the CA: as given, or as the environment says, or /etc/vpn/pki. */
const char *issue_folder(const char *given);
/* A public key in a file, as --public-key names it; false after a complaint. */
bool issue_read_public(const char *path, uint8_t key[VPN_KEY_LEN]);
/* The exit status; afterwards issue_free(). */
int issue(struct issuing *issuing);
void issue_free(struct issuing *issuing);

#endif
