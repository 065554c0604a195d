// SPDX-License-Identifier: GPL-2.0
/*
 * From the UDP socket to the inner packets, on the CPU that receives them.
 *
 * rx_poll() takes datagrams, or GRO trains of them, from the socket's queue;
 * vpn_rx_direct() is handed one that came alone, while all do.
 * receive() sorts their segments: handshake messages go to the workers, runs
 * of data messages with one receiver index form a batch. receive_batch() finds
 * the session, opens the batch, checks the counters, and hands what is inside
 * to the stack. What the crypto API completes later waits in a job, and
 * rx_poll() goes on with it.
 */

#include <linux/kernel_stat.h>
#include <linux/llist.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/wait_bit.h>
#include <net/busy_poll.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "batch.h"
#include "control.h"
#include "device.h"
#include "event.h"
#include "gather.h"
#include "handshake.h"
#include "merge.h"
#include "peer.h"
#include "rx.h"
#include "session.h"
#include "socket.h"
#include "stats.h"
#include "timer.h"
#include "trace.h"
#include "tx.h"

/* Inner headers that GRO and the stack want to find in front of the pages. */
#define HEADER_MAX 128

/* Packets up to this length are not worth a page reference. */
#define COPY_MAX 256

/**
 * struct place - where a segment of a batch is
 * @offset: of the message in the datagram or train
 * @len: of the message
 * @data: the message, if it can be opened where it is; else NULL
 * @page: that holds it, with a reference of ours from locate_batch() on; NULL
 *	when it is in the skb's head
 */
struct place {
	unsigned int offset;
	unsigned int len;
	u8 *data;
	struct page *page;
};

/**
 * struct rx_job - a batch that the crypto API completes later
 * @aead: its messages
 * @node: in vpn_rx_cpu.completed, then in vpn_rx_cpu.finished
 * @rx: whose it is
 * @keypair: held
 * @skb: that the messages came in, with a reference of its own
 * @header: of all messages
 * @batch: the messages
 * @places: the same messages in @skb
 */
struct rx_job {
	struct vpn_aead_job aead;
	struct llist_node node;
	struct vpn_rx_cpu *rx;
	struct vpn_keypair *keypair;
	struct sk_buff *skb;
	struct vpn_header header;
	struct vpn_batch batch;
	struct place places[VPN_BATCH_MAX];
};

/**
 * struct vpn_rx_cpu - receiver of one CPU
 * @napi: its context
 * @vpn: its device
 * @gather: packets to send that wait on this CPU
 * @ipv6_next: look into the IPv6 socket first, in turns
 * @alone: nothing came before or behind what is being received
 * @index: receiver index of the batch
 * @header: of all its messages
 * @batch: messages to open
 * @places: the same messages in the skb
 * @merge: what came last in this poll and may be put together
 * @source: peer that sent what is in @merge
 * @outer_ds: DSCP and ECN of the outer packets that it came in
 * @job: for the next batch that may take longer, or NULL
 * @completed: jobs that the crypto API is done with, the latest first
 * @finished: the same, taken from there, the earliest first
 */
struct vpn_rx_cpu {
	struct napi_struct napi;
	struct vpn_device *vpn;
	struct vpn_gather *gather;
	bool ipv6_next;
	bool alone;
	__le32 index;
	struct vpn_header header;
	struct vpn_batch batch;
	struct place places[VPN_BATCH_MAX];
	struct vpn_merge merge;
	const struct vpn_peer *source;
	u8 outer_ds;
	struct rx_job *job;
	struct llist_head completed;
	struct llist_node *finished;
};

/**
 * struct cursor - walks the pieces of memory that an skb is made of
 * @skb: the skb itself or a part of its frag_list; NULL at the end
 * @head: the skb itself
 * @frag: page fragment of @skb, -1 for its linear part
 * @start: offset of the piece
 * @end: offset of the next one
 * @data: the piece; NULL when it has no address
 * @page: head page that holds it, if one does
 * @ours: nobody else looks at it, so it can be written to
 */
struct cursor {
	struct sk_buff *skb;
	struct sk_buff *head;
	int frag;
	unsigned int start;
	unsigned int end;
	u8 *data;
	struct page *page;
	bool ours;
};

/*
 * A page of a file, of a process, or the one of zeroes may be in a packet that
 * came from this very machine. SKBFL_SHARED_FRAG should say so, but many a
 * kernel forgets to set it (splice() to a UDP socket) or loses it (GRO).
 */
static bool is_borrowed(struct page *head)
{
	return head->mapping || PageReserved(head);
}

static void enter_frag(struct cursor *cursor, const skb_frag_t *frag)
{
	struct page *page = skb_frag_page(frag);

	cursor->end = cursor->start + skb_frag_size(frag);
	if (unlikely(!page || PageHighMem(page))) {
		cursor->data = NULL;
		cursor->page = NULL;
		cursor->ours = false;
		return;
	}
	cursor->data = skb_frag_address(frag);
	cursor->page = compound_head(page);
	cursor->ours &= !skb_has_shared_frag(cursor->skb) &&
			!is_borrowed(cursor->page);
}

/* Look at the piece that the cursor has come to. */
static void cursor_enter(struct cursor *cursor)
{
	struct sk_buff *skb = cursor->skb;

	/* Whoever has a clone of the head sees its frag_list, too. */
	cursor->ours = !skb_cloned(cursor->head) && !skb_cloned(skb);
	if (cursor->frag >= 0) {
		enter_frag(cursor, &skb_shinfo(skb)->frags[cursor->frag]);
		return;
	}
	cursor->end = cursor->start + skb_headlen(skb);
	cursor->data = skb->data;
	cursor->page = NULL;
}

static void cursor_begin(struct cursor *cursor, struct sk_buff *skb)
{
	cursor->skb = skb;
	cursor->head = skb;
	cursor->frag = -1;
	cursor->start = 0;
	cursor_enter(cursor);
}

static bool cursor_next(struct cursor *cursor)
{
	cursor->start = cursor->end;
	if (++cursor->frag >= skb_shinfo(cursor->skb)->nr_frags) {
		cursor->frag = -1;
		cursor->skb = cursor->skb == cursor->head ?
			      skb_shinfo(cursor->head)->frag_list :
			      cursor->skb->next;
	}
	if (!cursor->skb)
		return false;
	cursor_enter(cursor);
	return true;
}

/* Go on to the piece with [@offset, @offset + @len), if there is one. */
static bool cursor_seek(struct cursor *cursor, unsigned int offset,
			unsigned int len)
{
	while (cursor->skb && offset >= cursor->end)
		if (!cursor_next(cursor))
			return false;
	return cursor->skb && offset + len <= cursor->end;
}

/* The same; mostly it is where the one before was. */
static __always_inline bool cursor_at(struct cursor *cursor,
				      unsigned int offset, unsigned int len)
{
	return likely(offset + len <= cursor->end) ||
	       cursor_seek(cursor, offset, len);
}

/* What is there to read, in @buffer if it isn't in one piece. */
static const void *cursor_peek(struct cursor *cursor, unsigned int offset,
			       unsigned int len, void *buffer)
{
	if (likely(cursor_at(cursor, offset, len) && cursor->data))
		return cursor->data + offset - cursor->start;
	return skb_header_pointer(cursor->head, offset, len, buffer);
}

/* Whether that is in one piece of memory, to be opened there, and where. */
static void cursor_find(struct cursor *cursor, struct place *place,
			unsigned int offset, unsigned int len)
{
	place->offset = offset;
	place->len = len;
	place->data = NULL;
	place->page = NULL;
	if (!cursor_at(cursor, offset, len) || !cursor->ours)
		return;
	place->data = cursor->data + offset - cursor->start;
	place->page = cursor->page;
}

static u8 *alloc_room(unsigned int len)
{
	struct page *page;

	/* The cache of fragments gives no more than a page. */
	if (likely(SKB_DATA_ALIGN(len) <= PAGE_SIZE))
		return napi_alloc_frag(SKB_DATA_ALIGN(len));
	page = alloc_pages(GFP_ATOMIC | __GFP_COMP | __GFP_NOWARN,
			   get_order(len));
	return page ? page_address(page) : NULL;
}

/* The same octets in memory of our own. */
static u8 *copy_segment(const struct sk_buff *skb, unsigned int offset,
			unsigned int len, struct page **page)
{
	u8 *data = alloc_room(len);

	if (unlikely(!data))
		return NULL;
	*page = virt_to_head_page(data);
	if (unlikely(skb_copy_bits(skb, offset, data, len))) {
		put_page(*page);
		*page = NULL;
		return NULL;
	}
	return data;
}

static void release_places(struct place *places, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (places[i].page)
			put_page(places[i].page);
		places[i].page = NULL;
	}
}

/* Hold the memory in which the batch can be opened, or make some. */
static void locate_batch(struct vpn_rx_cpu *rx, struct sk_buff *skb)
{
	unsigned int kept = 0, copied = 0, i;

	for (i = 0; i < rx->batch.count; i++) {
		struct vpn_segment *segment = &rx->batch.segments[kept];
		struct place *place = &rx->places[kept];

		if (unlikely(kept != i)) {
			*place = rx->places[i];
			segment->counter = rx->batch.segments[i].counter;
		}
		if (likely(place->data)) {
			if (place->page)
				get_page(place->page);
		} else {
			place->data = copy_segment(skb, place->offset,
						   place->len, &place->page);
			copied++;
		}
		if (unlikely(!place->data))
			continue;
		segment->data = place->data + sizeof(struct vpn_msg_data);
		segment->len = place->len - VPN_DATA_OVERHEAD;
		kept++;
	}
	if (copied)
		vpn_stats_count(rx->vpn->stats, VPN_STAT_RX_COPIED, copied);
	if (unlikely(kept < rx->batch.count))
		vpn_stats_drop(rx->vpn, VPN_STAT_DROP_RX_NO_MEMORY,
			       rx->batch.count - kept);
	rx->batch.count = kept;
}

/*
 * Leave those messages in the batch that are authentic and new. Nobody knows
 * whether the @lost ones are.
 */
static unsigned int accept_batch(struct vpn_rx_cpu *rx,
				 struct vpn_keypair *keypair, unsigned int lost)
{
	unsigned int bad_tag = 0, replayed = 0, accepted = 0, i;
	struct vpn_batch *batch = &rx->batch;

	spin_lock(&keypair->replay.lock);
	for (i = 0; i < batch->count; i++) {
		struct vpn_segment *segment = &batch->segments[i];

		if (unlikely(!segment->ok)) {
			bad_tag++;
			continue;
		}
		segment->ok = vpn_replay_accept(&keypair->replay,
						segment->counter);
		if (likely(segment->ok))
			accepted++;
		else
			replayed++;
	}
	spin_unlock(&keypair->replay.lock);

	if (unlikely(lost))
		vpn_stats_drop(rx->vpn, VPN_STAT_DROP_RX_BUSY, lost);
	if (unlikely(bad_tag > lost))
		vpn_stats_drop(rx->vpn, VPN_STAT_DROP_RX_BAD_TAG,
			       bad_tag - lost);
	if (unlikely(replayed))
		vpn_stats_drop(rx->vpn, VPN_STAT_DROP_RX_REPLAY, replayed);
	return accepted;
}

/* Length of the IP packet in front of the padding; zero when it is none. */
static unsigned int inner_len(const u8 *data, unsigned int len,
			      __be16 *protocol)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)data;
	const struct iphdr *ip4 = (const struct iphdr *)data;
	unsigned int inner;

	if (len >= sizeof(*ip4) && ip4->version == 4) {
		*protocol = htons(ETH_P_IP);
		inner = ntohs(ip4->tot_len);
		return ip4->ihl >= 5 && inner >= ip4->ihl * 4 && inner <= len ?
		       inner : 0;
	}
	if (len >= sizeof(*ip6) && ip6->version == 6) {
		*protocol = htons(ETH_P_IPV6);
		inner = sizeof(*ip6) + ntohs(ip6->payload_len);
		return inner <= len ? inner : 0;
	}
	return 0;
}

/* Cryptokey routing: a peer speaks for its own addresses only. */
static bool source_allowed(const struct vpn_peer *peer, const u8 *data,
			   __be16 protocol)
{
	const struct vpn_allowedips *table = &peer->vpn->allowedips;
	struct in6_addr ip6;
	struct in_addr ip4;

	if (protocol == htons(ETH_P_IP)) {
		memcpy(&ip4, &((const struct iphdr *)data)->saddr, sizeof(ip4));
		return vpn_allowedips_find4(table, &ip4) == peer;
	}
	memcpy(&ip6, &((const struct ipv6hdr *)data)->saddr, sizeof(ip6));
	return vpn_allowedips_find6(table, &ip6) == peer;
}

/* A router on the way was congested; the inner packet has to tell its ends. */
static void propagate_congestion(struct sk_buff *skb, u8 outer_ds)
{
	if (!INET_ECN_is_ce(outer_ds))
		return;
	if (skb->protocol == htons(ETH_P_IP))
		IP_ECN_set_ce(ip_hdr(skb));
	else
		IP6_ECN_set_ce(skb, ipv6_hdr(skb));
}

/* Octets of IP and transport header, as far as a quick look can tell. */
static unsigned int headers_len(const u8 *data, unsigned int len,
				__be16 protocol)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)data;
	const struct iphdr *ip4 = (const struct iphdr *)data;
	unsigned int transport = sizeof(*ip6);
	u8 kind = ip6->nexthdr;

	if (protocol == htons(ETH_P_IP)) {
		transport = ip4->ihl * 4;
		kind = ip4->protocol;
	}
	if (kind == IPPROTO_TCP && len >= transport + sizeof(struct tcphdr))
		transport += ((const struct tcphdr *)(data + transport))->doff * 4;
	else if (kind == IPPROTO_UDP)
		transport += sizeof(struct udphdr);
	else
		transport = HEADER_MAX;
	return min3(transport, len, (unsigned int)HEADER_MAX);
}

/* A new skb around an inner packet; payload by page reference where possible. */
static struct sk_buff *wrap_inner(struct vpn_rx_cpu *rx, struct place *place,
				  u8 *data, unsigned int len, __be16 protocol)
{
	unsigned int linear = len;
	struct sk_buff *skb;

	if (place->page && len > COPY_MAX)
		linear = headers_len(data, len, protocol);
	skb = napi_alloc_skb(&rx->napi, linear);
	if (unlikely(!skb))
		return NULL;
	skb_put_data(skb, data, linear);
	if (linear < len) {
		skb_add_rx_frag(skb, 0, place->page, data + linear -
				(u8 *)page_address(place->page), len - linear,
				len - linear);
		place->page = NULL;
	}
	return skb;
}

/* A single datagram that was opened in its own head goes on as it is. */
static struct sk_buff *unwrap_outer(struct sk_buff *skb, const u8 *data,
				    unsigned int len)
{
	skb_pull(skb, data - skb->data);
	__skb_trim(skb, len);
	skb_scrub_packet(skb, true);
	skb_orphan(skb);
	skb_clear_hash(skb);
	skb_set_queue_mapping(skb, 0);
	skb->encapsulation = 0;
	return skb;
}

static void dress(struct vpn_rx_cpu *rx, struct sk_buff *skb, __be16 protocol)
{
	skb->dev = rx->vpn->dev;
	skb->protocol = protocol;
	/* Its sender's kernel made the checksum, and the tag has kept it. */
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = ~0;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb->mac_len = 0;
}

/**
 * struct delivery - a batch on its way to the stack
 * @packets: and the following are what it brought, to be counted once
 * @bytes: of those packets
 * @keepalives: empty messages
 * @not_ip: messages without an IP packet
 * @source: packets from an address that is not the peer's
 * @no_memory: packets that were dropped for want of memory
 */
struct delivery {
	unsigned int packets;
	unsigned int bytes;
	unsigned int keepalives;
	unsigned int not_ip;
	unsigned int source;
	unsigned int no_memory;
};

static void hand_to_stack(struct vpn_rx_cpu *rx, struct sk_buff *skb)
{
	propagate_congestion(skb, rx->outer_ds);
	if (rx->alone) {
		skb_mark_napi_id(skb, &rx->napi);
		netif_receive_skb(skb);
	} else {
		vpn_merge_pass(&rx->merge, skb);
	}
}

static void hand_merged(struct vpn_rx_cpu *rx)
{
	if (rx->merge.skb)
		hand_to_stack(rx, vpn_merge_end(&rx->merge));
}

/*
 * The next batch goes on with what the one before it began, if it may: whether
 * a peer may send what it does was asked for the first packet.
 */
static void merge_go_on(struct vpn_rx_cpu *rx, const struct vpn_peer *peer,
			u8 outer_ds)
{
	if (rx->source != peer || rx->outer_ds != outer_ds)
		hand_merged(rx);
	rx->source = peer;
	rx->outer_ds = outer_ds;
}

/*
 * Deliver one authentic message. @skb is the datagram when it may be used up,
 * else NULL. Returns whether it was.
 */
static bool deliver(struct vpn_rx_cpu *rx, unsigned int i,
		    struct vpn_peer *peer, struct sk_buff *skb,
		    struct delivery *sum)
{
	struct vpn_segment *segment = &rx->batch.segments[i];
	struct place *place = &rx->places[i];
	struct sk_buff *inner;
	__be16 protocol;
	unsigned int len;

	if (!segment->len) {
		sum->keepalives++;
		return false;
	}
	len = inner_len(segment->data, segment->len, &protocol);
	if (unlikely(!len)) {
		sum->not_ip++;
		return false;
	}
	if (vpn_merge_add(&rx->merge, segment->data, len, place->page)) {
		place->page = NULL;
		sum->packets++;
		sum->bytes += len;
		return false;
	}
	if (unlikely(!source_allowed(peer, segment->data, protocol))) {
		sum->source++;
		return false;
	}
	if (skb && !place->page)
		inner = unwrap_outer(skb, segment->data, len);
	else
		inner = wrap_inner(rx, place, segment->data, len, protocol);
	if (unlikely(!inner)) {
		sum->no_memory++;
		return false;
	}
	sum->packets++;
	sum->bytes += len;
	dress(rx, inner, protocol);
	hand_merged(rx);
	if (rx->alone || !vpn_merge_begin(&rx->merge, inner))
		hand_to_stack(rx, inner);
	return inner == skb;
}

static void count_delivery(struct vpn_device *vpn, const struct delivery *sum)
{
	if (sum->packets)
		vpn_stats_received(vpn, sum->packets, sum->bytes);
	if (sum->keepalives)
		vpn_stats_add(vpn, VPN_STAT_RX_KEEPALIVES, sum->keepalives);
	if (unlikely(sum->not_ip))
		vpn_stats_drop(vpn, VPN_STAT_DROP_RX_NOT_IP, sum->not_ip);
	if (unlikely(sum->source))
		vpn_stats_drop(vpn, VPN_STAT_DROP_RX_SOURCE, sum->source);
	if (unlikely(sum->no_memory))
		vpn_stats_drop(vpn, VPN_STAT_DROP_RX_NO_MEMORY, sum->no_memory);
}

/* The session's own end is near and nothing is sent that would renew it. */
static void keep_session_fresh(struct vpn_peer *peer,
			       const struct vpn_keypair *keypair)
{
	const unsigned int age = VPN_REJECT_AFTER_TIME - VPN_KEEPALIVE_TIMEOUT -
				 VPN_REKEY_TIMEOUT;

	if (!keypair->initiator ||
	    READ_ONCE(peer->timers.sent_lastminute_handshake) ||
	    keypair != rcu_access_pointer(peer->keypairs.current_keypair) ||
	    likely(!vpn_time_had_passed(keypair->birth, age)))
		return;
	WRITE_ONCE(peer->timers.sent_lastminute_handshake, true);
	vpn_handshake_queue(peer, false);
}

static bool is_control(const struct vpn_rx_cpu *rx)
{
	return rx->header.flags & cpu_to_le16(VPN_DATA_CONTROL);
}

/* Authentic messages came: of what they tell about the peer, take note once. */
static void note_authentic(struct vpn_rx_cpu *rx, struct vpn_peer *peer,
			   struct vpn_keypair *keypair,
			   const struct sk_buff *skb)
{
	unsigned int bytes = 0, i;
	bool data = false;

	for (i = 0; i < rx->batch.count; i++) {
		if (!rx->batch.segments[i].ok)
			continue;
		bytes += rx->batch.segments[i].len + VPN_DATA_OVERHEAD;
		data |= rx->batch.segments[i].len;
	}
	data &= !is_control(rx);
	atomic64_add(bytes, &peer->rx_bytes);
	vpn_endpoint_learn(peer, skb);
	if (unlikely(vpn_session_confirm(peer, keypair))) {
		vpn_timers_handshake_complete(peer);
		vpn_event_handshake_done(peer);
		vpn_tx_staged(peer);
	}
	keep_session_fresh(peer, keypair);
	vpn_timers_authenticated_received(peer);
	if (data)
		vpn_timers_data_received(peer);
}

static bool deliver_batch(struct vpn_rx_cpu *rx, struct vpn_peer *peer,
			  struct sk_buff *skb)
{
	struct sk_buff *single = skb_is_gso(skb) || skb_is_nonlinear(skb) ?
				 NULL : skb;
	struct delivery sum = {};
	bool used_up = false;
	unsigned int i;

	merge_go_on(rx, peer, skb->protocol == htons(ETH_P_IP) ?
		    ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb)));
	for (i = 0; i < rx->batch.count; i++)
		if (likely(rx->batch.segments[i].ok))
			used_up |= deliver(rx, i, peer, single, &sum);
	count_delivery(rx->vpn, &sum);
	return used_up;
}

static void receive_control(struct vpn_rx_cpu *rx, struct vpn_peer *peer,
			    struct vpn_keypair *keypair)
{
	struct vpn_segment *s = rx->batch.segments;
	const struct vpn_segment *end = s + rx->batch.count;
	unsigned int count = 0;

	for (; s < end; s++) {
		if (!s->ok)
			continue;
		vpn_control_receive(peer, keypair, s->data, s->len);
		count++;
	}
	vpn_stats_add(rx->vpn, VPN_STAT_RX_CONTROL, count);
}

static struct vpn_keypair *receiving_keypair(struct vpn_rx_cpu *rx)
{
	struct vpn_index *index = vpn_index_find(rx->vpn, rx->index);
	struct vpn_keypair *keypair;

	if (unlikely(!index || index->kind != VPN_INDEX_KEYPAIR)) {
		vpn_stats_drop(rx->vpn, VPN_STAT_DROP_RX_UNKNOWN_INDEX,
			       rx->batch.count);
		return NULL;
	}
	keypair = container_of(index, struct vpn_keypair, index);
	if (unlikely(!vpn_session_usable(keypair))) {
		vpn_stats_drop(rx->vpn, VPN_STAT_DROP_RX_NO_KEY,
			       rx->batch.count);
		return NULL;
	}
	/* A session keeps to the version that it was agreed in. */
	if (unlikely(rx->header.version != keypair->kind.version)) {
		vpn_stats_drop(rx->vpn, VPN_STAT_DROP_RX_MALFORMED,
			       rx->batch.count);
		return NULL;
	}
	return keypair;
}

/*
 * Go on with a batch when it is open. Returns whether that used @skb up.
 */
static bool finish_batch(struct vpn_rx_cpu *rx, struct vpn_keypair *keypair,
			 struct sk_buff *skb, unsigned int lost)
{
	struct vpn_peer *peer = keypair->index.peer;
	bool used_up = false;

	if (likely(accept_batch(rx, keypair, lost))) {
		trace_vpn_receive(rx->vpn->dev, peer->id,
				  rx->batch.segments[0].counter,
				  rx->batch.count, skb->len);
		note_authentic(rx, peer, keypair, skb);
		if (unlikely(is_control(rx)))
			receive_control(rx, peer, keypair);
		else
			used_up = deliver_batch(rx, peer, skb);
	}
	release_places(rx->places, rx->batch.count);
	return used_up;
}

/* The crypto API is done with all messages of a job: rx_poll() goes on. */
static void job_done(struct vpn_aead_job *aead)
{
	struct rx_job *job = container_of(aead, struct rx_job, aead);
	struct vpn_rx_cpu *rx = job->rx;
	struct vpn_device *vpn = rx->vpn;

	llist_add(&job->node, &rx->completed);
	napi_schedule(&rx->napi);
	/* The device may be about to go down. */
	wake_up_var(&vpn->holds);
}

/* Hand the batch over to a job, for vpn_aead_job_defer(). */
static void fill_job(struct rx_job *job, struct vpn_rx_cpu *rx,
		     struct vpn_keypair *keypair, struct sk_buff *skb)
{
	const unsigned int count = rx->batch.count;

	job->rx = rx;
	job->keypair = keypair;
	job->skb = skb_get(skb);
	job->header = rx->header;
	job->batch.count = count;
	memcpy(job->batch.segments, rx->batch.segments,
	       count * sizeof(struct vpn_segment));
	memcpy(job->places, rx->places, count * sizeof(struct place));
}

/*
 * Open a batch with an implementation that may complete it later. Returns
 * whether it was used up.
 */
static bool open_with_job(struct vpn_rx_cpu *rx, struct vpn_keypair *keypair,
			  struct sk_buff *skb)
{
	struct rx_job *job = rx->job;

	if (!job)
		job = kmalloc_obj(*job, GFP_ATOMIC | __GFP_NOWARN);
	rx->job = job;
	if (!job || !vpn_session_hold(keypair)) {
		vpn_stats_drop(rx->vpn, VPN_STAT_DROP_RX_BUSY, rx->batch.count);
		release_places(rx->places, rx->batch.count);
		return false;
	}
	if (!vpn_aead_open(&keypair->receive, rx->batch.segments,
			   rx->batch.count, &job->aead)) {
		vpn_session_release(keypair);
		return finish_batch(rx, keypair, skb, job->aead.lost);
	}
	rx->job = NULL;
	fill_job(job, rx, keypair, skb);
	vpn_aead_job_defer(&job->aead, job_done);
	return false;
}

/* Open what was collected. Returns whether that used @skb up. */
static bool receive_batch(struct vpn_rx_cpu *rx, struct sk_buff *skb)
{
	struct vpn_keypair *keypair;
	bool used_up = false;

	if (!rx->batch.count)
		return false;
	keypair = receiving_keypair(rx);
	if (unlikely(!keypair))
		goto out;
	locate_batch(rx, skb);
	if (unlikely(keypair->receive.async)) {
		used_up = open_with_job(rx, keypair, skb);
		goto out;
	}
	vpn_aead_open(&keypair->receive, rx->batch.segments, rx->batch.count,
		      NULL);
	used_up = finish_batch(rx, keypair, skb, 0);
out:
	rx->batch.count = 0;
	return used_up;
}

static void job_free(struct rx_job *job)
{
	struct vpn_keypair *keypair = job->keypair;

	kfree(job);
	vpn_session_release(keypair);
}

/* Go on with a job. Returns how many packets it was. */
static unsigned int finish_job(struct vpn_rx_cpu *rx, struct rx_job *job)
{
	const unsigned int count = job->batch.count;

	vpn_aead_job_end(&job->aead, job->batch.segments);
	rx->header = job->header;
	rx->batch.count = count;
	memcpy(rx->batch.segments, job->batch.segments,
	       count * sizeof(struct vpn_segment));
	memcpy(rx->places, job->places, count * sizeof(struct place));
	if (!finish_batch(rx, job->keypair, job->skb, job->aead.lost))
		consume_skb(job->skb);
	rx->batch.count = 0;
	job_free(job);
	return count;
}

/* The job that was completed first, or NULL. */
static struct rx_job *next_job(struct vpn_rx_cpu *rx)
{
	struct llist_node *node;

	if (!rx->finished && !llist_empty(&rx->completed))
		rx->finished =
			llist_reverse_order(llist_del_all(&rx->completed));
	node = rx->finished;
	if (!node)
		return NULL;
	rx->finished = node->next;
	return llist_entry(node, struct rx_job, node);
}

/* Nobody polls any more: what waits to be gone on with is dropped. */
static void drop_jobs(struct vpn_rx_cpu *rx)
{
	struct rx_job *job;

	while ((job = next_job(rx))) {
		vpn_aead_job_end(&job->aead, job->batch.segments);
		release_places(job->places, job->batch.count);
		kfree_skb(job->skb);
		job_free(job);
	}
}

/* A handshake message that came within a train, as an skb of its own. */
static struct sk_buff *extract_message(const struct sk_buff *skb,
				       unsigned int offset, unsigned int len)
{
	unsigned int headers = skb_transport_header(skb) -
			       skb_network_header(skb) + sizeof(struct udphdr);
	struct sk_buff *message = alloc_skb(headers + len,
					    GFP_ATOMIC | __GFP_NOWARN);

	if (!message)
		return NULL;
	skb_reset_network_header(message);
	skb_set_transport_header(message, headers - sizeof(struct udphdr));
	skb_put_data(message, skb_network_header(skb), headers);
	skb_pull(message, headers);
	if (skb_copy_bits(skb, offset, skb_put(message, len), len)) {
		kfree_skb(message);
		return NULL;
	}
	message->protocol = skb->protocol;
	message->skb_iif = skb->skb_iif;
	return message;
}

/* The workers take turns, so that one receive queue does not keep one busy. */
static void wake_worker(struct vpn_device *vpn)
{
	static atomic_t turn;
	int cpu;

	cpu = cpumask_nth((unsigned int)atomic_inc_return(&turn) %
			  num_online_cpus(), cpu_online_mask);
	if (cpu >= nr_cpu_ids)
		cpu = smp_processor_id();
	queue_work_on(cpu, vpn->wq, &per_cpu_ptr(vpn->handshake_work, cpu)->work);
}

/*
 * Returns whether the queue has taken @skb itself. What is made of pieces is
 * copied: a message in fragments of 8 octets has a hundred times its memory.
 */
static bool queue_handshake(struct vpn_device *vpn, struct sk_buff *skb,
			    unsigned int offset, unsigned int len)
{
	bool whole = len == skb->len && !skb_is_nonlinear(skb);
	struct sk_buff *message;

	if (skb_queue_len_lockless(&vpn->handshakes) >= VPN_HANDSHAKES_MAX) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_RX_QUEUE_FULL, 1);
		return false;
	}
	message = whole ? skb : extract_message(skb, offset, len);
	if (unlikely(!message)) {
		vpn_stats_drop(vpn, VPN_STAT_DROP_RX_NO_MEMORY, 1);
		return false;
	}
	if (!vpn_handshake_admit(vpn, message)) {
		if (!whole)
			kfree_skb(message);
		return false;
	}
	message->dev = vpn->dev;
	skb_queue_tail(&vpn->handshakes, message);
	wake_worker(vpn);
	return whole;
}

bool vpn_rx_requeue(struct vpn_device *vpn, struct sk_buff *skb)
{
	if (skb_queue_len_lockless(&vpn->handshakes) >= VPN_HANDSHAKES_MAX)
		return false;
	skb_queue_tail(&vpn->handshakes, skb);
	preempt_disable();
	wake_worker(vpn);
	preempt_enable();
	return true;
}

static bool same_header(const struct vpn_header *a, const struct vpn_header *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* Returns whether @skb was used up. */
static bool receive_segment(struct vpn_rx_cpu *rx, struct cursor *cursor,
			    unsigned int offset, unsigned int len)
{
	struct sk_buff *skb = cursor->head;
	struct vpn_batch *batch = &rx->batch;
	const struct vpn_msg_data *message;
	struct vpn_msg_data buffer;

	message = cursor_peek(cursor, offset, sizeof(buffer), &buffer);
	if (unlikely(!message))
		goto malformed;
	if (!vpn_is_data(&message->header)) {
		if (vpn_is_handshake(&message->header, len))
			return queue_handshake(rx->vpn, skb, offset, len);
		goto malformed;
	}
	if (unlikely(len < VPN_DATA_OVERHEAD))
		goto malformed;

	if (batch->count == VPN_BATCH_MAX ||
	    (batch->count && (rx->index != message->receiver ||
			      !same_header(&rx->header, &message->header))))
		receive_batch(rx, skb);
	rx->index = message->receiver;
	rx->header = message->header;
	cursor_find(cursor, &rx->places[batch->count], offset, len);
	batch->segments[batch->count].counter = le64_to_cpu(message->counter);
	batch->count++;
	return false;

malformed:
	vpn_stats_drop(rx->vpn, VPN_STAT_DROP_RX_MALFORMED, 1);
	return false;
}

/* What a tap hands over for UFO is one datagram, to be cut into fragments. */
static bool is_train(const struct sk_buff *skb)
{
	return skb_is_gso(skb) && !(skb_shinfo(skb)->gso_type & SKB_GSO_UDP);
}

/* Take one datagram or train apart. Returns how many packets it was. */
static unsigned int receive(struct vpn_rx_cpu *rx, struct sk_buff *skb)
{
	unsigned int size = is_train(skb) ? skb_shinfo(skb)->gso_size :
					    skb->len;
	unsigned int len = skb->len, offset = 0, packets = 0;
	bool used_up = false;
	struct cursor cursor __uninitialized;

	cursor_begin(&cursor, skb);
	/* An empty datagram is one, too. */
	do {
		used_up |= receive_segment(rx, &cursor, offset,
					   min(size, len - offset));
		packets++;
		offset += size;
	} while (offset < len);
	vpn_stats_count(rx->vpn->stats, packets > 1 ? VPN_STAT_RX_TRAINS :
			VPN_STAT_RX_SINGLES, 1);
	used_up |= receive_batch(rx, skb);
	if (!used_up)
		consume_skb(skb);
	return packets;
}

/* Whoever puts something into it now wakes us once more. */
static bool nothing_in(const struct sock *sk)
{
	return skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	       skb_queue_empty_lockless(&udp_sk(sk)->reader_queue);
}

static struct sk_buff *take_from(struct socket *sock)
{
	int err;

	if (!sock || nothing_in(sock->sk))
		return NULL;
	return skb_recv_udp(sock->sk, MSG_DONTWAIT, &err);
}

/* The next datagram of either family. */
static struct sk_buff *next_datagram(struct vpn_rx_cpu *rx)
{
	struct vpn_socket *sock = rcu_dereference(rx->vpn->sock);
	struct sk_buff *skb;
	bool ipv6;

	if (unlikely(!sock))
		return NULL;
	ipv6 = rx->ipv6_next;
	rx->ipv6_next = !ipv6;
	skb = take_from(ipv6 ? sock->sock6 : sock->sock4);
	return skb ?: take_from(ipv6 ? sock->sock4 : sock->sock6);
}

static int finish_jobs(struct vpn_rx_cpu *rx, int budget)
{
	struct rx_job *job;
	int done = 0;

	while (done < budget) {
		job = next_job(rx);
		if (!job)
			break;
		done += finish_job(rx, job);
	}
	return done;
}

/*
 * GRO is for packets that others may follow. One that came alone need not go
 * that way, unless some wait on it from before.
 */
static int receive_datagrams(struct vpn_rx_cpu *rx, int done, int budget)
{
	struct sk_buff *skb, *next;

	if (done >= budget)
		return done;
	skb = next_datagram(rx);
	if (!skb)
		return done;
	next = next_datagram(rx);
	rx->alone = !next && !done && !skb_is_gso(skb) &&
		    !vpn_gro_holds(&rx->napi);
	vpn_socket_note(rx->vpn, rx->alone);
	done += receive(rx, skb);
	rx->alone = false;
	while (next) {
		skb = next;
		next = done < budget ? next_datagram(rx) : NULL;
		done += receive(rx, skb);
	}
	return done;
}

static int rx_poll(struct napi_struct *napi, int budget)
{
	struct vpn_rx_cpu *rx = container_of(napi, struct vpn_rx_cpu, napi);
	int done;

	rcu_read_lock();
	vpn_gather_flush(rx->vpn, rx->gather);
	done = finish_jobs(rx, budget);
	done = receive_datagrams(rx, done, budget);
	hand_merged(rx);
	rcu_read_unlock();
	if (done >= budget)
		return budget;
	napi_complete_done(napi, done);
	return done;
}

void vpn_rx_schedule(struct vpn_device *vpn)
{
	local_bh_disable();
	napi_schedule(&this_cpu_ptr(vpn->rx)->napi);
	local_bh_enable();
}

/*
 * Whether this is the first packet, of any device, in a run of the network
 * softirq. So there is no tunnel in a tunnel here, but one way on the stack.
 */
static bool is_first_in_run(void)
{
	static DEFINE_PER_CPU(unsigned int, last);
	unsigned int run;

	run = __this_cpu_read(kstat.softirqs[NET_RX_SOFTIRQ]);
	if (__this_cpu_read(last) == run)
		return false;
	__this_cpu_write(last, run);
	return true;
}

bool vpn_rx_direct(struct vpn_device *vpn, struct sk_buff *skb)
{
	struct vpn_rx_cpu *rx = this_cpu_ptr(vpn->rx);

	/* Whoever schedules the NAPI from here on makes it poll behind us. */
	if (skb_is_gso(skb) || !is_first_in_run() ||
	    test_bit(NAPI_STATE_THREADED, &rx->napi.state) ||
	    !napi_schedule_prep(&rx->napi)) {
		vpn_socket_note(vpn, false);
		return false;
	}
	__skb_pull(skb, sizeof(struct udphdr));
	skb_dst_drop(skb);
	vpn_stats_count(vpn->stats, VPN_STAT_RX_DIRECT, 1);
	rx->alone = !vpn_gro_holds(&rx->napi);
	receive(rx, skb);
	rx->alone = false;
	hand_merged(rx);
	napi_complete_done(&rx->napi, 1);
	return true;
}

int vpn_rx_setup(struct vpn_device *vpn)
{
	int cpu;

	vpn->rx = alloc_percpu_gfp(struct vpn_rx_cpu, GFP_KERNEL_ACCOUNT);
	if (!vpn->rx)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct vpn_rx_cpu *rx = per_cpu_ptr(vpn->rx, cpu);

		rx->vpn = vpn;
		rx->gather = per_cpu_ptr(vpn->gather, cpu);
		rx->merge.napi = &rx->napi;
		init_llist_head(&rx->completed);
		netif_napi_add(vpn->dev, &rx->napi, rx_poll);
	}
	return 0;
}

void vpn_rx_enable(struct vpn_device *vpn)
{
	int cpu;

	for_each_possible_cpu(cpu)
		napi_enable(&per_cpu_ptr(vpn->rx, cpu)->napi);
}

static bool drop_all_jobs(struct vpn_device *vpn)
{
	int cpu;

	for_each_possible_cpu(cpu)
		drop_jobs(per_cpu_ptr(vpn->rx, cpu));
	return !atomic_read(&vpn->holds);
}

void vpn_rx_disable(struct vpn_device *vpn)
{
	int cpu;

	for_each_possible_cpu(cpu)
		napi_disable(&per_cpu_ptr(vpn->rx, cpu)->napi);
	wait_var_event(&vpn->holds, drop_all_jobs(vpn));
}

void vpn_rx_teardown(struct vpn_device *vpn)
{
	int cpu;

	for_each_possible_cpu(cpu)
		__netif_napi_del(&per_cpu_ptr(vpn->rx, cpu)->napi);
	synchronize_net();
	for_each_possible_cpu(cpu)
		kfree(per_cpu_ptr(vpn->rx, cpu)->job);
	free_percpu(vpn->rx);
}
