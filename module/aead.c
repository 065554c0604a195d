// SPDX-License-Identifier: GPL-2.0
/*
 * ChaCha20-Poly1305 for data messages, from whichever of the kernel's two
 * implementations is faster here: the crypto library, called directly, or the
 * crypto API, which may know a faster way with this processor.
 */

#include <crypto/aead.h>
#include <crypto/chacha20poly1305.h>
#include <linux/bottom_half.h>
#include <linux/ktime.h>
#include <linux/local_lock.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "aead.h"

#define API_ALGORITHM	"rfc7539(chacha20,poly1305)"

/* The timing at load: packets as they fill an Ethernet frame. */
#define TIMING_RUNS	9
#define TIMING_ROUNDS	2
#define TIMING_BATCH	8
#define TIMING_LEN	1420
#define TIMING_STRIDE	(TIMING_LEN + VPN_TAG_LEN)

static char *aead = "auto";
module_param(aead, charp, 0444);
MODULE_PARM_DESC(aead, "implementation of ChaCha20-Poly1305: auto, api or library");

/* Zero, then the counter (white paper, section 5.4.6). */
struct api_nonce {
	__le32 zero;
	__le64 counter;
} __packed;

/**
 * struct api_cpu - what the crypto API needs for one message, a CPU
 * @lock: protects the rest; where disabled bottom halves don't (PREEMPT_RT)
 * @sg: the message
 * @nonce: its nonce
 * @request: room for the implementation's context behind it
 *
 * Used with bottom halves disabled only, and the API is asked for synchronous
 * implementations only, so that there is one user at a time.
 */
struct api_cpu {
	local_lock_t lock;
	struct scatterlist sg;
	struct api_nonce nonce;
	struct aead_request *request;
};

static enum vpn_aead_backend chosen __ro_after_init;

/*
 * A handle of the API that lives as long as the module: it keeps the
 * implementation that the requests were sized for.
 */
static struct crypto_aead *api_tfm __read_mostly;
static struct api_cpu __percpu *api_cpus __read_mostly;

static void library_seal(const struct vpn_aead_key *key,
			 struct vpn_segment *segments, unsigned int count)
{
	struct vpn_segment *s;

	for (s = segments; s < segments + count; s++)
		chacha20poly1305_encrypt(s->data, s->data, s->len, NULL, 0,
					 s->counter, key->bytes);
}

static void library_open(const struct vpn_aead_key *key,
			 struct vpn_segment *segments, unsigned int count)
{
	struct vpn_segment *s;

	for (s = segments; s < segments + count; s++)
		s->ok = chacha20poly1305_decrypt(s->data, s->data,
						 s->len + VPN_TAG_LEN, NULL, 0,
						 s->counter, key->bytes);
}

static struct api_cpu *api_begin(const struct vpn_aead_key *key)
{
	struct api_cpu *cpu;

	local_lock_nested_bh(&api_cpus->lock);
	cpu = this_cpu_ptr(api_cpus);
	aead_request_set_tfm(cpu->request, key->tfm);
	aead_request_set_callback(cpu->request, 0, NULL, NULL);
	aead_request_set_ad(cpu->request, 0);
	return cpu;
}

static void api_end(void)
{
	local_unlock_nested_bh(&api_cpus->lock);
}

static int api_seal(const struct vpn_aead_key *key,
		    struct vpn_segment *segments, unsigned int count)
{
	struct api_cpu *cpu = api_begin(key);
	struct vpn_segment *s;
	int err = 0;

	for (s = segments; s < segments + count && !err; s++) {
		sg_init_one(&cpu->sg, s->data, s->len + VPN_TAG_LEN);
		cpu->nonce.counter = cpu_to_le64(s->counter);
		aead_request_set_crypt(cpu->request, &cpu->sg, &cpu->sg,
				       s->len, (u8 *)&cpu->nonce);
		err = crypto_aead_encrypt(cpu->request);
	}
	api_end();
	return err;
}

static void api_open(const struct vpn_aead_key *key,
		     struct vpn_segment *segments, unsigned int count)
{
	struct api_cpu *cpu = api_begin(key);
	struct vpn_segment *s;

	for (s = segments; s < segments + count; s++) {
		sg_init_one(&cpu->sg, s->data, s->len + VPN_TAG_LEN);
		cpu->nonce.counter = cpu_to_le64(s->counter);
		aead_request_set_crypt(cpu->request, &cpu->sg, &cpu->sg,
				       s->len + VPN_TAG_LEN,
				       (u8 *)&cpu->nonce);
		s->ok = !crypto_aead_decrypt(cpu->request);
	}
	api_end();
}

int vpn_aead_seal(const struct vpn_aead_key *key, struct vpn_segment *segments,
		  unsigned int count)
{
	if (key->tfm)
		return api_seal(key, segments, count);
	library_seal(key, segments, count);
	return 0;
}

void vpn_aead_open(const struct vpn_aead_key *key,
		   struct vpn_segment *segments, unsigned int count)
{
	if (key->tfm)
		api_open(key, segments, count);
	else
		library_open(key, segments, count);
}

static struct crypto_aead *api_create(const char *name)
{
	struct crypto_aead *tfm;
	int err;

	tfm = crypto_alloc_aead(name, 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(tfm))
		return tfm;

	err = -EINVAL;
	if (crypto_aead_ivsize(tfm) == sizeof(struct api_nonce))
		err = crypto_aead_setauthsize(tfm, VPN_TAG_LEN);
	if (err) {
		crypto_free_aead(tfm);
		return ERR_PTR(err);
	}
	return tfm;
}

static const char *api_driver_name(void)
{
	return crypto_tfm_alg_driver_name(crypto_aead_tfm(api_tfm));
}

static int api_key_init(struct vpn_aead_key *key, const u8 bytes[VPN_KEY_LEN])
{
	struct crypto_aead *tfm;
	int err;

	/* By the driver's name: a better one may have come since. */
	tfm = api_create(api_driver_name());
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);

	err = -EINVAL;
	if (crypto_aead_reqsize(tfm) <= crypto_aead_reqsize(api_tfm))
		err = crypto_aead_setkey(tfm, bytes, VPN_KEY_LEN);
	if (err) {
		crypto_free_aead(tfm);
		return err;
	}
	key->tfm = tfm;
	return 0;
}

int vpn_aead_key_init_for(struct vpn_aead_key *key,
			  const u8 bytes[VPN_KEY_LEN],
			  enum vpn_aead_backend backend)
{
	key->tfm = NULL;
	if (backend == VPN_AEAD_API)
		return api_key_init(key, bytes);
	memcpy(key->bytes, bytes, VPN_KEY_LEN);
	return 0;
}

int vpn_aead_key_init(struct vpn_aead_key *key, const u8 bytes[VPN_KEY_LEN])
{
	return vpn_aead_key_init_for(key, bytes, chosen);
}

void vpn_aead_key_erase(struct vpn_aead_key *key)
{
	crypto_free_aead(key->tfm);
	memzero_explicit(key, sizeof(*key));
}

bool vpn_aead_has(enum vpn_aead_backend backend)
{
	return backend == VPN_AEAD_LIBRARY || api_cpus;
}

static void api_stop(void)
{
	int cpu;

	if (api_cpus) {
		for_each_possible_cpu(cpu)
			aead_request_free(per_cpu_ptr(api_cpus, cpu)->request);
		free_percpu(api_cpus);
		api_cpus = NULL;
	}
	crypto_free_aead(api_tfm);
	api_tfm = NULL;
}

static int __init api_start(void)
{
	struct aead_request *request;
	struct crypto_aead *tfm;
	int cpu;

	tfm = api_create(API_ALGORITHM);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	api_tfm = tfm;

	api_cpus = alloc_percpu(struct api_cpu);
	if (!api_cpus)
		goto err_stop;
	for_each_possible_cpu(cpu) {
		request = aead_request_alloc(api_tfm, GFP_KERNEL);
		if (!request)
			goto err_stop;
		local_lock_init(&per_cpu_ptr(api_cpus, cpu)->lock);
		per_cpu_ptr(api_cpus, cpu)->request = request;
	}
	return 0;

err_stop:
	api_stop();
	return -ENOMEM;
}

static int __init compare_u64(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Seal and open again; @room holds the batch. */
static int __init time_run(const struct vpn_aead_key *key, u8 *room, u64 *ns)
{
	struct vpn_segment segments[TIMING_BATCH];
	int round, i, err = 0;
	u64 begin;

	for (i = 0; i < TIMING_BATCH; i++)
		segments[i] = (struct vpn_segment){
			.data = room + i * TIMING_STRIDE,
			.len = TIMING_LEN,
			.counter = i,
		};

	local_bh_disable();
	begin = ktime_get_ns();
	for (round = 0; round < TIMING_ROUNDS && !err; round++) {
		err = vpn_aead_seal(key, segments, TIMING_BATCH);
		vpn_aead_open(key, segments, TIMING_BATCH);
	}
	*ns = div_u64(ktime_get_ns() - begin, TIMING_ROUNDS * TIMING_BATCH);
	local_bh_enable();

	for (i = 0; i < TIMING_BATCH; i++)
		if (!segments[i].ok)
			err = -EBADMSG;
	return err;
}

/*
 * Nanoseconds to seal and open a packet, for each backend. Others are at work
 * on this machine, too: hence the median, and runs in turns, so that what lasts
 * hits both.
 */
static int __init time_backends(u64 median[VPN_AEAD_BACKENDS])
{
	static const u8 bytes[VPN_KEY_LEN] __initconst = { 1 };
	struct vpn_aead_key keys[VPN_AEAD_BACKENDS] = {};
	u64 runs[VPN_AEAD_BACKENDS][TIMING_RUNS];
	int run, i, err = 0;
	u8 *room;

	room = kzalloc(TIMING_BATCH * TIMING_STRIDE, GFP_KERNEL);
	if (!room)
		return -ENOMEM;
	for (i = 0; i < VPN_AEAD_BACKENDS && !err; i++)
		err = vpn_aead_key_init_for(&keys[i], bytes, i);
	for (run = 0; run < TIMING_RUNS; run++)
		for (i = 0; i < VPN_AEAD_BACKENDS && !err; i++)
			err = time_run(&keys[i], room, &runs[i][run]);
	for (i = 0; i < VPN_AEAD_BACKENDS; i++)
		vpn_aead_key_erase(&keys[i]);
	kfree(room);
	if (err)
		return err;

	for (i = 0; i < VPN_AEAD_BACKENDS; i++) {
		sort(runs[i], TIMING_RUNS, sizeof(u64), compare_u64, NULL);
		median[i] = runs[i][TIMING_RUNS / 2];
	}
	return 0;
}

/* Unless the API is clearly faster, the library saves a handle for each key. */
static void __init choose_by_time(void)
{
	u64 ns[VPN_AEAD_BACKENDS];
	int err;

	err = time_backends(ns);
	if (err) {
		pr_notice("vpn: %s fails with error %d: using the crypto library\n",
			  api_driver_name(), err);
		return;
	}
	if (ns[VPN_AEAD_API] + ns[VPN_AEAD_API] / 32 < ns[VPN_AEAD_LIBRARY])
		chosen = VPN_AEAD_API;
	pr_info("vpn: a packet of %d octets takes the crypto library %llu ns, %s %llu ns: using the %s\n",
		TIMING_LEN, ns[VPN_AEAD_LIBRARY], api_driver_name(),
		ns[VPN_AEAD_API],
		chosen == VPN_AEAD_API ? "latter" : "library");
}

int __init vpn_aead_init(void)
{
	bool automatic = !strcmp(aead, "auto");
	int err;

	if (!strcmp(aead, "library")) {
		pr_info("vpn: the crypto library seals packets, as asked for\n");
		return 0;
	}
	if (!automatic && strcmp(aead, "api")) {
		pr_err("vpn: no implementation aead=%s; there are auto, api and library\n",
		       aead);
		return -EINVAL;
	}

	err = api_start();
	if (err) {
		pr_notice("vpn: no synchronous %s here (error %d): using the crypto library\n",
			  API_ALGORITHM, err);
		return 0;
	}
	if (automatic) {
		choose_by_time();
		return 0;
	}
	chosen = VPN_AEAD_API;
	pr_info("vpn: %s seals packets, as asked for\n", api_driver_name());
	return 0;
}

void vpn_aead_uninit(void)
{
	api_stop();
}
