#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Endpoints that move, at one end, at the other, at both; and the address that a
# host with several of them answers from.
#
#	h1 [vpn0] ==== tunnel ==== [vpn0] h2
#	   [eth0 10.0.0.1 fd00::1] ---- cable ----- [eth0 10.0.0.2 fd00::2] and others
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two
for host in h1 h2; do
	ns $host sysctl -qw net.ipv4.conf.all.promote_secondaries=1
done

h1_sees() { endpoint_is h1 vpn0 "${PUB[h2]}" "$1"; }
h2_sees() { endpoint_is h2 vpn0 "${PUB[h1]}" "$1"; }

#
# Moves
#
must reach h1 192.168.99.2
shaken=$(handshake_time h1 vpn0 "${PUB[h2]}")
run tool h2 set vpn0 listen-port 2002
check "h2 has another port: its packets" reach h2 192.168.99.1
check "tell h1" h1_sees 10.0.0.2:2002
check "which uses it" reach h1 192.168.99.2

run ns h2 ip addr add 10.0.0.20/24 dev eth0
run ns h2 ip addr del 10.0.0.2/24 dev eth0
check "h2 has another address: its packets" reach h2 192.168.99.1
check "tell h1" h1_sees 10.0.0.20:2002

run ns h1 ip addr add 10.0.0.10/24 dev eth0
run ns h1 ip addr del 10.0.0.1/24 dev eth0
run tool h1 set vpn0 listen-port 2001
check "now h1 moves, address and port" reach h1 192.168.99.2
check "h2 is told" h2_sees 10.0.0.10:2001
check "and h1 still sees h2" h1_sees 10.0.0.20:2002

# Both at once: the one that moved last without the other's knowing has to speak
# first.
run ns h1 ip addr add 10.0.0.1/24 dev eth0
run ns h1 ip addr del 10.0.0.10/24 dev eth0
run tool h1 set vpn0 listen-port 1001
run ns h2 ip addr add 10.0.0.2/24 dev eth0
run ns h2 ip addr del 10.0.0.20/24 dev eth0
run tool h2 set vpn0 listen-port 1002
check "both have moved: silence" no_reach h1 192.168.99.2
run tool h2 set vpn0 peer "${PUB[h1]}" endpoint 10.0.0.1:1001
check "until one learns of the other" reach h2 192.168.99.1
check "h1 sees h2" h1_sees 10.0.0.2:1002
check "h1 speaks" reach h1 192.168.99.2

run tool h1 set vpn0 peer "${PUB[h2]}" endpoint '[fd00::2]:1002'
check "from IPv4 to IPv6" reach h1 192.168.99.2
check "h2 follows" h2_sees '[fd00::1]:1001'
run ns h2 ip addr add fd00::22/64 dev eth0 nodad
run ns h2 ip addr del fd00::2/64 dev eth0
check "another IPv6 address" reach h2 192.168.99.1
check "h1 follows" h1_sees '[fd00::22]:1002'
run ns h2 ip addr add fd00::2/64 dev eth0 nodad
run ns h2 ip addr del fd00::22/64 dev eth0
run tool h2 set vpn0 peer "${PUB[h1]}" endpoint 10.0.0.1:1001
check "from IPv6 to IPv4" reach h2 192.168.99.1
check "h1 follows" h1_sees 10.0.0.2:1002
check_equal "all that on one handshake" "$shaken" "$(handshake_time h1 vpn0 "${PUB[h2]}")"

move_about()
{
	local port=3000 pid status

	tcp h1 h2 192.168.99.2 --octets 6000000 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		port=$((port + 1))
		tool h1 set vpn0 listen-port "$port"
		tool h2 set vpn0 listen-port $((port + 1000))
		# Both have moved and neither knows: one is told, and speaks.
		tool h1 set vpn0 peer "${PUB[h2]}" endpoint 10.0.0.2:$((port + 1000))
		ns h1 ping -c 1 -W 1 192.168.99.2 >/dev/null
		# TCP waits longer after each loss: leave it time to get on.
		sleep 0.4
	done
	wait "$pid"
	status=$?
	note "$((port - 3000)) moves"
	[ "$status" = 0 ] && [ "$port" -gt 3002 ] && reach h1 192.168.99.2 &&
		h1_sees 10.0.0.2:$((port + 1000)) && h2_sees "10.0.0.1:$port"
}
check "moves do no harm to a transfer" move_about
run tool h1 set vpn0 listen-port 1001
run tool h2 set vpn0 listen-port 1002
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 10.0.0.2:1002
must reach h1 192.168.99.2

#
# The source of what is sent is where the peer last reached us.
#
run ns h2 ip addr add 10.0.0.22/24 dev eth0
run ns h2 ip addr add fd00::22/64 dev eth0 nodad
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 10.0.0.22:1002
check "h1 uses h2's second address" reach h1 192.168.99.2
check "h2 answers from there" h1_sees 10.0.0.22:1002
check "h2 speaks" reach h2 192.168.99.1
check "from there, too" h1_sees 10.0.0.22:1002
run ns h2 ip addr del 10.0.0.22/24 dev eth0
check "when that address is gone it speaks" reach h2 192.168.99.1
check "from another" h1_sees 10.0.0.2:1002

run tool h1 set vpn0 peer "${PUB[h2]}" endpoint '[fd00::22]:1002'
check "IPv6: h1 uses h2's second address" reach h1 192.168.99.2
check "IPv6: h2 answers from there" h1_sees '[fd00::22]:1002'
check "IPv6: h2 speaks" reach h2 192.168.99.1
check "IPv6: from there, too" h1_sees '[fd00::22]:1002'
run ns h2 ip addr del fd00::22/64 dev eth0
check "IPv6: when that address is gone it speaks" reach h2 192.168.99.1
check "IPv6: from another" h1_sees '[fd00::2]:1002'

#
# A way that changes: the peer is now behind another link.
#
#	h1 [eth1 10.9.0.1] ---- [eth1 10.9.0.2] h2
#
must veth h1 eth1 h2 eth1
must address h1 eth1 10.9.0.1/24
must address h2 eth1 10.9.0.2/24
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 10.0.0.2:1002
must reach h1 192.168.99.2
check "h2 saw h1 where it was" h2_sees 10.0.0.1:1001
run ns h1 ip route add 10.0.0.2/32 via 10.9.0.2 src 10.9.0.1
run ns h2 ip route add 10.0.0.1/32 via 10.9.0.1
check "the route to h2 leaves by another link" reach h1 192.168.99.2
check "so does h1's address" h2_sees 10.9.0.1:1001
check "h2 speaks" reach h2 192.168.99.1
run ns h1 ip addr del 10.0.0.1/24 dev eth0
run ns h1 ip route replace 10.0.0.2/32 via 10.9.0.2 src 10.9.0.1
check "the old address goes" reach h1 192.168.99.2
run ns h1 ip link set eth0 down
check "the old link goes down" reach h1 192.168.99.2
check "the other way round" reach h2 192.168.99.1

ktap_end
