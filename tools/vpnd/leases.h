/* SPDX-License-Identifier: GPL-2.0 */
/* Leases on disk: they outlive the device, the daemon, and the host's being switched off. */
#ifndef VPND_LEASES_H
#define VPND_LEASES_H

#include "../libvpn/device.h"

int leases_open(const char *path, struct vpn_error *err);
void leases_close(void);

/* What an event told. It is on disk after leases_flush(). */
void leases_note(const struct vpn_lease *lease);
void leases_forget(const struct vpn_lease *lease);
/* What was noted since, in one transaction. */
void leases_flush(void);
bool leases_pending(void);

/* Are they written down? A client has none. */
bool leases_are_kept(void);
/* Write down all that a device has, since events may have been missed, and no others. */
void leases_save_all(const char *ifname, bool only_these);
/* Give a device the leases of that pool; those that it has already it keeps. */
int leases_restore(const char *ifname, const struct vpn_address *prefix, struct vpn_error *err);

#endif
