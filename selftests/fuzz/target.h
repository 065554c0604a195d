/* SPDX-License-Identifier: GPL-2.0 */
/* What targets of the tools have in common. */
#ifndef VPN_FUZZ_TARGET_H
#define VPN_FUZZ_TARGET_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

FILE *fuzz_complaints;

/* A copy that ends where it ends, so that the sanitizer sees who reads on. */
static inline void *fuzz_copy(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	MUST(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

/* A file with the input in it; returns its path, and *fd to close. */
static inline const char *fuzz_file(const uint8_t *data, size_t size, int *fd)
{
	static char path[32];

	*fd = memfd_create("input", 0);
	MUST(*fd >= 0 && write(*fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	return path;
}

#endif
