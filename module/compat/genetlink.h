/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink. The generated source (netlink-gen.c) is written for
 * operations split in do and dump (Linux 6.2); before, they are made from
 * struct genl_ops when the family is registered.
 */
#ifndef VPN_COMPAT_GENETLINK_H
#define VPN_COMPAT_GENETLINK_H

#include <linux/version.h>
#include <net/genetlink.h>

/* 6.13 */
#ifndef NLA_POLICY_MAX_LEN
#define NLA_POLICY_MAX_LEN(_len)	NLA_POLICY_MAX(NLA_BINARY, _len)
#endif

/*
 * A multicast group for administrators only. Without the flag (before 6.7 and
 * its backport to 6.1.68) everybody in the namespace can listen.
 */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define vpn_compat_admin_group(_name) \
	{ .name = (_name), .flags = GENL_MCAST_CAP_NET_ADMIN }
#else
#define vpn_compat_admin_group(_name) \
	{ .name = (_name) }
#endif

/* 6.2: words with a value behind them. */
#ifdef NL_SET_ERR_MSG_FMT
#define vpn_extack_value(_extack, _words, _format, ...) \
	NL_SET_ERR_MSG_FMT(_extack, "%s" _format, _words, ##__VA_ARGS__)
#else
static inline void vpn_compat_extack(struct netlink_ext_ack *extack,
				     const char *words)
{
	if (extack)
		extack->_msg = words;
}

#define vpn_extack_value(_extack, _words, _format, ...) \
	vpn_compat_extack(_extack, _words)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline int nla_put_uint(struct sk_buff *skb, int type, u64 value)
{
	u32 narrow = value;

	if (narrow == value)
		return nla_put_u32(skb, type, narrow);
	return nla_put(skb, type, sizeof(value), &value);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* Of the result only ->attrs is the same. */
#define genl_info_dump(cb)	genl_dumpit_info(cb)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

#define VPN_COMPAT_GENL_OPS	16

struct genl_split_ops {
	union {
		struct {
			int (*pre_doit)(const struct genl_split_ops *ops,
					struct sk_buff *skb,
					struct genl_info *info);
			int (*doit)(struct sk_buff *skb,
				    struct genl_info *info);
			void (*post_doit)(const struct genl_split_ops *ops,
					  struct sk_buff *skb,
					  struct genl_info *info);
		};
		struct {
			int (*start)(struct netlink_callback *cb);
			int (*dumpit)(struct sk_buff *skb,
				      struct netlink_callback *cb);
			int (*done)(struct netlink_callback *cb);
		};
	};
	const struct nla_policy *policy;
	unsigned int maxattr;
	u8 cmd;
	u8 internal_flags;
	u8 flags;
	u8 validate;
};

/* What sources take for struct genl_family, and the one that the kernel sees. */
struct vpn_compat_genl_family {
	char name[GENL_NAMSIZ];
	unsigned int version;
	u8 netnsok:1;
	u8 parallel_ops:1;
	u8 n_split_ops;
	u8 n_mcgrps;
	const struct genl_split_ops *split_ops;
	const struct genl_multicast_group *mcgrps;
	struct module *module;
	struct genl_ops ops[VPN_COMPAT_GENL_OPS];
	struct genl_family real;
};

/*
 * The callbacks aren't told their family. A module has one, and registers it
 * in the source file that alone uses this.
 */
static struct vpn_compat_genl_family *vpn_compat_genl __maybe_unused;

static inline const struct genl_split_ops *vpn_compat_split_op(u8 cmd)
{
	const struct genl_split_ops *op = vpn_compat_genl->split_ops;

	for (; op < vpn_compat_genl->split_ops + vpn_compat_genl->n_split_ops; op++)
		if (op->cmd == cmd && op->flags & GENL_CMD_CAP_DO)
			return op;
	return NULL;
}

static inline int vpn_compat_pre_doit(const struct genl_ops *ops,
				      struct sk_buff *skb,
				      struct genl_info *info)
{
	const struct genl_split_ops *op = vpn_compat_split_op(ops->cmd);

	return op && op->pre_doit ? op->pre_doit(op, skb, info) : 0;
}

static inline void vpn_compat_post_doit(const struct genl_ops *ops,
					struct sk_buff *skb,
					struct genl_info *info)
{
	const struct genl_split_ops *op = vpn_compat_split_op(ops->cmd);

	if (op && op->post_doit)
		op->post_doit(op, skb, info);
}

static inline struct genl_ops vpn_compat_op(const struct genl_split_ops *split)
{
	struct genl_ops op = {
		.policy = split->policy,
		.maxattr = split->maxattr,
		.cmd = split->cmd,
		.internal_flags = split->internal_flags,
		.flags = split->flags & ~(GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP),
		.validate = split->validate,
	};

	if (split->flags & GENL_CMD_CAP_DO) {
		op.doit = split->doit;
	} else {
		op.start = split->start;
		op.dumpit = split->dumpit;
		op.done = split->done;
	}
	return op;
}

/* A command with both do and dump would register twice, which is refused. */
static inline int vpn_compat_register(struct vpn_compat_genl_family *family)
{
	struct genl_family *real = &family->real;
	unsigned int i;

	if (WARN_ON(family->n_split_ops > ARRAY_SIZE(family->ops)))
		return -EINVAL;

	for (i = 0; i < family->n_split_ops; i++)
		family->ops[i] = vpn_compat_op(&family->split_ops[i]);

	strscpy(real->name, family->name, sizeof(real->name));
	real->version = family->version;
	real->netnsok = family->netnsok;
	real->parallel_ops = family->parallel_ops;
	real->module = family->module;
	real->mcgrps = family->mcgrps;
	real->n_mcgrps = family->n_mcgrps;
	real->ops = family->ops;
	real->n_ops = family->n_split_ops;
	real->pre_doit = vpn_compat_pre_doit;
	real->post_doit = vpn_compat_post_doit;
	vpn_compat_genl = family;
	return genl_register_family(real);
}

#define genl_family			vpn_compat_genl_family
#define genl_register_family(family)	vpn_compat_register(family)
#define genl_unregister_family(family)	genl_unregister_family(&(family)->real)
#define genlmsg_put(skb, portid, seq, family, flags, cmd) \
	genlmsg_put(skb, portid, seq, &(family)->real, flags, cmd)
#define genlmsg_multicast_netns(family, net, skb, portid, group, flags) \
	genlmsg_multicast_netns(&(family)->real, net, skb, portid, group, flags)
#define genl_has_listeners(family, net, group) \
	genl_has_listeners(&(family)->real, net, group)
#define genl_set_err(family, net, portid, group, code) \
	genl_set_err(&(family)->real, net, portid, group, code)

#endif
#endif
