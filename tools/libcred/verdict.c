// SPDX-License-Identifier: GPL-2.0
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../libvpn/text.h"

/* What it quotes may be cut within a character; and it is all printable, or not said. */
static void mend(char *text)
{
	size_t step;

	for (; *text; text += step) {
		step = text_printable(text);
		if (step)
			continue;
		*text = '?';
		step = 1;
	}
}

/* Half a character at the end is none. */
static void cut(char *text, size_t room, int len)
{
	size_t end = room - 1;

	if (len < 0 || (size_t)len < room)
		return;
	while (end && ((unsigned char)text[end - 1] & 0xc0) == 0x80)
		end--;
	if (end && (unsigned char)text[end - 1] >= 0xc0)
		end--;
	text[end] = '\0';
}

bool cred_refuse(struct cred_verdict *verdict, uint32_t reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	cut(verdict->text, sizeof(verdict->text),
	    vsnprintf(verdict->text, sizeof(verdict->text), format, args));
	va_end(args);
	mend(verdict->text);
	verdict->reason = reason;
	return false;
}

bool cred_take_text(char *to, size_t room, const void *text, size_t len)
{
	char copy[256];

	if (!len || len >= room || len >= sizeof(copy) || memchr(text, '\0', len))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (!text_is_name(copy))
		return false;
	memcpy(to, copy, len + 1);
	return true;
}

void cred_date(int64_t seconds, char text[CRED_DATE_TEXT])
{
	time_t time = seconds;
	struct tm tm;

	if (!gmtime_r(&time, &tm) || !strftime(text, CRED_DATE_TEXT, "%Y-%m-%d", &tm))
		strcpy(text, "a time far away");
}
