// SPDX-License-Identifier: GPL-2.0
/*
 * TCP segments or UDP datagrams of one flow, put together as GRO does it: what
 * comes out can be cut into the very packets that went in. Whatever is out of
 * the ordinary is left to GRO itself, and so is the first datagram of a flow:
 * what GRO makes of it tells whether the others may be put together. That holds
 * for a second; if it is no longer so, the stack cuts what comes.
 */

#include <linux/hash.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/gro.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "merge.h"

/* More would not fit into the length of an IPv4 header. */
#define MERGED_MAX 65536U

/* For how long GRO's word is good. */
#define WISH_LIFETIME	HZ

/* Flags that may be set, and what else is in their word. */
#define FLAGS_ALLOWED (TCP_FLAG_ACK | TCP_FLAG_ECE | TCP_DATA_OFFSET | \
		       htonl(0xffff))

static struct tcphdr *tcp_of(const struct vpn_merge *merge, u8 *packet)
{
	return (struct tcphdr *)(packet + merge->transport);
}

static struct udphdr *udp_of(const struct vpn_merge *merge, u8 *packet)
{
	return (struct udphdr *)(packet + merge->transport);
}

/*
 * Octets of an IP header without anything special, before TCP or UDP; or zero.
 */
static unsigned int plain_ip_len(const u8 *packet, bool ipv6, u8 *protocol)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)packet;
	const struct iphdr *ip4 = (const struct iphdr *)packet;

	*protocol = ipv6 ? ip6->nexthdr : ip4->protocol;
	if (*protocol != IPPROTO_TCP && *protocol != IPPROTO_UDP)
		return 0;
	if (ipv6)
		return sizeof(*ip6);
	return ip4->ihl == 5 && !ip_is_fragment(ip4) && !ip_fast_csum(ip4, 5) ?
	       sizeof(*ip4) : 0;
}

static bool begin_tcp(struct vpn_merge *merge, const struct tcphdr *tcp)
{
	if (merge->headers < merge->transport + sizeof(*tcp) ||
	    merge->headers != merge->transport + tcp->doff * 4 ||
	    (tcp_flag_word(tcp) & ~FLAGS_ALLOWED) || !tcp->ack)
		return false;
	merge->seq = ntohl(tcp->seq) + merge->mss;
	return true;
}

/* What a datagram's flow is known by, and where that is kept. */
static struct vpn_merge_wish *wish_of(struct vpn_merge *merge,
				      const u8 *packet, unsigned int transport,
				      struct vpn_merge_wish *key)
{
	/* Both addresses end where the transport header begins. */
	memcpy(&key->daddr, packet + transport - sizeof(key->daddr),
	       sizeof(key->daddr));
	memcpy(&key->ports, packet + transport, sizeof(key->ports));
	return &merge->wishes[hash_32((__force u32)(key->ports ^ key->daddr),
				      ilog2(VPN_MERGE_WISHES))];
}

static bool is_wished(struct vpn_merge *merge, const u8 *packet)
{
	struct vpn_merge_wish key, *wish;

	wish = wish_of(merge, packet, merge->transport, &key);
	return wish->since && wish->ports == key.ports &&
	       wish->daddr == key.daddr &&
	       time_before(jiffies, wish->since + WISH_LIFETIME);
}

/* Like GRO, take none without a checksum: those that are cut again have one. */
static bool begin_udp(struct vpn_merge *merge, const struct udphdr *udp)
{
	return merge->headers == merge->transport + sizeof(*udp) &&
	       ntohs(udp->len) == sizeof(*udp) + merge->mss && udp->check &&
	       is_wished(merge, merge->skb->data);
}

bool vpn_merge_begin(struct vpn_merge *merge, struct sk_buff *skb)
{
	const bool ipv6 = skb->protocol == htons(ETH_P_IPV6);
	const struct net_device *dev = skb->dev;
	const void *header;
	u8 protocol;

	if (!skb->data_len || netif_elide_gro(dev))
		return false;
	merge->transport = plain_ip_len(skb->data, ipv6, &protocol);
	if (!merge->transport)
		return false;
	merge->headers = skb_headlen(skb);
	merge->mss = skb->data_len;
	merge->skb = skb;
	merge->tcp = protocol == IPPROTO_TCP;
	header = skb->data + merge->transport;
	if (!(merge->tcp ? begin_tcp(merge, header) :
			   begin_udp(merge, header))) {
		merge->skb = NULL;
		return false;
	}

	merge->last = skb;
	merge->count = 1;
	merge->max = min(MERGED_MAX, vpn_gro_max_size(dev, skb));
	merge->complete = false;
	return true;
}

/* By how much the second one's identification is more than the first one's. */
static bool takes_id_step(struct vpn_merge *merge, const struct iphdr *first,
			  const struct iphdr *ip)
{
	u16 more = ntohs(ip->id) - ntohs(first->id);

	if (merge->count == 1) {
		/* All the same means something only if nobody may fragment. */
		merge->id_step = more;
		return more == 1 || (!more && ip->frag_off & htons(IP_DF));
	}
	return more == (u16)(merge->id_step * merge->count);
}

static bool same_ip4(struct vpn_merge *merge, const u8 *a, const u8 *b)
{
	const struct iphdr *first = (const struct iphdr *)a;
	const struct iphdr *ip = (const struct iphdr *)b;

	return *(const u16 *)first == *(const u16 *)ip &&
	       first->frag_off == ip->frag_off && first->ttl == ip->ttl &&
	       first->protocol == ip->protocol && first->saddr == ip->saddr &&
	       first->daddr == ip->daddr && !ip_fast_csum(ip, 5) &&
	       takes_id_step(merge, first, ip);
}

static bool same_ip6(const u8 *a, const u8 *b)
{
	const struct ipv6hdr *first = (const struct ipv6hdr *)a;
	const struct ipv6hdr *ip = (const struct ipv6hdr *)b;

	return *(const __be32 *)first == *(const __be32 *)ip &&
	       first->nexthdr == ip->nexthdr &&
	       first->hop_limit == ip->hop_limit &&
	       ipv6_addr_equal(&first->saddr, &ip->saddr) &&
	       ipv6_addr_equal(&first->daddr, &ip->daddr);
}

/* A few words, mostly three: not worth a call. */
static bool same_options(const __be32 *a, const __be32 *b, unsigned int words)
{
	while (words--)
		if (*a++ != *b++)
			return false;
	return true;
}

/* Whether @packet is what follows, by its transport header. */
static bool follows_tcp(struct vpn_merge *merge, u8 *packet)
{
	const struct tcphdr *first = tcp_of(merge, merge->skb->data);
	const struct tcphdr *tcp = tcp_of(merge, packet);
	const __be32 differ = tcp_flag_word(first) ^ tcp_flag_word(tcp);

	return !(differ & ~TCP_FLAG_PSH) && ntohl(tcp->seq) == merge->seq &&
	       first->source == tcp->source && first->dest == tcp->dest &&
	       first->ack_seq == tcp->ack_seq &&
	       same_options((const __be32 *)(first + 1),
			    (const __be32 *)(tcp + 1), first->doff - 5);
}

static bool follows_udp(struct vpn_merge *merge, u8 *packet, unsigned int len)
{
	const struct udphdr *first = udp_of(merge, merge->skb->data);
	const struct udphdr *udp = udp_of(merge, packet);

	return first->source == udp->source && first->dest == udp->dest &&
	       udp->check && ntohs(udp->len) == len - merge->transport;
}

static bool follows(struct vpn_merge *merge, u8 *packet, unsigned int len)
{
	if (!(merge->tcp ? follows_tcp(merge, packet) :
			   follows_udp(merge, packet, len)))
		return false;
	if (merge->skb->protocol == htons(ETH_P_IP))
		return same_ip4(merge, merge->skb->data, packet);
	return same_ip6(merge->skb->data, packet);
}

/* Make room for one more page. */
static bool make_room(struct vpn_merge *merge)
{
	struct sk_buff *more;

	if (skb_shinfo(merge->last)->nr_frags < MAX_SKB_FRAGS)
		return true;
	more = napi_alloc_skb(merge->napi, 0);
	if (unlikely(!more))
		return false;
	__skb_header_release(more);
	if (merge->last == merge->skb)
		skb_shinfo(merge->skb)->frag_list = more;
	else
		merge->last->next = more;
	merge->skb->truesize += more->truesize;
	merge->last = more;
	return true;
}

static void add_page(struct vpn_merge *merge, struct page *page,
		     const u8 *payload, unsigned int len)
{
	struct sk_buff *last = merge->last;

	skb_add_rx_frag(last, skb_shinfo(last)->nr_frags, page,
			payload - (const u8 *)page_address(page), len, len);
	if (last == merge->skb)
		return;
	merge->skb->len += len;
	merge->skb->data_len += len;
	merge->skb->truesize += len;
}

static void take_tcp(struct vpn_merge *merge, const struct tcphdr *tcp,
		     unsigned int payload)
{
	struct tcphdr *first = tcp_of(merge, merge->skb->data);

	first->psh |= tcp->psh;
	merge->complete |= tcp->psh;
	merge->seq += payload;
}

bool vpn_merge_add(struct vpn_merge *merge, u8 *data, unsigned int len,
		   struct page *page)
{
	unsigned int payload = len - merge->headers;

	if (!merge->skb || merge->complete || !page ||
	    len <= merge->headers || payload > merge->mss ||
	    merge->skb->len + payload >= merge->max ||
	    !follows(merge, data, len) || !make_room(merge))
		return false;
	merge->complete = payload < merge->mss;
	if (merge->tcp)
		take_tcp(merge, tcp_of(merge, data), payload);
	merge->count++;
	add_page(merge, page, data + merge->headers, payload);
	return true;
}

/* The length in the IP header, and the sum of the pseudo header to go on from. */
static __sum16 finish_ip4(struct sk_buff *skb, unsigned int len, u8 protocol)
{
	struct iphdr *ip = (struct iphdr *)skb->data;

	ip->tot_len = htons(skb->len);
	ip_send_check(ip);
	return ~csum_tcpudp_magic(ip->saddr, ip->daddr, len, protocol, 0);
}

static __sum16 finish_ip6(struct sk_buff *skb, unsigned int len, u8 protocol)
{
	struct ipv6hdr *ip = (struct ipv6hdr *)skb->data;

	ip->payload_len = htons(len);
	return ~csum_ipv6_magic(&ip->saddr, &ip->daddr, len, protocol, 0);
}

static void finish_tcp(struct vpn_merge *merge, struct sk_buff *skb,
		       __sum16 check)
{
	struct skb_shared_info *info = skb_shinfo(skb);

	tcp_of(merge, skb->data)->check = check;
	skb->csum_offset = offsetof(struct tcphdr, check);
	if (skb->protocol == htons(ETH_P_IPV6))
		info->gso_type = SKB_GSO_TCPV6;
	else
		info->gso_type = SKB_GSO_TCPV4 |
				 (merge->id_step ? 0 : SKB_GSO_TCP_FIXEDID);
}

static void finish_udp(struct vpn_merge *merge, struct sk_buff *skb,
		       unsigned int len, __sum16 check)
{
	struct udphdr *udp = udp_of(merge, skb->data);

	udp->len = htons(len);
	udp->check = check;
	skb->csum_offset = offsetof(struct udphdr, check);
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
}

struct sk_buff *vpn_merge_end(struct vpn_merge *merge)
{
	const u8 protocol = merge->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	struct sk_buff *skb = merge->skb;
	unsigned int len;
	__sum16 check;

	merge->skb = NULL;
	if (!skb || merge->count == 1)
		return skb;
	len = skb->len - merge->transport;
	skb_shinfo(skb)->gso_size = merge->mss;
	skb_shinfo(skb)->gso_segs = merge->count;
	if (skb->protocol == htons(ETH_P_IP))
		check = finish_ip4(skb, len, protocol);
	else
		check = finish_ip6(skb, len, protocol);
	if (merge->tcp)
		finish_tcp(merge, skb, check);
	else
		finish_udp(merge, skb, len, check);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + merge->transport;
	return skb;
}

/*
 * GRO keeps what may be followed: for the sake of its socket or its device; or
 * of what is inside of it, or as a list, both of which is nothing for us.
 */
static bool is_kept(struct sk_buff *skb, gro_result_t result)
{
	return result == GRO_HELD && !NAPI_GRO_CB(skb)->encap_mark &&
	       !NAPI_GRO_CB(skb)->is_flist;
}

void vpn_merge_pass(struct vpn_merge *merge, struct sk_buff *skb)
{
	struct vpn_merge_wish key, *wish;
	unsigned int transport;
	u8 protocol;

	transport = skb_is_gso(skb) ? 0 :
		    plain_ip_len(skb->data, skb->protocol == htons(ETH_P_IPV6),
				 &protocol);
	if (!transport || protocol != IPPROTO_UDP ||
	    skb_headlen(skb) < transport + sizeof(struct udphdr)) {
		napi_gro_receive(merge->napi, skb);
		return;
	}
	wish = wish_of(merge, skb->data, transport, &key);
	if (!is_kept(skb, napi_gro_receive(merge->napi, skb)))
		return;
	key.since = jiffies ?: 1;
	*wish = key;
}
