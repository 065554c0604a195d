#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vpnctl at the client's end: what it is told by the server and puts onto its
# device, echoes, and a stranger that is sent away.
#
#	h1 [vpn0 10.8.0.1, a pool 10.8.0.0/24] ==== [vpn0 10.8.0.99] h2
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

[ "$VPN_KIND" = vpn ] || skip_all "wg knows nothing of version 1"

# client FILTER, server FILTER: what jq makes of 'show'.
client() { tool h2 -j show vpn0 | jq -cS "$1"; }
server() { tool h1 -j show vpn0 | jq -cS "$1"; }

ktap_start
must topo_two
keys h1 h2 laptop phone
must link_add h1 vpn0 10.8.0.1/24
must tool h1 pool add vpn0 10.8.0.0/24 reserve 10.8.0.1
must tool h1 set vpn0 private-key "$TMP/h1.key" listen-port 1001 push-dns 10.8.0.1,fd08::1 \
	push-routes 10.0.0.0/8,fd00::/8 push-mtu 1380 push-keepalive 25 \
	peer "${PUB[laptop]}" name laptop \
	peer "${PUB[h2]}" address 10.8.0.99 cipher any
must ns h1 ip link set vpn0 up

#
# A client that asks for its address, and configures what it is told. What others
# put there stays.
#
must link_add h2 vpn0 192.168.99.2/24
must ns h2 ip link set vpn0 up
must ns h2 ip route add 10.77.0.0/16 dev vpn0 proto 118
must ns h2 ip route add 10.78.0.0/16 dev vpn0
tool h2 apply vpn0 --dry-run >"$TMP/steps" 2>/dev/null
check_equal "apply: nothing is assigned, so what it once did goes" \
	"ip route del 10.77.0.0/16 dev vpn0 proto 118" "$(cat "$TMP/steps")"
check "apply --dry-run: does nothing" \
	sh -c "ip -n $(netns h2) route show dev vpn0 | grep -q '^10.77.0.0/16'"

# Generic netlink is number 16; only who listens has groups.
listens() { ns "$1" cat /proc/net/netlink | awk '$2 == 16 && $4 != "00000000"' | grep -q .; }
background ns h2 sh -c "exec vpnctl -j monitor >$TMP/events"
must wait_until 10 listens h2

must tool h2 set vpn0 host-name roamer private-key "$TMP/h2.key" \
	peer "${PUB[h1]}" name gate endpoint 10.0.0.1:1001 \
	allowed-ips 10.0.0.0/8,fd00::/8 address auto cipher aes-256-gcm
assigned() { client '.peers[0].assigned | .addresses == ["10.8.0.99/24"]' | grep -qx true; }
check "the client is assigned an address" wait_until 20 assigned
check_equal "and more" '{"addresses":["10.8.0.99/24"],"dns":["10.8.0.1","fd08::1"],"expires":null,"keepalive":25,"lease_time":null,"mtu":1380,"routes":["10.0.0.0/8","fd00::/8"]}' \
	"$(client '.peers[0].assigned | del(.time)')"
check_equal "cipher, version and mode are shown" '["aes-256-gcm","aes-256-gcm",1,"request"]' \
	"$(client '.peers[0] | [.cipher, .session_cipher, .protocol_version, .address_mode]')"
check_equal "the server shows the client's name" roamer \
	"$(server '.peers[] | .host_name // empty' | tr -d '"')"
tool h2 show vpn0 >"$TMP/show"
check "for people" grep -qx '  assigned dns: 10.8.0.1, fd08::1' "$TMP/show"
check "apply" tool h2 apply vpn0
check_equal "apply: its addresses, and those of others" '["10.8.0.99/24","192.168.99.2/24"]' \
	"$(ns h2 ip -4 -j address show dev vpn0 | jq -c '[.[0].addr_info[] | "\(.local)/\(.prefixlen)"] | sort')"
check_equal "apply: its routes" "10.0.0.0/8 fd00::/8" \
	"$({ ns h2 ip -4 route show dev vpn0 proto 118; ns h2 ip -6 route show dev vpn0 proto 118; } |
		awk '{ print $1 }' | paste -sd' ')"
check "apply: the routes of others" \
	sh -c "ip -n $(netns h2) route show dev vpn0 | grep -q '^10.78.0.0/16'"
check_equal "apply: the MTU" 1380 "$(ns h2 ip -j link show vpn0 | jq '.[0].mtu')"
check_equal "apply again: nothing is left to be done" \
	"# DNS is left to you, for instance: resolvectl dns vpn0 10.8.0.1 fd08::1" \
	"$(tool h2 apply vpn0 2>&1)"
check "traffic from that address" reach h2 10.8.0.1

#
# A default route needs a mark, by which encrypted packets pass it.
#
# push ROUTES: tell the client, who asks again.
push()
{
	run tool h1 set vpn0 push-routes "$1" &&
		run tool h2 set vpn0 peer "${PUB[h1]}" address off &&
		run tool h2 set vpn0 peer "${PUB[h1]}" address auto
}

told() { client '.peers[0].assigned.routes' | grep -qxF "$1"; }
# An initiation so soon after the last one would be left out.
must timescale 20
must push 0.0.0.0/0
check "the client is told" wait_until 20 told '["0.0.0.0/0"]'
check_says "apply: no mark" "route 0.0.0.0/0 is left out: .*fwmark 51820" tool h2 apply vpn0
must tool h2 set vpn0 fwmark 51820
must tool h2 set vpn0 peer "${PUB[h1]}" allowed-ips 0.0.0.0/0
check "apply: with a mark" tool h2 apply vpn0
must address h1 lo 172.16.0.1/32
check "what has no route goes through the tunnel" reach h2 172.16.0.1
check "what has one does not" reach h2 10.0.0.1
check_equal "apply again: nothing is left to be done" "" "$(tool h2 apply vpn0 2>&1 | grep -v '^#')"
must push ""
check "the client is told" wait_until 20 told '[]'
check "apply: takes it away" tool h2 apply vpn0
check_equal "apply: no rule is left" "" "$(ns h2 ip rule show | grep 51820)"

must timescale 1

#
# Echoes.
#
tool h2 ping vpn0 gate count 3 interval 0.2 >"$TMP/ping"
status=$?
check_equal "ping: exit status" 0 $status
check_equal "ping: three answers and a summary" "3 sent: 3, answered: 3" \
	"$(grep -c '^answer from' "$TMP/ping") $(grep -o '^sent: 3, answered: 3' "$TMP/ping")"
check_equal "ping -j" '[true,true,1]' \
	"$(tool h2 -j ping vpn0 gate count 1 | jq -cs '[.[0].rtt_ns > 0, .[1].least_ns > 0, .[1].answered]')"
check "the time is shown" sh -c "[ $(client '.peers[0].rtt_ns') -gt 0 ]"
check_says "ping: nobody of that name" "is neither the key nor the name of a peer of vpn0; did you mean 'gate'" \
	tool h2 ping vpn0 gat count 1
check_says "ping: no session" "the kernel refused: " tool h1 ping vpn0 laptop count 1

#
# Without the peer nothing is assigned.
#
must tool h2 set vpn0 peer "${PUB[h1]}" remove
check "apply: all that it did goes" tool h2 apply vpn0
check_equal "but not the addresses of others" '["192.168.99.2/24"]' \
	"$(ns h2 ip -4 -j address show dev vpn0 | jq -c '[.[0].addr_info[] | "\(.local)/\(.prefixlen)"]')"
check_equal "nor their routes" "10.78.0.0/16" \
	"$(ns h2 ip -4 route show dev vpn0 | awk '!/proto kernel/ { print $1 }')"

#
# A stranger.
#
background ns h1 sh -c "exec vpnctl -j monitor auth vpn0 >$TMP/strangers"
echo "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln" >"$TMP/token"
chmod 600 "$TMP/token"
must link_add h2 vpn1
must wait_until 10 listens h1
must tool h2 set vpn1 private-key "$TMP/phone.key" peer "${PUB[h1]}" endpoint 10.0.0.1:1001 \
	allowed-ips 10.8.0.0/24 credential "$TMP/token" persistent-keepalive 25
must ns h2 ip link set vpn1 up
check "monitor auth: a stranger" wait_until 20 grep -q auth-request "$TMP/strangers"
check_equal "with its credential" "[\"${PUB[phone]}\",\"jwt\",true]" \
	"$(head -n 1 "$TMP/strangers" | jq -c --arg token "$(cat "$TMP/token")" \
		'.auth_request | [.public_key, .credential_kind, (.credential | @base64d) == $token]')"
check "reject" tool h1 reject vpn0 "${PUB[phone]}" revoked "the phone was lost"
refused() { tool h2 show vpn1 refusal | grep -q 'the phone was lost'; }
check "the stranger is told" wait_until 10 refused
check_equal "and shows it" "last refusal: the phone was lost" \
	"$(tool h2 show vpn1 | sed -n 's/^ *\(last refusal: .*\), .* ago$/\1/p; s/^ *\(last refusal: .*\), now$/\1/p')"
check_says "reject: nobody waits" "the kernel refused: " tool h1 reject vpn0 "${PUB[laptop]}" revoked

# event NAME FILTER: what the filter makes of the first event of that name.
event() { jq -cS "select(.event == \"$1\") | $2" "$TMP/events" | head -n 1; }
check_equal "monitor: what was assigned" '["10.8.0.99/24"]' "$(event assigned .peer.assigned.addresses)"
check_equal "monitor: echoes" true "$(event echo-done '.peer.rtt_ns > 0')"
check_equal "monitor: the refusal" '["revoked","the phone was lost",false]' \
	"$(event refused '.peer.last_refusal | [.reason, .text, .ours]')"

#
# Somebody who does not answer, and somebody whose time is over.
#
must timescale 20
must tool h2 set vpn1 peer "${PUB[h1]}" remove peer "${PUB[laptop]}" endpoint 10.0.0.1:9 \
	cipher aes-256-gcm persistent-keepalive 25 expires +1h
hinted() { tool h2 show vpn1 | grep -q '^  hint: no answer to version 1; '; }
check "show: a hint" wait_until 20 hinted
check "show: the time that is left" sh -c \
	"nsenter --net=/run/netns/$(netns h2) vpnctl show vpn1 | grep -Eq '^  expires: in (1 hour|59 minutes)'"
must tool h2 set vpn1 peer "${PUB[laptop]}" expires +1
check "monitor: it is over" wait_until 20 sh -c "grep -q peer-expired $TMP/events"
check_equal "showconf has the time" 1 "$(tool h2 showconf vpn1 | grep -c '^Expires = 20.*Z$')"

ktap_end
