/* SPDX-License-Identifier: GPL-2.0 */
/* Keys in files. */
#ifndef VPND_SECRET_H
#define VPND_SECRET_H

#include "config.h"

/* The private key; makes one, with its public key beside it, if there is no file. */
int secret_private(const struct config *config, uint8_t key[VPN_KEY_LEN], struct vpn_error *err);
/* A preshared key; zero if there is none. False with a sentence in err. */
bool secret_preshared(const struct config_key_text *given, const char *path,
		      uint8_t key[VPN_KEY_LEN], struct vpn_error *err);
/* A key in a file, followed by at most the end of its line. */
int secret_read(const char *path, uint8_t key[VPN_KEY_LEN], struct vpn_error *err);

#endif
