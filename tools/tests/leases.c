// SPDX-License-Identifier: GPL-2.0
/*
 * leases FILE COUNT: write so many changes to a file of leases, and print the number of
 * each when it is promised to be on disk. What they are, leases.py knows as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../vpnd/leases.h"
#include "../vpnd/log.h"

#define ADDRESSES	97

void log_pairs(enum config_level level, const char *message, ...)
{
	(void)level;
	fprintf(stderr, "%s\n", message);
}

static struct vpn_lease make(unsigned int n)
{
	struct vpn_lease lease = { .has_key = true, .expires = 1000 + n };
	uint8_t host = n * 7 % ADDRESSES;

	lease.address.family = AF_INET;
	lease.address.prefix_len = 32;
	memcpy(&lease.address.ip4, (const uint8_t[]){ 10, 0, 0, host }, 4);
	memset(lease.public_key, n, VPN_KEY_LEN);
	return lease;
}

static void change(unsigned int n)
{
	struct vpn_lease lease = make(n);

	leases_note(&lease);
	if (n % 5 == 4) {
		lease = make(n - 3);
		leases_forget(&lease);
	}
	leases_flush();
}

int main(int argc, char *argv[])
{
	unsigned int n, count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct vpn_error err;

	if (!count || leases_open(argv[1], &err))
		return EXIT_FAILURE;
	for (n = 1; n <= count; n++) {
		change(n);
		dprintf(STDOUT_FILENO, "%u\n", n);
	}
	leases_close();
	return EXIT_SUCCESS;
}
