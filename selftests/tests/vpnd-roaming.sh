#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A client that goes from one network to another: its address and its uplink change,
# for a while there is none at all, and connections through the tunnel go on. Nothing
# goes past it meanwhile. The hosts are those of vpnd.sh, and c1 has a second uplink:
#
#	c1 [eth0 10.0.1.1] --+
#	   [eth4 10.0.4.1] --+-- router
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

on_tun() { ns c1 ip route get "$1" | grep -q 'dev tun0'; }
marked_by() { ns c1 ip route get 10.0.3.1 mark 51820 | grep -q "dev $1"; }
is_at() { tool gw show vpn0 endpoints | grep -qF "$1:"; }

# A connection through the tunnel, to a host that sends back each line.
connect()
{
	background ns web socat TCP-LISTEN:7,fork,reuseaddr EXEC:cat
	wait_until 10 listening web tcp 7 || return
	mkfifo "$TMP/to" "$TMP/from"
	background sh -c "exec nsenter --net=/run/netns/$(netns c1) \
		socat - TCP:198.51.100.1:7 <$TMP/to >$TMP/from"
	exec 6>"$TMP/to" 7<"$TMP/from"
}
# says_back WORD: through that connection.
says_back()
{
	local word

	echo "$1" >&6
	read -r -t 30 -u 7 word && [ "$word" = "$1" ]
}
# uplink DEVICE ADDRESS ROUTER: that alone.
uplink()
{
	ns c1 ip addr flush dev "$1" && ns c1 ip link set "$1" up &&
		run ns c1 ip addr add "$2/24" dev "$1" &&
		run ns c1 ip route replace default via "$3" dev "$1"
}
moves() { ns gw curl -s 127.0.0.1:9586/metrics | awk '$1 == "vpn_moves_total" { print $2 }'; }

ktap_start
must topo_gateway
must veth c1 eth4 router eth4
must address router eth4 10.0.4.254/24
must ns c1 ip link set eth4 down
keys c1
must own_etc c1
cat >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/24"
[security]
private_key_path = "$TMP/srv.key"
[logging]
output = "$TMP/log/srv.log"
[[peer]]
name = "laptop"
public_key = "${PUB[c1]}"
END
cat >"$TMP/cli.toml" <<END
[client]
server_address = "10.0.3.1:51820"
server_public_key_path = "$TMP/srv.pub"
keepalive = 1
resolve_interval = "4s"
[security]
private_key_path = "$TMP/c1.key"
[logging]
output = "$TMP/log/cli.log"
[interface]
name = "tun0"
[firewall]
kill_switch = true
END
must vpnd_start gw "$TMP/srv.toml"
must vpnd_start c1 "$TMP/cli.toml"
must vpnctl connect cli
must arrives c1 198.51.100.1
must connect
check "a connection through the tunnel" says_back here
handshake=$(tool c1 show tun0 latest-handshakes)

# Another address on the same uplink.
must uplink eth0 10.0.1.77 10.0.1.254
check "goes on from another address" says_back elsewhere
check "where the server sees it" wait_until 5 is_at 10.0.1.77

# From one uplink to the other, both of which are there for a while.
must ns c1 ip link set eth4 up
must uplink eth4 10.0.4.1 10.0.4.254
check "its own packets leave by the other uplink" marked_by eth4
must ns c1 ip link set eth0 down
check "it goes on by another uplink" says_back away
check "where the server sees it" wait_until 5 is_at 10.0.4.1
check "everything else still goes through the tunnel" on_tun 198.51.100.1
check_equal "the internet sees the server" 10.0.3.1 "$(seen_as c1)"
check "nothing leaves past it" no_reach c1 10.0.4.254
check_equal "in the same session" "$handshake" "$(tool c1 show tun0 latest-handshakes)"

# No network, then the first one again.
must ns c1 ip link set eth4 down
echo gap >&6
check_fail "without a network nothing goes outside" ns c1 ping -c 1 -W 1 198.51.100.1
check "and the route is still that of the tunnel" on_tun 198.51.100.1
must uplink eth0 10.0.1.1 10.0.1.254
check "what was sent meanwhile comes back" read -r -t 30 -u 7 _
check "and it goes on where it was at first" says_back again
check "where the server sees it" wait_until 5 is_at 10.0.1.1
check "the server has counted that" [ "$(moves)" -ge 3 ]
check_equal "and told, with its name" laptop \
	"$(grep -o 'msg=moved peer=[^ ]*' "$TMP/log/srv.log" | sort -u | sed 's/.*=//')"
check "down" vpnctl down cli
check "down" vpnctl down srv
ktap_end
