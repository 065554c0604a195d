#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# However a server ends, the host is as it was before; a restart keeps leases, and
# if it is asked to, sessions. The hosts are those of vpnd.sh.
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

ktap_start
must topo_gateway
keys c1 c2
wg_client c1

cat >"$TMP/srv.toml" <<END
[server]
virtual_network = ["10.8.0.0/24", "fd08::/64"]
[security]
private_key_path = "$TMP/srv.key"
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
[[peer]]
name = "one"
public_key = "${PUB[c1]}"
address = ["10.8.0.10", "fd08::10"]
[[peer]]
name = "two"
public_key = "${PUB[c2]}"
END
cp "$TMP/srv.toml" "$TMP/first.toml"

state gw >"$TMP/before"
must vpnd_start gw "$TMP/srv.toml"
state gw >"$TMP/during"
check_fail "a server changes much" diff -q "$TMP/before" "$TMP/during"
check_equal "IPv6 is forwarded, too" 1 "$(ns gw cat /proc/sys/net/ipv6/conf/all/forwarding)"
tool gw lease dump vpn0 | grep -v '^#' | awk '{ print $1, $2 }' | sort >"$TMP/leases"
check_equal "leases of both kinds" 4 "$(wc -l <"$TMP/leases")"
check "down" vpnctl down srv
state gw >"$TMP/after"
check "leaves the host as it was" diff "$TMP/before" "$TMP/after"
check "and no journal" test ! -e "$VPN_RUNTIME_DIR/srv.journal"

must vpnd_start gw "$TMP/srv.toml"
check "leases are the same after a stop" diff "$TMP/leases" \
	<(tool gw lease dump vpn0 | grep -v '^#' | awk '{ print $1, $2 }' | sort)
client_up c1 10.8.0.10
must arrives c1 10.8.0.1
handshake=$(tool gw show vpn0 latest-handshakes)
number() { ns gw ip -o link show vpn0 | cut -d: -f1; }
index=$(number)
check "killed" vpnd_kill srv
check "what it made is still there" reach c1 198.51.100.1
check "starts again" vpnd_start gw "$TMP/srv.toml"
check_equal "with the same device" "$index" "$(number)"
check "what goes through it goes on" reach c1 198.51.100.1
check_equal "in the same session" "$handshake" "$(tool gw show vpn0 latest-handshakes)"
check "down" vpnctl down srv
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"

must vpnd_start gw "$TMP/srv.toml"
vpnd_kill srv
check "what a killed one left is undone by itself" ns gw vpnd --undo srv
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"

printf '[hooks]\nup = "exit 3"\n' >>"$TMP/srv.toml"
check_fail "a start that fails" vpnd_start gw "$TMP/srv.toml"
check "says why" grep -q "the hook 'exit 3' ended with status 3" "$TMP/log/srv.log"
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"

cp "$TMP/first.toml" "$TMP/srv.toml"
must ns gw ip link add vpn0 type vpn
check_fail "a device of somebody else's" vpnd_start gw "$TMP/srv.toml"
check "is said to be that" grep -q "there is a device 'vpn0' already" "$TMP/log/srv.log"
check "is left alone" ns gw ip link del vpn0

#
# A table that is there already is not taken for ours.
#
masquerades() { ns gw nft list table inet vpn_vpn0 | grep -q masquerade; }
must ns gw nft add table inet vpn_vpn0
must vpnd_start gw "$TMP/srv.toml"
check "a stale table is replaced" masquerades
check "down" vpnctl down srv

#
# A peer that has moved is left where it is, until the file names another place.
#
endpoint_is() { tool gw show vpn0 endpoints | grep -qF "$1"; }
on_lan() { ns gw nft list set inet vpn_vpn0 lan4 | grep -qF "$1"; }
sed -i 's/^name = "one"/&\nendpoint = "10.0.2.1:9999"/' "$TMP/srv.toml"
must vpnd_start gw "$TMP/srv.toml"
check "a peer is where the file says at first" endpoint_is 10.0.2.1:9999
client_up c1 10.8.0.10
must arrives c1 10.8.0.1
check "then where it speaks from" endpoint_is 10.0.1.1
run ns c1 ip link set vpn0 down
must ns gw ip route add 203.0.113.0/24 dev eth1
check "routes change" wait_until 10 on_lan 203.0.113.0/24
check "and it is still there" endpoint_is 10.0.1.1
must sed -i 's/9999/9998/' "$TMP/srv.toml"
check "reload with another place" vpnctl reload srv
check "is followed" endpoint_is 10.0.2.1:9998
must vpnctl down --keep srv
must sed -i 's/9998/9997/' "$TMP/srv.toml"
must vpnd_start gw "$TMP/srv.toml"
check "at the next start, too" endpoint_is 10.0.2.1:9997
check "down" vpnctl down srv
must ns gw ip route del 203.0.113.0/24 dev eth1
cp "$TMP/first.toml" "$TMP/srv.toml"

#
# A hook that changes is undone as it was made.
#
printf '[hooks]\nup = "echo up1 >>%s/hooks"\ndown = "echo down1 >>%s/hooks"\n' "$TMP" "$TMP" \
	>>"$TMP/srv.toml"
must vpnd_start gw "$TMP/srv.toml"
must sed -i 's/up1/up2/; s/down1/down2/' "$TMP/srv.toml"
check "reload with other hooks" vpnctl reload srv
check "down" vpnctl down srv
check_equal "hooks are run in pairs" "up1 down1 up2 down2" "$(paste -sd' ' "$TMP/hooks")"
cp "$TMP/first.toml" "$TMP/srv.toml"
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"

#
# A restart that keeps all.
#
must vpnd_start gw "$TMP/srv.toml"
client_up c1 10.8.0.10
must arrives c1 10.8.0.1
background ns c1 sh -c "exec ping -n -i 0.1 10.8.0.1 >$TMP/ping"
ping=$!
handshake=$(tool gw show vpn0 latest-handshakes)
check "down, but everything stays" vpnctl down --keep srv
check "up again" vpnd_start gw "$TMP/srv.toml"
must arrives c1 10.8.0.1
check "not a ping is lost" lossless "$ping" "$TMP/ping"
check_equal "in the same session" "$handshake" "$(tool gw show vpn0 latest-handshakes)"
check "down" vpnctl down srv
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"
ktap_end
