/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One printer for people and for machines: each value is given once and comes
 * out in the style that was chosen, so that the styles cannot drift apart.
 */
#ifndef VPNCTL_OUT_H
#define VPNCTL_OUT_H

#include <stdbool.h>
#include <stdint.h>

enum out_style {
	OUT_PRETTY,	/* "  label: value" lines under coloured headings */
	OUT_LINE,	/* "value value, label: value" */
	OUT_TABS,	/* values between tabs, "(none)" for none */
	OUT_JSON,
};

enum out_heading { HEADING_NONE, HEADING_DEVICE, HEADING_PEER };

struct out_field {
	const char *json;		/* NULL: not in JSON */
	const char *label;		/* NULL: goes on in the line of the field before */
	enum out_heading heading;
};

void out_begin(enum out_style style);
enum out_style out_style(void);

/*
 * Objects and arrays of JSON. key is NULL inside of arrays and at the top. In
 * OUT_TABS and OUT_LINE the end of an object ends the line, if there is one.
 */
void out_object(const char *key);
void out_object_end(void);
void out_array(const char *key);
void out_array_end(void);
/* An object of JSON inside of which text goes on in the same line. */
void out_group(const char *key);
void out_group_end(void);
/* Ends a line of text; in JSON, a document. */
void out_end_line(void);

/* NULL means none: OUT_PRETTY and OUT_LINE leave it out. */
void out_string(const struct out_field *field, const char *value);

/*
 * A number in JSON. In OUT_TABS it is tabs, or decimal when that is NULL;
 * otherwise it is text, or left out when that is NULL.
 */
void out_number(const struct out_field *field, uint64_t value, const char *tabs, const char *text);
/* As out_string(), but null in JSON can be told from zero. */
void out_null(const struct out_field *field, const char *tabs);

/* Only in JSON. */
void out_bool(const char *key, bool value);

/* A list; separator is for OUT_TABS. The others have ", ". */
void out_list(const struct out_field *field, const char *separator);
void out_item(const char *value);
/* none: what is said of an empty list; NULL leaves it out. */
void out_list_end(const char *none);

#endif
