#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A clock that jumps forwards and back, by days: certificates and tokens are judged by it as
# it is, time stamps of handshakes don't go back, and a host that was switched on with a
# wrong one is told why nobody answers. What leases do is in vpnd-disk.
#
#	h1 [10.0.0.1, vpnd, and then WireGuard] ---- [10.0.0.2, vpnd] h2
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

needs_credentials
ktap_start
must topo_two
keys h1 h2

# set_clock DAYS: ahead of what it was at first.
ahead=0
set_clock()
{
	run date -s "@$(($(date +%s) - ahead + $1 * 86400))" >&2
	ahead=$(($1 * 86400))
}
on_exit()
{
	_vpnd_end
	set_clock 0
}
connect()
{
	run ns h2 vpnctl disconnect cli
	run ns h2 vpnctl connect cli
}
says() { check_says "$1" "$2" connect; }

#
# Certificates and tokens
#
echo "${PUB[h2]}" >"$TMP/h2.pub"
export VPN_PKI_DIR=$TMP/pki
run vpnctl pki init >&2
run vpnctl pki issue gate --host 10.0.0.1 --days 9 >&2
run vpnctl pki issue ann --public-key "$TMP/h2.pub" --days 2 >&2
mkdir "$TMP/tokens"
(umask 077 && vpnctl genpsk >"$TMP/tokens/one.secret" &&
	vpnctl token issue ann --days 2 --key "$TMP/tokens/one.secret" >"$TMP/ann.jwt")
cat >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/24"
[security]
private_key_path = "$TMP/pki/keys/gate.key"
ca_certificate_path = "$TMP/pki/ca.crt"
[authorisation]
token_keys_path = "$TMP/tokens"
[logging]
output = "$TMP/srv.log"
[metrics]
listen_address = ""
END
# client KEY FILE: it shows that.
client()
{
	cat >"$TMP/cli.toml" <<-END
		[client]
		server_address = "10.0.0.1:51820"
		server_certificate_path = "$TMP/pki/certs/gate.crt"
		auto_connect = false
		[security]
		private_key_path = "$TMP/h2.key"
		ca_certificate_path = "$TMP/pki/ca.crt"
		$1 = "$2"
		[routes]
		split_tunnel = true
		[logging]
		output = "$TMP/cli.log"
	END
}
client certificate_path "$TMP/pki/certs/ann.crt"
must vpnd_start h1 "$TMP/srv.toml"
must vpnd_start h2 "$TMP/cli.toml"
check "connects" connect
address=$(tool h1 -j show vpn0 | jq -r '.peers[].leases[0].address')
set_clock 3
says "the clock goes forwards: the certificate is over" "refused by 10.0.0.1: certificate expired on"
client token_path "$TMP/ann.jwt"
must ns h2 vpnctl reload cli
says "and so is a token" "refused by 10.0.0.1: token expired on"
set_clock 10
says "and then the server's certificate" "certificate.*expired on"
set_clock -2
says "the clock goes back: it is not valid yet" "certificate.*not valid before"
set_clock 0
check "when it is right the token is good" connect
client certificate_path "$TMP/pki/certs/ann.crt"
must ns h2 vpnctl reload cli
check "and the certificate" connect
check_equal "the address is the same" "$address" \
	"$(tool h1 -j show vpn0 | jq -r '.peers[].leases[0].address')"
check "down" vpnctl down cli
check "down" vpnctl down srv

#
# Time stamps, of which WireGuard keeps the latest. The module does not go back behind
# those of above.
#
must rmmod vpn
must modprobe vpn
if ! run ns h1 ip link add wg0 type wireguard; then
	skip "time stamps" "this kernel has no WireGuard"
	ktap_end
fi
must ns h1 wg set wg0 listen-port 51820 private-key "$TMP/h1.key" peer "${PUB[h2]}" \
	allowed-ips 10.9.0.2/32
must address h1 wg0 10.9.0.1/24
must ns h1 ip link set wg0 up
cat >"$TMP/cli.toml" <<END
[client]
server_address = "10.0.0.1:51820"
server_public_key = "${PUB[h1]}"
[security]
private_key_path = "$TMP/h2.key"
[interface]
address = "10.9.0.2/24"
[routes]
default_gateway = false
split_tunnel = true
[logging]
output = "$TMP/cli.log"
END
must vpnd_start h2 "$TMP/cli.toml"
set_clock 1
check "a day later it connects" connect
set_clock 0
check "and when it is that day again" connect
set_clock 1
check "and once more" connect
check "down" vpnctl down cli
set_clock 0
# As if the host had been switched off: nothing is left but what is on disk.
must rmmod vpn
must modprobe vpn
must vpnd_start h2 "$TMP/cli.toml"
status_says() { vpnctl status cli | grep -q "$1"; }
check "switched on with a clock that is a day behind, it is told so" \
	wait_until 10 status_says "connecting.*; the clock of this host is [0-9]* s behind its last connection"
run ns h2 vpnctl doctor "$TMP/cli.toml" >"$TMP/doctor"
check "the doctor says so, too" grep -q "FAIL *clock *the clock of this host is .* s behind" "$TMP/doctor"
set_clock 1
connected() { ns h2 vpnctl status cli | grep -q ' connected: '; }
check "with the right one it connects" wait_until 20 connected
check "down" vpnctl down cli
ktap_end
