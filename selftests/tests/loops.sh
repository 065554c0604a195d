#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Routes that lead encrypted packets back into a tunnel.  Into another one, that
# is a tunnel in a tunnel and works; into itself, directly or round a corner, it
# has to end.
#
#	h1 [vpn0] [vpn1] ---- cable ----- h2 [vpn0] [vpn1]
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two

#
# A tunnel in a tunnel: vpn1's endpoints are vpn0's addresses.
#
must keys i1 i2
for n in 1 2; do
	must link_add h$n vpn1 192.168.98.$n/24 fd98::$n/64
	must ns h$n ip link set vpn1 mtu 1340
done
run tool h1 set vpn1 listen-port 2001 private-key "$TMP/i1.key" peer "${PUB[i2]}" \
	endpoint 192.168.99.2:2002 allowed-ips 192.168.98.2/32,fd98::2/128
run tool h2 set vpn1 listen-port 2002 private-key "$TMP/i2.key" peer "${PUB[i1]}" \
	endpoint 192.168.99.1:2001 allowed-ips 192.168.98.1/32,fd98::1/128
must ns h1 ip link set vpn1 up
must ns h2 ip link set vpn1 up
check "a tunnel in a tunnel: echoes" flood h1 192.168.98.2 20
check "a tunnel in a tunnel: IPv6 echoes" flood h2 fd98::1 20
check "a tunnel in a tunnel: TCP" tcp h1 h2 192.168.98.2 --octets 200000
check "a tunnel in a tunnel: IPv6 UDP" udp h2 h1 fd98::1 --count 200 --size 4-1200
[ "$(received h1 vpn0 "${PUB[h2]}")" -gt 300000 ]
ok "the outer one carried it" $?
run tool h1 set vpn1 peer "${PUB[i2]}" endpoint '[fd99::2]:2002'
check "a tunnel in a tunnel, inside IPv6" flood h1 192.168.98.2 20
check "a tunnel in a tunnel, inside IPv6: TCP" tcp h1 h2 fd98::2 --octets 200000

#
# Loops.  That they end is seen by the kernel's going on: it still answers, and
# its log has no complaint.
#
settles()
{
	# Whatever is still under way would be counted.
	local before after

	before=$(link_count h1 vpn0 tx packets)
	for _ in {1..20}; do
		sleep 0.2
		after=$(link_count h1 vpn0 tx packets)
		[ "$after" != "$before" ] || return 0
		before=$after
	done
	return 1
}

# Each through the other.  What h2 says by itself would show h1 the way out.
run ns h2 ip route add blackhole 10.0.0.1/32
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 192.168.98.2:1002 \
	allowed-ips 192.168.99.2/32,192.168.98.0/24
run tool h1 set vpn1 peer "${PUB[i2]}" endpoint 192.168.99.2:2002 \
	allowed-ips 192.168.98.2/32,192.168.99.0/24
check "each through the other: silence" no_reach h1 192.168.98.2
check "floods of it, too" no_reach h1 192.168.98.2 -f -c 300
check "and it ends" settles
if ours; then
	echo "loops: vpn0 $(count h1 vpn0 drop_tx_loop), vpn1 $(count h1 vpn1 drop_tx_loop)" >&2
fi
run ns h1 ip link del vpn1
run ns h2 ip route del blackhole 10.0.0.1/32

# Through itself: by a route to the endpoint, and by an endpoint that is behind.
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 10.0.0.2:1002 \
	allowed-ips 192.168.99.0/24,fd99::/64,10.0.0.0/24,fd00::/64
check "well so far" reach h1 192.168.99.2
run ns h1 ip route add 10.0.0.2/32 dev vpn0
looped=0
ours && looped=$(count h1 vpn0 drop_tx_loop)
check "the endpoint's route leads into its own tunnel: silence" no_reach h1 192.168.99.2
check "floods of it, too" no_reach h1 10.0.0.2 -f -c 300
check "and it ends" settles
if ours; then
	[ "$(count h1 vpn0 drop_tx_loop)" -gt "$looped" ]
	ok "it is counted as a loop" $?
fi
run ns h1 ip route del 10.0.0.2/32 dev vpn0
check "well again" reach h1 192.168.99.2 -W 8

run tool h1 set vpn0 peer "${PUB[h2]}" endpoint '[fd00::2]:1002'
check "IPv6: well so far" reach h1 192.168.99.2
run ns h1 ip route add fd00::2/128 dev vpn0
check "IPv6: the endpoint's route leads into its own tunnel: silence" no_reach h1 192.168.99.2
check "IPv6: and it ends" settles
run ns h1 ip route del fd00::2/128 dev vpn0
check "IPv6: well again" reach h1 192.168.99.2 -W 8

# What h2 says by itself would be where its endpoint is.
run ns h2 ip route add blackhole 10.0.0.1/32
run ns h2 ip route add blackhole fd00::1/128
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 192.168.99.2:1002
check "an endpoint behind its own tunnel: silence" no_reach h1 192.168.99.2
check "and it ends" settles
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 192.168.99.1:1001
check "an endpoint that is the device itself: silence" no_reach h1 192.168.99.2
check "and it ends" settles
run ns h2 ip route del blackhole 10.0.0.1/32
run ns h2 ip route del blackhole fd00::1/128
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 10.0.0.2:1002
check "well again" reach h1 192.168.99.2 -W 8
check "and TCP, too" tcp h1 h2 192.168.99.2 --octets 300000

ktap_end
