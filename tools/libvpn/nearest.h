/* SPDX-License-Identifier: GPL-2.0 */
/* What a misspelt word was probably meant to be. */
#ifndef LIBVPN_NEAREST_H
#define LIBVPN_NEAREST_H

struct nearest {
	const char *word;
	const char *best;	/* NULL: nothing is near */
	unsigned int distance;
};

void nearest_begin(struct nearest *nearest, const char *word);
void nearest_try(struct nearest *nearest, const char *candidate);

/* "; did you mean 'x'?", or an empty string. Valid until the next call. */
const char *nearest_hint(const struct nearest *nearest);

#endif
