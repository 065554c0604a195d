/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included in front of what is fuzzed of the tools: no file but the input is
 * opened, nothing is said to the kernel, no name is asked for, and complaints
 * go where the target wants them.
 */
#ifndef VPN_FUZZ_TOOLS_H
#define VPN_FUZZ_TOOLS_H

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* NULL: standard error. */
extern FILE *fuzz_complaints;

#ifdef __cplusplus
}
#endif

static inline int fuzz_is_input(const char *path)
{
	return !strncmp(path, "/proc/self/fd/", 14);
}

static inline int fuzz_open(const char *path, int flags)
{
	if (fuzz_is_input(path))
		return open(path, flags);
	errno = ENOENT;
	return -1;
}

static inline FILE *fuzz_fopen(const char *path, const char *mode)
{
	if (fuzz_is_input(path))
		return fopen(path, mode);
	errno = ENOENT;
	return NULL;
}

static inline int fuzz_getaddrinfo(const char *host, const char *port,
				   const struct addrinfo *hints,
				   struct addrinfo **found)
{
	struct addrinfo numeric = *hints;

	numeric.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	return getaddrinfo(host, port, &numeric, found);
}

#if !defined(FUZZ_TARGET) && !defined(__cplusplus)
#undef stderr
#define stderr				(fuzz_complaints)
#define open(path, flags)		fuzz_open(path, flags)
#define fopen(path, mode)		fuzz_fopen(path, mode)
#define getaddrinfo(h, p, hints, found)	fuzz_getaddrinfo(h, p, hints, found)
#define mnl_socket_open(bus)		((void)(bus), errno = EPERM, (struct mnl_socket *)NULL)
#define mnl_socket_open2(bus, flags)	((void)(flags), mnl_socket_open(bus))
#define nanosleep(time, left)		((void)(time), (void)(left), 0)
#endif

#endif
