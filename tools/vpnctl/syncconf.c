// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "../libvpn/reduce.h"
#include "command.h"
#include "complain.h"
#include "config.h"
#include "settings.h"

static int sync_device(struct vpn_device *want)
{
	struct vpn_device *have;
	struct vpn_error err;
	bool good;

	if (vpn_device_get(want->ifname, &have, &err))
		return complain_error(&err);
	good = vpn_device_reduce(want, have);
	vpn_device_free(have);
	if (!good)
		return !complain(NULL, "%s", strerror(ENOMEM));
	if (!want->has && !want->peers)
		return 0;
	return settings_apply(want);
}

int cmd_syncconf(int argc, char *argv[])
{
	struct vpn_device *want;
	int status;

	if (argc != 3)
		return complain_usage("syncconf", "a device and a file are needed");
	want = config_read(argv[1], argv[2], true);
	if (!want)
		return STATUS_FAILED;
	status = sync_device(want);
	vpn_device_free(want);
	return status;
}
