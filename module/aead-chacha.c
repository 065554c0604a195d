// SPDX-License-Identifier: GPL-2.0
/*
 * The AEAD of RFC 8439, made of the crypto library's ChaCha20 and Poly1305.
 *
 * The library has the whole as well, but computes the block of key stream that
 * keys Poly1305, block zero, by itself, without the processor's vectors, and
 * hands Poly1305 a message in five pieces. Here block zero comes with the
 * message, or with those of other messages. And Poly1305 reads a message in one
 * piece where memory allows: what RFC 8439 puts behind the ciphertext (zeros up
 * to a multiple of 16, then the lengths) takes the tag's place until the tag is
 * known.
 */

#include <crypto/poly1305.h>
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "aead-chacha.h"

#define BLOCK		CHACHA_BLOCK_SIZE
/* Blocks that vectors hold. */
#define RUN_MAX		8
#define BLOCKS_LEN	(RUN_MAX * BLOCK)
/* As much of a message as fills them up behind block zero. */
#define FIRST_MAX	((RUN_MAX - 1) * BLOCK)

static_assert(VPN_SEAL_FRONT == BLOCK);
static_assert(VPN_TAG_LEN == POLY1305_DIGEST_SIZE);
static_assert(sizeof(struct vpn_msg_data) % POLY1305_BLOCK_SIZE == 0);

void vpn_aead_chacha_key_init(struct vpn_aead_key *key,
			      const u8 bytes[VPN_KEY_LEN])
{
	int i;

	for (i = 0; i < ARRAY_SIZE(key->words); i++)
		key->words[i] = get_unaligned_le32(bytes + i * sizeof(u32));
}

/*
 * Compute block zero of messages with counters that follow one another, all in
 * one call, though the library counts blocks and not nonces. The state of
 * ChaCha is a square of four rows, and its rounds work on columns and on
 * diagonals, each like the others. So if all rows are rotated, the result is
 * rotated and else the same: rotated by two, the nonce is in the number's place.
 */
static void run_keys(const struct vpn_aead_key *key, u64 counter,
		     u8 blocks[BLOCKS_LEN], unsigned int run)
{
	struct vpn_chacha stream __uninitialized;
	u32 *words = vpn_chacha_words(&stream);
	unsigned int i;
	u64 *halves;

	vpn_chacha_init(&stream, key->words);
	for (i = 0; i < 12; i += 4) {
		swap(words[i], words[i + 2]);
		swap(words[i + 1], words[i + 3]);
	}
	words[12] = lower_32_bits(counter);
	words[13] = upper_32_bits(counter);
	words[14] = 0;
	words[15] = 0;
	memset(blocks, 0, run * BLOCK);
	vpn_chacha_crypt(&stream, blocks, run * BLOCK);
	for (i = 0; i < run; i++) {
		halves = (u64 *)(blocks + i * BLOCK);
		swap(halves[0], halves[1]);
		swap(halves[2], halves[3]);
	}
	memzero_explicit(&stream, sizeof(stream));
}

/*
 * Whether block zero comes with a message for nothing. Vectors take 1, 2, 4 or
 * 8 blocks at a time, and the library takes none for one block alone.
 */
static bool has_room(unsigned int len)
{
	const unsigned int blocks = DIV_ROUND_UP(len, BLOCK) % 8;

	return blocks != 0 && blocks != 2 && blocks != 4;
}

/* Opened in a run is also what would take two calls otherwise. */
static bool is_for_run(unsigned int len, bool opening)
{
	return !has_room(len) || (opening && len > FIRST_MAX);
}

/*
 * How many messages from @s on get block zero from one call; one if that comes
 * with the message. The library counts in 32 bits.
 */
static __always_inline unsigned int
run_of(const struct vpn_segment *s, const struct vpn_segment *end, bool opening)
{
	unsigned int run = 0;

	while (run < RUN_MAX && s + run < end &&
	       is_for_run(s[run].len, opening) &&
	       s[run].counter == s->counter + run &&
	       upper_32_bits(s[run].counter) == upper_32_bits(s->counter))
		run++;
	return run ?: 1;
}

/* Whether the header of the next message is right behind the tag of this. */
static bool is_followed(const struct vpn_segment *s,
			const struct vpn_segment *end)
{
	return s + 1 < end &&
	       s[1].data == s->data + s->len + VPN_DATA_OVERHEAD;
}

/* Whether block zero has room in front of a message, maybe in another one. */
static bool has_front(const struct vpn_segment *s,
		      const struct vpn_segment *begin)
{
	return s->front ||
	       (s > begin && is_followed(s - 1, s + 1) &&
		s[-1].len + VPN_DATA_OVERHEAD >= BLOCK);
}

/*
 * Compute the tag of a ciphertext. Spoils what is in the place of the tag;
 * what is behind that is the same again afterwards.
 */
static void authenticate(const struct vpn_aead_key *key,
			 const struct vpn_segment *s, bool followed,
			 struct poly1305_desc_ctx *poly, u8 tag[VPN_TAG_LEN])
{
	const __le64 lengths[] = { cpu_to_le64(key->ad_len),
				   cpu_to_le64(s->len) };
	const unsigned int odd = s->len % POLY1305_BLOCK_SIZE;
	const u8 *begin = s->data - key->ad_len;
	u8 *end = s->data + s->len;
	u8 tail[2 * POLY1305_BLOCK_SIZE] __uninitialized;

	if (!odd) {
		memcpy(end, lengths, sizeof(lengths));
		poly1305_update(poly, begin, end + sizeof(lengths) - begin);
	} else if (followed) {
		u8 *rounded = end + POLY1305_BLOCK_SIZE - odd;

		memcpy(tail, end + VPN_TAG_LEN, VPN_TAG_LEN);
		memset(end, 0, POLY1305_BLOCK_SIZE);
		memcpy(rounded, lengths, sizeof(lengths));
		poly1305_update(poly, begin, rounded + sizeof(lengths) - begin);
		memcpy(end + VPN_TAG_LEN, tail, VPN_TAG_LEN);
	} else {
		memset(tail, 0, POLY1305_BLOCK_SIZE);
		memcpy(tail, end - odd, odd);
		memcpy(tail + POLY1305_BLOCK_SIZE, lengths, sizeof(lengths));
		poly1305_update(poly, begin, end - odd - begin);
		poly1305_update(poly, tail, sizeof(tail));
	}
	poly1305_final(poly, tag);
}

static bool is_authentic(const struct vpn_aead_key *key,
			 const struct vpn_segment *s, bool followed,
			 const u8 poly_key[POLY1305_KEY_SIZE])
{
	u8 tag[VPN_TAG_LEN], expected[VPN_TAG_LEN];
	struct poly1305_desc_ctx poly __uninitialized;

	poly1305_init(&poly, poly_key);
	memcpy(tag, s->data + s->len, VPN_TAG_LEN);
	authenticate(key, s, followed, &poly, expected);
	return !crypto_memneq(tag, expected, VPN_TAG_LEN);
}

/*
 * How much of a message to crypt together with block zero. What is left must be
 * more than one block.
 */
static unsigned int first_len(unsigned int len)
{
	if (len <= FIRST_MAX)
		return len;
	return len > FIRST_MAX + BLOCK ? FIRST_MAX : FIRST_MAX - BLOCK;
}

/* Mostly of one length, for which the compiler has something better. */
static void copy(u8 *to, const u8 *from, unsigned int len)
{
	if (len == FIRST_MAX)
		memcpy(to, from, FIRST_MAX);
	else
		memcpy(to, from, len);
}

/* Compute block zero, and behind it the beginning of the message, in @first. */
static void crypt_first(const struct vpn_segment *s, struct vpn_chacha *stream,
			u8 first[BLOCKS_LEN])
{
	const unsigned int len = first_len(s->len);

	memset(first, 0, BLOCK);
	copy(first + BLOCK, s->data, len);
	vpn_chacha_seek(stream, s->counter, 0);
	vpn_chacha_crypt(stream, first, BLOCK + len);
}

/* Put that into its place, and go on with the rest of the message. */
static void crypt_rest(const struct vpn_segment *s, struct vpn_chacha *stream,
		       const u8 first[BLOCKS_LEN])
{
	const unsigned int len = first_len(s->len);

	copy(s->data, first + BLOCK, len);
	if (s->len > len)
		vpn_chacha_crypt(stream, s->data + len, s->len - len);
}

static void seal_aside(const struct vpn_aead_key *key, struct vpn_segment *s,
		       bool followed, struct vpn_chacha *stream,
		       u8 first[BLOCKS_LEN])
{
	struct poly1305_desc_ctx poly __uninitialized;

	crypt_first(s, stream, first);
	crypt_rest(s, stream, first);
	poly1305_init(&poly, first);
	memzero_explicit(first, BLOCK);
	authenticate(key, s, followed, &poly, s->data + s->len);
}

/* Compute block zero in front of the message. */
static void seal_in_place(const struct vpn_aead_key *key, struct vpn_segment *s,
			  bool followed, struct vpn_chacha *stream)
{
	struct poly1305_desc_ctx poly __uninitialized;
	u8 front[BLOCK] __uninitialized;
	u8 *block = s->data - BLOCK;

	memcpy(front, block, BLOCK);
	memset(block, 0, BLOCK);
	vpn_chacha_seek(stream, s->counter, 0);
	vpn_chacha_crypt(stream, block, BLOCK + s->len);
	poly1305_init(&poly, block);
	memcpy(block, front, BLOCK);
	authenticate(key, s, followed, &poly, s->data + s->len);
}

static void seal_run(const struct vpn_aead_key *key, struct vpn_segment *s,
		     unsigned int run, const struct vpn_segment *end,
		     struct vpn_chacha *stream, u8 blocks[BLOCKS_LEN])
{
	struct poly1305_desc_ctx poly __uninitialized;
	unsigned int i;

	run_keys(key, s->counter, blocks, run);
	for (i = 0; i < run; i++, s++) {
		vpn_chacha_seek(stream, s->counter, 1);
		vpn_chacha_crypt(stream, s->data, s->len);
		poly1305_init(&poly, blocks + i * BLOCK);
		authenticate(key, s, is_followed(s, end), &poly,
			     s->data + s->len);
	}
	memzero_explicit(blocks, run * BLOCK);
}

/* The ciphertext has to stay until the tag is known to be right. */
static bool open_aside(const struct vpn_aead_key *key, struct vpn_segment *s,
		       bool followed, struct vpn_chacha *stream,
		       u8 first[BLOCKS_LEN])
{
	bool ok;

	crypt_first(s, stream, first);
	ok = is_authentic(key, s, followed, first);
	memzero_explicit(first, BLOCK);
	if (ok)
		crypt_rest(s, stream, first);
	return ok;
}

static void open_run(const struct vpn_aead_key *key, struct vpn_segment *s,
		     unsigned int run, const struct vpn_segment *end,
		     struct vpn_chacha *stream, u8 blocks[BLOCKS_LEN])
{
	unsigned int i;

	run_keys(key, s->counter, blocks, run);
	for (i = 0; i < run; i++, s++) {
		s->ok = is_authentic(key, s, is_followed(s, end),
				     blocks + i * BLOCK);
		if (!s->ok)
			continue;
		vpn_chacha_seek(stream, s->counter, 1);
		vpn_chacha_crypt(stream, s->data, s->len);
	}
	memzero_explicit(blocks, run * BLOCK);
}

void vpn_aead_chacha_seal(const struct vpn_aead_key *key,
			  struct vpn_segment *segments, unsigned int count)
{
	const struct vpn_segment *end = segments + count;
	u8 blocks[BLOCKS_LEN] __aligned(sizeof(u64)) __uninitialized;
	struct vpn_chacha stream __uninitialized;
	struct vpn_segment *s;
	unsigned int run;

	vpn_chacha_init(&stream, key->words);
	for (s = segments; s < end; s += run) {
		run = run_of(s, end, false);
		if (run > 1)
			seal_run(key, s, run, end, &stream, blocks);
		else if (has_front(s, segments))
			seal_in_place(key, s, is_followed(s, end), &stream);
		else
			seal_aside(key, s, is_followed(s, end), &stream,
				   blocks);
	}
	memzero_explicit(&stream, sizeof(stream));
}

void vpn_aead_chacha_open(const struct vpn_aead_key *key,
			  struct vpn_segment *segments, unsigned int count)
{
	const struct vpn_segment *end = segments + count;
	u8 blocks[BLOCKS_LEN] __aligned(sizeof(u64)) __uninitialized;
	struct vpn_chacha stream __uninitialized;
	struct vpn_segment *s;
	unsigned int run;

	vpn_chacha_init(&stream, key->words);
	for (s = segments; s < end; s += run) {
		run = run_of(s, end, true);
		if (run > 1)
			open_run(key, s, run, end, &stream, blocks);
		else
			s->ok = open_aside(key, s, is_followed(s, end),
					   &stream, blocks);
	}
	memzero_explicit(&stream, sizeof(stream));
}
