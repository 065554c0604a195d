// SPDX-License-Identifier: GPL-2.0
/*
 * Single packets that come right behind one another.
 *
 * A gateway gets packets in polls of a driver's NAPI, and the stack hands them to
 * us one by one, without a word whether others follow. So the first packet in a
 * run of the network softirq leaves at once, and those behind it in the same run
 * wait. The device's NAPI on this CPU, scheduled with the first that waits, comes
 * when the driver's poll is through, and sends them.
 *
 * A queue in front of the device tells whether others follow
 * (netdev_xmit_more()); then even the first waits, and the last one ends it.
 */

#include <linux/kernel_stat.h>
#include <linux/interrupt.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

#include "batch.h"
#include "device.h"
#include "gather.h"
#include "peer.h"
#include "rx.h"
#include "stats.h"
#include "tx.h"

/* Whether bottom halves stay disabled when our caller's caller is through. */
static bool poll_follows(void)
{
	return softirq_count() > SOFTIRQ_DISABLE_OFFSET;
}

/* Whether a packet came before in this run of the network softirq. */
static bool is_next_in_run(struct vpn_gather *gather)
{
	const unsigned int run = __this_cpu_read(kstat.softirqs[NET_RX_SOFTIRQ]);

	if (gather->run == run)
		return true;
	gather->run = run;
	return false;
}

/*
 * What comes from a socket of this machine is in a hurry, unless its queue says
 * that more of it comes.
 */
static bool is_to_wait(struct vpn_gather *gather, const struct sk_buff *skb)
{
	if (skb_is_gso(skb))
		return false;
	if (netdev_xmit_more())
		return true;
	if (!poll_follows())
		return !skb_queue_empty_lockless(&gather->list);
	return !skb->sk && is_next_in_run(gather);
}

/* Returns how many wait now. */
static unsigned int append(struct vpn_gather *gather, struct sk_buff *skb)
{
	unsigned int count;

	spin_lock(&gather->list.lock);
	__skb_queue_tail(&gather->list, skb);
	count = skb_queue_len(&gather->list);
	spin_unlock(&gather->list.lock);
	return count;
}

bool vpn_gather_add(struct vpn_device *vpn, struct sk_buff *skb)
{
	struct vpn_gather *gather = this_cpu_ptr(vpn->gather);
	bool waits = is_to_wait(gather, skb);
	unsigned int count;

	if (!waits) {
		if (unlikely(!skb_queue_empty_lockless(&gather->list)))
			vpn_gather_flush(vpn, gather);
		return false;
	}
	count = append(gather, skb);
	if (count >= VPN_BATCH_MAX || !(netdev_xmit_more() || poll_follows()))
		vpn_gather_flush(vpn, gather);
	else if (count == 1)
		vpn_rx_schedule(vpn);
	return true;
}

void vpn_gather_flush(struct vpn_device *vpn, struct vpn_gather *gather)
{
	struct sk_buff_head list;

	if (skb_queue_empty_lockless(&gather->list))
		return;
	__skb_queue_head_init(&list);
	spin_lock(&gather->list.lock);
	skb_queue_splice_init(&gather->list, &list);
	spin_unlock(&gather->list.lock);
	vpn_tx_list(&list);
}

void vpn_gather_drop(struct vpn_device *vpn, bool dead)
{
	struct sk_buff_head list;
	struct sk_buff *skb, *next;
	struct vpn_gather *gather;
	int cpu;

	__skb_queue_head_init(&list);
	for_each_possible_cpu(cpu) {
		gather = per_cpu_ptr(vpn->gather, cpu);
		spin_lock_bh(&gather->list.lock);
		skb_queue_walk_safe(&gather->list, skb, next) {
			if (dead && !READ_ONCE(vpn_tx_peer(skb)->dead))
				continue;
			__skb_unlink(skb, &gather->list);
			__skb_queue_tail(&list, skb);
		}
		spin_unlock_bh(&gather->list.lock);
	}
	if (skb_queue_empty(&list))
		return;
	vpn_stats_drop(vpn, VPN_STAT_DROP_TX_NO_PEER, skb_queue_len(&list));
	__skb_queue_purge(&list);
}

int vpn_gather_setup(struct vpn_device *vpn)
{
	int cpu;

	vpn->gather = alloc_percpu_gfp(struct vpn_gather, GFP_KERNEL_ACCOUNT);
	if (!vpn->gather)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		skb_queue_head_init(&per_cpu_ptr(vpn->gather, cpu)->list);
	return 0;
}

void vpn_gather_teardown(struct vpn_device *vpn)
{
	free_percpu(vpn->gather);
}
