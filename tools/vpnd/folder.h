/* SPDX-License-Identifier: GPL-2.0 */
/* A folder with a file for each client that has a key and nothing else. */
#ifndef VPND_FOLDER_H
#define VPND_FOLDER_H

#include "guest.h"

/*
 * Add those that it has to the guests, and take out those that it has not any more; NULL:
 * there is no folder. A file that has no key is told of, and left out. Zero, or a
 * negative errno with a sentence in err.
 */
int folder_read(const char *path, struct guests *guests, struct vpn_error *err);

#endif
