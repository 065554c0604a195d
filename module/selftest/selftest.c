// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/printk.h>

#include "selftest.h"

static const struct {
	const char *name;
	bool (*run)(void);
} tests[] = {
	{ "allowedips", vpn_selftest_allowedips },
	{ "pool", vpn_selftest_pool },
	{ "replay", vpn_selftest_replay },
	{ "crypto", vpn_selftest_crypto },
};

int vpn_selftest_run(void)
{
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (tests[i].run()) {
			pr_info("vpn: self test %s: passed\n", tests[i].name);
		} else {
			pr_err("vpn: self test %s: failed\n", tests[i].name);
			err = -EIO;
		}
	}
	return err;
}
