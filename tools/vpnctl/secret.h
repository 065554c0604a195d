/* SPDX-License-Identifier: GPL-2.0 */
/* Secret keys on their way to standard output. */
#ifndef VPNCTL_SECRET_H
#define VPNCTL_SECRET_H

#include <linux/vpn.h>
#include <stdint.h>

/* Warns when standard output is a file that everybody may read. */
void secret_warn_of_readers(void);

/* Print a key and erase it; the exit status. */
int secret_print(uint8_t key[VPN_KEY_LEN]);

#endif
