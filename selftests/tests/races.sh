#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything at once: devices and peers come and go, settings change, namespaces
# end, while packets flow.  What is tested is that the machine survives, that
# nothing is left behind and that a tunnel still works afterwards.
#
#	h1 [vpn0] ==== tunnel, with traffic ==== [vpn0] h2
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two
must keys a b c
must reach h1 192.168.99.2
PERIOD=${PERIOD:-3}

# Loops run until that file appears.
STOP=$TMP/stop
H1=$(netns h1)
H2=$(netns h2)

# inside NAMESPACE COMMAND...
inside() { nsenter --net="/run/netns/$1" -- "${@:2}"; }

# while_running COMMAND...: again and again; how often is written to a file of the
# loop's number.
while_running()
{
	local rounds=0

	while [ ! -e "$STOP" ]; do
		"$@" >/dev/null 2>&1
		rounds=$((rounds + 1))
	done
	echo "$rounds $*" >>"$TMP/rounds"
}

# at_once COMMAND...: all of them for a while, side by side, under traffic.
LOOPS=()
loop() { while_running "$@" & LOOPS+=("$!"); }
at_once_end()
{
	sleep "$PERIOD"
	touch "$STOP"
	wait "${LOOPS[@]}"
	LOOPS=()
	rm -f "$STOP"
	sed 's/^/+ times: /' "$TMP/rounds" >&2
	mv "$TMP/rounds" "$TMP/done"
	# Each must have been through once; what is less is in nobody's way.
	awk '$1 < 1 { bad = 1 } END { exit bad }' "$TMP/done"
}

flood_on() { inside "$H1" ping -q -f -c 200 -W 1 "$1"; }

#
# Devices
#
add_and_delete()
{
	ip -n "$1" link add "$2" type "$VPN_KIND" &&
		inside "$1" "$VPN_TOOL" set "$2" private-key "$TMP/a.key" listen-port "$3" \
			peer "${PUB[h2]}" endpoint 10.0.0.2:1002 allowed-ips 192.168.97.0/24 \
			persistent-keepalive 1 peer "${PUB[c]}" endpoint '[fd00::2]:7' &&
		ip -n "$1" link set "$2" up &&
		ip -n "$1" addr add 192.168.97.1/24 dev "$2" &&
		inside "$1" ping -q -c 2 -i 0.01 -W 0.05 192.168.97.2
	ip -n "$1" link del "$2"
}
# Many in one go: starting a program takes longer than adding a link.
batch()
{
	local n

	for n in {1..15}; do
		printf '%s\n' "link add b$2 type $VPN_KIND" "addr add 192.168.94.$2/32 dev b$2" \
			"link set b$2 up" "link set b$2 mtu 1300" "link set b$2 down" \
			"link set b$2 up" "link del b$2"
	done | ip -force -n "$1" -batch -
}
look() { "$VPN_TOOL" show; inside "$1" "$VPN_TOOL" show; ip -n "$1" -s link; }

traffic_begin h1 h2 192.168.99.2 -b 6M
loop add_and_delete "$H1" vpn1 2001
loop add_and_delete "$H1" vpn2 2002
loop add_and_delete "$H2" vpn1 2001
loop batch "$H1" 1
loop batch "$H1" 2
loop look "$H1"
check "devices come and go" at_once_end
traffic_end
check "the tunnel works" reach h1 192.168.99.2

#
# Peers
#
change_peer()
{
	"$VPN_TOOL" set vpn0 peer "$1" allowed-ips 192.168.96.0/24,fd96::/64 endpoint 10.0.0.2:9 \
		persistent-keepalive 1
	"$VPN_TOOL" set vpn0 peer "$1" allowed-ips 192.168.96.0/25,192.168.96.128/25 \
		endpoint '[fd00::2]:9'
	"$VPN_TOOL" set vpn0 peer "$1" remove
}
in_h1() { inside "$H1" bash -c "$(declare -f "$1"); VPN_TOOL=$VPN_TOOL TMP=$TMP; \"\$@\"" _ "$@"; }
settings()
{
	local n

	for n in 0 1 2 3; do
		"$VPN_TOOL" set vpn0 fwmark "$n"
		"$VPN_TOOL" set vpn0 listen-port $((1500 + n))
		"$VPN_TOOL" set vpn0 peer "$1" endpoint 10.0.0.2:1002 allowed-ips 192.168.99.2/32,fd99::2/128
		"$VPN_TOOL" set vpn0 peer "$1" endpoint '[fd00::2]:1002'
		"$VPN_TOOL" set vpn0 peer "$1" preshared-key /dev/null
	done
}

traffic_begin h1 h2 192.168.99.2 -b 6M
loop in_h1 change_peer "${PUB[a]}"
loop in_h1 change_peer "${PUB[b]}"
loop flood_on 192.168.96.2
loop in_h1 settings "${PUB[h2]}"
loop look "$H1"
check "peers come and go, settings change" at_once_end
traffic_end
run tool h1 set vpn0 listen-port 1001 fwmark 0
check "the tunnel works" reach h1 192.168.99.2

#
# The peer that has the traffic, and the device's identity
#
remove_and_add()
{
	"$VPN_TOOL" set vpn0 peer "$1" remove
	"$VPN_TOOL" set vpn0 peer "$1" endpoint 10.0.0.2:1002 allowed-ips 192.168.99.2/32,fd99::2/128
}
identity()
{
	"$VPN_TOOL" set vpn0 private-key "$TMP/a.key"
	"$VPN_TOOL" set vpn0 private-key "$TMP/h1.key"
}
down_and_up() { ip link set vpn0 down; ip link set vpn0 up; }
back_flood() { inside "$H2" ping -q -f -c 200 -W 1 192.168.99.1; }

traffic_begin h1 h2 192.168.99.2 -b 6M
loop in_h1 remove_and_add "${PUB[h2]}"
loop in_h1 identity
loop in_h1 down_and_up
loop flood_on 192.168.99.2
loop back_flood
check "the peer of the traffic goes and comes, up and down, identities change" at_once_end
traffic_end
run tool h1 set vpn0 private-key "$TMP/h1.key"
run ns h1 ip link set vpn0 down
run ns h1 ip link set vpn0 up
check "the tunnel works" wait_until 20 reach h1 192.168.99.2

if ours; then
	# Sessions that change all the time.
	timescale 100
	traffic_begin h1 h2 192.168.99.2 -b 6M
	loop in_h1 remove_and_add "${PUB[h2]}"
	loop flood_on 192.168.99.2
	loop back_flood
	check "sessions are short" at_once_end
	traffic_end
	timescale 1
	check "the tunnel works" wait_until 20 reach h1 192.168.99.2
fi

#
# Namespaces
#
spaces()
{
	local name=$H1-x$1

	ip netns add "$name"
	ip -n "$H1" link add "x$1" type "$VPN_KIND"
	inside "$H1" "$VPN_TOOL" set "x$1" private-key "$TMP/a.key" peer "${PUB[h2]}" \
		endpoint 10.0.0.2:1002 allowed-ips 0.0.0.0/0 persistent-keepalive 1
	ip -n "$H1" link set "x$1" netns "$name"
	ip -n "$name" link set "x$1" up
	ip -n "$name" addr add "192.168.95.$1/32" dev "x$1"
	ip -n "$name" route add default dev "x$1"
	inside "$name" ping -q -f -c 20 -W 0.05 192.168.95.9
	ip netns del "$name"
}
births()
{
	local name=$H1-y$1

	ip netns add "$name"
	ip -n "$name" link add "y$1" netns "$H1" type "$VPN_KIND"
	inside "$H1" "$VPN_TOOL" set "y$1" private-key "$TMP/a.key"
	ip -n "$H1" link set "y$1" up
	ip netns del "$name"
	ip -n "$H1" link del "y$1"
}
traffic_begin h1 h2 192.168.99.2 -b 6M
loop spaces 1
loop spaces 2
loop births 1
loop look "$H1"
check "namespaces come and go" at_once_end
traffic_end
check "the tunnel works" reach h1 192.168.99.2

#
# Deletion under traffic
#
traffic_begin h1 h2 192.168.99.2
background ns h1 ping -q -f -c 100000 192.168.99.2
background ns h2 ping -q -f -c 100000 192.168.99.1
run sleep 0.5
check "a device is deleted under traffic" run ns h1 ip link del vpn0
check "the other one, too" run ns h2 ip link del vpn0
traffic_end
# shellcheck disable=SC2046 # a list of numbers
kill -9 $(jobs -p) 2>/dev/null
check_fail "it is gone" ns h1 ip link show vpn0

ktap_end
