/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The settings of a device and its peers: words of 'set' and keys of
 * configuration files, which differ in their spelling only.
 */
#ifndef VPNCTL_SETTINGS_H
#define VPNCTL_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "../libvpn/device.h"
#include "complain.h"

/* What is put together, with what is needed to see duplicates. */
struct builder {
	struct vpn_device *dev;
	struct vpn_peer *peer;		/* the one that settings go to; NULL: the device */
	uint32_t given;			/* settings of the present peer or device, one bit each */
	void *peers, *prefixes;		/* trees of all so far */
};

struct setting {
	const char *word;		/* in 'set' */
	const char *key;		/* in a file; NULL: not there */
	bool of_peer;
	bool repeatable;
	bool (*parse_word)(struct builder *b, const struct origin *at, const char *value);
	bool (*parse_key)(struct builder *b, const struct origin *at, const char *value);
};

extern const struct setting settings[];		/* ends with a NULL word */

bool builder_begin(struct builder *b, const char *ifname);
/* Frees all but the device. */
void builder_end(struct builder *b);

/* Write a device to the kernel; the exit status. */
int settings_apply(const struct vpn_device *dev);

/* A new peer; its key is set apart because a file names it later. */
bool builder_add_peer(struct builder *b, const struct origin *at);

/* Of two with that name, the one of a peer, or the device's. */
const struct setting *setting_by_word(const char *word, bool of_peer);
const struct setting *setting_by_key(const char *key, bool of_peer);
/* "; did you mean 'x'?" */
const char *setting_hint(const char *misspelt, bool in_file);

/* Complains when the setting has been given already. */
bool setting_once(struct builder *b, const struct setting *setting, const struct origin *at);

#endif
