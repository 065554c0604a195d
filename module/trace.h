/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vpn

#if !defined(VPN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VPN_TRACE_H

#include <linux/netdevice.h>
#include <linux/tracepoint.h>

/* A handshake message was sent to a peer or accepted from it. */
TRACE_EVENT(vpn_handshake,
	TP_PROTO(const struct net_device *dev, u64 peer, u8 type, bool sent),
	TP_ARGS(dev, peer, type, sent),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__field(u64, peer)
		__field(u8, type)
		__field(bool, sent)
	),
	TP_fast_assign(
		__entry->ifindex = dev->ifindex;
		__entry->peer = peer;
		__entry->type = type;
		__entry->sent = sent;
	),
	TP_printk("ifindex=%d peer=%llu %s %s", __entry->ifindex, __entry->peer,
		  __entry->sent ? "sent" : "received",
		  __print_symbolic(__entry->type, { 1, "initiation" },
				   { 2, "response" }, { 3, "cookie" }))
);

DECLARE_EVENT_CLASS(vpn_batch,
	TP_PROTO(const struct net_device *dev, u64 peer, u64 counter,
		 unsigned int segments, unsigned int bytes),
	TP_ARGS(dev, peer, counter, segments, bytes),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__field(u64, peer)
		__field(u64, counter)
		__field(unsigned int, segments)
		__field(unsigned int, bytes)
	),
	TP_fast_assign(
		__entry->ifindex = dev->ifindex;
		__entry->peer = peer;
		__entry->counter = counter;
		__entry->segments = segments;
		__entry->bytes = bytes;
	),
	TP_printk("ifindex=%d peer=%llu counter=%llu segments=%u bytes=%u",
		  __entry->ifindex, __entry->peer, __entry->counter,
		  __entry->segments, __entry->bytes)
);

/* A batch was sealed; the counter is of its first segment. */
DEFINE_EVENT(vpn_batch, vpn_send,
	TP_PROTO(const struct net_device *dev, u64 peer, u64 counter,
		 unsigned int segments, unsigned int bytes),
	TP_ARGS(dev, peer, counter, segments, bytes)
);

/* A batch had authentic messages in it; bytes are of the datagrams. */
DEFINE_EVENT(vpn_batch, vpn_receive,
	TP_PROTO(const struct net_device *dev, u64 peer, u64 counter,
		 unsigned int segments, unsigned int bytes),
	TP_ARGS(dev, peer, counter, segments, bytes)
);

/* Packets were dropped; the reason is named as in "ethtool -S". */
TRACE_EVENT(vpn_drop,
	TP_PROTO(const struct net_device *dev, const char *reason,
		 unsigned int packets),
	TP_ARGS(dev, reason, packets),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__string(reason, reason)
		__field(unsigned int, packets)
	),
	TP_fast_assign(
		__entry->ifindex = dev->ifindex;
		vpn_assign_str(reason, reason);
		__entry->packets = packets;
	),
	TP_printk("ifindex=%d reason=%s packets=%u", __entry->ifindex,
		  __get_str(reason), __entry->packets)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
