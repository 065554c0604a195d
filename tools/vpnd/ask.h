/* SPDX-License-Identifier: GPL-2.0 */
/* The other end of the control socket: what vpnctl runs. */
#ifndef VPND_ASK_H
#define VPND_ASK_H

/*
 * COMMAND [-j] [--dry-run] [--keep] [NAME|FILE]; the exit status. Without a name
 * it is the only one that runs.
 */
int ask(int argc, char *argv[]);

#endif
