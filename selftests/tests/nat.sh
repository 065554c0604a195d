#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A host behind a NAT router: the way back to it exists as long as the router
# remembers it, which persistent keepalives see to.
#
#	h1 [eth0 10.0.1.1] -- [eth1] router, masquerades [eth2 10.0.2.254] -- [eth0 10.0.2.1] h2
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must topo_three
must tunnel_ends 10.0.1.1 10.0.2.1
# h2 knows h1 by its key only, and could not reach it anyway.
run tool h2 set vpn0 peer "${PUB[h1]}" remove peer "${PUB[h1]}" \
	allowed-ips 192.168.99.1/32,fd99::1/128
run ns h2 ip route del default
run ns router nft -f - <<-END
	table ip nat {
		chain out {
			type nat hook postrouting priority srcnat
			oif eth2 ip protocol udp masquerade to :20000-60000 random
		}
	}
END
check "conntrack forgets UDP after 4 s" ns router sysctl -w \
	net.netfilter.nf_conntrack_udp_timeout=4 \
	net.netfilter.nf_conntrack_udp_timeout_stream=4

translated() { field h2 vpn0 endpoints "${PUB[h1]}" | grep -q '^10\.0\.2\.254:'; }
knows() { ns router grep -q 'dport=1002' /proc/net/nf_conntrack; }
forgotten() { ! knows; }

check "h2 does not know where h1 is" no_reach h2 192.168.99.1
check "h1 reaches h2" reach h1 192.168.99.2
check "h2 sees the router's address" translated
check "h2 reaches h1 as long as the router remembers" reach h2 192.168.99.1
first=$(field h2 vpn0 endpoints "${PUB[h1]}")

if [ -e /proc/net/nf_conntrack ]; then
	check "the router forgets" wait_until 20 forgotten
else
	run sleep 6
	skip "the router forgets" "this kernel does not show what it remembers"
fi
check "h2 cannot reach h1 any more" no_reach h2 192.168.99.1
check "until h1 sends" reach h1 192.168.99.2
second=$(field h2 vpn0 endpoints "${PUB[h1]}")
[ "$first" != "$second" ]
ok "from another port of the router" $?

# The keepalive begins by itself and needs no traffic.
again=$(sent h1 vpn0 "${PUB[h2]}")
run tool h1 set vpn0 peer "${PUB[h2]}" persistent-keepalive 1
grown() { [ "$(sent h1 vpn0 "${PUB[h2]}")" -ge $((again + $1)) ]; }
check "with a keepalive each second, nine of 32 octets" wait_until 30 grown $((9 * 32))
check "the router still remembers" reach h2 192.168.99.1
check_equal "h1 is where it was" "$second" "$(field h2 vpn0 endpoints "${PUB[h1]}")"

# A new start: a handshake comes of the keepalive alone.
shaken=$(handshake_time h2 vpn0 "${PUB[h1]}")
newer() { [ "$(handshake_time h2 vpn0 "${PUB[h1]}")" -gt "$shaken" ]; }
run ns h1 ip link set vpn0 down
run ns h1 ip link set vpn0 up
check "h1 comes up and shakes hands without traffic" wait_until 10 newer
check "h2 reaches it" reach h2 192.168.99.1
run tool h1 set vpn0 peer "${PUB[h2]}" persistent-keepalive off
check_equal "the keepalive is off" off "$(field h1 vpn0 persistent-keepalive "${PUB[h2]}")"
if [ -e /proc/net/nf_conntrack ]; then
	check "and the router forgets" wait_until 20 forgotten
fi

ktap_end
