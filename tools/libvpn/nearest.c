// SPDX-License-Identifier: GPL-2.0
#include "nearest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX	32

/* Edits (one character more, less or other) that make b of a; case is ignored. */
static unsigned int edits(const char *a, const char *b)
{
	unsigned int row[WORD_MAX + 1], diagonal, above, i, j;
	size_t len = strlen(b);

	for (j = 0; j <= len; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= len; j++) {
			above = row[j];
			row[j] = diagonal + !!strncasecmp(&a[i - 1], &b[j - 1], 1);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[len];
}

void nearest_begin(struct nearest *nearest, const char *word)
{
	size_t len = strlen(word);

	nearest->word = len && len <= WORD_MAX ? word : NULL;
	nearest->best = NULL;
	/* A third of the letters may be wrong. */
	nearest->distance = len / 3 + 2;
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
	unsigned int distance;

	if (!nearest->word || strlen(candidate) > WORD_MAX)
		return;
	distance = edits(nearest->word, candidate);
	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	nearest->best = candidate;
}

const char *nearest_hint(const struct nearest *nearest)
{
	static char hint[WORD_MAX + 32];

	if (!nearest->best)
		return "";
	snprintf(hint, sizeof(hint), "; did you mean '%s'?", nearest->best);
	return hint;
}
