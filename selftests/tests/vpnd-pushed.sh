#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A server that pushes what a client cannot or must not do: the tunnel works all the
# same, what is excluded stays so, and nothing goes outside. The hosts are those of
# vpnd.sh.
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

ktap_start
must topo_gateway
keys c1
must own_etc c1

# The LAN of the client, all of IPv4, the network that the server is in, a part of
# what the client excludes, and an MTU that no device has.
cat >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/24"
client_mtu = 65535
push_routes = ["10.0.1.0/24", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.0.2.0/25"]
[security]
private_key_path = "$TMP/srv.key"
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
[firewall]
allow_lan_access = true
[[peer]]
name = "laptop"
public_key = "${PUB[c1]}"
END
cat >"$TMP/cli.toml" <<END
[client]
server_address = "10.0.3.1:51820"
server_public_key_path = "$TMP/srv.pub"
auto_connect = false
[security]
private_key_path = "$TMP/c1.key"
[logging]
output = "$TMP/log/cli.log"
level = "debug"
[interface]
name = "tun0"
[routes]
default_gateway = false
split_tunnel = true
exclude_routes = ["10.0.2.0/24"]
END
on_tun() { ns c1 ip route get "$1" | grep -q 'dev tun0'; }
outside() { ns c1 ip route get "$1" | grep -q 'dev eth0'; }
main_table() { ns c1 ip route show table main; }

must vpnd_start gw "$TMP/srv.toml"
must vpnd_start c1 "$TMP/cli.toml"
state c1 >"$TMP/before"
before=$(main_table)
check "connects" vpnctl connect cli
check "what is pushed is taken" wait_until 5 on_tun 198.51.100.1
check "an MTU that cannot be is left out" grep -q 'cannot be done.*what=mtu' "$TMP/log/cli.log"
check "the internet" reach c1 198.51.100.1
check_equal "sees the server" 10.0.3.1 "$(seen_as c1)"
check "the tunnel's own packets go outside" encrypted_outside
check "what is excluded does" outside 10.0.2.1
check "and the LAN" outside 10.0.1.254
check_equal "the main table is as it was" "$before" "$(main_table)"
check "disconnect" vpnctl disconnect cli
state c1 >"$TMP/after"
check "leaves the host as it was" diff "$TMP/before" "$TMP/after"

sed -i 's/default_gateway.*/default_gateway = true/; s/split_tunnel.*/split_tunnel = false/' "$TMP/cli.toml"
must vpnctl reload cli
check "connects with all through it" vpnctl connect cli
check "all goes through it" wait_until 5 on_tun 198.51.100.1
check "IPv6, which it does not carry, goes nowhere" unreachable c1 2001:db8::1
check "what is excluded goes outside" outside 10.0.2.1

#
# Routes that are lost do not let anything out.
#
run ns c1 ip addr flush dev tun0
check_fail "without its address nothing goes outside" ns c1 ip route get 198.51.100.1
check "down" vpnctl down cli

#
# What this host cannot do is told: here, a resolver.
#
cat >>"$TMP/cli.toml" <<END
[dns]
dns_servers = ["10.8.0.1"]
method = "resolved"
END
must vpnd_start c1 "$TMP/cli.toml"
check_says "an update that fails is told" "systemd-resolved refused" vpnctl connect cli
check "and nothing goes outside" on_tun 198.51.100.1
check "down" vpnctl down cli
ktap_end
