// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a device over netlink, in as many messages as it takes.
 *
 * Between two messages neither a lock nor a reference is held, so a reader that
 * stops reading gets in nobody's way.
 */
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/ipv6.h>

#include "allowedips.h"
#include "device.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "peer.h"
#include "socket.h"
#include "stats.h"
#include "terms.h"

/**
 * struct cursor - where a dump goes on with the next message
 * @dump: which device it is of; finished when all its peers are written
 * @described: the device's own settings are written
 * @brief: latencies are left out: a reader's buffer may have no room for them
 * @partial: the peer's settings are, and @allowedips of its allowed IPs
 * @allowedips: counts them
 * @peer_id: the next peer, zero for the first; ids rise along the list
 * @public_key: of that peer
 */
struct cursor {
	struct vpn_dump dump;
	bool described;
	bool brief;
	bool partial;
	unsigned int allowedips;
	u64 peer_id;
	u8 public_key[VPN_KEY_LEN];
};

static int put_identity(struct sk_buff *skb, struct vpn_identity *identity)
{
	int err = 0;

	down_read(&identity->lock);
	if (identity->present &&
	    (nla_put(skb, VPN_A_DEVICE_PRIVATE_KEY, VPN_KEY_LEN,
		     identity->private_key) ||
	     nla_put(skb, VPN_A_DEVICE_PUBLIC_KEY, VPN_KEY_LEN,
		     identity->public_key)))
		err = -EMSGSIZE;
	up_read(&identity->lock);
	return err;
}

int vpn_netlink_put_address(struct sk_buff *skb, int type,
			    const struct vpn_prefix *prefix)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest ||
	    nla_put(skb, VPN_A_ADDRESS_IPADDR, prefix->len, prefix->ip) ||
	    nla_put_u8(skb, VPN_A_ADDRESS_PREFIX_LEN, prefix->bits))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_prefixes(struct sk_buff *skb, int type,
			const struct vpn_prefix *list, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (vpn_netlink_put_address(skb, type, &list[i]))
			return -EMSGSIZE;
	return 0;
}

static int put_bucket(struct sk_buff *skb, unsigned int bucket, u32 count)
{
	u64 bound = vpn_latency_bound(bucket);
	struct nlattr *nest;

	if (!count)
		return 0;
	nest = nla_nest_start(skb, VPN_A_HISTOGRAM_BUCKET);
	if (!nest ||
	    (bound && nla_put_uint(skb, VPN_A_BUCKET_BOUND, bound)) ||
	    nla_put_u32(skb, VPN_A_BUCKET_COUNT, count))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_histogram(struct sk_buff *skb, int type,
			 const struct vpn_histogram *histogram)
{
	u64 count = atomic64_read(&histogram->count);
	struct nlattr *nest;
	unsigned int i;

	if (!count)
		return 0;
	nest = nla_nest_start(skb, type);
	if (!nest || nla_put_uint(skb, VPN_A_HISTOGRAM_COUNT, count) ||
	    nla_put_uint(skb, VPN_A_HISTOGRAM_SUM,
			 atomic64_read(&histogram->sum)))
		return -EMSGSIZE;
	for (i = 0; i < VPN_LATENCY_BUCKETS; i++)
		if (put_bucket(skb, i, atomic_read(&histogram->buckets[i])))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_list(struct sk_buff *skb, int type,
		    const struct vpn_prefix *list, unsigned int count)
{
	struct nlattr *nest;

	if (!count)
		return 0;
	nest = nla_nest_start(skb, type);
	if (!nest || put_prefixes(skb, VPN_A_LIST_ADDRESS, list, count))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_offer(struct sk_buff *skb, struct vpn_device *vpn)
{
	const struct vpn_assignment *push;
	const struct vpn_offer *offer;

	offer = rcu_dereference_protected(vpn->offer,
					  lockdep_is_held(&vpn->lock));
	if (!offer)
		return 0;
	push = &offer->assignment;
	if ((*offer->host_name &&
	     nla_put_string(skb, VPN_A_DEVICE_HOST_NAME, offer->host_name)) ||
	    put_list(skb, VPN_A_DEVICE_PUSH_DNS, push->dns, push->dns_count) ||
	    put_list(skb, VPN_A_DEVICE_PUSH_ROUTES, push->routes,
		     push->route_count) ||
	    (push->mtu &&
	     nla_put_u16(skb, VPN_A_DEVICE_PUSH_MTU, push->mtu)) ||
	    (push->keepalive &&
	     nla_put_u16(skb, VPN_A_DEVICE_PUSH_KEEPALIVE, push->keepalive)))
		return -EMSGSIZE;
	return 0;
}

static int put_device_latency(struct sk_buff *skb,
			      const struct vpn_latency *latency)
{
	return put_histogram(skb, VPN_A_DEVICE_HANDSHAKE_LATENCY,
			     &latency->handshake) ?:
	       put_histogram(skb, VPN_A_DEVICE_ECHO_LATENCY, &latency->echo);
}

static int put_device_settings(struct sk_buff *skb, struct vpn_device *vpn,
			       bool brief)
{
	if (put_identity(skb, &vpn->identity) ||
	    nla_put_u16(skb, VPN_A_DEVICE_LISTEN_PORT, vpn->listen_port) ||
	    nla_put_u32(skb, VPN_A_DEVICE_FWMARK, vpn->fwmark) ||
	    nla_put_u32(skb, VPN_A_DEVICE_PEER_COUNT, vpn->peer_count) ||
	    (vpn->max_peers &&
	     nla_put_u32(skb, VPN_A_DEVICE_MAX_PEERS, vpn->max_peers)) ||
	    put_offer(skb, vpn) ||
	    (!brief && put_device_latency(skb, &vpn->latency)))
		return -EMSGSIZE;
	return 0;
}

static int put_sockaddr(struct sk_buff *skb, const union vpn_sockaddr *address)
{
	if (address->sa.sa_family == AF_INET) {
		if (nla_put_in_addr(skb, VPN_A_PEER_ENDPOINT_IPV4,
				    address->in.sin_addr.s_addr) ||
		    nla_put_be16(skb, VPN_A_PEER_ENDPOINT_PORT,
				 address->in.sin_port))
			return -EMSGSIZE;
		return 0;
	}

	if (nla_put_in6_addr(skb, VPN_A_PEER_ENDPOINT_IPV6,
			     &address->in6.sin6_addr) ||
	    nla_put_be16(skb, VPN_A_PEER_ENDPOINT_PORT,
			 address->in6.sin6_port))
		return -EMSGSIZE;
	if (address->in6.sin6_scope_id &&
	    nla_put_u32(skb, VPN_A_PEER_ENDPOINT_SCOPE_ID,
			address->in6.sin6_scope_id))
		return -EMSGSIZE;
	return 0;
}

static int put_endpoint(struct sk_buff *skb, struct vpn_peer *peer)
{
	struct vpn_endpoint *endpoint;
	int err = 0;

	rcu_read_lock();
	endpoint = rcu_dereference(peer->endpoint);
	if (endpoint)
		err = put_sockaddr(skb, &endpoint->addr);
	rcu_read_unlock();
	return err;
}

/* Without a session, the one that we would begin with. */
static u32 version_in_use(struct vpn_peer *peer)
{
	const struct vpn_keypair *keypair;
	u32 version;

	rcu_read_lock();
	keypair = rcu_dereference(peer->keypairs.current_keypair);
	version = keypair ? keypair->kind.version :
			    vpn_terms_kind(peer).version;
	rcu_read_unlock();
	return version;
}

int vpn_netlink_put_peer(struct sk_buff *skb, struct vpn_peer *peer)
{
	u64 handshake = READ_ONCE(peer->last_handshake);

	/* The public key never changes: no lock. */
	if (nla_put(skb, VPN_A_PEER_PUBLIC_KEY, VPN_KEY_LEN,
		    peer->handshake.remote_static) ||
	    put_endpoint(skb, peer) ||
	    nla_put_u16(skb, VPN_A_PEER_PERSISTENT_KEEPALIVE,
			READ_ONCE(peer->timers.persistent_keepalive_interval)) ||
	    nla_put_u32(skb, VPN_A_PEER_PROTOCOL_VERSION,
			version_in_use(peer)) ||
	    (handshake &&
	     nla_put_uint(skb, VPN_A_PEER_LAST_HANDSHAKE, handshake)) ||
	    nla_put_uint(skb, VPN_A_PEER_RX_BYTES,
			 atomic64_read(&peer->rx_bytes)) ||
	    nla_put_uint(skb, VPN_A_PEER_TX_BYTES,
			 atomic64_read(&peer->tx_bytes)))
		return -EMSGSIZE;
	return 0;
}

static int put_preshared_key(struct sk_buff *skb, struct vpn_handshake *handshake)
{
	int err = 0;

	down_read(&handshake->lock);
	if (memchr_inv(handshake->preshared_key, 0, VPN_KEY_LEN))
		err = nla_put(skb, VPN_A_PEER_PRESHARED_KEY, VPN_KEY_LEN,
			      handshake->preshared_key);
	up_read(&handshake->lock);
	return err;
}

static int put_addresses(struct sk_buff *skb, struct vpn_peer *peer)
{
	unsigned int i;

	if (nla_put_u32(skb, VPN_A_PEER_ADDRESS_MODE, peer->address_mode))
		return -EMSGSIZE;
	for (i = 0; i < peer->wanted_count; i++)
		if (vpn_netlink_put_address(skb, VPN_A_PEER_ADDRESS,
					    &peer->wanted[i]))
			return -EMSGSIZE;
	return vpn_lease_put(skb, peer);
}

static int put_assigned(struct sk_buff *skb, const struct vpn_assigned *assigned)
{
	const struct vpn_assignment *a;
	struct nlattr *nest;
	unsigned int i;

	if (!assigned)
		return 0;
	a = &assigned->assignment;
	nest = nla_nest_start(skb, VPN_A_PEER_ASSIGNED);
	if (!nest ||
	    put_prefixes(skb, VPN_A_ASSIGNED_ADDRESS, a->addresses,
			 a->address_count) ||
	    put_prefixes(skb, VPN_A_ASSIGNED_ROUTE, a->routes, a->route_count) ||
	    (a->mtu && nla_put_u16(skb, VPN_A_ASSIGNED_MTU, a->mtu)) ||
	    (a->keepalive &&
	     nla_put_u16(skb, VPN_A_ASSIGNED_KEEPALIVE, a->keepalive)) ||
	    (a->has_lease &&
	     nla_put_u32(skb, VPN_A_ASSIGNED_LEASE_TIME, a->lease)) ||
	    nla_put_uint(skb, VPN_A_ASSIGNED_TIME, assigned->time))
		return -EMSGSIZE;
	for (i = 0; i < a->dns_count; i++)
		if (nla_put(skb, VPN_A_ASSIGNED_DNS, a->dns[i].len,
			    a->dns[i].ip))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_heard(struct sk_buff *skb, const struct vpn_heard *heard)
{
	if (heard &&
	    ((*heard->host_name &&
	      nla_put_string(skb, VPN_A_PEER_HOST_NAME, heard->host_name)) ||
	     (*heard->software &&
	      nla_put_string(skb, VPN_A_PEER_SOFTWARE, heard->software))))
		return -EMSGSIZE;
	return 0;
}

static int put_refusal(struct sk_buff *skb, const struct vpn_refusal *refusal)
{
	struct nlattr *nest;

	if (!refusal)
		return 0;
	nest = nla_nest_start(skb, VPN_A_PEER_LAST_REFUSAL);
	if (!nest ||
	    nla_put_u32(skb, VPN_A_REFUSAL_REASON, refusal->reject.reason) ||
	    nla_put_string(skb, VPN_A_REFUSAL_TEXT, refusal->reject.text) ||
	    nla_put_uint(skb, VPN_A_REFUSAL_TIME, refusal->time) ||
	    (refusal->ours && nla_put_flag(skb, VPN_A_REFUSAL_OURS)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_disconnect(struct sk_buff *skb, const struct vpn_peer *peer)
{
	u8 reason = READ_ONCE(peer->disconnect);
	struct nlattr *nest;

	if (!reason)
		return 0;
	nest = nla_nest_start(skb, VPN_A_PEER_LAST_DISCONNECT);
	if (!nest ||
	    nla_put_u32(skb, VPN_A_ENDING_REASON, reason) ||
	    nla_put_uint(skb, VPN_A_ENDING_TIME,
			 READ_ONCE(peer->disconnect_time)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_session(struct sk_buff *skb, const struct vpn_peer *peer)
{
	const struct vpn_keypair *keypair;

	keypair = rcu_dereference(peer->keypairs.current_keypair);
	if (!keypair)
		return 0;
	return nla_put_u32(skb, VPN_A_PEER_SESSION_CIPHER, keypair->kind.suite);
}

int vpn_netlink_put_state(struct sk_buff *skb, struct vpn_peer *peer)
{
	const struct vpn_terms *terms = &peer->terms;
	u64 rtt = READ_ONCE(peer->echo.rtt);
	int err;

	rcu_read_lock();
	err = put_assigned(skb, rcu_dereference(terms->assigned)) ?:
	      put_heard(skb, rcu_dereference(terms->heard)) ?:
	      put_refusal(skb, rcu_dereference(terms->refusal)) ?:
	      put_session(skb, peer);
	rcu_read_unlock();
	if (err || put_disconnect(skb, peer) ||
	    nla_put_u32(skb, VPN_A_PEER_UNANSWERED,
			READ_ONCE(terms->unanswered)) ||
	    (rtt && nla_put_uint(skb, VPN_A_PEER_RTT, rtt)))
		return -EMSGSIZE;
	return 0;
}

static int put_latency(struct sk_buff *skb, const struct vpn_peer *peer)
{
	const struct vpn_latency *latency = READ_ONCE(peer->latency);

	if (!latency)
		return 0;
	return put_histogram(skb, VPN_A_PEER_HANDSHAKE_LATENCY,
			     &latency->handshake) ?:
	       put_histogram(skb, VPN_A_PEER_ECHO_LATENCY, &latency->echo);
}

/* The credential itself is not read back: whoever can use it can show it. */
static int put_credential(struct sk_buff *skb, struct vpn_peer *peer)
{
	int err = 0;

	down_read(&peer->handshake.lock);
	if (peer->terms.credential)
		err = nla_put_u32(skb, VPN_A_PEER_CREDENTIAL_KIND,
				  peer->terms.credential->kind);
	up_read(&peer->handshake.lock);
	return err;
}

/* An empty list is one, too. */
static int put_routes(struct sk_buff *skb, struct vpn_peer *peer)
{
	const struct vpn_routes *routes;
	struct nlattr *nest;
	int err = 0;

	down_read(&peer->handshake.lock);
	routes = peer->terms.routes;
	if (routes) {
		nest = nla_nest_start(skb, VPN_A_PEER_PUSH_ROUTES);
		if (!nest || put_prefixes(skb, VPN_A_LIST_ADDRESS, routes->list,
					  routes->count))
			err = -EMSGSIZE;
		else
			nla_nest_end(skb, nest);
	}
	up_read(&peer->handshake.lock);
	return err;
}

static int put_terms(struct sk_buff *skb, struct vpn_peer *peer)
{
	u64 expires = peer->terms.expires;

	if (nla_put_u32(skb, VPN_A_PEER_CIPHER, peer->terms.cipher) ||
	    put_credential(skb, peer) ||
	    (expires && nla_put(skb, VPN_A_PEER_EXPIRES, sizeof(expires),
				&expires)) ||
	    put_routes(skb, peer))
		return -EMSGSIZE;
	return vpn_netlink_put_state(skb, peer);
}

static int put_peer_settings(struct sk_buff *skb, struct vpn_peer *peer,
			     bool brief)
{
	if (vpn_netlink_put_peer(skb, peer) ||
	    (peer->name && nla_put_string(skb, VPN_A_PEER_NAME, peer->name)) ||
	    put_preshared_key(skb, &peer->handshake) ||
	    put_addresses(skb, peer) || put_terms(skb, peer) ||
	    (!brief && put_latency(skb, peer)))
		return -EMSGSIZE;
	return 0;
}

static int put_allowedip(struct sk_buff *skb, const struct list_head *entry)
{
	struct nlattr *nest;
	u8 prefix_len;
	int family;
	u8 ip[16];

	nest = nla_nest_start(skb, VPN_A_PEER_ALLOWEDIPS);
	if (!nest)
		return -EMSGSIZE;

	family = vpn_allowedips_read(entry, ip, &prefix_len);
	if (nla_put_u16(skb, VPN_A_ALLOWEDIP_FAMILY, family) ||
	    nla_put(skb, VPN_A_ALLOWEDIP_IPADDR,
		    family == AF_INET ? sizeof(struct in_addr) :
					sizeof(struct in6_addr), ip) ||
	    nla_put_u8(skb, VPN_A_ALLOWEDIP_PREFIX_LEN, prefix_len)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* Write as many as fit; false when some are left, which @cursor then counts. */
static bool put_allowedips(struct sk_buff *skb, const struct vpn_peer *peer,
			   struct cursor *cursor)
{
	const struct list_head *entry;
	unsigned int n = 0;

	list_for_each(entry, &peer->allowedips) {
		if (n++ < cursor->allowedips)
			continue;
		if (put_allowedip(skb, entry))
			return false;
		cursor->allowedips = n;
	}
	return true;
}

static void cursor_move(struct cursor *cursor, const struct vpn_peer *peer)
{
	cursor->brief = false;
	cursor->partial = false;
	cursor->allowedips = 0;
	cursor->peer_id = peer->id;
	memcpy(cursor->public_key, peer->handshake.remote_static, VPN_KEY_LEN);
}

/*
 * Write a peer, or what the previous message has left of it. False when the
 * message is full.
 */
static bool put_peer(struct sk_buff *skb, struct vpn_peer *peer,
		     struct cursor *cursor)
{
	unsigned int before = cursor->allowedips;
	struct nlattr *nest;
	bool all;
	int err;

	nest = nla_nest_start(skb, VPN_A_DEVICE_PEERS);
	if (!nest)
		return false;

	if (cursor->partial)
		err = nla_put(skb, VPN_A_PEER_PUBLIC_KEY, VPN_KEY_LEN,
			      peer->handshake.remote_static);
	else
		err = put_peer_settings(skb, peer, cursor->brief);
	if (err)
		goto cancel;

	all = put_allowedips(skb, peer, cursor);
	/* The key alone tells nothing new. */
	if (!all && cursor->partial && cursor->allowedips == before)
		goto cancel;

	cursor->partial = true;
	nla_nest_end(skb, nest);
	return all;

cancel:
	nla_nest_cancel(skb, nest);
	return false;
}

/*
 * The peer to go on with. If it has been removed, the next one: they are in the
 * order of their ids.
 */
static struct vpn_peer *cursor_peer(struct vpn_device *vpn,
				    const struct cursor *cursor)
{
	struct vpn_peer *peer;

	if (cursor->peer_id) {
		peer = vpn_peer_find(vpn, cursor->public_key);
		vpn_peer_put(peer);	/* the device's lock keeps it */
		if (peer && peer->id == cursor->peer_id)
			return peer;
	}

	list_for_each_entry(peer, &vpn->peers, list)
		if (peer->id >= cursor->peer_id)
			return peer;
	return NULL;
}

/* Write as many peers as fit. */
static void put_peers(struct sk_buff *skb, struct vpn_device *vpn,
		      struct cursor *cursor)
{
	struct vpn_peer *peer = cursor_peer(vpn, cursor);

	if (peer) {
		list_for_each_entry_from(peer, &vpn->peers, list) {
			if (peer->id != cursor->peer_id)
				cursor_move(cursor, peer);
			if (!put_peer(skb, peer, cursor))
				return;
		}
	}
	cursor->dump.finished = true;
}

/* Whether that brought the dump forward. */
static bool put_what_fits(struct sk_buff *skb, struct vpn_device *vpn,
			  struct cursor *cursor)
{
	unsigned int empty = skb->len;

	if (!cursor->described &&
	    put_device_settings(skb, vpn, cursor->brief)) {
		nlmsg_trim(skb, skb_tail_pointer(skb) - (skb->len - empty));
		return false;
	}
	cursor->described = true;
	put_peers(skb, vpn, cursor);
	return cursor->dump.finished || skb->len > empty;
}

/* Each message must bring the dump forward, if need be with less. */
static int put_content(struct sk_buff *skb, struct vpn_device *vpn,
		       struct cursor *cursor)
{
	if (put_what_fits(skb, vpn, cursor))
		return 0;
	cursor->brief = true;
	return put_what_fits(skb, vpn, cursor) ? 0 : -EMSGSIZE;
}

void *vpn_dump_begin(struct sk_buff *skb, struct netlink_callback *cb,
		     struct vpn_device *vpn, u8 cmd, u32 generation)
{
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &vpn_nl_family, NLM_F_MULTI, cmd);
	if (!hdr)
		return NULL;
	/* Zero would stand for no sequence. */
	cb->seq = generation << 1 | 1;
	genl_dump_check_consistent(cb, hdr);

	if (nla_put_u32(skb, VPN_A_DEVICE_IFINDEX, vpn->dev->ifindex) ||
	    nla_put_string(skb, VPN_A_DEVICE_IFNAME, vpn->dev->name)) {
		genlmsg_cancel(skb, hdr);
		return NULL;
	}
	return hdr;
}

static int put_message(struct sk_buff *skb, struct netlink_callback *cb,
		       struct vpn_device *vpn, struct vpn_dump *dump)
{
	struct cursor *cursor = container_of(dump, struct cursor, dump);
	void *hdr;

	hdr = vpn_dump_begin(skb, cb, vpn, VPN_CMD_DEVICE_GET, vpn->generation);
	if (!hdr)
		return -EMSGSIZE;
	if (put_content(skb, vpn, cursor))
		goto cancel;

	genlmsg_end(skb, hdr);
	return skb->len;

cancel:
	genlmsg_cancel(skb, hdr);
	return -EMSGSIZE;
}

/*
 * What all dumps of a device have in common
 */

static struct vpn_dump **dump_of(struct netlink_callback *cb)
{
	return (struct vpn_dump **)cb->ctx;
}

static int dump_open(struct vpn_dump *dump, struct netlink_callback *cb)
{
	netdevice_tracker tracker;
	struct net_device *dev;

	dev = vpn_netlink_hold_device(sock_net(cb->skb->sk),
				      genl_info_dump(cb)->attrs, &tracker,
				      cb->extack);
	if (IS_ERR(dev))
		return PTR_ERR(dev);

	dump->dev = dev;
	dump->ifindex = dev->ifindex;
	netdev_put(dev, &tracker);
	return 0;
}

int vpn_dump_start(struct netlink_callback *cb, struct vpn_dump *dump)
{
	int err = 0;

	if (!dump)
		return -ENOMEM;

	/* Before Linux 6.2, it takes dumpit() to say why a dump is refused. */
	if (cb->extack)
		err = dump_open(dump, cb);
	if (err)
		kfree(dump);
	else
		*dump_of(cb) = dump;
	return err;
}

int vpn_dump_next(struct sk_buff *skb, struct netlink_callback *cb,
		  int (*put)(struct sk_buff *skb, struct netlink_callback *cb,
			     struct vpn_device *vpn, struct vpn_dump *dump))
{
	struct net *net = sock_net(cb->skb->sk);
	struct vpn_dump *dump = *dump_of(cb);
	netdevice_tracker tracker;
	struct net_device *dev;
	struct vpn_device *vpn;
	int ret;

	if (dump->finished)
		return 0;
	if (!dump->dev) {
		ret = dump_open(dump, cb);
		if (ret)
			return ret;
	}

	rcu_read_lock();
	dev = dev_get_by_index_rcu(net, dump->ifindex);
	if (dev == dump->dev)
		netdev_hold(dev, &tracker, GFP_ATOMIC);
	rcu_read_unlock();
	if (dev != dump->dev)
		goto gone;

	vpn = netdev_priv(dev);
	mutex_lock(&vpn->lock);
	if (vpn_netlink_still_there(dev, net))
		ret = put(skb, cb, vpn, dump);
	else
		ret = -ENODEV;
	mutex_unlock(&vpn->lock);
	netdev_put(dev, &tracker);
	if (ret != -ENODEV)
		return ret;
gone:
	NL_SET_ERR_MSG(cb->extack, "the device has just been removed");
	return -ENODEV;
}

int vpn_dump_done(struct netlink_callback *cb)
{
	kfree(*dump_of(cb));
	return 0;
}

int vpn_nl_device_get_start(struct netlink_callback *cb)
{
	struct cursor *cursor = kzalloc_obj(*cursor, GFP_KERNEL);

	BUILD_BUG_ON(offsetof(struct cursor, dump));
	return vpn_dump_start(cb, cursor ? &cursor->dump : NULL);
}

int vpn_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vpn_dump_next(skb, cb, put_message);
}

int vpn_nl_device_get_done(struct netlink_callback *cb)
{
	return vpn_dump_done(cb);
}
