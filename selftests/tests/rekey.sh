#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The protocol's clocks, made to run faster: rekeying under traffic, keepalives,
# handshakes that are repeated and given up, keys that are erased.
#
#	h1 [vpn0] ==== tunnel ==== [vpn0] h2
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ours || skip_all "$VPN_KIND has no switch for its clocks"
ktap_start
must modprobe vpn
check "clocks run at their own pace" [ "$(cat /sys/module/vpn/parameters/timescale)" = 1 ]
on_exit() { echo 1 >/sys/module/vpn/parameters/timescale; }
must tunnel_two
for host in h1 h2; do
	must quiet $host vpn0
done

initiations() { count h1 vpn0 tx_initiations; }
responses() { count "$1" vpn0 tx_responses; }
reached() { [ "$(count "$1" vpn0 "$2")" -ge "$3" ]; }
cut_cable()
{
	run ns h2 nft -f - <<-END
		table inet cable {
			chain in { type filter hook prerouting priority -500; iif eth0 drop; }
			chain out { type filter hook postrouting priority 500; oif eth0 drop; }
		}
	END
}
mend_cable() { run ns h2 nft delete table inet cable; }

# idle SECONDS: let time pass; nothing can be polled for where nothing happens.
idle() { run sleep "$1"; }

#
# Rekeying: after 120 s of a session's life by the one that began it, when it
# sends.
#
timescale 30
must reach h1 192.168.99.2
begun=$(initiations)
traffic_begin h1 h2 192.168.99.2
check "under traffic a new session begins" wait_until 30 reached h1 tx_initiations $((begun + 1))
check "and another" wait_until 30 reached h1 tx_initiations $((begun + 2))
traffic_end
check "data of no session was sent to nobody" [ "$(count h1 vpn0 drop_tx_no_key)" = 0 ]
for host in h1 h2; do
	check_equal "$host: all tags were right" 0 "$(count $host vpn0 drop_rx_bad_tag)"
	check_equal "$host: nothing came for a key that is gone" "0 0" \
		"$(count $host vpn0 drop_rx_no_key) $(count $host vpn0 drop_rx_unknown_index)"
done

# From rekeying to the end of a session there must be time for a handshake, on a
# busy machine, too: 2 s.
timescale 30
check "TCP across several sessions" across_sessions 2 tcp h1 h2 192.168.99.2 --octets 1000000
check "IPv6 UDP across several sessions, none lost" \
	across_sessions 2 udp h1 h2 fd99::2 --count 400 --size 100-1300

#
# Keepalive: who received data and has nothing to say answers after 10 s, with an
# empty message.
#
timescale 20
must reach h1 192.168.99.2
idle 1
# Nobody is to say that the port is closed.
run ns h2 nft -f - <<-END
	table inet quiet {
		chain in { type filter hook input priority 0; udp dport 9 drop; }
	}
END
kept=$(count h2 vpn0 tx_keepalives)
ns h1 bash -c 'echo one >/dev/udp/192.168.99.2/9' 2>/dev/null
check "one-way data is answered by a keepalive" wait_until 10 reached h2 tx_keepalives $((kept + 1))
check "which arrives" wait_until 10 reached h1 rx_keepalives 1
idle 1
kept="$(count h1 vpn0 tx_keepalives) $(count h2 vpn0 tx_keepalives)"
idle 2
check_equal "no keepalive follows a keepalive" "$kept" \
	"$(count h1 vpn0 tx_keepalives) $(count h2 vpn0 tx_keepalives)"

run tool h1 set vpn0 peer "${PUB[h2]}" persistent-keepalive 20
kept=$(count h1 vpn0 tx_keepalives)
check "persistent keepalives, each 20 s" wait_until 15 reached h1 tx_keepalives $((kept + 4))
run tool h1 set vpn0 peer "${PUB[h2]}" persistent-keepalive 0
kept=$(count h1 vpn0 tx_keepalives)
idle 2
[ "$(count h1 vpn0 tx_keepalives)" -le $((kept + 1)) ]
ok "no more once they are off" $?

#
# No answer: after 15 s a handshake is tried, each 5 s again, for 90 s.
#
timescale 20
must reach h1 192.168.99.2
begun=$(initiations)
cut_cable
background ns h1 ping -q -i 0.3 192.168.99.2
ping=$!
check "no answer: a handshake is tried" wait_until 10 reached h1 tx_initiations $((begun + 1))
check "and tried again" wait_until 10 reached h1 tx_initiations $((begun + 5))
mend_cable
answered() { reach h1 192.168.99.2 -W 1; }
check "once there is an answer, all is well" wait_until 15 answered
kill $ping
wait $ping 2>/dev/null

cut_cable
timescale 50
begun=$(initiations)
no_reach h1 192.168.99.2
# 20 attempts. A busy host can make the session so old that there are three before the
# 15 s without an answer, which begin the count anew.
stopped()
{
	local before

	before=$(initiations)
	sleep 1
	[ "$(initiations)" = "$before" ]
}
check "one packet without answer: attempts" wait_until 10 reached h1 tx_initiations $((begun + 10))
check "that end" wait_until 20 stopped
tried=$(($(initiations) - begun))
[ $tried -ge 15 ] && [ $tried -le 23 ]
ok "after 90 s: 20 attempts or a few less" $?
note "$tried attempts"
mend_cable
check "a new packet is a new beginning" wait_until 10 reach h1 192.168.99.2

#
# Keys do not live longer than 180 s; they are erased after 540 s without use.
#
timescale 100
must reach h1 192.168.99.2
gone()
{
	grep -q session-expired "$TMP/events"
}
background ns h2 bash -c "exec $VPN_TOOL monitor -j >$TMP/events"
monitor=$!
idle 7
check "unused keys are erased, and the monitor tells" wait_until 10 gone
kill $monitor
wait $monitor 2>/dev/null
check "the next packet begins a new session" wait_until 10 reach h1 192.168.99.2

#
# A session that is too old is not used, whoever would like to.
#
timescale 60
must reach h1 192.168.99.2
cut_cable
idle 4
mend_cable
begun=$(initiations)
check "after 180 s without a handshake" wait_until 10 reach h1 192.168.99.2
[ "$(initiations)" -gt "$begun" ] || [ "$(count h2 vpn0 tx_initiations)" -gt 0 ]
ok "there has to be one" $?

ktap_end
