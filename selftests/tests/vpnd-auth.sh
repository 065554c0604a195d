#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Clients that the server has never seen: let in by certificate, token or file, refused in
# words, cut off when their time is over or they are revoked, renewed while connected.
#
#	c1 [eth0 10.0.1.2] ---- [eth1 10.0.1.1] gw [eth3 192.168.7.1] ---- [eth0 192.168.7.2] lan
#	c2 [eth0 10.0.2.2] ---- [eth2 10.0.2.1]
# timeout: 150
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

needs_credentials
ktap_start
must topo_office
keys c1 c2
echo "${PUB[c1]}" >"$TMP/c1.pub"

export VPN_PKI_DIR=$TMP/pki
pki() { run vpnctl pki "$@" >&2; }
must pki init
must pki issue gate --host 10.0.1.1
mkdir "$TMP/peers" "$TMP/tokens"
(umask 077 && vpnctl genpsk >"$TMP/tokens/one.secret")

# show NAME [OPTION...]: c1 has a certificate of that name for its key.
show()
{
	run vpnctl pki issue "$@" --public-key "$TMP/c1.pub" >&2 &&
		cp "$TMP/pki/certs/$1.crt" "$TMP/cli.new" && mv "$TMP/cli.new" "$TMP/cli.crt"
}

cat >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/24"
[security]
private_key_path = "$TMP/pki/keys/gate.key"
certificate_path = "$TMP/pki/certs/gate.crt"
ca_certificate_path = "$TMP/pki/ca.crt"
crl_path = "$TMP/pki/crl.pem"
[authorisation]
token_keys_path = "$TMP/tokens"
peers_path = "$TMP/peers"
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
[[role]]
name = "staff"
addresses = "10.8.0.64/28"
allow_lan_access = true
[[role]]
name = "guests"
connections = 1
session_time = "1h"
END
client_file()
{
	cat <<-END
		[client]
		server_address = "10.0.1.1:51820"
		server_certificate_path = "$TMP/pki/certs/gate.crt"
		auto_connect = false
		[security]
		private_key_path = "$TMP/c1.key"
		ca_certificate_path = "$TMP/pki/ca.crt"
		$1
		[routes]
		split_tunnel = true
		routes = "192.168.7.0/24"
		[logging]
		output = "$TMP/log/cli.log"
	END
}
connect() { run ns c1 vpnctl connect cli; }
disconnect() { run ns c1 vpnctl disconnect cli; }
trouble() { ns c1 vpnctl -j status cli | jq -r .trouble; }
troubled() { trouble | grep -Eq -e "$1"; }
logged() { grep -Eq -e "$1" "$TMP/log/srv.log"; }
peers() { tool gw -j show vpn0 | jq -r "[.peers[] | $1] | sort | join(\" \")"; }
there() { [ "$(peers .name)" = "$1" ]; }
replaced() { ! pgrep -f "vpnd --verifier" | grep -qx "$1"; }
connected() { [ "$(ns c1 vpnctl -j status cli | jq -r '.state + .trouble')" = connected ]; }
today=$(date -u +%Y-%m-%d)

must vpnd_start gw "$TMP/srv.toml"

#
# Certificates
#
must show alice --role staff
client_file "certificate_path = \"$TMP/cli.crt\"" >"$TMP/cli.toml"
must vpnd_start c1 "$TMP/cli.toml"
check "a certificate lets in" connect
check_equal "by its name" alice "$(peers .name)"
check "with an address of its role" wait_until 5 has_address c1 vpn0 10.8.0.65/24
check "which is said" logged 'let in.*peer=alice.*by=certificate.*role=staff'
check "its role may reach the LAN" wait_until 5 reach c1 192.168.7.2
check "the server's own certificate is good" test "$(grep -c 'will not take' "$TMP/log/srv.log")" = 0
check "a restart of the server" sh -c "vpnctl down --keep srv"
must vpnd_start gw "$TMP/srv.toml"
check_equal "leaves it connected" alice "$(peers .name)"
check "and it is let through" reach c1 192.168.7.2

pki revoke alice
check "revoked, it is cut off, and told so" wait_until 10 troubled \
	"^refused by 10.0.1.1: certificate was revoked on $today$"
check "which is said" logged 'cut off.*peer=alice.*reason=revoked'
check_equal "nobody is left" "" "$(peers .name)"
check_equal "it is not connected any more" connecting "$(ns c1 vpnctl -j status cli | jq -r .state)"
check_says "connect says the same" "^vpnctl: refused by 10.0.1.1: certificate was revoked on $today$" \
	ns c1 vpnctl connect cli

# refused TEXT SENTENCE: what is shown now is.
refused()
{
	disconnect
	refused_again "$@"
}
# refused_again TEXT SENTENCE: the same, of who has been refused before.
refused_again()
{
	check_says "$1" "^vpnctl: refused by 10.0.1.1: $2$" ns c1 vpnctl connect cli
}

must show stranger
refused "no role" "'stranger' has no role, and this server asks for one"
must show stranger --role kings
refused_again "another role" "the role 'kings' is not known on this server"
vpnctl pki init --dir "$TMP/other" >&2
must env VPN_PKI_DIR="$TMP/other" vpnctl pki issue mallory --role staff --public-key "$TMP/c1.pub" >&2
cp "$TMP/other/certs/mallory.crt" "$TMP/cli.crt"
refused "another CA" "certificate is not signed by a CA that is trusted here"
must show brief --role guests --for 1
sleep 1.1
refused "too late" "certificate expired on $today"
check "all of which is said" logged 'turned away.*peer=mallory.*reason=unauthorised'
must pki issue bob --role staff
cp "$TMP/pki/certs/bob.crt" "$TMP/cli.crt"
refused "of another key" "certificate is of another key than the one that shows it"
echo "-----BEGIN CERTIFICATE-----" >"$TMP/cli.crt"
check "a damaged file is said, and not shown" wait_until 5 grep -q "stays as it was.*cut off" "$TMP/log/cli.log"

#
# The end, and what comes after
#
disconnect
must show carol --role guests --for 25
check "with little time left" connect
until=$(peers .expires)
check "its role may not reach the LAN" no_reach c1 192.168.7.2
nsenter --net="/run/netns/$(netns c1)" -- ping -n -i 0.1 -W 5 10.8.0.1 >"$TMP/ping" &
pinging=$!
must show carol --role guests --for 5m
check "another certificate is taken" wait_until 15 logged 'renewed.*peer=carol'
check "for longer" test "$(peers .expires)" -gt "$until"
check "without a lost packet" lossless $pinging "$TMP/ping"
check "still connected" connected
disconnect
must show dora --role guests --for 6
check "with a few seconds" connect
check "it ends when they are over, and says so" wait_until 15 troubled "^refused by 10.0.1.1: certificate expired on $today$"

#
# Tokens; and the process that reads them
#
disconnect
run ns c1 vpnctl down cli
client_file "token_path = \"$TMP/cli.jwt\"" >"$TMP/cli.toml"
# token KEY NAME [OPTION...]: c1 has a token of that name, signed by that key.
token()
{
	(umask 077 && vpnctl token issue "${@:2}" --key "$TMP/tokens/$1.secret" >"$TMP/cli.jwt")
}
token one dave --role guests --public-key "$TMP/c1.pub"
must vpnd_start c1 "$TMP/cli.toml"
verifier=$(pgrep -f "vpnd --verifier")
check_equal "its process has no rights" "0000000000000000 2" \
	"$(awk '/^CapPrm/ { c = $2 } /^Seccomp:/ { print c, $2 }' "/proc/$verifier/status")"
check "is of another user" other_user "$verifier"
check_fail "has another network" \
	[ "$(readlink "/proc/$verifier/ns/net")" = "$(readlink "/proc/$(vpnd_pid srv)/ns/net")" ]
check_equal "and no socket but the one that it is asked on" 3 \
	"$(find "/proc/$verifier/fd" -lname 'socket:*' -printf '%f ' | tr -d ' ')"
check_equal "the daemon cannot be another user any more" 0000000000001400 \
	"$(awk '/^CapPrm/ { print $2 }' "/proc/$(vpnd_pid srv)/status")"
check "and dies" kill -9 "$verifier"
check "a token lets in" connect
check "which is said" logged 'let in.*peer=dave.*by=token.*role=guests'
check "another process has read it" replaced "$verifier"
python3 - "$TMP/tokens/one.secret" >"$TMP/cli.jwt" <<-END
	import jwt, sys, time
	claims = {"sub": "erin", "role": "guests", "exp": int(time.time()) + 600}
	print(jwt.encode(claims, open(sys.argv[1]).read().strip(), "HS256"))
END
disconnect
verifier=$(pgrep -f "vpnd --verifier")
must kill -9 "$(ps -o ppid= -p "$verifier" | tr -d ' ')" "$verifier"
check "as does one of Python's, though what begins such processes is dead, too" connect
check_equal "by its name" erin "$(peers .name)"
# The next key is there before the first one goes.
(umask 077 && vpnctl genpsk >"$TMP/tokens/two.secret")
check "of two keys a token has to name its own" wait_until 5 logged 'cut off.*peer=erin.*several'
token two fay --role guests
disconnect
check "a token of the next key" connect
check_equal "by its name" fay "$(peers .name)"
verifier=$(pgrep -f "vpnd --verifier")
must rm "$TMP/tokens/one.secret"
check "when the first one goes" wait_until 5 replaced "$verifier"
check "it goes on" connected
disconnect
token two erin --role guests
must connect
# Somebody else of that name.
wg_client c2
echo "${PUB[c2]}" >"$TMP/c2.pub"
pki issue erin --role guests --public-key "$TMP/c2.pub"
run tool c2 set vpn0 peer "$(tool gw show vpn0 public-key)" endpoint 10.0.2.1:51820 \
	allowed-ips 0.0.0.0/0 persistent-keepalive 1 credential "$TMP/pki/certs/erin.crt"
must ns c2 ip link set vpn0 up
full() { tool c2 -j show vpn0 | jq -r '.peers[0].last_refusal.text' | grep -q "'erin' is connected as often as the role 'guests' allows: 1"; }
check "a role's connections are counted" wait_until 15 full
printf e30.e30.c2ln >"$TMP/cli.jwt"
refused "a token of nobody" "token is signed with 'nothing', which is not accepted"

#
# A file with a key
#
must ns c2 ip addr add 10.8.0.2/24 dev vpn0
run tool c2 set vpn0 peer "$(tool gw show vpn0 public-key)" credential ""
printf '%s\nrole = guests\n' "${PUB[c2]}" >"$TMP/peers/phone.pub"
check "a file lets a WireGuard client in" wait_until 5 there phone
check "with an address" wait_until 15 reach c2 10.8.0.1
echo nonsense >"$TMP/peers/odd"
check "a file that is none is said" wait_until 5 logged "left out.*odd.*its first line is no public key"
rm "$TMP/peers/phone.pub"
check "without the file it is out" wait_until 5 there ""

ktap_end
