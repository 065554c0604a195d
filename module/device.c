// SPDX-License-Identifier: GPL-2.0
/*
 * The net_device of kind "vpn": creation and removal, up and down, settings,
 * and what happens to it when a namespace ends, the machine sleeps, or a copy
 * of the machine wakes.
 */

#include <linux/ethtool.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/suspend.h>
#include <linux/random.h>
#include <net/addrconf.h>
#include <net/ip_tunnels.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>

#include "control.h"
#include "device.h"
#include "gather.h"
#include "handshake.h"
#include "limit.h"
#include "noise.h"
#include "peer.h"
#include "pool.h"
#include "rx.h"
#include "socket.h"
#include "stats.h"
#include "timer.h"
#include "tx.h"

/* IPv6, UDP and ours around the inner packet. */
#define OVERHEAD (sizeof(struct ipv6hdr) + sizeof(struct udphdr) + \
		  VPN_DATA_OVERHEAD)

/* What vpn_tx_xmit() can take as one train; the stack cuts the rest. */
#define FEATURES (NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_SG | \
		  NETIF_F_FRAGLIST | NETIF_F_HIGHDMA | NETIF_F_GSO | \
		  NETIF_F_ALL_TSO | NETIF_F_GSO_UDP_L4)

static LIST_HEAD(devices);	/* under RTNL */

static void end_all_sessions(struct vpn_device *vpn)
{
	struct vpn_peer *peer;

	lockdep_assert_held(&vpn->lock);

	list_for_each_entry(peer, &vpn->peers, list) {
		vpn_peer_end_sessions(peer);
		atomic64_set(&peer->last_initiation, 0);
	}
}

/*
 * A redirect tells the sender of a way around the tunnel; and the address of
 * an interface is no part of a peer's identity, so none is made up.
 */
static void configure_inet(struct net_device *dev)
{
	struct in_device *in4 = __in_dev_get_rtnl(dev);
	struct inet6_dev *in6 = __in6_dev_get(dev);

	if (in4) {
		IN_DEV_CONF_SET(in4, SEND_REDIRECTS, false);
		IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
	}
	if (in6)
		in6->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
}

static int vpn_open(struct net_device *dev)
{
	struct vpn_device *vpn = netdev_priv(dev);
	struct vpn_peer *peer;
	int err;

	/* Here, not at creation: a device that was moved is configured anew. */
	configure_inet(dev);

	mutex_lock(&vpn->lock);
	vpn_rx_enable(vpn);
	err = vpn_socket_open(vpn, vpn->listen_port);
	if (err) {
		vpn_rx_disable(vpn);
		goto out;
	}
	list_for_each_entry(peer, &vpn->peers, list) {
		vpn_timers_start(peer);
		vpn_tx_staged(peer);
	}
out:
	mutex_unlock(&vpn->lock);
	return err;
}

static int vpn_stop(struct net_device *dev)
{
	struct vpn_device *vpn = netdev_priv(dev);
	struct vpn_peer *peer;

	mutex_lock(&vpn->lock);
	list_for_each_entry(peer, &vpn->peers, list) {
		vpn_control_disconnect(peer, VPN_DISCONNECT_REASON_LINK_DOWN);
		vpn_timers_disable(peer);
	}
	vpn_socket_close(vpn);
	vpn_rx_disable(vpn);
	synchronize_net();
	vpn_gather_drop(vpn, false);
	skb_queue_purge(&vpn->handshakes);
	list_for_each_entry(peer, &vpn->peers, list)
		vpn_timers_stop(peer);
	/* What is at work on a handshake could begin one more session. */
	flush_workqueue(vpn->wq);
	vpn_lobby_clear(vpn);
	end_all_sessions(vpn);
	mutex_unlock(&vpn->lock);
	return 0;
}

/*
 * Hold nothing of the namespace of birth any more: neither its sockets nor
 * routes, whose last reference counts in memory of the namespace.
 */
static void leave_birth_net(struct vpn_device *vpn)
{
	struct vpn_peer *peer;

	ASSERT_RTNL();

	mutex_lock(&vpn->lock);
	RCU_INIT_POINTER(vpn->birth_net, NULL);
	vpn_socket_close(vpn);
	/* A handshake or a batch at work may hold a peer that is gone already. */
	flush_workqueue(vpn->wq);
	vpn_session_settle(vpn);
	list_for_each_entry(peer, &vpn->peers, list)
		vpn_endpoint_forget_routes(peer);
	mutex_unlock(&vpn->lock);
}

/*
 * Under RTNL, before the core waits for the last reference: from here on no
 * event of a namespace or of the machine finds the device.
 */
static void vpn_uninit(struct net_device *dev)
{
	struct vpn_device *vpn = netdev_priv(dev);

	leave_birth_net(vpn);
	list_del_init(&vpn->list);
}

static const struct net_device_ops device_ops = {
	.ndo_uninit = vpn_uninit,
	.ndo_open = vpn_open,
	.ndo_stop = vpn_stop,
	.ndo_start_xmit = vpn_tx_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

static const struct device_type device_type = { .name = "vpn" };

static void get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->version, VPN_VERSION, sizeof(info->version));
}

static void get_strings(struct net_device *dev, u32 set, u8 *data)
{
	if (set == ETH_SS_STATS)
		memcpy(data, vpn_stats_names, sizeof(vpn_stats_names));
}

static int get_sset_count(struct net_device *dev, int set)
{
	return set == ETH_SS_STATS ? VPN_STAT_COUNT : -EOPNOTSUPP;
}

static void get_ethtool_stats(struct net_device *dev,
			      struct ethtool_stats *stats, u64 *values)
{
	vpn_stats_read(netdev_priv(dev), values);
}

static const struct ethtool_ops ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_strings = get_strings,
	.get_sset_count = get_sset_count,
	.get_ethtool_stats = get_ethtool_stats,
};

/* Runs after the last user of the device is gone. */
static void vpn_destruct(struct net_device *dev)
{
	struct vpn_device *vpn = netdev_priv(dev);

	vpn_lobby_close(vpn);
	mutex_lock(&vpn->lock);
	vpn_peer_remove_all(vpn);
	vpn_allowedips_free(&vpn->allowedips, &vpn->lock);
	mutex_unlock(&vpn->lock);

	destroy_workqueue(vpn->wq);
	vpn_pools_free(vpn);
	skb_queue_purge(&vpn->handshakes);
	vpn_session_settle(vpn);
	vpn_rx_teardown(vpn);
	vpn_gather_teardown(vpn);
	/* Sessions that ended withdraw their index before a grace period. */
	rcu_barrier();
	vpn_limits_free(vpn->limits);
	vpn_peer_tables_destroy(vpn);
	free_percpu(vpn->handshake_work);
	free_percpu(vpn->stats);
	free_percpu(dev->tstats);
	kfree(rcu_dereference_protected(vpn->offer, true));
	memzero_explicit(&vpn->identity, sizeof(vpn->identity));
	memzero_explicit(&vpn->cookie, sizeof(vpn->cookie));
	free_netdev(dev);
}

static void vpn_setup(struct net_device *dev)
{
	struct vpn_device *vpn = netdev_priv(dev);

	memset(vpn, 0, sizeof(*vpn));
	vpn->dev = dev;

	dev->netdev_ops = &device_ops;
	dev->ethtool_ops = &ethtool_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->addr_len = 0;
	dev->hard_header_len = 0;
	dev->needed_headroom = 0;
	dev->needed_tailroom = VPN_PADDING + VPN_TAG_LEN;
	dev->tx_queue_len = 0;
	dev->features |= FEATURES;
	dev->hw_features |= FEATURES;
	dev->hw_enc_features |= FEATURES;
	vpn_netdev_set_lltx(dev);
	netif_keep_dst(dev);
	SET_NETDEV_DEVTYPE(dev, &device_type);

	dev->mtu = ETH_DATA_LEN - OVERHEAD;
	dev->min_mtu = 0;
	dev->max_mtu = IP_MAX_MTU - OVERHEAD;
}

static int setup_workers(struct vpn_device *vpn)
{
	int cpu;

	vpn->wq = alloc_workqueue("vpn-%s", WQ_FREEZABLE | WQ_CPU_INTENSIVE |
				  WQ_PERCPU, 0, vpn->dev->name);
	if (!vpn->wq)
		return -ENOMEM;
	vpn->handshake_work = alloc_percpu_gfp(struct vpn_handshake_worker,
					       GFP_KERNEL_ACCOUNT);
	if (!vpn->handshake_work) {
		destroy_workqueue(vpn->wq);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu) {
		struct vpn_handshake_worker *worker =
			per_cpu_ptr(vpn->handshake_work, cpu);

		worker->vpn = vpn;
		INIT_WORK(&worker->work, vpn_handshake_work);
	}
	return 0;
}

static int setup_stats(struct vpn_device *vpn)
{
	int cpu;

	vpn->dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!vpn->dev->tstats)
		return -ENOMEM;
	vpn->stats = alloc_percpu_gfp(struct vpn_stats, GFP_KERNEL_ACCOUNT);
	if (!vpn->stats) {
		free_percpu(vpn->dev->tstats);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(vpn->stats, cpu)->sync);
	return 0;
}

static void setup_state(struct vpn_device *vpn)
{
	mutex_init(&vpn->lock);
	init_rwsem(&vpn->identity.lock);
	INIT_LIST_HEAD(&vpn->list);
	INIT_LIST_HEAD(&vpn->peers);
	skb_queue_head_init(&vpn->handshakes);
	vpn_cookie_checker_setup(&vpn->cookie);
	vpn_allowedips_setup(&vpn->allowedips);
	vpn_lobby_setup(vpn);
}

static int vpn_newlink(struct net_device *dev,
		       struct rtnl_newlink_params *params,
		       struct netlink_ext_ack *extack)
{
	struct vpn_device *vpn = netdev_priv(dev);
	int err;

	rcu_assign_pointer(vpn->birth_net, rtnl_newlink_link_net(params));
	setup_state(vpn);
	err = vpn_peer_tables_setup(vpn);
	if (err)
		return err;
	vpn->limits = vpn_limits_alloc();
	err = vpn->limits ? 0 : -ENOMEM;
	if (err)
		goto err_tables;
	err = vpn_pools_setup(vpn);
	if (err)
		goto err_limits;
	err = setup_stats(vpn);
	if (err)
		goto err_pools;
	err = setup_workers(vpn);
	if (err)
		goto err_stats;
	err = vpn_gather_setup(vpn);
	if (err)
		goto err_workers;
	err = vpn_rx_setup(vpn);
	if (err)
		goto err_gather;
	err = register_netdevice(dev);
	if (err)
		goto err_rx;

	list_add(&vpn->list, &devices);
	/* From here on the core calls it, whatever happens to the device. */
	dev->priv_destructor = vpn_destruct;
	return 0;

err_rx:
	vpn_rx_teardown(vpn);
err_gather:
	vpn_gather_teardown(vpn);
err_workers:
	free_percpu(vpn->handshake_work);
	destroy_workqueue(vpn->wq);
err_stats:
	free_percpu(vpn->stats);
	free_percpu(dev->tstats);
err_pools:
	vpn_pools_free(vpn);
err_limits:
	vpn_limits_free(vpn->limits);
err_tables:
	vpn_peer_tables_destroy(vpn);
	return err;
}

VPN_DEFINE_NEWLINK(vpn_newlink)

static struct net *vpn_get_link_net(const struct net_device *dev)
{
	struct vpn_device *vpn = netdev_priv(dev);

	return rtnl_dereference(vpn->birth_net) ?: dev_net(dev);
}

static struct rtnl_link_ops link_ops __read_mostly = {
	.kind = KBUILD_MODNAME,
	.priv_size = sizeof(struct vpn_device),
	.setup = vpn_setup,
	.newlink = VPN_NEWLINK(vpn_newlink),
	.get_link_net = vpn_get_link_net,
};

bool vpn_device_is(const struct net_device *dev)
{
	return dev->netdev_ops == &device_ops;
}

int vpn_device_set_port(struct vpn_device *vpn, u16 port)
{
	lockdep_assert_held(&vpn->lock);

	if (netif_running(vpn->dev))
		return vpn_socket_open(vpn, port);
	vpn->listen_port = port;
	return 0;
}

void vpn_device_set_fwmark(struct vpn_device *vpn, u32 fwmark)
{
	struct vpn_peer *peer;

	lockdep_assert_held(&vpn->lock);

	if (vpn->fwmark == fwmark)
		return;
	WRITE_ONCE(vpn->fwmark, fwmark);
	list_for_each_entry(peer, &vpn->peers, list)
		vpn_endpoint_forget_source(peer);
}

void vpn_device_set_offer(struct vpn_device *vpn, struct vpn_offer *offer)
{
	struct vpn_offer *former;

	former = rcu_replace_pointer(vpn->offer, offer,
				     lockdep_is_held(&vpn->lock));
	if (former)
		kfree_rcu(former, rcu);
}

/* The peer that would talk to itself under a new identity. */
static void remove_own_peer(struct vpn_device *vpn,
			    const u8 public_key[VPN_KEY_LEN])
{
	struct vpn_peer *peer = vpn_peer_find(vpn, public_key);

	if (!peer)
		return;
	vpn_peer_remove(peer);
	vpn_peer_put(peer);
}

void vpn_device_set_private_key(struct vpn_device *vpn,
				const u8 private_key[VPN_KEY_LEN])
{
	struct vpn_identity identity = {};
	struct vpn_peer *peer;
	bool same;

	lockdep_assert_held(&vpn->lock);

	vpn_noise_derive_identity(&identity, private_key);
	down_read(&vpn->identity.lock);
	same = identity.present == vpn->identity.present &&
	       !crypto_memneq(identity.private_key, vpn->identity.private_key,
			      VPN_KEY_LEN);
	up_read(&vpn->identity.lock);
	if (same)
		goto out;

	if (identity.present)
		remove_own_peer(vpn, identity.public_key);
	down_write(&vpn->identity.lock);
	memcpy(vpn->identity.private_key, identity.private_key, VPN_KEY_LEN);
	memcpy(vpn->identity.public_key, identity.public_key, VPN_KEY_LEN);
	vpn->identity.present = identity.present;
	vpn_cookie_checker_identity_changed(vpn);
	list_for_each_entry(peer, &vpn->peers, list) {
		vpn_handshake_identity_changed(peer);
		cond_resched();
	}
	/* Nobody can agree on a session while the lock is held. */
	end_all_sessions(vpn);
	up_write(&vpn->identity.lock);
out:
	memzero_explicit(&identity, sizeof(identity));
}

/* The sockets live in the namespace of birth, and end with it. */
static void __net_exit vpn_device_net_exit(struct net *net)
{
	struct vpn_device *vpn;
	bool left = false;

	rtnl_lock();
	list_for_each_entry(vpn, &devices, list) {
		if (rtnl_dereference(vpn->birth_net) != net)
			continue;
		netif_carrier_off(vpn->dev);
		leave_birth_net(vpn);
		left = true;
	}
	rtnl_unlock();
	/* Endpoints that were replaced lately hold routes, too. */
	if (left)
		rcu_barrier();
}

static struct pernet_operations net_ops = {
	.pre_exit = vpn_device_net_exit,
};

static void forget_all_keys(void)
{
	struct vpn_device *vpn;

	rtnl_lock();
	list_for_each_entry(vpn, &devices, list) {
		mutex_lock(&vpn->lock);
		flush_workqueue(vpn->wq);
		end_all_sessions(vpn);
		mutex_unlock(&vpn->lock);
	}
	rtnl_unlock();
	vpn_session_flush();
}

/*
 * An image on disk is no place for keys. Systems that suspend as a matter of
 * course, a telephone say, would lose every session at every nap.
 */
static int pm_event(struct notifier_block *block, unsigned long action,
		    void *data)
{
	if (action == PM_HIBERNATION_PREPARE ||
	    (action == PM_SUSPEND_PREPARE &&
	     !IS_ENABLED(CONFIG_PM_AUTOSLEEP) &&
	     !IS_ENABLED(CONFIG_PM_USERSPACE_AUTOSLEEP)))
		forget_all_keys();
	return NOTIFY_DONE;
}

/* Two copies of a machine must not seal with the same keys and counters. */
static int vmfork_event(struct notifier_block *block, unsigned long action,
			void *data)
{
	forget_all_keys();
	return NOTIFY_DONE;
}

static struct notifier_block pm_block = { .notifier_call = pm_event };
static struct notifier_block vmfork_block = { .notifier_call = vmfork_event };

int __init vpn_device_init(void)
{
	int err;

	err = register_pm_notifier(&pm_block);
	if (err)
		return err;
	err = register_random_vmfork_notifier(&vmfork_block);
	if (err)
		goto err_pm;
	err = register_pernet_device(&net_ops);
	if (err)
		goto err_vmfork;
	err = rtnl_link_register(&link_ops);
	if (err)
		goto err_net;
	return 0;

err_net:
	unregister_pernet_device(&net_ops);
err_vmfork:
	unregister_random_vmfork_notifier(&vmfork_block);
err_pm:
	unregister_pm_notifier(&pm_block);
	return err;
}

void vpn_device_uninit(void)
{
	rtnl_link_unregister(&link_ops);
	unregister_pernet_device(&net_ops);
	unregister_random_vmfork_notifier(&vmfork_block);
	unregister_pm_notifier(&pm_block);
	rcu_barrier();
}
