// SPDX-License-Identifier: GPL-2.0
#include "text.h"

#include <linux/vpn.h>
#include <stdbool.h>
#include <string.h>

/* Length and lead bits of a UTF-8 sequence by its first octet. */
static size_t sequence_len(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 :
	       first < 0xf5 ? 4 : 0;
}

/* Not a control character, not a surrogate, and not longer than it need be. */
static bool is_printable(unsigned long code, size_t len)
{
	static const unsigned long least[] = { 0, 0x20, 0xa0, 0x800, 0x10000 };

	return code >= least[len] && code != 0x7f && code <= 0x10ffff &&
	       !(code >= 0xd800 && code <= 0xdfff);
}

size_t text_printable(const char *text)
{
	const unsigned char *octets = (const unsigned char *)text;
	size_t len = sequence_len(*octets), i;
	unsigned long code;

	if (!len)
		return 0;
	code = len == 1 ? *octets : *octets & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((octets[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (octets[i] & 0x3f);
	}
	return is_printable(code, len) ? len : 0;
}

bool text_is_name(const char *text)
{
	size_t len = strlen(text), step;
	const char *c;

	if (len > VPN_NAME_MAX || *text == ' ' || (len && text[len - 1] == ' '))
		return false;
	for (c = text; *c; c += step) {
		step = text_printable(c);
		/* A number sign would begin a comment. */
		if (!step || *c == '#')
			return false;
	}
	return true;
}

char *text_trim(char *text)
{
	static const char spaces[] = " \t\r\n\v\f";
	char *end;

	text += strspn(text, spaces);
	for (end = text + strlen(text); end > text && strchr(spaces, end[-1]); end--)
		;
	*end = '\0';
	return text;
}
