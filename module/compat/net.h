/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network devices, skbs and UDP tunnels.
 */
#ifndef VPN_COMPAT_NET_H
#define VPN_COMPAT_NET_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/version.h>
#include <net/rtnetlink.h>
#include <net/udp_tunnel.h>

/* 6.17 added the last argument, of which we have no use. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define udp_tunnel_xmit_skb(_rt, _sk, _skb, _src, _dst, _tos, _ttl, _df,	\
			    _sport, _dport, _xnet, _nocheck, _flags)		\
	udp_tunnel_xmit_skb(_rt, _sk, _skb, _src, _dst, _tos, _ttl, _df,	\
			    _sport, _dport, _xnet, _nocheck)
#define udp_tunnel6_xmit_skb(_dst, _sk, _skb, _dev, _saddr, _daddr, _prio,	\
			     _ttl, _label, _sport, _dport, _nocheck, _flags)	\
	udp_tunnel6_xmit_skb(_dst, _sk, _skb, _dev, _saddr, _daddr, _prio,	\
			     _ttl, _label, _sport, _dport, _nocheck)
#endif

/* 6.15 put the arguments of newlink() into a structure. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
struct rtnl_newlink_params {
	struct net *src_net;
};

static inline struct net *
rtnl_newlink_link_net(const struct rtnl_newlink_params *params)
{
	return params->src_net;
}

#define VPN_DEFINE_NEWLINK(_function)						\
	static int _function##_compat(struct net *src_net,			\
				      struct net_device *dev,			\
				      struct nlattr *tb[],			\
				      struct nlattr *data[],			\
				      struct netlink_ext_ack *extack)		\
	{									\
		struct rtnl_newlink_params params = { .src_net = src_net };	\
										\
		return _function(dev, &params, extack);				\
	}
#define VPN_NEWLINK(_function)	_function##_compat
#else
#define VPN_DEFINE_NEWLINK(_function)
#define VPN_NEWLINK(_function)	_function
#endif

/* 6.12: a member of the device, before a feature. */
static inline void vpn_netdev_set_lltx(struct net_device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

/* 6.15: a structure of its own. Whether packets wait in it to be merged. */
static inline bool vpn_gro_holds(const struct napi_struct *napi)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
	return napi->gro_bitmask || napi->rx_count;
#else
	return napi->gro.bitmask || napi->gro.rx_count;
#endif
}

/* 6.7: takes the socket of the protocol. Long-term kernels have that, too. */
static inline void vpn_udp_encap_enable(struct socket *sock)
{
	typedef void takes_socket(struct socket *sock);
	typeof(udp_tunnel_encap_enable) *enable = udp_tunnel_encap_enable;

	enable(__builtin_choose_expr(__builtin_types_compatible_p(typeof(*enable),
								  takes_socket),
				     sock, sock->sk));
}

/* 6.3: IPv4 has a limit of its own. */
static inline unsigned int vpn_gro_max_size(const struct net_device *dev,
					    const struct sk_buff *skb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	return READ_ONCE(dev->gro_max_size);
#else
	return netif_get_gro_max_size(dev, skb);
#endif
}

/* 6.10 widened the flag. */
static inline void vpn_skb_copy_delivery_time(struct sk_buff *to,
					      const struct sk_buff *from)
{
	to->tstamp = from->tstamp;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	to->mono_delivery_time = from->mono_delivery_time;
#else
	to->tstamp_type = from->tstamp_type;
#endif
}

#endif
