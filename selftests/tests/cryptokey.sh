#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Cryptokey routing: which peer a packet goes to, and from which peer a source
# address is accepted.
#
#	h1 [vpn0 192.168.99.1 fd99::1] ==== [vpn0 192.168.99.2 fd99::2] h2
#	                               ==== [vpn0 192.168.99.2 fd99::2] h3
#
# h2 and h3 have the same addresses inside, and others beside: which of them
# answers shows the way that a packet took.
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must topo_star 3
must keys h1 h2 h3
must link_add h1 vpn0
must tool h1 set vpn0 listen-port 1001 private-key "$TMP/h1.key"
for n in 2 3; do
	must link_add h$n vpn0
	must tool h$n set vpn0 listen-port 100$n private-key "$TMP/h$n.key" \
		peer "${PUB[h1]}" endpoint 10.0.1.1:1001 allowed-ips 192.168.99.0/24,fd99::/64
	must tool h1 set vpn0 peer "${PUB[h$n]}" endpoint 10.0.$n.1:100$n
	must quiet h$n vpn0
	must address h$n vpn0 192.168.99.2/24 "192.168.99.$((n + 8))/24" fd99::2/64 "fd99::$((n + 8))/64"
done
must quiet h1 vpn0
must address h1 vpn0 192.168.99.1/24 fd99::1/64

# allow HOST PREFIXES: set h1's allowed IPs of that peer.
allow() { run tool h1 set vpn0 peer "${PUB[$1]}" allowed-ips "$2"; }
allowed() { field h1 vpn0 allowed-ips "${PUB[$1]}"; }

# goes_to HOST ADDRESS: the echo is answered, and came through that host.
goes_to()
{
	local before

	before=$(link_count "$1" vpn0 rx packets)
	reach h1 "$2" && [ "$(link_count "$1" vpn0 rx packets)" -gt "$before" ]
}

allow h2 192.168.99.2/32,fd99::2/128
allow h3 192.168.99.0/24,fd99::/64
check "the longer prefix wins" goes_to h2 192.168.99.2
check "the shorter has the rest" goes_to h3 192.168.99.11
check "IPv6: the longer prefix wins" goes_to h2 fd99::2
check "IPv6: the shorter has the rest" goes_to h3 fd99::11
check "an address of no host beside it is not answered" no_reach h1 192.168.99.10

allow h3 192.168.99.2/32,fd99::2/128
check_equal "a prefix moves: its old owner has none left" "(none)" "$(allowed h2)"
check_equal "its new owner has it" "192.168.99.2/32 fd99::2/128" "$(allowed h3)"
check "packets follow it" goes_to h3 192.168.99.2
check "IPv6: packets follow it" goes_to h3 fd99::2

#
# A source is accepted from the peer that packets to it would go to.
#
allow h2 192.168.99.2/32,192.168.99.10/32,fd99::2/128,fd99::10/128
check "a source that is allowed" reach h2 192.168.99.1 -I 192.168.99.10
check "IPv6: a source that is allowed" reach h2 fd99::1 -I fd99::10
refused=$(refused h1 vpn0 rx)
delivered=$(link_count h1 vpn0 rx packets)
allow h3 192.168.99.10/32,fd99::10/128
if ours; then
	check "a source that is another peer's: counted as such" \
		counts_up h1 vpn0 drop_rx_source 1 no_reach h2 192.168.99.1 -I 192.168.99.10
	check "IPv6: counted as such" \
		counts_up h1 vpn0 drop_rx_source 1 no_reach h2 fd99::1 -I fd99::10
else
	check "a source that is another peer's" no_reach h2 192.168.99.1 -I 192.168.99.10
	check "IPv6: a source that is another peer's" no_reach h2 fd99::1 -I fd99::10
fi
check_equal "both are refused by the link" $((refused + 2)) "$(refused h1 vpn0 rx)"
check_equal "and were not delivered" "$delivered" "$(link_count h1 vpn0 rx packets)"
allow h3 ""
check_equal "all taken away" "(none)" "$(allowed h3)"
check "a source that is nobody's" no_reach h2 192.168.99.1 -I 192.168.99.10

#
# Incremental changes, whole networks
#
# Old tools of WireGuard do not know them.
if ours || wg set 2>&1 | grep -qF '[+|-]'; then
	allow h2 192.168.99.2/32
	allow h2 +192.168.99.10/32,+fd99::2/128
	check_equal "added" "192.168.99.2/32 192.168.99.10/32 fd99::2/128" "$(allowed h2)"
	allow h2 -192.168.99.2/32,-192.168.99.77/32
	check_equal "taken away; what was not there does not matter" \
		"192.168.99.10/32 fd99::2/128" "$(allowed h2)"
	allow h3 -192.168.99.10/32
	check_equal "nobody takes away another's" "192.168.99.10/32 fd99::2/128" "$(allowed h2)"
fi
allow h2 0.0.0.0/0,::/0
check_equal "everything" "0.0.0.0/0 ::/0" "$(allowed h2)"
check "goes there" goes_to h2 192.168.99.2
check "IPv6: goes there" goes_to h2 fd99::10
allow h3 128.0.0.0/1,0.0.0.0/1
check "two halves are more specific" goes_to h3 192.168.99.11
run tool h1 set vpn0 peer "${PUB[h3]}" remove
check "a removed peer's prefixes are gone" goes_to h2 192.168.99.2
run tool h1 set vpn0 peer "${PUB[h2]}" remove
check_equal "no peer left" "" "$(tool h1 show vpn0 peers)"
check "nothing is reached" no_reach h1 192.168.99.2

ktap_end
