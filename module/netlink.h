/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_NETLINK_H
#define VPN_NETLINK_H

int vpn_netlink_init(void);
void vpn_netlink_uninit(void);

#endif
