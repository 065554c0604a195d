/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_COMPAT_NET_H
#define VPN_COMPAT_NET_H

#endif
