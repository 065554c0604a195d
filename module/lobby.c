// SPDX-License-Identifier: GPL-2.0
/*
 * Initiations that wait. A stranger's waits for userspace, which adds it as a
 * peer or rejects it; a peer's waits for its lease, since only holders of the
 * device's lock give one. Either goes back to where handshake messages are
 * consumed as if it had just arrived.
 *
 * Strangers may be many, and keys cost nothing: the number of messages, their
 * memory, their time, and what one source may have of them are bounded, and
 * with them the events.
 */

#include <linux/slab.h>
#include <net/genetlink.h>

#include "device.h"
#include "event.h"
#include "handshake.h"
#include "limit.h"
#include "lobby.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "peer.h"
#include "pool.h"
#include "rx.h"
#include "stats.h"

/**
 * struct guest - a message that waits
 * @list: in vpn_lobby.guests
 * @skb: the message, with a reference
 * @public_key: whose it is
 * @source: IPv4 address or IPv6 /64 that it came from
 * @deadline: in jiffies
 * @parked: it waits for a lease; else for a decision
 * @wanted: addresses that it asks for
 * @wanted_count: how many
 */
struct guest {
	struct list_head list;
	struct sk_buff *skb;
	u8 public_key[VPN_KEY_LEN];
	u64 source;
	unsigned long deadline;
	bool parked;
	u8 wanted_count;
	struct vpn_prefix wanted[VPN_FAMILIES];
};

static void guest_free(struct guest *guest)
{
	if (!guest)
		return;
	kfree_skb(guest->skb);
	kfree(guest);
}

static void guest_leave(struct vpn_lobby *lobby, struct guest *guest)
{
	lockdep_assert_held(&lobby->lock);

	list_del(&guest->list);
	lobby->count--;
	lobby->bytes -= guest->skb->truesize;
}

static struct guest *guest_find(struct vpn_lobby *lobby,
				const u8 public_key[VPN_KEY_LEN], bool parked)
{
	struct guest *guest;

	lockdep_assert_held(&lobby->lock);

	list_for_each_entry(guest, &lobby->guests, list)
		if (guest->parked == parked &&
		    !memcmp(guest->public_key, public_key, VPN_KEY_LEN))
			return guest;
	return NULL;
}

/* Take whoever has that key out of the lobby. */
static struct guest *guest_take(struct vpn_lobby *lobby,
				const u8 public_key[VPN_KEY_LEN])
{
	struct guest *guest;

	spin_lock_bh(&lobby->lock);
	guest = guest_find(lobby, public_key, false);
	if (guest)
		guest_leave(lobby, guest);
	spin_unlock_bh(&lobby->lock);
	return guest;
}

static bool has_room(struct vpn_lobby *lobby, const struct guest *newcomer)
{
	unsigned int same_source = 0;
	struct guest *guest;

	lockdep_assert_held(&lobby->lock);

	if (lobby->count >= VPN_LOBBY_MAX ||
	    lobby->bytes + newcomer->skb->truesize > VPN_LOBBY_BYTES_MAX)
		return false;
	list_for_each_entry(guest, &lobby->guests, list)
		same_source += guest->source == newcomer->source;
	return same_source < VPN_LOBBY_SOURCE_MAX;
}

static bool same_initiation(const struct guest *a, const struct guest *b)
{
	const struct vpn_msg_initiation *one = (void *)a->skb->data;
	const struct vpn_msg_initiation *other = (void *)b->skb->data;

	return !memcmp(one->ephemeral, other->ephemeral, VPN_KEY_LEN);
}

/*
 * Returns whether there was room; @former is the message of the same key that
 * the new one replaces. Should both be one, the first stays, and @former is the
 * other: who repeats it from elsewhere is not to get the answer.
 */
static bool guest_enter(struct vpn_lobby *lobby, struct guest *guest,
			struct guest **former)
{
	bool room;

	spin_lock_bh(&lobby->lock);
	*former = guest_find(lobby, guest->public_key, guest->parked);
	if (*former && same_initiation(*former, guest)) {
		*former = guest;
		spin_unlock_bh(&lobby->lock);
		return true;
	}
	if (*former)
		guest_leave(lobby, *former);
	room = has_room(lobby, guest);
	if (room) {
		list_add_tail(&guest->list, &lobby->guests);
		lobby->count++;
		lobby->bytes += guest->skb->truesize;
		if (!timer_pending(&lobby->timer))
			mod_timer(&lobby->timer, guest->deadline);
	}
	spin_unlock_bh(&lobby->lock);
	return room;
}

static struct guest *guest_alloc(struct sk_buff *skb,
				 const u8 public_key[VPN_KEY_LEN],
				 const struct vpn_request *request, bool parked)
{
	struct guest *guest = kzalloc_obj(*guest, GFP_KERNEL);

	if (!guest)
		return NULL;
	guest->skb = skb_get(skb);
	memcpy(guest->public_key, public_key, VPN_KEY_LEN);
	guest->source = vpn_limit_source(skb);
	guest->deadline = jiffies + VPN_LOBBY_SECONDS * HZ;
	guest->parked = parked;
	guest->wanted_count = request->wanted_count;
	memcpy(guest->wanted, request->wanted, sizeof(guest->wanted));
	return guest;
}

/* Those that have waited until @now; the oldest of the others sets the timer. */
static void lobby_expired(struct timer_list *timer)
{
	struct vpn_lobby *lobby = container_of(timer, struct vpn_lobby, timer);
	struct guest *guest, *tmp;
	LIST_HEAD(gone);

	spin_lock_bh(&lobby->lock);
	list_for_each_entry_safe(guest, tmp, &lobby->guests, list) {
		if (time_before(jiffies, guest->deadline)) {
			mod_timer(&lobby->timer, guest->deadline);
			break;
		}
		guest_leave(lobby, guest);
		list_add_tail(&guest->list, &gone);
	}
	spin_unlock_bh(&lobby->lock);
	list_for_each_entry_safe(guest, tmp, &gone, list)
		guest_free(guest);
}

void vpn_lobby_clear(struct vpn_device *vpn)
{
	struct vpn_lobby *lobby = &vpn->lobby;
	struct guest *guest, *tmp;
	LIST_HEAD(gone);

	spin_lock_bh(&lobby->lock);
	list_splice_init(&lobby->guests, &gone);
	lobby->count = 0;
	lobby->bytes = 0;
	spin_unlock_bh(&lobby->lock);
	list_for_each_entry_safe(guest, tmp, &gone, list)
		guest_free(guest);
}

bool vpn_lobby_is_open(struct vpn_device *vpn)
{
	return vpn_event_auth_listeners(vpn);
}

bool vpn_lobby_enter(struct vpn_device *vpn, struct sk_buff *skb,
		     const u8 public_key[VPN_KEY_LEN],
		     struct vpn_session_kind kind,
		     const struct vpn_request *request)
{
	struct guest *guest, *former;

	guest = guest_alloc(skb, public_key, request, false);
	if (!guest)
		return false;
	if (!guest_enter(&vpn->lobby, guest, &former)) {
		guest_free(former);
		guest_free(guest);
		return false;
	}
	if (!former)
		vpn_event_auth_request(vpn, skb, public_key, kind, request);
	guest_free(former);
	return true;
}

bool vpn_lobby_park(struct vpn_peer *peer, struct sk_buff *skb,
		    const struct vpn_request *request)
{
	struct vpn_lobby *lobby = &peer->vpn->lobby;
	struct guest *guest, *former;
	bool room;

	guest = guest_alloc(skb, peer->handshake.remote_static, request, true);
	if (!guest)
		return false;
	room = guest_enter(lobby, guest, &former);
	guest_free(former);
	if (room)
		schedule_work(&lobby->lease_work);
	else
		guest_free(guest);
	return room;
}

/* Back to where it came from; the queue takes over the reference. */
static void guest_return(struct vpn_device *vpn, struct guest *guest)
{
	if (!netif_running(vpn->dev) || !vpn_rx_requeue(vpn, guest->skb))
		kfree_skb(guest->skb);
	kfree(guest);
}

void vpn_lobby_admit(struct vpn_peer *peer)
{
	struct vpn_device *vpn = peer->vpn;
	struct guest *guest;

	lockdep_assert_held(&vpn->lock);

	guest = guest_take(&vpn->lobby, peer->handshake.remote_static);
	if (guest)
		guest_return(vpn, guest);
}

/* Addresses that the guest insists on; all zero means any. */
static unsigned int insisted(const struct guest *guest,
			     struct vpn_prefix fixed[VPN_FAMILIES])
{
	unsigned int count = 0, i;

	for (i = 0; i < guest->wanted_count; i++)
		if (memchr_inv(guest->wanted[i].ip, 0, guest->wanted[i].len))
			fixed[count++] = guest->wanted[i];
	return count;
}

/* Not every lack of room is that of a pool. */
static void say_exhausted(struct vpn_reject *reject,
			  const struct vpn_prefix *pool)
{
	reject->reason = VPN_REJECT_REASON_POOL_EXHAUSTED;
	if (pool->len == sizeof(struct in_addr))
		snprintf(reject->text, sizeof(reject->text),
			 "pool %pI4/%u is exhausted", pool->ip, pool->bits);
	else if (pool->len)
		snprintf(reject->text, sizeof(reject->text),
			 "pool %pI6c/%u is exhausted", pool->ip, pool->bits);
}

/* What the peer is told, should it still have no lease that it likes. */
static void note_outcome(struct vpn_peer *peer, int err, const char *words)
{
	struct vpn_reject reject = {
		.reason = VPN_REJECT_REASON_ADDRESS_NOT_AVAILABLE,
	};

	strscpy(reject.text, words, sizeof(reject.text));
	if (err == -ENOSPC)
		say_exhausted(&reject, &peer->vpn->pools->full);
	down_write(&peer->handshake.lock);
	peer->terms.lease_answered = true;
	peer->terms.lease_refused = reject;
	up_write(&peer->handshake.lock);
}

static void lend_to(struct vpn_peer *peer, const struct guest *guest)
{
	const char *words = "another address belongs to this peer";
	struct vpn_prefix fixed[VPN_FAMILIES];
	struct netlink_ext_ack extack = {};
	unsigned int count = peer->wanted_count;
	int err;

	if (peer->address_mode != VPN_ADDRESS_MODE_LEASE)
		return;
	/* What the administrator has fixed goes before what the peer wants. */
	memcpy(fixed, peer->wanted, sizeof(fixed));
	if (!count)
		count = insisted(guest, fixed);
	err = vpn_lease_bind(peer, fixed, count, &extack);
	if (err)
		words = extack._msg ?: "";
	note_outcome(peer, err, words);
}

static struct guest *next_parked(struct vpn_lobby *lobby)
{
	struct guest *guest;

	spin_lock_bh(&lobby->lock);
	list_for_each_entry(guest, &lobby->guests, list) {
		if (!guest->parked)
			continue;
		guest_leave(lobby, guest);
		spin_unlock_bh(&lobby->lock);
		return guest;
	}
	spin_unlock_bh(&lobby->lock);
	return NULL;
}

static void lease_work(struct work_struct *work)
{
	struct vpn_lobby *lobby = container_of(work, struct vpn_lobby,
					       lease_work);
	struct vpn_device *vpn = lobby->vpn;
	struct vpn_peer *peer;
	struct guest *guest;

	mutex_lock(&vpn->lock);
	while ((guest = next_parked(lobby))) {
		peer = vpn_peer_find(vpn, guest->public_key);
		if (peer)
			lend_to(peer, guest);
		vpn_peer_put(peer);
		guest_return(vpn, guest);
	}
	mutex_unlock(&vpn->lock);
}

void vpn_lobby_setup(struct vpn_device *vpn)
{
	struct vpn_lobby *lobby = &vpn->lobby;

	spin_lock_init(&lobby->lock);
	INIT_LIST_HEAD(&lobby->guests);
	timer_setup(&lobby->timer, lobby_expired, 0);
	INIT_WORK(&lobby->lease_work, lease_work);
	lobby->vpn = vpn;
}

void vpn_lobby_close(struct vpn_device *vpn)
{
	cancel_work_sync(&vpn->lobby.lease_work);
	vpn_lobby_clear(vpn);
	timer_delete_sync(&vpn->lobby.timer);
}

/*
 * The command that rejects
 */

static void read_reject(struct vpn_reject *reject, struct nlattr **tb)
{
	memset(reject, 0, sizeof(*reject));
	reject->reason = nla_get_u32(tb[VPN_A_REFUSAL_REASON]);
	if (tb[VPN_A_REFUSAL_TEXT])
		strscpy(reject->text, nla_data(tb[VPN_A_REFUSAL_TEXT]),
			sizeof(reject->text));
}

int vpn_nl_peer_reject_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vpn_device *vpn = netdev_priv(vpn_netlink_device(info));
	struct nlattr *tb[VPN_A_REFUSAL_TEXT + 1];
	struct vpn_reject reject;
	struct guest *guest;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, VPN_A_DEVICE_PEER_KEY) ||
	    GENL_REQ_ATTR_CHECK(info, VPN_A_DEVICE_REJECT)) {
		GENL_SET_ERR_MSG(info, "name the stranger's key and the reason");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, VPN_A_REFUSAL_TEXT,
			       info->attrs[VPN_A_DEVICE_REJECT],
			       vpn_reject_input_nl_policy, info->extack);
	if (err)
		return err;
	if (!tb[VPN_A_REFUSAL_REASON]) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[VPN_A_DEVICE_REJECT],
				    "a refusal needs a reason");
		return -EINVAL;
	}
	err = vpn_netlink_check_text(tb[VPN_A_REFUSAL_TEXT], info->extack);
	if (err)
		return err;

	read_reject(&reject, tb);
	guest = guest_take(&vpn->lobby,
			   nla_data(info->attrs[VPN_A_DEVICE_PEER_KEY]));
	if (!guest) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[VPN_A_DEVICE_PEER_KEY],
				    "no stranger with this key waits for an answer");
		return -ENOENT;
	}
	vpn_handshake_reject(vpn, guest->skb, &reject);
	guest_free(guest);
	return 0;
}
