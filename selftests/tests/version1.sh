#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Version 1 of the protocol between two ends: addresses from a pool, what clients
# are told, cipher suites, refusals with a reason, goodbye, echo, expiry.
#
#	server [vpn0 10.8.0.1] ==== tunnel ==== [vpn0] client
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ours || skip_all "$VPN_KIND has no version 1"
ktap_start
must ns_add server client
must veth server eth0 client eth0
must address server eth0 10.0.0.1/24
must address client eth0 10.0.0.2/24
must keys server client other third
must link_add server vpn0 10.8.0.1/24 fd08::1/64
must link_add client vpn0

serve() { run tool server set vpn0 peer "${PUB[client]}" "$@"; }
ask() { run tool client set vpn0 peer "${PUB[server]}" "$@"; }
refused() { wait_until 15 peer_is client '.last_refusal.reason' "$1"; }
no_room() { ! run tool server set vpn0 peer "${PUB[third]}" address auto; }
refused_in_words() { [[ $(peer_of client .last_refusal.text) == *"$1"* ]]; }
restart() { run ns client ip link set vpn0 down && run ns client ip link set vpn0 up; }

must run tool server set vpn0 listen-port 1001 private-key "$TMP/server.key"
must run tool server pool add vpn0 10.8.0.0/24 reserve 10.8.0.1-10.8.0.9 lease 1h
must run tool server pool add vpn0 fd08::/64
must run tool server set vpn0 push-dns 10.8.0.1,fd08::1 push-routes 10.9.0.0/16,fd09::/32 \
	push-mtu 1380 push-keepalive 21 host-name gateway
must run ns server ip link set vpn0 up
must run tool client set vpn0 listen-port 1002 private-key "$TMP/client.key" host-name laptop
must run ns client ip link set vpn0 up
must serve address auto

#
# One round trip
#
ask endpoint 10.0.0.1:1001 allowed-ips 0.0.0.0/0,::/0 address auto
check "the client gets an address without sending a packet" \
	wait_until 10 peer_is client '.assigned.addresses[0]' 10.8.0.10/24
check_equal "of both families" 2 "$(peer_of client '.assigned.addresses | length')"
check_equal "DNS" 10.8.0.1,fd08::1 "$(peer_of client '.assigned.dns | join(",")')"
check_equal "routes" 10.9.0.0/16,fd09::/32 "$(peer_of client '.assigned.routes | join(",")')"
check_equal "MTU and keepalive" "1380 21" \
	"$(peer_of client '"\(.assigned.mtu) \(.assigned.keepalive)"')"
check_equal "lease" 3600 "$(peer_of client '.assigned.lease_time')"
check_equal "version" 1 "$(peer_of client .protocol_version)"
check_equal "the server knows the client's name" laptop "$(peer_of server .host_name)"
check_equal "one initiation" 1 "$(count client vpn0 tx_initiations)"
check_equal "one response" 1 "$(count client vpn0 rx_responses)"
check "apply puts it onto the device" run tool client apply vpn0
check_equal "address" 10.8.0.10/24 \
	"$(ns client ip -j -4 addr show dev vpn0 | jq -r '.[0].addr_info[0] | "\(.local)/\(.prefixlen)"')"
check_equal "MTU" 1380 "$(ns client ip -j link show dev vpn0 | jq '.[0].mtu')"
check "route" grep -q "dev vpn0" <<<"$(ns client ip route show 10.9.0.0/16)"
check "echoes" flood client 10.8.0.1 20
check "IPv6 echoes" flood client fd08::1 20
check "TCP" tcp client server 10.8.0.1 --octets 200000
check "UDP of all sizes" udp client server 10.8.0.1 --count 100
check "UDP trains" udp server client 10.8.0.10 --count 120 --size 1000 --gso --gro
check_equal "all tags were right" "0 0" \
	"$(count client vpn0 drop_rx_bad_tag) $(count server vpn0 drop_rx_bad_tag)"

#
# Echo
#
check "ping says how long it took" run tool client ping vpn0 "${PUB[server]}" count 2 interval 0.2
[ "$(peer_of client .rtt_ns)" -gt 0 ]
ok "show has it" $?
[ "$(peer_of client '.echo_latency.count')" -ge 2 ]
ok "and the histogram" $?
[ "$(peer_of client '.handshake_latency.count')" = 1 ]
ok "that of handshakes, too" $?
check_equal "and both of the device" "1 true" "$(tool client show vpn0 -j |
	jq -r '"\(.handshake_latency.count) \(.echo_latency.count >= 2)"')"
check "the server may ask, too" run tool server ping vpn0 "${PUB[client]}" count 1

#
# Goodbye
#
run ns client ip link set vpn0 down
check "the server hears that the client's link is down" \
	wait_until 5 peer_is server '.last_disconnect.reason' link-down
check_equal "and has no session any more" null "$(peer_of server '.session_cipher')"
run ns client ip link set vpn0 up
check "the same address again" wait_until 10 peer_is client '.assigned.addresses[0]' 10.8.0.10/24
check "a session again" wait_until 10 peer_is client .session_cipher chacha20-poly1305

#
# Cipher suites
#
ask cipher aes-256-gcm
restart
check "refused: cipher" refused cipher-not-allowed
check "in words" grep -q "aes-256-gcm is not allowed" <<<"$(peer_of client .last_refusal.text)"
[ "$(count client vpn0 rx_rejects)" -ge 1 ]
ok "counted" $?
check_equal "the server knows that it refused" true "$(peer_of server .last_refusal.ours)"
serve cipher any
restart
check "allowed now" wait_until 10 peer_is client .session_cipher aes-256-gcm
run tool client apply vpn0
check "AES-256-GCM: echoes" flood client 10.8.0.1 20
check "AES-256-GCM: TCP" tcp client server 10.8.0.1 --octets 200000
check "AES-256-GCM: UDP of all sizes" udp client server 10.8.0.1 --count 100
check_equal "all tags were right" "0 0" \
	"$(count client vpn0 drop_rx_bad_tag) $(count server vpn0 drop_rx_bad_tag)"
ask cipher chacha20-poly1305
restart
check "and the other one as well" wait_until 10 peer_is client .session_cipher chacha20-poly1305

#
# Fixed addresses, and none
#
ask address 10.8.0.5
restart
check "refused: a reserved address" refused address-not-available
ask address 10.8.0.77
restart
check "an address of its choice" wait_until 10 peer_is client '.assigned.addresses[0]' 10.8.0.77/24
serve address 10.8.0.78
restart
check "refused: another address is the peer's" wait_until 10 refused_in_words "another address"
ask address auto
restart
check "that one" wait_until 10 peer_is client '.assigned.addresses[0]' 10.8.0.78/24
serve address off
restart
check "refused: no address for this peer" refused address-not-available
serve address auto

#
# Expiry
#
restart
check "a session again" wait_until 40 peer_is client .session_cipher chacha20-poly1305
serve expires +2s
check "the client hears that its time is over" \
	wait_until 10 peer_is client '.last_disconnect.reason' expired
restart
check "refused: expired" refused expired
serve expires never
restart
check "not any more" wait_until 40 peer_is client .session_cipher chacha20-poly1305

#
# A full server
#
run tool server set vpn0 max-peers 1 peer "${PUB[other]}" cipher any
must link_add client vpn1
run tool client set vpn1 listen-port 1003 private-key "$TMP/other.key" \
	peer "${PUB[server]}" endpoint 10.0.0.1:1001 cipher any
run ns client ip link set vpn1 up
run tool client set vpn1 peer "${PUB[server]}" persistent-keepalive 5
full() { [ "$(tool client show vpn1 -j | jq -r '.peers[0].last_refusal.reason')" = server-full ]; }
check "refused: server full" wait_until 15 full
run ns client ip link set vpn0 down
seated() { [ "$(tool client show vpn1 -j | jq -r '.peers[0].session_cipher')" != null ]; }
check "until another one has left" wait_until 15 seated
run tool server set vpn0 max-peers 0 peer "${PUB[other]}" remove
removed() { [ "$(tool client show vpn1 -j | jq -r '.peers[0].last_disconnect.reason')" = peer-removed ]; }
check "the client hears that it was removed" wait_until 5 removed
run ns client ip link del vpn1

#
# A pool without a free address: the client's is released, and goes to another
#
run tool server set vpn0 peer "${PUB[client]}" remove
run tool server pool del vpn0 fd08::/64 force
run tool server pool del vpn0 10.8.0.0/24 force
run tool server pool add vpn0 10.8.4.0/30
serve address auto cipher any
run tool server set vpn0 peer "${PUB[other]}" address auto
run ns client ip link set vpn0 up
check "a small pool" wait_until 10 peer_is client '.assigned.addresses[0]' 10.8.4.1/30
check "refused at once: the pool is exhausted" no_room
run ns client ip link set vpn0 down
run tool server lease release vpn0 "${PUB[client]}"
run tool server set vpn0 peer "${PUB[third]}" address auto
run ns client ip link set vpn0 up
check "refused: pool exhausted" refused pool-exhausted
check "in words" refused_in_words "pool 10.8.4.0/30 is exhausted"
run tool server set vpn0 peer "${PUB[third]}" remove
run tool server lease release vpn0 "${PUB[third]}"
restart
check "once there is room" wait_until 10 peer_is client '.assigned.addresses[0]' 10.8.4.1/30

#
# The other end is WireGuard
#
if modprobe wireguard 2>/dev/null; then
	run ns server ip link del vpn0
	must run ns server ip link add wg0 type wireguard
	run ns server wg set wg0 listen-port 1001 private-key "$TMP/server.key" \
		peer "${PUB[client]}" allowed-ips 10.8.0.2/32
	run ns server ip link set wg0 up
	restart
	says() { grep -q "no answer to version 1" <<<"$(tool client show vpn0)"; }
	check "WireGuard at the other end: show says what is the matter" wait_until 20 says
	ask address off cipher chacha20-poly1305 persistent-keepalive 1
	check "and version 0 is answered" wait_until 15 peer_is client .unanswered 0
fi

ktap_end
