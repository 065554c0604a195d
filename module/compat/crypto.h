/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_COMPAT_CRYPTO_H
#define VPN_COMPAT_CRYPTO_H

#endif
