/* SPDX-License-Identifier: GPL-2.0 */
/* Figures over HTTP. */
#ifndef VPND_HTTP_H
#define VPND_HTTP_H

#include "daemon.h"

/* At that address, or nowhere if it is empty. */
int http_open(struct daemon *d, const char *address, struct vpn_error *err);
void http_close(struct daemon *d);

#endif
