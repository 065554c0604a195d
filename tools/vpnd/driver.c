// SPDX-License-Identifier: GPL-2.0
#include "driver.h"

#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool ask_driver(int fd, struct ifreq *request, void *command)
{
	request->ifr_data = command;
	return !ioctl(fd, SIOCETHTOOL, request);
}

static unsigned int count_stats(int fd, struct ifreq *request)
{
	struct ethtool_sset_info *info = calloc(1, sizeof(*info) + sizeof(info->data[0]));
	unsigned int count = 0;

	if (!info)
		return 0;
	info->cmd = ETHTOOL_GSSET_INFO;
	info->sset_mask = 1ULL << ETH_SS_STATS;
	if (ask_driver(fd, request, info) && info->sset_mask)
		count = info->data[0];
	free(info);
	return count;
}

bool driver_read(const char *ifname, struct driver *driver)
{
	struct ifreq request = { 0 };
	bool good;
	int fd;

	memset(driver, 0, sizeof(*driver));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	driver->count = count_stats(fd, &request);
	driver->names = calloc(1, sizeof(*driver->names) + driver->count * ETH_GSTRING_LEN);
	driver->values = calloc(1, sizeof(*driver->values) + driver->count * sizeof(uint64_t));
	good = driver->count && driver->names && driver->values;
	if (good) {
		driver->names->cmd = ETHTOOL_GSTRINGS;
		driver->names->string_set = ETH_SS_STATS;
		driver->names->len = driver->count;
		driver->values->cmd = ETHTOOL_GSTATS;
		driver->values->n_stats = driver->count;
		good = ask_driver(fd, &request, driver->names) &&
		       ask_driver(fd, &request, driver->values);
	}
	close(fd);
	return good;
}

void driver_release(struct driver *driver)
{
	free(driver->names);
	free(driver->values);
}

const char *driver_name(const struct driver *driver, unsigned int i)
{
	return (const char *)driver->names->data + i * ETH_GSTRING_LEN;
}

uint64_t driver_value(const struct driver *driver, const char *name)
{
	unsigned int i;

	for (i = 0; i < driver->count; i++) {
		if (!strcmp(driver_name(driver, i), name))
			return driver->values->data[i];
	}
	return 0;
}

uint64_t driver_read_one(const char *ifname, const char *name)
{
	struct driver driver;
	uint64_t value = driver_read(ifname, &driver) ? driver_value(&driver, name) : 0;

	driver_release(&driver);
	return value;
}
