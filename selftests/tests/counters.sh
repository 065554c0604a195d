#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The messages of a session are numbered: after 2^60 there is another session, and
# after the last number nothing more is sent with its key.
#
#	h1 [vpn0] ==== [vpn0] h2
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

COUNTER=/sys/module/vpn/parameters/first_counter
REKEY_AFTER=$((1 << 60))
# 2^64 - 1 less the window of 8,128 and one more.
REJECT_AFTER=18446744073709543486

initiations() { count h1 vpn0 tx_initiations; }
number_from() { run tee "$COUNTER" <<<"$1"; }

# begin NUMBER: a session that numbers its messages from there.
begin()
{
	number_from "$1"
	must ns h1 ip link set vpn0 down
	must ns h2 ip link set vpn0 down
	must ns h1 ip link set vpn0 up
	must ns h2 ip link set vpn0 up
	must reach h1 192.168.99.2
}

# No initiation, which is 148 octets of UDP payload, and no answer to one, of 92, arrives.
no_handshakes()
{
	run ns h2 nft -f - <<-END
		table inet deaf {
			chain in { type filter hook prerouting priority -500; iif eth0 udp length { 100, 156 } drop; }
			chain out { type filter hook postrouting priority 500; oif eth0 udp length { 100, 156 } drop; }
		}
	END
}

ours || skip_all "$VPN_KIND counts from zero"
ktap_start
must modprobe vpn
on_exit() { echo 0 >"$COUNTER"; }
must tunnel_two
for host in h1 h2; do
	must quiet $host vpn0
done

begin $((REKEY_AFTER - 4))
number_from 0
begun=$(initiations)
check "goes on until 2^60" reach h1 192.168.99.2
check_equal "with the session that it has" "$begun" "$(initiations)"
begins_anew() { reach h1 192.168.99.2 && [ "$(initiations)" -gt "$begun" ]; }
check "after 2^60 there is another session" wait_until 10 begins_anew
begun=$(initiations)
for n in 1 2 3 4 5 6; do
	must reach h1 192.168.99.2
done
check_equal "which lasts" "$begun" "$(initiations)"

# This one is too old at once, but there will be none after it.
begin "$(printf '%u' $((REJECT_AFTER - 6)))"
must no_handshakes
number_from 0
sent_before=$(count h1 vpn0 tx_singles)
check "goes on until the last number" reach h1 192.168.99.2
ends() { no_reach h1 192.168.99.2 -W 1; }
check "there is a last number" wait_until 20 ends
sent=$(($(count h1 vpn0 tx_singles) - sent_before))
check "stays silent" no_reach h1 192.168.99.2 -W 1
check_equal "not one message more" "$sent" $(($(count h1 vpn0 tx_singles) - sent_before))
[ $sent -ge 1 ] && [ $sent -le 6 ]
ok "the numbers were used up: $sent more" $?
must ns h2 nft delete table inet deaf
check "goes on with another session" wait_until 15 reach h1 192.168.99.2
ktap_end
