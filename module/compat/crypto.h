/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_COMPAT_CRYPTO_H
#define VPN_COMPAT_CRYPTO_H

/* For crypto_memneq(), which has a header of its own since 6.6. */
#include <crypto/algapi.h>
#include <crypto/blake2s.h>
#include <crypto/chacha.h>
#include <linux/errno.h>

/*
 * 7.1 has fast AES-GCM in its library. What there was before of that name is
 * portable code for short messages, slower by far than the crypto API.
 */
#if IS_ENABLED(CONFIG_CRYPTO_LIB_AES_GCM)
#include <crypto/aes-gcm.h>
#define VPN_AES_GCM_LIBRARY	true
#else
#define VPN_AES_GCM_LIBRARY	false
struct aes_gcm_key {
	u8 nothing;
};

static inline int aes_gcm_preparekey(struct aes_gcm_key *key, const u8 *in_key,
				     size_t key_len, size_t authtag_len)
{
	return -EOPNOTSUPP;
}

static inline void aes_gcm_encrypt(u8 *dst, const u8 *src, size_t data_len,
				   u8 *authtag, const u8 *ad, size_t ad_len,
				   const u8 *nonce,
				   const struct aes_gcm_key *key)
{
}

static inline int aes_gcm_decrypt(u8 *dst, const u8 *src, size_t data_len,
				  const u8 *authtag, const u8 *ad,
				  size_t ad_len, const u8 *nonce,
				  const struct aes_gcm_key *key)
{
	return -EOPNOTSUPP;
}
#endif

/*
 * 6.3: a completion of the crypto API is handed what the request was given; the
 * request itself before.
 */
#define VPN_CRYPTO_ARG_IS_DATA						\
	__builtin_types_compatible_p(crypto_completion_t,		\
				     void (*)(void *, int))

/* What the argument points to. */
#define VPN_CRYPTO_ARG							\
	typeof(*__builtin_choose_expr(VPN_CRYPTO_ARG_IS_DATA,		\
				      (void *)NULL,			\
				      (struct crypto_async_request *)NULL))

static inline void *vpn_crypto_data(VPN_CRYPTO_ARG *arg)
{
	struct crypto_async_request *request = (void *)arg;

	return VPN_CRYPTO_ARG_IS_DATA ? (void *)arg : request->data;
}

/*
 * ChaCha20: 6.16 made a structure of the state, which was an array of words. In
 * both it is that of RFC 8439: four constants, the key, number of the block,
 * nonce.
 */
struct chacha_state;

#define VPN_CHACHA_IS_STRUCT						\
	__builtin_types_compatible_p(typeof(chacha20_crypt),		\
				     void(struct chacha_state *, u8 *,	\
					  const u8 *, unsigned int))

struct vpn_chacha {
	typeof(*__builtin_choose_expr(VPN_CHACHA_IS_STRUCT,
				      (struct chacha_state *)NULL,
				      (u32 (*)[16])NULL)) state;
};

static inline void vpn_chacha_init(struct vpn_chacha *chacha, const u32 key[8])
{
	static const u8 iv[CHACHA_IV_SIZE];

	chacha_init((void *)&chacha->state, key, iv);
}

static inline u32 *vpn_chacha_words(struct vpn_chacha *chacha)
{
	return (u32 *)&chacha->state;
}

/* Go to a block of the key stream for a nonce of 64 bits. */
static inline void vpn_chacha_seek(struct vpn_chacha *chacha, u64 nonce,
				   u32 block)
{
	u32 *words = vpn_chacha_words(chacha);

	words[12] = block;
	words[13] = 0;
	words[14] = lower_32_bits(nonce);
	words[15] = upper_32_bits(nonce);
}

static inline void vpn_chacha_crypt(struct vpn_chacha *chacha, u8 *data,
				    unsigned int len)
{
	chacha20_crypt((void *)&chacha->state, data, data, len);
}

/*
 * BLAKE2s: 6.19 renamed struct blake2s_state to blake2s_ctx and changed the
 * order of the arguments of the one-shot blake2s(), which takes the old order
 * without complaint. The three steps kept theirs, so build on those, and ask
 * the compiler for the name.
 */
struct blake2s_ctx;
struct blake2s_state;

#define VPN_BLAKE2S_IS_CTX						\
	__builtin_types_compatible_p(typeof(blake2s_final),		\
				     void(struct blake2s_ctx *, u8 *))

struct vpn_blake2s {
	typeof(*__builtin_choose_expr(VPN_BLAKE2S_IS_CTX,
				      (struct blake2s_ctx *)NULL,
				      (struct blake2s_state *)NULL)) state;
};

/* @key may be NULL when @key_len is zero. */
static inline void vpn_blake2s_init(struct vpn_blake2s *ctx, size_t out_len,
				    const u8 *key, size_t key_len)
{
	if (key_len)
		blake2s_init_key(&ctx->state, out_len, key, key_len);
	else
		blake2s_init(&ctx->state, out_len);
}

static inline void vpn_blake2s_update(struct vpn_blake2s *ctx, const void *in,
				      size_t len)
{
	blake2s_update(&ctx->state, in, len);
}

/* Also erases @ctx. */
static inline void vpn_blake2s_final(struct vpn_blake2s *ctx, u8 *out)
{
	blake2s_final(&ctx->state, out);
}

static inline void vpn_blake2s(u8 *out, size_t out_len, const u8 *key,
			       size_t key_len, const void *in, size_t in_len)
{
	struct vpn_blake2s ctx;

	vpn_blake2s_init(&ctx, out_len, key, key_len);
	vpn_blake2s_update(&ctx, in, in_len);
	vpn_blake2s_final(&ctx, out);
}

#endif
