/* SPDX-License-Identifier: GPL-2.0 */
/* QR codes on a terminal. */
#ifndef VPNCTL_QR_H
#define VPNCTL_QR_H

/* Print the text as a QR code; the exit status. */
int qr_print(const char *text);

#endif
