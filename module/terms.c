// SPDX-License-Identifier: GPL-2.0
/*
 * The terms of a handshake: which version and suite, what is asked for, who is
 * let in and with what, and what is remembered of it.
 */

#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "aead.h"
#include "device.h"
#include "peer.h"
#include "pool.h"
#include "session.h"
#include "terms.h"

#define SOFTWARE	"vpn " VPN_VERSION

#define handshake_dereference(p, peer) \
	rcu_dereference_protected(p, lockdep_is_held(&(peer)->handshake.lock))

/* Of those that we allow; the one that the peer chose is one that it allows. */
static u8 preferred_suite(const struct vpn_peer *peer)
{
	struct vpn_session_kind spoken = READ_ONCE(peer->terms.spoken);
	u8 cipher = READ_ONCE(peer->terms.cipher);

	if (cipher != VPN_CIPHER_ANY)
		return cipher;
	return spoken.version ? spoken.suite : vpn_aead_fastest_suite();
}

/* Whether the peer is one that we configured something of version 1 for. */
static bool wants_version_1(const struct vpn_peer *peer)
{
	return READ_ONCE(peer->terms.cipher) != VPN_CIPHER_CHACHA20_POLY1305 ||
	       READ_ONCE(peer->terms.credential) ||
	       READ_ONCE(peer->address_mode) == VPN_ADDRESS_MODE_REQUEST;
}

struct vpn_session_kind vpn_terms_kind(struct vpn_peer *peer)
{
	struct vpn_session_kind kind = {};

	if (wants_version_1(peer)) {
		kind.version = 1;
		kind.suite = preferred_suite(peer);
	} else {
		kind.version = READ_ONCE(peer->terms.spoken.version);
	}
	return kind;
}

bool vpn_terms_expired(const struct vpn_peer *peer)
{
	u64 expires = READ_ONCE(peer->terms.expires);

	return expires && ktime_get_real_ns() >= expires;
}

static void ask_for_address(const struct vpn_peer *peer,
			    struct vpn_request *request)
{
	static const u8 lengths[VPN_FAMILIES] = { 4, 16 };
	unsigned int i;

	if (READ_ONCE(peer->address_mode) != VPN_ADDRESS_MODE_REQUEST)
		return;
	if (peer->wanted_count) {
		request->wanted_count = peer->wanted_count;
		memcpy(request->wanted, peer->wanted, sizeof(request->wanted));
		return;
	}
	/* Any, of either family. */
	for (i = 0; i < VPN_FAMILIES; i++)
		request->wanted[i].len = lengths[i];
	request->wanted_count = VPN_FAMILIES;
}

int vpn_terms_write_request(struct vpn_peer *peer, u8 *tlvs, size_t room)
{
	const struct vpn_credential *credential = peer->terms.credential;
	struct vpn_request request = { .software = SOFTWARE };
	const struct vpn_offer *offer;

	lockdep_assert_held(&peer->handshake.lock);

	ask_for_address(peer, &request);
	if (credential) {
		request.credential_kind = credential->kind;
		request.credential = credential->bytes;
		request.credential_len = credential->len;
	}
	rcu_read_lock();
	offer = rcu_dereference(peer->vpn->offer);
	if (offer)
		strscpy(request.host_name, offer->host_name,
			sizeof(request.host_name));
	rcu_read_unlock();
	return vpn_tlv_write_request(&request, tlvs, room);
}

static enum vpn_verdict reject(struct vpn_answer *answer, u8 reason,
			       const char *text)
{
	answer->reject.reason = reason;
	strscpy(answer->reject.text, text, sizeof(answer->reject.text));
	return VPN_VERDICT_REJECT;
}

static bool cipher_allowed(const struct vpn_peer *peer, u8 suite)
{
	u8 cipher = READ_ONCE(peer->terms.cipher);

	return (cipher == VPN_CIPHER_ANY || cipher == suite) &&
	       vpn_aead_suite_available(suite);
}

/* What the device tells all of its clients, and the peer's own routes. */
static void add_offer(const struct vpn_peer *peer,
		      struct vpn_assignment *assignment)
{
	const struct vpn_routes *routes = peer->terms.routes;
	const struct vpn_offer *offer;

	rcu_read_lock();
	offer = rcu_dereference(peer->vpn->offer);
	if (offer)
		*assignment = offer->assignment;
	rcu_read_unlock();
	if (!routes)
		return;
	memset(assignment->routes, 0, sizeof(assignment->routes));
	memcpy(assignment->routes, routes->list,
	       routes->count * sizeof(*routes->list));
	assignment->route_count = routes->count;
}

/* Whether the lease is the very address that the peer asked for, if it did. */
static bool lease_fits(const struct vpn_prefix *leases, unsigned int count,
		       const struct vpn_request *request)
{
	const struct vpn_prefix *wanted;
	unsigned int i, j;

	for (i = 0; i < request->wanted_count; i++) {
		wanted = &request->wanted[i];
		if (!memchr_inv(wanted->ip, 0, wanted->len))
			continue;
		for (j = 0; j < count; j++)
			if (leases[j].len == wanted->len &&
			    !memcmp(leases[j].ip, wanted->ip, wanted->len))
				break;
		if (j == count)
			return false;
	}
	return true;
}

/* Whether the peer has a lease that it can be told of. */
static bool read_lease(struct vpn_peer *peer, const struct vpn_request *request,
		       struct vpn_assignment *assignment)
{
	unsigned int count;

	count = vpn_lease_read(peer, assignment->addresses, &assignment->lease);
	assignment->address_count = count;
	assignment->has_lease = count;
	return count && lease_fits(assignment->addresses, count, request);
}

/*
 * Only whoever holds the device's lock can give a lease: the message waits for
 * that, and comes back. In version 0 nobody is told of a lease, nor renews it.
 */
static enum vpn_verdict lend_address(struct vpn_peer *peer,
				     struct vpn_session_kind kind,
				     const u8 timestamp[VPN_TIMESTAMP_LEN],
				     const struct vpn_request *request,
				     struct vpn_answer *answer)
{
	struct vpn_assignment *assignment = &answer->assignment;
	struct vpn_terms *terms = &peer->terms;
	bool fits;

	fits = read_lease(peer, request, assignment);
	if (fits && kind.version) {
		vpn_lease_renew(peer);
		/* It may have ended before, and be somebody else's soon. */
		fits = read_lease(peer, request, assignment);
	}
	if (fits)
		return VPN_VERDICT_ACCEPT;
	if (terms->lease_answered &&
	    !memcmp(terms->lease_asked, timestamp, VPN_TIMESTAMP_LEN)) {
		answer->reject = terms->lease_refused;
		return VPN_VERDICT_REJECT;
	}
	terms->lease_answered = false;
	memcpy(terms->lease_asked, timestamp, VPN_TIMESTAMP_LEN);
	return VPN_VERDICT_WAIT;
}

static enum vpn_verdict judge_address(struct vpn_peer *peer,
				      struct vpn_session_kind kind,
				      const u8 timestamp[VPN_TIMESTAMP_LEN],
				      const struct vpn_request *request,
				      struct vpn_answer *answer)
{
	if (READ_ONCE(peer->address_mode) == VPN_ADDRESS_MODE_LEASE)
		return lend_address(peer, kind, timestamp, request, answer);
	if (request->wanted_count)
		return reject(answer, VPN_REJECT_REASON_ADDRESS_NOT_AVAILABLE,
			      "no address pool is configured for this peer");
	return VPN_VERDICT_ACCEPT;
}

enum vpn_verdict vpn_terms_judge(struct vpn_peer *peer,
				 struct vpn_session_kind kind,
				 const u8 timestamp[VPN_TIMESTAMP_LEN],
				 const struct vpn_request *request,
				 struct vpn_answer *answer)
{
	enum vpn_verdict verdict;

	lockdep_assert_held_write(&peer->handshake.lock);

	memset(answer, 0, sizeof(*answer));
	if (request->unsupported)
		return reject(answer, VPN_REJECT_REASON_VERSION_NOT_SUPPORTED,
			      "the initiation asks for something critical that is not known here");
	if (vpn_terms_expired(peer))
		return reject(answer, VPN_REJECT_REASON_EXPIRED,
			      "the time of this peer is over");
	if (!cipher_allowed(peer, kind.suite))
		return reject(answer, VPN_REJECT_REASON_CIPHER_NOT_ALLOWED,
			      kind.suite == VPN_CIPHER_AES_256_GCM ?
			      "aes-256-gcm is not allowed for this peer" :
			      "chacha20-poly1305 is not allowed for this peer");
	add_offer(peer, &answer->assignment);
	verdict = judge_address(peer, kind, timestamp, request, answer);
	if (verdict != VPN_VERDICT_ACCEPT)
		return verdict;
	if (!vpn_session_take_seat(peer, READ_ONCE(peer->vpn->max_peers)))
		return reject(answer, VPN_REJECT_REASON_SERVER_FULL,
			      "the server has as many peers as it may");
	return VPN_VERDICT_ACCEPT;
}

void vpn_terms_heard(struct vpn_peer *peer, struct vpn_session_kind kind,
		     const struct vpn_request *request)
{
	struct vpn_heard *heard, *former;

	lockdep_assert_held_write(&peer->handshake.lock);

	WRITE_ONCE(peer->terms.spoken, kind);
	former = handshake_dereference(peer->terms.heard, peer);
	if (!kind.version ||
	    (former && !strcmp(former->host_name, request->host_name) &&
	     !strcmp(former->software, request->software)))
		return;
	heard = kmalloc_obj(*heard, GFP_KERNEL);
	if (!heard)
		return;
	memcpy(heard->host_name, request->host_name, sizeof(heard->host_name));
	memcpy(heard->software, request->software, sizeof(heard->software));
	rcu_assign_pointer(peer->terms.heard, heard);
	if (former)
		kfree_rcu(former, rcu);
}

bool vpn_terms_assigned(struct vpn_peer *peer,
			const struct vpn_assignment *assignment, gfp_t gfp)
{
	struct vpn_assigned *assigned, *former;
	bool same;

	assigned = kmalloc_obj(*assigned, gfp);
	if (!assigned)
		return false;
	assigned->assignment = *assignment;
	assigned->time = ktime_get_real_ns();
	former = unrcu_pointer(xchg(&peer->terms.assigned,
				    RCU_INITIALIZER(assigned)));
	if (!former)
		return true;
	same = !memcmp(&former->assignment, assignment, sizeof(*assignment));
	kfree_rcu(former, rcu);
	return !same;
}

void vpn_terms_refused(struct vpn_peer *peer, const struct vpn_reject *reject,
		       bool ours)
{
	struct vpn_refusal *refusal, *former;

	lockdep_assert_held_write(&peer->handshake.lock);

	refusal = kmalloc_obj(*refusal, GFP_KERNEL);
	if (!refusal)
		return;
	refusal->reject = *reject;
	refusal->ours = ours;
	refusal->time = ktime_get_real_ns();
	former = handshake_dereference(peer->terms.refusal, peer);
	rcu_assign_pointer(peer->terms.refusal, refusal);
	if (former)
		kfree_rcu(former, rcu);
}

int vpn_terms_set_credential(struct vpn_peer *peer, u8 kind, const u8 *bytes,
			     size_t len)
{
	struct vpn_credential *credential = NULL, *former;

	lockdep_assert_held(&peer->vpn->lock);

	if (len) {
		credential = kmalloc(struct_size(credential, bytes, len),
				     GFP_KERNEL_ACCOUNT);
		if (!credential)
			return -ENOMEM;
		credential->kind = kind;
		credential->len = len;
		memcpy(credential->bytes, bytes, len);
	}
	down_write(&peer->handshake.lock);
	former = peer->terms.credential;
	WRITE_ONCE(peer->terms.credential, credential);
	up_write(&peer->handshake.lock);
	kfree_sensitive(former);
	return 0;
}

void vpn_terms_set_routes(struct vpn_peer *peer, struct vpn_routes *routes)
{
	lockdep_assert_held(&peer->vpn->lock);

	down_write(&peer->handshake.lock);
	swap(peer->terms.routes, routes);
	up_write(&peer->handshake.lock);
	kfree(routes);
}

void vpn_terms_free(struct vpn_peer *peer)
{
	struct vpn_terms *terms = &peer->terms;

	kfree_sensitive(terms->credential);
	kfree(terms->routes);
	kfree(rcu_dereference_protected(terms->heard, true));
	kfree(rcu_dereference_protected(terms->assigned, true));
	kfree(rcu_dereference_protected(terms->refusal, true));
}
