/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_PREFIX_H
#define VPN_PREFIX_H

#include <linux/types.h>

#define VPN_IP_MAX 16
#define VPN_FAMILIES 2	/* IPv4 and IPv6: at most an address each */

/**
 * struct vpn_prefix - an address, or the prefix that it begins
 * @len: octets of the address, 4 or 16; zero for none
 * @bits: length of the prefix
 * @ip: network order
 */
struct vpn_prefix {
	u8 len;
	u8 bits;
	u8 ip[VPN_IP_MAX];
};

#endif
