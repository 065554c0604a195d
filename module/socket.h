/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_SOCKET_H
#define VPN_SOCKET_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/dst_cache.h>

#include "messages.h"

struct socket;
struct vpn_device;
struct vpn_peer;

/* What encapsulation puts in front: link layer, IPv6, UDP, our header. */
#define VPN_TX_HEADROOM	(LL_MAX_HEADER + sizeof(struct ipv6hdr) + \
			 sizeof(struct udphdr) + sizeof(struct vpn_msg_data))

/**
 * struct vpn_socket - the open sockets of a device
 * @sock4: IPv4
 * @sock6: IPv6; NULL in a kernel without it
 * @crowd: when packets came last that were not alone, jiffies
 *
 * Freed after a grace period.
 */
struct vpn_socket {
	struct socket *sock4;
	struct socket *sock6;
	unsigned long crowd;
};

/**
 * union vpn_sockaddr - an address of either family; unused octets are zero
 * @sa: its family
 * @in: as IPv4
 * @in6: as IPv6
 */
union vpn_sockaddr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/**
 * struct vpn_endpoint - where a peer is
 * @addr: its address and port
 * @src4: our address that it last reached, when @addr is IPv4; the any address
 *	when nothing is known
 * @src6: the same, when @addr is IPv6
 * @src_ifindex: where it reached us; IPv4 only
 * @src_lost: the source is no longer ours, or the route to the peer moved
 * @headroom: what goes in front of a datagram; the link layer is that of the
 *	route that was looked up last
 * @born: in jiffies
 * @routes: of packets to @addr from the source; lives and dies with the endpoint, so
 *	that a route can't outlast what it was looked up for
 * @rcu: defers freeing
 *
 * Immutable once published, but for @src_lost and @headroom.
 */
struct vpn_endpoint {
	union vpn_sockaddr addr;
	union {
		struct in_addr src4;
		struct in6_addr src6;
	};
	int src_ifindex;
	bool src_lost;
	u16 headroom;
	unsigned long born;
	struct dst_cache routes;
	struct rcu_head rcu;
};

/**
 * vpn_endpoint_set() - send to another address from now on
 * @peer: the peer
 * @addr: AF_INET or AF_INET6
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int vpn_endpoint_set(struct vpn_peer *peer, const union vpn_sockaddr *addr);

/**
 * vpn_endpoint_learn() - follow a peer to where an authenticated packet came from
 * @peer: the peer
 * @skb: a packet of the UDP socket, headers in place
 *
 * Cheap when nothing changed. Context: process or softirq.
 */
void vpn_endpoint_learn(struct vpn_peer *peer, const struct sk_buff *skb);

/**
 * vpn_endpoint_forget_source() - choose our own address anew
 * @peer: the peer
 *
 * Also drops the cached routes.
 */
void vpn_endpoint_forget_source(struct vpn_peer *peer);

/**
 * vpn_endpoint_forget_routes() - give cached routes back at once
 * @peer: the peer, of a device whose sockets are closed
 *
 * Nobody else may use the endpoint to send meanwhile.
 */
void vpn_endpoint_forget_routes(struct vpn_peer *peer);
void vpn_endpoint_clear(struct vpn_peer *peer);

/**
 * vpn_endpoint_headroom() - what goes in front of a data message's plaintext
 * @peer: the peer
 *
 * With less, the stack makes room on the way.
 *
 * Context: bottom halves disabled, RCU read side.
 * Return: octets.
 */
unsigned int vpn_endpoint_headroom(const struct vpn_peer *peer);

/**
 * vpn_socket_open() - listen
 * @vpn: the device, @vpn->lock held
 * @port: host order; zero lets the kernel choose, and @vpn->listen_port tells
 *
 * Replaces sockets that are open. Nothing changes on failure.
 * Context: process.
 * Return: 0, or a negative error, -EADDRINUSE among them.
 */
int vpn_socket_open(struct vpn_device *vpn, u16 port);
void vpn_socket_close(struct vpn_device *vpn);

/**
 * vpn_socket_note() - choose how packets are received
 * @vpn: the device
 * @alone: a packet came alone, else in a train or with others behind it
 *
 * While they come alone, each is handed over as soon as it comes, to
 * vpn_rx_direct(). Else they wait in the sockets' queues.
 *
 * Context: RCU read side.
 */
void vpn_socket_note(struct vpn_device *vpn, bool alone);

/**
 * vpn_socket_send() - send a datagram, or a train of them as one GSO skb
 * @peer: to its endpoint
 * @skb: data is the UDP payload; consumed
 * @ds: DSCP and ECN field of the outer packet
 * @id: IPv4 identification of the first outer packet; those behind it get the
 *	next
 *
 * Context: bottom halves disabled, RCU read side.
 * Return: 0, -EDESTADDRREQ without an endpoint, or an error of routing.
 */
int vpn_socket_send(struct vpn_peer *peer, struct sk_buff *skb, u8 ds,
		    u16 id);

/**
 * vpn_socket_send_message() - send a handshake message to a peer
 * @peer: the peer
 * @message: copied
 * @len: octets
 *
 * Context: process.
 * Return: as vpn_socket_send(), or -ENOMEM.
 */
int vpn_socket_send_message(struct vpn_peer *peer, const void *message,
			    size_t len);

/**
 * vpn_socket_reply() - answer to where a packet came from
 * @vpn: the device
 * @in: the packet
 * @message: copied
 * @len: octets
 * @gfp: how memory may be had
 *
 * Context: any but hard interrupts.
 * Return: 0, -ENOMEM, or an error of routing.
 */
int vpn_socket_reply(struct vpn_device *vpn, const struct sk_buff *in,
		     const void *message, size_t len, gfp_t gfp);

#endif
