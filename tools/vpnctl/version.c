// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "command.h"
#include "complain.h"

int cmd_version(int argc, char *argv[])
{
	if (argc > 1)
		return complain_usage("version", "'%s': no argument is needed", argv[1]);
	puts("vpnctl " VPN_VERSION);
	return 0;
}
