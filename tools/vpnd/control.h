/* SPDX-License-Identifier: GPL-2.0 */
/* A socket by which vpnctl tells the daemon what to do: JSON, a question and an answer. */
#ifndef VPND_CONTROL_H
#define VPND_CONTROL_H

#include "daemon.h"

int control_open(struct daemon *d, struct vpn_error *err);
void control_close(struct daemon *d);

#endif
