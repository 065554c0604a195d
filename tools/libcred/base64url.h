/* SPDX-License-Identifier: GPL-2.0 */
/* Base64 as tokens have it: "-" and "_", and no padding (RFC 4648, section 5). */
#ifndef LIBCRED_BASE64URL_H
#define LIBCRED_BASE64URL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Characters of that many octets, and the zero behind them. */
#define BASE64URL_TEXT(len)	(((len) + 2) / 3 * 4 + 1)

/* Characters written, without the zero. */
size_t base64url_encode(const void *octets, size_t len, char *text);
/* The octets' number, or -1: it is not the one way to write any. Takes len characters. */
ssize_t base64url_decode(const char *text, size_t len, uint8_t *octets, size_t room);

#endif
