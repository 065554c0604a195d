#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Keys and devices that change while a tunnel is in use: preshared keys, private
# keys, one that equals a peer's, up and down, ports in use.
#
#	h1 [vpn0 192.168.99.1] ==== tunnel ==== [vpn0 192.168.99.2] h2
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two

# again NAMESPACE: end the sessions of its device.
again()
{
	run ns "$1" ip link set vpn0 down && run ns "$1" ip link set vpn0 up
}

# shakes_anew COMMAND...: a handshake later than those before comes of it.
shakes_anew()
{
	local before

	before=$(handshake_time h1 vpn0 "${PUB[h2]}")
	# Times are in seconds.
	wait_until 3 [ "$(date +%s)" -gt "$before" ]
	"$@" && [ "$(handshake_time h1 vpn0 "${PUB[h2]}")" -gt "$before" ]
}

#
# Preshared keys
#
(umask 077 && "$VPN_TOOL" genpsk >"$TMP/psk" && "$VPN_TOOL" genpsk >"$TMP/other")
run tool h1 set vpn0 peer "${PUB[h2]}" preshared-key "$TMP/psk"
check "a preshared key on one side only: silence" no_reach h1 192.168.99.2
check_equal "and no handshake" 0 "$(handshake_time h1 vpn0 "${PUB[h2]}")"
run tool h2 set vpn0 peer "${PUB[h1]}" preshared-key "$TMP/other"
again h1
check "different ones: silence" no_reach h1 192.168.99.2
run tool h2 set vpn0 peer "${PUB[h1]}" preshared-key "$TMP/psk"
again h1
check "the same on both sides: a tunnel" reach h1 192.168.99.2
check "with a handshake" shook_hands h1 vpn0 "${PUB[h2]}"
run tool h1 set vpn0 peer "${PUB[h2]}" preshared-key /dev/null
check "taking it away leaves the session alone" reach h1 192.168.99.2
again h1
check "but is felt by the next handshake" no_reach h1 192.168.99.2
run tool h2 set vpn0 peer "${PUB[h1]}" preshared-key /dev/null
again h1
check "away on both sides: a tunnel" reach h1 192.168.99.2

#
# Private keys
#
keys h3
run tool h1 set vpn0 private-key "$TMP/h3.key"
check_equal "the device has the new public key" "${PUB[h3]}" "$(tool h1 show vpn0 public-key)"
check "a new identity that the peer does not know: silence" no_reach h1 192.168.99.2
run tool h2 set vpn0 peer "${PUB[h1]}" remove peer "${PUB[h3]}" \
	allowed-ips 192.168.99.1/32 endpoint 10.0.0.1:1001
again h1
check "one that it knows: a tunnel" reach h1 192.168.99.2
run tool h1 set vpn0 private-key "$TMP/h1.key"
run tool h2 set vpn0 peer "${PUB[h3]}" remove peer "${PUB[h1]}" \
	allowed-ips 192.168.99.1/32 endpoint 10.0.0.1:1001
check "back again, from the other end" reach h2 192.168.99.1

run tool h1 set vpn0 private-key "$TMP/h1.key"
before=$(handshake_time h1 vpn0 "${PUB[h2]}")
check "setting the same key again" reach h1 192.168.99.2
check_equal "leaves the session alone" "$before" "$(handshake_time h1 vpn0 "${PUB[h2]}")"

keys h4
run tool h1 set vpn0 peer "${PUB[h4]}" allowed-ips 192.168.99.4/32
check_equal "two peers" 2 "$(tool h1 show vpn0 peers | wc -l)"
run tool h1 set vpn0 private-key "$TMP/h4.key"
check_equal "a private key that equals a peer's takes that peer away" "${PUB[h2]}" \
	"$(tool h1 show vpn0 peers)"
# Whoever gives all hosts one list of peers means the others.
check "adding it is ignored" run tool h1 set vpn0 peer "${PUB[h4]}" allowed-ips 192.168.99.4/32
check_equal "it is not there" "${PUB[h2]}" "$(tool h1 show vpn0 peers)"

run tool h1 set vpn0 private-key /dev/null
check_equal "no private key" "(none)" "$(tool h1 show vpn0 private-key)"
check "no tunnel" no_reach h1 192.168.99.2
run tool h1 set vpn0 private-key "$TMP/h1.key"
again h1
check "and a tunnel with it" reach h1 192.168.99.2

#
# Up and down
#
run ns h1 ip link set vpn0 down
check "down: nothing arrives" no_reach h2 192.168.99.1
check_equal "peers stay" "${PUB[h2]}" "$(tool h1 show vpn0 peers)"
check "down: the port is not taken" [ -z "$(ns h1 ss -Hlun 'sport = :1001')" ]
run ns h1 ip link set vpn0 up
check "up: a new handshake" shakes_anew reach h1 192.168.99.2
again h2
# h2 has forgotten the session of which h1 still knows.
check "up on the other side: a new handshake" shakes_anew reach h2 192.168.99.1

#
# Ports
#
check_equal "the port in use is shown" 1001 "$(tool h1 show vpn0 listen-port)"
link_add h1 vpn1
run tool h1 set vpn1 listen-port 1001
check_fail "a second device cannot come up on it" ns h1 ip link set vpn1 up
run tool h1 set vpn1 listen-port 0
check "but on a port that the kernel chooses" run ns h1 ip link set vpn1 up
port=$(tool h1 show vpn1 listen-port)
[ "$port" -gt 1023 ] && listening h1 udp "$port"
ok "which is shown" $?
check_fail "it cannot move to one in use" tool h1 set vpn1 listen-port 1001
check_equal "and stays where it was" "$port" "$(tool h1 show vpn1 listen-port)"
check "with its socket" listening h1 udp "$port"
check "the first device is not disturbed" reach h1 192.168.99.2

ktap_end
