#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A tunnel that carries everything, even what goes to the network of its own
# endpoint: encrypted packets bear a mark, and what bears it goes by the ordinary
# routes.
#
#	h1 [eth0 10.0.1.1] ---- router ---- [eth0 10.0.2.1] h2 [lo 203.0.113.1 2001:db8::1]
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must topo_three
must tunnel_ends 10.0.1.1 10.0.2.1
must address h2 lo 203.0.113.1/32 2001:db8::1/128
run tool h1 set vpn0 peer "${PUB[h2]}" allowed-ips 0.0.0.0/0,::/0
for family in -4 -6; do
	ns h1 ip $family route add default dev vpn0 table 51820
	ns h1 ip $family rule add not fwmark 51820 table 51820
	ns h1 ip $family rule add table main suppress_prefixlength 0
done
ns h2 ip route add 192.168.99.0/24 dev vpn0 2>/dev/null
# h1 speaks from its address in the tunnel, whatever is the way.
ns h1 ip -4 route replace default dev vpn0 table 51820 src 192.168.99.1
ns h1 ip -6 route replace default dev vpn0 table 51820 src fd99::1

# Packets that leave h1 on the cable, by their mark.
ns h1 nft -f - <<-END
	table inet t {
		counter marked { }
		counter unmarked { }
		chain out {
			type filter hook output priority 0
			oif eth0 udp sport 1001 meta mark 51820 counter name marked
			oif eth0 udp sport 1001 meta mark != 51820 counter name unmarked
		}
	}
END
packets() { ns h1 nft -j list counter inet t "$1" | jq '.nftables[1].counter.packets'; }

no_mark() {
	no_reach h1 203.0.113.1 && no_reach h1 192.168.99.2
}
if ours; then
	looped=$(count h1 vpn0 drop_tx_loop)
	check "without a mark encrypted packets would go round in a circle" no_mark
	[ "$(count h1 vpn0 drop_tx_loop)" -gt "$looped" ]
	ok "which is noticed" $?
else
	check "without a mark encrypted packets would go round in a circle" no_mark
fi
check_equal "nothing left" "0 0" "$(packets marked) $(packets unmarked)"

check "a mark is set" run tool h1 set vpn0 fwmark 51820
check_equal "and shown" 0xca6c "$(tool h1 show vpn0 fwmark)"
check "an address far away is reached" reach h1 203.0.113.1
check "IPv6: an address far away is reached" reach h1 2001:db8::1
check "floods as well" flood h1 203.0.113.1 100
check "IPv6: floods as well" flood h1 2001:db8::1 100
check "TCP" tcp h1 h2 203.0.113.1 --octets 300000
[ "$(packets marked)" -gt 200 ] && [ "$(packets unmarked)" = 0 ]
ok "all that left bore the mark" $?

run tool h1 set vpn0 peer "${PUB[h2]}" endpoint '[fd00:2::1]:1002'
check "inside IPv6: an address far away is reached" reach h1 203.0.113.1
check "inside IPv6, IPv6: an address far away is reached" reach h1 2001:db8::1
check_equal "inside IPv6: all bore the mark" 0 "$(packets unmarked)"

run tool h1 set vpn0 fwmark 0xbeef
check "another mark: nothing gets out" no_reach h1 203.0.113.1
run tool h1 set vpn0 fwmark 51820
check "the right mark again, at once" reach h1 203.0.113.1
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 10.0.2.1:1002
check "inside IPv4 again" reach h1 203.0.113.1
run tool h1 set vpn0 fwmark 0
check_equal "no mark" off "$(tool h1 show vpn0 fwmark)"
check "no mark: nothing gets out" no_reach h1 203.0.113.1

ktap_end
