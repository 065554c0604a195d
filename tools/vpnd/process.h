/* SPDX-License-Identifier: GPL-2.0 */
/* Processes that we start: they hold nothing of ours, and no shell is needed for a program. */
#ifndef VPND_PROCESS_H
#define VPND_PROCESS_H

#include <sys/types.h>

/*
 * As fork(). The child has the standard descriptors and "keep" (or -1), and no
 * other, so that it holds neither lock nor socket when we have ended; no signal
 * is blocked or ignored. It is sent end_signal when we end; zero: it goes on.
 */
pid_t process_fork(int keep, int end_signal);
/* Wait for its end: its status, 128 and the number of the signal that ended it, or -1. */
int process_wait(pid_t pid);
/*
 * Run a program, for so many seconds at most, with that text (or NULL) as input;
 * what it prints goes to stderr. Its status as above; 127: it could not be run.
 */
int process_run(const char *const argv[], const char *input, unsigned int seconds);

#endif
