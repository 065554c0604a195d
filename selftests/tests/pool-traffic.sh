#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What leases mean to traffic: h2 leases addresses, h1 sends from its own, at
# first in version 0 of the protocol, then in version 1, in which leases end.
#
#	h1 [vpn0 192.168.99.1] ==== tunnel ==== [vpn0 192.168.99.2] h2
# timeout: 240
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two

# addresses: those that h2 has leased, with "bound" behind those in use.
addresses()
{
	tool h2 -j lease show vpn0 |
		jq -r '.[] | .address + if .bound then " bound" else "" end'
}

leased() { [ "$(addresses)" = "$1" ]; }
ends() { tool h2 -j lease show vpn0 | jq -e '.[0].expires > 0' >/dev/null; }
again() { run ns h1 ip link set vpn0 down && run ns h1 ip link set vpn0 up; }

must tool h2 pool add vpn0 192.168.99.0/24
run tool h2 set vpn0 peer "${PUB[h1]}" allowed-ips ''
check "without an allowed IP no traffic" no_reach h1 192.168.99.2
check "a lease" tool h2 set vpn0 peer "${PUB[h1]}" address auto
check_equal "is the lowest address" "192.168.99.1/24 bound" "$(addresses)"
check "lets traffic in" reach h1 192.168.99.2
check "and out" reach h2 192.168.99.1
keys h3
run tool h2 set vpn0 peer "${PUB[h3]}" address auto
check_equal "our own address is left out" "192.168.99.1/24 bound 192.168.99.3/24 bound" \
	"$(addresses | xargs)"
check_fail "another peer can't take it" \
	tool h2 set vpn0 peer "${PUB[h3]}" allowed-ips 192.168.99.1/32
check "nor a prefix around it" tool h2 set vpn0 peer "${PUB[h3]}" allowed-ips 192.168.99.0/24
check "it is still its holder's" reach h2 192.168.99.1
run tool h2 set vpn0 peer "${PUB[h3]}" remove
run tool h2 lease release vpn0 192.168.99.3

run tool h2 lease release vpn0 "${PUB[h1]}"
check "released: no traffic" no_reach h1 192.168.99.2
run tool h2 set vpn0 peer "${PUB[h1]}" address auto
check "given anew: traffic" reach h1 192.168.99.2

run tool h2 set vpn0 peer "${PUB[h1]}" remove
check_equal "the lease outlives its peer" "192.168.99.1/24" "$(addresses)"
run tool h2 set vpn0 peer "${PUB[h3]}" address auto
run tool h2 set vpn0 peer "${PUB[h1]}" endpoint 10.0.0.1:1001 address auto
check "and it gets it back" reach h2 192.168.99.1
run tool h2 set vpn0 peer "${PUB[h3]}" remove
run tool h2 lease release vpn0 "${PUB[h3]}"
check_fail "in version 0 it has no end" ends

#
# Version 1
#
run tool h2 pool add vpn0 192.168.99.0/24 lease 10s
run tool h1 set vpn0 peer "${PUB[h2]}" address auto
again
check "in version 1 traffic passes" arrives h1 192.168.99.2
check "and the lease has an end" wait_until 10 ends
note "longer than the lease is"
sleep 13
check_equal "it is renewed" "192.168.99.1/24 bound" "$(addresses)"
check "traffic passes" reach h1 192.168.99.2
run ns h1 ip link set vpn0 down
check "without its peer it ends" wait_until 20 leased ""
check_equal "and leaves the allowed IPs" "(none)" \
	"$(tool h2 show vpn0 allowed-ips | awk '{ print $2 }')"
run ns h1 ip link set vpn0 up
check "which gets one again when it comes back" arrives h1 192.168.99.2
check_equal "of the same address" "192.168.99.1/24 bound" "$(addresses)"

ktap_end
