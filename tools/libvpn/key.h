/* SPDX-License-Identifier: GPL-2.0 */
/* Curve25519 keys and their form in base64. */
#ifndef LIBVPN_KEY_H
#define LIBVPN_KEY_H

#include <linux/vpn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VPN_KEY_BASE64_LEN	44

/* Writes VPN_KEY_BASE64_LEN characters and a terminating zero. */
void vpn_key_to_base64(const uint8_t key[VPN_KEY_LEN], char text[VPN_KEY_BASE64_LEN + 1]);

/*
 * Takes exactly VPN_KEY_BASE64_LEN characters, which need not be terminated,
 * and only the one way of writing a key that vpn_key_to_base64() has.
 */
bool vpn_key_from_base64(uint8_t key[VPN_KEY_LEN], const char *text, size_t len);

bool vpn_key_is_zero(const uint8_t key[VPN_KEY_LEN]);

/* These return false when the system gives no randomness, or no X25519. */
bool vpn_key_random(uint8_t key[VPN_KEY_LEN]);
bool vpn_key_private(uint8_t key[VPN_KEY_LEN]);
bool vpn_key_public(uint8_t public_key[VPN_KEY_LEN], const uint8_t private_key[VPN_KEY_LEN]);

#endif
