/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_STATS_H
#define VPN_STATS_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <linux/u64_stats_sync.h>

struct vpn_device;
struct vpn_peer;

/* Counter, name in "ethtool -S", in the order of the packet's way. */
#define VPN_STATS(X)							\
	X(TX_TRAINS, "tx_trains")					\
	X(TX_SINGLES, "tx_singles")					\
	X(TX_COPIED, "tx_copied")					\
	X(RX_TRAINS, "rx_trains")					\
	X(RX_SINGLES, "rx_singles")					\
	X(RX_DIRECT, "rx_direct")					\
	X(RX_COPIED, "rx_copied")					\
	X(RX_KEEPALIVES, "rx_keepalives")				\
	X(TX_KEEPALIVES, "tx_keepalives")				\
	X(RX_CONTROL, "rx_control")					\
	X(TX_CONTROL, "tx_control")					\
	X(HANDSHAKE_INITIATIONS_SENT, "tx_initiations")			\
	X(HANDSHAKE_RESPONSES_SENT, "tx_responses")			\
	X(HANDSHAKE_COOKIES_SENT, "tx_cookies")				\
	X(HANDSHAKE_INITIATIONS_RECEIVED, "rx_initiations")		\
	X(HANDSHAKE_RESPONSES_RECEIVED, "rx_responses")			\
	X(HANDSHAKE_COOKIES_RECEIVED, "rx_cookies")			\
	X(HANDSHAKE_REJECTS_SENT, "tx_rejects")				\
	X(HANDSHAKE_REJECTS_RECEIVED, "rx_rejects")			\
	X(AUTH_REQUESTS, "auth_requests")				\
	X(DISCONNECTS_SENT, "tx_disconnects")				\
	X(DISCONNECTS_RECEIVED, "rx_disconnects")			\
	X(DROP_TX_NOT_IP, "drop_tx_not_ip")				\
	X(DROP_TX_NO_PEER, "drop_tx_no_peer")				\
	X(DROP_TX_NO_ENDPOINT, "drop_tx_no_endpoint")			\
	X(DROP_TX_STAGED_FULL, "drop_tx_staged_full")			\
	X(DROP_TX_NO_KEY, "drop_tx_no_key")				\
	X(DROP_TX_LOOP, "drop_tx_loop")					\
	X(DROP_TX_NO_MEMORY, "drop_tx_no_memory")			\
	X(DROP_TX_SEAL, "drop_tx_seal")					\
	X(DROP_TX_BUSY, "drop_tx_busy")					\
	X(DROP_TX_ROUTE, "drop_tx_route")				\
	X(DROP_RX_MALFORMED, "drop_rx_malformed")			\
	X(DROP_RX_QUEUE_FULL, "drop_rx_queue_full")			\
	X(DROP_RX_UNKNOWN_INDEX, "drop_rx_unknown_index")		\
	X(DROP_RX_NO_KEY, "drop_rx_no_key")				\
	X(DROP_RX_BUSY, "drop_rx_busy")					\
	X(DROP_RX_BAD_TAG, "drop_rx_bad_tag")				\
	X(DROP_RX_REPLAY, "drop_rx_replay")				\
	X(DROP_RX_NOT_IP, "drop_rx_not_ip")				\
	X(DROP_RX_SOURCE, "drop_rx_source")				\
	X(DROP_RX_NO_MEMORY, "drop_rx_no_memory")			\
	X(DROP_HANDSHAKE_BAD_MAC, "drop_handshake_bad_mac")		\
	X(DROP_HANDSHAKE_LIMITED, "drop_handshake_limited")		\
	X(DROP_HANDSHAKE_REFUSED, "drop_handshake_refused")		\
	X(DROP_HANDSHAKE_LOBBY_FULL, "drop_handshake_lobby_full")

enum vpn_stat {
#define VPN_STAT_ENUM(id, name) VPN_STAT_##id,
	VPN_STATS(VPN_STAT_ENUM)
#undef VPN_STAT_ENUM
	VPN_STAT_COUNT
};

/**
 * struct vpn_stats - counters of one CPU
 * @sync: lets a CPU of 32 bits read 64
 * @values: by enum vpn_stat
 */
struct vpn_stats {
	struct u64_stats_sync sync;
	u64_stats_t values[VPN_STAT_COUNT];
};

/**
 * vpn_stats_count() - count, on the data path
 * @stats: counters of the device
 * @stat: what
 * @count: how many
 *
 * Context: bottom halves disabled.
 */
static inline void vpn_stats_count(struct vpn_stats __percpu *stats,
				   enum vpn_stat stat, unsigned int count)
{
	struct vpn_stats *mine = this_cpu_ptr(stats);

	u64_stats_update_begin(&mine->sync);
	u64_stats_add(&mine->values[stat], count);
	u64_stats_update_end(&mine->sync);
}

/**
 * vpn_stats_add() - count
 * @vpn: the device
 * @stat: what
 * @count: how many
 *
 * Context: any but hard interrupts.
 */
void vpn_stats_add(struct vpn_device *vpn, enum vpn_stat stat,
		   unsigned int count);

static inline void vpn_stats_inc(struct vpn_device *vpn, enum vpn_stat stat)
{
	vpn_stats_add(vpn, stat, 1);
}

/**
 * vpn_stats_drop() - count packets that are dropped, and trace them
 * @vpn: the device
 * @stat: why, a VPN_STAT_DROP_...
 * @count: how many
 *
 * Context: any but hard interrupts.
 */
void vpn_stats_drop(struct vpn_device *vpn, enum vpn_stat stat,
		    unsigned int count);

/* Packets that the stack sees, for "ip -s link". Context: softirq or alike. */
void vpn_stats_received(struct vpn_device *vpn, unsigned int packets,
			unsigned int bytes);
void vpn_stats_sent(struct vpn_device *vpn, unsigned int packets,
		    unsigned int bytes);

/*
 * Latencies are counted in buckets, of which four share an octave, from 16 us
 * up to a minute; the first and the last take what is below and above.
 */
#define VPN_LATENCY_OCTAVE_MIN	14
#define VPN_LATENCY_OCTAVES	22
#define VPN_LATENCY_BUCKETS	(VPN_LATENCY_OCTAVES * 4 + 1)

/**
 * struct vpn_histogram - how many samples were how long
 * @count: of all
 * @sum: of all, ns
 * @buckets: their counts
 */
struct vpn_histogram {
	atomic64_t count;
	atomic64_t sum;
	atomic_t buckets[VPN_LATENCY_BUCKETS];
};

/**
 * struct vpn_latency - how soon something is answered
 * @handshake: initiations
 * @echo: pings
 */
struct vpn_latency {
	struct vpn_histogram handshake;
	struct vpn_histogram echo;
};

/* An answer came after @ns. Any context; a peer has room from the first on. */
void vpn_latency_handshake(struct vpn_peer *peer, u64 ns);
void vpn_latency_echo(struct vpn_peer *peer, u64 ns);

/**
 * vpn_latency_bound() - upper bound of a bucket
 * @bucket: its number
 *
 * Return: ns, not included; zero for the last, which has none.
 */
u64 vpn_latency_bound(unsigned int bucket);

/* Sum over the CPUs; @values has room for VPN_STAT_COUNT. */
void vpn_stats_read(const struct vpn_device *vpn, u64 *values);
extern const char vpn_stats_names[VPN_STAT_COUNT][32];

#endif
