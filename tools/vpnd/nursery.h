/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process from which others are started that are to have none of our rights. It is made
 * while we still have them: another user, and a network of its own where that is allowed.
 * It does nothing else, and ends with us.
 */
#ifndef VPND_NURSERY_H
#define VPND_NURSERY_H

#include <sys/types.h>

/* Before rights are given up; a descriptor, or -errno. */
int nursery_open(void);
void nursery_close(int nursery);

/*
 * Run this program with an argument and these two descriptors as its 3 and 4, and with no
 * others but standard ones. Its process, or -errno. A nursery that has died is made anew.
 */
pid_t nursery_start(int *nursery, const char *argument, int third, int fourth);
/* End it, at once. */
void nursery_stop(int nursery, pid_t pid);

#endif
