// SPDX-License-Identifier: GPL-2.0
#include "command.h"
#include "config.h"

int cmd_addconf(int argc, char *argv[])
{
	return config_apply(argc, argv, false);
}
