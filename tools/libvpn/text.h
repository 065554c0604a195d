/* SPDX-License-Identifier: GPL-2.0 */
/* Text that comes from elsewhere and goes to a terminal or into JSON. */
#ifndef LIBVPN_TEXT_H
#define LIBVPN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Octets of the printable UTF-8 character at the beginning of the text; zero
 * when there is none: a control character, or not UTF-8.
 */
size_t text_printable(const char *text);

/* As a name it can be written to a configuration file and read again. */
bool text_is_name(const char *text);

/* In place; the end of what remains becomes the end of the text. */
char *text_trim(char *text);

#endif
