// SPDX-License-Identifier: GPL-2.0
/*
 * From an inner packet to the UDP socket, on the CPU that sends it.
 *
 * vpn_tx_xmit() finds the peer. With a usable key the packet goes on at once:
 * a GSO train becomes one outer UDP GSO skb (send_train), a single packet is
 * sealed where it is or in a copy (send_single). Single packets that come right
 * behind one another are gathered (gather.c), and become one, too (send_bundle).
 * Without a key a packet is staged, and vpn_tx_staged() sends it once a handshake
 * gave us one.
 */

#include <linux/icmpv6.h>
#include <linux/local_lock.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "batch.h"
#include "device.h"
#include "gather.h"
#include "handshake.h"
#include "pages.h"
#include "peer.h"
#include "stats.h"
#include "timer.h"
#include "trace.h"
#include "tx.h"

/* Deeper nesting of tunnels is a loop; the stack would complain a bit later. */
#define RECURSION_MAX 3

/* The outer UDP datagram before segmentation, as the IPv6 header bounds it. */
#define TRAIN_MAX (65535 - sizeof(struct ipv6hdr) - sizeof(struct udphdr))

/* IPv6 with extensions and TCP with options; longer ones are rare. */
#define TRAIN_HEADER_MAX 160

/* What a packet brings along from vpn_tx_xmit(). */
struct tx_cb {
	struct vpn_peer *peer;	/* where it goes */
	u32 mtu;	/* of its route; bounds the padding */
	u8 ds;		/* DSCP and ECN of the outer packet */
};

/**
 * struct train - an inner GSO skb that is being cut
 * @skb: the skb
 * @cb: what it brought along
 * @mss: payload octets of a segment
 * @transport: offset of the TCP or UDP header
 * @header_len: octets in front of the payload
 * @offset: of the payload that comes next
 * @part: what it is in: the skb itself or a part of its frag_list
 * @frag: page fragment of that; -1 for the linear part
 * @start: offset of that
 * @pseudo: sum of the pseudo header without the length
 * @tcp: else UDP
 * @ipv6: else IPv4
 * @fixed_id: all segments have one IPv4 identification
 * @header: of the segment that comes next
 */
struct train {
	struct sk_buff *skb;
	const struct sk_buff *part;
	struct tx_cb cb;
	unsigned int mss;
	unsigned int transport;
	unsigned int header_len;
	unsigned int offset;
	unsigned int start;
	int frag;
	__wsum pseudo;
	bool tcp;
	bool ipv6;
	bool fixed_id;
	u8 header[TRAIN_HEADER_MAX] __aligned(4);
};

/**
 * struct outgoing - what leaves once its messages are sealed
 * @skb: a datagram or a train of them
 * @packets: inner packets in it, zero for a message of our own
 * @bytes: octets of those
 * @count_as: how to count it
 * @id: IPv4 identification of the first datagram
 * @flags: of the messages
 * @ds: DSCP and ECN of the outer packet
 */
struct outgoing {
	struct sk_buff *skb;
	unsigned int packets;
	unsigned int bytes;
	enum vpn_stat count_as;
	u16 id;
	u16 flags;
	u8 ds;
};

/**
 * struct tx_job - what leaves as soon as the crypto API is done with it
 * @aead: its messages
 * @keypair: held
 * @out: what leaves
 */
struct tx_job {
	struct vpn_aead_job aead;
	struct vpn_keypair *keypair;
	struct outgoing out;
};

/**
 * struct tx_cpu - what one CPU seals in
 * @lock: protects the rest; where disabled bottom halves don't (PREEMPT_RT)
 * @batch: messages to seal; free again as soon as they are
 * @job: for the next batch that may take longer, or NULL
 */
struct tx_cpu {
	local_lock_t lock;
	struct vpn_batch batch;
	struct tx_job *job;
};

static struct tx_cpu __percpu *cpus;

static struct vpn_batch *batch_begin(void)
{
	local_lock_nested_bh(&cpus->lock);
	return this_cpu_ptr(&cpus->batch);
}

static void batch_end(void)
{
	local_unlock_nested_bh(&cpus->lock);
}

static struct tx_cb *tx_cb(const struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct tx_cb) > sizeof(skb->cb));
	return (struct tx_cb *)skb->cb;
}

/* Length after padding: to a multiple of 16, but not beyond the MTU. */
static unsigned int padded_len(unsigned int len, unsigned int mtu)
{
	unsigned int last = len;

	if (unlikely(!mtu))
		return ALIGN(len, VPN_PADDING);
	if (unlikely(last > mtu))
		last %= mtu;
	return len - last + min(mtu, ALIGN(last, VPN_PADDING));
}

static void write_header(u8 *to, const struct vpn_keypair *keypair, u64 counter,
			 u16 flags)
{
	const struct vpn_msg_data message = {
		.header.type = VPN_MSG_DATA,
		.header.version = keypair->kind.version,
		.header.flags = cpu_to_le16(flags),
		.receiver = keypair->remote_index,
		.counter = cpu_to_le64(counter),
	};

	memcpy(to, &message, sizeof(message));
}

/*
 * Whether @skb's memory is charged to the sending socket by a destructor that
 * subtracts truesize, so that the charge can pass to other memory.
 */
static bool charges_socket(const struct sk_buff *skb)
{
	if (!skb->sk || !sk_fullsock(skb->sk))
		return false;
	if (skb->destructor == sock_wfree)
		return true;
	return sk_is_tcp(skb->sk) && skb->destructor &&
	       skb->destructor != sock_efree &&
	       skb->destructor != sock_edemux && skb->destructor != sock_pfree;
}

/*
 * The sealed packet stays charged to the socket until it leaves: TCP small
 * queues and pacing go by it. The last of a train takes over the charge of the
 * skb itself, so that the socket sees no gap.
 */
static void inherit_socket(struct sk_buff *outer, struct sk_buff *skb, bool last)
{
	struct sock *sk = skb->sk;
	int delta = outer->truesize;

	if (!charges_socket(skb))
		return;
	outer->sk = sk;
	outer->destructor = skb->destructor;
	if (last) {
		delta -= skb->truesize;
		skb->sk = NULL;
		skb->destructor = NULL;
	}
	if (delta >= 0)
		refcount_add(delta, &sk->sk_wmem_alloc);
	else
		WARN_ON_ONCE(refcount_sub_and_test(-delta, &sk->sk_wmem_alloc));
}

static void inherit_attributes(struct sk_buff *outer, const struct sk_buff *skb)
{
	outer->priority = skb->priority;
	vpn_skb_copy_delivery_time(outer, skb);
	if (skb->l4_hash)
		__skb_set_hash(outer, skb->hash, skb->sw_hash, true);
}

/* How far a packet has to move for enough room in front of it. */
static unsigned int missing_headroom(const struct sk_buff *skb,
				     unsigned int headroom)
{
	if (skb_headroom(skb) >= headroom)
		return 0;
	return max(headroom, VPN_SEAL_FRONT) - skb_headroom(skb);
}

/* Sealing in place needs memory that is ours alone, and room in it. */
static bool can_seal_in_place(const struct sk_buff *skb, unsigned int headroom,
			      unsigned int grow)
{
	return !skb_is_nonlinear(skb) && !skb_cloned(skb) &&
	       skb_tailroom(skb) >= grow + missing_headroom(skb, headroom);
}

static struct sk_buff *prepare_in_place(struct sk_buff *skb,
					unsigned int headroom)
{
	const unsigned int missing = missing_headroom(skb, headroom);

	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb)) {
		kfree_skb(skb);
		return NULL;
	}
	if (missing) {
		memmove(skb->data + missing, skb->data, skb->len);
		skb_reserve(skb, missing);
	}
	skb_scrub_packet(skb, false);
	skb->ip_summed = CHECKSUM_NONE;
	skb->encapsulation = 0;
	return skb;
}

/*
 * A UDP checksum that comes out as zero has to be sent as its other zero, or it
 * says that there is none.
 */
static void copy_packet(const struct sk_buff *skb, u8 *to)
{
	int start = skb_checksum_start_offset(skb);
	__sum16 *check;

	skb_copy_and_csum_dev(skb, to);
	if (skb->ip_summed != CHECKSUM_PARTIAL || start < 0 ||
	    start + skb->csum_offset + sizeof(*check) > skb->len)
		return;
	check = (__sum16 *)(to + start + skb->csum_offset);
	if (!*check)
		*check = CSUM_MANGLED_0;
}

static struct sk_buff *prepare_copy(struct vpn_device *vpn, struct sk_buff *skb,
				    unsigned int headroom, unsigned int grow)
{
	struct sk_buff *outer = vpn_pages_skb(max(headroom, VPN_SEAL_FRONT),
					      skb->len + grow);

	if (unlikely(!outer)) {
		kfree_skb(skb);
		return NULL;
	}
	copy_packet(skb, skb_put(outer, skb->len));
	inherit_attributes(outer, skb);
	inherit_socket(outer, skb, true);
	napi_consume_skb(skb, 1);
	vpn_stats_count(vpn->stats, VPN_STAT_TX_COPIED, 1);
	return outer;
}

/*
 * Take @count counters of the session. Those that are left over when sending
 * fails are never used.
 */
static bool reserve_counters(struct vpn_keypair *keypair, unsigned int count,
			     u64 *first)
{
	*first = atomic64_fetch_add(count, &keypair->send_counter);
	return likely(*first + count <= VPN_REJECT_AFTER_MESSAGES);
}

/* Returns whether it left. It is gone in any case. */
static bool emit(struct vpn_peer *peer, const struct outgoing *out)
{
	struct vpn_device *vpn = peer->vpn;

	if (vpn_socket_send(peer, out->skb, out->ds, out->id))
		return false;
	if (out->packets)
		vpn_stats_sent(vpn, out->packets, out->bytes);
	vpn_stats_count(vpn->stats, out->count_as, 1);
	return true;
}

/* A queue that is full is no mistake of anybody. */
static enum vpn_stat reason_of(int err)
{
	return err == -EBUSY || err == -ENOSPC ? VPN_STAT_DROP_TX_BUSY :
						 VPN_STAT_DROP_TX_SEAL;
}

static void drop_unsealed(struct vpn_peer *peer, const struct outgoing *out,
			  enum vpn_stat reason, unsigned int count)
{
	kfree_skb(out->skb);
	vpn_stats_drop(peer->vpn, reason, count);
}

/* The crypto API is done with all messages of a job. */
static void job_done(struct vpn_aead_job *aead)
{
	struct tx_job *job = container_of(aead, struct tx_job, aead);
	struct vpn_keypair *keypair = job->keypair;
	struct vpn_peer *peer = keypair->index.peer;
	int err = vpn_aead_job_end(aead, NULL);

	rcu_read_lock_bh();
	if (likely(!err))
		emit(peer, &job->out);
	else
		drop_unsealed(peer, &job->out, reason_of(err),
			      skb_shinfo(job->out.skb)->gso_segs ?: 1);
	rcu_read_unlock_bh();
	kfree(job);
	vpn_session_release(keypair);
}

/*
 * Seal with an implementation that may complete it later. -EINPROGRESS hands
 * @out over to the job, for vpn_aead_job_defer().
 */
static int seal_with_job(struct vpn_keypair *keypair, struct vpn_batch *batch,
			 const struct outgoing *out, struct tx_job **job)
{
	struct tx_cpu *cpu = this_cpu_ptr(cpus);
	int err;

	if (!cpu->job)
		cpu->job = kmalloc_obj(*cpu->job, GFP_ATOMIC | __GFP_NOWARN);
	if (!cpu->job || !vpn_session_hold(keypair))
		return -EBUSY;
	err = vpn_aead_seal(&keypair->send, batch->segments, batch->count,
			    &cpu->job->aead);
	if (likely(err != -EINPROGRESS)) {
		vpn_session_release(keypair);
		return err;
	}
	*job = cpu->job;
	cpu->job = NULL;
	(*job)->keypair = keypair;
	(*job)->out = *out;
	return err;
}

/* Seal the batch, which is in @out. That is gone when it fails. */
static int seal(struct vpn_peer *peer, struct vpn_keypair *keypair,
		struct vpn_batch *batch, struct outgoing *out,
		struct tx_job **job)
{
	unsigned int i;
	u64 counter;
	int err;

	if (!reserve_counters(keypair, batch->count, &counter)) {
		drop_unsealed(peer, out, VPN_STAT_DROP_TX_NO_KEY, batch->count);
		return -ENOKEY;
	}
	/* Unique for as long as fragments live, and no secret. */
	out->id = counter;
	for (i = 0; i < batch->count; i++) {
		struct vpn_segment *segment = &batch->segments[i];

		segment->counter = counter + i;
		write_header(segment->data - sizeof(struct vpn_msg_data),
			     keypair, segment->counter, out->flags);
	}
	trace_vpn_send(peer->vpn->dev, peer->id, counter, batch->count,
		       out->skb->len);
	if (likely(!keypair->send.async))
		err = vpn_aead_seal(&keypair->send, batch->segments,
				    batch->count, NULL);
	else
		err = seal_with_job(keypair, batch, out, job);
	if (unlikely(err && err != -EINPROGRESS))
		drop_unsealed(peer, out, reason_of(err), batch->count);
	return err;
}

/* Returns whether it left or is about to, as the functions below do. */
static bool seal_and_send(struct vpn_peer *peer, struct vpn_keypair *keypair,
			  struct vpn_batch *batch, struct outgoing *out)
{
	struct tx_job *job;
	int err;

	err = seal(peer, keypair, batch, out, &job);
	/* A tunnel below may use the batch again while we send. */
	batch_end();
	if (likely(!err))
		return emit(peer, out);
	if (err == -EINPROGRESS)
		vpn_aead_job_defer(&job->aead, job_done);
	return err == -EINPROGRESS;
}

/*
 * Put a message in @skb, whose plaintext is at its end, into a batch of its own;
 * which leaves the skb with header and tag.
 */
static struct vpn_batch *batch_of_one(struct sk_buff *skb)
{
	struct vpn_batch *batch = batch_begin();

	batch->count = 1;
	batch->segments[0].data = skb->data;
	batch->segments[0].len = skb->len;
	batch->segments[0].front = skb_headroom(skb) >= VPN_SEAL_FRONT;
	skb_put(skb, VPN_TAG_LEN);
	skb_push(skb, sizeof(struct vpn_msg_data));
	return batch;
}

static bool send_single(struct vpn_peer *peer, struct vpn_keypair *keypair,
			struct sk_buff *skb)
{
	const struct tx_cb cb = *tx_cb(skb);
	struct vpn_device *vpn = peer->vpn;
	unsigned int len = skb->len, padding, headroom, grow;

	padding = padded_len(len, cb.mtu) - len;
	grow = padding + VPN_TAG_LEN;
	headroom = vpn_endpoint_headroom(peer);
	skb = can_seal_in_place(skb, headroom, grow) ?
	      prepare_in_place(skb, headroom) :
	      prepare_copy(vpn, skb, headroom, grow);
	if (unlikely(!skb)) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_TX_NO_MEMORY, 1);
		return false;
	}

	skb_put_zero(skb, padding);
	return seal_and_send(peer, keypair, batch_of_one(skb),
			     &(struct outgoing){
				.skb = skb,
				.packets = 1,
				.bytes = len,
				.count_as = VPN_STAT_TX_SINGLES,
				.ds = cb.ds,
			     });
}

static unsigned int transport_header_len(const struct train *train,
					 const struct sk_buff *skb)
{
	struct tcphdr buffer;
	const struct tcphdr *tcp;

	if (!train->tcp)
		return sizeof(struct udphdr);
	tcp = skb_header_pointer(skb, train->transport, sizeof(buffer),
				 &buffer);
	return tcp ? tcp->doff * 4 : 0;
}

/* Read the headers once; false when the stack has to cut this one for us. */
static bool train_begin(struct train *train, struct sk_buff *skb)
{
	const unsigned int known = SKB_GSO_TCPV4 | SKB_GSO_TCPV6 |
				   SKB_GSO_TCP_ECN | SKB_GSO_TCP_FIXEDID |
				   SKB_GSO_UDP_L4;
	unsigned int type = skb_shinfo(skb)->gso_type, len;
	__sum16 check;

	if ((type & ~known) || skb->ip_summed != CHECKSUM_PARTIAL ||
	    skb->encapsulation)
		return false;
	train->skb = skb;
	train->cb = *tx_cb(skb);
	train->mss = skb_shinfo(skb)->gso_size;
	train->transport = skb_checksum_start_offset(skb);
	train->tcp = type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6);
	train->ipv6 = skb->protocol == htons(ETH_P_IPV6);
	train->fixed_id = type & SKB_GSO_TCP_FIXEDID;
	len = transport_header_len(train, skb);
	train->header_len = train->transport + len;
	train->offset = train->header_len;
	train->part = skb;
	train->frag = -1;
	train->start = 0;
	if (!len || !train->mss || train->header_len > TRAIN_HEADER_MAX ||
	    train->header_len >= skb->len ||
	    skb_copy_bits(skb, 0, train->header, train->header_len))
		return false;

	memcpy(&check, train->header + train->transport + skb->csum_offset,
	       sizeof(check));
	train->pseudo = csum_sub(csum_unfold(check),
				 (__force __wsum)htonl(skb->len -
						       train->transport));
	return true;
}

static unsigned int train_left(const struct train *train)
{
	return train->skb->len - train->offset;
}

static unsigned int train_segment_len(const struct train *train)
{
	return train->header_len + min(train->mss, train_left(train));
}

/* Put the lengths into the network header of one segment. */
static void write_network_header(const struct train *train, u8 *to,
				 unsigned int len)
{
	struct ipv6hdr *ip6 = (struct ipv6hdr *)to;
	struct iphdr *ip4 = (struct iphdr *)to;

	if (train->ipv6) {
		ip6->payload_len = htons(len - sizeof(*ip6));
		return;
	}
	ip4->tot_len = htons(len);
	ip4->check = 0;
	ip4->check = ip_fast_csum(to, ip4->ihl);
}

static void write_tcp_header(const struct train *train, u8 *to, __wsum payload,
			     __wsum pseudo, bool last)
{
	struct tcphdr *tcp = (struct tcphdr *)(to + train->transport);

	if (!last) {
		tcp->fin = 0;
		tcp->psh = 0;
	}
	tcp->check = ~csum_fold(pseudo);
	tcp->check = csum_fold(csum_partial(tcp, tcp->doff * 4, payload));
}

static void write_udp_header(const struct train *train, u8 *to, __wsum payload,
			     __wsum pseudo, unsigned int len)
{
	struct udphdr *udp = (struct udphdr *)(to + train->transport);

	udp->len = htons(len);
	if (!udp->check)
		return;
	udp->check = ~csum_fold(pseudo);
	udp->check = csum_fold(csum_partial(udp, sizeof(*udp), payload));
	if (!udp->check)
		udp->check = CSUM_MANGLED_0;
}

/* What differs in the header of the segment behind this one. */
static void train_advance(struct train *train, unsigned int payload)
{
	struct iphdr *ip4 = (struct iphdr *)train->header;
	struct tcphdr *tcp;

	train->offset += payload;
	if (!train->ipv6 && !train->fixed_id)
		ip4->id = htons(ntohs(ip4->id) + 1);
	if (!train->tcp)
		return;
	tcp = (struct tcphdr *)(train->header + train->transport);
	tcp->seq = htonl(ntohl(tcp->seq) + payload);
	tcp->cwr = 0;
}

/* Octets of the piece of memory that the train has come to. */
static unsigned int piece_len(const struct train *train)
{
	return train->frag < 0 ? skb_headlen(train->part) :
	       skb_frag_size(&skb_shinfo(train->part)->frags[train->frag]);
}

/* Go on to the next piece; false, and nothing changes, if there is none. */
static bool piece_next(struct train *train)
{
	const struct sk_buff *part = train->part;

	if (train->frag + 1 < skb_shinfo(part)->nr_frags) {
		train->frag++;
		return true;
	}
	part = part == train->skb ? skb_shinfo(part)->frag_list : part->next;
	/* A part in parts would be a rarity. */
	if (!part || skb_has_frag_list(part))
		return false;
	train->part = part;
	train->frag = -1;
	return true;
}

/* Where the piece begins; NULL when it has no address. */
static const u8 *piece_data(const struct train *train)
{
	const skb_frag_t *frag;

	if (train->frag < 0)
		return train->part->data;
	frag = &skb_shinfo(train->part)->frags[train->frag];
	if (!skb_frag_page(frag) || PageHighMem(skb_frag_page(frag)))
		return NULL;
	return skb_frag_address(frag);
}

/* The next @len octets of payload, if they are in one piece; else NULL. */
static const u8 *train_peek(struct train *train, unsigned int len)
{
	unsigned int size = piece_len(train);
	const u8 *data;

	while (train->offset >= train->start + size) {
		if (!piece_next(train))
			return NULL;
		train->start += size;
		size = piece_len(train);
	}
	if (train->offset + len > train->start + size)
		return NULL;
	data = piece_data(train);
	return data ? data + train->offset - train->start : NULL;
}

/* Copy payload and sum it up. The next bits are in the same place, mostly. */
static __wsum train_copy(struct train *train, u8 *to, unsigned int len)
{
	const u8 *data = train_peek(train, len);

	if (likely(data))
		return csum_partial_copy_nocheck(data, to, len);
	return skb_copy_and_csum_bits(train->skb, train->offset, to, len);
}

/* Write the next inner packet to @to: headers, payload, checksums. */
static void train_write(struct train *train, u8 *to)
{
	unsigned int payload = min(train->mss, train_left(train));
	unsigned int len = train->header_len + payload - train->transport;
	bool last = payload == train_left(train);
	__wsum sum, pseudo;

	memcpy(to, train->header, train->header_len);
	sum = train_copy(train, to + train->header_len, payload);
	pseudo = csum_add(train->pseudo, (__force __wsum)htonl(len));
	write_network_header(train, to, train->header_len + payload);
	if (train->tcp)
		write_tcp_header(train, to, sum, pseudo, last);
	else
		write_udp_header(train, to, sum, pseudo, len);
	train_advance(train, payload);
}

/**
 * struct room - memory at the end of an outer skb for messages of one length
 * @at: where the next one goes
 * @count: how many there is room for
 * @front: what is in front of the next one is nobody else's, for sealing
 */
struct room {
	u8 *at;
	unsigned int count;
	bool front;
};

/* Begin another fragment of @outer, for up to @wanted messages of @len octets. */
static bool room_begin(struct room *room, struct sk_buff *outer,
		       unsigned int len, unsigned int wanted)
{
	const unsigned int spare = VPN_SEAL_FRONT - sizeof(struct vpn_msg_data);
	struct skb_shared_info *info = skb_shinfo(outer);
	struct page *page;
	u8 *to;

	if (info->nr_frags == MAX_SKB_FRAGS)
		return false;
	room->count = wanted;
	to = vpn_pages_cut(spare, len, &room->count);
	if (unlikely(!to)) {
		room->count = 0;
		return false;
	}
	room->at = to + spare;
	room->front = true;
	page = virt_to_head_page(to);
	skb_fill_page_desc(outer, info->nr_frags, page,
			   room->at - (u8 *)page_address(page), 0);
	return true;
}

/* Take one, whose last octets may not be needed. */
static u8 *room_take(struct room *room, struct sk_buff *outer, unsigned int len,
		     bool *front)
{
	struct skb_shared_info *info = skb_shinfo(outer);
	u8 *to = room->at;

	*front = room->front;
	room->front = false;
	room->at += len;
	room->count--;
	skb_frag_size_add(&info->frags[info->nr_frags - 1], len);
	outer->len += len;
	outer->data_len += len;
	outer->truesize += len;
	return to;
}

/*
 * Move segments from the train into one outer skb, as many as it takes. All of
 * them have one length but the last, which may be shorter.
 */
static void fill_outer(struct train *train, struct sk_buff *outer,
		       struct vpn_batch *batch)
{
	const unsigned int row = VPN_DATA_OVERHEAD +
		padded_len(train_segment_len(train), train->cb.mtu);
	unsigned int left = DIV_ROUND_UP(train_left(train), train->mss);
	unsigned int len, padded;
	struct room room = {};
	u8 *to;

	batch->count = 0;
	left = min3(left, (unsigned int)TRAIN_MAX / row, VPN_BATCH_MAX);
	for (; left; left--) {
		struct vpn_segment *segment = &batch->segments[batch->count];

		if (!room.count && !room_begin(&room, outer, row, left))
			break;
		len = train_segment_len(train);
		padded = padded_len(len, train->cb.mtu);
		to = room_take(&room, outer, padded + VPN_DATA_OVERHEAD,
			       &segment->front);
		to += sizeof(struct vpn_msg_data);
		train_write(train, to);
		/* As there is room for the tag, too, it needn't be exact. */
		memset(to + len, 0, VPN_PADDING);
		segment->data = to;
		segment->len = padded;
		batch->count++;
	}
}

static void mark_as_train(struct sk_buff *outer, const struct vpn_batch *batch)
{
	struct skb_shared_info *info = skb_shinfo(outer);

	/* Of a single datagram udp_set_csum() takes it for an inner checksum. */
	if (batch->count == 1)
		return;
	outer->ip_summed = CHECKSUM_PARTIAL;
	outer->csum_start = skb_headroom(outer) - sizeof(struct udphdr);
	outer->csum_offset = offsetof(struct udphdr, check);
	info->gso_type = SKB_GSO_UDP_L4;
	info->gso_size = batch->segments[0].len + VPN_DATA_OVERHEAD;
	info->gso_segs = batch->count;
}

static struct sk_buff *train_outer(const struct vpn_peer *peer,
				   struct train *train, struct vpn_batch *batch)
{
	struct sk_buff *outer = vpn_pages_skb(vpn_endpoint_headroom(peer), 0);

	if (unlikely(!outer))
		return NULL;
	fill_outer(train, outer, batch);
	if (unlikely(!batch->count)) {
		kfree_skb(outer);
		return NULL;
	}
	mark_as_train(outer, batch);
	inherit_attributes(outer, train->skb);
	inherit_socket(outer, train->skb, !train_left(train));
	return outer;
}

/* The next outer skb of a train; returns whether there was memory for it. */
static bool send_part(struct vpn_peer *peer, struct vpn_keypair *keypair,
		      struct train *train, bool *sent)
{
	const unsigned int begin = train->offset;
	struct vpn_batch *batch = batch_begin();
	struct outgoing out = {
		.skb = train_outer(peer, train, batch),
		.count_as = VPN_STAT_TX_TRAINS,
		.ds = train->cb.ds,
	};

	if (unlikely(!out.skb)) {
		batch_end();
		return false;
	}
	out.packets = batch->count;
	out.bytes = train->offset - begin + batch->count * train->header_len;
	*sent |= seal_and_send(peer, keypair, batch, &out);
	return true;
}

static bool send_train(struct vpn_peer *peer, struct vpn_keypair *keypair,
		       struct train *train)
{
	bool sent = false;

	while (train_left(train)) {
		if (likely(send_part(peer, keypair, train, &sent)))
			continue;
		vpn_stats_drop(peer->vpn, VPN_STAT_DROP_TX_NO_MEMORY,
			       DIV_ROUND_UP(train_left(train), train->mss));
		break;
	}
	napi_consume_skb(train->skb, 1);
	return sent;
}

/* Whether a single packet can be in one train with @first, behind it. */
static bool goes_with(const struct sk_buff *first, const struct sk_buff *skb)
{
	const struct tx_cb *a = tx_cb(first), *b = tx_cb(skb);

	return !skb_is_gso(skb) && skb->sk == first->sk &&
	       skb->destructor == first->destructor && a->ds == b->ds &&
	       skb->priority == first->priority &&
	       skb->tstamp == first->tstamp &&
	       padded_len(skb->len, b->mtu) <= padded_len(first->len, a->mtu);
}

/* Copy one packet behind those in @outer, padded to @padded octets. */
static void bundle_add(struct sk_buff *outer, struct vpn_batch *batch,
		       const struct sk_buff *skb, unsigned int padded,
		       struct room *room)
{
	struct vpn_segment *segment = &batch->segments[batch->count++];
	u8 *to = room_take(room, outer, padded + VPN_DATA_OVERHEAD,
			   &segment->front) + sizeof(struct vpn_msg_data);

	copy_packet(skb, to);
	memset(to + skb->len, 0, VPN_PADDING);
	segment->data = to;
	segment->len = padded;
}

/* Copy as many packets as go with the first into @outer, and put them aside. */
static void fill_bundle(struct sk_buff_head *list, struct sk_buff *outer,
			struct vpn_batch *batch, struct sk_buff_head *copied)
{
	const struct sk_buff *first = skb_peek(list);
	const unsigned int longest = padded_len(first->len, tx_cb(first)->mtu);
	const unsigned int row = longest + VPN_DATA_OVERHEAD;
	unsigned int left, padded;
	struct room room = {};
	struct sk_buff *skb;

	batch->count = 0;
	left = min3(skb_queue_len(list), (unsigned int)TRAIN_MAX / row,
		    VPN_BATCH_MAX);
	for (; left; left--) {
		skb = skb_peek(list);
		if (!goes_with(first, skb) ||
		    (!room.count && !room_begin(&room, outer, row, left)))
			break;
		padded = padded_len(skb->len, tx_cb(skb)->mtu);
		bundle_add(outer, batch, skb, padded, &room);
		__skb_unlink(skb, list);
		__skb_queue_tail(copied, skb);
		if (padded < longest)
			break;
	}
}

/* Single packets as a train; without memory, all of @list is lost. */
static bool send_bundle(struct vpn_peer *peer, struct vpn_keypair *keypair,
			struct sk_buff_head *list)
{
	struct outgoing out = { .count_as = VPN_STAT_TX_TRAINS };
	struct vpn_batch *batch = batch_begin();
	struct sk_buff_head copied;
	struct sk_buff *skb;

	__skb_queue_head_init(&copied);
	out.ds = tx_cb(skb_peek(list))->ds;
	out.skb = vpn_pages_skb(vpn_endpoint_headroom(peer), 0);
	if (likely(out.skb))
		fill_bundle(list, out.skb, batch, &copied);
	if (unlikely(skb_queue_empty(&copied))) {
		batch_end();
		kfree_skb(out.skb);
		vpn_stats_drop(peer->vpn, VPN_STAT_DROP_TX_NO_MEMORY,
			       skb_queue_len(list));
		__skb_queue_purge(list);
		return false;
	}
	mark_as_train(out.skb, batch);
	inherit_attributes(out.skb, skb_peek(&copied));
	inherit_socket(out.skb, skb_peek(&copied), false);
	out.packets = batch->count;
	while ((skb = __skb_dequeue(&copied))) {
		out.bytes += skb->len;
		napi_consume_skb(skb, 1);
	}
	return seal_and_send(peer, keypair, batch, &out);
}

/* Rare kinds of trains: the stack cuts them, and they go one by one. */
static bool send_segmented(struct vpn_peer *peer, struct vpn_keypair *keypair,
			   struct sk_buff *skb)
{
	const struct tx_cb cb = *tx_cb(skb);
	struct sk_buff *segments, *segment, *next;
	bool sent = false;

	segments = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(segments)) {
		kfree_skb(skb);
		vpn_stats_drop(peer->vpn, VPN_STAT_DROP_TX_NOT_IP, 1);
		return false;
	}
	consume_skb(skb);
	skb_list_walk_safe(segments, segment, next) {
		skb_mark_not_on_list(segment);
		*tx_cb(segment) = cb;
		sent |= send_single(peer, keypair, segment);
	}
	return sent;
}

static bool send_packet(struct vpn_peer *peer, struct vpn_keypair *keypair,
			struct sk_buff *skb)
{
	struct train train __uninitialized;

	if (!skb_is_gso(skb))
		return send_single(peer, keypair, skb);
	if (likely(train_begin(&train, skb)))
		return send_train(peer, keypair, &train);
	return send_segmented(peer, keypair, skb);
}

/* Send packets to one peer, in their order; @list is empty afterwards. */
static bool send_list(struct vpn_peer *peer, struct vpn_keypair *keypair,
		      struct sk_buff_head *list)
{
	struct sk_buff *skb, *next;
	bool sent = false;

	while ((skb = skb_peek(list))) {
		next = skb_peek_next(skb, list);
		if (next && !skb_is_gso(skb) && goes_with(skb, next)) {
			sent |= send_bundle(peer, keypair, list);
			continue;
		}
		__skb_unlink(skb, list);
		sent |= send_packet(peer, keypair, skb);
	}
	return sent;
}

/* The session to seal with, or NULL when there is none or it is used up. */
static struct vpn_keypair *sending_keypair(struct vpn_peer *peer)
{
	struct vpn_keypair *keypair;

	keypair = rcu_dereference_bh(peer->keypairs.current_keypair);
	if (!keypair || !vpn_session_usable(keypair) ||
	    atomic64_read(&keypair->send_counter) >= VPN_REJECT_AFTER_MESSAGES)
		return NULL;
	return keypair;
}

/* Whoever began the session begins the next one before it is used up. */
static void keep_session_fresh(struct vpn_peer *peer,
			       const struct vpn_keypair *keypair)
{
	u64 sent = atomic64_read(&keypair->send_counter);

	if (unlikely(sent > VPN_REKEY_AFTER_MESSAGES ||
		     (keypair->initiator &&
		      vpn_time_had_passed(keypair->birth, VPN_REKEY_AFTER_TIME))))
		vpn_handshake_queue(peer, false);
}

/* What follows sending, once for all that was sent in one go. */
static void note_sent(struct vpn_peer *peer, const struct vpn_keypair *keypair,
		      bool data)
{
	vpn_timers_authenticated_sent(peer);
	if (data)
		vpn_timers_data_sent(peer);
	keep_session_fresh(peer, keypair);
}

static void stage(struct vpn_peer *peer, struct sk_buff *skb)
{
	struct sk_buff_head *staged = &peer->staged;
	unsigned int dropped = 0;
	struct sk_buff *oldest;

	/*
	 * It may wait for long, and its socket must not: neither for room in
	 * its send buffer, nor, holding its namespace, for its end.
	 */
	skb_orphan(skb);

	spin_lock_bh(&staged->lock);
	while (!skb_queue_empty(staged) &&
	       (skb_queue_len(staged) >= VPN_STAGED_MAX ||
		peer->staged_bytes + skb->truesize > VPN_STAGED_BYTES_MAX)) {
		oldest = __skb_dequeue(staged);
		peer->staged_bytes -= oldest->truesize;
		kfree_skb(oldest);
		dropped++;
	}
	__skb_queue_tail(staged, skb);
	peer->staged_bytes += skb->truesize;
	spin_unlock_bh(&staged->lock);
	if (dropped)
		vpn_stats_drop(peer->vpn, VPN_STAT_DROP_TX_STAGED_FULL,
			       dropped);
}

static void unstage(struct vpn_peer *peer, struct sk_buff_head *list)
{
	__skb_queue_head_init(list);
	spin_lock_bh(&peer->staged.lock);
	skb_queue_splice_init(&peer->staged, list);
	peer->staged_bytes = 0;
	spin_unlock_bh(&peer->staged.lock);
}

void vpn_tx_purge_staged(struct vpn_peer *peer)
{
	struct sk_buff_head list;
	unsigned int count;

	unstage(peer, &list);
	count = skb_queue_len(&list);
	__skb_queue_purge(&list);
	if (count)
		vpn_stats_drop(peer->vpn, VPN_STAT_DROP_TX_NO_KEY, count);
}

void vpn_tx_staged(struct vpn_peer *peer)
{
	struct vpn_keypair *keypair;
	struct sk_buff_head list;

	if (skb_queue_empty_lockless(&peer->staged))
		return;
	rcu_read_lock_bh();
	keypair = sending_keypair(peer);
	if (!keypair) {
		vpn_handshake_queue(peer, false);
		goto out;
	}
	unstage(peer, &list);
	if (skb_queue_empty(&list))
		goto out;
	note_sent(peer, keypair, send_list(peer, keypair, &list));
out:
	rcu_read_unlock_bh();
}

/* A message of our own: nothing, or TLVs, and padding. */
static struct sk_buff *own_message(const u8 *text, size_t len)
{
	const size_t padded = ALIGN(len, VPN_PADDING);
	struct sk_buff *skb = alloc_skb(VPN_TX_HEADROOM + padded + VPN_TAG_LEN,
					GFP_ATOMIC | __GFP_NOWARN);

	if (unlikely(!skb))
		return NULL;
	skb_reserve(skb, VPN_TX_HEADROOM);
	skb_put_data(skb, text, len);
	skb_put_zero(skb, padded - len);
	return skb;
}

static void send_empty(struct vpn_peer *peer, struct vpn_keypair *keypair)
{
	struct outgoing out = {
		.skb = own_message(NULL, 0),
		.count_as = VPN_STAT_TX_KEEPALIVES,
	};

	if (unlikely(!out.skb))
		return;
	seal_and_send(peer, keypair, batch_of_one(out.skb), &out);
	note_sent(peer, keypair, false);
}

void vpn_tx_keepalive(struct vpn_peer *peer)
{
	struct vpn_keypair *keypair;

	if (!skb_queue_empty_lockless(&peer->staged)) {
		vpn_tx_staged(peer);
		return;
	}
	rcu_read_lock_bh();
	keypair = sending_keypair(peer);
	if (keypair)
		send_empty(peer, keypair);
	else
		vpn_handshake_queue(peer, false);
	rcu_read_unlock_bh();
}

static int send_control(struct vpn_peer *peer, struct vpn_keypair *keypair,
			const u8 *tlvs, size_t len)
{
	struct outgoing out = {
		.skb = own_message(tlvs, len),
		.count_as = VPN_STAT_TX_CONTROL,
		.flags = VPN_DATA_CONTROL,
	};
	bool sent;

	if (unlikely(!out.skb))
		return -ENOMEM;
	sent = seal_and_send(peer, keypair, batch_of_one(out.skb), &out);
	note_sent(peer, keypair, false);
	return sent ? 0 : -EIO;
}

int vpn_tx_control(struct vpn_peer *peer, const u8 *tlvs, size_t len)
{
	struct vpn_keypair *keypair;
	int err = -ENOTCONN;

	rcu_read_lock_bh();
	keypair = sending_keypair(peer);
	if (keypair && keypair->kind.version)
		err = send_control(peer, keypair, tlvs, len);
	rcu_read_unlock_bh();
	return err;
}

/* Tell the sender that there is nobody to send to. */
static void report_unreachable(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else if (skb->protocol == htons(ETH_P_IPV6))
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH,
				ICMPV6_ADDR_UNREACH, 0);
}

/* Whether @skb is what it says; and who gets it, or why nobody does. */
static struct vpn_peer *destination(struct vpn_device *vpn, struct sk_buff *skb,
				    enum vpn_stat *reason)
{
	__be16 protocol = ip_tunnel_parse_protocol(skb);
	struct vpn_peer *peer;

	*reason = VPN_STAT_DROP_TX_NOT_IP;
	if (unlikely(!protocol || protocol != skb->protocol))
		return NULL;
	*reason = VPN_STAT_DROP_TX_LOOP;
	if (unlikely(dev_recursion_level() > RECURSION_MAX))
		return NULL;

	peer = vpn_allowedips_find_dst(&vpn->allowedips, skb);
	*reason = VPN_STAT_DROP_TX_NO_PEER;
	if (likely(peer)) {
		*reason = VPN_STAT_DROP_TX_NO_ENDPOINT;
		if (likely(rcu_access_pointer(peer->endpoint)))
			return peer;
	}
	report_unreachable(skb);
	return NULL;
}

/* The session to send with at once, or NULL when packets wait for one. */
static struct vpn_keypair *usable_keypair(struct vpn_peer *peer)
{
	if (unlikely(!skb_queue_empty_lockless(&peer->staged)))
		return NULL;
	return sending_keypair(peer);
}

struct vpn_peer *vpn_tx_peer(const struct sk_buff *skb)
{
	return tx_cb(skb)->peer;
}

/* Move those for the same peer as the first from @list to @chosen. */
static struct vpn_peer *choose(struct sk_buff_head *list,
			       struct sk_buff_head *chosen)
{
	struct vpn_peer *peer = vpn_tx_peer(skb_peek(list));
	struct sk_buff *skb, *next;

	__skb_queue_head_init(chosen);
	skb_queue_walk_safe(list, skb, next) {
		if (vpn_tx_peer(skb) != peer)
			continue;
		__skb_unlink(skb, list);
		__skb_queue_tail(chosen, skb);
	}
	return peer;
}

void vpn_tx_list(struct sk_buff_head *list)
{
	struct vpn_keypair *keypair;
	struct sk_buff_head chosen;
	struct vpn_peer *peer;
	struct sk_buff *skb;

	while (!skb_queue_empty(list)) {
		peer = choose(list, &chosen);
		if (unlikely(READ_ONCE(peer->dead))) {
			vpn_stats_drop(peer->vpn, VPN_STAT_DROP_TX_NO_PEER,
				       skb_queue_len(&chosen));
			__skb_queue_purge(&chosen);
			continue;
		}
		keypair = usable_keypair(peer);
		if (likely(keypair)) {
			note_sent(peer, keypair,
				  send_list(peer, keypair, &chosen));
			continue;
		}
		while ((skb = __skb_dequeue(&chosen)))
			stage(peer, skb);
		vpn_tx_staged(peer);
	}
}

netdev_tx_t vpn_tx_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vpn_device *vpn = netdev_priv(dev);
	struct vpn_keypair *keypair;
	enum vpn_stat reason;
	struct vpn_peer *peer;

	/* Bottom halves are disabled, which is what rcu_read_lock_bh() does. */
	peer = destination(vpn, skb, &reason);
	if (unlikely(!peer)) {
		vpn_stats_drop(vpn, reason, skb_shinfo(skb)->gso_segs ?: 1);
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}

	*tx_cb(skb) = (struct tx_cb){
		.peer = peer,
		.mtu = skb_valid_dst(skb) ? dst_mtu(skb_dst(skb)) :
					    READ_ONCE(dev->mtu),
		.ds = ip_tunnel_ecn_encap(0, ip_hdr(skb), skb),
	};
	skb_dst_drop(skb);

	if (vpn_gather_add(vpn, skb))
		return NETDEV_TX_OK;
	keypair = usable_keypair(peer);
	if (likely(keypair)) {
		note_sent(peer, keypair, send_packet(peer, keypair, skb));
	} else {
		stage(peer, skb);
		vpn_tx_staged(peer);
	}
	return NETDEV_TX_OK;
}

int __init vpn_tx_init(void)
{
	int cpu;

	cpus = alloc_percpu(struct tx_cpu);
	if (!cpus)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		local_lock_init(&per_cpu_ptr(cpus, cpu)->lock);
	return 0;
}

void vpn_tx_uninit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kfree(per_cpu_ptr(cpus, cpu)->job);
	free_percpu(cpus);
}
