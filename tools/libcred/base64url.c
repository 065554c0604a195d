// SPDX-License-Identifier: GPL-2.0
#include "base64url.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t base64url_encode(const void *octets, size_t len, char *text)
{
	const uint8_t *from = octets;
	unsigned int bits = 0, count = 0;
	char *to = text;

	while (len--) {
		bits = bits << 8 | *from++;
		for (count += 8; count >= 6; count -= 6)
			*to++ = digits[bits >> (count - 6) & 63];
	}
	if (count)
		*to++ = digits[bits << (6 - count) & 63];
	*to = '\0';
	return to - text;
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

ssize_t base64url_decode(const char *text, size_t len, uint8_t *octets, size_t room)
{
	unsigned int bits = 0, count = 0;
	size_t used = 0, i;
	int value;

	/* A single character is no octet. */
	if (len % 4 == 1)
		return -1;
	for (i = 0; i < len; i++) {
		value = digit(text[i]);
		if (value < 0)
			return -1;
		bits = bits << 6 | value;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		if (used == room)
			return -1;
		octets[used++] = bits >> count;
	}
	/* Bits that are left over would be another way to write the same. */
	return (bits & ((1U << count) - 1)) ? -1 : (ssize_t)used;
}
