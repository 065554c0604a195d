// SPDX-License-Identifier: GPL-2.0
/*
 * A file for 'vpnctl setconf': it is read, or there is a complaint. Its values are
 * those of 'vpnctl set'.
 */

#define FUZZ_TARGET
#include "tools.h"
#include "target.h"

#include "../../tools/vpnctl/command.h"
#include "../../tools/vpnctl/config.h"

/* That of main.c, where all commands hang together. */
const struct command *command_find(const char *name)
{
	(void)name;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vpn_device *dev;
	char *said = NULL;
	const char *path;
	size_t len;
	int fd;

	path = fuzz_file(data, size, &fd);
	fuzz_complaints = open_memstream(&said, &len);
	MUST(fuzz_complaints);
	dev = config_read("vpn0", path, true);
	fclose(fuzz_complaints);
	MUST(dev || len);
	if (dev)
		vpn_device_free(dev);
	free(said);
	close(fd);
	return 0;
}
