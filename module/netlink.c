// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family, and its command that changes a device. What the
 * attributes mean is written in uapi/vpn.yaml.
 *
 * A change is first checked as a whole, without any lock, and then carried out.
 */
#include <linux/ctype.h>
#include <linux/inet.h>
#include <linux/netdevice.h>
#include <linux/overflow.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/ipv6.h>

#include "aead.h"
#include "allowedips.h"
#include "device.h"
#include "event.h"
#include "handshake.h"
#include "lobby.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "peer.h"
#include "pool.h"
#include "socket.h"
#include "terms.h"
#include "timer.h"
#include "tx.h"

#define PEER_ATTRS	ARRAY_SIZE(vpn_peer_set_input_nl_policy)
#define ALLOWEDIP_ATTRS	ARRAY_SIZE(vpn_allowedip_nl_policy)
#define ADDRESS_ATTRS	ARRAY_SIZE(vpn_address_nl_policy)

/**
 * struct request - what pre_doit found, kept in the user pointers of genl_info
 * @dev: the device that the request names
 * @tracker: of the reference to it
 */
struct request {
	struct net_device *dev;
	netdevice_tracker tracker;
};

/*
 * Finding the device
 */

/* When a request has both names of a device, they must agree. */
static struct net_device *lookup_device(struct net *net, struct nlattr **attrs,
					struct netlink_ext_ack *extack)
{
	struct nlattr *index = attrs[VPN_A_DEVICE_IFINDEX];
	struct nlattr *name = attrs[VPN_A_DEVICE_IFNAME];
	struct net_device *dev = NULL;

	if (index) {
		dev = dev_get_by_index_rcu(net, nla_get_u32(index));
		if (!dev) {
			NL_SET_ERR_MSG_ATTR(extack, index,
					    "no device has this ifindex");
			return NULL;
		}
	}
	if (name) {
		struct net_device *named = dev_get_by_name_rcu(net, nla_data(name));

		if (!named) {
			NL_SET_ERR_MSG_ATTR(extack, name,
					    "no device has this name");
			return NULL;
		}
		if (dev && dev != named) {
			NL_SET_ERR_MSG_ATTR(extack, name,
					    "the device of this ifindex has another name");
			return NULL;
		}
		dev = named;
	}
	return dev;
}

struct net_device *vpn_netlink_hold_device(struct net *net,
					   struct nlattr **attrs,
					   netdevice_tracker *tracker,
					   struct netlink_ext_ack *extack)
{
	struct net_device *dev;
	int err = 0;

	if (!attrs[VPN_A_DEVICE_IFINDEX] && !attrs[VPN_A_DEVICE_IFNAME])
		return ERR_PTR(refuse_without(extack, NULL, VPN_A_DEVICE_IFINDEX,
					      "name the device by ifindex or ifname"));

	rcu_read_lock();
	dev = lookup_device(net, attrs, extack);
	if (!dev) {
		err = -ENODEV;
	} else if (!vpn_device_is(dev)) {
		NL_SET_ERR_MSG_ATTR(extack,
				    attrs[VPN_A_DEVICE_IFNAME] ?:
				    attrs[VPN_A_DEVICE_IFINDEX],
				    "the device is not of kind vpn");
		err = -EOPNOTSUPP;
	} else {
		netdev_hold(dev, tracker, GFP_ATOMIC);
	}
	rcu_read_unlock();

	return err ? ERR_PTR(err) : dev;
}

static struct request *request_of(struct genl_info *info)
{
	BUILD_BUG_ON(sizeof(struct request) > sizeof(info->user_ptr));
	return (struct request *)info->user_ptr;
}

struct net_device *vpn_netlink_device(struct genl_info *info)
{
	return request_of(info)->dev;
}

int vpn_nl_pre_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
		    struct genl_info *info)
{
	struct request *request = request_of(info);
	struct net_device *dev;

	dev = vpn_netlink_hold_device(genl_info_net(info), info->attrs,
				      &request->tracker, info->extack);
	if (IS_ERR(dev))
		return PTR_ERR(dev);

	request->dev = dev;
	return 0;
}

void vpn_nl_post_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
		      struct genl_info *info)
{
	struct request *request = request_of(info);

	netdev_put(request->dev, &request->tracker);
}

/*
 * Checking a change
 */

static int parse_peer(struct nlattr **tb, const struct nlattr *attr,
		      struct netlink_ext_ack *extack)
{
	return nla_parse_nested(tb, PEER_ATTRS - 1, attr,
				vpn_peer_set_input_nl_policy, extack);
}

static int parse_allowedip(struct nlattr **tb, const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	return nla_parse_nested(tb, ALLOWEDIP_ATTRS - 1, attr,
				vpn_allowedip_nl_policy, extack);
}

int vpn_netlink_read_address(struct vpn_prefix *prefix,
			     const struct nlattr *attr,
			     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ADDRESS_ATTRS], *ip, *bits;
	int err;

	err = nla_parse_nested(tb, ADDRESS_ATTRS - 1, attr,
			       vpn_address_nl_policy, extack);
	if (err)
		return err;

	ip = tb[VPN_A_ADDRESS_IPADDR];
	bits = tb[VPN_A_ADDRESS_PREFIX_LEN];
	if (!ip)
		return refuse_without(extack, attr, VPN_A_ADDRESS_IPADDR,
				      "an address has 4 or 16 octets, here are none");
	if (nla_len(ip) != sizeof(struct in_addr) &&
	    nla_len(ip) != sizeof(struct in6_addr))
		return refuse(extack, ip, "an address has 4 or 16 octets");

	memset(prefix, 0, sizeof(*prefix));
	prefix->len = nla_len(ip);
	prefix->bits = bits ? nla_get_u8(bits) : prefix->len * 8;
	if (prefix->bits > prefix->len * 8)
		return refuse(extack, bits, "the prefix is longer than its address");
	memcpy(prefix->ip, nla_data(ip), prefix->len);
	return 0;
}

void vpn_netlink_say_prefix(struct netlink_ext_ack *extack, const char *words,
			    const struct vpn_prefix *prefix)
{
	if (prefix->len == sizeof(struct in_addr))
		vpn_extack_value(extack, words, ": %pI4/%u", prefix->ip,
				 prefix->bits);
	else
		vpn_extack_value(extack, words, ": %pI6c/%u", prefix->ip,
				 prefix->bits);
}

static u32 flags_of(const struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static int check_public_key(const struct nlattr *key,
			    struct netlink_ext_ack *extack)
{
	/* No shared secret comes of it. */
	if (!memchr_inv(nla_data(key), 0, VPN_KEY_LEN))
		return refuse(extack, key, "the public key is all zero");
	return 0;
}

int vpn_netlink_check_text(const struct nlattr *text,
			   struct netlink_ext_ack *extack)
{
	const char *c;

	if (!text)
		return 0;
	for (c = nla_data(text); *c; c++)
		if (isascii(*c) && iscntrl(*c))
			return refuse(extack, text,
				      "the name has a control character");
	return 0;
}

static int check_credential(struct nlattr **tb, const struct nlattr *peer,
			    struct netlink_ext_ack *extack)
{
	struct nlattr *credential = tb[VPN_A_PEER_CREDENTIAL];
	struct nlattr *kind = tb[VPN_A_PEER_CREDENTIAL_KIND];

	if (kind && !credential)
		return refuse(extack, kind,
			      "there is a kind of credential, but no credential");
	if (credential && nla_len(credential) && !kind)
		return refuse_without(extack, peer, VPN_A_PEER_CREDENTIAL_KIND,
				      "a credential needs its kind");
	return 0;
}

static int check_cipher(const struct nlattr *cipher,
			struct netlink_ext_ack *extack)
{
	u32 suite = nla_get_u32(cipher);

	if (suite != VPN_CIPHER_ANY && !vpn_aead_suite_available(suite))
		return refuse(extack, cipher,
			      "this kernel does not have the cipher");
	return 0;
}

static int check_ipv4(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	__be32 address = nla_get_be32(attr);

	if (ipv4_is_zeronet(address))
		return refuse(extack, attr, "the endpoint is no host's address");
	if (ipv4_is_multicast(address) || ipv4_is_lbcast(address))
		return refuse(extack, attr, "the endpoint is not a unicast address");
	return 0;
}

static int check_ipv6(const struct nlattr *attr, const struct nlattr *scope,
		      struct netlink_ext_ack *extack)
{
	struct in6_addr address = nla_get_in6_addr(attr);
	int type = ipv6_addr_type(&address);

	if (!IS_ENABLED(CONFIG_IPV6))
		return refuse(extack, attr, "this kernel has no IPv6");
	if (type == IPV6_ADDR_ANY)
		return refuse(extack, attr, "the endpoint is no host's address");
	if (type & IPV6_ADDR_MULTICAST)
		return refuse(extack, attr, "the endpoint is not a unicast address");
	if (type & IPV6_ADDR_MAPPED)
		return refuse(extack, attr, "give an IPv4 address as endpoint-ipv4");
	if (scope && nla_get_u32(scope) && !(type & IPV6_ADDR_LINKLOCAL))
		return refuse(extack, scope, "only a link-local address has a scope");
	return 0;
}

static int check_endpoint(struct nlattr **tb, const struct nlattr *peer,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *scope = tb[VPN_A_PEER_ENDPOINT_SCOPE_ID];
	struct nlattr *ipv4 = tb[VPN_A_PEER_ENDPOINT_IPV4];
	struct nlattr *ipv6 = tb[VPN_A_PEER_ENDPOINT_IPV6];
	struct nlattr *port = tb[VPN_A_PEER_ENDPOINT_PORT];

	if (scope && !ipv6)
		return refuse(extack, scope, "only an IPv6 endpoint has a scope");
	if (port && !ipv4 && !ipv6)
		return refuse(extack, port, "the endpoint has a port, but no address");
	if (!ipv4 && !ipv6)
		return 0;

	if (ipv4 && ipv6)
		return refuse(extack, ipv6, "the endpoint is either IPv4 or IPv6");
	if (!port)
		return refuse_without(extack, peer, VPN_A_PEER_ENDPOINT_PORT,
				      "the endpoint has an address, but no port");
	if (!nla_get_be16(port))
		return refuse(extack, port, "the endpoint's port is zero");

	return ipv4 ? check_ipv4(ipv4, extack) : check_ipv6(ipv6, scope, extack);
}

static int check_prefix(struct nlattr **tb, unsigned int address_len,
			struct netlink_ext_ack *extack)
{
	struct nlattr *prefix_len = tb[VPN_A_ALLOWEDIP_PREFIX_LEN];
	struct nlattr *address = tb[VPN_A_ALLOWEDIP_IPADDR];

	if (nla_len(address) != address_len)
		return refuse(extack, address,
			      "the allowed IP's address does not fit its family");
	if (nla_get_u8(prefix_len) > address_len * 8)
		return refuse(extack, prefix_len,
			      "the allowed IP's prefix is longer than its address");
	return 0;
}

static int check_allowedip(const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ALLOWEDIP_ATTRS];
	int err;

	err = parse_allowedip(tb, attr, extack);
	if (err)
		return err;

	if (!tb[VPN_A_ALLOWEDIP_FAMILY])
		return refuse_without(extack, attr, VPN_A_ALLOWEDIP_FAMILY,
				      "an allowed IP needs a family");
	if (!tb[VPN_A_ALLOWEDIP_IPADDR])
		return refuse_without(extack, attr, VPN_A_ALLOWEDIP_IPADDR,
				      "an allowed IP needs an address");
	if (!tb[VPN_A_ALLOWEDIP_PREFIX_LEN])
		return refuse_without(extack, attr, VPN_A_ALLOWEDIP_PREFIX_LEN,
				      "an allowed IP needs the length of its prefix");

	switch (nla_get_u16(tb[VPN_A_ALLOWEDIP_FAMILY])) {
	case AF_INET:
		return check_prefix(tb, sizeof(struct in_addr), extack);
	case AF_INET6:
		return check_prefix(tb, sizeof(struct in6_addr), extack);
	default:
		NL_SET_ERR_MSG_ATTR(extack, tb[VPN_A_ALLOWEDIP_FAMILY],
				    "an allowed IP is either IPv4 or IPv6");
		return -EAFNOSUPPORT;
	}
}

static bool is_multicast(const struct vpn_prefix *address)
{
	if (address->len == sizeof(struct in_addr))
		return address->ip[0] >> 4 == 0xe;
	return address->ip[0] == 0xff;
}

/* @seen: of which families there have been addresses. */
static int check_address(const struct nlattr *attr, bool seen[2],
			 struct netlink_ext_ack *extack)
{
	struct vpn_prefix address;
	bool six;
	int err;

	err = vpn_netlink_read_address(&address, attr, extack);
	if (err)
		return err;

	six = address.len == sizeof(struct in6_addr);
	if (address.bits != address.len * 8)
		return refuse(extack, attr, "a peer gets a single address, not a prefix");
	if (is_multicast(&address))
		return refuse(extack, attr, "the address is not a unicast address");
	if (seen[six])
		return refuse(extack, attr, "a peer gets one address of a family");
	seen[six] = true;
	return 0;
}

static int check_addresses(struct nlattr **tb, const struct nlattr *peer,
			   struct netlink_ext_ack *extack)
{
	struct nlattr *mode = tb[VPN_A_PEER_ADDRESS_MODE];
	struct nlattr *attr;
	bool seen[2] = {};
	int err, rem;

	if (!tb[VPN_A_PEER_ADDRESS])
		return 0;
	if (!mode)
		return refuse_without(extack, peer, VPN_A_PEER_ADDRESS_MODE,
				      "an address needs an address-mode");
	if (nla_get_u32(mode) == VPN_ADDRESS_MODE_NONE)
		return refuse(extack, mode,
			      "address-mode none goes without an address");

	nla_for_each_nested(attr, peer, rem) {
		if (nla_type(attr) != VPN_A_PEER_ADDRESS)
			continue;
		err = check_address(attr, seen, extack);
		if (err)
			return err;
	}
	return 0;
}

/* Addresses of a list of ours for clients; @whole: no prefixes. */
static int check_list(const struct nlattr *list, unsigned int max, bool whole,
		      struct netlink_ext_ack *extack)
{
	struct vpn_prefix prefix;
	unsigned int count = 0;
	struct nlattr *attr;
	int err, rem;

	if (!list)
		return 0;
	nla_for_each_nested(attr, list, rem) {
		if (nla_type(attr) != VPN_A_LIST_ADDRESS)
			return refuse(extack, attr, "a list has addresses only");
		err = vpn_netlink_read_address(&prefix, attr, extack);
		if (err)
			return err;
		if (whole && prefix.bits != prefix.len * 8)
			return refuse(extack, attr,
				      "a DNS server has an address, not a prefix");
		if (++count > max)
			return refuse(extack, attr,
				      "clients can't be told of so many");
	}
	return 0;
}

static int check_peer(const struct nlattr *peer, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[PEER_ATTRS];
	struct nlattr *attr;
	int err, rem;

	err = parse_peer(tb, peer, extack);
	if (err)
		return err;

	if (!tb[VPN_A_PEER_PUBLIC_KEY])
		return refuse_without(extack, peer, VPN_A_PEER_PUBLIC_KEY,
				      "a peer needs a public key");

	err = check_public_key(tb[VPN_A_PEER_PUBLIC_KEY], extack);
	if (!err)
		err = vpn_netlink_check_text(tb[VPN_A_PEER_NAME], extack);
	if (!err && tb[VPN_A_PEER_CIPHER])
		err = check_cipher(tb[VPN_A_PEER_CIPHER], extack);
	if (!err)
		err = check_credential(tb, peer, extack);
	if (!err)
		err = check_endpoint(tb, peer, extack);
	if (!err)
		err = check_addresses(tb, peer, extack);
	if (!err)
		err = check_list(tb[VPN_A_PEER_PUSH_ROUTES], VPN_ROUTES_MAX,
				 false, extack);
	if (err)
		return err;

	nla_for_each_nested(attr, peer, rem) {
		if (nla_type(attr) != VPN_A_PEER_ALLOWEDIPS)
			continue;
		err = check_allowedip(attr, extack);
		if (err)
			return err;
	}
	return 0;
}

static int check_peers(struct genl_info *info)
{
	struct nlattr *attr;
	int err, rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != VPN_A_DEVICE_PEERS)
			continue;
		err = check_peer(attr, info->extack);
		if (err)
			return err;
	}
	return 0;
}

static int check_offer(struct genl_info *info)
{
	struct nlattr *mtu = info->attrs[VPN_A_DEVICE_PUSH_MTU];
	int err;

	err = vpn_netlink_check_text(info->attrs[VPN_A_DEVICE_HOST_NAME],
				     info->extack);
	if (!err)
		err = check_list(info->attrs[VPN_A_DEVICE_PUSH_DNS],
				 VPN_DNS_MAX, true, info->extack);
	if (!err)
		err = check_list(info->attrs[VPN_A_DEVICE_PUSH_ROUTES],
				 VPN_ROUTES_MAX, false, info->extack);
	if (!err && mtu && nla_get_u16(mtu) &&
	    nla_get_u16(mtu) < VPN_ASSIGNED_MTU_MIN)
		err = refuse(info->extack, mtu,
			     "clients are not told of an MTU below 576");
	return err;
}

/*
 * Carrying a change out
 */

/* check_list() has seen the list. */
static u8 read_list(struct vpn_prefix *to, unsigned int max,
		    const struct nlattr *list)
{
	const struct nlattr *attr;
	unsigned int count = 0;
	int rem;

	nla_for_each_nested(attr, list, rem)
		if (count < max &&
		    !vpn_netlink_read_address(&to[count], attr, NULL))
			count++;
	return count;
}

static void read_offer(struct vpn_offer *offer, struct nlattr **attrs)
{
	struct vpn_assignment *push = &offer->assignment;

	if (attrs[VPN_A_DEVICE_HOST_NAME])
		strscpy(offer->host_name,
			nla_data(attrs[VPN_A_DEVICE_HOST_NAME]),
			sizeof(offer->host_name));
	if (attrs[VPN_A_DEVICE_PUSH_DNS])
		push->dns_count = read_list(push->dns, VPN_DNS_MAX,
					    attrs[VPN_A_DEVICE_PUSH_DNS]);
	if (attrs[VPN_A_DEVICE_PUSH_ROUTES])
		push->route_count = read_list(push->routes, VPN_ROUTES_MAX,
					      attrs[VPN_A_DEVICE_PUSH_ROUTES]);
	if (attrs[VPN_A_DEVICE_PUSH_MTU])
		push->mtu = nla_get_u16(attrs[VPN_A_DEVICE_PUSH_MTU]);
	if (attrs[VPN_A_DEVICE_PUSH_KEEPALIVE])
		push->keepalive =
			nla_get_u16(attrs[VPN_A_DEVICE_PUSH_KEEPALIVE]);
}

static bool changes_offer(struct nlattr **attrs)
{
	return attrs[VPN_A_DEVICE_HOST_NAME] || attrs[VPN_A_DEVICE_PUSH_DNS] ||
	       attrs[VPN_A_DEVICE_PUSH_ROUTES] ||
	       attrs[VPN_A_DEVICE_PUSH_MTU] ||
	       attrs[VPN_A_DEVICE_PUSH_KEEPALIVE];
}

/* What the request does not mention stays as it is. */
static int apply_offer(struct vpn_device *vpn, struct genl_info *info)
{
	struct vpn_offer *offer, *former;

	if (!changes_offer(info->attrs))
		return 0;
	offer = kzalloc_obj(*offer, GFP_KERNEL);
	if (!offer) {
		GENL_SET_ERR_MSG(info, "no memory for what clients are told");
		return -ENOMEM;
	}
	former = rcu_dereference_protected(vpn->offer,
					   lockdep_is_held(&vpn->lock));
	if (former)
		*offer = *former;
	read_offer(offer, info->attrs);
	vpn_device_set_offer(vpn, offer);
	return 0;
}

static int apply_port(struct vpn_device *vpn, const struct nlattr *port,
		      struct netlink_ext_ack *extack)
{
	int err;

	err = vpn_device_set_port(vpn, nla_get_u16(port));
	if (err == -EADDRINUSE)
		NL_SET_ERR_MSG_ATTR(extack, port,
				    "another socket listens on this UDP port");
	else if (err)
		NL_SET_ERR_MSG_ATTR(extack, port,
				    "the UDP port can't be opened");
	return err;
}

static int apply_endpoint(struct vpn_peer *peer, struct nlattr **tb)
{
	union vpn_sockaddr address = {};

	if (tb[VPN_A_PEER_ENDPOINT_IPV4]) {
		address.in.sin_family = AF_INET;
		address.in.sin_port = nla_get_be16(tb[VPN_A_PEER_ENDPOINT_PORT]);
		address.in.sin_addr.s_addr =
			nla_get_in_addr(tb[VPN_A_PEER_ENDPOINT_IPV4]);
		return vpn_endpoint_set(peer, &address);
	}

	if (tb[VPN_A_PEER_ENDPOINT_IPV6]) {
		address.in6.sin6_family = AF_INET6;
		address.in6.sin6_port = nla_get_be16(tb[VPN_A_PEER_ENDPOINT_PORT]);
		address.in6.sin6_addr =
			nla_get_in6_addr(tb[VPN_A_PEER_ENDPOINT_IPV6]);
		if (tb[VPN_A_PEER_ENDPOINT_SCOPE_ID])
			address.in6.sin6_scope_id =
				nla_get_u32(tb[VPN_A_PEER_ENDPOINT_SCOPE_ID]);
		return vpn_endpoint_set(peer, &address);
	}

	return 0;
}

static int apply_ipv4(struct vpn_peer *peer, const struct in_addr *ip,
		      u8 prefix_len, bool remove)
{
	struct vpn_device *vpn = peer->vpn;

	if (remove)
		return vpn_allowedips_remove4(&vpn->allowedips, ip, prefix_len,
					      peer, &vpn->lock);
	return vpn_allowedips_insert4(&vpn->allowedips, ip, prefix_len, peer,
				      &vpn->lock);
}

static int apply_ipv6(struct vpn_peer *peer, const struct in6_addr *ip,
		      u8 prefix_len, bool remove)
{
	struct vpn_device *vpn = peer->vpn;

	if (remove)
		return vpn_allowedips_remove6(&vpn->allowedips, ip, prefix_len,
					      peer, &vpn->lock);
	return vpn_allowedips_insert6(&vpn->allowedips, ip, prefix_len, peer,
				      &vpn->lock);
}

static int apply_allowedip(struct vpn_peer *peer, const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ALLOWEDIP_ATTRS];
	bool remove;
	u8 len;
	int err;

	err = parse_allowedip(tb, attr, extack);
	if (err)
		return err;

	len = nla_get_u8(tb[VPN_A_ALLOWEDIP_PREFIX_LEN]);
	remove = flags_of(tb[VPN_A_ALLOWEDIP_FLAGS]) &
		 VPN_ALLOWEDIP_FLAGS_REMOVE;
	if (nla_get_u16(tb[VPN_A_ALLOWEDIP_FAMILY]) == AF_INET)
		err = apply_ipv4(peer, nla_data(tb[VPN_A_ALLOWEDIP_IPADDR]),
				 len, remove);
	else
		err = apply_ipv6(peer, nla_data(tb[VPN_A_ALLOWEDIP_IPADDR]),
				 len, remove);
	if (err)
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "no memory for the allowed IP");
	return err;
}

/* Whether an entry would take a leased address from whoever has the lease. */
static bool takes_lease(struct vpn_peer *peer, struct nlattr **tb)
{
	struct nlattr *ip = tb[VPN_A_ALLOWEDIP_IPADDR];
	struct vpn_prefix address = {
		.len = nla_len(ip),
		.bits = nla_get_u8(tb[VPN_A_ALLOWEDIP_PREFIX_LEN]),
	};
	const u8 *holder;

	/* A shorter prefix leaves longer ones to those who have them. */
	if (address.bits != address.len * 8 ||
	    flags_of(tb[VPN_A_ALLOWEDIP_FLAGS]) & VPN_ALLOWEDIP_FLAGS_REMOVE)
		return false;

	memcpy(address.ip, nla_data(ip), address.len);
	holder = vpn_lease_holder(peer->vpn, &address);
	return holder && memcmp(holder, peer->handshake.remote_static,
				VPN_KEY_LEN);
}

static int check_leased(struct vpn_peer *peer, const struct nlattr *nest,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ALLOWEDIP_ATTRS], *attr;
	int err, rem;

	if (!vpn_pools_any(peer->vpn))
		return 0;

	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != VPN_A_PEER_ALLOWEDIPS)
			continue;
		err = parse_allowedip(tb, attr, extack);
		if (err)
			return err;
		if (takes_lease(peer, tb)) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "this address is leased to another key; release that lease first");
			return -EADDRINUSE;
		}
	}
	return 0;
}

static int apply_allowedips(struct vpn_peer *peer, const struct nlattr *nest,
			    bool replace, struct netlink_ext_ack *extack)
{
	struct vpn_device *vpn = peer->vpn;
	struct nlattr *attr;
	int err, rem;

	if (replace)
		vpn_allowedips_remove_peer(&vpn->allowedips, peer, &vpn->lock);

	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != VPN_A_PEER_ALLOWEDIPS)
			continue;
		err = apply_allowedip(peer, attr, extack);
		if (err)
			return err;
	}

	/* What is leased stays, whatever was removed. */
	err = vpn_lease_keep(peer);
	if (err)
		NL_SET_ERR_MSG_ATTR(extack, nest, "no memory for the allowed IP");
	return err;
}

/* The addresses of a peer's entry; check_addresses() has seen them. */
static unsigned int read_wanted(struct vpn_prefix wanted[2],
				const struct nlattr *nest)
{
	const struct nlattr *attr;
	unsigned int count = 0;
	int rem;

	nla_for_each_nested(attr, nest, rem)
		if (nla_type(attr) == VPN_A_PEER_ADDRESS && count < 2 &&
		    !vpn_netlink_read_address(&wanted[count], attr, NULL))
			count++;
	return count;
}

static u8 resolve_mode(const struct vpn_device *vpn, u32 mode)
{
	if (mode != VPN_ADDRESS_MODE_AUTO)
		return mode;
	return vpn_pools_any(vpn) ? VPN_ADDRESS_MODE_LEASE :
				    VPN_ADDRESS_MODE_REQUEST;
}

/* Where the peer's address comes from. Nothing is changed if that fails. */
static int apply_address_mode(struct vpn_peer *peer, const struct nlattr *nest,
			      struct nlattr **tb,
			      struct netlink_ext_ack *extack)
{
	struct nlattr *attr = tb[VPN_A_PEER_ADDRESS_MODE];
	struct vpn_prefix wanted[2] = {};
	unsigned int count;
	int err;
	u8 mode;

	if (!attr)
		return 0;

	mode = resolve_mode(peer->vpn, nla_get_u32(attr));
	count = read_wanted(wanted, nest);
	if (mode == VPN_ADDRESS_MODE_LEASE) {
		err = vpn_lease_bind(peer, wanted, count, extack);
		if (err) {
			NL_SET_BAD_ATTR(extack, tb[VPN_A_PEER_ADDRESS] ?: attr);
			return err;
		}
	} else {
		vpn_lease_unbind(peer);
	}
	vpn_peer_set_address_mode(peer, mode, wanted, count);
	return 0;
}

static unsigned int list_length(const struct nlattr *list)
{
	const struct nlattr *attr;
	unsigned int count = 0;
	int rem;

	nla_for_each_nested(attr, list, rem)
		count++;
	return count;
}

/* Routes of the peer's own, or the device's again; else as they are. */
static int apply_routes(struct vpn_peer *peer, struct nlattr **tb)
{
	struct nlattr *list = tb[VPN_A_PEER_PUSH_ROUTES];
	struct vpn_routes *routes = NULL;
	unsigned int count;

	if (list) {
		count = list_length(list);
		routes = kzalloc(struct_size(routes, list, count),
				 GFP_KERNEL_ACCOUNT);
		if (!routes)
			return -ENOMEM;
		routes->count = read_list(routes->list, count, list);
	} else if (!(flags_of(tb[VPN_A_PEER_FLAGS]) &
		     VPN_PEER_FLAGS_RESET_PUSH_ROUTES)) {
		return 0;
	}
	vpn_terms_set_routes(peer, routes);
	return 0;
}

static int apply_terms(struct vpn_peer *peer, struct nlattr **tb)
{
	struct nlattr *credential = tb[VPN_A_PEER_CREDENTIAL];
	struct nlattr *kind = tb[VPN_A_PEER_CREDENTIAL_KIND];

	if (tb[VPN_A_PEER_CIPHER])
		WRITE_ONCE(peer->terms.cipher,
			   nla_get_u32(tb[VPN_A_PEER_CIPHER]));
	if (tb[VPN_A_PEER_EXPIRES])
		vpn_timers_set_expires(peer,
				       nla_get_u64(tb[VPN_A_PEER_EXPIRES]));
	if (!credential)
		return 0;
	return vpn_terms_set_credential(peer, kind ? nla_get_u32(kind) : 0,
					nla_data(credential),
					nla_len(credential));
}

/* Everything that is set of a peer but its keepalive, which may send. */
static int apply_settings(struct vpn_peer *peer, const struct nlattr *nest,
			  struct nlattr **tb, struct netlink_ext_ack *extack)
{
	bool replace = flags_of(tb[VPN_A_PEER_FLAGS]) &
		       VPN_PEER_FLAGS_REPLACE_ALLOWEDIPS;
	int err;

	err = check_leased(peer, nest, extack);
	if (!err)
		err = apply_address_mode(peer, nest, tb, extack);
	if (err)
		return err;

	if (tb[VPN_A_PEER_PRESHARED_KEY])
		vpn_handshake_set_preshared_key(peer,
						nla_data(tb[VPN_A_PEER_PRESHARED_KEY]));
	if (tb[VPN_A_PEER_NAME])
		err = vpn_peer_set_name(peer, nla_data(tb[VPN_A_PEER_NAME]));
	if (!err)
		err = apply_endpoint(peer, tb);
	if (!err)
		err = apply_terms(peer, tb);
	if (!err)
		err = apply_routes(peer, tb);
	if (err) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "no memory for the peer");
		return err;
	}

	return apply_allowedips(peer, nest, replace, extack);
}

static struct vpn_peer *create_peer(struct vpn_device *vpn,
				    const struct nlattr *key,
				    struct netlink_ext_ack *extack)
{
	struct vpn_peer *peer;

	peer = vpn_peer_create(vpn, nla_data(key));
	switch (PTR_ERR_OR_ZERO(peer)) {
	case 0:
		break;
	case -EADDRNOTAVAIL:
		/*
		 * Whoever gives all hosts one list of peers means the others.
		 * Without an error, the words are a warning.
		 */
		NL_SET_ERR_MSG_ATTR(extack, key,
				    "ignored the peer that has the device's own key");
		break;
	case -EMFILE:
		NL_SET_ERR_MSG_ATTR(extack, key, "the device has too many peers");
		break;
	default:
		NL_SET_ERR_MSG_ATTR(extack, key, "no memory for the peer");
	}
	return peer;
}

static struct vpn_peer *lookup_peer(struct vpn_device *vpn, const u8 *key)
{
	struct vpn_peer *peer = vpn_peer_find(vpn, key);

	vpn_peer_put(peer);	/* the device's lock keeps it */
	return peer;
}

static int change_peer(struct vpn_peer *peer, const struct nlattr *nest,
		       struct nlattr **tb, struct netlink_ext_ack *extack)
{
	struct nlattr *keepalive = tb[VPN_A_PEER_PERSISTENT_KEEPALIVE];
	int err;

	err = apply_settings(peer, nest, tb, extack);
	if (err)
		return err;

	if (keepalive)
		vpn_timers_set_persistent_keepalive(peer, nla_get_u16(keepalive));
	if (tb[VPN_A_PEER_ADDRESS_MODE] || tb[VPN_A_PEER_CREDENTIAL] ||
	    tb[VPN_A_PEER_CIPHER])
		vpn_timers_request(peer);
	if (netif_running(peer->vpn->dev))
		vpn_tx_staged(peer);
	return 0;
}

static int add_peer(struct vpn_device *vpn, const struct nlattr *nest,
		    struct nlattr **tb, struct netlink_ext_ack *extack)
{
	struct vpn_peer *peer;
	int err;

	peer = create_peer(vpn, tb[VPN_A_PEER_PUBLIC_KEY], extack);
	if (IS_ERR(peer))
		return PTR_ERR(peer) == -EADDRNOTAVAIL ? 0 : PTR_ERR(peer);

	/* It was there for a moment, and its removal is told, too. */
	err = change_peer(peer, nest, tb, extack);
	vpn_event_peer_added(peer);
	if (err)
		vpn_peer_remove(peer);
	else
		vpn_lobby_admit(peer);
	return err;
}

/*
 * Those that are to be removed wait on @gone, so that all wait for one grace
 * period, but no longer than until something else is done: whoever is told of
 * it is told in that order.
 */
static int apply_peer(struct vpn_device *vpn, const struct nlattr *nest,
		      struct list_head *gone, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[PEER_ATTRS];
	struct vpn_peer *peer;
	u32 flags;
	int err;

	err = parse_peer(tb, nest, extack);
	if (err)
		return err;

	flags = flags_of(tb[VPN_A_PEER_FLAGS]);
	peer = lookup_peer(vpn, nla_data(tb[VPN_A_PEER_PUBLIC_KEY]));
	if (!peer && flags & (VPN_PEER_FLAGS_REMOVE | VPN_PEER_FLAGS_UPDATE_ONLY))
		return 0;
	if (flags & VPN_PEER_FLAGS_REMOVE) {
		vpn_peer_take_out(peer, gone);
		return 0;
	}

	vpn_peer_remove_those(vpn, gone);
	if (!peer)
		return add_peer(vpn, nest, tb, extack);

	err = change_peer(peer, nest, tb, extack);
	vpn_event_peer_changed(peer);
	return err;
}

static int apply_peers(struct vpn_device *vpn, struct genl_info *info)
{
	struct nlattr *attr;
	LIST_HEAD(gone);
	int err = 0, rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != VPN_A_DEVICE_PEERS)
			continue;
		err = apply_peer(vpn, attr, &gone, info->extack);
		if (err)
			break;
	}
	vpn_peer_remove_those(vpn, &gone);
	return err;
}

/* The port comes first: of what can fail for good, only it has side effects. */
static int apply(struct vpn_device *vpn, struct genl_info *info)
{
	struct nlattr *key = info->attrs[VPN_A_DEVICE_PRIVATE_KEY];
	struct nlattr *port = info->attrs[VPN_A_DEVICE_LISTEN_PORT];
	struct nlattr *fwmark = info->attrs[VPN_A_DEVICE_FWMARK];
	struct nlattr *max_peers = info->attrs[VPN_A_DEVICE_MAX_PEERS];
	int err;

	vpn->generation++;
	if (port) {
		err = apply_port(vpn, port, info->extack);
		if (err)
			return err;
	}
	if (fwmark)
		vpn_device_set_fwmark(vpn, nla_get_u32(fwmark));
	/* Before the key, with which every peer left costs a computation. */
	if (flags_of(info->attrs[VPN_A_DEVICE_FLAGS]) &
	    VPN_DEVICE_FLAGS_REPLACE_PEERS)
		vpn_peer_remove_all(vpn);
	if (key)
		vpn_device_set_private_key(vpn, nla_data(key));
	if (max_peers)
		WRITE_ONCE(vpn->max_peers, nla_get_u32(max_peers));
	err = apply_offer(vpn, info);
	if (port || fwmark || key || max_peers || changes_offer(info->attrs))
		vpn_event_device_changed(vpn);

	return err ?: apply_peers(vpn, info);
}

/* The request's memory lives on in the allocator: leave no keys there. */
static void wipe_keys(struct genl_info *info)
{
	struct nlattr *key = info->attrs[VPN_A_DEVICE_PRIVATE_KEY];
	struct nlattr *peer, *attr;
	int rem, peer_rem;

	if (key)
		memzero_explicit(nla_data(key), nla_len(key));

	nlmsg_for_each_attr(peer, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(peer) != VPN_A_DEVICE_PEERS)
			continue;
		nla_for_each_nested(attr, peer, peer_rem)
			if (nla_type(attr) == VPN_A_PEER_PRESHARED_KEY ||
			    nla_type(attr) == VPN_A_PEER_CREDENTIAL)
				memzero_explicit(nla_data(attr), nla_len(attr));
	}
}

bool vpn_netlink_still_there(const struct net_device *dev, const struct net *net)
{
	return dev->reg_state == NETREG_REGISTERED && net_eq(dev_net(dev), net);
}

/*
 * Where a device was moved to, its administrator may be somebody who has no say
 * where its sockets are: port and mark are to those who have.
 */
static int check_outside(const struct vpn_device *vpn, struct sk_buff *skb,
			 struct genl_info *info)
{
	const struct net *net = rtnl_dereference(vpn->birth_net);
	const struct nlattr *attr = info->attrs[VPN_A_DEVICE_LISTEN_PORT] ?:
				    info->attrs[VPN_A_DEVICE_FWMARK];

	if (!attr || !net ||
	    netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "port and mark are of the namespace that the device comes from; set them there");
	return -EPERM;
}

int vpn_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct net_device *dev = vpn_netlink_device(info);
	struct vpn_device *vpn = netdev_priv(dev);
	int err;

	err = check_offer(info);
	if (!err)
		err = check_peers(info);
	if (err)
		goto out;

	rtnl_lock();
	if (vpn_netlink_still_there(dev, genl_info_net(info))) {
		mutex_lock(&vpn->lock);
		err = check_outside(vpn, skb, info) ?: apply(vpn, info);
		mutex_unlock(&vpn->lock);
	} else {
		GENL_SET_ERR_MSG(info, "the device has just been removed");
		err = -ENODEV;
	}
	rtnl_unlock();
out:
	wipe_keys(info);
	return err;
}

/* The specification can't say who may listen. */
static const struct genl_multicast_group groups[] = {
	[VPN_NLGRP_EVENTS] = vpn_compat_admin_group(VPN_MCGRP_EVENTS),
	[VPN_NLGRP_AUTH] = vpn_compat_admin_group(VPN_MCGRP_AUTH),
};

int __init vpn_netlink_init(void)
{
	vpn_nl_family.mcgrps = groups;
	vpn_nl_family.n_mcgrps = ARRAY_SIZE(groups);
	return genl_register_family(&vpn_nl_family);
}

void vpn_netlink_uninit(void)
{
	genl_unregister_family(&vpn_nl_family);
}
