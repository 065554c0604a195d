// SPDX-License-Identifier: GPL-2.0
#include "out.h"
#include "../libvpn/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESET	"\033[0m"
#define BOLD	"\033[1m"

static const char *const colours[] = {
	[HEADING_NONE]		= "",
	[HEADING_DEVICE]	= "\033[32m",
	[HEADING_PEER]		= "\033[33m",
};

static struct {
	enum out_style style;
	bool colour;
	bool line_open;		/* something is in this line */
	bool any;		/* something has been printed */
	uint64_t filled;	/* JSON: one bit a level, whether it has members */
	const struct out_field *list;
	const char *separator;
	unsigned int items;
} out;

static bool colour_wanted(void)
{
	const char *mode = getenv("VPN_COLOR_MODE"), *none = getenv("NO_COLOR");

	if (mode && !strcmp(mode, "always"))
		return true;
	if ((mode && !strcmp(mode, "never")) || (none && *none))
		return false;
	return isatty(STDOUT_FILENO);
}

void out_begin(enum out_style style)
{
	memset(&out, 0, sizeof(out));
	out.style = style;
	out.colour = style == OUT_PRETTY && colour_wanted();
}

enum out_style out_style(void)
{
	return out.style;
}

/* A name may hold anything: a terminal must not obey it. */
static void put_text(const char *text)
{
	size_t len;

	while (*text) {
		len = text_printable(text);
		if (len)
			fwrite(text, 1, len, stdout);
		else
			putchar('?');
		text += len ? len : 1;
	}
}

static void put_json_char(const char *text, size_t len)
{
	unsigned char c = *text;

	if (c == '"' || c == '\\')
		printf("\\%c", c);
	else if (len)
		fwrite(text, 1, len, stdout);
	else if (c < 0x80)
		printf("\\u%04x", c);
	else
		fputs("\\ufffd", stdout);
}

static void put_json_string(const char *text)
{
	size_t len;

	putchar('"');
	for (; *text; text += len ? len : 1) {
		len = text_printable(text);
		put_json_char(text, len);
	}
	putchar('"');
}

/* What comes before a member: a comma, its key. */
static void put_json_key(const char *key)
{
	if (out.filled & 1)
		putchar(',');
	out.filled |= 1;
	if (!key)
		return;
	put_json_string(key);
	putchar(':');
}

static void json_open(const char *key, char bracket)
{
	if (out.style != OUT_JSON)
		return;
	put_json_key(key);
	putchar(bracket);
	out.filled <<= 1;
}

static void json_close(char bracket)
{
	if (out.style != OUT_JSON)
		return;
	putchar(bracket);
	out.filled >>= 1;
}

void out_object(const char *key)
{
	json_open(key, '{');
}

void out_object_end(void)
{
	json_close('}');
	if (out.style != OUT_JSON)
		out_end_line();
}

void out_group(const char *key)
{
	json_open(key, '{');
}

void out_group_end(void)
{
	json_close('}');
}

void out_bool(const char *key, bool value)
{
	if (out.style != OUT_JSON)
		return;
	put_json_key(key);
	fputs(value ? "true" : "false", stdout);
}

void out_array(const char *key)
{
	json_open(key, '[');
}

void out_array_end(void)
{
	json_close(']');
}

void out_end_line(void)
{
	if (out.style == OUT_JSON ? !out.filled : !out.line_open)
		return;
	putchar('\n');
	out.filled = 0;
	out.line_open = false;
}

static void put_heading(const struct out_field *field)
{
	const char *colour = out.colour ? colours[field->heading] : "";

	out_end_line();
	if (out.any)
		putchar('\n');
	printf("%s%s%s%s: %s", colour, out.colour ? BOLD : "", field->label,
	       out.colour ? RESET : "", colour);
}

static void put_label(const struct out_field *field)
{
	out_end_line();
	printf("  %s%s%s: ", out.colour ? BOLD : "", field->label, out.colour ? RESET : "");
}

/* Everything of a text style that comes before a value. */
static void put_before(const struct out_field *field)
{
	if (out.style == OUT_TABS) {
		if (out.line_open)
			putchar('\t');
	} else if (out.style == OUT_LINE) {
		if (out.line_open)
			fputs(field->label ? ", " : " ", stdout);
		if (field->label)
			printf("%s: ", field->label);
	} else if (field->heading) {
		put_heading(field);
	} else if (field->label) {
		put_label(field);
	} else {
		fputs(", ", stdout);
	}
	out.line_open = true;
	out.any = true;
}

static void put_after(const struct out_field *field)
{
	if (out.style == OUT_PRETTY && out.colour && field->heading)
		fputs(RESET, stdout);
}

static void put_value(const struct out_field *field, const char *value)
{
	put_before(field);
	put_text(value);
	put_after(field);
}

void out_null(const struct out_field *field, const char *tabs)
{
	if (out.style == OUT_TABS) {
		put_value(field, tabs);
	} else if (out.style == OUT_JSON && field->json) {
		put_json_key(field->json);
		fputs("null", stdout);
	}
}

void out_string(const struct out_field *field, const char *value)
{
	if (!value) {
		out_null(field, "(none)");
	} else if (out.style != OUT_JSON) {
		put_value(field, value);
	} else if (field->json) {
		put_json_key(field->json);
		put_json_string(value);
	}
}

void out_number(const struct out_field *field, uint64_t value, const char *tabs, const char *text)
{
	char decimal[24];

	snprintf(decimal, sizeof(decimal), "%llu", (unsigned long long)value);
	if (out.style == OUT_TABS) {
		put_value(field, tabs ? tabs : decimal);
	} else if (out.style == OUT_JSON) {
		if (!field->json)
			return;
		put_json_key(field->json);
		fputs(decimal, stdout);
	} else if (text) {
		put_value(field, text);
	}
}

void out_list(const struct out_field *field, const char *separator)
{
	out.list = field;
	out.separator = out.style == OUT_TABS ? separator : ", ";
	out.items = 0;
	out_array(field->json);
}

void out_item(const char *value)
{
	if (out.style == OUT_JSON) {
		put_json_key(NULL);
		put_json_string(value);
		return;
	}
	if (out.items++)
		fputs(out.separator, stdout);
	else
		put_before(out.list);
	put_text(value);
}

void out_list_end(const char *none)
{
	if (out.style != OUT_JSON && !out.items && none)
		put_value(out.list, none);
	out_array_end();
}
