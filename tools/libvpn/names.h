/* SPDX-License-Identifier: GPL-2.0 */
/* The words for what the netlink ABI numbers. */
#ifndef LIBVPN_NAMES_H
#define LIBVPN_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vpn_names {
	const char *const *words;	/* by number; NULL where there is none */
	size_t count;
};

/* As in vpn.yaml. */
extern const struct vpn_names vpn_ciphers;
extern const struct vpn_names vpn_address_modes;
extern const struct vpn_names vpn_credential_kinds;
extern const struct vpn_names vpn_reject_reasons;
extern const struct vpn_names vpn_disconnect_reasons;

/* "unknown" for what a newer kernel may say. */
const char *vpn_name_of(const struct vpn_names *names, uint32_t number);
bool vpn_name_find(const struct vpn_names *names, const char *word, uint32_t *number);

#endif
