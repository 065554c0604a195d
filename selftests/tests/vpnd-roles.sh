#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a role gives its clients, and what it keeps from them: routes, other clients, a
# fixed address, an end; and a key in a folder, with which WireGuard comes by IPv6.
#
#	c1 [eth0 10.0.1.2] ---- [eth1 10.0.1.1] gw [eth3 192.168.7.1] ---- [eth0 192.168.7.2] lan
#	c2 [eth0 10.0.2.2] ---- [eth2 10.0.2.1]                            [lo 172.20.0.1]
#	   [     fd00:2::2]     [  fd00:2::1]
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

needs_credentials
ktap_start
must topo_office
must address c2 eth0 fd00:2::2/64
must address gw eth2 fd00:2::1/64
must address lan lo 172.20.0.1/32
must ns gw ip route add 172.20.0.0/16 via 192.168.7.2
keys c1 c2
export VPN_PKI_DIR=$TMP/pki
mkdir "$TMP/peers"
run vpnctl pki init >&2
run vpnctl pki issue gate --host 10.0.1.1 --host 10.0.2.1 >&2
cat >"$TMP/srv.toml" <<END
[server]
virtual_network = ["10.8.0.0/24", "fd08::/64"]
push_routes = ["192.168.7.0/24"]
[security]
private_key_path = "$TMP/pki/keys/gate.key"
ca_certificate_path = "$TMP/pki/ca.crt"
[authorisation]
peers_path = "$TMP/peers"
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
[[role]]
name = "staff"
client_to_client = true
[[role]]
name = "guests"
push_routes = ["172.20.0.0/16", "fd20::/48"]
[[role]]
name = "printer"
addresses = ["10.8.0.200/32", "fd08::200/128"]
END
# show HOST NAME ROLE: it has a certificate of that name and role.
show()
{
	vpnctl pubkey <"$TMP/$1.key" >"$TMP/$1.pub"
	run vpnctl pki issue "$2" --role "$3" --public-key "$TMP/$1.pub" >&2 &&
		cp "$TMP/pki/certs/$2.crt" "$TMP/new" && mv "$TMP/new" "$TMP/$1.crt"
}
for n in 1 2; do
	cat >"$TMP/c$n.toml" <<-END
		[client]
		server_address = "10.0.$n.1:51820"
		server_certificate_path = "$TMP/pki/certs/gate.crt"
		auto_connect = false
		[security]
		private_key_path = "$TMP/c$n.key"
		certificate_path = "$TMP/c$n.crt"
		ca_certificate_path = "$TMP/pki/ca.crt"
		[routes]
		split_tunnel = true
		[logging]
		output = "$TMP/log/c$n.log"
	END
done
on_vpn() { ns "$1" ip route show table all | grep -q "^$2 dev vpn0"; }
not_on_vpn() { ! on_vpn "$@"; }
on_vpn6() { ns "$1" ip -6 route show table all | grep -q "^$2 dev vpn0"; }
address_of() { tool gw -j show vpn0 | jq -r ".peers[] | select(.name == \"$1\") | .leases[0].address" | cut -d/ -f1; }
times() { grep -c "$1" "$TMP/log/srv.log"; }
at_least() { [ "$(times "$1")" -ge "$2" ]; }
connected() { ns "$1" vpnctl connect "$1"; }

must vpnd_start gw "$TMP/srv.toml"
must show c1 ann staff
must show c2 gus guests
for n in 1 2; do
	must vpnd_start "c$n" "$TMP/c$n.toml"
	must connected "c$n"
done

#
# Routes
#
check "a role without routes of its own gets everybody's" wait_until 5 on_vpn c1 192.168.7.0/24
check "and none else" not_on_vpn c1 172.20.0.0/16
check "which it may reach" reach c1 192.168.7.2
check "another role gets its own" wait_until 5 on_vpn c2 172.20.0.0/16
check "of both families" on_vpn6 c2 fd20::/48
check "in place of everybody's" not_on_vpn c2 192.168.7.0/24
check "which it may reach" wait_until 5 reach c2 172.20.0.1
must ns c2 ip route add 192.168.7.0/24 dev vpn0
must ns c1 ip route add 172.20.0.0/16 dev vpn0
check "it may not reach everybody's" no_reach c2 192.168.7.2
check "nor others its own" no_reach c1 172.20.0.1

#
# Other clients
#
check "who may reach other clients does" reach c1 "$(address_of gus)"
check "who may not does not" no_reach c2 "$(address_of ann)"

#
# The end of a session
#
before=$(times 'let in.*peer=gus')
must sed -i '/^name = "guests"/a session_time = "4s"' "$TMP/srv.toml"
must vpnctl reload srv
expires() { tool gw -j show vpn0 | jq ".peers[] | select(.name == \"$1\") | .expires"; }
ends_soon() { [ "$(expires "$1")" -gt "$(($(date +%s) - 2))" ] && [ "$(expires "$1")" -le "$(($(date +%s) + 4))" ]; }
check "session_time is an end" wait_until 5 ends_soon gus
check_equal "not of others" null "$(tool gw -j show vpn0 | jq '.peers[] | select(.name == "ann") | .expires | if . > now + 60 then null else . end')"
check "when it is over, the certificate is looked at again" wait_until 20 \
	at_least 'let in.*peer=gus' $((before + 1))
must vpnctl down c2

#
# A fixed address
#
must show c2 laser printer
must vpnd_start c2 "$TMP/c2.toml"
check "a role of one address" connected c2
check "has that" wait_until 5 has_address c2 vpn0 10.8.0.200/24
check "of both families" sh -c "ip -n $(netns c2) -6 addr show vpn0 | grep -q 'inet6 fd08::200/'"
must vpnctl down c1
must show c1 inkjet printer
must vpnd_start c1 "$TMP/c1.toml"
check_says "and there is no second one" "refused by 10.0.1.1: the addresses of the role 'printer' are exhausted" \
	ns c1 vpnctl connect c1
must vpnctl down c1
must vpnctl down c2

#
# A key in a folder, over IPv6
#
wg_client c2
run tool c2 set vpn0 peer "$(tool gw show vpn0 public-key)" endpoint "[fd00:2::1]:51820" \
	allowed-ips ::/0,0.0.0.0/0 persistent-keepalive 1
must ns c2 ip link set vpn0 up
printf '%s\nrole = printer\n' "${PUB[c2]}" >"$TMP/peers/wg.pub"
must ns c2 ip addr add fd08::200/64 dev vpn0 nodad
check "WireGuard is let in by IPv6" wait_until 15 reach c2 fd08::1
check_equal "by the file's name" "wg [fd00:2::2]" \
	"$(tool gw -j show vpn0 | jq -r '.peers[] | select(.name == "wg") | "\(.name) \(.endpoint | sub(":[0-9]*$"; ""))"')"
check_equal "with the address of its role" fd08::200 \
	"$(tool gw -j show vpn0 | jq -r '.peers[] | select(.name == "wg") | .leases[].address | select(test(":")) | sub("/.*"; "")')"
rm "$TMP/peers/wg.pub"
check "and without the file it is out" wait_until 5 no_reach c2 fd08::1
must vpnctl down srv
ktap_end
