#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Messages of a session that no honest peer sends: damaged, repeated, cut, for
# nobody, with something inside that is no packet or not from where it says.  Each
# is dropped, counted under its cause, and does no harm to the session.
#
#	h1 [vpn0 192.168.99.1] ---- [10.0.0.2:1002 hostile.py] h2
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must topo_two
must keys h1 h2
(umask 077 && "$VPN_TOOL" genpsk >"$TMP/psk")
must link_add h1 vpn0 192.168.99.1/24
must tool h1 set vpn0 listen-port 1001 private-key "$TMP/h1.key" peer "${PUB[h2]}" \
	preshared-key "$TMP/psk" allowed-ips 192.168.99.2/32,fd99::2/128
must quiet h1 vpn0

coproc HOSTILE {
	cd "$SELFTESTS" && exec env KEY="$TMP/h2.key" PSK="$TMP/psk" REMOTE="${PUB[h1]}" \
		LOCAL=10.0.0.2:1002 TO=10.0.0.1:1001 \
		ip netns exec "$(netns h2)" python3 hostile.py
}

# hostile COMMAND: let it do that.
hostile()
{
	local answer

	printf '+ [h2] hostile: %s\n' "$*" >&2
	echo "$*" >&"${HOSTILE[1]}"
	read -r -t 30 answer <&"${HOSTILE[0]}" || answer="no answer"
	[ "$answer" = ok ] && return
	printf '+ %s\n' "$answer" >&2
	return 1
}
read -r -t 60 answer <&"${HOSTILE[0]}"
must [ "$answer" = ready ]

# counted TEXT COUNTER BY COMMAND: what is done makes that counter of drops grow,
# and no other.
counted()
{
	local text=$1 counter=$2 by=$3

	shift 3
	if ours; then
		awk -v name="$counter:" -v by="$by" '$1 == name { $2 += by } { print $1, $2 }' \
			"$TMP/drops" >"$TMP/wanted"
		check "$text: counted" counts_so hostile "$@"
	else
		check "$text" hostile "$@"
	fi
}

# counts_so COMMAND...: afterwards the counters of drops are those in $TMP/wanted.
counts_so()
{
	"$@" || return
	for _ in {1..30}; do
		drops
		cmp -s "$TMP/drops" "$TMP/wanted" && return
		sleep 0.1
	done
	diff "$TMP/wanted" "$TMP/drops" >&2
	return 1
}
drops() { ns h1 ethtool -S vpn0 | awk '$1 ~ /^drop_/ { print $1, $2 }' >"$TMP/drops"; }
works() { hostile echo 192.168.99.2 192.168.99.1; }

check "a session begins" hostile handshake
check "and is honest at first" works
ours && drops
check_equal "h1 sees it" 10.0.0.2:1002 "$(field h1 vpn0 endpoints "${PUB[h2]}")"

#
# Messages
#
counted "its first 32 octets" drop_rx_bad_tag 1 cut 32
before=$(received h1 vpn0 "${PUB[h2]}")
counted "a message that comes again" drop_rx_replay 1 again
counted "and from elsewhere" drop_rx_replay 1 again 5555
counted "with another tag" drop_rx_bad_tag 1 flip -1
counted "with other ciphertext" drop_rx_bad_tag 1 flip 20
counted "with another counter" drop_rx_bad_tag 1 flip 12
counted "with a counter out of this world" drop_rx_bad_tag 1 flip 15
counted "for another index" drop_rx_unknown_index 1 flip 5
counted "for an index that nobody has" drop_rx_unknown_index 1 index
for size in 0 1 4 15 31; do
	counted "its first $size octets" drop_rx_malformed 1 cut $size
done
counted "another version" drop_rx_malformed 1 header 04010000
counted "flags" drop_rx_malformed 1 header 04000100
counted "an unknown type" drop_rx_malformed 1 header 05000000
counted "a handshake's type" drop_rx_malformed 1 header 01000000
check_equal "none of them counts as received" "$before" "$(received h1 vpn0 "${PUB[h2]}")"
check_equal "none of them moves the endpoint" 10.0.0.2:1002 \
	"$(field h1 vpn0 endpoints "${PUB[h2]}")"
check "the session still works" works

#
# Counters
#
counted "at the edges of the replay window" drop_rx_replay 2 window
check "the session still works" works
# The session is of no use after this: whatever comes is too old.
check "a new session" hostile handshake
counted "a counter that must not be used" drop_rx_replay 1 counter 18446744073709543486
counted "the greatest of all" drop_rx_replay 1 counter 18446744073709551615
check "the last one that may" hostile counter 18446744073709543485
counted "once only" drop_rx_replay 1 again
counted "after it, small ones are too old" drop_rx_replay 1 plain
check "a new session" hostile handshake
check "works" works

#
# Contents
#
zeros=00000000000000000000000000000000
counted "nothing but zeros" drop_rx_not_ip 1 plain $zeros$zeros
counted "an IP version that does not exist" drop_rx_not_ip 1 plain 5500001c${zeros}c0a863020000
counted "IPv4 longer than the message" drop_rx_not_ip 1 \
	plain 450000250000000040010000c0a86302c0a86301$zeros
counted "IPv4 shorter than its header" drop_rx_not_ip 1 \
	plain 450000130000000040010000c0a86302c0a86301
counted "an IPv4 header that is too short" drop_rx_not_ip 1 \
	plain 440000140000000040010000c0a86302c0a86301
counted "an IPv4 header that is longer than its packet" drop_rx_not_ip 1 \
	plain 460000140000000040010000c0a86302c0a86301
counted "less than an IPv4 header" drop_rx_not_ip 1 plain 45000014
counted "one octet" drop_rx_not_ip 1 plain 45
counted "IPv6 longer than the message" drop_rx_not_ip 1 \
	plain 60000000000101400fd99000000000000000000000000002$zeros
counted "less than an IPv6 header" drop_rx_not_ip 1 plain 6000000000003a40fd99
counted "somebody else's IPv4 source" drop_rx_source 1 \
	plain 450000140000000040010000c0a86303c0a86301
counted "our own IPv4 source" drop_rx_source 1 \
	plain 450000140000000040010000c0a86301c0a86301
counted "somebody else's IPv6 source" drop_rx_source 1 \
	plain 6000000000003b40fd990000000000000000000000000003$zeros
check "somebody else's source is not answered" hostile lost 192.168.99.3 192.168.99.1
check "the session still works" works

#
# Of a session that is over
#
check "another session" hostile handshake
check "and another" hostile handshake
check "and another" hostile handshake
check "works" works
run ns h1 ip link set vpn0 down
run ns h1 ip link set vpn0 up
if ours; then
	drops
	counted "a session from before the device was down" drop_rx_unknown_index 1 plain
else
	check "a session from before the device was down" hostile lost 192.168.99.2 192.168.99.1
fi
check "a new one" hostile handshake
check "works" works

#
# An honest tunnel, of which somebody has recorded all packets.
#
to_hostile=${HOSTILE[1]}
exec {to_hostile}>&-
run tool h1 set vpn0 peer "${PUB[h2]}" preshared-key /dev/null allowed-ips 192.168.99.2/32 \
	endpoint 10.0.0.2:1002
must link_add h2 vpn0 192.168.99.2/24
must tool h2 set vpn0 listen-port 1002 private-key "$TMP/h2.key" peer "${PUB[h1]}" \
	allowed-ips 192.168.99.1/32 endpoint 10.0.0.1:1001
must quiet h2 vpn0
must quiet h1 vpn0
background ip netns exec "$(netns h1)" tcpdump -q -Z root -U -i eth0 -Q out -w "$TMP/capture" udp dst port 1002
tcpdump=$!
must wait_until 10 test -s "$TMP/capture"
must reach h1 192.168.99.2
must flood h1 192.168.99.2 19
# A header of 24 octets, an initiation and 20 messages of 128, and 58 more for each.
recorded() { [ "$(stat -c %s "$TMP/capture")" -ge $((24 + 148 + 58 + 20 * (128 + 58))) ]; }
must wait_until 10 recorded
kill $tcpdump
wait $tcpdump 2>/dev/null

inject()
{
	printf '+ [h1] hostile: %s\n' "$*" >&2
	echo "$*" | KEY="$TMP/h1.key" REMOTE="${PUB[h2]}" LOCAL=10.0.0.1:7777 TO=10.0.0.2:1002 \
		PSK="$TMP/psk" ip netns exec "$(netns h1)" python3 "$SELFTESTS/hostile.py" | grep -qx ok
}
# Its own keepalive may be due meanwhile.
own() { ! ours || echo $((32 * $(count h2 vpn0 rx_keepalives))); }
before=$(received h2 vpn0 "${PUB[h1]}")
own=$(own)
shaken=$(handshake_time h2 vpn0 "${PUB[h1]}")
delivered=$(link_count h2 vpn0 rx packets)
if ours; then
	responses=$(count h2 vpn0 tx_responses)
	check "20 recorded messages once more: counted" \
		counts_up h2 vpn0 drop_rx_replay 20 inject reinject "$TMP/capture" eth0
	check_equal "the recorded initiation is not answered" "$responses" \
		"$(count h2 vpn0 tx_responses)"
	check "recorded messages, changed: counted" \
		counts_up h2 vpn0 drop_rx_bad_tag 20 inject forge "$TMP/capture" eth0 30
else
	check "recorded messages once more" inject reinject "$TMP/capture" eth0
	check "recorded messages, changed" inject forge "$TMP/capture" eth0 30
fi
check_equal "nothing counts as received" $((before + $(own) - own)) \
	"$(received h2 vpn0 "${PUB[h1]}")"
check_equal "nothing is delivered" "$delivered" "$(link_count h2 vpn0 rx packets)"
check_equal "the session is the same" "$shaken" "$(handshake_time h2 vpn0 "${PUB[h1]}")"
check "and works" flood h1 192.168.99.2 10

ktap_end
