#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Keys of a configuration that have no test of their own: what they do. And that there
# is no key without a test. The hosts are those of vpnd.sh.
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

# all_keys, used_keys: SECTION.KEY, a line each.
all_keys()
{
	vpnd --reference | awk -F'`' '
		/^## /	{ section = $0; gsub(/[^a-z]/, "", section) }
		/^\| `/	{ print section "." $2 }' | sort -u
}
used_keys()
{
	# vpnd-slices takes the file of the gateway as it is.
	sed 's/\\n/\n/g' "$SELFTESTS"/tests/* "$SELFTESTS"/../deploy/kubernetes/base/gateway.toml | awk '
		/^[\t ]*\[+[a-z]+\]+$/	{ section = $0; gsub(/[^a-z]/, "", section) }
		/^[\t ]*[a-z_]+ = /	{ print section "." $1 }' | sort -u
}
marks() { ns "$1" ip rule show | grep -q "not from all fwmark $2 lookup $3"; }
on_tun() { ns c1 ip route get "$1" | grep -q 'dev tun0'; }
# seen_by_lan: the address that a host in the server's LAN sees of the client.
seen_by_lan() { ns c1 socat -T 3 - TCP:192.168.7.2:80,connect-timeout=3 </dev/null; }

ktap_start
check "there are many keys" [ "$(all_keys | wc -l)" -ge 50 ]
check_equal "each of which is in a test" "" "$(comm -23 <(all_keys) <(used_keys))"

must topo_gateway
keys c1 c2
must own_etc c1
(umask 077 && "$VPN_TOOL" genpsk >"$TMP/psk")
# A network behind the client.
must ns c1 ip link add office type dummy
must ns c1 ip addr add 192.168.50.1/24 dev office
must ns c1 ip link set office up
# shellcheck disable=SC2016 # expanded by the shell that socat starts
background ns lan socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'echo $SOCAT_PEERADDR'
must ns lan ip route replace 10.8.0.0/24 via 192.168.7.1

cat >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/24"
client_keepalive = 11
[security]
private_key_path = "$TMP/srv.key"
[encryption]
key_exchange = "X25519"
[interface]
mtu = 1390
fwmark = 99
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
[firewall]
allow_lan_access = true
nat_interface = "eth0"
open_port = true
[hooks]
up = "echo up \$VPN_NAME \$VPN_DEVICE >>$TMP/hooks"
down = ["echo down >>$TMP/hooks", "true"]
connect = "echo connect \$VPN_PEER_NAME \$VPN_PEER >>$TMP/hooks"
disconnect = "echo disconnect \$VPN_PEER_NAME >>$TMP/hooks"
[[peer]]
name = "office"
public_key = "${PUB[c1]}"
allowed_ips = ["192.168.50.0/24"]
preshared_key_path = "$TMP/psk"
keepalive = 13
[[peer]]
name = "other"
public_key = "${PUB[c2]}"
preshared_key = "$(cat "$TMP/psk")"
END
cat >"$TMP/cli.toml" <<END
[client]
server_address = "10.0.3.1:51820"
server_public_key_path = "$TMP/srv.pub"
keepalive = 7
[security]
private_key = "$(cat "$TMP/c1.key")"
preshared_key_path = "$TMP/psk"
[interface]
name = "tun0"
fwmark = 777
mtu = 1380
[logging]
output = "$TMP/log/cli.log"
[routes]
split_tunnel = true
routes = ["198.51.100.0/24", "192.168.7.0/24"]
END
# Somebody else's rules, by which no client would get in.
must ns gw nft -f - <<END
table inet host {
	chain input {
		type filter hook input priority filter; policy drop;
		meta l4proto { 1, 58 } accept
	}
}
END
state gw >"$TMP/before"
must vpnd_start gw "$TMP/srv.toml"
check_equal "mtu of a server" 1390 "$(ns gw ip -j link show vpn0 | jq '.[0].mtu')"
check_equal "fwmark of a server" 0x63 "$(tool gw show vpn0 fwmark)"
opened() { ns gw nft list chain inet host input | grep -q 'udp dport 51820 accept comment'; }
check "open_port has it let through rules of others" opened
check_equal "keepalive of a peer" 13 "$(field gw vpn0 persistent-keepalive "${PUB[c1]}")"
check_equal "preshared keys, from a file and not" 2 \
	"$(tool gw show vpn0 preshared-keys | grep -cF "$(cat "$TMP/psk")")"
must vpnd_start c1 "$TMP/cli.toml"
check "private_key, and preshared_key_path of a client" vpnctl connect cli
check_equal "mtu of a client" 1380 "$(ns c1 ip -j link show tun0 | jq '.[0].mtu')"
check_equal "keepalive of a client" 7 "$(field c1 tun0 persistent-keepalive "$(cat "$TMP/srv.pub")")"
check_equal "client_keepalive is told" 11 "$(tool c1 -j show tun0 | jq '.peers[0].assigned.keepalive')"
check "fwmark of a client is its table's number" marks c1 0x309 777
check "routes go through the tunnel" wait_until 5 on_tun 198.51.100.1
check "others don't" encrypted_outside
check "the internet" reach c1 198.51.100.1
check_equal "sees the server" 10.0.3.1 "$(seen_as c1)"
check_equal "nat_interface is another one: the LAN sees the client" 10.8.0.2 "$(seen_by_lan)"
check "allowed_ips of a peer are reached" reach gw 192.168.50.1
check_equal "by the device" vpn0 "$(ns gw ip -j route get 192.168.50.1 | jq -r '.[0].dev')"
check_equal "hooks of the start and of a client" "up srv vpn0 connect office ${PUB[c1]}" \
	"$(paste -sd' ' "$TMP/hooks")"
must vpnctl down cli
check "hook of a client that goes" wait_until 10 grep -qx 'disconnect office' "$TMP/hooks"

cat >"$TMP/cli2.toml" <<END
[client]
server_address = "10.0.3.1:51820"
server_public_key_path = "$TMP/srv.pub"
[security]
private_key_path = "$TMP/c1.key"
preshared_key = "$(cat "$TMP/psk")"
[logging]
output = "$TMP/log/cli.log"
END
must vpnd_start c1 "$TMP/cli2.toml"
check "preshared_key of a client" vpnctl connect cli2
must vpnctl down cli2
must sed -i 's/, "192.168.50.0\/24"//; s/^allowed_ips.*/allowed_ips = ["192.168.60.0\/24"]/' "$TMP/srv.toml"
check_equal "another network behind a peer" "- route 192.168.50.0/24 + route 192.168.60.0/24" \
	"$(vpnctl reload srv | grep -o '^[-+] route [0-9./]*' | paste -sd' ')"
must vpnctl down srv
check "hook of the end" grep -qx down "$TMP/hooks"
state gw >"$TMP/after"
check "leaves the host as it was" diff "$TMP/before" "$TMP/after"
must ns gw nft delete table inet host

#
# Who is let in.
#
if ! reads_credentials; then
	skip "certificates and tokens" "$NO_CREDENTIALS"
	ktap_end
fi
export VPN_PKI_DIR=$TMP/pki
for n in 1 2; do
	echo "${PUB[c$n]}" >"$TMP/c$n.pub"
done
must vpnctl pki init >&2
must vpnctl pki issue gate --host 10.0.3.1 >&2
must vpnctl pki issue alice --role staff --public-key "$TMP/c1.pub" >&2
mkdir "$TMP/tokens"
(umask 077 && vpnctl genpsk >"$TMP/tokens/one.secret")
# token ISSUER AUDIENCE ALGORITHM [OPTION...]: for c2.
token()
{
	vpnctl token issue bob --role staff --key "$TMP/tokens/one.secret" --issuer "$1" \
		--audience "$2" --algorithm "$3" "${@:4}"
}
server_file()
{
	cat <<-END
		[server]
		virtual_network = "10.8.0.0/24"
		[security]
		private_key_path = "$TMP/pki/keys/gate.key"
		certificate_path = "$TMP/pki/certs/gate.crt"
		ca_certificate_path = "$TMP/pki/ca.crt"
		[authorisation]
		token_keys_path = "$TMP/tokens"
		token_algorithms = ["HS256"]
		token_issuer = "lab"
		token_audience = "vpn"
		token_binding = true
		role_extension = "1.3.6.1.4.1.99999.1"
		[logging]
		output = "$TMP/log/auth.log"
		[metrics]
		listen_address = ""
		[[role]]
		name = "staff"
		client_to_client = true
	END
}
client_file()
{
	cat <<-END
		[client]
		server_address = "10.0.3.1:51820"
		server_certificate = """
		$(cat "$TMP/pki/certs/gate.crt")"""
		auto_connect = false
		[routes]
		split_tunnel = true
		[logging]
		output = "$TMP/log/$1.log"
		[security]
		private_key_path = "$TMP/$1.key"
		ca_certificate = """
		$(cat "$TMP/pki/ca.crt")"""
	END
}
server_file | grep -v '^role_extension' >"$TMP/auth.toml"
{
	client_file c1
	cat <<-END
		certificate = """
		$(cat "$TMP/pki/certs/alice.crt")"""
	END
} >"$TMP/c1.toml"
{
	client_file c2
	cat <<-END
		token = "$(token lab vpn HS256 --public-key "$TMP/c2.pub")"
	END
} >"$TMP/c2.toml"
must vpnd_start gw "$TMP/auth.toml"
must vpnd_start c1 "$TMP/c1.toml"
must vpnd_start c2 "$TMP/c2.toml"
check "certificate, ca_certificate and server_certificate" ns c1 vpnctl connect c1
check "token" ns c2 vpnctl connect c2
other=$(tool c2 -j show vpn0 | jq -r '.peers[0].assigned.addresses[0]')
check "client_to_client of a role" wait_until 10 reach c1 "${other%/*}"
check_equal "the doctor finds no fault" "" "$(host c1 vpnd --doctor "$TMP/c1.toml" | grep FAIL)"
must vpnctl down c1
must vpnctl down c2
{
	client_file c2
	cat <<-END
		token_path = "$TMP/c2.jwt"
	END
} >"$TMP/c2.toml"
# not_let_in TEXT SENTENCE: the token is refused.
not_let_in()
{
	must vpnd_start c2 "$TMP/c2.toml"
	check_says "$1" "refused by 10.0.3.1: .*$2" ns c2 vpnctl connect c2
	must vpnctl down c2
}
(umask 077 && token lab vpn HS256 >"$TMP/c2.jwt")
not_let_in "token_binding" "not bound to a key"
(umask 077 && token lab others HS256 --public-key "$TMP/c2.pub" >"$TMP/c2.jwt")
not_let_in "token_audience" "not for the audience 'vpn'"
(umask 077 && token others vpn HS256 --public-key "$TMP/c2.pub" >"$TMP/c2.jwt")
not_let_in "token_issuer" "issued by 'others'"
(umask 077 && token lab vpn HS512 --public-key "$TMP/c2.pub" >"$TMP/c2.jwt")
not_let_in "token_algorithms" "signed with HS512"
server_file >"$TMP/auth.toml"
must vpnctl reload auth
must vpnd_start c1 "$TMP/c1.toml"
check_says "role_extension is another place than the OU" "refused by 10.0.3.1: .*no role" \
	ns c1 vpnctl connect c1
must vpnctl down c1
must vpnctl down auth
ktap_end
