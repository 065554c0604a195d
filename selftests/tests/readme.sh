#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What README.md says must be true: the tunnel that it sets up by hand works, with
# WireGuard at one end as well; versions agree, and every counter and tracepoint is in
# the manual.
#
#	client [vpn0 10.8.0.2] ======= tunnel ======= [vpn0 10.8.0.1] server
#	       [eth0 192.0.2.2] ------ cable ------- [eth0 192.0.2.1]
# timeout: 240
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

TREE=$(cd "$(dirname "$0")/../.." && pwd)
README=$TREE/README.md
cd "$TMP" || exit 1

[ "$VPN_KIND" = vpn ] || skip_all "the README is about the link kind vpn"

ktap_start

#
# The tunnel
#

# block N: the Nth fenced block behind the heading "A tunnel by hand".
block()
{
	awk -v wanted="$1" '
		/^## /		{ here = $0 == "## A tunnel by hand" }
		here && /^```/	{ inside = !inside; if (inside) n++; next }
		inside && n == wanted' "$README"
}

# follow HOST N [SED-SCRIPT]: run that block, with the keys of the ends put in, in
# a folder of the host's own. What the block prints goes to standard output.
follow()
{
	local script

	script=$(block "$2" | sed "s,CLIENT_KEY,${KEY[client]:-},; s,SERVER_KEY,${KEY[server]:-},; ${3:-}")
	printf '%s\n' "$script" | sed "s/^/+ [$1] /" >&2
	[ -n "$script" ] && mkdir -p "$TMP/$1" && ns "$1" env -C "$TMP/$1" bash -euc "$script"
}

shaken() { tool server -j show vpn0 | jq -e '.peers[0] | .name == "laptop" and .latest_handshake > 0'; }

# counted HOST COUNTER: whether it is above zero.
counted() { ns "$1" ethtool -S vpn0 | awk -v name="$2:" '$1 == name && $2 > 0 { n = 1 } END { exit !n }'; }

declare -A KEY
must ns_add client server
must veth client eth0 server eth0
must address client eth0 192.0.2.2/24
must address server eth0 192.0.2.1/24

lines=$(for n in 1 2 3; do block $n; done | grep -c .)
check_equal "tunnel by hand takes ten lines" 10 "$lines"
for host in client server; do
	KEY[$host]=$(follow $host 1)
	check_equal "$host: prints its public key" 44 "${#KEY[$host]}"
	check_equal "$host: key is not for everybody to read" 600 "$(stat -c %a "$TMP/$host/vpn.key")"
done
check "server: commands work" follow server 2
check "client: commands work, the ping too" follow client 3
check "server: shows a handshake with its peer of that name" shaken

check "TCP through it" iperf client server 10.8.0.1
check "is sent in trains" counted client tx_trains
check "is received in trains" counted server rx_trains

# Nobody has this address.
TRACING=/sys/kernel/tracing
TRACE=$TRACING/instances/$TEST_NAME
on_exit() { [ ! -d "$TRACE" ] || rmdir "$TRACE"; }
traced()
{
	mkdir "$TRACE" && echo 1 >"$TRACE/events/vpn/enable" || return
	ns client ping -c 1 -W 1 10.8.0.9
	echo 0 >"$TRACE/events/vpn/enable"
	grep 'vpn_drop: .*reason=drop_tx_no_peer' "$TRACE/trace"
}

check_fail "packet to nobody's address" ns client ping -c 1 -W 1 10.8.0.9
check "is counted with the cause" counted client drop_tx_no_peer
if [ -d "$TRACING/instances" ]; then
	check "is traced with it" traced
else
	skip "is traced with it" "no tracefs"
fi

# The same commands, with WireGuard in the client's.
wireguard='s/type vpn/type wireguard/; s/vpnctl/wg/g'
for host in client server; do
	must ns $host ip link del vpn0
done
if ns client ip link add wg0 type wireguard 2>/dev/null; then
	ns client ip link del wg0
	KEY[client]=$(follow client 1 "$wireguard")
	check "client with WireGuard: server's commands work" follow server 2
	check "client with WireGuard: client's commands work, the ping too" follow client 3 "$wireguard"
	check "client with WireGuard: server shows the handshake" shaken
else
	skip "client with WireGuard" "this kernel has none"
	must follow server 2
fi

#
# Versions
#
version=$(cat "$TREE/VERSION")
check_equal "dkms.conf has the version" "$version" \
	"$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$TREE/dkms.conf")"
check_equal "the packages have it" "$version" \
	"$(sed -n '1s/^vpn (\(.*\)) .*/\1/p' "$TREE/debian/changelog")"
check_equal "module has it" "$version" "$(modinfo -F version vpn)"
check_equal "tool has it" "vpnctl $version" "$(vpnctl version | head -n 1)"

#
# The manual of the device
#
MANUAL=$TREE/Documentation/man/vpn.4

# undocumented WORD...: print those that the manual does not explain.
undocumented()
{
	local word

	for word; do
		grep -qxE "\.It (Cm|Va|Li|Dv) $word( .*)?" "$MANUAL" || echo "$word"
	done
}

counters=$(ns server ethtool -S vpn0 | sed -n 's/^ *\([a-z0-9_]*\): .*/\1/p')
check "ethtool lists counters" [ "$(wc -w <<<"$counters")" -gt 20 ]
# shellcheck disable=SC2086 # a list of words
check_equal "manual has every counter" "" "$(undocumented $counters)"
if [ -d "$TRACING/events/vpn" ]; then
	# shellcheck disable=SC2046 # a list of words
	check_equal "manual has every tracepoint" "" \
		"$(undocumented $(find "$TRACING/events/vpn" -name 'vpn_*' -printf '%f '))"
else
	skip "manual has every tracepoint" "no tracefs"
fi
# shellcheck disable=SC2046 # a list of words
check_equal "manual has every parameter" "" "$(undocumented $(ls /sys/module/vpn/parameters))"

ktap_end
