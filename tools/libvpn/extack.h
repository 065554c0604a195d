/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says of a request that it refused. */
#ifndef LIBVPN_EXTACK_H
#define LIBVPN_EXTACK_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "error.h"

/*
 * Fill err from answer, the NLMSG_ERROR or NLMSG_DONE with which the kernel
 * refused the request; ours: the request is one of the family "vpn", so that
 * the attribute at fault can be named. Returns the negative errno.
 */
int vpn_extack_report(const struct nlmsghdr *answer, const struct nlmsghdr *request, bool ours,
		      struct vpn_error *err);

/* What the kernel has to say of a request that it carried out, or err as it is. */
void vpn_extack_remark(const struct nlmsghdr *answer, struct vpn_error *err);

#endif
