// SPDX-License-Identifier: GPL-2.0
#include "privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The network, and ports below 1024: those of the device, and of figures. */
static const int kept[] = { CAP_NET_ADMIN, CAP_NET_BIND_SERVICE };

static uint64_t kept_bits(void)
{
	uint64_t bits = 0;
	unsigned int i;

	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		bits |= 1ULL << kept[i];
	return bits;
}

/* Where that is not allowed, no_new_privs alone keeps programs from getting them back. */
static void bound(uint64_t keep)
{
	int i;

	for (i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
		if (!(keep >> i & 1))
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

bool privileges_suffice(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2] = { 0 };

	return !syscall(SYS_capget, &header, sets) && sets[0].permitted & 1U << CAP_NET_ADMIN;
}

static int drop(uint64_t keep)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2] = { 0 };
	bool other = false;
	unsigned int i;
	uint32_t mask;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capget, &header, sets))
		return -errno;
	bound(keep);
	for (i = 0; i < 2; i++) {
		mask = keep >> 32 * i;
		other |= sets[i].permitted & ~mask || sets[i].inheritable ||
			 (sets[i].permitted & mask) != sets[i].effective;
		sets[i].permitted &= mask;
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	/* A unit of systemd has seen to it already, and may not allow the call. */
	return other && syscall(SYS_capset, &header, sets) ? -errno : 0;
}

int privileges_drop(void)
{
	return drop(kept_bits());
}

int privileges_drop_all(void)
{
	return drop(0);
}
