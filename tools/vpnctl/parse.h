/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values as users write them. Each parser returns whether it liked the value;
 * when not, it has told the user what would be right.
 */
#ifndef VPNCTL_PARSE_H
#define VPNCTL_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "../libvpn/device.h"
#include "complain.h"

bool parse_public_key(const struct origin *at, const char *value, uint8_t key[VPN_KEY_LEN]);
/* As above, but the value is never shown. */
bool parse_secret_key(const struct origin *at, const char *value, uint8_t key[VPN_KEY_LEN]);
/* The key is read from a file; an empty file is the zero key. */
bool parse_key_file(const struct origin *at, const char *path, uint8_t key[VPN_KEY_LEN]);
/* One key and a line's end from a descriptor; *empty: there was nothing. */
bool parse_key_stream(const struct origin *at, int fd, const char *name,
		      uint8_t key[VPN_KEY_LEN], bool *empty);

/*
 * The parts of a list with commas, each trimmed and given to a function, until
 * one is not liked. An empty list has no part, not an empty one.
 */
typedef bool (*list_part)(const struct origin *at, const char *text, void *context);
bool parse_list(const struct origin *at, const char *value, list_part part, void *context);

bool parse_port(const struct origin *at, const char *value, uint16_t *port);
bool parse_fwmark(const struct origin *at, const char *value, uint32_t *fwmark);
bool parse_keepalive(const struct origin *at, const char *value, uint16_t *seconds);
bool parse_name(const struct origin *at, const char *value, char name[VPN_NAME_MAX + 1]);
bool parse_prefix(const struct origin *at, const char *value, struct vpn_allowedip *ip);
bool parse_host_name(const struct origin *at, const char *value,
		     char name[VPN_HOST_NAME_MAX + 1]);
bool parse_max_peers(const struct origin *at, const char *value, uint32_t *peers);
bool parse_mtu(const struct origin *at, const char *value, uint16_t *mtu);
/* A decimal number from least to most; what says which it is to be. */
bool parse_count(const struct origin *at, const char *value, uint64_t least, uint64_t most,
		 const char *what, uint64_t *count);

/* What a list between commas is made of. */
struct list_kind {
	bool prefixes;		/* or addresses */
	const char *is;		/* what would be right */
};

extern const struct list_kind address_list, prefix_list, own_list;
bool parse_addresses(const struct origin *at, const char *value, const struct list_kind *kind,
		     unsigned int most, struct vpn_addresses *addresses);

/* The peer gets what is in the file; a relative name is as the origin's file has it. */
bool parse_credential_file(const struct origin *at, const char *path, struct vpn_peer *peer);

/* Resolves names, and tries again for a while when the failure may pass. */
bool parse_endpoint(const struct origin *at, const char *value, union vpn_endpoint *endpoint);

#endif
