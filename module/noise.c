// SPDX-License-Identifier: GPL-2.0
/*
 * Noise IKpsk2 with X25519 and BLAKE2s (The Noise Protocol Framework,
 * revision 34; WireGuard white paper, section 5.4).
 */

#include <crypto/chacha20poly1305.h>
#include <crypto/curve25519.h>
#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "aead.h"
#include "noise.h"

static_assert(VPN_KEY_LEN == CURVE25519_KEY_SIZE);
static_assert(VPN_KEY_LEN == CHACHA20POLY1305_KEY_SIZE);
static_assert(VPN_TAG_LEN == CHACHA20POLY1305_AUTHTAG_SIZE);
static_assert(VPN_HASH_LEN == BLAKE2S_HASH_SIZE);

static bool chacha_seal(u8 *out, const u8 *in, size_t len,
			const u8 ad[VPN_HASH_LEN], const u8 key[VPN_KEY_LEN])
{
	chacha20poly1305_encrypt(out, in, len, ad, VPN_HASH_LEN, 0, key);
	return true;
}

static bool chacha_open(u8 *out, const u8 *in, size_t len,
			const u8 ad[VPN_HASH_LEN], const u8 key[VPN_KEY_LEN])
{
	return chacha20poly1305_decrypt(out, in, len, ad, VPN_HASH_LEN, 0, key);
}

const struct vpn_noise_suite vpn_noise_chacha20poly1305 = {
	.name = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s",
	.seal = chacha_seal,
	.open = chacha_open,
};

/* @len counts the tag, as the library wants it. */
static bool gcm_open(u8 *out, const u8 *in, size_t len,
		     const u8 ad[VPN_HASH_LEN], const u8 key[VPN_KEY_LEN])
{
	return vpn_aead_gcm_open(out, in, len - VPN_TAG_LEN, ad, key);
}

const struct vpn_noise_suite vpn_noise_aes256gcm = {
	.name = "Noise_IKpsk2_25519_AESGCM_BLAKE2s",
	.seal = vpn_aead_gcm_seal,
	.open = gcm_open,
};

const struct vpn_noise_suite *vpn_noise_suite_of(u8 suite)
{
	static const struct vpn_noise_suite *const suites[VPN_AEAD_SUITES] = {
		[VPN_CIPHER_CHACHA20_POLY1305] = &vpn_noise_chacha20poly1305,
		[VPN_CIPHER_AES_256_GCM] = &vpn_noise_aes256gcm,
	};

	return vpn_aead_suite_available(suite) ? suites[suite] : NULL;
}

/* HMAC (RFC 2104) of @in followed by the octet @tail, if that is not zero. */
static void hmac(u8 out[VPN_HASH_LEN], const u8 key[VPN_HASH_LEN],
		 const u8 *in, size_t len, u8 tail)
{
	u8 pad[BLAKE2S_BLOCK_SIZE];
	struct vpn_blake2s ctx;
	u8 inner[VPN_HASH_LEN];
	int i;

	memset(pad, 0x36, sizeof(pad));
	for (i = 0; i < VPN_HASH_LEN; i++)
		pad[i] ^= key[i];
	vpn_blake2s_init(&ctx, VPN_HASH_LEN, NULL, 0);
	vpn_blake2s_update(&ctx, pad, sizeof(pad));
	vpn_blake2s_update(&ctx, in, len);
	if (tail)
		vpn_blake2s_update(&ctx, &tail, 1);
	vpn_blake2s_final(&ctx, inner);

	for (i = 0; i < BLAKE2S_BLOCK_SIZE; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	vpn_blake2s_init(&ctx, VPN_HASH_LEN, NULL, 0);
	vpn_blake2s_update(&ctx, pad, sizeof(pad));
	vpn_blake2s_update(&ctx, inner, sizeof(inner));
	vpn_blake2s_final(&ctx, out);

	memzero_explicit(pad, sizeof(pad));
	memzero_explicit(inner, sizeof(inner));
}

void vpn_noise_kdf(const u8 chaining_key[VPN_HASH_LEN], const u8 *in,
		   size_t len, u8 first[VPN_HASH_LEN], u8 *second, u8 *third)
{
	u8 secret[VPN_HASH_LEN];

	hmac(secret, chaining_key, in, len, 0);
	hmac(first, secret, NULL, 0, 1);
	if (second)
		hmac(second, secret, first, VPN_HASH_LEN, 2);
	if (third)
		hmac(third, secret, second, VPN_HASH_LEN, 3);
	memzero_explicit(secret, sizeof(secret));
}

static void mix_hash(struct vpn_noise *noise, const void *in, size_t len)
{
	struct vpn_blake2s ctx;

	vpn_blake2s_init(&ctx, VPN_HASH_LEN, NULL, 0);
	vpn_blake2s_update(&ctx, noise->hash, VPN_HASH_LEN);
	vpn_blake2s_update(&ctx, in, len);
	vpn_blake2s_final(&ctx, noise->hash);
}

/* @key is NULL when the next token replaces it before it is used. */
static void mix_key(struct vpn_noise *noise, const u8 in[VPN_KEY_LEN], u8 *key)
{
	vpn_noise_kdf(noise->chaining_key, in, VPN_KEY_LEN,
		      noise->chaining_key, key, NULL);
}

/*
 * A point of low order makes the shared secret zero whatever the private key,
 * so nobody would have proved anything by knowing it.
 */
static bool mix_dh(struct vpn_noise *noise, const u8 private[VPN_KEY_LEN],
		   const u8 public[VPN_KEY_LEN], u8 *key)
{
	u8 secret[VPN_KEY_LEN];
	bool ok;

	ok = curve25519(secret, private, public);
	if (ok)
		mix_key(noise, secret, key);
	memzero_explicit(secret, sizeof(secret));
	return ok;
}

static bool mix_static_static(struct vpn_noise *noise,
			      const u8 secret[VPN_KEY_LEN], u8 *key)
{
	static const u8 zero[VPN_KEY_LEN];

	if (!crypto_memneq(secret, zero, VPN_KEY_LEN))
		return false;
	mix_key(noise, secret, key);
	return true;
}

static void mix_psk(struct vpn_noise *noise, const u8 psk[VPN_KEY_LEN],
		    u8 key[VPN_KEY_LEN])
{
	u8 hash[VPN_HASH_LEN];

	vpn_noise_kdf(noise->chaining_key, psk, VPN_KEY_LEN,
		      noise->chaining_key, hash, key);
	mix_hash(noise, hash, VPN_HASH_LEN);
	memzero_explicit(hash, sizeof(hash));
}

/* With a preshared key, the ephemeral goes into the key as well. */
static void mix_ephemeral(struct vpn_noise *noise, const u8 public[VPN_KEY_LEN])
{
	mix_hash(noise, public, VPN_KEY_LEN);
	mix_key(noise, public, NULL);
}

static bool write_ephemeral(struct vpn_noise *noise,
			    const u8 private[VPN_KEY_LEN],
			    u8 public[VPN_KEY_LEN])
{
	if (!curve25519_generate_public(public, private))
		return false;
	mix_ephemeral(noise, public);
	return true;
}

static bool seal(struct vpn_noise *noise, u8 *out, const void *in, size_t len,
		 const u8 key[VPN_KEY_LEN])
{
	if (!noise->suite->seal(out, in, len, noise->hash, key))
		return false;
	mix_hash(noise, out, len + VPN_TAG_LEN);
	return true;
}

/* @len does not count the tag. */
static bool open(struct vpn_noise *noise, void *out, const u8 *in, size_t len,
		 const u8 key[VPN_KEY_LEN])
{
	if (!noise->suite->open(out, in, len + VPN_TAG_LEN, noise->hash, key))
		return false;
	mix_hash(noise, in, len + VPN_TAG_LEN);
	return true;
}

void vpn_noise_prepare(struct vpn_noise *noise,
		       const struct vpn_noise_suite *suite,
		       const void *prologue, size_t len)
{
	noise->suite = suite;
	vpn_blake2s(noise->chaining_key, VPN_HASH_LEN, NULL, 0,
		    suite->name, strlen(suite->name));
	memcpy(noise->hash, noise->chaining_key, VPN_HASH_LEN);
	mix_hash(noise, prologue, len);
}

void vpn_noise_begin(struct vpn_noise *noise, const struct vpn_noise *prepared,
		     const u8 responder[VPN_KEY_LEN])
{
	*noise = *prepared;
	mix_hash(noise, responder, VPN_KEY_LEN);
}

bool vpn_noise_write_initiation(struct vpn_noise *noise,
				const struct vpn_noise_keys *keys,
				const void *payload, size_t len, u8 *message)
{
	u8 *sealed_static = message + VPN_KEY_LEN;
	u8 key[VPN_KEY_LEN];
	bool ok;

	if (!write_ephemeral(noise, keys->ephemeral_private, message))
		return false;
	ok = mix_dh(noise, keys->ephemeral_private, keys->remote_static, key) &&
	     seal(noise, sealed_static, keys->local_public, VPN_KEY_LEN, key) &&
	     mix_static_static(noise, keys->static_static, key) &&
	     seal(noise, message + VPN_NOISE_INITIATION_LEN, payload, len, key);
	memzero_explicit(key, sizeof(key));
	return ok;
}

bool vpn_noise_read_static(struct vpn_noise *noise,
			   const struct vpn_noise_keys *keys,
			   const u8 *message, u8 remote_static[VPN_KEY_LEN])
{
	u8 key[VPN_KEY_LEN];
	bool ok;

	mix_ephemeral(noise, message);
	ok = mix_dh(noise, keys->local_private, message, key) &&
	     open(noise, remote_static, message + VPN_KEY_LEN, VPN_KEY_LEN,
		  key);
	memzero_explicit(key, sizeof(key));
	return ok;
}

bool vpn_noise_read_payload(struct vpn_noise *noise,
			    const struct vpn_noise_keys *keys,
			    const u8 *message, void *payload, size_t len)
{
	u8 key[VPN_KEY_LEN];
	bool ok;

	ok = mix_static_static(noise, keys->static_static, key) &&
	     open(noise, payload, message + VPN_NOISE_INITIATION_LEN, len, key);
	memzero_explicit(key, sizeof(key));
	return ok;
}

bool vpn_noise_write_response(struct vpn_noise *noise,
			      const struct vpn_noise_keys *keys,
			      const void *payload, size_t len, u8 *message)
{
	const u8 *ephemeral = keys->ephemeral_private;
	u8 key[VPN_KEY_LEN];
	bool ok;

	if (!write_ephemeral(noise, ephemeral, message) ||
	    !mix_dh(noise, ephemeral, keys->remote_ephemeral, NULL) ||
	    !mix_dh(noise, ephemeral, keys->remote_static, NULL))
		return false;
	mix_psk(noise, keys->preshared_key, key);
	ok = seal(noise, message + VPN_NOISE_RESPONSE_LEN, payload, len, key);
	memzero_explicit(key, sizeof(key));
	return ok;
}

bool vpn_noise_read_response(struct vpn_noise *noise,
			     const struct vpn_noise_keys *keys,
			     const u8 *message, void *payload, size_t len)
{
	u8 key[VPN_KEY_LEN];
	bool ok;

	mix_ephemeral(noise, message);
	if (!mix_dh(noise, keys->ephemeral_private, message, NULL) ||
	    !mix_dh(noise, keys->local_private, message, NULL))
		return false;
	mix_psk(noise, keys->preshared_key, key);
	ok = open(noise, payload, message + VPN_NOISE_RESPONSE_LEN, len, key);
	memzero_explicit(key, sizeof(key));
	return ok;
}

void vpn_noise_split(struct vpn_noise *noise, u8 to_responder[VPN_KEY_LEN],
		     u8 to_initiator[VPN_KEY_LEN])
{
	vpn_noise_kdf(noise->chaining_key, NULL, 0, to_responder, to_initiator,
		      NULL);
	memzero_explicit(noise, sizeof(*noise));
}

int __init vpn_noise_init(void)
{
	/* RFC 7693, appendix B. */
	static const u8 expected[VPN_HASH_LEN] = {
		0x50, 0x8c, 0x5e, 0x8c, 0x32, 0x7c, 0x14, 0xe2,
		0xe1, 0xa7, 0x2b, 0xa3, 0x4e, 0xeb, 0x45, 0x2f,
		0x37, 0x45, 0x8b, 0x20, 0x9e, 0xd6, 0x3a, 0x29,
		0x4d, 0x99, 0x9b, 0x4c, 0x86, 0x67, 0x59, 0x82,
	};
	u8 hash[VPN_HASH_LEN];

	vpn_blake2s(hash, sizeof(hash), NULL, 0, "abc", 3);
	if (!memcmp(hash, expected, sizeof(hash)))
		return 0;
	pr_err("vpn: this kernel's BLAKE2s takes its arguments otherwise than this module was built for\n");
	return -ENOEXEC;
}

void vpn_noise_derive_identity(struct vpn_identity *identity,
			       const u8 private_key[VPN_KEY_LEN])
{
	static const u8 none[VPN_KEY_LEN];

	identity->present = false;
	memset(identity->private_key, 0, VPN_KEY_LEN);
	memset(identity->public_key, 0, VPN_KEY_LEN);
	if (!crypto_memneq(private_key, none, VPN_KEY_LEN))
		return;
	memcpy(identity->private_key, private_key, VPN_KEY_LEN);
	curve25519_clamp_secret(identity->private_key);
	identity->present = curve25519_generate_public(identity->public_key,
						       identity->private_key);
}
