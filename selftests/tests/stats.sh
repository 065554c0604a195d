#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the module tells about itself: driver name, counters, tracepoints.
#
#	h1 [vpn0] ==== tunnel ==== [vpn0] h2
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ours || skip_all "$VPN_KIND has no counters of its own"
ktap_start
TRACE=/sys/kernel/tracing
[ -d "$TRACE/events" ] || mount -t tracefs tracefs $TRACE 2>/dev/null
must tunnel_two
for host in h1 h2; do
	must quiet $host vpn0
done

#
# ethtool
#
check_equal "driver" vpn "$(ns h1 ethtool -i vpn0 | sed -n 's/^driver: //p')"
[ -n "$(ns h1 ethtool -i vpn0 | sed -n 's/^version: //p')" ]
ok "driver's version" $?
[ "$(ns h1 ethtool -i vpn0 | sed -n 's/^version: //p')" = "$(modinfo -F version vpn)" ]
ok "is the module's" $?
check "link is detected" [ "$(ns h1 ethtool vpn0 | sed -n 's/.*Link detected: //p')" = yes ]
check_equal "kind" vpn "$(ns h1 ip -j -d link show vpn0 | jq -r '.[0].linkinfo.info_kind')"
check_equal "ip link finds it by kind" 1 "$(ns h1 ip -br link show type vpn | wc -l)"
must link_add h1 vpn1
check_equal "all counters begin at zero" 0 "$(ns h1 ethtool -S vpn1 | awk 'NF == 2 { n += $2 } END { print n }')"
run ns h1 ip link del vpn1
check_equal "no counter's name comes twice" "" \
	"$(ns h1 ethtool -S vpn0 | awk '{ print $1 }' | sort | uniq -d)"

#
# Tracepoints
#
for event in vpn_handshake vpn_send vpn_receive vpn_drop; do
	check "tracepoint $event exists" [ -e $TRACE/events/vpn/$event/enable ]
done
echo >$TRACE/trace
check "tracepoints can be enabled" run tee $TRACE/events/vpn/enable <<<1
on_exit() { echo 0 >"$TRACE/events/vpn/enable"; echo >"$TRACE/trace"; }

must reach h1 192.168.99.2
must reach h1 fd99::2
no_reach h1 192.168.99.77
run tee $TRACE/events/vpn/enable <<<0
cp $TRACE/trace "$TMP/trace"
grep vpn_ "$TMP/trace" | head -n 20 >&2
traced() { check "traced: $1" grep -Eq "$2" "$TMP/trace"; }
traced "initiation sent" 'vpn_handshake:.* sent initiation'
traced "initiation received" 'vpn_handshake:.* received initiation'
traced "response sent" 'vpn_handshake:.* sent response'
traced "response received" 'vpn_handshake:.* received response'
traced "first message" 'vpn_send:.* counter=0 segments=1'
traced "second message" 'vpn_send:.* counter=1 segments=1'
traced "first message received" 'vpn_receive:.* counter=0 segments=1'
traced "drop without peer" 'vpn_drop:.*no_peer'
check "their format can be read by tools" grep -q 'print fmt' $TRACE/events/vpn/vpn_send/format

#
# Counters
#
check_equal "handshakes" "1 1 1 1" "$(count h1 vpn0 tx_initiations) $(count h2 vpn0 rx_initiations) \
$(count h2 vpn0 tx_responses) $(count h1 vpn0 rx_responses)"
before=$(count h1 vpn0 tx_singles)
must flood h1 192.168.99.2 10
check_equal "single packets sent" $((before + 10)) "$(count h1 vpn0 tx_singles)"
check_equal "the sum of both ends agrees" "$(link_count h1 vpn0 tx bytes)" \
	"$(link_count h2 vpn0 rx bytes)"
# Eleven echoes of 84 octets and one of 104.
check_equal "octets of inner packets" $((11 * 84 + 104)) "$(link_count h1 vpn0 tx bytes)"
must tcp h1 h2 192.168.99.2 --octets 500000
check_equal "after TCP, too: octets" "$(link_count h1 vpn0 tx bytes)" "$(link_count h2 vpn0 rx bytes)"
check_equal "after TCP, too: packets" "$(link_count h1 vpn0 tx packets)" \
	"$(link_count h2 vpn0 rx packets)"
[ "$(link_count h1 vpn0 tx bytes)" -gt 500000 ] && [ "$(link_count h1 vpn0 tx packets)" -gt 350 ]
ok "the packets of a train are counted one by one" $?

# A module that is not a test build has no such switch, nor its own tests.
check "this build has a switch for its clocks" [ -e /sys/module/vpn/parameters/timescale ]
for value in 0 101 -1 x ''; do
	check_fail "which does not take '$value'" bash -c "echo '$value' >/sys/module/vpn/parameters/timescale"
done
check_equal "and still is 1" 1 "$(cat /sys/module/vpn/parameters/timescale)"

ktap_end
