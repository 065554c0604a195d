// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: their lifetime, and how they are found by key and by index.
 *
 * A peer is found under RCU or held by a reference. Removal first makes it
 * impossible to find, then waits for those who had found it, then stops what
 * it runs; the last reference frees it after one more grace period.
 */

#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "control.h"
#include "device.h"
#include "event.h"
#include "gather.h"
#include "handshake.h"
#include "peer.h"
#include "timer.h"
#include "tx.h"

#define PEERS_MAX BIT(20)

static struct kmem_cache *peer_cache;
static atomic64_t last_id = ATOMIC64_INIT(0);

static const struct rhashtable_params key_params = {
	.key_len = VPN_KEY_LEN,
	.key_offset = offsetof(struct vpn_peer, handshake.remote_static),
	.head_offset = offsetof(struct vpn_peer, node),
	.automatic_shrinking = true,
};

/* An index is random, and ours: as good as a hash of it. */
static u32 index_hash(const void *value, u32 len, u32 seed)
{
	return *(const u32 *)value;
}

static int index_compare(struct rhashtable_compare_arg *arg, const void *entry)
{
	const struct vpn_index *index = entry;

	return *(const __le32 *)arg->key != index->value;
}

static const struct rhashtable_params index_params = {
	.key_len = sizeof_field(struct vpn_index, value),
	.key_offset = offsetof(struct vpn_index, value),
	.head_offset = offsetof(struct vpn_index, node),
	.hashfn = index_hash,
	.obj_cmpfn = index_compare,
	.automatic_shrinking = true,
};

int vpn_peer_tables_setup(struct vpn_device *vpn)
{
	int err;

	err = rhashtable_init(&vpn->peers_by_key, &key_params);
	if (err)
		return err;
	err = rhashtable_init(&vpn->indices, &index_params);
	if (err)
		rhashtable_destroy(&vpn->peers_by_key);
	return err;
}

void vpn_peer_tables_destroy(struct vpn_device *vpn)
{
	rhashtable_destroy(&vpn->indices);
	rhashtable_destroy(&vpn->peers_by_key);
}

static struct vpn_peer *peer_alloc(struct vpn_device *vpn,
				   const u8 public_key[VPN_KEY_LEN])
{
	struct vpn_peer *peer = kmem_cache_zalloc(peer_cache, GFP_KERNEL);

	if (!peer)
		return NULL;
	peer->vpn = vpn;
	peer->id = atomic64_inc_return(&last_id);
	kref_init(&peer->kref);
	INIT_LIST_HEAD(&peer->allowedips);
	spin_lock_init(&peer->keypairs.lock);
	spin_lock_init(&peer->endpoint_lock);
	skb_queue_head_init(&peer->staged);
	peer->index.peer = peer;
	peer->index.kind = VPN_INDEX_HANDSHAKE;
	INIT_WORK(&peer->initiation_work, vpn_handshake_initiation_work);
	INIT_WORK(&peer->erase_work, vpn_timers_erase_work);
	INIT_WORK(&peer->expire_work, vpn_timers_expire_work);
	vpn_handshake_setup(peer, public_key);
	vpn_cookie_setup(&peer->cookie, public_key);
	vpn_timers_setup(peer);
	return peer;
}

static void peer_free(struct vpn_peer *peer)
{
	kfree(peer->name);
	kfree(peer->latency);
	vpn_terms_free(peer);
	memzero_explicit(peer, sizeof(*peer));
	kmem_cache_free(peer_cache, peer);
}

static bool is_own_key(struct vpn_device *vpn, const u8 key[VPN_KEY_LEN])
{
	bool own;

	down_read(&vpn->identity.lock);
	own = vpn->identity.present &&
	      !memcmp(vpn->identity.public_key, key, VPN_KEY_LEN);
	up_read(&vpn->identity.lock);
	return own;
}

struct vpn_peer *vpn_peer_create(struct vpn_device *vpn,
				 const u8 public_key[VPN_KEY_LEN])
{
	struct vpn_peer *peer;
	int err;

	lockdep_assert_held(&vpn->lock);

	if (vpn->peer_count >= PEERS_MAX)
		return ERR_PTR(-EMFILE);
	if (is_own_key(vpn, public_key))
		return ERR_PTR(-EADDRNOTAVAIL);

	peer = peer_alloc(vpn, public_key);
	if (!peer)
		return ERR_PTR(-ENOMEM);
	err = rhashtable_lookup_insert_fast(&vpn->peers_by_key, &peer->node,
					    key_params);
	if (err) {
		peer_free(peer);
		return ERR_PTR(err);
	}
	list_add_tail(&peer->list, &vpn->peers);
	vpn->peer_count++;
	if (netif_running(vpn->dev))
		vpn_timers_start(peer);
	return peer;
}

void vpn_peer_end_sessions(struct vpn_peer *peer)
{
	vpn_handshake_clear(peer);
	vpn_session_end_all(peer);
	vpn_tx_purge_staged(peer);
}

/* Nobody finds the peer from now on. */
static void peer_detach(struct vpn_peer *peer)
{
	struct vpn_device *vpn = peer->vpn;

	lockdep_assert_held(&vpn->lock);

	WRITE_ONCE(peer->dead, true);
	vpn_timers_disable(peer);
	vpn_lease_unbind(peer);
	vpn_allowedips_remove_peer(&vpn->allowedips, peer, &vpn->lock);
	rhashtable_remove_fast(&vpn->peers_by_key, &peer->node, key_params);
	list_del_init(&peer->list);
	vpn->peer_count--;
}

static void stop_work(struct vpn_peer *peer, struct work_struct *work)
{
	if (cancel_work_sync(work))
		vpn_peer_put(peer);
}

/* A grace period after peer_detach(): those who had found it are gone. */
static void peer_finish(struct vpn_peer *peer)
{
	vpn_timers_stop(peer);
	stop_work(peer, &peer->initiation_work);
	stop_work(peer, &peer->erase_work);
	stop_work(peer, &peer->expire_work);
	vpn_peer_end_sessions(peer);
	vpn_event_peer_removed(peer);
	vpn_peer_put(peer);
}

void vpn_peer_take_out(struct vpn_peer *peer, struct list_head *gone)
{
	vpn_control_disconnect(peer, VPN_DISCONNECT_REASON_PEER_REMOVED);
	peer_detach(peer);
	list_add_tail(&peer->list, gone);
}

void vpn_peer_remove_those(struct vpn_device *vpn, struct list_head *gone)
{
	struct vpn_peer *peer, *tmp;

	lockdep_assert_held(&vpn->lock);

	if (list_empty(gone))
		return;
	synchronize_net();
	vpn_gather_drop(vpn, true);
	list_for_each_entry_safe(peer, tmp, gone, list) {
		list_del_init(&peer->list);
		peer_finish(peer);
		cond_resched();
	}
}

void vpn_peer_remove(struct vpn_peer *peer)
{
	struct vpn_device *vpn = peer->vpn;
	LIST_HEAD(gone);

	vpn_peer_take_out(peer, &gone);
	vpn_peer_remove_those(vpn, &gone);
}

void vpn_peer_remove_all(struct vpn_device *vpn)
{
	struct vpn_peer *peer, *tmp;
	LIST_HEAD(gone);

	lockdep_assert_held(&vpn->lock);

	list_for_each_entry_safe(peer, tmp, &vpn->peers, list)
		vpn_peer_take_out(peer, &gone);
	vpn_peer_remove_those(vpn, &gone);
}

struct vpn_peer *vpn_peer_get_rcu(struct vpn_peer *peer)
{
	if (peer && kref_get_unless_zero(&peer->kref))
		return peer;
	return NULL;
}

struct vpn_peer *vpn_peer_find(struct vpn_device *vpn,
			       const u8 public_key[VPN_KEY_LEN])
{
	struct vpn_peer *peer;

	rcu_read_lock();
	peer = rhashtable_lookup(&vpn->peers_by_key, public_key, key_params);
	peer = vpn_peer_get_rcu(peer);
	rcu_read_unlock();
	return peer;
}

static void peer_free_rcu(struct rcu_head *rcu)
{
	peer_free(container_of(rcu, struct vpn_peer, rcu));
}

static void peer_release(struct kref *kref)
{
	struct vpn_peer *peer = container_of(kref, struct vpn_peer, kref);

	vpn_session_end_all(peer);
	vpn_tx_purge_staged(peer);
	vpn_endpoint_clear(peer);
	call_rcu(&peer->rcu, peer_free_rcu);
}

void vpn_peer_put(struct vpn_peer *peer)
{
	if (peer)
		kref_put(&peer->kref, peer_release);
}

void vpn_peer_queue_work(struct vpn_peer *peer, struct work_struct *work)
{
	if (READ_ONCE(peer->dead) || !vpn_peer_get_rcu(peer))
		return;
	if (!queue_work(peer->vpn->wq, work))
		vpn_peer_put(peer);
}

int vpn_peer_set_name(struct vpn_peer *peer, const char *name)
{
	char *copy = NULL;

	lockdep_assert_held(&peer->vpn->lock);

	if (*name) {
		copy = kstrdup(name, GFP_KERNEL_ACCOUNT);
		if (!copy)
			return -ENOMEM;
	}
	kfree(peer->name);
	peer->name = copy;
	return 0;
}

void vpn_peer_set_address_mode(struct vpn_peer *peer, u8 mode,
			       const struct vpn_prefix *wanted,
			       unsigned int count)
{
	lockdep_assert_held(&peer->vpn->lock);

	/* A handshake reads them while it holds this. */
	down_write(&peer->handshake.lock);
	memcpy(peer->wanted, wanted, count * sizeof(*wanted));
	peer->wanted_count = count;
	WRITE_ONCE(peer->address_mode, mode);
	up_write(&peer->handshake.lock);
}

int vpn_index_assign(struct vpn_index *index)
{
	struct vpn_device *vpn = index->peer->vpn;
	int err;

	vpn_index_withdraw(index);
	do {
		do {
			index->value = (__force __le32)get_random_u32();
		} while (!index->value);
		err = rhashtable_lookup_insert_fast(&vpn->indices, &index->node,
						    index_params);
	} while (err == -EEXIST);
	if (err)
		index->value = 0;
	return err;
}

bool vpn_index_pass_on(struct vpn_index *from, struct vpn_index *to)
{
	struct vpn_device *vpn = from->peer->vpn;

	if (!from->value)
		return false;
	to->value = from->value;
	if (rhashtable_replace_fast(&vpn->indices, &from->node, &to->node,
				    index_params)) {
		to->value = 0;
		return false;
	}
	from->value = 0;
	return true;
}

void vpn_index_withdraw(struct vpn_index *index)
{
	struct vpn_device *vpn = index->peer->vpn;

	if (!index->value)
		return;
	rhashtable_remove_fast(&vpn->indices, &index->node, index_params);
	index->value = 0;
}

struct vpn_index *vpn_index_find(struct vpn_device *vpn, __le32 value)
{
	return rhashtable_lookup(&vpn->indices, &value, index_params);
}

int __init vpn_peer_init(void)
{
	peer_cache = KMEM_CACHE(vpn_peer, SLAB_ACCOUNT);
	return peer_cache ? 0 : -ENOMEM;
}

void vpn_peer_uninit(void)
{
	rcu_barrier();
	kmem_cache_destroy(peer_cache);
}
