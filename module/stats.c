// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of a device, a CPU: what was sent and received in which shape, and
 * what was dropped why.
 */

#include <linux/bitops.h>
#include <linux/slab.h>

#include "device.h"
#include "peer.h"
#include "stats.h"
#include "trace.h"

const char vpn_stats_names[VPN_STAT_COUNT][32] = {
#define VPN_STAT_NAME(id, name) [VPN_STAT_##id] = name,
	VPN_STATS(VPN_STAT_NAME)
#undef VPN_STAT_NAME
};

void vpn_stats_add(struct vpn_device *vpn, enum vpn_stat stat,
		   unsigned int count)
{
	local_bh_disable();
	vpn_stats_count(vpn->stats, stat, count);
	local_bh_enable();
}

void vpn_stats_drop(struct vpn_device *vpn, enum vpn_stat stat,
		    unsigned int count)
{
	bool sending = stat >= VPN_STAT_DROP_TX_NOT_IP &&
		       stat <= VPN_STAT_DROP_TX_ROUTE;
	unsigned int i;

	vpn_stats_add(vpn, stat, count);
	trace_vpn_drop(vpn->dev, vpn_stats_names[stat], count);
	for (i = 0; i < count; i++) {
		if (sending)
			dev_core_stats_tx_dropped_inc(vpn->dev);
		else
			dev_core_stats_rx_dropped_inc(vpn->dev);
	}
}

void vpn_stats_received(struct vpn_device *vpn, unsigned int packets,
			unsigned int bytes)
{
	struct pcpu_sw_netstats *stats = this_cpu_ptr(vpn->dev->tstats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->rx_packets, packets);
	u64_stats_add(&stats->rx_bytes, bytes);
	u64_stats_update_end(&stats->syncp);
}

void vpn_stats_sent(struct vpn_device *vpn, unsigned int packets,
		    unsigned int bytes)
{
	struct pcpu_sw_netstats *stats = this_cpu_ptr(vpn->dev->tstats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->tx_packets, packets);
	u64_stats_add(&stats->tx_bytes, bytes);
	u64_stats_update_end(&stats->syncp);
}

static u64 read_one(const struct vpn_stats *stats, unsigned int stat)
{
	unsigned int start;
	u64 value;

	do {
		start = u64_stats_fetch_begin(&stats->sync);
		value = u64_stats_read(&stats->values[stat]);
	} while (u64_stats_fetch_retry(&stats->sync, start));
	return value;
}

void vpn_stats_read(const struct vpn_device *vpn, u64 *values)
{
	unsigned int stat;
	int cpu;

	memset(values, 0, VPN_STAT_COUNT * sizeof(*values));
	for_each_possible_cpu(cpu)
		for (stat = 0; stat < VPN_STAT_COUNT; stat++)
			values[stat] += read_one(per_cpu_ptr(vpn->stats, cpu),
						 stat);
}

u64 vpn_latency_bound(unsigned int bucket)
{
	unsigned int octave = VPN_LATENCY_OCTAVE_MIN + bucket / 4;

	if (bucket == VPN_LATENCY_BUCKETS - 1)
		return 0;
	return (4ULL + bucket % 4 + 1) << (octave - 2);
}

static unsigned int bucket_of(u64 ns)
{
	unsigned int octave = ns ? fls64(ns) - 1 : 0, bucket;

	if (octave < VPN_LATENCY_OCTAVE_MIN)
		return 0;
	bucket = (octave - VPN_LATENCY_OCTAVE_MIN) * 4 +
		 (ns >> (octave - 2)) % 4;
	return min(bucket, VPN_LATENCY_BUCKETS - 1U);
}

static void histogram_add(struct vpn_histogram *histogram, u64 ns)
{
	atomic64_inc(&histogram->count);
	atomic64_add(ns, &histogram->sum);
	atomic_inc(&histogram->buckets[bucket_of(ns)]);
}

/* Most of a million peers never answer anything: room comes with the first. */
static struct vpn_latency *latency_of(struct vpn_peer *peer)
{
	struct vpn_latency *latency = READ_ONCE(peer->latency), *other;

	if (latency)
		return latency;
	latency = kzalloc_obj(*latency, GFP_ATOMIC | __GFP_NOWARN);
	if (!latency)
		return NULL;
	other = cmpxchg(&peer->latency, NULL, latency);
	if (!other)
		return latency;
	kfree(latency);
	return other;
}

void vpn_latency_handshake(struct vpn_peer *peer, u64 ns)
{
	struct vpn_latency *latency = latency_of(peer);

	histogram_add(&peer->vpn->latency.handshake, ns);
	if (latency)
		histogram_add(&latency->handshake, ns);
}

void vpn_latency_echo(struct vpn_peer *peer, u64 ns)
{
	struct vpn_latency *latency = latency_of(peer);

	histogram_add(&peer->vpn->latency.echo, ns);
	if (latency)
		histogram_add(&latency->echo, ns);
}
