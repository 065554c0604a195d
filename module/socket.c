// SPDX-License-Identifier: GPL-2.0
/*
 * UDP sockets of a device, and the endpoints of its peers.
 *
 * In front of an encap_rcv the stack would cut a GRO train into packets. So the
 * sockets ask for GRO like a program would, and their queue is read by the
 * device's NAPI (rx.c). Only while packets come one by one, they have an
 * encap_rcv, which saves such a packet the queue and the poll.
 */

#include <linux/if_ether.h>
#include <linux/inetdevice.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/dst_cache.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

#include "device.h"
#include "event.h"
#include "peer.h"
#include "rx.h"
#include "socket.h"
#include "stats.h"

/* For so long after a train, or packets in a row, more of them are expected. */
#define CROWD_LASTS (HZ / 4)

/* Room for some dozens of full trains; beyond it the stack drops. */
#define RECEIVE_BUFFER (8 << 20)

/* A port that is free for IPv4 may be taken for IPv6: try others. */
#define PORT_ATTEMPTS 100

/* DSCP AF41 for handshakes, as WireGuard marks them. */
#define HANDSHAKE_DS 0x88

static void endpoint_free_rcu(struct rcu_head *rcu)
{
	struct vpn_endpoint *endpoint = container_of(rcu, struct vpn_endpoint,
						     rcu);

	dst_cache_destroy(&endpoint->routes);
	kfree(endpoint);
}

/* What goes in front of a datagram to such an address. */
static unsigned int headroom(sa_family_t family, unsigned int link_layer)
{
	return HH_DATA_ALIGN(link_layer) + sizeof(struct udphdr) +
	       (family == AF_INET ? sizeof(struct iphdr) :
				    sizeof(struct ipv6hdr));
}

unsigned int vpn_endpoint_headroom(const struct vpn_peer *peer)
{
	const struct vpn_endpoint *endpoint =
		rcu_dereference_bh(peer->endpoint);

	if (unlikely(!endpoint))
		return VPN_TX_HEADROOM;
	return READ_ONCE(endpoint->headroom) + sizeof(struct vpn_msg_data);
}

static struct vpn_endpoint *endpoint_alloc(const struct vpn_endpoint *from,
					   gfp_t gfp)
{
	struct vpn_endpoint *endpoint = kzalloc_obj(*endpoint, gfp);

	if (!endpoint)
		return NULL;
	endpoint->addr = from->addr;
	endpoint->src6 = from->src6;
	endpoint->src_ifindex = from->src_ifindex;
	endpoint->born = jiffies;
	endpoint->headroom = headroom(from->addr.sa.sa_family, ETH_HLEN);
	if (dst_cache_init(&endpoint->routes, gfp | __GFP_NOWARN)) {
		kfree(endpoint);
		return NULL;
	}
	return endpoint;
}

static void endpoint_publish(struct vpn_peer *peer,
			     struct vpn_endpoint *endpoint)
{
	struct vpn_endpoint *former;

	spin_lock_bh(&peer->endpoint_lock);
	former = rcu_replace_pointer(peer->endpoint, endpoint,
				     lockdep_is_held(&peer->endpoint_lock));
	spin_unlock_bh(&peer->endpoint_lock);
	if (former)
		call_rcu(&former->rcu, endpoint_free_rcu);
}

static bool same_addr(const struct vpn_endpoint *a,
		      const struct vpn_endpoint *b)
{
	return !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

static bool same_src(const struct vpn_endpoint *a,
		     const struct vpn_endpoint *b)
{
	return ipv6_addr_equal(&a->src6, &b->src6) &&
	       a->src_ifindex == b->src_ifindex;
}

/* Unless somebody else was faster. */
static void endpoint_replace(struct vpn_peer *peer,
			     const struct vpn_endpoint *former,
			     struct vpn_endpoint *endpoint)
{
	struct vpn_endpoint *unused;

	spin_lock_bh(&peer->endpoint_lock);
	unused = rcu_dereference_protected(peer->endpoint,
					   lockdep_is_held(&peer->endpoint_lock));
	if (unused == former)
		rcu_assign_pointer(peer->endpoint, endpoint);
	else
		unused = endpoint;
	spin_unlock_bh(&peer->endpoint_lock);
	call_rcu(&unused->rcu, endpoint_free_rcu);
}

/* Unused octets stay zero, so that endpoints can be compared as a whole. */
static void endpoint_of_skb(struct vpn_endpoint *endpoint,
			    const struct sk_buff *skb)
{
	memset(endpoint, 0, sizeof(*endpoint));
	if (skb->protocol == htons(ETH_P_IP)) {
		endpoint->addr.in.sin_family = AF_INET;
		endpoint->addr.in.sin_port = udp_hdr(skb)->source;
		endpoint->addr.in.sin_addr.s_addr = ip_hdr(skb)->saddr;
		endpoint->src4.s_addr = ip_hdr(skb)->daddr;
		endpoint->src_ifindex = skb->skb_iif;
		return;
	}
	endpoint->addr.in6.sin6_family = AF_INET6;
	endpoint->addr.in6.sin6_port = udp_hdr(skb)->source;
	endpoint->addr.in6.sin6_addr = ipv6_hdr(skb)->saddr;
	endpoint->addr.in6.sin6_scope_id =
		ipv6_iface_scope_id(&ipv6_hdr(skb)->saddr, skb->skb_iif);
	endpoint->src6 = ipv6_hdr(skb)->daddr;
}

int vpn_endpoint_set(struct vpn_peer *peer, const union vpn_sockaddr *addr)
{
	struct vpn_endpoint *endpoint, wanted = {};

	if (addr->sa.sa_family == AF_INET) {
		wanted.addr.in.sin_family = AF_INET;
		wanted.addr.in.sin_port = addr->in.sin_port;
		wanted.addr.in.sin_addr = addr->in.sin_addr;
	} else {
		wanted.addr.in6.sin6_family = AF_INET6;
		wanted.addr.in6.sin6_port = addr->in6.sin6_port;
		wanted.addr.in6.sin6_addr = addr->in6.sin6_addr;
		wanted.addr.in6.sin6_scope_id = addr->in6.sin6_scope_id;
	}
	endpoint = endpoint_alloc(&wanted, GFP_KERNEL_ACCOUNT);
	if (!endpoint)
		return -ENOMEM;
	endpoint_publish(peer, endpoint);
	return 0;
}

/* Whether @skb came from where the peer is known to be, and to where it was. */
static bool came_from4(const struct vpn_endpoint *known,
		       const struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);

	return known && skb->protocol == htons(ETH_P_IP) &&
	       known->addr.in.sin_family == AF_INET &&
	       known->addr.in.sin_addr.s_addr == ip->saddr &&
	       known->addr.in.sin_port == udp_hdr(skb)->source &&
	       known->src4.s_addr == ip->daddr &&
	       known->src_ifindex == skb->skb_iif;
}

void vpn_endpoint_learn(struct vpn_peer *peer, const struct sk_buff *skb)
{
	struct vpn_endpoint *endpoint, *known, seen;
	bool moved;

	rcu_read_lock();
	if (likely(came_from4(rcu_dereference(peer->endpoint), skb))) {
		rcu_read_unlock();
		return;
	}
	rcu_read_unlock();

	endpoint_of_skb(&seen, skb);
	rcu_read_lock();
	known = rcu_dereference(peer->endpoint);
	moved = !known || !same_addr(known, &seen);
	/*
	 * Whoever rewrites source addresses on the way can make a peer seem to
	 * move with every packet: once a tick is as good.
	 */
	if (known && (jiffies - known->born == 0 ||
		      (!moved && same_src(known, &seen)))) {
		rcu_read_unlock();
		return;
	}
	rcu_read_unlock();

	/* Without memory the peer stays where it was until its next packet. */
	endpoint = endpoint_alloc(&seen, GFP_ATOMIC);
	if (!endpoint)
		return;
	endpoint_publish(peer, endpoint);
	if (moved)
		vpn_event_endpoint_moved(peer);
}

void vpn_endpoint_forget_source(struct vpn_peer *peer)
{
	struct vpn_endpoint *endpoint, *known, wanted = {};

	rcu_read_lock();
	known = rcu_dereference(peer->endpoint);
	if (known) {
		wanted.addr = known->addr;
		endpoint = endpoint_alloc(&wanted, GFP_ATOMIC);
		if (endpoint)
			endpoint_replace(peer, known, endpoint);
	}
	rcu_read_unlock();
}

void vpn_endpoint_forget_routes(struct vpn_peer *peer)
{
	struct vpn_endpoint *endpoint;

	spin_lock_bh(&peer->endpoint_lock);
	endpoint = rcu_dereference_protected(peer->endpoint,
					     lockdep_is_held(&peer->endpoint_lock));
	if (endpoint)
		dst_cache_reset_now(&endpoint->routes);
	spin_unlock_bh(&peer->endpoint_lock);
}

void vpn_endpoint_clear(struct vpn_peer *peer)
{
	endpoint_publish(peer, NULL);
}

static bool route_left_source(const struct vpn_endpoint *endpoint,
			      const struct rtable *rt)
{
	if (!endpoint->src_ifindex || READ_ONCE(endpoint->src_lost))
		return false;
	if (IS_ERR(rt))
		return PTR_ERR(rt) == -EINVAL;
	return rt->dst.dev->ifindex != endpoint->src_ifindex;
}

static struct rtable *route4(struct vpn_endpoint *endpoint, struct sock *sk,
			     struct flowi4 *fl)
{
	struct rtable *rt;

	if (fl->saddr && !inet_confirm_addr(sock_net(sk), NULL, 0, fl->saddr,
					    RT_SCOPE_HOST)) {
		WRITE_ONCE(endpoint->src_lost, true);
		fl->saddr = 0;
	}
	security_sk_classify_flow(sk, flowi4_to_flowi_common(fl));
	rt = ip_route_output_flow(sock_net(sk), fl, sk);
	if (!route_left_source(endpoint, rt))
		return rt;

	if (!IS_ERR(rt))
		ip_rt_put(rt);
	WRITE_ONCE(endpoint->src_lost, true);
	fl->saddr = 0;
	return ip_route_output_flow(sock_net(sk), fl, sk);
}

/* Remember a route, and how much goes in front of what takes it. */
static void remember4(struct vpn_endpoint *endpoint, struct dst_cache *routes,
		      struct rtable *rt, __be32 saddr)
{
	WRITE_ONCE(endpoint->headroom,
		   headroom(AF_INET, LL_RESERVED_SPACE(rt->dst.dev)));
	dst_cache_set_ip4(routes, &rt->dst, saddr);
}

static void push_udp(struct sk_buff *skb, __be16 sport, __be16 dport)
{
	struct udphdr *udp;

	udp = __skb_push(skb, sizeof(*udp));
	skb_reset_transport_header(skb);
	udp->source = sport;
	udp->dest = dport;
	udp->len = htons(skb->len);
}

/*
 * What udp_tunnel_xmit_skb() does, but for the identification, which is to be
 * had for less here.
 */
static void push_ip4(struct sk_buff *skb, const struct rtable *rt,
		     const struct flowi4 *fl, u8 ds, u16 id)
{
	struct iphdr *ip;

	ip = __skb_push(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	*ip = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*ip) / 4,
		.tos = ds,
		.id = htons(id),
		.ttl = ip4_dst_hoplimit(&rt->dst),
		.protocol = IPPROTO_UDP,
		.saddr = fl->saddr,
		.daddr = fl->daddr,
	};
}

static int send4(struct vpn_device *vpn, struct vpn_endpoint *endpoint,
		 struct dst_cache *routes, struct sock *sk,
		 struct sk_buff *skb, u8 ds, u16 id)
{
	struct flowi4 fl = {
		.daddr = endpoint->addr.in.sin_addr.s_addr,
		.saddr = READ_ONCE(endpoint->src_lost) ?
			 0 : endpoint->src4.s_addr,
		.fl4_dport = endpoint->addr.in.sin_port,
		.fl4_sport = inet_sk(sk)->inet_sport,
		.flowi4_mark = skb->mark,
		.flowi4_proto = IPPROTO_UDP,
	};
	struct rtable *rt = NULL;

	if (routes)
		rt = dst_cache_get_ip4(routes, &fl.saddr);
	if (!rt) {
		rt = route4(endpoint, sk, &fl);
		if (IS_ERR(rt))
			return PTR_ERR(rt);
		if (routes)
			remember4(endpoint, routes, rt, fl.saddr);
	}
	if (unlikely(rt->dst.dev == vpn->dev)) {
		ip_rt_put(rt);
		return -ELOOP;
	}
	skb_clear_hash_if_not_l4(skb);
	skb_dst_set(skb, &rt->dst);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	push_udp(skb, fl.fl4_sport, fl.fl4_dport);
	udp_set_csum(false, skb, fl.saddr, fl.daddr, skb->len);
	push_ip4(skb, rt, &fl, ds, id);
	ip_local_out(sock_net(sk), sk, skb);
	return 0;
}

#if IS_ENABLED(CONFIG_IPV6)
static void remember6(struct vpn_endpoint *endpoint, struct dst_cache *routes,
		      struct dst_entry *dst, const struct in6_addr *saddr)
{
	WRITE_ONCE(endpoint->headroom,
		   headroom(AF_INET6, LL_RESERVED_SPACE(dst->dev)));
	dst_cache_set_ip6(routes, dst, saddr);
}

static int send6(struct vpn_device *vpn, struct vpn_endpoint *endpoint,
		 struct dst_cache *routes, struct sock *sk,
		 struct sk_buff *skb, u8 ds)
{
	struct flowi6 fl = {
		.daddr = endpoint->addr.in6.sin6_addr,
		.fl6_dport = endpoint->addr.in6.sin6_port,
		.fl6_sport = inet_sk(sk)->inet_sport,
		.flowi6_mark = skb->mark,
		.flowi6_oif = endpoint->addr.in6.sin6_scope_id,
		.flowi6_proto = IPPROTO_UDP,
	};
	struct dst_entry *dst = NULL;

	if (!READ_ONCE(endpoint->src_lost))
		fl.saddr = endpoint->src6;
	if (routes)
		dst = dst_cache_get_ip6(routes, &fl.saddr);
	if (!dst) {
		if (!ipv6_addr_any(&fl.saddr) &&
		    !ipv6_chk_addr(sock_net(sk), &fl.saddr, NULL, 0)) {
			WRITE_ONCE(endpoint->src_lost, true);
			fl.saddr = in6addr_any;
		}
		security_sk_classify_flow(sk, flowi6_to_flowi_common(&fl));
		dst = ip6_dst_lookup_flow(sock_net(sk), sk, &fl, NULL);
		if (IS_ERR(dst))
			return PTR_ERR(dst);
		if (routes)
			remember6(endpoint, routes, dst, &fl.saddr);
	}
	if (unlikely(dst->dev == vpn->dev)) {
		dst_release(dst);
		return -ELOOP;
	}
	/* The underlay may fragment, as it may for IPv4. */
	skb->ignore_df = 1;
	udp_tunnel6_xmit_skb(dst, sk, skb, NULL, &fl.saddr, &fl.daddr, ds,
			     ip6_dst_hoplimit(dst), 0, fl.fl6_sport,
			     fl.fl6_dport, false, 0);
	return 0;
}
#else
static int send6(struct vpn_device *vpn, struct vpn_endpoint *endpoint,
		 struct dst_cache *routes, struct sock *sk,
		 struct sk_buff *skb, u8 ds)
{
	return -EAFNOSUPPORT;
}
#endif

static void count_failure(struct vpn_device *vpn, int err, unsigned int packets)
{
	vpn_stats_drop(vpn, err == -ELOOP ? VPN_STAT_DROP_TX_LOOP :
		       err == -EDESTADDRREQ ? VPN_STAT_DROP_TX_NO_ENDPOINT :
		       VPN_STAT_DROP_TX_ROUTE, packets);
}

/* Send to @endpoint; @routes is NULL when no route is to be remembered. */
static int send_to(struct vpn_device *vpn, struct vpn_endpoint *endpoint,
		   struct dst_cache *routes, struct sk_buff *skb, u8 ds, u16 id)
{
	unsigned int packets = skb_shinfo(skb)->gso_segs ?: 1;
	struct vpn_socket *sock = rcu_dereference_bh(vpn->sock);
	int err = -ENONET;

	/* Sent like a packet of our own: the stack is not to count it for us. */
	skb->dev = NULL;
	skb->mark = READ_ONCE(vpn->fwmark);
	if (!endpoint)
		err = -EDESTADDRREQ;
	else if (endpoint->addr.sa.sa_family == AF_INET && sock)
		err = send4(vpn, endpoint, routes, sock->sock4->sk, skb, ds,
			    id);
	else if (endpoint->addr.sa.sa_family == AF_INET6 && sock && sock->sock6)
		err = send6(vpn, endpoint, routes, sock->sock6->sk, skb, ds);
	if (likely(!err))
		return 0;
	kfree_skb(skb);
	count_failure(vpn, err, packets);
	return err;
}

int vpn_socket_send(struct vpn_peer *peer, struct sk_buff *skb, u8 ds,
		    u16 id)
{
	struct vpn_endpoint *endpoint = rcu_dereference_bh(peer->endpoint);
	unsigned int len = skb->len;
	int err;

	err = send_to(peer->vpn, endpoint, endpoint ? &endpoint->routes : NULL,
		      skb, ds, id);
	if (likely(!err))
		atomic64_add(len, &peer->tx_bytes);
	return err;
}

static struct sk_buff *message_skb(const void *message, size_t len, gfp_t gfp)
{
	struct sk_buff *skb = alloc_skb(VPN_TX_HEADROOM + len, gfp);

	if (!skb)
		return NULL;
	skb_reserve(skb, VPN_TX_HEADROOM);
	skb_put_data(skb, message, len);
	return skb;
}

int vpn_socket_send_message(struct vpn_peer *peer, const void *message,
			    size_t len)
{
	struct sk_buff *skb = message_skb(message, len, GFP_KERNEL);
	int err;

	if (!skb)
		return -ENOMEM;
	rcu_read_lock_bh();
	err = vpn_socket_send(peer, skb, HANDSHAKE_DS, get_random_u16());
	rcu_read_unlock_bh();
	return err;
}

int vpn_socket_reply(struct vpn_device *vpn, const struct sk_buff *in,
		     const void *message, size_t len, gfp_t gfp)
{
	struct sk_buff *skb = message_skb(message, len, gfp);
	struct vpn_endpoint endpoint;
	int err;

	if (!skb)
		return -ENOMEM;
	endpoint_of_skb(&endpoint, in);
	rcu_read_lock_bh();
	err = send_to(vpn, &endpoint, NULL, skb, HANDSHAKE_DS,
		      get_random_u16());
	rcu_read_unlock_bh();
	return err;
}

static void socket_data_ready(struct sock *sk)
{
	struct vpn_device *vpn;

	rcu_read_lock();
	vpn = rcu_dereference_sk_user_data(sk);
	if (likely(vpn))
		vpn_rx_schedule(vpn);
	rcu_read_unlock();
}

static int socket_encap_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct vpn_device *vpn = rcu_dereference_sk_user_data(sk);

	return !(vpn && vpn_rx_direct(vpn, skb));
}

static void set_direct(const struct socket *sock, bool direct)
{
	int (*wanted)(struct sock *sk, struct sk_buff *skb);

	wanted = direct ? socket_encap_rcv : NULL;
	if (sock && READ_ONCE(udp_sk(sock->sk)->encap_rcv) != wanted)
		WRITE_ONCE(udp_sk(sock->sk)->encap_rcv, wanted);
}

void vpn_socket_note(struct vpn_device *vpn, bool alone)
{
	struct vpn_socket *sock = rcu_dereference(vpn->sock);

	if (unlikely(!sock))
		return;
	if (!alone && time_before(READ_ONCE(sock->crowd), jiffies))
		WRITE_ONCE(sock->crowd, jiffies);
	else if (alone && time_before(jiffies, READ_ONCE(sock->crowd) +
				      CROWD_LASTS))
		return;
	set_direct(sock->sock4, alone);
	set_direct(sock->sock6, alone);
}

static int enable_gro(struct socket *sock)
{
	int one = 1;

	return sock->ops->setsockopt(sock, SOL_UDP, UDP_GRO,
				     KERNEL_SOCKPTR(&one), sizeof(one));
}

static int socket_create(struct vpn_device *vpn, struct net *net, u8 family,
			 u16 port, struct socket **result)
{
	struct udp_port_cfg cfg = {
		.family = family,
		.local_udp_port = htons(port),
		.use_udp_checksums = true,
		.use_udp6_tx_checksums = true,
		.use_udp6_rx_checksums = true,
		.ipv6_v6only = true,
	};
	struct socket *sock;
	struct sock *sk;
	int err;

	err = udp_sock_create(net, &cfg, &sock);
	if (err < 0)
		return err;
	err = enable_gro(sock);
	if (err) {
		sock_release(sock);
		return err;
	}

	sk = sock->sk;
	sk->sk_allocation = GFP_ATOMIC;
	lock_sock(sk);
	sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	WRITE_ONCE(sk->sk_rcvbuf, RECEIVE_BUFFER);
	release_sock(sk);
#ifdef CONFIG_NET_RX_BUSY_POLL
	/* rx_poll() runs inside a poll already; net.core.busy_read is for others. */
	WRITE_ONCE(sk->sk_ll_usec, 0);
#endif

	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_sk_user_data(sk, vpn);
	sk->sk_data_ready = socket_data_ready;
	write_unlock_bh(&sk->sk_callback_lock);

	/* Not of any kind that the stack knows. */
	WRITE_ONCE(udp_sk(sk)->encap_type, 1);
	vpn_udp_encap_enable(sock);

	*result = sock;
	return 0;
}

static void socket_destroy(struct socket *sock)
{
	if (!sock)
		return;
	rcu_assign_sk_user_data(sock->sk, NULL);
	kernel_sock_shutdown(sock, SHUT_RDWR);
	sock_release(sock);
}

static u16 socket_port(const struct socket *sock)
{
	return ntohs(inet_sk(sock->sk)->inet_sport);
}

/* Both families on one port; IPv6 alone may be missing from the kernel. */
static int sockets_create(struct vpn_device *vpn, struct net *net, u16 port,
			  struct vpn_socket *sock)
{
	int err;

	err = socket_create(vpn, net, AF_INET, port, &sock->sock4);
	if (err)
		return err;
	if (!IS_ENABLED(CONFIG_IPV6) || !ipv6_mod_enabled())
		return 0;
	err = socket_create(vpn, net, AF_INET6, socket_port(sock->sock4),
			    &sock->sock6);
	if (err) {
		socket_destroy(sock->sock4);
		sock->sock4 = NULL;
	}
	return err;
}

static struct vpn_socket *socket_listen(struct vpn_device *vpn,
					struct net *net, u16 port)
{
	struct vpn_socket *sock = kzalloc_obj(*sock, GFP_KERNEL);
	int attempts = PORT_ATTEMPTS;
	int err;

	if (!sock)
		return ERR_PTR(-ENOMEM);
	sock->crowd = jiffies;
	do {
		err = sockets_create(vpn, net, port, sock);
	} while (err == -EADDRINUSE && !port && --attempts);
	if (err) {
		kfree(sock);
		return ERR_PTR(err);
	}
	return sock;
}

static void socket_replace(struct vpn_device *vpn, struct vpn_socket *sock)
{
	struct vpn_socket *former;

	former = rcu_replace_pointer(vpn->sock, sock,
				     lockdep_is_held(&vpn->lock));
	if (!former)
		return;
	/* Senders and the receiver may still be at work with the former one. */
	synchronize_net();
	socket_destroy(former->sock4);
	socket_destroy(former->sock6);
	kfree(former);
}

int vpn_socket_open(struct vpn_device *vpn, u16 port)
{
	struct vpn_socket *sock;
	struct net *net;

	lockdep_assert_held(&vpn->lock);

	sock = rcu_dereference_protected(vpn->sock,
					 lockdep_is_held(&vpn->lock));
	if (sock && port && socket_port(sock->sock4) == port)
		return 0;

	rcu_read_lock();
	net = rcu_dereference(vpn->birth_net);
	net = net ? maybe_get_net(net) : NULL;
	rcu_read_unlock();
	if (!net)
		return -ENONET;

	sock = socket_listen(vpn, net, port);
	put_net(net);
	if (IS_ERR(sock))
		return PTR_ERR(sock);
	vpn->listen_port = socket_port(sock->sock4);
	socket_replace(vpn, sock);
	/* What has come before the receiver knew these sockets waits in them. */
	vpn_rx_schedule(vpn);
	return 0;
}

void vpn_socket_close(struct vpn_device *vpn)
{
	lockdep_assert_held(&vpn->lock);

	socket_replace(vpn, NULL);
}
