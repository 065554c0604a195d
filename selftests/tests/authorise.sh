#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Strangers: an initiation from an unknown key waits until somebody decides.
#
#	server [vpn0] ==== ? ==== [vpn0] client
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ours || skip_all "$VPN_KIND has no authorisation"
ktap_start
must ns_add server client
must veth server eth0 client eth0
must address server eth0 10.0.0.1/24
must address client eth0 10.0.0.2/24
must keys server client
must link_add server vpn0 10.8.0.1/24
must link_add client vpn0 10.8.0.2/24

ask() { run tool client set vpn0 peer "${PUB[server]}" "$@"; }
restart() { run ns client ip link set vpn0 down && run ns client ip link set vpn0 up; }

# request FILTER: of the latest auth-request.
request() { tail -n 1 "$TMP/requests" | jq -r ".auth_request | $1"; }
session() { [ "$(peer_of "$1" .session_cipher)" != null ]; }
reached_refused() { [ "$(count server vpn0 drop_handshake_refused)" -ge 1 ]; }
not_there() { ! run tool server reject vpn0 "${PUB[client]}" expired; }
requests() { wc -l <"$TMP/requests"; }
asked() { [ "$(requests)" -ge "$1" ]; }
listen()
{
	background ns server bash -c "exec '$VPN_TOOL' monitor auth -j >'$TMP/requests'"
	listener=$!
	wait_until 5 listening
}
listening() { [ -e "/proc/$listener" ] && grep -q . /proc/net/netlink && sleep 0.5; }

must run tool server set vpn0 listen-port 1001 private-key "$TMP/server.key"
must run ns server ip link set vpn0 up
must run tool client set vpn0 listen-port 1002 private-key "$TMP/client.key" host-name laptop
must run ns client ip link set vpn0 up
# A token, as far as the kernel is concerned.
(umask 077 && printf 'e30.e30.c2lnbmF0dXJl' >"$TMP/token")
ask endpoint 10.0.0.1:1001 allowed-ips 10.8.0.1/32 persistent-keepalive 1

#
# Nobody listens
#
check "without a listener: silence" wait_until 10 reached_refused
check_equal "no request" 0 "$(count server vpn0 auth_requests)"

#
# Version 0: by the key alone
#
: >"$TMP/requests"
listen
restart
check "a WireGuard client is asked about" wait_until 15 asked 1
check_equal "by its key" "${PUB[client]}" "$(request .public_key)"
check_equal "version 0" 0 "$(request .protocol_version)"
check_equal "from where" 10.0.0.2:1002 "$(request .endpoint)"
check_equal "without a credential" null "$(request .credential)"
run tool server set vpn0 peer "${PUB[client]}" allowed-ips 10.8.0.2/32
check "added, it is answered at once" wait_until 2 session client
check "echoes" flood client 10.8.0.1 10
run tool server set vpn0 peer "${PUB[client]}" remove

#
# Version 1: with a credential
#
before=$(requests)
ask credential "$TMP/token" cipher any
restart
check "with a credential" wait_until 15 asked $((before + 1))
check_equal "kind" jwt "$(request .credential_kind)"
check_equal "the very octets" "$(base64 -w0 <"$TMP/token")" "$(request .credential)"
check_equal "host name" laptop "$(request .host_name)"
check_equal "version 1" 1 "$(request .protocol_version)"
check_equal "asked once only" $((before + 1)) "$(requests)"
before=$(requests)
check "rejected" run tool server reject vpn0 "${PUB[client]}" revoked "this certificate was revoked"
check "the client hears why" wait_until 5 peer_is client .last_refusal.reason revoked
check_equal "in words" "this certificate was revoked" "$(peer_of client .last_refusal.text)"
check "nobody waits any more" not_there
check "asked again" wait_until 15 asked $((before + 1))
run tool server set vpn0 peer "${PUB[client]}" allowed-ips 10.8.0.2/32 cipher any
check "added, it is answered at once" wait_until 2 session client
check "echoes" flood client 10.8.0.1 10
run tool server set vpn0 peer "${PUB[client]}" remove

#
# Nobody decides
#
before=$(requests)
restart
check "asked again" wait_until 15 asked $((before + 1))
idle_lobby() { [ "$(tool client show vpn0 -j | jq '.peers[0].unanswered')" -ge 3 ]; }
check "nobody decides: silence" wait_until 25 idle_lobby

ktap_end
