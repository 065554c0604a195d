#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packets that cannot go through the tunnel: their sender is told, be it on the
# host itself or behind it.
#
#	client [eth0 10.1.0.2 fd01::2] -- [lan0 10.1.0.1 fd01::1] h1 [vpn0] ==== [vpn0] h2
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two
must client_behind
# Each error is to be seen, however fast they follow each other.
for host in h1 h2 client; do
	ns $host sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
done

# says PATTERN NAMESPACE ADDRESS [PING-OPTION...]: an echo is not answered, but an
# error comes.
says()
{
	local pattern=$1

	shift
	! reach "$@" -W 2 >"$TMP/ping" 2>&1 || return
	cat "$TMP/ping"
	grep -Eq "$pattern" "$TMP/ping"
}

check "client reaches the far end" reach client 192.168.99.2
check "IPv6: client reaches the far end" reach client fd99::2

unreachable='^From .*(Destination Host Unreachable|Address unreachable)'
for from in h1 client; do
	text="$from, no peer for the address"
	refused=$(refused h1 vpn0 tx)
	check "$text: unreachable" says "$unreachable" $from 192.168.99.77
	check "$text, IPv6: unreachable" says "$unreachable" $from fd99::77
	[ "$(refused h1 vpn0 tx)" -ge $((refused + 2)) ]
	ok "$text: refused by the link" $?
	if ours; then
		check "$text: counted as such" counts_up h1 vpn0 drop_tx_no_peer 1 \
			says "$unreachable" $from 192.168.99.77
	fi
done

keys h3
run tool h1 set vpn0 peer "${PUB[h3]}" allowed-ips 192.168.99.3/32,fd99::3/128
for from in h1 client; do
	text="$from, peer without endpoint"
	check "$text: unreachable" says "$unreachable" $from 192.168.99.3
	check "$text, IPv6: unreachable" says "$unreachable" $from fd99::3
	if ours; then
		check "$text: counted as such" counts_up h1 vpn0 drop_tx_no_endpoint 1 \
			says "$unreachable" $from 192.168.99.3
	fi
done

check_equal "the link's MTU leaves room for the outside" 1420 \
	"$(ns h1 ip -j link show vpn0 | jq '.[0].mtu')"
check "client: too big" says 'Frag needed and DF set \(mtu = 1420\)' \
	client 192.168.99.2 -M 'do' -s 1393
check "client: not too big" reach client 192.168.99.2 -M 'do' -s 1392
check "client, IPv6: too big" says '(Packet too big|mtu=1420)' client fd99::2 -M 'do' -s 1373
check "client, IPv6: not too big" reach client fd99::2 -M 'do' -s 1372
check "h1: too big" says '(mtu ?[:=] ?1420|[Mm]essage too long)' h1 192.168.99.2 -M 'do' -s 1393
check "h1, IPv6: too big" says '(mtu ?[:=] ?1420|[Mm]essage too long)' h1 fd99::2 -M 'do' -s 1373
ns client ip route flush cache
check "client: too big, but may be cut" reach client 192.168.99.2 -M dont -s 3000
check "client, IPv6: cut by the sender" reach client fd99::2 -M dont -s 3000

# What comes out of the tunnel can be too big for the way on.
run ns h1 ip link set lan0 mtu 1300
run ns client ip link set eth0 mtu 1300
check "h2: too big behind the tunnel" says 'Frag needed and DF set \(mtu = 1300\)' \
	h2 10.1.0.2 -M 'do' -s 1373
check "h2, IPv6: too big behind the tunnel" says '(Packet too big|mtu=1300)' \
	h2 fd01::2 -M 'do' -s 1353

ktap_end
