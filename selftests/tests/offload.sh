#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Trains of packets, made and taken apart in every way: whatever the links can
# and cannot do, what arrives is what was sent.
#
#	h1 [vpn0] ==== tunnel ==== [vpn0] h2
#	   [eth0] ---- cable ----- [eth0]
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two
must reach h1 192.168.99.2

# both DEVICE FEATURE on|off...: on both hosts.
both()
{
	local device=$1 host

	shift
	for host in h1 h2; do
		narrate ns $host ethtool -K "$device" "$@"
		ns $host ethtool -K "$device" "$@" >/dev/null || return
	done
}

carries()
{
	check "$1: TCP and UDP trains" mix h1 h2 192.168.99.2,fd99::2 --octets 150000 \
		--count 72 --size 1000 --gso --gro
}

# trains HOST COUNTER COMMAND...: the command makes some.
trains()
{
	local before

	before=$(count "$1" vpn0 "$2")
	"${@:3}" && [ "$(count "$1" vpn0 "$2")" -gt "$before" ]
}

carries "as it is"
if ours; then
	check "TCP is sent in trains" trains h1 tx_trains tcp h1 h2 192.168.99.2 --octets 300000
	check "and received in trains" trains h2 rx_trains tcp h1 h2 fd99::2 --octets 300000
	check "UDP trains are sent as such" trains h1 tx_trains \
		udp h1 h2 192.168.99.2 --count 240 --size 1200 --gso
	check "what comes alone is received at once" \
		wait_until 10 trains h2 rx_direct reach h1 192.168.99.2
	check "and trains behind it still as trains" \
		trains h2 rx_trains tcp h1 h2 192.168.99.2 --octets 300000
fi

#
# Segments of odd sizes, of which the last is shorter
#
check "segments of odd sizes" tcp h1 h2 192.168.99.2,fd99::2 --octets 120000 \
	--segment 536,777,1000,1331
check "hardly more than headers" tcp h1 h2 192.168.99.2 --octets 30000 --segment 88
check "UDP trains of odd sizes" udp h1 h2 192.168.99.2 --count 72 --gso --gro \
	--size 4,100,555,1371,1372
check "IPv6 UDP trains of odd sizes" udp h2 h1 fd99::1 --count 72 --gso --gro \
	--size 4,100,555,1351,1352
check "UDP trains of two" udp h1 h2 192.168.99.2 --count 100 --size 1200 --gso --train 2
# 48 of 1372 and what is around them are more than one train outside.
check "UDP trains of 47, more than 64 KiB outside" \
	udp h1 h2 192.168.99.2 --count 188 --size 1372 --gso --train 47

#
# What the cable cannot do
#
if both eth0 tx-udp-segmentation off; then
	carries "cable without UDP segmentation"
	both eth0 tx-udp-segmentation on
fi
both eth0 gso off
carries "cable without GSO"
both eth0 gso on
both eth0 tx off
carries "cable without checksums"
both eth0 tx on
both eth0 sg off
carries "cable without scatter-gather"
both eth0 sg on gso on tso on
both eth0 gro off
carries "cable without GRO"
both eth0 gro on
carries "cable with GRO"
both eth0 gro on rx-udp-gro-forwarding on
carries "cable with GRO of UDP for all"
both eth0 rx-udp-gro-forwarding off

#
# What is not done for the tunnel
#
both vpn0 tso off
carries "tunnel without TSO"
both vpn0 gso off
carries "tunnel without GSO"
both vpn0 tx off
carries "tunnel without checksums"
both vpn0 tx on gso on tso on gro off
carries "tunnel without GRO"
both vpn0 gro on sg off
carries "tunnel without scatter-gather"
both vpn0 sg on tso on gso on

#
# On the way through a host: what GRO put together goes on as a train.
#
#	client [eth0 10.1.0.2] -- [lan0 10.1.0.1] h1 [vpn0] ==== [vpn0] h2
#
must client_behind
check "forwarded: TCP and UDP" mix client h2 192.168.99.2,fd99::2 --octets 500000 --count 100
check "forwarded: UDP trains" udp client h2 192.168.99.2,fd99::2 --count 120 --size 1111 --gso --gro
# Rows of single packets: the client's kernel cuts trains, for want of a link that does.
run ns client ethtool -K eth0 tx-udp-segmentation off
check "forwarded in rows: UDP" udp client h2 192.168.99.2,fd99::2 --count 120 --gso --gro \
	--size 4,300,1111
check "forwarded in rows, some of them and some alone" udp client h2 192.168.99.2 --count 240 \
	--size 4-1300 --gso --train 3
if ours; then
	check "rows leave as trains" trains h1 tx_trains \
		udp client h2 192.168.99.2 --count 120 --size 1111 --gso
fi
# On their way through h1 the packets of one flow are in the hands of one processor, then
# in those of another.
check "and keep their order, but for a batch" udp client h2 192.168.99.2,fd99::2 --count 960 \
	--size 600 --gso --train 32 --window 128 --hop --behind 64
run ns client ethtool -K eth0 tx-udp-segmentation on
# GRO has room for 17 segments in an skb, and hangs more skbs on it for the others.
run ns client ethtool -K eth0 tso off gso off
run ns h1 ethtool -K lan0 gro on
check "forwarded, put together from single segments: TCP" tcp client h2 192.168.99.2,fd99::2 \
	--octets 1000000
run ns h1 ethtool -K lan0 gro off
run ns client ethtool -K eth0 tso on gso on
# Trains that have to be cut smaller than they came.
run ns client ip link set eth0 mtu 1400
run ns h1 ip link set lan0 mtu 1400
check "forwarded into a smaller link: TCP" tcp h2 client 10.1.0.2,fd01::2 --octets 300000
run ns client ethtool -K eth0 gro off tso off gso off
run ns h1 ethtool -K lan0 gro off tso off gso off
check "forwarded, no trains there: TCP" tcp client h2 fd99::2 --octets 400000

for host in h1 h2; do
	check_equal "$host: all tags were right" "" \
		"$(ns $host ethtool -S vpn0 2>/dev/null | awk '/bad_tag|replay|malformed|not_ip|no_memory/ && $2 > 0')"
done

ktap_end
