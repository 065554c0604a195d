/* SPDX-License-Identifier: GPL-2.0 */
/* The driver's own counters, as ethtool -S shows them. */
#ifndef VPND_DRIVER_H
#define VPND_DRIVER_H

#include <linux/ethtool.h>
#include <stdbool.h>
#include <stdint.h>

struct driver {
	struct ethtool_gstrings *names;
	struct ethtool_stats *values;
	unsigned int count;
};

/* False: there are none. To be released all the same. */
bool driver_read(const char *ifname, struct driver *driver);
void driver_release(struct driver *driver);

const char *driver_name(const struct driver *driver, unsigned int i);
/* Zero for one that there is not. */
uint64_t driver_value(const struct driver *driver, const char *name);
/* One of a device that may not be there. */
uint64_t driver_read_one(const char *ifname, const char *name);

#endif
