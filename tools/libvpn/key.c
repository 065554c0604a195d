// SPDX-License-Identifier: GPL-2.0
#include "key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

void vpn_key_to_base64(const uint8_t key[VPN_KEY_LEN], char text[VPN_KEY_BASE64_LEN + 1])
{
	EVP_EncodeBlock((unsigned char *)text, key, VPN_KEY_LEN);
}

bool vpn_key_from_base64(uint8_t key[VPN_KEY_LEN], const char *text, size_t len)
{
	/* The decoder counts the padding as one more octet. */
	unsigned char octets[VPN_KEY_LEN + 1];
	char again[VPN_KEY_BASE64_LEN + 1];
	bool good = false;

	if (len != VPN_KEY_BASE64_LEN)
		return false;
	if (EVP_DecodeBlock(octets, (const unsigned char *)text, len) == sizeof(octets)) {
		/*
		 * The decoder overlooks spaces and stray bits at the end:
		 * only what encodes to the same text is a key.
		 */
		vpn_key_to_base64(octets, again);
		good = !CRYPTO_memcmp(again, text, len);
		explicit_bzero(again, sizeof(again));
	}
	if (good)
		memcpy(key, octets, VPN_KEY_LEN);
	explicit_bzero(octets, sizeof(octets));
	return good;
}

bool vpn_key_is_zero(const uint8_t key[VPN_KEY_LEN])
{
	static const uint8_t zero[VPN_KEY_LEN];

	return !CRYPTO_memcmp(key, zero, VPN_KEY_LEN);
}

bool vpn_key_random(uint8_t key[VPN_KEY_LEN])
{
	return getrandom(key, VPN_KEY_LEN, 0) == VPN_KEY_LEN;
}

bool vpn_key_private(uint8_t key[VPN_KEY_LEN])
{
	if (!vpn_key_random(key))
		return false;
	/* RFC 7748, section 5: what decodeScalar25519 would make of it. */
	key[0] &= 248;
	key[VPN_KEY_LEN - 1] &= 127;
	key[VPN_KEY_LEN - 1] |= 64;
	return true;
}

bool vpn_key_public(uint8_t public_key[VPN_KEY_LEN], const uint8_t private_key[VPN_KEY_LEN])
{
	size_t len = VPN_KEY_LEN;
	EVP_PKEY *pkey;
	bool good;

	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, VPN_KEY_LEN);
	good = pkey && EVP_PKEY_get_raw_public_key(pkey, public_key, &len) == 1;
	EVP_PKEY_free(pkey);
	return good;
}
