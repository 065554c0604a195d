/* SPDX-License-Identifier: GPL-2.0 */
/* What a client shows, and by what it knows the server. */
#ifndef VPND_CREDENTIAL_H
#define VPND_CREDENTIAL_H

#include "config.h"
#include "../libvpn/credential.h"

/* The certificate or token of a configuration; kind zero: it has none. To free. */
int credential_read(const struct config *config, struct vpn_credential *credential,
		    struct vpn_error *err);

/* Why a server's own certificate is none that clients would take; true: they would. */
bool credential_own_is_good(const struct config *config, const uint8_t private_key[VPN_KEY_LEN],
			    struct vpn_error *err);

/* Does the client know the server by a certificate? */
bool credential_names_server(const struct config *config);
/* The key in the server's certificate, if that is good, and for that host. */
int credential_server_key(const struct config *config, const char *host,
			  uint8_t key[VPN_KEY_LEN], struct vpn_error *err);

#endif
