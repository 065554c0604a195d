/* SPDX-License-Identifier: GPL-2.0 */
/* When a client was last connected: the date of a file that outlives the host's being off. */
#ifndef VPND_CONTACT_H
#define VPND_CONTACT_H

#include <stdbool.h>

#include "config.h"

/* It is connected now. */
void contact_note(const struct config *config);
/*
 * Is the clock behind that? Then a server takes for old what is said to it, and is silent.
 * A sentence about it.
 */
bool contact_is_ahead(const struct config *config, char *text, size_t size);

#endif
