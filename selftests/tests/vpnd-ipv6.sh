#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# IPv6 from end to end: the server's name has only an IPv6 address, IPv4 is not there
# outside at all, and both go through the tunnel: pool, default routes, NAT, kill
# switch, DNS; and nothing is left of it.
#
#	c1 [eth0 2001:db8:1::1] ----- router --+-- [eth0 2001:db8:9::1, 198.51.100.1] web
#	                                       +-- [eth0 2001:db8:3::1, 10.0.3.1] gw
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

topo()
{
	local host net

	ns_add router c1 gw web || return
	for host in c1:1 gw:3 web:9; do
		net=${host#*:}
		host=${host%:*}
		veth "$host" eth0 router "eth$net" &&
			address "$host" eth0 "2001:db8:$net::1/64" &&
			address router "eth$net" "2001:db8:$net::fe/64" &&
			ns "$host" ip route add default via "2001:db8:$net::fe" || return
	done
	# IPv4 is there behind the server only.
	for host in gw:3:10.0.3 web:9:198.51.100; do
		net=${host##*:}
		address "${host%%:*}" eth0 "$net.1/24" &&
			address router "eth$(cut -d: -f2 <<<"$host")" "$net.254/24" &&
			ns "${host%%:*}" ip route add default via "$net.254" || return
	done
	ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	background ns web "$SELFTESTS/names.py" 2001:db8:9::1 vpn.example.com=2001:db8:3::1
	background ns web python3 -c 'if True:
		import socket
		server = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
		while True:
		    client, address = server.accept()
		    client.send(address[0].encode())
		    client.close()'
	wait_until 10 listening web tcp 80 && wait_until 10 listening web udp 53
}
# seen ADDRESS: as whom a host at that address sees c1.
seen() { ns c1 socat -T 3 - "TCP:$1:80,connect-timeout=3" </dev/null; }
on_tun() { ns c1 ip route get "$1" | grep -q 'dev tun0'; }
nowhere() { ! ns c1 ip route get "$1"; }
has_address6() { ns "$1" ip -6 addr show "$2" | grep -q "inet6 $3 "; }
knows() { host c1 getent ahostsv6 vpn.example.com | grep -q '^2001:db8:3::1 '; }

ktap_start
must topo
keys c1
must own_etc c1
echo "nameserver 2001:db8:9::1" >"$ETC/resolv.conf"

cat >"$TMP/srv.toml" <<END
[server]
listen_address = "[2001:db8:3::1]:51820"
virtual_network = ["fd08::/64", "10.8.0.0/24"]
[security]
private_key_path = "$TMP/srv.key"
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
[firewall]
dns_servers = ["2001:db8:9::1"]
[[peer]]
name = "laptop"
public_key = "${PUB[c1]}"
address = ["fd08::20", "10.8.0.20"]
END
cat >"$TMP/cli.toml" <<END
[client]
server_address = "vpn.example.com:51820"
server_public_key_path = "$TMP/srv.pub"
auto_connect = false
[security]
private_key_path = "$TMP/c1.key"
[logging]
output = "$TMP/log/cli.log"
[interface]
name = "tun0"
[dns]
method = "file"
[firewall]
kill_switch = true
END
state gw >"$TMP/before-gw"
state c1 >"$TMP/before"
must vpnd_start gw "$TMP/srv.toml"
check "starts" vpnd_start c1 "$TMP/cli.toml"
check "before it is connected nothing leaves" no_reach c1 2001:db8:1::fe
check "connects to a name that has an IPv6 address only" vpnctl connect cli
check "from IPv6" wait_until 5 has_address6 c1 tun0 fd08::20/64
check "with IPv4 as well" has_address c1 tun0 10.8.0.20/24
check_equal "over IPv6" "[2001:db8:3::1]:51820" \
	"$(field c1 tun0 endpoints "$(cat "$TMP/srv.pub")")"
check "IPv6 goes through it" wait_until 5 on_tun 2001:db8:9::1
check "IPv4 goes through it" on_tun 198.51.100.1
check "the internet of IPv6" reach c1 2001:db8:9::1
check_equal "sees the server" 2001:db8:3::1 "$(seen '[2001:db8:9::1]')"
check "the internet of IPv4" reach c1 198.51.100.1
check "the server inside" reach c1 fd08::1
check "nothing leaves past it" no_reach c1 2001:db8:1::fe
check_equal "the resolver is the server's" "nameserver 2001:db8:9::1" "$(grep nameserver "$ETC/resolv.conf")"
check "names are asked for through it" knows
mtu=$(ns c1 ip -j link show tun0 | jq '.[0].mtu')
check "whole packets of IPv6" reach c1 2001:db8:9::1 -s $((mtu - 48)) -M "do"
check "TCP, over both" tcp c1 web 2001:db8:9::1,198.51.100.1 --octets 200000
check "nobody is led astray" host c1 vpnctl doctor "$TMP/cli.toml"
check "down" vpnctl down cli
state c1 >"$TMP/after"
check "leaves the host as it was" diff "$TMP/before" "$TMP/after"

#
# IPv6 alone.
#
must sed -i 's/, "10.8.0.0\/24"//; s/, "10.8.0.20"//' "$TMP/srv.toml"
must sed -i 's/auto_connect = false/auto_connect = true/' "$TMP/cli.toml"
must vpnctl down srv
must vpnd_start gw "$TMP/srv.toml"
must vpnd_start c1 "$TMP/cli.toml"
check "with IPv6 alone" arrives c1 2001:db8:9::1
check "IPv4 goes nowhere" nowhere 198.51.100.1
check "killed" vpnd_kill cli
check "nothing leaves past it still" no_reach c1 2001:db8:1::fe
check "it goes on" reach c1 2001:db8:9::1
check "what it left is undone" host c1 vpnd --undo cli
state c1 >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"
check "down" vpnctl down srv
state gw >"$TMP/after"
check "and the server's host" diff "$TMP/before-gw" "$TMP/after"
ktap_end
