/* SPDX-License-Identifier: GPL-2.0 */
/* The settings that version 1 of the protocol makes use of; see settings.h. */
#ifndef VPNCTL_SETTINGS_V1_H
#define VPNCTL_SETTINGS_V1_H

#include "settings.h"

bool set_host_name(struct builder *b, const struct origin *at, const char *value);
bool set_max_peers(struct builder *b, const struct origin *at, const char *value);
bool set_push_dns(struct builder *b, const struct origin *at, const char *value);
bool set_push_routes(struct builder *b, const struct origin *at, const char *value);
bool set_push_mtu(struct builder *b, const struct origin *at, const char *value);
bool set_push_keepalive(struct builder *b, const struct origin *at, const char *value);

bool set_address(struct builder *b, const struct origin *at, const char *value);
bool set_cipher(struct builder *b, const struct origin *at, const char *value);
bool set_credential(struct builder *b, const struct origin *at, const char *value);
bool set_expires(struct builder *b, const struct origin *at, const char *value);
bool set_peer_routes(struct builder *b, const struct origin *at, const char *value);

#endif
