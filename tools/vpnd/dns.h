/* SPDX-License-Identifier: GPL-2.0 */
/* Whom this host asks for names. */
#ifndef VPND_DNS_H
#define VPND_DNS_H

#include <jansson.h>
#include <stdbool.h>

#include "../libvpn/error.h"

/* systemd-resolved, over D-Bus. */
bool resolved_is_used(void);
int resolved_set(int ifindex, const json_t *value, struct vpn_error *err);
bool resolved_has(int ifindex, size_t servers);
int resolved_revert(int ifindex, struct vpn_error *err);

/* /etc/resolv.conf, which is moved aside and back. */
int resolv_file_set(const char *ifname, const json_t *value, struct vpn_error *err);
bool resolv_file_ours(const char *ifname);
bool resolv_file_has(const char *ifname, const json_t *value);
/* before: the file's text, if it could not be moved. */
json_t *resolv_file_before(void);
int resolv_file_revert(const char *ifname, const json_t *before, struct vpn_error *err);
/* Without a journal: is there something of that device to be put back? */
bool resolv_file_left(const char *ifname);
/* Where the servers are that were asked before. */
const char *resolv_file_before_path(void);

#endif
