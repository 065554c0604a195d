#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A server from one file: device, key, pool, peers, forwarding, NAT, isolation,
# and what a reload changes.
#
#	c1 [eth0 10.0.1.1] --+                    +-- [eth0 198.51.100.1] web ("internet")
#	c2 [eth0 10.0.2.1] --+-- router ----------+
#	                     |  10.0.3.254        +-- [eth0 192.168.7.2] lan, by gw only
#	                     gw [eth0 10.0.3.1] [eth1 192.168.7.1]
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
wg_client c2

server_file() { cat >"$TMP/srv.toml"; }
server_file <<END
[server]
listen_address = "0.0.0.0:51820"
virtual_network = "10.8.0.0/24"
max_clients = 100
reserved_addresses = ["10.8.0.2-10.8.0.9"]
lease_time = "1h"
[security]
private_key_path = "$TMP/srv.key"
[encryption]
algorithm = "any"
[logging]
output = "$TMP/log/srv.log"
[firewall]
allow_lan_access = false
allow_server_access = true
dns_servers = ["192.168.7.2"]
[interface]
name = "vpn0"
[[peer]]
name = "one"
public_key = "${PUB[c1]}"
[[peer]]
name = "two"
public_key = "${PUB[c2]}"
address = "10.8.0.77"
END

state gw >"$TMP/before"
check "starts" vpnd_start gw "$TMP/srv.toml"
check_equal "the key is for its owner only" 600 "$(stat -c %a "$TMP/srv.key")"
check_equal "the public key beside it is that of the device" "$(cat "$TMP/srv.pub")" \
	"$(tool gw show vpn0 public-key)"
check_equal "address of the server" "10.8.0.1/24" \
	"$(ns gw ip -j -4 addr show vpn0 | jq -r '.[0].addr_info[0] | "\(.local)/\(.prefixlen)"')"
check_equal "peers have names and leases" "one 10.8.0.10/24 two 10.8.0.77/24" \
	"$(tool gw -j show vpn0 | jq -r '.peers | sort_by(.name) | map("\(.name) \(.leases[0].address)") | join(" ")')"
check_equal "forwarding is on" 1 "$(ns gw sysctl -n net.ipv4.ip_forward)"
check_equal "status" "server vpn0" "$(vpnctl -j status srv | jq -r '"\(.role) \(.device)"')"

#
# Two clients that are WireGuard.
#
client_up c1 10.8.0.10
client_up c2 10.8.0.77
check "a client reaches the server" reach c1 10.8.0.1
check "and the internet" reach c1 198.51.100.1
check_equal "with the server's address" 10.0.3.1 "$(seen_as c1)"
check "the other client, too" reach c2 198.51.100.1
check "a client does not reach the other" no_reach c1 10.8.0.77
check "nor the server's LAN" no_reach c1 192.168.7.2
check "nor the server's address there" no_reach c1 192.168.7.1
check "but the name server in it" asks_dns c1 192.168.7.2
check "a line tells who connected" wait_until 5 grep -Eq \
	'msg=connected peer=one public_key=[^ ]* address=10.8.0.10 endpoint=10.0.1.1:' "$TMP/log/srv.log"
check_fail "no key is in the log" grep -qF "$(cat "$TMP/srv.key")" "$TMP/log/srv.log"
check "no key is in the journal" test -z "$(grep -F "$(cat "$TMP/srv.key")" "$VPN_RUNTIME_DIR/srv.journal")"

#
# Reload.
#
cp "$TMP/srv.toml" "$TMP/first.toml"
check_equal "nothing differs" "nothing differs" "$(vpnctl reload srv)"
sed -i 's/allow_lan_access = false/allow_lan_access = true\nclient_to_client = true/; s/address = "10.8.0.77"/&\nkeepalive = 25/' \
	"$TMP/srv.toml"
check_equal "a plan" "~ peer two ${PUB[c2]} ~ nftables table inet vpn_vpn0" \
	"$(vpnctl reload --dry-run srv | paste -sd' ')"
check "is carried out only without --dry-run" no_reach c1 10.8.0.77
background ns c1 sh -c "exec ping -n -i 0.2 10.8.0.1 >$TMP/ping"
ping=$!
check "reload" vpnctl reload srv
check "the clients reach each other" reach c1 10.8.0.77
check "and the LAN" reach c1 192.168.7.2
check "a reload loses not a ping" lossless "$ping" "$TMP/ping"
background ns gw socat TCP-LISTEN:2222,fork,reuseaddr EXEC:true
must wait_until 10 listening gw tcp 2222
takes() { ns c1 socat -T 3 - "TCP:$1:2222,connect-timeout=3" </dev/null; }
check "clients reach what the server has" takes 10.8.0.1
sed -i 's/^allow_server_access.*/allow_server_access = false/' "$TMP/srv.toml"
check "unless they are not to" vpnctl reload srv
check_fail "not inside of the tunnel" takes 10.8.0.1
check_fail "nor at its address in the LAN" takes 192.168.7.1
check "they may ping it" reach c1 10.8.0.1
check "and reach the LAN" reach c1 192.168.7.2
sed -i 's/^max_clients.*/max_clients = -5/' "$TMP/srv.toml"
check_says "a wrong file is refused" "srv.toml:4:15: max_clients: -5 is out of range" vpnctl reload srv
check "and nothing has changed" reach c1 10.8.0.77
sed -i 's/^max_clients.*/max_clients = 100/; s/^\[hooks\].*//' "$TMP/srv.toml"
printf '[hooks]\nup = "false"\n' >>"$TMP/srv.toml"
sed -i 's/client_to_client = true/client_to_client = false/' "$TMP/srv.toml"
check_says "a step that fails" "the hook 'false' ended with status 1" vpnctl reload srv
check "is taken back with all others" reach c1 10.8.0.77
cp "$TMP/first.toml" "$TMP/srv.toml"
check "SIGHUP loads as well" kill -HUP "$(vpnd_pid srv)"
check "the clients don't reach each other any more" wait_until 5 no_reach c1 10.8.0.77

check "down" vpnctl down srv
state gw >"$TMP/after"
check "leaves the host as it was" diff "$TMP/before" "$TMP/after"
ktap_end
