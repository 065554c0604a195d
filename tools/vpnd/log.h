/* SPDX-License-Identifier: GPL-2.0 */
/* Lines for people and for machines: what happened, and to whom. Never a key that is secret. */
#ifndef VPND_LOG_H
#define VPND_LOG_H

#include "config.h"

/*
 * Where lines are to go: first is seen whether they can, which changes nothing; dry:
 * and makes no file. Zero, or a negative errno with a sentence in err. Then they do,
 * or do not. Before, they go to stderr.
 */
int log_prepare(const struct config *config, bool dry, struct vpn_error *err);
void log_use(const struct config *config);
void log_abandon(void);
/* Open the file anew: somebody has moved it away. */
void log_reopen(void);
void log_close(void);

/*
 * A line: what happened in words, then pairs of a name and a text. A pair whose
 * text is NULL is left out.
 */
#define log_event(level, ...)	log_pairs(level, __VA_ARGS__, (const char *)NULL)
void log_pairs(enum config_level level, const char *message, ...) __attribute__((sentinel));
/* A line with a message alone. */
void log_line(enum config_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
