/* SPDX-License-Identifier: GPL-2.0 */
/* Secret keys on their way to standard output. */
#ifndef VPNCTL_SECRET_H
#define VPNCTL_SECRET_H

#include <linux/vpn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Warns when standard output is a file that everybody may read. */
void secret_warn_of_readers(void);

/* Print a key and erase it; the exit status. */
int secret_print(uint8_t key[VPN_KEY_LEN]);

/*
 * Write a text with keys into that memory, and nowhere else, so that they can be erased.
 * NULL after a complaint.
 */
FILE *secret_text_open(char *text, size_t size);

/* Print what was written, as it is or as a QR code, and erase it; the exit status. */
int secret_text_print(FILE *to, char *text, size_t size, const char *what, bool qr);

#endif
