#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What else is on the host: a second daemon that counts on the same settings, somebody
# who changes the firewall, a log that cannot be written, and whoever asks a daemon
# that is stopped or gone. The hosts are those of vpnd.sh.
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

# server_file N: two that differ in what they must.
server_file()
{
	cat <<-END
		[server]
		listen_address = "0.0.0.0:5182$1"
		virtual_network = ["10.8.$1.0/24", "fd0$1::/64"]
		[security]
		private_key_path = "$TMP/srv.key"
		[interface]
		name = "vpn$1"
		[logging]
		output = "$TMP/log/srv$1.log"
		[metrics]
		listen_address = "127.0.0.1:958$1"
	END
}
# client_file N
client_file()
{
	cat <<-END
		[client]
		server_address = "10.0.3.1:51820"
		server_public_key = "${PUB[c2]}"
		[security]
		private_key_path = "$TMP/c1.key"
		[interface]
		name = "tun$1"
		address = "10.9.$1.2/24"
		fwmark = 5182$1
		[routes]
		split_tunnel = true
		[logging]
		output = "$TMP/log/cli$1.log"
	END
}
for n in 0 1; do
	server_file $n >"$TMP/srv$n.toml"
	client_file $n >"$TMP/cli$n.toml"
done
forwards() { [ "$(ns gw cat /proc/sys/net/ipv4/conf/eth1/forwarding /proc/sys/net/ipv6/conf/all/forwarding | paste -sd' ')" = "$1" ]; }
valid_mark() { [ "$(ns c1 cat /proc/sys/net/ipv4/conf/all/src_valid_mark)" = "$1" ]; }

#
# Two servers on a host.
#
state gw >"$TMP/before"
must ns gw sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/forwarding'
must vpnd_start gw "$TMP/srv0.toml"
must vpnd_start gw "$TMP/srv1.toml"
check "both forward" forwards "1 1"
check "the first one goes" vpnctl down srv0
check "and the second one forwards still" forwards "1 1"
must vpnd_start gw "$TMP/srv0.toml"
must vpnd_kill srv0
check "it goes as well" vpnctl down srv1
check "for one that was killed, forwarding stays on" forwards "1 1"
check "until that is undone" ns gw vpnd --undo srv0
check "who forwarded before forwards still" test 1 = "$(ns gw cat /proc/sys/net/ipv4/conf/eth0/forwarding)"
run ns gw sh -c 'echo 0 >/proc/sys/net/ipv4/conf/eth0/forwarding'
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"

#
# Two clients.
#
state c1 >"$TMP/before"
must vpnd_start c1 "$TMP/cli0.toml"
must wait_until 10 valid_mark 1
must vpnd_start c1 "$TMP/cli1.toml"
must wait_until 10 has_address c1 tun1 10.9.1.2/24
check "the first client goes" vpnctl down cli0
check "and the second one has its setting" valid_mark 1
check "it goes as well" vpnctl down cli1
state c1 >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"

#
# The firewall.
#
must vpnd_start gw "$TMP/srv0.toml"
masquerades() { ns gw nft list table inet vpn_vpn0 | grep -q masquerade; }
clean() { masquerades && ! ns gw nft list table inet vpn_vpn0 | grep -q 192.0.2.1; }
check "rules are flushed" ns gw nft flush table inet vpn_vpn0
check "and put back" wait_until 10 masquerades
check "the table is removed" ns gw nft delete table inet vpn_vpn0
check "and put back" wait_until 10 masquerades
check "a rule is added" ns gw nft insert rule inet vpn_vpn0 forward ip saddr 192.0.2.1 accept
check "it goes" wait_until 10 clean
check "tables of others" ns gw nft add table inet other
check_equal "are none of our business" "nothing differs" "$(vpnctl reload srv0)"
check_equal "each time there is a line" 3 "$(grep -c 'somebody else has changed the firewall' "$TMP/log/srv0.log")"
must ns gw nft delete table inet other

#
# A reload that cannot be, or that moves what is not of the network.
#
cp "$TMP/srv0.toml" "$TMP/first.toml"
sed -i "s|^output.*|output = \"$TMP/log\"|; s/^virtual_network.*/&\nmax_clients = 7/" "$TMP/srv0.toml"
check_says "a log that cannot be opened" "the log '$TMP/log' cannot be opened: Is a directory" \
	vpnctl reload srv0
check_equal "changes nothing" 0 "$(tool gw -j show vpn0 | jq '.max_peers // 0')"
check "the log goes on" grep -q 'not loaded again.*Is a directory' "$TMP/log/srv0.log"
cp "$TMP/first.toml" "$TMP/srv0.toml"
sed -i 's/^listen_address = "127.*/listen_address = "192.0.2.1:9580"/' "$TMP/srv0.toml"
check_says "figures at an address that is not ours" "'192.0.2.1:9580' cannot be listened at" \
	vpnctl reload srv0
check "stay where they were" ns gw curl -sf --max-time 10 -o /dev/null 127.0.0.1:9580/metrics
sed -i 's/192.0.2.1:9580/127.0.0.1:9582/' "$TMP/srv0.toml"
check_equal "and move" "~ metrics 127.0.0.1:9582" "$(vpnctl reload srv0)"
check "to where they can be" ns gw curl -sf --max-time 10 -o /dev/null 127.0.0.1:9582/metrics

#
# Whoever asks.
#
pid=$(vpnd_pid srv0)
kill -STOP "$pid"
check_says "one that does not answer" "'srv0' runs, and does not answer" vpnctl status srv0
kill -CONT "$pid"
vpnd_kill srv0
check_says "one that was killed" "'srv0' does not run, and has left .* 'vpnd --undo srv0'" vpnctl down srv0
check "is undone" ns gw vpnd --undo srv0
check_says "one that never was" "'srv2' does not run; 'vpnctl up FILE' starts it" vpnctl down srv2
# shellcheck disable=SC2016 # expanded by the inner shell
check "who waits for the output of 'up' gets it" \
	ns gw timeout 20 sh -c 'x=$(cd "$1" && vpnctl up srv0.toml)' sh "$TMP"
check "and the folder can be left" test / = "$(readlink "/proc/$(vpnd_pid srv0)/cwd")"
grep -E '^(Cap(Prm|Eff|Bnd|Inh|Amb)|NoNewPrivs)' "/proc/$(vpnd_pid srv0)/status" >"$TMP/rights"
check_equal "it has no more rights than it needs" \
	"0000000000000000 0000000000001400 0000000000001400 0000000000001400 0000000000000000 1" \
	"$(awk '{ print $2 }' "$TMP/rights" | paste -sd' ')"
printf '[hooks]\ndown = "grep ^CapEff /proc/self/status >%s/hook"\n' "$TMP" >>"$TMP/srv0.toml"
must vpnctl reload srv0
check "down" vpnctl down srv0
check_equal "nor have hooks" "CapEff: 0000000000001400" "$(tr '\t' ' ' <"$TMP/hook")"
ktap_end
