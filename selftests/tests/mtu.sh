#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packets as long as the tunnel takes them, for all that the cable may be like:
# where the tunnel's MTU leaves room for the outside, and where it does not and
# the outside is cut into fragments.
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

# mtu CABLE TUNNEL
mtu()
{
	local host

	for host in h1 h2; do
		ns "$host" ip link set eth0 mtu "$1" &&
			ns "$host" ip link set vpn0 mtu "$2" || return
		# Below 1280 IPv6 left the link.
		address "$host" vpn0 "fd99::${host#h}/64" 2>/dev/null
	done
	return 0
}

outside()
{
	local four=10.0.0 six=fd00:

	case $1 in
	IPv4)	set -- "$four.1:1001" "$four.2:1002" ;;
	IPv6)	set -- "[$six:1]:1001" "[$six:2]:1002" ;;
	esac
	tool h1 set vpn0 peer "${PUB[h2]}" endpoint "$2" &&
		tool h2 set vpn0 peer "${PUB[h1]}" endpoint "$1"
}

# try CABLE TUNNEL OUTSIDE OCTETS
try()
{
	local text="$2 inside $3 on a cable of $1" inner=$2 more=$(($2 + $2 / 2))

	# IPv4 has an end.
	[ $more -lt 65507 ] || more=65507

	run outside "$3"
	must mtu "$1" "$inner"
	check "$text: echoes as long as can be" flood h1 192.168.99.2 10 -M 'do' -s $((inner - 28))
	check "$text: IPv6 echoes as long as can be" flood h2 fd99::1 10 -M 'do' -s $((inner - 48))
	check "$text: longer ones are refused" no_reach h1 192.168.99.2 -M 'do' -s $((inner - 27))
	check "$text: or cut inside" flood h1 192.168.99.2 5 -M dont -s $more
	check "$text: TCP" tcp h1 h2 192.168.99.2,fd99::2 --octets "$4"
	check "$text: UDP up to that length" udp h1 h2 192.168.99.2 --count 60 \
		--size "$((inner - 100))-$((inner - 28))"
}

#   cable tunnel
try 1500  1280 IPv4 150000
# Exactly what the outside leaves.
try 1500  1440 IPv4 150000
try 1500  1420 IPv6 150000
try 9000  8920 IPv6 300000
# No room for the outside: fragments.
try 1500  1500 IPv4 150000
try 1500  9000 IPv4 200000
try 1280  1500 IPv6 150000
# As long as a UDP datagram can be, but for a little.
try 65535 65455 IPv4 600000

#
# Padding does not make a packet longer than the MTU, be it the link's or that
# of a route: 1297 octets inside take 1299 and 60 outside, not 1312 and 60.
#
run outside IPv4
must mtu 1500 1300
run ns h1 ip route add 192.168.99.2/32 dev vpn0 mtu 1299
run ns h2 ip route add 192.168.99.1/32 dev vpn0 mtu 1299
run ns h1 nft -f - <<-END
	table ip t {
		chain in {
			type filter hook input priority 0
			udp dport 1001 meta length > 1359 drop
		}
	}
END
check "padding stays below the MTU of the route" flood h2 192.168.99.1 5 -s 1269
check "and so below the one of the link" flood h2 192.168.99.1 5 -s 1271
run ns h2 ip route del 192.168.99.1/32 dev vpn0
check "a filter for what is longer works" no_reach h2 192.168.99.1 -s 1272

ktap_end
