#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A server and a client with the files of deploy/examples as they stand: keys and
# certificates in /etc/vpn, a log in /var/log/vpn, all that the client sends through
# the tunnel.
# The hosts are those of vpnd.sh.
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

needs_credentials
[ -e /vpn/.machine/settings ] || skip_all "not in a test machine, whose /etc may be written"
[ ! -e /etc/vpn ] || skip_all "there is an /etc/vpn"
on_exit() { _vpnd_end; rm -rf /etc/vpn /var/log/vpn; }

ktap_start
must topo_gateway
mkdir -p /etc/vpn /var/log/vpn
cp "$(dirname "$0")"/../../deploy/examples/*.toml /etc/vpn/

# What an administrator puts beside them.
pki() { run vpnctl pki "$@" --dir "$TMP/pki" >&2; }
must pki init
must pki issue server --server --host vpn.example.com
must pki issue client
cp "$TMP/pki/ca.crt" "$TMP"/pki/certs/{server,client}.crt "$TMP"/pki/keys/{server,client}.key /etc/vpn/
vpnctl pubkey <"$TMP/pki/keys/server.key" >/etc/vpn/server.pub
must own_etc c1
echo "10.0.3.1 vpn.example.com" >>"$ETC/hosts"
cp "$ETC/resolv.conf" "$TMP/resolv.conf"

on_tun() { ns c1 ip route get "$1" | grep -q 'dev tun0'; }
outside() { ns c1 ip route get "$1" | grep -q 'dev eth0'; }
connected() { [ "$(ns c1 vpnctl -j status client | jq -r .state)" = connected ]; }
session_cipher() { tool c1 show tun0 -j | jq -r '.peers[0].session_cipher'; }

state gw >"$TMP/gw-before"
state c1 >"$TMP/c1-before"
check "the server's file is right" vpnctl check /etc/vpn/server.toml
check "and the client's" vpnctl check /etc/vpn/client.toml
check "a server starts" vpnd_start gw /etc/vpn/server.toml
check "a client starts" vpnd_start c1 /etc/vpn/client.toml
check "and connects by itself" wait_until 10 connected
check "with an address of the virtual network" has_address c1 tun0 10.8.0.2/24
check_equal "and that MTU" 1420 "$(ns c1 ip -j link show tun0 | jq '.[0].mtu')"
check_equal "and that cipher" chacha20-poly1305 "$(session_cipher)"
check_equal "let in by its certificate" client "$(tool gw -j show vpn0 | jq -r '.peers[].name')"
check "everything goes through it" wait_until 5 on_tun 198.51.100.1
check_equal "to the internet, which sees the server" 10.0.3.1 "$(seen_as c1)"
before=$(count c1 tun0 tx_initiations)
check "the machine sleeps" doze freeze
check "the client connects again" wait_until 20 seen_as c1
check "with another session" test "$(count c1 tun0 tx_initiations)" -gt "$before"
check "what is excluded does not" outside 10.0.2.1
check "nor does the other" outside 192.168.7.2
check "the resolver is that of the file" grep -qx "nameserver 10.8.0.1" "$ETC/resolv.conf"
run ns c1 ip route add 192.168.7.2/32 dev tun0
check "the server's LAN is not reached" no_reach c1 192.168.7.2
run ns c1 ip route del 192.168.7.2/32 dev tun0
check "the log is where it is said" grep -q 'let in.*peer=client.*by=certificate' \
	/var/log/vpn/server.log
check "down" ns c1 vpnctl down client
line='msg=disconnected peer=client .* address=10.8.0.2 endpoint=10.0.1.1:[0-9]+ '
line+='seconds=[0-9]+ received_bytes=[1-9][0-9]* sent_bytes=[1-9][0-9]* reason=link-down'
check "a line tells who left, after how long and how much" wait_until 5 \
	grep -Eq "$line" /var/log/vpn/server.log
check "leaves the client as it was" diff "$TMP/c1-before" <(state c1)
check "down" ns gw vpnctl down server
check "leaves the server as it was" diff "$TMP/gw-before" <(state gw)

# The same client without a certificate is a stranger.
rm "$ETC/vpn/client.crt"
must vpnd_start gw /etc/vpn/server.toml
must vpnd_start c1 /etc/vpn/client.toml
refused() { ns c1 vpnctl -j status client | jq -r .trouble | grep -q "asks for a certificate"; }
check "without a certificate it is refused, in words" wait_until 20 refused
check "down" ns c1 vpnctl down client
check "down" ns gw vpnctl down server

ktap_end
