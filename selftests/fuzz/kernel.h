/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel gives to the sources that are fuzzed, as far as they need it.
 * Included in front of every file; headers that only the kernel has are empty.
 */
#ifndef VPN_FUZZ_KERNEL_H
#define VPN_FUZZ_KERNEL_H

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define U64_MAX		UINT64_MAX
#define BIT(n)		(1UL << (n))
#define BIT_ULL(n)	(1ULL << (n))
#define BITS_PER_LONG	64
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Whoever runs this is little-endian. */
#define le16_to_cpu(n)	(n)
#define cpu_to_le16(n)	(n)
#define le32_to_cpu(n)	(n)
#define cpu_to_le32(n)	(n)

static inline u16 get_unaligned_be16(const void *from)
{
	const u8 *at = from;

	return (u16)(at[0] << 8 | at[1]);
}

static inline u32 get_unaligned_be32(const void *from)
{
	const u8 *at = from;

	return (u32)get_unaligned_be16(at) << 16 | get_unaligned_be16(at + 2);
}

static inline void put_unaligned_be16(u16 value, void *to)
{
	u8 *at = to;

	at[0] = (u8)(value >> 8);
	at[1] = (u8)value;
}

static inline void put_unaligned_be32(u32 value, void *to)
{
	put_unaligned_be16((u16)(value >> 16), to);
	put_unaligned_be16((u16)value, (u8 *)to + 2);
}

#endif
