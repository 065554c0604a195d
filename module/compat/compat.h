/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that differs between kernel versions, and nothing else. The
 * sources follow the newest kernel; what an older one lacks is made up here.
 * Included in front of every source file.
 */
#ifndef VPN_COMPAT_H
#define VPN_COMPAT_H

#include <linux/kconfig.h>
#include <linux/version.h>

#include "config.h"
#include "core.h"
#include "crypto.h"
#include "genetlink.h"
#include "net.h"

#endif
