#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vpnctl and what a server of version 1 of the protocol has: settings, pools and
# leases, and configurations for its clients.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

SELFTESTS=$(dirname "$0")/..

[ "$VPN_KIND" = vpn ] || skip_all "wg knows nothing of version 1"

# json COMMAND... FILTER: what the filter makes of the tool's JSON in h1.
json()
{
	tool h1 -j "${@:1:$#-1}" | jq -cS "${@: -1}"
}

ktap_start
must ns_add h1
must link_add h1 vpn0
keys h1 h2 laptop phone

#
# Settings of the device.
#
check "device settings are taken" tool h1 set vpn0 private-key "$TMP/h1.key" \
	listen-port 1001 host-name gate max-peers 10 push-dns 10.8.0.1,fd08::1 \
	push-routes 10.0.0.0/8,fd00::/8 push-mtu 1380 push-keepalive 25
check_equal "and shown" '{"host_name":"gate","max_peers":10,"push_dns":["10.8.0.1","fd08::1"],"push_keepalive":25,"push_mtu":1380,"push_routes":["10.0.0.0/8","fd00::/8"]}' \
	"$(json show vpn0 '{host_name, max_peers, push_dns, push_routes, push_mtu, push_keepalive}')"
check_equal "fields for scripts" "gate 10 10.8.0.1,fd08::1 10.0.0.0/8,fd00::/8 1380 25" \
	"$(for f in host-name max-peers push-dns push-routes push-mtu push-keepalive; do
		tool h1 show vpn0 $f
	done | paste -sd' ')"

#
# Pools.
#
check "a pool" tool h1 pool add vpn0 10.8.0.0/24 reserve 10.8.0.1-10.8.0.9,10.8.0.50 lease 1h
check "a second one" tool h1 pool add vpn0 fd08::/64 lease forever
check_equal "pools are shown" '[["10.8.0.0/24",[{"first":"10.8.0.1","last":"10.8.0.9"},{"first":"10.8.0.50","last":"10.8.0.50"}],3600,0],["fd08::/64",[],0,0]]' \
	"$(json pool show vpn0 '[.pools[] | [.prefix, .reserved, .lease_time, .used]]')"
tool h1 pool show >"$TMP/pools"
check "for people" grep -qx '  lease: 1 hour' "$TMP/pools"
check_says "a pool that overlaps" "the kernel refused: .*pool 10\.8\.0\.0/25" \
	tool h1 pool add vpn0 10.8.0.0/25
check_says "a pool that is not there" "the kernel refused: " tool h1 pool del vpn0 10.9.0.0/24

#
# Leases.
#
check "a peer with a lease" tool h1 set vpn0 peer "${PUB[laptop]}" name laptop address auto
check_equal "it has addresses of both pools" '["lease",2,2]' \
	"$(json show vpn0 '.peers[0] | [.address_mode, (.leases | length), (.allowed_ips | length)]')"
check "a peer with an address of its choice" \
	tool h1 set vpn0 peer "${PUB[phone]}" name phone address 10.8.0.77
check_equal "which it gets" '["10.8.0.77/24"]' \
	"$(json show vpn0 '.peers[] | select(.name == "phone") | [.leases[].address]')"
check_says "an address that another one has" "the kernel refused: " \
	tool h1 set vpn0 peer "${PUB[h2]}" address 10.8.0.77
check_equal "leases are shown" '["laptop","laptop","phone"]' \
	"$(json lease show '[.[].name] | sort')"
tool h1 lease show vpn0 >"$TMP/leases"
check "for people" grep -q "^vpn0 10.8.0.77/24 ${PUB[phone]}, name: phone (bound)$" "$TMP/leases"
check_equal "the field of show" "10.8.0.77/24" \
	"$(tool h1 show vpn0 lease | awk -v key="${PUB[phone]}" '$1 == key { print $2 }')"

tool h1 lease dump vpn0 >"$TMP/dump"
check_equal "a dump has a line for each" 3 "$(grep -vc '^#' "$TMP/dump")"
tool h1 showconf vpn0 >"$TMP/conf" 2>/dev/null
check "showconf has the settings" grep -qx "PushDNS = 10.8.0.1, fd08::1" "$TMP/conf"
check "and the addresses" grep -qx "Address = 10.8.0.77" "$TMP/conf"
events() { background ns h1 sh -c "exec vpnctl -j monitor vpn0 >$TMP/events"; }
events
wait_until 5 sh -c "ss -f netlink | grep -q vpnctl" || sleep 1
check "syncconf with what is there" tool h1 syncconf vpn0 "$TMP/conf"
check_says "release: nobody of that name" "no name of a peer of vpn0 with a lease; did you mean 'phone'" \
	tool h1 lease release vpn0 phon
check "release by name" tool h1 lease release vpn0 phone
wait_until 5 grep -q lease-removed "$TMP/events"
check_equal "syncconf changed nothing, the release is an event" \
	'["lease-removed","10.8.0.77/24"]' \
	"$(jq -cS '[.event, .lease.address]' "$TMP/events" | head -n 1)"

check "the peers go" tool h1 set vpn0 peer "${PUB[laptop]}" remove peer "${PUB[phone]}" remove
check_says "a pool in use stays" "the kernel refused: " tool h1 pool del vpn0 10.8.0.0/24
check "it goes by force" tool h1 pool del vpn0 10.8.0.0/24 force
check "and comes again" tool h1 pool add vpn0 10.8.0.0/24
check "leases are restored" tool h1 lease restore vpn0 "$TMP/dump"
check "as they were" diff <(grep -v '^#' "$TMP/dump" | awk '{ print $1, $2 }' | sort) \
	<(tool h1 lease dump vpn0 | grep -v '^#' | awk '{ print $1, $2 }' | sort)

#
# Routes of a peer's own.
#
# routes: what the kernel has of the laptop; null is those of the device.
routes() { json show vpn0 '.peers[] | select(.name == "laptop") | .push_routes'; }
must tool h1 set vpn0 peer "${PUB[laptop]}" name laptop address auto
check_equal "a peer has none of its own" null "$(routes)"
check "routes of its own" tool h1 set vpn0 peer "${PUB[laptop]}" push-routes 10.20.0.0/16,fd20::/32
check_equal "are shown" '["10.20.0.0/16","fd20::/32"]' "$(routes)"
check_equal "as a field" "${PUB[laptop]} 10.20.0.0/16,fd20::/32" \
	"$(tool h1 show vpn0 peer-routes | tr '\t' ' ')"
check_equal "and the device's stay" 10.0.0.0/8,fd00::/8 "$(tool h1 show vpn0 push-routes)"
check_says "too many" "has 33 of them; at most 32 are possible" tool h1 set vpn0 \
	peer "${PUB[laptop]}" push-routes "$(seq -f 10.%g.0.0/16 -s, 1 33)"
check_says "what is none" "'10.0.0.0/99' is not a prefix" \
	tool h1 set vpn0 peer "${PUB[laptop]}" push-routes 10.0.0.0/99
tool h1 showconf vpn0 >"$TMP/conf" 2>/dev/null
check "showconf has them" grep -qx "PushRoutes = 10.20.0.0/16, fd20::/32" "$TMP/conf"
# synced TEXT LINE WANTED: with that line in their place.
synced()
{
	sed "/^PushRoutes = 10.20/c\\$2" "$TMP/conf" >"$TMP/conf.new"
	must tool h1 syncconf vpn0 "$TMP/conf.new"
	check_equal "$1" "$3" "$(routes)"
}
synced "syncconf: none" "PushRoutes =" "[]"
check "which is shown" grep -qx '  push routes: (none)' <<<"$(tool h1 show vpn0)"
check "and printed" grep -qx 'PushRoutes =' <<<"$(tool h1 showconf vpn0 2>/dev/null)"
synced "syncconf: those of the device" "PushRoutes = off" null
synced "syncconf: them again" "PushRoutes = 10.20.0.0/16,fd20::/32" '["10.20.0.0/16","fd20::/32"]'
synced "syncconf: nothing is said" "" null
check "setconf" tool h1 setconf vpn0 "$TMP/conf"
check_equal "has them" '["10.20.0.0/16","fd20::/32"]' "$(routes)"
check "export has them, too" grep -qx 'AllowedIPs = 10.20.0.0/16, fd20::/32' \
	<<<"$(tool h1 export vpn0 laptop)"
check "those of the device again" tool h1 set vpn0 peer "${PUB[laptop]}" push-routes off
check_equal "and none of its own" null "$(routes)"

#
# What a client needs.
#
tool h1 export vpn0 laptop endpoint vpn.example.com:1001 private-key "$TMP/laptop.key" \
	>"$TMP/client"
check "export: addresses" grep -Eqx 'Address = 10\.8\.0\.[0-9]+/24, fd08::[0-9a-f:]*/64' "$TMP/client"
check_equal "export: the remainder" "[Interface]
PrivateKey = $(cat "$TMP/laptop.key")
DNS = 10.8.0.1, fd08::1
MTU = 1380

[Peer]
PublicKey = ${PUB[h1]}
AllowedIPs = 10.0.0.0/8, fd00::/8
Endpoint = vpn.example.com:1001
PersistentKeepalive = 25" "$(grep -v ^Address "$TMP/client")"
check_says "export: another peer's key" "not the key of this peer" \
	tool h1 export vpn0 laptop private-key "$TMP/phone.key"
check_says "export: a code without the key" "without the private key" \
	tool h1 export vpn0 laptop --qr

zbar=$(ldconfig -p 2>/dev/null | awk '/libzbar\.so/ { print $NF; exit }')
[ -n "$zbar" ] || zbar=$(find /usr/lib -name 'libzbar.so.0' 2>/dev/null | head -n 1)
if [ -n "$zbar" ]; then
	tool h1 export vpn0 laptop endpoint vpn.example.com:1001 \
		private-key "$TMP/laptop.key" --qr >"$TMP/code"
	"$SELFTESTS/qr-read.py" "$zbar" <"$TMP/code" >"$TMP/decoded"
	check "the code says the same" diff "$TMP/client" "$TMP/decoded"
else
	skip "the code says the same" "no libzbar here"
fi

ktap_end
