// SPDX-License-Identifier: GPL-2.0
#include "synopsis.h"

#include <ctype.h>
#include <string.h>

/* The bracket that closes the one at text, or NULL. */
static const char *closing(const char *text)
{
	int depth = 0;

	for (; *text; text++) {
		if (*text == '[')
			depth++;
		else if (*text == ']' && !--depth)
			return text;
	}
	return NULL;
}

/* "[name NAME]" is a group; "[+|-]ADDRESS" is a word. */
static bool opens_group(const char *text)
{
	const char *end = closing(text);

	return *text == '[' && end && !isalnum((unsigned char)end[1]);
}

/* Where a word ends: brackets in it belong to it, "FILE|--for" are two words. */
static const char *word_end(const char *text)
{
	const char *end = text;

	while (*end && !isspace((unsigned char)*end) && *end != ']') {
		if (!strncmp(end, "|--", 3))
			break;
		end = *end == '[' && closing(end) ? closing(end) + 1 : end + 1;
	}
	return end;
}

static void add_atom(struct synopsis *synopsis, const char *text, const char *end, int group)
{
	struct atom *atom;

	while (end > text && strchr(".,", end[-1]))
		end--;
	if (end == text || synopsis->count == SYNOPSIS_MAX)
		return;
	atom = &synopsis->atoms[synopsis->count++];
	atom->text = text;
	atom->len = end - text;
	atom->group = group;
}

static int open_group(struct synopsis *synopsis, int parent)
{
	if (synopsis->groups == SYNOPSIS_MAX - 1)
		return parent;
	synopsis->parents[++synopsis->groups] = parent;
	return synopsis->groups;
}

/* A line that begins with the name of the tool, or with prose, is another usage. */
static bool ends_usage(const char *text)
{
	if (*text != '\n')
		return !*text;
	text += strspn(text, "\n ");
	return !strncmp(text, "vpnctl ", 7) || !strncmp(text, "each ", 5);
}

void synopsis_read(struct synopsis *synopsis, const char *text)
{
	const char *end;
	int group = 0;

	while (!ends_usage(text)) {
		if (opens_group(text)) {
			group = open_group(synopsis, group);
			text++;
		} else if (*text == ']') {
			group = synopsis->parents[group];
			text++;
		} else if (isspace((unsigned char)*text) || *text == '|') {
			text++;
		} else {
			end = word_end(text);
			add_atom(synopsis, text, end, group);
			text = end;
		}
	}
}

bool synopsis_literal(const struct atom *atom)
{
	return (islower((unsigned char)*atom->text) || *atom->text == '-') &&
	       !memchr(atom->text, '|', atom->len);
}

int synopsis_value(const struct synopsis *synopsis, int index)
{
	const struct atom *atom = &synopsis->atoms[index];

	if (index + 1 == synopsis->count || !synopsis_literal(atom) ||
	    synopsis_literal(atom + 1) || atom[1].group != atom->group)
		return -1;
	return index + 1;
}

int synopsis_find(const struct synopsis *synopsis, const char *word)
{
	const struct atom *atom;
	int i;

	for (i = 0; i < synopsis->count; i++) {
		atom = &synopsis->atoms[i];
		if (synopsis_literal(atom) && strlen(word) == (size_t)atom->len &&
		    !strncmp(atom->text, word, atom->len))
			return i;
	}
	return -1;
}

bool synopsis_nests(const struct synopsis *synopsis, int group)
{
	int i;

	for (i = 1; group && i <= synopsis->groups; i++) {
		if (synopsis->parents[i] == group)
			return true;
	}
	return false;
}
