# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests against other implementations have in common.  They set up h2,
# where `wg` configures the other one's device vpn0; h1 has ours.

# interop_ends: h2's device is there; give both their addresses, keys and peers.
interop_ends()
{
	address h2 vpn0 192.168.99.2/24 fd99::2/64 &&
		tool h1 set vpn0 listen-port 1001 private-key "$TMP/h1.key" \
			peer "${PUB[h2]}" endpoint 10.0.0.2:1002 \
			allowed-ips 192.168.99.2/32,fd99::2/128 &&
		ns h2 wg set vpn0 listen-port 1002 private-key "$TMP/h2.key" \
			peer "${PUB[h1]}" endpoint 10.0.0.1:1001 \
			allowed-ips 192.168.99.1/32,fd99::1/128 &&
		ns h1 ip link set vpn0 up &&
		ns h2 ip link set vpn0 up
}

# interop NAME: all of it, against a peer of that name.
interop()
{
	local name=$1 port before

	# The other end begins anew, and so do we.
	fresh()
	{
		ns h1 ip link set vpn0 down
		ns h2 ip link set vpn0 down
		ns h2 ip link set vpn0 up
		ns h1 ip link set vpn0 up
		# Routes went with the links.
		address h1 vpn0 fd99::1/64 2>/dev/null
		address h2 vpn0 fd99::2/64 2>/dev/null
		return 0
	}
	theirs() { run ns h2 wg set vpn0 "$@"; }
	mine() { run tool h1 set vpn0 "$@"; }

	check "we begin: echo" arrives h1 192.168.99.2
	check "we begin: handshake" shook_hands h1 vpn0 "${PUB[h2]}"
	check "IPv6 echoes" flood h1 fd99::2 30
	check "TCP" tcp h1 h2 192.168.99.2 --octets 600000
	check "IPv6 TCP of odd segments" tcp h2 h1 fd99::1 --octets 300000 --segment 777
	check "UDP of all sizes" udp h1 h2 192.168.99.2 --count 300
	check "UDP trains from us" udp h1 h2 192.168.99.2 --count 240 --size 1000 --gso
	check "UDP trains from $name" udp h2 h1 192.168.99.1 --count 240 --size 1000 --gso --gro
	check_equal "the octets that we sent are those received" \
		"$(sent h1 vpn0 "${PUB[h2]}")" \
		"$(ns h2 wg show vpn0 transfer | awk -v k="${PUB[h1]}" '$1 == k { print $2 }')"

	fresh
	check "$name begins: echo" arrives h2 192.168.99.1
	check "$name begins: TCP" tcp h2 h1 192.168.99.1 --octets 300000
	check "$name begins: echo from us" reach h1 192.168.99.2

	(umask 077 && "$VPN_TOOL" genpsk >"$TMP/psk")
	theirs peer "${PUB[h1]}" preshared-key "$TMP/psk"
	fresh
	check "preshared key here but not there: silence" no_reach h1 192.168.99.2
	mine peer "${PUB[h2]}" preshared-key "$TMP/psk"
	fresh
	check "preshared key: we begin" arrives h1 192.168.99.2
	fresh
	check "preshared key: $name begins" arrives h2 192.168.99.1
	check "preshared key: TCP" tcp h1 h2 192.168.99.2 --octets 300000

	mine listen-port 3001
	check "we move to another port" arrives h1 192.168.99.2
	check_equal "$name follows" 10.0.0.1:3001 \
		"$(ns h2 wg show vpn0 endpoints | awk -v k="${PUB[h1]}" '$1 == k { print $2 }')"
	port=4002
	theirs listen-port $port
	check "$name moves to another port" arrives h2 192.168.99.1
	check "we follow" endpoint_is h1 vpn0 "${PUB[h2]}" 10.0.0.2:$port
	mine peer "${PUB[h2]}" endpoint "[fd00::2]:$port"
	check "inside IPv6" arrives h1 192.168.99.2
	check "inside IPv6: TCP" tcp h1 h2 fd99::2 --octets 300000
	check_equal "$name follows there" "[fd00::1]:3001" \
		"$(ns h2 wg show vpn0 endpoints | awk -v k="${PUB[h1]}" '$1 == k { print $2 }')"

	mine peer "${PUB[h2]}" persistent-keepalive 1
	theirs peer "${PUB[h1]}" persistent-keepalive 1
	before=$(received h1 vpn0 "${PUB[h2]}")
	kept() { [ "$(received h1 vpn0 "${PUB[h2]}")" -ge $((before + 64)) ]; }
	check "keepalives of $name arrive" wait_until 10 kept
	mine peer "${PUB[h2]}" persistent-keepalive 0
	theirs peer "${PUB[h1]}" persistent-keepalive 0
}

# interop_rekey NAME: our clocks run faster, so we renew sessions more often than
# the other end would.
interop_rekey()
{
	on_exit() { echo 1 >/sys/module/vpn/parameters/timescale; }
	timescale 60
	check "new sessions under traffic: TCP" \
		across_sessions 2 tcp h1 h2 192.168.99.2 --octets 600000
	check "new sessions under traffic: UDP, none lost" \
		across_sessions 1 udp h1 h2 192.168.99.2 --count 300 --size 100-1300
	check_equal "all tags were right" 0 "$(count h1 vpn0 drop_rx_bad_tag)"
	timescale 1
}
