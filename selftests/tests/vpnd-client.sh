#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A client from one file, towards a server from another: address, MTU, routes, DNS,
# kill switch, failover, and that nothing is left of it.
# The hosts are those of vpnd.sh.
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

cat >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/24"
client_mtu = 1380
[security]
private_key_path = "$TMP/srv.key"
[encryption]
algorithm = "any"
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
[firewall]
dns_servers = ["10.8.0.1"]
allow_lan_access = true
[[peer]]
name = "laptop"
public_key = "${PUB[c1]}"
END
client_file()
{
	cat <<-END
		[client]
		server_address = $1
		server_public_key_path = "$TMP/srv.pub"
		resolve_interval = "4s"
		auto_connect = false
		[security]
		private_key_path = "$TMP/c1.key"
		[logging]
		output = "$TMP/log/cli.log"
		level = "debug"
		[interface]
		name = "tun0"
	END
	cat
}
on_tun() { ns c1 ip route get "$1" | grep -q 'dev tun0'; }
outside() { ns c1 ip route get "$1" | grep -q 'dev eth0'; }

must vpnd_start gw "$TMP/srv.toml"
echo "10.0.3.1 vpn.example.com" >>"$ETC/hosts"
cp "$ETC/resolv.conf" "$TMP/resolv.conf"

client_file '"vpn.example.com:51820"' >"$TMP/cli.toml" <<END
[routes]
default_gateway = true
split_tunnel = false
exclude_routes = ["10.0.2.0/24"]
[dns]
use_vpn_dns = true
END
state c1 >"$TMP/before"
check "starts" vpnd_start c1 "$TMP/cli.toml"
check_equal "waits to be told" waiting "$(vpnctl -j status cli | jq -r .state)"
check "nothing goes through it yet" outside 198.51.100.1
check "connect" vpnctl connect cli
check "with an address" wait_until 5 has_address c1 tun0 10.8.0.2/24
check_equal "and the MTU of the server" 1380 "$(ns c1 ip -j link show tun0 | jq ".[0].mtu")"
check "everything goes through it" wait_until 5 on_tun 198.51.100.1
check "IPv6, which it does not carry, goes nowhere" unreachable c1 2001:db8::1
check "what is excluded does not" outside 10.0.2.1
check "nor do the tunnel's own packets" encrypted_outside
check "the internet" reach c1 198.51.100.1
check_equal "sees the server" 10.0.3.1 "$(seen_as c1)"
check "what is excluded is reached" reach c1 10.0.2.1
check_equal "the resolver is the server's" "nameserver 10.8.0.1" "$(grep nameserver "$ETC/resolv.conf")"
check_equal "status" "connected vpn.example.com" \
	"$(vpnctl -j status cli | jq -r '"\(.state) \(.server)"')"

check "reload with other routes" sh -c "
	sed -i 's/default_gateway = true/default_gateway = false/; s/split_tunnel = false/split_tunnel = true/' $TMP/cli.toml
	echo 'domains = \"example.com\"' >>$TMP/cli.toml
	sed -i '/^exclude/d; s/^split_tunnel.*/&\nroutes = [\"198.51.100.0\\/25\"]/' $TMP/cli.toml
	vpnctl reload cli"
check "a network goes through it" on_tun 198.51.100.1
check "others don't" outside 198.51.100.200
check_equal "the domain is searched" "search example.com" "$(grep search "$ETC/resolv.conf")"
check "disconnect" vpnctl disconnect cli
check "nothing goes through it" outside 198.51.100.1
check "the resolver is as it was" cmp "$ETC/resolv.conf" "$TMP/resolv.conf"
check "down" vpnctl down cli
state c1 >"$TMP/after"
check "leaves the host as it was" diff "$TMP/before" "$TMP/after"

#
# The first server does not answer; nothing goes out otherwise.
#
client_file '["10.0.2.1:51820", "10.0.3.1:51820"]' >"$TMP/cli.toml" <<END
[firewall]
kill_switch = true
END
sed -i '/auto_connect/d' "$TMP/cli.toml"
check "starts and connects by itself" vpnd_start c1 "$TMP/cli.toml"
check "nothing leaves meanwhile" no_reach c1 10.0.1.254
check "the second server is taken" wait_until 20 on_tun 198.51.100.1
check "through the tunnel it works" reach c1 198.51.100.1
check "but not past it" no_reach c1 10.0.1.254

cp "$TMP/cli.toml" "$TMP/two.toml"
sed -i 's/^server_address.*/server_address = "10.0.2.1:51820"/' "$TMP/cli.toml"
check "a look at a file with fewer servers" vpnctl reload --dry-run cli
check_equal "changes nothing" "connected 10.0.3.1" \
	"$(vpnctl -j status cli | jq -r '"\(.state) \(.server)"')"
sed "s|^private_key_path.*|private_key_path = \"$TMP/none.key\"|" "$TMP/two.toml" >"$TMP/cli.toml"
check "nor does one at a key that is not there" vpnctl reload --dry-run cli
check "make that key" test ! -e "$TMP/none.key"
cp "$TMP/two.toml" "$TMP/cli.toml"
check "killed" vpnd_kill cli
check "nothing leaves past it still" no_reach c1 10.0.1.254
check "starts again" vpnd_start c1 "$TMP/cli.toml"
check_equal "and is connected" connected "$(vpnctl -j status cli | jq -r .state)"
check "as it was" reach c1 198.51.100.1

#
# The server goes, and comes again.
#
must vpnctl down srv
must vpnd_start gw "$TMP/srv.toml"
check "a server that was gone is found again" arrives c1 198.51.100.1
check "down" vpnctl down cli
state c1 >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"

sed -i '/server_public_key_path/d' "$TMP/cli.toml"
must vpnd_start c1 "$TMP/cli.toml"
check_says "without the server's key" "the server's public key is not known" vpnctl connect cli
check "down" vpnctl down cli
ktap_end
