// SPDX-License-Identifier: GPL-2.0
/*
 * TCP segments of one flow, put together as GRO does it: what comes out can be
 * cut into the very segments that went in. Whatever is out of the ordinary is
 * left to GRO itself.
 */

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "merge.h"

/* More would not fit into the length of an IPv4 header. */
#define MERGED_MAX 65536U

/* Flags that may be set, and what else is in their word. */
#define FLAGS_ALLOWED (TCP_FLAG_ACK | TCP_FLAG_ECE | TCP_DATA_OFFSET | \
		       htonl(0xffff))

static struct tcphdr *tcp_of(const struct vpn_merge *merge, u8 *packet)
{
	return (struct tcphdr *)(packet + merge->transport);
}

/* Octets of an IP header without anything special, before TCP; or zero. */
static unsigned int plain_ip_len(const u8 *packet, bool ipv6)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)packet;
	const struct iphdr *ip4 = (const struct iphdr *)packet;

	if (ipv6)
		return ip6->nexthdr == IPPROTO_TCP ? sizeof(*ip6) : 0;
	return ip4->ihl == 5 && ip4->protocol == IPPROTO_TCP &&
	       !ip_is_fragment(ip4) && !ip_fast_csum(ip4, 5) ?
	       sizeof(*ip4) : 0;
}

bool vpn_merge_begin(struct vpn_merge *merge, struct sk_buff *skb)
{
	const bool ipv6 = skb->protocol == htons(ETH_P_IPV6);
	unsigned int transport = plain_ip_len(skb->data, ipv6);
	const struct net_device *dev = skb->dev;
	const struct tcphdr *tcp;

	if (!transport || !skb->data_len ||
	    skb_headlen(skb) < transport + sizeof(*tcp) || netif_elide_gro(dev))
		return false;
	tcp = (const struct tcphdr *)(skb->data + transport);
	if (skb_headlen(skb) != transport + tcp->doff * 4 ||
	    (tcp_flag_word(tcp) & ~FLAGS_ALLOWED) || !tcp->ack)
		return false;

	merge->skb = skb;
	merge->last = skb;
	merge->transport = transport;
	merge->headers = skb_headlen(skb);
	merge->mss = skb->data_len;
	merge->count = 1;
	merge->max = min(MERGED_MAX, vpn_gro_max_size(dev, skb));
	merge->seq = ntohl(tcp->seq) + merge->mss;
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

/* Whether @packet is what follows, by its headers. */
static bool follows(struct vpn_merge *merge, const u8 *packet)
{
	const struct tcphdr *first = tcp_of(merge, merge->skb->data);
	const struct tcphdr *tcp = tcp_of(merge, (u8 *)packet);
	const __be32 differ = tcp_flag_word(first) ^ tcp_flag_word(tcp);

	if ((differ & ~TCP_FLAG_PSH) || ntohl(tcp->seq) != merge->seq ||
	    first->source != tcp->source || first->dest != tcp->dest ||
	    first->ack_seq != tcp->ack_seq ||
	    memcmp(first + 1, tcp + 1,
		   merge->headers - merge->transport - sizeof(*tcp)))
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

bool vpn_merge_add(struct vpn_merge *merge, u8 *data, unsigned int len,
		   struct page *page)
{
	unsigned int payload = len - merge->headers;
	struct tcphdr *first, *tcp;

	if (!merge->skb || merge->complete || !page ||
	    len <= merge->headers || payload > merge->mss ||
	    merge->skb->len + payload >= merge->max ||
	    !follows(merge, data) || !make_room(merge))
		return false;
	first = tcp_of(merge, merge->skb->data);
	tcp = tcp_of(merge, data);
	first->psh |= tcp->psh;
	merge->complete = tcp->psh || payload < merge->mss;
	merge->seq += payload;
	merge->count++;
	add_page(merge, page, data + merge->headers, payload);
	return true;
}

static void finish_ip4(struct sk_buff *skb, struct tcphdr *tcp,
		       unsigned int len)
{
	struct iphdr *ip = (struct iphdr *)skb->data;

	ip->tot_len = htons(skb->len);
	ip_send_check(ip);
	tcp->check = ~tcp_v4_check(len, ip->saddr, ip->daddr, 0);
}

static void finish_ip6(struct sk_buff *skb, struct tcphdr *tcp,
		       unsigned int len)
{
	struct ipv6hdr *ip = (struct ipv6hdr *)skb->data;

	ip->payload_len = htons(len);
	tcp->check = ~tcp_v6_check(len, &ip->saddr, &ip->daddr, 0);
}

struct sk_buff *vpn_merge_end(struct vpn_merge *merge)
{
	struct sk_buff *skb = merge->skb;
	struct skb_shared_info *info;
	struct tcphdr *tcp;

	merge->skb = NULL;
	if (!skb || merge->count == 1)
		return skb;
	tcp = tcp_of(merge, skb->data);
	info = skb_shinfo(skb);
	info->gso_size = merge->mss;
	info->gso_segs = merge->count;
	if (skb->protocol == htons(ETH_P_IP)) {
		finish_ip4(skb, tcp, skb->len - merge->transport);
		info->gso_type = SKB_GSO_TCPV4;
		if (!merge->id_step)
			info->gso_type |= SKB_GSO_TCP_FIXEDID;
	} else {
		finish_ip6(skb, tcp, skb->len - merge->transport);
		info->gso_type = SKB_GSO_TCPV6;
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u8 *)tcp - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	return skb;
}
