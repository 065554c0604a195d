#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two hosts and a tunnel: every kind of traffic, inside IPv4 and inside IPv6, and
# the counters that go with it.
#
#	h1 [vpn0 192.168.99.1 fd99::1] ==== tunnel ==== [vpn0 192.168.99.2 fd99::2] h2
#	   [eth0 10.0.0.1     fd00::1] ---- cable ----- [eth0 10.0.0.2     fd00::2]
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two

#
# Counters.  A handshake is 148 octets there and 92 back; a message is the inner
# packet padded to a multiple of 16, and 32 octets.
#
check_equal "no handshake before there is traffic" 0 "$(handshake_time h1 vpn0 "${PUB[h2]}")"
for host in h1 h2; do
	quiet $host vpn0
done
received=$(received h1 vpn0 "${PUB[h2]}")
sent=$(sent h1 vpn0 "${PUB[h2]}")
check_equal "nothing sent nor received yet" "0 0" "$received $sent"

now=$(date +%s)
check "first packet makes a handshake and gets through" reach h1 192.168.99.2
shaken=$(handshake_time h1 vpn0 "${PUB[h2]}")
[ "$shaken" -ge "$now" ] && [ "$shaken" -le "$(date +%s)" ]
ok "time of the handshake is that of the clock" $?

# 84 octets of ICMP are padded to 96.
check_equal "octets sent: initiation and echo" $((148 + 128)) "$(sent h1 vpn0 "${PUB[h2]}")"
check_equal "octets received: response and answer" $((92 + 128)) "$(received h1 vpn0 "${PUB[h2]}")"
before=$(sent h1 vpn0 "${PUB[h2]}")
check "ten more echoes" flood h1 192.168.99.2 10 -s 1000
# 1028 octets are padded to 1040.
check_equal "are counted with padding and overhead" $((10 * 1072)) \
	$(($(sent h1 vpn0 "${PUB[h2]}") - before))
# The kernel's WireGuard counts its handshake messages here as well.
packets=11
ours || packets=12
check_equal "the link counts the packets it got" $packets "$(link_count h1 vpn0 tx packets)"
check_equal "and those that it delivered" $packets "$(link_count h1 vpn0 rx packets)"
check_equal "the other end received what was sent" "$(sent h1 vpn0 "${PUB[h2]}")" \
	"$(received h2 vpn0 "${PUB[h1]}")"
check_equal "and sent what was received" "$(received h1 vpn0 "${PUB[h2]}")" \
	"$(sent h2 vpn0 "${PUB[h1]}")"
check_equal "errors on the links" "0 0" \
	"$(link_count h1 vpn0 tx errors) $(link_count h2 vpn0 rx errors)"

#
# Traffic
#
everything()
{
	local name=$1

	check "$name: IPv4 echoes" flood h1 192.168.99.2 50
	check "$name: IPv6 echoes" flood h2 fd99::1 50
	check "$name: TCP both ways at once" tcp h1 h2 192.168.99.2,fd99::2 --octets 400000
	check "$name: UDP of all sizes" udp h2 h1 192.168.99.1,fd99::1 --count 200
}

everything "inside IPv4"
check "inside IPv4: eight TCP streams" tcp h1 h2 192.168.99.2 --streams 8 --octets 60000
check "inside IPv4: unpaced UDP" udp h1 h2 192.168.99.2 --lossy --count 2000 --window 3000

# A new endpoint is used at once, no handshake is needed for it.
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint '[fd00::2]:1002'
run tool h2 set vpn0 peer "${PUB[h1]}" endpoint '[fd00::1]:1001'
everything "inside IPv6"
check "inside IPv6: eight TCP streams" tcp h1 h2 fd99::2 --streams 8 --octets 60000
check "inside IPv6: unpaced UDP" udp h1 h2 fd99::2 --lossy --count 2000 --window 3000
check_equal "all on one handshake" "$shaken" "$(handshake_time h1 vpn0 "${PUB[h2]}")"

# Addresses of a cable are told apart by the link.
here=$(link_local h1 eth0)%eth0
there=$(link_local h2 eth0)%eth0
check "link-local endpoint" run tool h1 set vpn0 peer "${PUB[h2]}" endpoint "[$there]:1002"
check_equal "is shown with its link" "[$there]:1002" "$(field h1 vpn0 endpoints "${PUB[h2]}")"
check "and reached" flood h1 192.168.99.2 10
check "the other end learns the sender's" endpoint_is h2 vpn0 "${PUB[h1]}" "[$here]:1001"

ktap_end
