/* SPDX-License-Identifier: GPL-2.0 */
/* A TOML document as a tree of nodes, each of which knows where it stands. */
#ifndef VPND_TOML_H
#define VPND_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum toml_type {
	TOML_TABLE,
	TOML_ARRAY,
	TOML_STRING,
	TOML_INTEGER,
	TOML_BOOLEAN,
	TOML_OTHER,		/* a float, a date, a time */
};

struct toml_place {
	unsigned int line, column;	/* from one; zero: unknown */
};

struct toml_node {
	struct toml_node *next;		/* in its table or array, in the order of the text */
	struct toml_node *first;		/* of a table or array */
	char *key;			/* NULL in an array */
	enum toml_type type;
	struct toml_place at, key_at;	/* the value, and the key before it */
	char *string;			/* may have zero octets in it */
	size_t len;
	int64_t integer;
	bool boolean;
};

struct toml_error {
	struct toml_place at;
	char text[256];
};

/* NULL with an error: the text is not TOML, or memory is out. */
struct toml_node *toml_parse(const char *text, size_t len, struct toml_error *err);
/* Erases the texts, which may be keys. */
void toml_free(struct toml_node *node);

const char *toml_type_name(enum toml_type type);

#ifdef __cplusplus
}
#endif

#endif
