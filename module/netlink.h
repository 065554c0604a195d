/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_NETLINK_H
#define VPN_NETLINK_H

#include <linux/netdevice.h>
#include <linux/netlink.h>

#include "prefix.h"

struct genl_info;
struct vpn_device;
struct vpn_peer;

/* Refuse an attribute, in words. */
#define refuse(extack, attr, words) ({					\
	NL_SET_ERR_MSG_ATTR(extack, attr, words);			\
	-EINVAL;							\
})

/* Refuse what lacks an attribute, in words. */
#define refuse_without(extack, nest, type, words) ({			\
	struct netlink_ext_ack *_extack = (extack);			\
									\
	NL_SET_ERR_MSG(_extack, words);					\
	NL_SET_ERR_ATTR_MISS(_extack, nest, type);			\
	-EINVAL;							\
})

int vpn_netlink_init(void);
void vpn_netlink_uninit(void);

/**
 * vpn_netlink_hold_device() - find the device that a request names
 * @net: the requester's namespace
 * @attrs: the request's attributes
 * @tracker: of the reference that the device is returned with
 * @extack: says why there is none
 *
 * Context: process.
 * Return: a device of this driver, or ERR_PTR(): -EINVAL without a name,
 * -ENODEV, -EOPNOTSUPP for a device of another kind.
 */
struct net_device *vpn_netlink_hold_device(struct net *net,
					   struct nlattr **attrs,
					   netdevice_tracker *tracker,
					   struct netlink_ext_ack *extack);

/**
 * vpn_netlink_still_there() - tell whether a device is still where it was found
 * @dev: a device that the caller holds
 * @net: the namespace
 *
 * Context: any.
 * Return: whether it is; with RTNL held, that stays so.
 */
bool vpn_netlink_still_there(const struct net_device *dev,
			     const struct net *net);

/**
 * vpn_netlink_say_prefix() - refuse with words about a prefix
 * @extack: where to say it; may be NULL
 * @words: a literal, at most 30 characters; old kernels show these alone
 * @prefix: told behind the words
 */
void vpn_netlink_say_prefix(struct netlink_ext_ack *extack, const char *words,
			    const struct vpn_prefix *prefix);

/**
 * vpn_netlink_device() - tell which device a command is about
 * @info: of a command for which vpn_nl_pre_doit() ran
 *
 * Return: the device, held until the command is done.
 */
struct net_device *vpn_netlink_device(struct genl_info *info);

/**
 * vpn_netlink_read_address() - read a nest of address attributes
 * @prefix: filled; octets that the address does not have are zero
 * @attr: the nest
 * @extack: says what is wrong with it
 *
 * Context: process.
 * Return: 0 or a negative error.
 */
int vpn_netlink_read_address(struct vpn_prefix *prefix,
			     const struct nlattr *attr,
			     struct netlink_ext_ack *extack);

/**
 * vpn_netlink_put_address() - append a nest of address attributes
 * @skb: message
 * @type: of the nest
 * @prefix: the address, and the length of its prefix
 *
 * Return: 0 or -EMSGSIZE.
 */
int vpn_netlink_put_address(struct sk_buff *skb, int type,
			    const struct vpn_prefix *prefix);

/**
 * vpn_netlink_put_peer() - append what a peer is and does, without its secrets
 * @skb: message, within a nest of peer attributes
 * @peer: the peer
 *
 * The public key, the endpoint, the keepalive interval, and the counters; not
 * the name, which takes a lock to read.
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE.
 */
int vpn_netlink_put_peer(struct sk_buff *skb, struct vpn_peer *peer);

/**
 * struct vpn_dump - what every dump of a device remembers between two messages
 * @dev: of the first message; compared, never followed
 * @ifindex: names the device
 * @finished: everything is written
 *
 * The first member of whatever else a dump remembers.
 */
struct vpn_dump {
	const void *dev;
	int ifindex;
	bool finished;
};

/**
 * vpn_dump_start() - begin a dump
 * @cb: of the dump's start()
 * @dump: zeroed memory of kzalloc(), or NULL if there was none; taken over
 *
 * Return: 0 or a negative error.
 */
int vpn_dump_start(struct netlink_callback *cb, struct vpn_dump *dump);

/**
 * vpn_dump_next() - write a message of a dump
 * @skb: of the dump's dumpit()
 * @cb: the same
 * @put: writes the message with the device's lock held, returns its length or
 *	-EMSGSIZE
 *
 * Return: what dumpit() returns.
 */
int vpn_dump_next(struct sk_buff *skb, struct netlink_callback *cb,
		  int (*put)(struct sk_buff *skb, struct netlink_callback *cb,
			     struct vpn_device *vpn, struct vpn_dump *dump));
int vpn_dump_done(struct netlink_callback *cb);

/**
 * vpn_dump_begin() - begin a message of a dump
 * @skb: the message
 * @cb: of the dump
 * @vpn: the device
 * @cmd: of the dump
 * @generation: changes with what is dumped
 *
 * Return: the message's header, or NULL if there is no room.
 */
void *vpn_dump_begin(struct sk_buff *skb, struct netlink_callback *cb,
		     struct vpn_device *vpn, u8 cmd, u32 generation);

/**
 * vpn_netlink_put_state() - append what a peer has said and been told
 * @skb: message, within a nest of peer attributes
 * @peer: the peer
 *
 * Assignment, refusal, goodbye, names, round-trip time.
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE.
 */
int vpn_netlink_put_state(struct sk_buff *skb, struct vpn_peer *peer);

/**
 * vpn_netlink_check_text() - refuse what would upset a terminal or a log
 * @text: string attribute, or NULL
 * @extack: says what is wrong with it
 *
 * Return: 0 or -EINVAL.
 */
int vpn_netlink_check_text(const struct nlattr *text,
			   struct netlink_ext_ack *extack);

#endif
