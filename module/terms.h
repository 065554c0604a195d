/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The terms of a handshake, beside the keys: what a peer may have, what either
 * end asks for and tells the other in version 1, and how it was last refused.
 */
#ifndef VPN_TERMS_H
#define VPN_TERMS_H

#include <linux/rcupdate.h>
#include <linux/types.h>

#include "messages.h"
#include "tlv.h"

struct vpn_device;
struct vpn_peer;

/**
 * struct vpn_credential - what we show to a peer
 * @kind: enum vpn_credential_kind
 * @len: octets
 * @bytes: opaque to us
 */
struct vpn_credential {
	u8 kind;
	u16 len;
	u8 bytes[];
};

/**
 * struct vpn_routes - what one peer is told to send through the tunnel
 * @count: how many; zero tells it nothing
 * @list: in the order in which they are told
 */
struct vpn_routes {
	unsigned int count;
	struct vpn_prefix list[];
};

/**
 * struct vpn_heard - what a peer has said about itself
 * @host_name: empty when it did not say
 * @software: empty when it did not say
 * @rcu: defers freeing
 */
struct vpn_heard {
	char host_name[VPN_HOST_NAME_MAX + 1];
	char software[VPN_HOST_NAME_MAX + 1];
	struct rcu_head rcu;
};

/**
 * struct vpn_assigned - what a peer told us to configure
 * @assignment: in its words
 * @time: when, wall clock, ns
 * @rcu: defers freeing
 */
struct vpn_assigned {
	struct vpn_assignment assignment;
	u64 time;
	struct rcu_head rcu;
};

/**
 * struct vpn_refusal - how a handshake was refused
 * @reject: why
 * @ours: we refused the peer; otherwise it refused us
 * @time: when, wall clock, ns
 * @rcu: defers freeing
 */
struct vpn_refusal {
	struct vpn_reject reject;
	bool ours;
	u64 time;
	struct rcu_head rcu;
};

/**
 * struct vpn_terms - the terms between us and a peer
 * @cipher: enum vpn_cipher, the setting. vpn_device.lock writes
 * @expires: when the peer loses its rights, wall clock, ns; zero for never.
 *	vpn_device.lock writes
 * @credential: ours, NULL for none. vpn_handshake.lock
 * @routes: that the peer is told, NULL for those of the device.
 *	vpn_handshake.lock
 * @spoken: what the peer began a handshake with last. vpn_handshake.lock writes
 * @unanswered: initiations sent since the peer answered one
 * @heard: of the peer. vpn_handshake.lock writes, RCU reads
 * @assigned: to us. Exchanged, RCU reads
 * @refusal: the last one. vpn_handshake.lock writes, RCU reads
 * @lease_asked: time stamp of the initiation that waited for a lease last
 * @lease_answered: whether it had been tried to give one, and
 * @lease_refused: what to say if that one did not fit. vpn_handshake.lock
 */
struct vpn_terms {
	u8 cipher;
	u64 expires;
	struct vpn_credential *credential;
	struct vpn_routes *routes;
	struct vpn_session_kind spoken;
	unsigned int unanswered;
	struct vpn_heard __rcu *heard;
	struct vpn_assigned __rcu *assigned;
	struct vpn_refusal __rcu *refusal;
	u8 lease_asked[VPN_TIMESTAMP_LEN];
	bool lease_answered;
	struct vpn_reject lease_refused;
};

/**
 * struct vpn_offer - what a device tells its peers
 * @host_name: what to call us; empty for nothing
 * @assignment: what clients are to configure, beside addresses
 * @rcu: defers freeing
 */
struct vpn_offer {
	char host_name[VPN_HOST_NAME_MAX + 1];
	struct vpn_assignment assignment;
	struct rcu_head rcu;
};

/**
 * enum vpn_verdict - what is to be done with an initiation
 * @VPN_VERDICT_ACCEPT: begin a session
 * @VPN_VERDICT_REJECT: refuse, with a reason
 * @VPN_VERDICT_WAIT: the peer has to be given a lease first
 */
enum vpn_verdict {
	VPN_VERDICT_ACCEPT,
	VPN_VERDICT_REJECT,
	VPN_VERDICT_WAIT,
};

/**
 * vpn_terms_kind() - choose version and suite of our next initiation
 * @peer: to whom
 *
 * Context: any.
 * Return: the kind.
 */
struct vpn_session_kind vpn_terms_kind(struct vpn_peer *peer);

/**
 * vpn_terms_expired() - tell whether a peer's time is over
 * @peer: the peer
 *
 * Context: any.
 * Return: whether it is.
 */
bool vpn_terms_expired(const struct vpn_peer *peer);

/**
 * vpn_terms_write_request() - write the TLVs of an initiation of ours
 * @peer: to whom; handshake.lock held
 * @tlvs: where to
 * @room: octets there
 *
 * Context: process.
 * Return: octets written, or -EMSGSIZE.
 */
int vpn_terms_write_request(struct vpn_peer *peer, u8 *tlvs, size_t room);

/**
 * vpn_terms_judge() - decide about an authentic initiation
 * @peer: whose it is; handshake.lock held for writing
 * @kind: what it proposes
 * @timestamp: of the initiation
 * @request: what it says; empty for version 0
 * @answer: filled when it is accepted or rejected
 *
 * Takes a seat for the peer when it accepts, if their number is limited.
 *
 * Context: process.
 * Return: the verdict.
 */
enum vpn_verdict vpn_terms_judge(struct vpn_peer *peer,
				 struct vpn_session_kind kind,
				 const u8 timestamp[VPN_TIMESTAMP_LEN],
				 const struct vpn_request *request,
				 struct vpn_answer *answer);

/**
 * vpn_terms_heard() - remember what an accepted peer said
 * @peer: the peer; handshake.lock held for writing
 * @kind: what it proposed
 * @request: what it said
 *
 * Context: process.
 */
void vpn_terms_heard(struct vpn_peer *peer, struct vpn_session_kind kind,
		     const struct vpn_request *request);

/**
 * vpn_terms_assigned() - remember what a peer told us to configure
 * @peer: the peer
 * @assignment: its words
 * @gfp: how to allocate
 *
 * Context: as @gfp allows.
 * Return: whether that differs from what it was.
 */
bool vpn_terms_assigned(struct vpn_peer *peer,
			const struct vpn_assignment *assignment, gfp_t gfp);

/**
 * vpn_terms_refused() - remember a refusal
 * @peer: the peer; handshake.lock held for writing
 * @reject: why
 * @ours: whether we refused the peer
 *
 * Context: process.
 */
void vpn_terms_refused(struct vpn_peer *peer, const struct vpn_reject *reject,
		       bool ours);

/**
 * vpn_terms_set_credential() - change what we show to a peer
 * @peer: the peer, its device's lock held
 * @kind: enum vpn_credential_kind
 * @bytes: the credential
 * @len: octets; zero for none
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int vpn_terms_set_credential(struct vpn_peer *peer, u8 kind, const u8 *bytes,
			     size_t len);

/**
 * vpn_terms_set_routes() - change which routes a peer is told
 * @peer: the peer, its device's lock held
 * @routes: from kmalloc(), the peer's from now on; NULL for the device's
 *
 * Context: process.
 */
void vpn_terms_set_routes(struct vpn_peer *peer, struct vpn_routes *routes);

/**
 * vpn_terms_free() - the end of a peer's terms
 * @peer: nobody else sees it any more
 */
void vpn_terms_free(struct vpn_peer *peer);

#endif
