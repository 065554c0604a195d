// SPDX-License-Identifier: GPL-2.0
/*
 * AEADs of the kernel crypto API: handles, requests, and what is completed
 * later.
 *
 * A synchronous implementation needs one request a CPU. An asynchronous one
 * completes nearly all of them at once, too; AES-NI before Linux 6.15, for one,
 * only does not when the CPU's vector registers are in use just then. So a CPU
 * uses its request until one stays in progress: that one goes to the job, and
 * the CPU gets another. Nobody waits for a message: the last completion of a
 * batch goes on with it.
 */

#include <crypto/aead.h>
#include <linux/local_lock.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "aead-api.h"

/* Zero, then the counter (protocol-v1.md, "Cipher suites"). */
struct api_nonce {
	u32 zero;
	u64 counter;
} __packed;

/**
 * struct vpn_aead_slot - what the crypto API needs for one message
 * @next: of the same job
 * @job: which batch it is of; only for asynchronous implementations
 * @segment: which message of the batch
 * @err: result
 * @sg: the message with what is authenticated in front of it
 * @nonce: its nonce
 * @request: room for the implementation's context behind it
 */
struct vpn_aead_slot {
	struct vpn_aead_slot *next;
	struct vpn_aead_job *job;
	unsigned int segment;
	int err;
	struct scatterlist sg;
	struct api_nonce nonce;
	struct aead_request *request;
};

/**
 * struct vpn_aead_cpu - what one CPU seals and opens with
 * @lock: protects the rest; where disabled bottom halves don't (PREEMPT_RT)
 * @slot: for the next message; NULL after it stayed in progress
 */
struct vpn_aead_cpu {
	local_lock_t lock;
	struct vpn_aead_slot *slot;
};

/**
 * struct vpn_aead_room - memory that the crypto API accepts, unlike the stack
 * @nonce: zero
 * @ad: associated data
 * @text: message and tag, right behind @ad
 */
struct vpn_aead_room {
	struct api_nonce nonce;
	u8 ad[VPN_HASH_LEN];
	u8 text[VPN_AEAD_MESSAGE_MAX + VPN_TAG_LEN];
};

static void slot_free(struct vpn_aead_slot *slot)
{
	if (!slot)
		return;
	aead_request_free(slot->request);
	kfree(slot);
}

static struct vpn_aead_slot *slot_alloc(struct crypto_aead *tfm, gfp_t gfp)
{
	struct vpn_aead_slot *slot = kzalloc_obj(*slot, gfp);

	if (!slot)
		return NULL;
	sg_init_table(&slot->sg, 1);
	slot->request = aead_request_alloc(tfm, gfp);
	if (slot->request)
		return slot;
	kfree(slot);
	return NULL;
}

static struct vpn_aead_cpu *cpu_begin(const struct vpn_aead_key *key)
{
	local_lock_nested_bh(&key->api->cpus->lock);
	return this_cpu_ptr(key->api->cpus);
}

static void cpu_end(const struct vpn_aead_key *key)
{
	local_unlock_nested_bh(&key->api->cpus->lock);
}

static __always_inline int slot_run(struct vpn_aead_slot *slot,
				    const struct vpn_aead_key *key,
				    const struct vpn_segment *s, bool seal)
{
	const unsigned int sealed = s->len + VPN_TAG_LEN;

	sg_set_buf(&slot->sg, s->data - key->ad_len, key->ad_len + sealed);
	slot->nonce.counter = key->big_endian ?
			      (__force u64)cpu_to_be64(s->counter) :
			      (__force u64)cpu_to_le64(s->counter);
	aead_request_set_crypt(slot->request, &slot->sg, &slot->sg,
			       seal ? s->len : sealed, (u8 *)&slot->nonce);
	return seal ? crypto_aead_encrypt(slot->request) :
		      crypto_aead_decrypt(slot->request);
}

static void slot_bind(struct vpn_aead_slot *slot,
		      const struct vpn_aead_key *key,
		      crypto_completion_t complete)
{
	aead_request_set_tfm(slot->request, key->tfm);
	aead_request_set_callback(slot->request, 0, complete, slot);
	aead_request_set_ad(slot->request, key->ad_len);
}

static int seal_at_once(const struct vpn_aead_key *key,
			struct vpn_segment *segments, unsigned int count)
{
	struct vpn_aead_cpu *cpu = cpu_begin(key);
	struct vpn_segment *s;
	int err = 0;

	slot_bind(cpu->slot, key, NULL);
	for (s = segments; s < segments + count && !err; s++)
		err = slot_run(cpu->slot, key, s, true);
	cpu_end(key);
	return err;
}

static void open_at_once(const struct vpn_aead_key *key,
			 struct vpn_segment *segments, unsigned int count)
{
	struct vpn_aead_cpu *cpu = cpu_begin(key);
	struct vpn_segment *s;

	slot_bind(cpu->slot, key, NULL);
	for (s = segments; s < segments + count; s++)
		s->ok = !slot_run(cpu->slot, key, s, false);
	cpu_end(key);
}

static void job_put(struct vpn_aead_job *job)
{
	if (atomic_dec_and_test(&job->pending))
		job->done(job);
}

/* A message of a job is complete; unless it has only left a backlog. */
static void slot_complete(VPN_CRYPTO_ARG *arg, int err)
{
	struct vpn_aead_slot *slot = vpn_crypto_data(arg);

	if (err == -EINPROGRESS)
		return;
	slot->err = err;
	job_put(slot->job);
}

void vpn_aead_job_defer(struct vpn_aead_job *job,
			void (*done)(struct vpn_aead_job *job))
{
	job->done = done;
	job_put(job);
}

static bool is_lost(int err)
{
	return err && err != -EBADMSG;
}

int vpn_aead_job_end(struct vpn_aead_job *job, struct vpn_segment *segments)
{
	struct vpn_aead_slot *slot;
	int err = job->err;

	while ((slot = job->slots)) {
		job->slots = slot->next;
		if (slot->err && !err)
			err = slot->err;
		job->lost += is_lost(slot->err);
		if (segments)
			segments[slot->segment].ok = !slot->err;
		slot_free(slot);
	}
	return err;
}

static void job_begin(struct vpn_aead_job *job)
{
	atomic_set(&job->pending, 1);
	job->slots = NULL;
	job->err = 0;
	job->lost = 0;
}

/*
 * Run one message of a job. It counts as pending before anybody can complete
 * it. One that stays in progress keeps its slot.
 */
static __always_inline int job_run(struct vpn_aead_job *job,
				   struct vpn_aead_cpu *cpu,
				   const struct vpn_aead_key *key,
				   const struct vpn_segment *s,
				   unsigned int i, bool seal)
{
	struct vpn_aead_slot *slot = cpu->slot;
	int err;

	if (!slot) {
		slot = slot_alloc(key->api->tfm, GFP_ATOMIC | __GFP_NOWARN);
		if (!slot)
			return -ENOMEM;
		cpu->slot = slot;
	}
	slot_bind(slot, key, slot_complete);
	slot->job = job;
	slot->segment = i;
	atomic_inc(&job->pending);
	err = slot_run(slot, key, s, seal);
	if (err == -EINPROGRESS) {
		slot->next = job->slots;
		job->slots = slot;
		cpu->slot = NULL;
	} else {
		atomic_dec(&job->pending);
	}
	return err;
}

int vpn_aead_api_seal(const struct vpn_aead_key *key,
		      struct vpn_segment *segments, unsigned int count,
		      struct vpn_aead_job *job)
{
	struct vpn_aead_cpu *cpu;
	unsigned int i;
	int err = 0;

	if (likely(!key->async))
		return seal_at_once(key, segments, count);

	job_begin(job);
	cpu = cpu_begin(key);
	for (i = 0; i < count && !job->err; i++) {
		err = job_run(job, cpu, key, &segments[i], i, true);
		if (err && err != -EINPROGRESS)
			job->err = err;
	}
	cpu_end(key);
	return job->slots ? -EINPROGRESS : job->err;
}

int vpn_aead_api_open(const struct vpn_aead_key *key,
		      struct vpn_segment *segments, unsigned int count,
		      struct vpn_aead_job *job)
{
	struct vpn_aead_cpu *cpu;
	unsigned int i;
	int err;

	if (likely(!key->async)) {
		open_at_once(key, segments, count);
		return 0;
	}

	job_begin(job);
	cpu = cpu_begin(key);
	for (i = 0; i < count; i++) {
		err = job_run(job, cpu, key, &segments[i], i, false);
		segments[i].ok = !err;
		if (err != -EINPROGRESS)
			job->lost += is_lost(err);
	}
	cpu_end(key);
	return job->slots ? -EINPROGRESS : 0;
}

static struct crypto_aead *handle_create(const char *name, u32 mask)
{
	struct crypto_aead *tfm;
	int err;

	tfm = crypto_alloc_aead(name, 0, mask);
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

static bool handle_is_async(struct crypto_aead *tfm)
{
	return crypto_aead_tfm(tfm)->__crt_alg->cra_flags & CRYPTO_ALG_ASYNC;
}

const char *vpn_aead_api_name(const struct vpn_aead_api *api)
{
	return crypto_tfm_alg_driver_name(crypto_aead_tfm(api->tfm));
}

/* Another handle. By the driver's name: a better one may have come since. */
static struct crypto_aead *handle_like(const struct vpn_aead_api *api)
{
	struct crypto_aead *tfm = handle_create(vpn_aead_api_name(api), 0);

	if (IS_ERR(tfm))
		return tfm;
	if (crypto_aead_reqsize(tfm) <= crypto_aead_reqsize(api->tfm) &&
	    handle_is_async(tfm) == api->async)
		return tfm;
	crypto_free_aead(tfm);
	return ERR_PTR(-EINVAL);
}

int vpn_aead_api_key_init(struct vpn_aead_key *key,
			  const struct vpn_aead_api *api,
			  const u8 bytes[VPN_KEY_LEN])
{
	struct crypto_aead *tfm = handle_like(api);
	int err;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	err = crypto_aead_setkey(tfm, bytes, VPN_KEY_LEN);
	if (err) {
		crypto_free_aead(tfm);
		return err;
	}
	key->api = api;
	key->tfm = tfm;
	key->async = api->async;
	return 0;
}

void vpn_aead_api_stop(struct vpn_aead_api *api)
{
	int cpu;

	if (api->cpus)
		for_each_possible_cpu(cpu)
			slot_free(per_cpu_ptr(api->cpus, cpu)->slot);
	free_percpu(api->cpus);
	crypto_free_aead(api->tfm);
	memset(api, 0, sizeof(*api));
}

static int setup_cpu(struct vpn_aead_cpu *cpu, struct crypto_aead *tfm)
{
	local_lock_init(&cpu->lock);
	cpu->slot = slot_alloc(tfm, GFP_KERNEL);
	return cpu->slot ? 0 : -ENOMEM;
}

int vpn_aead_api_start(struct vpn_aead_api *api, const char *algorithm,
		       u32 mask)
{
	struct crypto_aead *tfm = handle_create(algorithm, mask);
	int cpu, err = -ENOMEM;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	api->tfm = tfm;
	api->async = handle_is_async(tfm);
	api->cpus = alloc_percpu(struct vpn_aead_cpu);
	if (!api->cpus)
		goto err_stop;
	for_each_possible_cpu(cpu) {
		err = setup_cpu(per_cpu_ptr(api->cpus, cpu), tfm);
		if (err)
			goto err_stop;
	}
	return 0;

err_stop:
	vpn_aead_api_stop(api);
	return err;
}

int vpn_aead_desk_setup(struct vpn_aead_desk *desk,
			const struct vpn_aead_api *api)
{
	struct crypto_aead *tfm = handle_like(api);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	mutex_init(&desk->lock);
	desk->tfm = tfm;
	desk->request = aead_request_alloc(tfm, GFP_KERNEL);
	desk->room = kzalloc_obj(*desk->room, GFP_KERNEL);
	if (desk->request && desk->room)
		return 0;
	vpn_aead_desk_clear(desk);
	return -ENOMEM;
}

void vpn_aead_desk_clear(struct vpn_aead_desk *desk)
{
	kfree_sensitive(desk->room);
	aead_request_free(desk->request);
	crypto_free_aead(desk->tfm);
	desk->room = NULL;
	desk->request = NULL;
	desk->tfm = NULL;
}

/* Work on what is in desk->room, and wait for it. */
static int desk_run(struct vpn_aead_desk *desk, bool seal, size_t len)
{
	const size_t sealed = len + VPN_TAG_LEN;
	DECLARE_CRYPTO_WAIT(wait);
	struct scatterlist sg;
	int err;

	sg_init_one(&sg, desk->room->ad, VPN_HASH_LEN + sealed);
	aead_request_set_callback(desk->request, CRYPTO_TFM_REQ_MAY_SLEEP |
				  CRYPTO_TFM_REQ_MAY_BACKLOG,
				  crypto_req_done, &wait);
	aead_request_set_ad(desk->request, VPN_HASH_LEN);
	aead_request_set_crypt(desk->request, &sg, &sg,
			       seal ? len : sealed, (u8 *)&desk->room->nonce);
	err = seal ? crypto_aead_encrypt(desk->request) :
		     crypto_aead_decrypt(desk->request);
	return crypto_wait_req(err, &wait);
}

int vpn_aead_desk_crypt(struct vpn_aead_desk *desk, bool seal, u8 *out,
			const u8 *in, size_t len, const u8 ad[VPN_HASH_LEN],
			const u8 key[VPN_KEY_LEN])
{
	static const u8 none[VPN_KEY_LEN];
	const size_t sealed = len + VPN_TAG_LEN;
	struct vpn_aead_room *room = desk->room;
	int err;

	mutex_lock(&desk->lock);
	err = crypto_aead_setkey(desk->tfm, key, VPN_KEY_LEN);
	if (err)
		goto out;
	memcpy(room->ad, ad, VPN_HASH_LEN);
	memcpy(room->text, in, seal ? len : sealed);
	err = desk_run(desk, seal, len);
	if (!err)
		memcpy(out, room->text, seal ? sealed : len);
out:
	/* Neither the key nor what it seals stays behind. */
	memzero_explicit(room->text, sealed);
	if (crypto_aead_setkey(desk->tfm, none, VPN_KEY_LEN) && !err)
		err = -ENOMEM;
	mutex_unlock(&desk->lock);
	return err;
}
