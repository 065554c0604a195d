/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module outside the tree can't select what it needs, so say what is missing
 * before the linker does in its own words.
 */
#ifndef VPN_COMPAT_CONFIG_H
#define VPN_COMPAT_CONFIG_H

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "vpn needs Linux 6.1 or later"
#endif
#if !IS_ENABLED(CONFIG_NET_UDP_TUNNEL)
#error "vpn needs a kernel with CONFIG_NET_UDP_TUNNEL (CONFIG_WIREGUARD=m has it)"
#endif
#if !IS_ENABLED(CONFIG_DST_CACHE)
#error "vpn needs a kernel with CONFIG_DST_CACHE (CONFIG_WIREGUARD=m has it)"
#endif
#if !IS_ENABLED(CONFIG_CRYPTO_LIB_CURVE25519)
#error "vpn needs a kernel with CONFIG_CRYPTO_LIB_CURVE25519 (CONFIG_WIREGUARD=m has it)"
#endif
#if !IS_ENABLED(CONFIG_CRYPTO_LIB_CHACHA20POLY1305)
#error "vpn needs a kernel with CONFIG_CRYPTO_LIB_CHACHA20POLY1305 (CONFIG_WIREGUARD=m has it)"
#endif
#if !IS_ENABLED(CONFIG_CRYPTO_AEAD)
#error "vpn needs a kernel with CONFIG_CRYPTO_AEAD"
#endif

#endif
