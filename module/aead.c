// SPDX-License-Identifier: GPL-2.0
/*
 * ChaCha20-Poly1305 and AES-256-GCM for data messages, each from whichever of
 * the kernel's two implementations is faster here: the crypto library, called
 * directly, or the crypto API, which may know a faster way with this processor.
 */

#include <crypto/aead.h>
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "aead-api.h"
#include "aead-chacha.h"
#include "aead.h"

/* The timing at load: packets as they fill an Ethernet frame. */
#define TIMING_RUNS	9
#define TIMING_ROUNDS	2
#define TIMING_BATCH	8
#define TIMING_LEN	1420
#define TIMING_STRIDE	(TIMING_LEN + VPN_DATA_OVERHEAD)

#define GCM_NONCE_LEN	12

static char *aead = "auto";
module_param(aead, charp, 0444);
MODULE_PARM_DESC(aead, "implementation of ChaCha20-Poly1305: auto, api or library");

static char *aead_gcm = "auto";
module_param(aead_gcm, charp, 0444);
MODULE_PARM_DESC(aead_gcm, "implementation of AES-256-GCM: auto, api or library");

/**
 * struct suite - a cipher suite and how this kernel does it
 * @name: for people
 * @parameter: name of the module parameter
 * @choice: its value
 * @algorithm: name in the crypto API
 * @mask: flags that an implementation of the crypto API must not have
 * @in_library: whether the crypto library has it
 * @big_endian: how the counter is written into the nonce
 * @api: the crypto API's implementation, if there is one
 * @chosen: the backend of keys; VPN_AEAD_BACKENDS when there is none
 * @ns: how long that takes to seal and open a packet
 */
struct suite {
	const char *name;
	const char *parameter;
	char **choice;
	const char *algorithm;
	u32 mask;
	bool in_library;
	bool big_endian;
	struct vpn_aead_api api;
	enum vpn_aead_backend chosen;
	u64 ns;
};

/* udev loads it, where there is udev; without it AES-GCM takes twice as long. */
#ifdef CONFIG_X86
MODULE_SOFTDEP("pre: aesni-intel");
#endif

/*
 * An asynchronous ChaCha20-Poly1305 would be one of an accelerator, and a
 * longer way than to compute it here. Of AES-GCM the fastest that AES-NI has
 * counts as asynchronous before Linux 6.15.
 */
static struct suite suites[VPN_AEAD_SUITES] __read_mostly = {
	[VPN_CIPHER_CHACHA20_POLY1305] = {
		.name = "ChaCha20-Poly1305",
		.parameter = "aead",
		.choice = &aead,
		.algorithm = "rfc7539(chacha20,poly1305)",
		.mask = CRYPTO_ALG_ASYNC,
		.in_library = true,
		.chosen = VPN_AEAD_BACKENDS,
	},
	[VPN_CIPHER_AES_256_GCM] = {
		.name = "AES-256-GCM",
		.parameter = "aead_gcm",
		.choice = &aead_gcm,
		.algorithm = "gcm(aes)",
		.in_library = VPN_AES_GCM_LIBRARY,
		.big_endian = true,
		.chosen = VPN_AEAD_BACKENDS,
	},
};

/* For handshakes, where the library does not know AES-GCM. */
static struct vpn_aead_desk gcm_desk;

static void gcm_nonce(u8 nonce[GCM_NONCE_LEN], u64 counter)
{
	const __be64 be = cpu_to_be64(counter);

	memset(nonce, 0, GCM_NONCE_LEN - sizeof(be));
	memcpy(nonce + GCM_NONCE_LEN - sizeof(be), &be, sizeof(be));
}

static void gcm_seal(const struct vpn_aead_key *key,
		     struct vpn_segment *segments, unsigned int count)
{
	u8 nonce[GCM_NONCE_LEN];
	struct vpn_segment *s;

	for (s = segments; s < segments + count; s++) {
		gcm_nonce(nonce, s->counter);
		aes_gcm_encrypt(s->data, s->data, s->len, s->data + s->len,
				s->data - key->ad_len, key->ad_len, nonce,
				key->gcm);
	}
}

static void gcm_open(const struct vpn_aead_key *key,
		     struct vpn_segment *segments, unsigned int count)
{
	u8 nonce[GCM_NONCE_LEN];
	struct vpn_segment *s;

	for (s = segments; s < segments + count; s++) {
		gcm_nonce(nonce, s->counter);
		s->ok = !aes_gcm_decrypt(s->data, s->data, s->len,
					 s->data + s->len,
					 s->data - key->ad_len, key->ad_len,
					 nonce, key->gcm);
	}
}

int vpn_aead_seal(const struct vpn_aead_key *key, struct vpn_segment *segments,
		  unsigned int count, struct vpn_aead_job *job)
{
	if (key->tfm)
		return vpn_aead_api_seal(key, segments, count, job);
	if (key->gcm)
		gcm_seal(key, segments, count);
	else
		vpn_aead_chacha_seal(key, segments, count);
	return 0;
}

int vpn_aead_open(const struct vpn_aead_key *key, struct vpn_segment *segments,
		  unsigned int count, struct vpn_aead_job *job)
{
	if (key->tfm)
		return vpn_aead_api_open(key, segments, count, job);
	if (key->gcm)
		gcm_open(key, segments, count);
	else
		vpn_aead_chacha_open(key, segments, count);
	return 0;
}

/* A batch that somebody waits for. */
struct waited {
	struct vpn_aead_job job;
	struct completion complete;
};

static void waited_done(struct vpn_aead_job *job)
{
	complete(&container_of(job, struct waited, job)->complete);
}

/* Returns what came of the batch, of which @err is known. */
static int wait_for_batch(struct waited *waited, struct vpn_segment *segments,
			  int err)
{
	if (err != -EINPROGRESS)
		return err;
	init_completion(&waited->complete);
	local_bh_disable();
	vpn_aead_job_defer(&waited->job, waited_done);
	local_bh_enable();
	wait_for_completion(&waited->complete);
	return vpn_aead_job_end(&waited->job, segments);
}

int vpn_aead_seal_wait(const struct vpn_aead_key *key,
		       struct vpn_segment *segments, unsigned int count)
{
	struct waited waited;
	int err;

	local_bh_disable();
	err = vpn_aead_seal(key, segments, count, &waited.job);
	local_bh_enable();
	return wait_for_batch(&waited, NULL, err);
}

void vpn_aead_open_wait(const struct vpn_aead_key *key,
			struct vpn_segment *segments, unsigned int count)
{
	struct waited waited;
	int err;

	local_bh_disable();
	err = vpn_aead_open(key, segments, count, &waited.job);
	local_bh_enable();
	wait_for_batch(&waited, segments, err);
}

static int gcm_key_init(struct vpn_aead_key *key, const u8 bytes[VPN_KEY_LEN])
{
	struct aes_gcm_key *gcm = kzalloc_obj(*gcm, GFP_KERNEL);
	int err;

	if (!gcm)
		return -ENOMEM;
	err = aes_gcm_preparekey(gcm, bytes, VPN_KEY_LEN, VPN_TAG_LEN);
	if (err) {
		kfree_sensitive(gcm);
		return err;
	}
	key->gcm = gcm;
	return 0;
}

int vpn_aead_key_init_for(struct vpn_aead_key *key, u8 suite, bool with_ad,
			  const u8 bytes[VPN_KEY_LEN],
			  enum vpn_aead_backend backend)
{
	*key = (struct vpn_aead_key){
		.ad_len = with_ad ? sizeof(struct vpn_msg_data) : 0,
		.big_endian = suites[suite].big_endian,
	};
	if (backend == VPN_AEAD_API)
		return vpn_aead_api_key_init(key, &suites[suite].api, bytes);
	if (suite == VPN_CIPHER_AES_256_GCM)
		return gcm_key_init(key, bytes);
	vpn_aead_chacha_key_init(key, bytes);
	return 0;
}

int vpn_aead_key_init(struct vpn_aead_key *key, u8 suite, bool with_ad,
		      const u8 bytes[VPN_KEY_LEN])
{
	if (!vpn_aead_suite_available(suite))
		return -EOPNOTSUPP;
	return vpn_aead_key_init_for(key, suite, with_ad, bytes,
				     suites[suite].chosen);
}

void vpn_aead_key_erase(struct vpn_aead_key *key)
{
	crypto_free_aead(key->tfm);
	kfree_sensitive(key->gcm);
	memzero_explicit(key, sizeof(*key));
}

bool vpn_aead_suite_available(u8 suite)
{
	return suite < VPN_AEAD_SUITES &&
	       suites[suite].chosen != VPN_AEAD_BACKENDS;
}

u8 vpn_aead_fastest_suite(void)
{
	const struct suite *chacha = &suites[VPN_CIPHER_CHACHA20_POLY1305];
	const struct suite *gcm = &suites[VPN_CIPHER_AES_256_GCM];

	return vpn_aead_suite_available(VPN_CIPHER_AES_256_GCM) &&
	       gcm->ns < chacha->ns ?
	       VPN_CIPHER_AES_256_GCM : VPN_CIPHER_CHACHA20_POLY1305;
}

bool vpn_aead_has(u8 suite, enum vpn_aead_backend backend)
{
	if (backend == VPN_AEAD_LIBRARY)
		return suites[suite].in_library;
	return suites[suite].api.tfm;
}

static bool gcm_seal_by_library(u8 *out, const u8 *in, size_t len,
				const u8 ad[VPN_HASH_LEN],
				const u8 bytes[VPN_KEY_LEN])
{
	static const u8 nonce[GCM_NONCE_LEN];
	struct aes_gcm_key key;
	bool ok;

	ok = !aes_gcm_preparekey(&key, bytes, VPN_KEY_LEN, VPN_TAG_LEN);
	if (ok)
		aes_gcm_encrypt(out, in, len, out + len, ad, VPN_HASH_LEN,
				nonce, &key);
	memzero_explicit(&key, sizeof(key));
	return ok;
}

static bool gcm_open_by_library(u8 *out, const u8 *in, size_t len,
				const u8 ad[VPN_HASH_LEN],
				const u8 bytes[VPN_KEY_LEN])
{
	static const u8 nonce[GCM_NONCE_LEN];
	struct aes_gcm_key key;
	bool ok;

	ok = !aes_gcm_preparekey(&key, bytes, VPN_KEY_LEN, VPN_TAG_LEN) &&
	     !aes_gcm_decrypt(out, in, len, in + len, ad, VPN_HASH_LEN, nonce,
			      &key);
	memzero_explicit(&key, sizeof(key));
	return ok;
}

bool vpn_aead_gcm_seal(u8 *out, const u8 *in, size_t len,
		       const u8 ad[VPN_HASH_LEN], const u8 key[VPN_KEY_LEN])
{
	if (len > VPN_AEAD_MESSAGE_MAX)
		return false;
	if (VPN_AES_GCM_LIBRARY)
		return gcm_seal_by_library(out, in, len, ad, key);
	return gcm_desk.tfm &&
	       !vpn_aead_desk_crypt(&gcm_desk, true, out, in, len, ad, key);
}

bool vpn_aead_gcm_open(u8 *out, const u8 *in, size_t len,
		       const u8 ad[VPN_HASH_LEN], const u8 key[VPN_KEY_LEN])
{
	if (len > VPN_AEAD_MESSAGE_MAX)
		return false;
	if (VPN_AES_GCM_LIBRARY)
		return gcm_open_by_library(out, in, len, ad, key);
	return gcm_desk.tfm &&
	       !vpn_aead_desk_crypt(&gcm_desk, false, out, in, len, ad, key);
}

static int __init compare_u64(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Seal and open again; @room holds the batch, message behind message. */
static int __init time_run(const struct vpn_aead_key *key, u8 *room, u64 *ns)
{
	struct vpn_segment segments[TIMING_BATCH];
	int round, i, err = 0;
	u64 begin;

	for (i = 0; i < TIMING_BATCH; i++)
		segments[i] = (struct vpn_segment){
			.data = room + i * TIMING_STRIDE +
				sizeof(struct vpn_msg_data),
			.len = TIMING_LEN,
			.counter = i,
		};

	begin = ktime_get_ns();
	for (round = 0; round < TIMING_ROUNDS && !err; round++) {
		err = vpn_aead_seal_wait(key, segments, TIMING_BATCH);
		vpn_aead_open_wait(key, segments, TIMING_BATCH);
	}
	*ns = div_u64(ktime_get_ns() - begin, TIMING_ROUNDS * TIMING_BATCH);

	for (i = 0; i < TIMING_BATCH; i++)
		if (!segments[i].ok)
			err = -EBADMSG;
	return err;
}

static u64 __init median_of(u64 runs[TIMING_RUNS])
{
	sort(runs, TIMING_RUNS, sizeof(u64), compare_u64, NULL);
	return runs[TIMING_RUNS / 2];
}

/*
 * Nanoseconds to seal and open a packet, for each backend, or U64_MAX where it
 * can't. Others are at work on this machine, too: hence the median, and runs in
 * turns, so that what lasts hits both.
 */
static void __init time_backends(u8 suite, u64 median[VPN_AEAD_BACKENDS])
{
	static const u8 bytes[VPN_KEY_LEN] __initconst = { 1 };
	struct vpn_aead_key keys[VPN_AEAD_BACKENDS] = {};
	u64 runs[VPN_AEAD_BACKENDS][TIMING_RUNS];
	int err[VPN_AEAD_BACKENDS];
	int run, i;
	u8 *room;

	room = kzalloc(TIMING_BATCH * TIMING_STRIDE, GFP_KERNEL);
	for (i = 0; i < VPN_AEAD_BACKENDS; i++) {
		err[i] = -EOPNOTSUPP;
		if (room && vpn_aead_has(suite, i))
			err[i] = vpn_aead_key_init_for(&keys[i], suite, false,
						       bytes, i);
	}
	for (run = 0; run < TIMING_RUNS; run++)
		for (i = 0; i < VPN_AEAD_BACKENDS; i++)
			if (!err[i])
				err[i] = time_run(&keys[i], room, &runs[i][run]);
	for (i = 0; i < VPN_AEAD_BACKENDS; i++) {
		vpn_aead_key_erase(&keys[i]);
		median[i] = err[i] ? U64_MAX : median_of(runs[i]);
	}
	kfree(room);
}

static void __init log_choice(const struct suite *suite,
			      const u64 ns[VPN_AEAD_BACKENDS])
{
	const char *driver = suite->api.tfm ?
			     vpn_aead_api_name(&suite->api) : NULL;
	bool api = suite->chosen == VPN_AEAD_API;

	if (ns[VPN_AEAD_LIBRARY] != U64_MAX && ns[VPN_AEAD_API] != U64_MAX)
		pr_info("vpn: %s: a packet of %d octets takes the crypto library %llu ns, %s %llu ns: using the %s\n",
			suite->name, TIMING_LEN, ns[VPN_AEAD_LIBRARY], driver,
			ns[VPN_AEAD_API], api ? "latter" : "library");
	else
		pr_info("vpn: %s: a packet of %d octets takes %s %llu ns\n",
			suite->name, TIMING_LEN,
			api ? driver : "the crypto library", suite->ns);
}

/*
 * Unless the API is clearly faster, the library saves a handle for each key.
 * Whoever asks for one of them gets it if it works.
 */
static void __init choose(u8 number)
{
	struct suite *suite = &suites[number];
	u64 ns[VPN_AEAD_BACKENDS];
	u64 api, library;

	time_backends(number, ns);
	api = ns[VPN_AEAD_API];
	library = ns[VPN_AEAD_LIBRARY];
	if (suite->api.tfm && api == U64_MAX)
		pr_notice("vpn: %s fails: not using it\n",
			  vpn_aead_api_name(&suite->api));
	suite->ns = U64_MAX;
	if (api == U64_MAX && library == U64_MAX) {
		/* For want of memory, if there is one at all. */
		if (suite->in_library)
			suite->chosen = VPN_AEAD_LIBRARY;
		return;
	}

	if (!strcmp(*suite->choice, "auto"))
		suite->chosen = api < library - library / 32 ?
				VPN_AEAD_API : VPN_AEAD_LIBRARY;
	else
		suite->chosen = api != U64_MAX ? VPN_AEAD_API : VPN_AEAD_LIBRARY;
	suite->ns = ns[suite->chosen];
	log_choice(suite, ns);
}

static bool __init is_known(const char *choice)
{
	return !strcmp(choice, "auto") || !strcmp(choice, "api") ||
	       !strcmp(choice, "library");
}

/*
 * The algorithm to ask the crypto API for; NULL to leave it alone. Tests may
 * name a driver or a template, for one that is asynchronous.
 */
static const char * __init wanted_algorithm(const struct suite *suite)
{
	if (!is_known(*suite->choice))
		return *suite->choice;
	return strcmp(*suite->choice, "library") ? suite->algorithm : NULL;
}

#ifdef VPN_TEST
static int __init check_choice(const struct suite *suite)
{
	return 0;
}
#else
static int __init check_choice(const struct suite *suite)
{
	const char *choice = *suite->choice;

	if (is_known(choice))
		return 0;
	pr_err("vpn: no implementation %s=%s; there are auto, api and library\n",
	       suite->parameter, choice);
	return -EINVAL;
}
#endif

static void __init suite_start(u8 number)
{
	struct suite *suite = &suites[number];
	const char *algorithm = wanted_algorithm(suite);
	int err = 0;

	if (algorithm)
		err = vpn_aead_api_start(&suite->api, algorithm, suite->mask);
	if (err)
		pr_notice("vpn: no %s in this kernel's crypto API that suits (error %d)\n",
			  algorithm, err);
	choose(number);
	if (!vpn_aead_suite_available(number))
		pr_notice("vpn: no %s in this kernel: peers are refused it\n",
			  suite->name);
}

int __init vpn_aead_init(void)
{
	struct suite *gcm = &suites[VPN_CIPHER_AES_256_GCM];
	int i, err;

	for (i = 0; i < VPN_AEAD_SUITES; i++) {
		err = check_choice(&suites[i]);
		if (err)
			return err;
	}
	for (i = 0; i < VPN_AEAD_SUITES; i++)
		suite_start(i);

	if (VPN_AES_GCM_LIBRARY || gcm->chosen != VPN_AEAD_API)
		return 0;
	err = vpn_aead_desk_setup(&gcm_desk, &gcm->api);
	if (err) {
		vpn_aead_uninit();
		pr_err("vpn: no memory for %s (error %d)\n", gcm->name, err);
	}
	return err;
}

void vpn_aead_uninit(void)
{
	int i;

	vpn_aead_desk_clear(&gcm_desk);
	for (i = 0; i < VPN_AEAD_SUITES; i++)
		vpn_aead_api_stop(&suites[i].api);
}
