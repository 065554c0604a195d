// SPDX-License-Identifier: GPL-2.0
/*
 * Known answers for every primitive that the module uses, for a whole handshake
 * in both roles, and for the defence against denial of service.
 *
 * vectors.h comes from selftests/vectors/make.py.
 */

#include <crypto/chacha20poly1305.h>
#include <crypto/curve25519.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/printk.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/udp.h>

#include "../aead.h"
#include "../cookie.h"
#include "../device.h"
#include "../limit.h"
#include "../noise.h"
#include "../peer.h"
#include "selftest.h"
#include "vectors-v1.h"
#include "vectors.h"

/* Say which line of a test did not hold, and fail it. */
#define EXPECT(condition)						\
	do {								\
		if (!(condition)) {					\
			pr_err("vpn: self test crypto: line %d: not true: %s\n", \
			       __LINE__, #condition);			\
			return false;					\
		}							\
	} while (0)

#define EQUAL(value, expected)						\
	(sizeof(value) == sizeof(expected) &&				\
	 !memcmp(value, expected, sizeof(expected)))

static bool is_version_0(const struct vpn_header *header, u8 type)
{
	return header->type == type && !header->version && !header->flags;
}

static const char prologue[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

static bool test_blake2s(void)
{
	/* RFC 7693, appendix B: "abc". */
	static const u8 abc[] = {
		0x50, 0x8c, 0x5e, 0x8c, 0x32, 0x7c, 0x14, 0xe2,
		0xe1, 0xa7, 0x2b, 0xa3, 0x4e, 0xeb, 0x45, 0x2f,
		0x37, 0x45, 0x8b, 0x20, 0x9e, 0xd6, 0x3a, 0x29,
		0x4d, 0x99, 0x9b, 0x4c, 0x86, 0x67, 0x59, 0x82,
	};
	/* The reference implementation's: nothing, under the key 0, 1, 2 ... */
	static const u8 keyed[] = {
		0x48, 0xa8, 0x99, 0x7d, 0xa4, 0x07, 0x87, 0x6b,
		0x3d, 0x79, 0xc0, 0xd9, 0x23, 0x25, 0xad, 0x3b,
		0x89, 0xcb, 0xb7, 0x54, 0xd8, 0x6a, 0xb7, 0x1a,
		0xee, 0x04, 0x7a, 0xd3, 0x45, 0xfd, 0x2c, 0x49,
	};
	u8 hash[VPN_HASH_LEN], key[VPN_KEY_LEN];
	int i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	vpn_blake2s(hash, sizeof(hash), NULL, 0, "abc", 3);
	EXPECT(EQUAL(hash, abc));
	vpn_blake2s(hash, sizeof(hash), key, sizeof(key), NULL, 0);
	EXPECT(EQUAL(hash, keyed));
	return true;
}

static bool test_kdf(void)
{
	u8 first[VPN_HASH_LEN], second[VPN_HASH_LEN], third[VPN_HASH_LEN];

	vpn_noise_kdf(kdf_key, kdf_input, sizeof(kdf_input), first, NULL, NULL);
	EXPECT(EQUAL(first, kdf_first));
	vpn_noise_kdf(kdf_key, kdf_input, sizeof(kdf_input), first, second,
		      third);
	EXPECT(EQUAL(first, kdf_first));
	EXPECT(EQUAL(second, kdf_second));
	EXPECT(EQUAL(third, kdf_third));

	/* The key may be replaced by what is made of it. */
	memcpy(first, kdf_key, sizeof(first));
	vpn_noise_kdf(first, kdf_input, sizeof(kdf_input), first, second, NULL);
	EXPECT(EQUAL(first, kdf_first));
	EXPECT(EQUAL(second, kdf_second));
	return true;
}

static bool test_x25519(void)
{
	/* RFC 7748, section 5.2. */
	static const u8 scalar[CURVE25519_KEY_SIZE] = {
		0xa5, 0x46, 0xe3, 0x6b, 0xf0, 0x52, 0x7c, 0x9d,
		0x3b, 0x16, 0x15, 0x4b, 0x82, 0x46, 0x5e, 0xdd,
		0x62, 0x14, 0x4c, 0x0a, 0xc1, 0xfc, 0x5a, 0x18,
		0x50, 0x6a, 0x22, 0x44, 0xba, 0x44, 0x9a, 0xc4,
	};
	static const u8 point[CURVE25519_KEY_SIZE] = {
		0xe6, 0xdb, 0x68, 0x67, 0x58, 0x30, 0x30, 0xdb,
		0x35, 0x94, 0xc1, 0xa4, 0x24, 0xb1, 0x5f, 0x7c,
		0x72, 0x66, 0x24, 0xec, 0x26, 0xb3, 0x35, 0x3b,
		0x10, 0xa9, 0x03, 0xa6, 0xd0, 0xab, 0x1c, 0x4c,
	};
	static const u8 product[CURVE25519_KEY_SIZE] = {
		0xc3, 0xda, 0x55, 0x37, 0x9d, 0xe9, 0xc6, 0x90,
		0x8e, 0x94, 0xea, 0x4d, 0xf2, 0x8d, 0x08, 0x4f,
		0x32, 0xec, 0xcf, 0x03, 0x49, 0x1c, 0x71, 0xf7,
		0x54, 0xb4, 0x07, 0x55, 0x77, 0xa2, 0x85, 0x52,
	};
	/* RFC 7748, section 6.1. */
	static const u8 alice_private[CURVE25519_KEY_SIZE] = {
		0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d,
		0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
		0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a,
		0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
	};
	static const u8 alice_public[CURVE25519_KEY_SIZE] = {
		0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54,
		0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
		0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4,
		0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a,
	};
	static const u8 low_order[][CURVE25519_KEY_SIZE] = { { 0 }, { 1 } };
	u8 out[CURVE25519_KEY_SIZE];

	EXPECT(curve25519(out, scalar, point));
	EXPECT(EQUAL(out, product));
	EXPECT(curve25519_generate_public(out, alice_private));
	EXPECT(EQUAL(out, alice_public));
	EXPECT(!curve25519(out, scalar, low_order[0]));
	EXPECT(!curve25519(out, scalar, low_order[1]));
	return true;
}

/* With associated data, as the handshake uses it. */
static bool test_chacha20poly1305(void)
{
	const size_t len = sizeof(rfc8439_plain);
	u8 auth[sizeof(rfc8439_auth)];
	u8 out[sizeof(rfc8439_sealed)];

	chacha20poly1305_encrypt(out, rfc8439_plain, len, rfc8439_auth,
				 sizeof(rfc8439_auth), rfc8439_counter,
				 rfc8439_key);
	EXPECT(EQUAL(out, rfc8439_sealed));
	EXPECT(chacha20poly1305_decrypt(out, out, sizeof(out), rfc8439_auth,
					sizeof(rfc8439_auth), rfc8439_counter,
					rfc8439_key));
	EXPECT(!memcmp(out, rfc8439_plain, len));

	memcpy(auth, rfc8439_auth, sizeof(auth));
	auth[0] ^= 1;
	EXPECT(!chacha20poly1305_decrypt(out, rfc8439_sealed, sizeof(out),
					 auth, sizeof(auth), rfc8439_counter,
					 rfc8439_key));
	return true;
}

static bool test_xchacha20poly1305(void)
{
	const size_t len = sizeof(xchacha_plain);
	u8 out[sizeof(xchacha_sealed)];

	xchacha20poly1305_encrypt(out, xchacha_plain, len, xchacha_auth,
				  sizeof(xchacha_auth), xchacha_nonce,
				  xchacha_key);
	EXPECT(EQUAL(out, xchacha_sealed));
	EXPECT(xchacha20poly1305_decrypt(out, out, sizeof(out), xchacha_auth,
					 sizeof(xchacha_auth), xchacha_nonce,
					 xchacha_key));
	EXPECT(!memcmp(out, xchacha_plain, len));

	memcpy(out, xchacha_sealed, sizeof(out));
	out[len] ^= 1;
	EXPECT(!xchacha20poly1305_decrypt(out, out, sizeof(out), xchacha_auth,
					  sizeof(xchacha_auth), xchacha_nonce,
					  xchacha_key));
	return true;
}

/* Sessions that there can be. */
static const struct {
	const char *name;
	struct vpn_session_kind kind;
} kinds[] = {
	{ "version 0", { 0, VPN_CIPHER_CHACHA20_POLY1305 } },
	{ "version 1, ChaCha20-Poly1305", { 1, VPN_CIPHER_CHACHA20_POLY1305 } },
	{ "version 1, AES-256-GCM", { 1, VPN_CIPHER_AES_256_GCM } },
};

/* Room of a message, a header in front of it and the tag behind it. */
#define ROOM (2000 + VPN_DATA_OVERHEAD)

/* Segments with memory of their own that the crypto API accepts. */
static struct vpn_segment *segments_alloc(unsigned int count)
{
	struct vpn_segment *segments = kcalloc(count, sizeof(*segments),
					       GFP_KERNEL);
	unsigned int i;
	u8 *data;

	data = kcalloc(count, ROOM, GFP_KERNEL);
	if (!segments || !data) {
		kfree(segments);
		kfree(data);
		return NULL;
	}
	for (i = 0; i < count; i++)
		segments[i].data = data + i * ROOM + sizeof(struct vpn_msg_data);
	return segments;
}

static void segments_free(struct vpn_segment *segments)
{
	if (segments)
		kfree(segments[0].data - sizeof(struct vpn_msg_data));
	kfree(segments);
}

static bool fill_is_text(const struct vpn_segment *segment)
{
	unsigned int i;

	for (i = 0; i < segment->len; i++)
		if (segment->data[i] != i % 251)
			return false;
	return true;
}

/* What is sealed, and the header in front of it. */
static void fill_with_text(struct vpn_segment *segment)
{
	const struct vpn_msg_data message = {
		.header.type = VPN_MSG_DATA,
		.header.version = 1,
		.receiver = cpu_to_le32(responder_index),
		.counter = cpu_to_le64(segment->counter),
	};
	unsigned int i;

	memcpy(segment->data - sizeof(message), &message, sizeof(message));
	for (i = 0; i < segment->len; i++)
		segment->data[i] = i % 251;
}

/* What an RFC says; only the tag differs, as this key has no header. */
static bool check_rfc8439(const struct vpn_aead_key *key,
			  struct vpn_segment *segment)
{
	const size_t len = sizeof(rfc8439_plain);

	segment->len = len;
	segment->counter = rfc8439_counter;
	memcpy(segment->data, rfc8439_plain, len);
	EXPECT(!vpn_aead_seal_wait(key, segment, 1));
	EXPECT(!memcmp(segment->data, rfc8439_sealed, len));
	EXPECT(!memcmp(segment->data + len, rfc8439_tag_without_auth,
		       VPN_TAG_LEN));
	vpn_aead_open_wait(key, segment, 1);
	EXPECT(segment->ok);
	EXPECT(!memcmp(segment->data, rfc8439_plain, len));
	return true;
}

/*
 * Nothing, and a block of zeros, under a key and a nonce of zero: test cases 13
 * and 14 of "The Galois/Counter Mode of Operation" (McGrew, Viega).
 */
static bool check_gcm_cases(const struct vpn_aead_key *key,
			    struct vpn_segment *segment)
{
	static const u8 nothing[] = {
		0x53, 0x0f, 0x8a, 0xfb, 0xc7, 0x45, 0x36, 0xb9,
		0xa9, 0x63, 0xb4, 0xf1, 0xc4, 0xcb, 0x73, 0x8b,
	};
	static const u8 block[] = {
		0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e,
		0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18,
		0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0,
		0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19,
	};

	segment->len = 0;
	segment->counter = 0;
	EXPECT(!vpn_aead_seal_wait(key, segment, 1));
	EXPECT(!memcmp(segment->data, nothing, sizeof(nothing)));

	segment->len = 16;
	memset(segment->data, 0, segment->len);
	EXPECT(!vpn_aead_seal_wait(key, segment, 1));
	EXPECT(!memcmp(segment->data, block, sizeof(block)));
	return true;
}

/* Seal all lengths as one batch with @sealer, open them with @opener. */
static bool check_batch(const struct vpn_aead_key *sealer,
			const struct vpn_aead_key *opener,
			const struct vpn_session_kind *kind,
			struct vpn_segment *segments)
{
	const unsigned int count = ARRAY_SIZE(data_vectors);
	const u8 *expected;
	u8 hash[VPN_HASH_LEN];
	unsigned int i;

	for (i = 0; i < count; i++) {
		segments[i].len = data_vectors[i].len;
		segments[i].counter = data_vectors[i].counter;
		fill_with_text(&segments[i]);
	}
	EXPECT(!vpn_aead_seal_wait(sealer, segments, count));
	for (i = 0; i < count; i++) {
		vpn_blake2s(hash, sizeof(hash), NULL, 0, segments[i].data,
			    segments[i].len + VPN_TAG_LEN);
		expected = kind->version ? data_vectors[i].v1[kind->suite] :
					   data_vectors[i].hash;
		EXPECT(!memcmp(hash, expected, sizeof(hash)));
	}

	vpn_aead_open_wait(opener, segments, count);
	for (i = 0; i < count; i++)
		EXPECT(segments[i].ok && fill_is_text(&segments[i]));
	return true;
}

/*
 * One wrong bit or a wrong counter spoils its own segment and no other. A
 * header is watched if it belongs to the message, and only then.
 */
static bool check_refusal(const struct vpn_aead_key *key, bool with_ad,
			  struct vpn_segment *segments)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		segments[i].len = 100;
		segments[i].counter = i;
		fill_with_text(&segments[i]);
	}
	EXPECT(!vpn_aead_seal_wait(key, segments, 6));
	segments[1].data[100] ^= 1;
	segments[2].data[50] ^= 0x80;
	segments[3].counter ^= 1ULL << 63;
	segments[4].data[-1] ^= 1;
	vpn_aead_open_wait(key, segments, 6);
	EXPECT(segments[0].ok && fill_is_text(&segments[0]));
	EXPECT(!segments[1].ok && !segments[2].ok && !segments[3].ok);
	EXPECT(segments[4].ok == !with_ad);
	EXPECT(segments[5].ok && fill_is_text(&segments[5]));
	return true;
}

static bool check_known(enum vpn_aead_backend backend, u8 suite,
			struct vpn_segment *segments)
{
	const bool gcm = suite == VPN_CIPHER_AES_256_GCM;
	static const u8 zero[VPN_KEY_LEN];
	struct vpn_aead_key key = {};
	bool passed;

	if (vpn_aead_key_init_for(&key, suite, false, gcm ? zero : rfc8439_key,
				  backend))
		return false;
	passed = gcm ? check_gcm_cases(&key, segments) :
		       check_rfc8439(&key, segments);
	vpn_aead_key_erase(&key);
	return passed;
}

/* With a backend alone, and against the other one. */
static bool check_kind(enum vpn_aead_backend backend,
		       const struct vpn_session_kind *kind,
		       struct vpn_segment *segments)
{
	const u8 suite = kind->suite;
	enum vpn_aead_backend other = vpn_aead_has(suite, VPN_AEAD_LIBRARY) ?
				      VPN_AEAD_LIBRARY : backend;
	struct vpn_aead_key key = {}, opener = {};
	bool passed = false;

	if (!vpn_aead_key_init_for(&key, suite, kind->version, data_key,
				   backend) &&
	    !vpn_aead_key_init_for(&opener, suite, kind->version, data_key,
				   other))
		passed = check_batch(&key, &key, kind, segments) &&
			 check_batch(&key, &opener, kind, segments) &&
			 check_refusal(&key, kind->version, segments);
	vpn_aead_key_erase(&key);
	vpn_aead_key_erase(&opener);
	return passed;
}

static bool test_backend(enum vpn_aead_backend backend)
{
	struct vpn_segment *segments = segments_alloc(ARRAY_SIZE(data_vectors));
	bool passed = segments;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds) && passed; i++) {
		const struct vpn_session_kind *kind = &kinds[i].kind;

		if (!vpn_aead_has(kind->suite, backend)) {
			pr_info("vpn: self test crypto: %s: not in the crypto %s\n",
				kinds[i].name,
				backend == VPN_AEAD_API ? "API" : "library");
			continue;
		}
		passed = check_known(backend, kind->suite, segments) &&
			 check_kind(backend, kind, segments);
		if (!passed)
			pr_err("vpn: self test crypto: %s\n", kinds[i].name);
	}
	segments_free(segments);
	return passed;
}

static bool test_aead_library(void)
{
	return test_backend(VPN_AEAD_LIBRARY);
}

static bool test_aead_api(void)
{
	return test_backend(VPN_AEAD_API);
}

/* A batch as in a train: the messages in one piece of memory. */
#define TRAIN_COUNT	32
#define TRAIN_GUARD	64
#define TRAIN_ROOM	(2 * TRAIN_GUARD + \
			 TRAIN_COUNT * (1500 + VPN_DATA_OVERHEAD))

struct train {
	struct vpn_segment segments[TRAIN_COUNT];
	u8 room[TRAIN_ROOM];
	u8 expected[TRAIN_ROOM];
};

/* Lengths from @shortest on; what is around the messages is 0xa5. */
static void train_fill(struct train *train, unsigned int shortest, u64 step)
{
	u8 *data = train->room + TRAIN_GUARD + sizeof(struct vpn_msg_data);
	unsigned int i;

	memset(train->room, 0xa5, sizeof(train->room));
	for (i = 0; i < TRAIN_COUNT; i++) {
		struct vpn_segment *segment = &train->segments[i];

		segment->data = data;
		segment->len = shortest + i;
		segment->front = i % 5 == 0;
		segment->counter = U32_MAX - 10 + i * step;
		fill_with_text(segment);
		data += segment->len + VPN_DATA_OVERHEAD;
	}
}

static u8 *expected_of(struct train *train, const struct vpn_segment *segment)
{
	return train->expected + (segment->data - train->room);
}

/* What the crypto library, asked for one message at a time, makes of it. */
static void train_expect(struct train *train, u8 ad_len)
{
	const struct vpn_segment *s;
	u8 *to;

	memcpy(train->expected, train->room, sizeof(train->expected));
	for (s = train->segments; s < train->segments + TRAIN_COUNT; s++) {
		to = expected_of(train, s);
		chacha20poly1305_encrypt(to, to, s->len, to - ad_len, ad_len,
					 s->counter, data_key);
	}
}

/* Messages 3 and 7 are spoilt; what is around a message never changes. */
static bool check_train_open(const struct vpn_aead_key *key,
			     struct train *train)
{
	struct vpn_segment *segments = train->segments;
	const struct vpn_segment *last = &segments[TRAIN_COUNT - 1];
	const u8 *end = last->data + last->len + VPN_TAG_LEN;
	const size_t header = sizeof(struct vpn_msg_data);
	unsigned int i;

	segments[3].data[segments[3].len] ^= 1;
	segments[7].counter ^= 1;
	vpn_aead_open_wait(key, segments, TRAIN_COUNT);
	for (i = 0; i < TRAIN_COUNT; i++) {
		EXPECT(segments[i].ok == (i != 3 && i != 7));
		EXPECT(!segments[i].ok || fill_is_text(&segments[i]));
		EXPECT(!memcmp(segments[i].data - header,
			       expected_of(train, &segments[i]) - header,
			       header));
	}
	EXPECT(!memchr_inv(train->room, 0xa5, TRAIN_GUARD));
	EXPECT(!memchr_inv(end, 0xa5, train->room + TRAIN_ROOM - end));
	return true;
}

static bool check_train(const struct vpn_aead_key *key, struct train *train,
			unsigned int shortest, u64 step)
{
	train_fill(train, shortest, step);
	train_expect(train, key->ad_len);
	EXPECT(!vpn_aead_seal_wait(key, train->segments, TRAIN_COUNT));
	EXPECT(EQUAL(train->room, train->expected));
	return check_train_open(key, train);
}

/*
 * aead-chacha.c makes use of messages that are neighbours, and of counters that
 * follow one another. Around these lengths it takes another way, or the library
 * does.
 */
static bool check_trains(bool with_ad, struct train *train)
{
	static const u16 lengths[] = { 0, 32, 64, 96, 240, 432, 464, 496, 944,
				       1400 };
	struct vpn_aead_key key = {};
	bool passed = true;
	unsigned int i;

	if (vpn_aead_key_init_for(&key, VPN_CIPHER_CHACHA20_POLY1305, with_ad,
				  data_key, VPN_AEAD_LIBRARY))
		return false;
	for (i = 0; i < ARRAY_SIZE(lengths) && passed; i++)
		passed = check_train(&key, train, lengths[i], 1) &&
			 check_train(&key, train, lengths[i], 1U << 31 | 1);
	vpn_aead_key_erase(&key);
	return passed;
}

static bool test_trains(void)
{
	struct train *train = kmalloc_obj(*train, GFP_KERNEL);
	bool passed;

	passed = train && check_trains(false, train) &&
		 check_trains(true, train);
	kfree(train);
	return passed;
}

static bool check_message(u8 *sealed, u8 *text)
{
	const size_t longest = VPN_AEAD_MESSAGE_MAX;
	const u8 *ad = initiator_public, *key = data_key;
	size_t i;

	for (i = 0; i < longest; i++)
		text[i] = i % 251;
	EXPECT(vpn_aead_gcm_seal(sealed, text, longest, ad, key));
	memset(text, 0, longest);
	EXPECT(vpn_aead_gcm_open(text, sealed, longest, ad, key));
	for (i = 0; i < longest; i++)
		EXPECT(text[i] == i % 251);

	EXPECT(!vpn_aead_gcm_open(text, sealed, longest, key, key));
	EXPECT(!vpn_aead_gcm_open(text, sealed, longest, ad, ad));
	sealed[longest] ^= 1;
	EXPECT(!vpn_aead_gcm_open(text, sealed, longest, ad, key));
	EXPECT(!vpn_aead_gcm_seal(sealed, text, longest + 1, ad, key));
	return true;
}

/* AES-256-GCM of the longest message that a handshake can have. */
static bool test_longest_message(void)
{
	u8 *sealed, *text;
	bool passed;

	if (!vpn_aead_suite_available(VPN_CIPHER_AES_256_GCM))
		return true;
	sealed = kmalloc(VPN_AEAD_MESSAGE_MAX + VPN_TAG_LEN, GFP_KERNEL);
	text = kmalloc(VPN_AEAD_MESSAGE_MAX, GFP_KERNEL);
	passed = sealed && text && check_message(sealed, text);
	kfree(sealed);
	kfree(text);
	return passed;
}

static void begin(struct vpn_noise *noise)
{
	struct vpn_noise prepared;

	vpn_noise_prepare(&prepared, &vpn_noise_chacha20poly1305, prologue,
			  sizeof(prologue) - 1);
	vpn_noise_begin(noise, &prepared, responder_public);
}

static const struct vpn_noise_keys initiator_keys = {
	.local_private = initiator_private,
	.local_public = initiator_public,
	.ephemeral_private = initiator_ephemeral,
	.remote_static = responder_public,
	.static_static = static_static,
	.preshared_key = preshared_key,
};

/* remote_ephemeral is in the initiation. */
static const struct vpn_noise_keys responder_keys = {
	.local_private = responder_private,
	.local_public = responder_public,
	.ephemeral_private = responder_ephemeral,
	.remote_static = initiator_public,
	.remote_ephemeral =
		initiation + offsetof(struct vpn_msg_initiation, ephemeral),
	.static_static = static_static,
	.preshared_key = preshared_key,
};

/* A peer as far as vpn_cookie_add_macs() needs one. */
static bool add_macs(void *message, size_t len,
		     const u8 receiver[VPN_KEY_LEN])
{
	struct vpn_peer *peer = kzalloc_obj(*peer, GFP_KERNEL);

	if (!peer)
		return false;
	vpn_cookie_setup(&peer->cookie, receiver);
	vpn_cookie_add_macs(message, len, peer);
	kfree(peer);
	return true;
}

static bool check_keys(struct vpn_noise *noise)
{
	u8 first[VPN_KEY_LEN], second[VPN_KEY_LEN];

	vpn_noise_split(noise, first, second);
	EXPECT(EQUAL(first, to_responder));
	EXPECT(EQUAL(second, to_initiator));
	EXPECT(!memchr_inv(noise, 0, sizeof(*noise)));
	return true;
}

static bool test_initiator(void)
{
	const struct vpn_msg_response *in = (const void *)response;
	struct vpn_msg_initiation message = {
		.header.type = VPN_MSG_INITIATION,
		.sender = cpu_to_le32(initiator_index),
	};
	struct vpn_noise noise, begun;

	begin(&noise);
	EXPECT(vpn_noise_write_initiation(&noise, &initiator_keys, timestamp,
					  sizeof(timestamp),
					  message.ephemeral));
	EXPECT(add_macs(&message, sizeof(message), responder_public));
	EXPECT(sizeof(message) == sizeof(initiation) &&
	       !memcmp(&message, initiation, sizeof(initiation)));

	begun = noise;
	EXPECT(le32_to_cpu(in->sender) == responder_index);
	EXPECT(vpn_noise_read_response(&noise, &initiator_keys, in->ephemeral,
				       NULL, 0));
	EXPECT(check_keys(&noise));

	/* Neither without the preshared key nor from anybody else. */
	noise = begun;
	EXPECT(!vpn_noise_read_response(&noise,
					&(struct vpn_noise_keys){
						.local_private =
							initiator_private,
						.ephemeral_private =
							initiator_ephemeral,
						.preshared_key = kdf_key,
					}, in->ephemeral, NULL, 0));
	noise = begun;
	EXPECT(!vpn_noise_read_response(&noise, &initiator_keys, initiation,
					NULL, 0));
	return true;
}

static bool test_responder(void)
{
	const struct vpn_msg_initiation *in = (const void *)initiation;
	struct vpn_msg_response message = {
		.header.type = VPN_MSG_RESPONSE,
		.sender = cpu_to_le32(responder_index),
		.receiver = in->sender,
	};
	u8 time[VPN_TIMESTAMP_LEN], who[VPN_KEY_LEN];
	struct vpn_noise noise;

	begin(&noise);
	EXPECT(vpn_noise_read_static(&noise, &responder_keys, in->ephemeral,
				     who));
	EXPECT(EQUAL(who, initiator_public));
	EXPECT(vpn_noise_read_payload(&noise, &responder_keys, in->ephemeral,
				      time, sizeof(time)));
	EXPECT(EQUAL(time, timestamp));
	EXPECT(vpn_noise_write_response(&noise, &responder_keys, NULL, 0,
					message.ephemeral));
	EXPECT(add_macs(&message, sizeof(message), initiator_public));
	EXPECT(sizeof(message) == sizeof(response) &&
	       !memcmp(&message, response, sizeof(response)));
	EXPECT(check_keys(&noise));
	return true;
}

/* What a responder must not take. */
static bool test_responder_refuses(void)
{
	static const u8 no_secret[VPN_KEY_LEN];
	struct vpn_noise_keys keys = responder_keys;
	u8 time[VPN_TIMESTAMP_LEN], who[VPN_KEY_LEN];
	struct vpn_msg_initiation message;
	struct vpn_noise noise;

	memcpy(&message, initiation, sizeof(message));
	message.sealed_timestamp[0] ^= 1;
	begin(&noise);
	EXPECT(vpn_noise_read_static(&noise, &keys, message.ephemeral, who));
	EXPECT(!vpn_noise_read_payload(&noise, &keys, message.ephemeral,
				       time, sizeof(time)));

	memcpy(&message, initiation, sizeof(message));
	message.sealed_static[0] ^= 1;
	begin(&noise);
	EXPECT(!vpn_noise_read_static(&noise, &keys, message.ephemeral, who));

	memcpy(&message, initiation, sizeof(message));
	memset(message.ephemeral, 0, sizeof(message.ephemeral));
	begin(&noise);
	EXPECT(!vpn_noise_read_static(&noise, &keys, message.ephemeral, who));

	/* A peer with whom there is no shared secret. */
	memcpy(&message, initiation, sizeof(message));
	keys.static_static = no_secret;
	begin(&noise);
	EXPECT(vpn_noise_read_static(&noise, &keys, message.ephemeral, who));
	EXPECT(!vpn_noise_read_payload(&noise, &keys, message.ephemeral,
				       time, sizeof(time)));

	/* Meant for somebody else. */
	keys.local_private = initiator_private;
	begin(&noise);
	EXPECT(!vpn_noise_read_static(&noise, &keys, message.ephemeral, who));
	return true;
}

/* "vpn protocol version 1" and the initiation's header, with its flags. */
static void begin_v1(struct vpn_noise *noise, u8 suite, u8 flags)
{
	char label[] = "vpn protocol version 1\1\1\0";
	struct vpn_noise prepared;

	label[sizeof(label) - 2] = flags;
	vpn_noise_prepare(&prepared, vpn_noise_suite_of(suite), label,
			  sizeof(label));
	vpn_noise_begin(noise, &prepared, responder_public);
}

/* The Noise part of a message, which its macs follow. */
#define NOISE_LEN(message, noise)					\
	(sizeof(message) - (noise) - sizeof(struct vpn_macs))

static bool check_initiator_v1(u8 suite, const struct v1_vector *vector,
			       u8 *room)
{
	const size_t first = offsetof(struct vpn_msg_initiation, ephemeral);
	const size_t second = offsetof(struct vpn_msg_response, ephemeral);
	u8 to[VPN_KEY_LEN], from[VPN_KEY_LEN];
	struct vpn_noise noise, begun;

	begin_v1(&noise, suite, suite);
	EXPECT(vpn_noise_write_initiation(&noise, &initiator_keys,
					  v1_initiation_payload,
					  sizeof(v1_initiation_payload), room));
	EXPECT(!memcmp(room, vector->initiation + first,
		       NOISE_LEN(vector->initiation, first)));
	begun = noise;
	EXPECT(vpn_noise_read_response(&noise, &initiator_keys,
				       vector->response + second, room,
				       sizeof(v1_response_payload)));
	EXPECT(!memcmp(room, v1_response_payload, sizeof(v1_response_payload)));
	vpn_noise_split(&noise, to, from);
	EXPECT(EQUAL(to, vector->to_responder));
	EXPECT(EQUAL(from, vector->to_initiator));

	EXPECT(vpn_noise_read_response(&begun, &initiator_keys,
				       vector->refusal + second, room,
				       sizeof(v1_refusal_payload)));
	EXPECT(!memcmp(room, v1_refusal_payload, sizeof(v1_refusal_payload)));
	return true;
}

static bool check_responder_v1(u8 suite, const struct v1_vector *vector,
			       u8 *room)
{
	const size_t first = offsetof(struct vpn_msg_initiation, ephemeral);
	const size_t second = offsetof(struct vpn_msg_response, ephemeral);
	u8 who[VPN_KEY_LEN], to[VPN_KEY_LEN], from[VPN_KEY_LEN];
	struct vpn_noise noise;

	begin_v1(&noise, suite, suite);
	EXPECT(vpn_noise_read_static(&noise, &responder_keys,
				     vector->initiation + first, who));
	EXPECT(EQUAL(who, initiator_public));
	EXPECT(vpn_noise_read_payload(&noise, &responder_keys,
				      vector->initiation + first, room,
				      sizeof(v1_initiation_payload)));
	EXPECT(!memcmp(room, v1_initiation_payload,
		       sizeof(v1_initiation_payload)));
	EXPECT(vpn_noise_write_response(&noise, &responder_keys,
					v1_response_payload,
					sizeof(v1_response_payload), room));
	EXPECT(!memcmp(room, vector->response + second,
		       NOISE_LEN(vector->response, second)));
	vpn_noise_split(&noise, to, from);
	EXPECT(EQUAL(to, vector->to_responder));
	EXPECT(EQUAL(from, vector->to_initiator));

	/* Whose flags say another suite, it does not open. */
	begin_v1(&noise, suite, !suite);
	EXPECT(!vpn_noise_read_static(&noise, &responder_keys,
				      vector->initiation + first, who));
	return true;
}

static bool check_data_v1(const struct vpn_aead_key *key,
			  const struct v1_vector *vector, u8 *room)
{
	struct vpn_segment s = { .data = room + sizeof(struct vpn_msg_data) };

	memcpy(room, vector->keepalive, sizeof(vector->keepalive));
	vpn_aead_open_wait(key, &s, 1);
	EXPECT(s.ok);

	memcpy(room, vector->control, sizeof(vector->control));
	s.len = sizeof(v1_control_plain);
	s.counter = 0x0102030405060708;
	vpn_aead_open_wait(key, &s, 1);
	EXPECT(s.ok);
	EXPECT(!memcmp(s.data, v1_control_plain, sizeof(v1_control_plain)));

	/* The flag that makes it a control message is authentic, too. */
	memcpy(room, vector->control, sizeof(vector->control));
	((struct vpn_header *)room)->flags = 0;
	vpn_aead_open_wait(key, &s, 1);
	EXPECT(!s.ok);
	return true;
}

static bool check_session_v1(u8 suite, const struct v1_vector *vector,
			     u8 *room)
{
	struct vpn_aead_key key = {};
	bool passed;

	EXPECT(!vpn_aead_key_init(&key, suite, true, vector->to_responder));
	passed = check_data_v1(&key, vector, room);
	vpn_aead_key_erase(&key);
	return passed;
}

static bool test_version_1(void)
{
	u8 *room = kmalloc(sizeof(v1_vectors[0].initiation), GFP_KERNEL);
	bool passed = room;
	u8 suite;

	for (suite = 0; suite < ARRAY_SIZE(v1_vectors) && passed; suite++) {
		if (!vpn_noise_suite_of(suite))
			continue;
		passed = check_initiator_v1(suite, &v1_vectors[suite], room) &&
			 check_responder_v1(suite, &v1_vectors[suite], room) &&
			 check_session_v1(suite, &v1_vectors[suite], room);
	}
	kfree(room);
	return passed;
}

/* An initiation in a UDP packet. */
static struct sk_buff *packet(__be16 protocol, u8 host, u16 port)
{
	struct sk_buff *skb = alloc_skb(256, GFP_KERNEL);
	struct ipv6hdr *ipv6;
	struct iphdr *ip;

	if (!skb)
		return NULL;
	skb->protocol = protocol;
	skb_reset_network_header(skb);
	if (protocol == htons(ETH_P_IP)) {
		ip = skb_put_zero(skb, sizeof(*ip));
		ip->saddr = htonl(0xc0000200 + host);
	} else {
		ipv6 = skb_put_zero(skb, sizeof(*ipv6));
		ipv6->saddr.s6_addr[0] = 0x20;
		ipv6->saddr.s6_addr[15] = host;
	}
	skb_set_transport_header(skb, skb->len);
	skb_put_zero(skb, sizeof(struct udphdr));
	udp_hdr(skb)->source = htons(port);
	skb_pull(skb, skb->len);
	skb_put_data(skb, initiation, sizeof(initiation));
	return skb;
}

static enum vpn_mac_verdict verdict(struct vpn_device *vpn,
				    struct sk_buff *skb)
{
	return vpn_cookie_check_loaded(vpn, skb, ktime_get_boottime_ns());
}

/* Let @peer take the cookie that @vpn gives for @skb, as it would unpack it. */
static bool give_cookie(struct vpn_device *vpn, struct sk_buff *skb,
			struct vpn_peer *peer)
{
	const struct vpn_msg_initiation *message = (void *)skb->data;
	struct vpn_msg_cookie reply;

	vpn_cookie_make_reply(vpn, skb, message->sender, &reply);
	EXPECT(is_version_0(&reply.header, VPN_MSG_COOKIE));
	EXPECT(reply.receiver == message->sender);
	EXPECT(xchacha20poly1305_decrypt(peer->cookie.bytes,
					 reply.sealed_cookie,
					 sizeof(reply.sealed_cookie),
					 message->macs.mac1, VPN_MAC_LEN,
					 reply.nonce, responder_cookie_key));
	peer->cookie.birth = ktime_get_boottime_ns();
	return true;
}

static bool check_cookies(struct vpn_device *vpn, struct vpn_peer *peer,
			  struct sk_buff *skb, struct sk_buff *other)
{
	enum vpn_mac_verdict last;
	int i = 0;

	EXPECT(vpn_cookie_check(vpn, skb) == VPN_MAC_VALID);
	EXPECT(verdict(vpn, skb) == VPN_MAC_VALID);
	EXPECT(give_cookie(vpn, skb, peer));
	vpn_cookie_add_macs(skb->data, skb->len, peer);
	memcpy(other->data, skb->data, skb->len);

	/* From there, and at the rate that is allowed; from nowhere else. */
	EXPECT(verdict(vpn, skb) == VPN_MAC_WITH_COOKIE);
	EXPECT(verdict(vpn, other) == VPN_MAC_VALID);
	do {
		last = verdict(vpn, skb);
	} while (last == VPN_MAC_WITH_COOKIE && ++i < 100);
	EXPECT(last == VPN_MAC_LIMITED && i >= 4);

	skb->data[20] ^= 1;
	EXPECT(verdict(vpn, skb) == VPN_MAC_INVALID);
	EXPECT(vpn_cookie_check(vpn, skb) == VPN_MAC_INVALID);
	return true;
}

static bool check_cookies_of(struct vpn_device *vpn, struct vpn_peer *peer,
			     struct sk_buff *skb, struct sk_buff *other)
{
	bool passed;

	passed = skb && other && check_cookies(vpn, peer, skb, other);
	kfree_skb(skb);
	kfree_skb(other);
	return passed;
}

/* A device with an identity, as far as the cookies need one. */
static void set_identity(struct vpn_device *vpn, bool present)
{
	down_write(&vpn->identity.lock);
	vpn->identity.present = present;
	memcpy(vpn->identity.public_key, responder_public, VPN_KEY_LEN);
	vpn_cookie_checker_identity_changed(vpn);
	up_write(&vpn->identity.lock);
}

static bool check_deafness(struct vpn_device *vpn)
{
	struct sk_buff *skb = packet(htons(ETH_P_IP), 1, 1);
	bool passed;

	set_identity(vpn, false);
	passed = skb && vpn_cookie_check(vpn, skb) == VPN_MAC_INVALID;
	kfree_skb(skb);
	return passed;
}

/* With a key that keeps the sources here apart, as nearly all do. */
static struct vpn_limits *limits_alloc(u8 key)
{
	struct vpn_limits *limits = vpn_limits_alloc();

	if (limits)
		memset(&limits->key, key, sizeof(limits->key));
	return limits;
}

static bool test_cookies(void)
{
	struct vpn_device *vpn = kzalloc_obj(*vpn, GFP_KERNEL);
	struct vpn_peer *peer = kzalloc_obj(*peer, GFP_KERNEL);
	const __be16 ipv4 = htons(ETH_P_IP), ipv6 = htons(ETH_P_IPV6);
	bool passed = false;

	if (!vpn || !peer)
		goto out;
	vpn->limits = limits_alloc(1);
	if (!vpn->limits)
		goto out;
	init_rwsem(&vpn->identity.lock);
	vpn_cookie_checker_setup(&vpn->cookie);
	vpn_cookie_setup(&peer->cookie, responder_public);
	set_identity(vpn, true);

	/* Another port, another address, another address of the same /64. */
	passed = check_cookies_of(vpn, peer, packet(ipv4, 1, 1),
				  packet(ipv4, 1, 2)) &&
		 check_cookies_of(vpn, peer, packet(ipv4, 2, 1),
				  packet(ipv4, 3, 1)) &&
		 check_cookies_of(vpn, peer, packet(ipv6, 1, 1),
				  packet(ipv6, 2, 1)) &&
		 check_deafness(vpn);
out:
	if (vpn)
		vpn_limits_free(vpn->limits);
	kfree(peer);
	kfree(vpn);
	return passed;
}

/* Five at once, then twenty a second, however long it was quiet. */
static bool check_handshake_limit(struct vpn_limits *limits,
				  const struct sk_buff *skb,
				  const struct sk_buff *other)
{
	const u64 second = NSEC_PER_SEC;
	const u64 now = second;
	int i;

	for (i = 0; i < 5; i++)
		EXPECT(vpn_limit_take_handshake(limits, skb, now));
	EXPECT(!vpn_limit_take_handshake(limits, skb, now));
	EXPECT(!vpn_limit_take_handshake(limits, skb, now + second / 21));
	EXPECT(vpn_limit_take_handshake(limits, skb, now + second / 20));
	EXPECT(!vpn_limit_take_handshake(limits, skb, now + second / 20));
	EXPECT(vpn_limit_take_handshake(limits, other, now));

	for (i = 0; i < 5; i++)
		EXPECT(vpn_limit_take_handshake(limits, skb,
						now + 10 * second));
	return !vpn_limit_take_handshake(limits, skb, now + 10 * second);
}

/* How many cookies a network gets, now and in the seconds after that. */
static unsigned int take_cookies(struct vpn_limits *limits,
				 const struct sk_buff *skb, unsigned int seconds)
{
	unsigned int taken = 0, i;

	for (i = 0; i < 4000; i++)
		taken += vpn_limit_take_cookie(limits, skb, NSEC_PER_SEC +
					       (u64)i * seconds * 250000);
	return taken;
}

/* What one network asks for costs no other its share. */
static bool check_cookie_limit(struct vpn_limits *limits,
			       const struct sk_buff *skb,
			       const struct sk_buff *other)
{
	const u64 now = NSEC_PER_SEC;
	unsigned int taken;

	EXPECT(take_cookies(limits, skb, 0) == 128 + 4);
	EXPECT(!vpn_limit_has_cookie(limits, skb, now));
	EXPECT(vpn_limit_has_cookie(limits, other, now));
	EXPECT(take_cookies(limits, other, 0) == 4);
	EXPECT(!vpn_limit_has_cookie(limits, other, now));
	/* A second is worth 1,000, and one. */
	taken = take_cookies(limits, skb, 1);
	return taken >= 999 && taken <= 1002;
}

/* Nor does what goes on at one device cost those of another. */
static bool check_limits(struct vpn_limits *limits, struct vpn_limits *others,
			 struct sk_buff *skb, struct sk_buff *other)
{
	bool passed;

	passed = limits && others && skb && other &&
		 check_handshake_limit(limits, skb, other) &&
		 check_handshake_limit(others, skb, other) &&
		 check_cookie_limit(limits, skb, other) &&
		 check_cookie_limit(others, other, skb);
	kfree_skb(skb);
	kfree_skb(other);
	return passed;
}

static bool test_limits_of(__be16 protocol, u8 host, __be16 other)
{
	struct vpn_limits *limits = limits_alloc(1);
	struct vpn_limits *others = limits_alloc(2);
	bool passed;

	passed = check_limits(limits, others, packet(protocol, host, 1),
			      packet(other, host, 1));
	vpn_limits_free(others);
	vpn_limits_free(limits);
	return passed;
}

static bool test_limits(void)
{
	const __be16 ipv4 = htons(ETH_P_IP), ipv6 = htons(ETH_P_IPV6);

	return test_limits_of(ipv4, 1, ipv6) && test_limits_of(ipv6, 1, ipv4);
}

static const struct {
	const char *name;
	bool (*run)(void);
} tests[] = {
	{ "BLAKE2s", test_blake2s },
	{ "KDF", test_kdf },
	{ "X25519", test_x25519 },
	{ "ChaCha20-Poly1305", test_chacha20poly1305 },
	{ "XChaCha20-Poly1305", test_xchacha20poly1305 },
	{ "AEAD of the crypto library", test_aead_library },
	{ "AEAD of the crypto API", test_aead_api },
	{ "AEAD of neighbours", test_trains },
	{ "AEAD of the longest message", test_longest_message },
	{ "handshake as initiator", test_initiator },
	{ "handshake as responder", test_responder },
	{ "bad initiations", test_responder_refuses },
	{ "handshakes of version 1", test_version_1 },
	{ "cookies", test_cookies },
	{ "limits", test_limits },
};

bool vpn_selftest_crypto(void)
{
	bool passed = true;
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (tests[i].run())
			continue;
		pr_err("vpn: self test crypto: %s failed\n", tests[i].name);
		passed = false;
	}
	return passed;
}
