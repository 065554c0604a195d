/* SPDX-License-Identifier: GPL-2.0 */
/* "vpnctl doctor": what is wrong with this host, as far as tunnels go. */
#ifndef VPND_DOCTOR_H
#define VPND_DOCTOR_H

/* argv: [-j] [FILE]; the exit status. */
int doctor(int argc, char *argv[]);

#endif
