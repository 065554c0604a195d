/* SPDX-License-Identifier: GPL-2.0 */
/* The other end of the control socket: what vpnctl runs. */
#ifndef VPND_ASK_H
#define VPND_ASK_H

#include <jansson.h>

/*
 * COMMAND [-j] [--dry-run] [--keep] [NAME|FILE]; the exit status. Without a name
 * it is the only one that runs.
 */
int ask(int argc, char *argv[]);

/* What the one of that name says of itself, to be json_decref()ed; NULL: it does not run. */
json_t *ask_status(const char *name);

#endif
