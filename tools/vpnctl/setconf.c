// SPDX-License-Identifier: GPL-2.0
#include "command.h"
#include "config.h"

int cmd_setconf(int argc, char *argv[])
{
	return config_apply(argc, argv, true);
}
