#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
#
# The handshake with a peer that is a program of ours, which can do what no
# honest peer does.
#
#	h1 [vpn0 192.168.99.1] ---- [10.0.0.2:1002 handshake.py] h2
#
# FORM and CIPHER, if they are set, make it another version and suite than WireGuard's.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

HERE=$(cd "$(dirname "$0")/.." && pwd)
SCALE=/sys/module/vpn/parameters/timescale

# scale N: let the protocol's clocks run so many times faster.
scale()
{
	[ ! -e "$SCALE" ] || echo "$1" >"$SCALE"
}

on_exit() { scale 1; }

# The counter of a kind of event, by ethtool's name.
counter()
{
	ns h1 ethtool -S vpn0 | awk -v name="$1:" '$1 == name { print $2 }'
}

# peer CASE: be the peer.
peer()
{
	KEY=$TMP/h2.key PSK=$TMP/psk REMOTE=${PUB[h1]} LOCAL=10.0.0.2:1002 TO=10.0.0.1:1001 \
		ns h2 python3 "$HERE/handshake.py" "$1"
}

# What may explain a failure.
state()
{
	ns h1 ip -s link show vpn0
	tool h1 show vpn0
	[ "$VPN_KIND" != vpn ] || ns h1 ethtool -S vpn0 | grep -v ': 0$'
}

# Begin anew: no session, no handshake, no cookie; time stamps are not forgotten.
restart()
{
	ns h1 ip link set vpn0 down && ns h1 ip link set vpn0 up
}

# prompted CASE: the same while the kernel has something to send.
prompted()
{
	local status=0 ping

	restart || return
	background ns h1 ping -q -i 0.2 192.168.99.2
	ping=$!
	peer "$1" || status=$?
	kill "$ping" 2>/dev/null
	wait "$ping" 2>/dev/null
	[ "$status" = 0 ] || state >&2
	return "$status"
}

handshake_known()
{
	[ "$(tool h1 show vpn0 latest-handshakes | cut -f 2)" -gt 0 ]
}

# Time stamps of before and after somebody sets the clock back.
clock_set_back()
{
	local before after

	before=$(prompted stamp) || return
	date -s "@$(($(date +%s) - 3600))" >/dev/null
	after=$(prompted stamp)
	date -s "@$(($(date +%s) + 3600))" >/dev/null
	note "$before, then $after"
	[[ $after > $before ]]
}

ktap_start
must topo_two
must keys h1 h2
(umask 077 && "$VPN_TOOL" genpsk >"$TMP/psk")
must link_add h1 vpn0 192.168.99.1/24
must tool h1 set vpn0 listen-port 1001 private-key "$TMP/h1.key" peer "${PUB[h2]}" \
	preshared-key "$TMP/psk" allowed-ips 192.168.99.2/32 endpoint 10.0.0.2:1002 \
	${CIPHER:+cipher "$CIPHER"}
must ns h1 ip link set vpn0 up

check "an initiation is answered" peer answer
check "the session is in use" wait_until 5 handshake_known
check "replayed and older time stamps are refused" peer replay
check "a peer can't initiate more than 50 times a second" peer rate
check "strangers get no answer" peer stranger
check "malformed messages get no answer" peer malformed

scale 2
check "an initiation of the kernel can be answered" prompted respond
check "forged responses are refused and spoil nothing" prompted bad_response
check "a cookie that was given is used" prompted cookie
if [ "$VPN_KIND" = vpn ]; then
	check "two initiations that cross both succeed" prompted crossing
fi
check "under load, a cookie is asked for and taken" peer load
if [ "$VPN_KIND" = vpn ]; then
	cookies=$(counter tx_cookies)
	[ "$cookies" -gt 0 ]
	ok "cookies were counted" $?
fi

if [ "$VPN_KIND" != vpn ] || [ ! -e /vpn/.machine/settings ]; then
	skip "time stamps never go back" "not in a test machine, whose clock may be set"
else
	check "time stamps never go back" clock_set_back
fi
ktap_end
