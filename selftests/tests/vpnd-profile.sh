#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two commands take a new client from nothing to connected: 'profile' on the server, 'up'
# on the client. And what proves the server to a client that knows only the CA: a
# certificate of another CA, one that is over, and one that is not for servers, do not.
#
#	c1 [eth0 10.0.1.2] ---- [eth1 10.0.1.1] gw
# timeout: 90
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

needs_credentials
ktap_start
must ns_add gw c1
must veth c1 eth0 gw eth1
must address c1 eth0 10.0.1.2/24
must address gw eth1 10.0.1.1/24
must own_etc c1
export VPN_PKI_DIR=$TMP/pki
certs=$TMP/pki/certs
run vpnctl pki init >&2
run vpnctl pki issue gate --host 10.0.1.1 >&2
cat >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/24"
[security]
private_key_path = "$TMP/pki/keys/gate.key"
certificate_path = "$certs/gate.crt"
ca_certificate_path = "$TMP/pki/ca.crt"
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
END
must vpnd_start gw "$TMP/srv.toml"
vpnctl pubkey <"$TMP/pki/keys/gate.key" >"$TMP/gate.pub"

state_of() { vpnctl -j status "$1" 2>/dev/null | jq -r .state; }
is_connected() { [ "$(state_of "$1")" = connected ]; }
# profile NAME OPTION...: a file of that name, readable by its owner only.
profile()
{
	(umask 077 && ns gw vpnctl profile "$1" --server 10.0.1.1:51820 "${@:2}" >"$TMP/$1.toml")
}
# nothing to connected, by two commands.
two_commands()
{
	profile laptop --server-certificate "$certs/gate.crt" &&
		run host c1 vpnctl up "$TMP/laptop.toml" </dev/null >&2
}
check "two commands" two_commands
check "and it is connected" wait_until 10 is_connected laptop
check "to where everything goes" wait_until 5 arrives c1 10.8.0.1
check_equal "by its name" laptop "$(tool gw -j show vpn0 | jq -r '.peers[].name')"
check "no other file was needed" test ! -e "$TMP/etc/vpn"
must vpnctl down laptop

zbar=$(ldconfig -p | awk '/libzbar\.so/ { print $NF; exit }')
if [ -n "$zbar" ] && profile phone --server-key "$TMP/gate.pub" --qr; then
	"$SELFTESTS/qr-read.py" "$zbar" <"$TMP/phone.toml" >"$TMP/tablet.toml"
	chmod 600 "$TMP/tablet.toml"
	check "a code is such a file, too" host c1 vpnd --daemon "$TMP/tablet.toml"
	check "which connects" wait_until 10 is_connected tablet
	check_equal "by its name" phone "$(tool gw -j show vpn0 | jq -r '.peers[].name')"
	must vpnctl down tablet
else
	skip "a code is such a file, too" "no libzbar here"
fi

#
# Servers that prove nothing. All are for that address.
#
run vpnctl pki init --dir "$TMP/other" >&2
run vpnctl pki issue false --host 10.0.1.1 --dir "$TMP/other" >&2
run vpnctl pki issue brief --host 10.0.1.1 --for 1 >&2
run vpnctl pki issue client >&2
run vpnctl pki issue elsewhere --host 10.0.1.9 >&2
# unproved TEXT CERTIFICATE SENTENCE: a client with that certificate of its server does
# not even try, and says why.
unproved()
{
	sed "s,^server_public_key.*,server_certificate_path = \"$2\"," "$TMP/plain.toml" >"$TMP/cli.toml"
	run host c1 vpnd --daemon "$TMP/cli.toml" </dev/null >"$TMP/said" 2>&1
	check_says "$1" "^vpnctl: the server's $3$" ns c1 vpnctl connect cli
	check_equal "and nothing was sent" null \
		"$(tool c1 -j show vpn0 2>/dev/null | jq '.peers[0].unanswered // null')"
	vpnctl down cli >&2
}
profile plain --server-key "$TMP/gate.pub"
cat >>"$TMP/plain.toml" <<END
ca_certificate_path = "$TMP/pki/ca.crt"
END
unproved "a certificate of another CA" "$TMP/other/certs/false.crt" \
	"certificate is not signed by a CA that is trusted here, in '$TMP/other/certs/false.crt'"
unproved "one that is over" "$certs/brief.crt" \
	"certificate expired on $(date -u +%Y-%m-%d), in '$certs/brief.crt'"
unproved "one that is not for servers" "$certs/client.crt" \
	"certificate is not for servers: its extended key usage does not say so, in '$certs/client.crt'"
unproved "one of another server" "$certs/elsewhere.crt" \
	"certificate, in '$certs/elsewhere.crt', is that of 'elsewhere', and not for the host '10.0.1.1'"
must vpnctl down srv
ktap_end
