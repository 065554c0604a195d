/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests that run inside the kernel when a test build of the module is loaded.
 * Each returns whether it passed, and says in the log what it did not like.
 */
#ifndef VPN_SELFTEST_H
#define VPN_SELFTEST_H

#include <linux/types.h>

/**
 * vpn_selftest_run() - run all of them and log each result
 *
 * Context: process, the module's caches and ciphers are set up.
 * Return: 0, or -EIO when one failed.
 */
int vpn_selftest_run(void);

bool vpn_selftest_allowedips(void);
bool vpn_selftest_crypto(void);
bool vpn_selftest_pool(void);
bool vpn_selftest_replay(void);

#endif
