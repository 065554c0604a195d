#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A cable that loses, delays, reorders, repeats and damages packets.
#
#	h1 [vpn0] ==== tunnel ==== [vpn0] h2
#	   [eth0] - netem - cable - netem - [eth0]
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two
must reach h1 192.168.99.2

# cable WHAT...: what both ends of the cable do to packets that they send.
cable()
{
	local host

	for host in h1 h2; do
		run ns $host tc qdisc replace dev eth0 root netem limit 5000 "$@" || return
	done
}

if ! cable delay 1ms; then
	skip_all "no netem"
fi

# dropped HOST: packets that its end of the cable has lost.
dropped()
{
	ns "$1" tc -j -s qdisc show dev eth0 | jq '[.[].drops] | add'
}

cable loss 3%
check "3 % lost: TCP" tcp h1 h2 192.168.99.2 --octets 200000
check "3 % lost: UDP" udp h1 h2 192.168.99.2 --count 300 --lossy
[ "$(dropped h1)" -gt 0 ]
ok "3 % lost: the cable did lose" $?

cable delay 4ms reorder 70% 50%
check "disorder: TCP" tcp h1 h2 192.168.99.2 --octets 150000
check "disorder: IPv6 UDP, none lost" udp h2 h1 fd99::1 --count 400

# Wide disorder: some packets are late by hundreds of others.
cable delay 15ms 15ms
check "wide disorder: UDP, none lost" udp h1 h2 192.168.99.2 --count 500 --size 4-100
check "wide disorder: TCP" tcp h1 h2 192.168.99.2 --octets 150000

cable duplicate 30%
replayed=0
ours && replayed=$(count h2 vpn0 drop_rx_replay)
check "repeated: none comes twice" udp h1 h2 192.168.99.2 --count 400
if ours; then
	[ "$(count h2 vpn0 drop_rx_replay)" -gt $((replayed + 50)) ]
	ok "repeated: counted as replays" $?
fi
check "repeated: TCP" tcp h1 h2 192.168.99.2 --octets 250000

cable corrupt 5%
check "damaged: TCP" tcp h1 h2 192.168.99.2 --octets 150000
check "damaged: UDP, none changed" udp h1 h2 192.168.99.2 --count 300 --lossy
cable delay 1ms loss 5% duplicate 5% reorder 80% 50% corrupt 2%
check "all at once: TCP" tcp h1 h2 192.168.99.2 --octets 100000
check "all at once: IPv6 UDP" udp h2 h1 fd99::1 --count 300 --lossy

#
# A handshake through a cable that loses every second packet: repeated until it
# succeeds.
#
if ours; then
	timescale 20
	cable loss 50%
	for _ in 1 2 3; do
		run ns h1 ip link set vpn0 down
		run ns h1 ip link set vpn0 up
		check "half lost: a handshake in the end" wait_until 60 reach h1 192.168.99.2 -W 1
	done
	timescale 1
fi
cable delay 0
must arrives h1 192.168.99.2
# Sessions that the bad one had both ends begin may still follow each other, and
# an end that the other has forgotten notices after 15 s.
good_again()
{
	wait_until 45 flood h1 192.168.99.2 50 -w 3 && return
	cat "$TMP/flood"
	for host in h1 h2; do
		run tool "$host" show vpn0
		run ns "$host" ethtool -S vpn0 | grep -v ': 0$'
		run ns "$host" tc -s qdisc show dev eth0
	done
	return 1
}
check "a good cable again" good_again

ktap_end
