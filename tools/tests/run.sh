#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh VPNCTL UNIT [VPND]: what can be tested without the kernel module: values, files,
# errors and their exit statuses.  Prints KTAP.
set -u

VPNCTL=$(realpath "${1:?usage: run.sh VPNCTL UNIT}")
UNIT=$(realpath "${2:?usage: run.sh VPNCTL UNIT}")
VPND=${3:+$(realpath "$3")}
HERE=$(cd "$(dirname "$0")" && pwd)
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
cd "$TMP" || exit 1
umask 077
export LC_ALL=C
unset WG_ENDPOINT_RESOLUTION_RETRIES
export VPN_ENDPOINT_RESOLUTION_RETRIES=0

points=0 failed=0

# result TEXT STATUS
result()
{
	points=$((points + 1))
	if [ "$2" = 0 ]; then
		echo "ok $points - $1"
	else
		failed=$((failed + 1))
		echo "not ok $points - $1"
	fi
}

# equal TEXT WANTED GOT
equal()
{
	[ "$2" = "$3" ] || echo "# wanted '$2', got '$3'"
	[ "$2" = "$3" ]
	result "$1" $?
}

# says TEXT STATUS SENTENCE ARGUMENT...: vpnctl ends with that status, and the
# first line of what it says is that sentence.
says()
{
	local text=$1 wanted=$2 sentence=$3 status

	shift 3
	"$VPNCTL" "$@" >out 2>err </dev/null
	status=$?
	equal "$text" "$wanted vpnctl: $sentence" "$status $(head -n 1 err)"
}

# A value is good when there is nothing left to complain of but the module, or
# the device, or the rights, which come last.
good()
{
	local text=$1

	shift
	"$VPNCTL" "$@" >out 2>err </dev/null
	grep -Eq "^vpnctl: (the kernel|there is no device 'vpntest0')" err || sed 's/^/# /' err
	grep -Eq "^vpnctl: (the kernel|there is no device 'vpntest0')" err
	result "$text" $?
}

# config TEXT: the configuration file is standard input.
config()
{
	cat >vpn.conf
	good "$1" setconf vpntest0 vpn.conf
}

# bad_config TEXT LINE SENTENCE
bad_config()
{
	cat >vpn.conf
	says "$1" 1 "vpn.conf:$2: $3" setconf vpntest0 vpn.conf
}

echo "KTAP version 1"

#
# Keys. The vector is that of RFC 7748, section 6.1.
#
KEY_IS="a key is 44 characters of base64"
ALICE=dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=
ALICE_PUB=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
BOB=XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os=
BOB_PUB=3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=

equal "pubkey: Alice's key of RFC 7748" "$ALICE_PUB" "$("$VPNCTL" pubkey <<<"$ALICE")"
equal "pubkey: Bob's key of RFC 7748" "$BOB_PUB" "$("$VPNCTL" pubkey <<<"$BOB")"
equal "pubkey: no newline at the end" "$BOB_PUB" "$(printf %s "$BOB" | "$VPNCTL" pubkey)"
equal "pubkey: spaces at the end" "$BOB_PUB" "$(printf '%s \r\n\n' "$BOB" | "$VPNCTL" pubkey)"
one=$("$VPNCTL" genkey) two=$("$VPNCTL" genkey) three=$("$VPNCTL" genpsk)
equal "genkey, genpsk: 44 characters" "44 44" "${#one} ${#three}"
[ "$one" != "$two" ]
result "genkey: each time another one" $?
octets=$(base64 -d <<<"$one" | od -An -tu1 -v | tr -s ' \n' ' ')
read -r -a octets <<<"$octets"
equal "genkey: clamped" "32 0 64" \
	"${#octets[@]} $((octets[0] & 7)) $((octets[31] & 192))"
[ -n "$("$VPNCTL" genkey | "$VPNCTL" pubkey)" ]
result "genkey | pubkey" $?
"$VPNCTL" pubkey </dev/null 2>err
equal "pubkey: nothing to read" \
	"1 vpnctl: standard input is empty; a private key is read from it" \
	"$? $(cat err)"
"$VPNCTL" pubkey <<<"${ALICE%=}" 2>err
equal "pubkey: key too short, not shown" \
	"1 vpnctl: 'standard input' does not hold a key; $KEY_IS" "$? $(cat err)"
(umask 022 && "$VPNCTL" genkey >open.key 2>err)
equal "genkey: into a file for everybody" \
	"vpnctl: warning: a secret key goes to a file for everybody; 'umask 077' before it helps" \
	"$(cat err)"
"$VPNCTL" genpsk >closed.key 2>err
equal "genpsk: into a file of one's own" "" "$(cat err)"
"$VPNCTL" genkey >/dev/full 2>err
equal "genkey: device is full" "1 vpnctl: standard output: No space left on device" "$? $(cat err)"

#
# Arguments of set.
#
says "set: nothing to set" 2 "a device and a setting are needed" set vpntest0
says "set: no value" 2 "'listen-port' needs a value" set vpntest0 listen-port
says "set: no value for a peer" 2 "'endpoint' needs a value" set vpntest0 peer "$BOB_PUB" endpoint
says "set: no such setting" 1 "'listenport' is not a setting; did you mean 'listen-port'?" \
	set vpntest0 listenport 1
says "set: nothing like it" 1 "'xyzzyxyzzy' is not a setting" set vpntest0 xyzzyxyzzy 1
says "set: setting of a peer without one" 1 \
	"endpoint belongs to a peer; write 'peer KEY' before it" set vpntest0 endpoint 192.0.2.1:1
says "set: setting of the device after a peer" 1 \
	"listen-port belongs to the device; write it before the first peer" \
	set vpntest0 peer "$BOB_PUB" listen-port 1
says "set: a setting twice" 1 "fwmark is given twice for the same device; only one can hold" \
	set vpntest0 fwmark 1 fwmark 2
says "set: name of the device too long" 1 \
	"there is no device 'a-name-that-is-too-long'; a device's name has 1 to 15 characters" \
	set a-name-that-is-too-long listen-port 1

for value in 65536 -1 +1 1x '' ' 1' 0x10 99999999999999999999; do
	says "listen-port '$value'" 1 \
		"listen-port '$value' is not a port; a port is a number from 0 to 65535, 0 lets the kernel choose" \
		set vpntest0 listen-port "$value"
done
good "listen-port 65535" set vpntest0 listen-port 65535
for value in 4294967296 0x100000000 0x -1 on 0x0x1; do
	says "fwmark '$value'" 1 \
		"fwmark '$value' is not a mark; a mark is 'off' or a number up to 4294967295 or 0xffffffff" \
		set vpntest0 fwmark "$value"
done
for value in off 0 0xfFffffff 4294967295; do
	good "fwmark $value" set vpntest0 fwmark "$value"
done

for value in "${BOB_PUB%=}" "${BOB_PUB}x" "${BOB_PUB%8=}9=" "-${BOB_PUB#?}" " ${BOB_PUB#?}" ''; do
	says "peer '$value'" 1 "peer '$value' is not a key; $KEY_IS" set vpntest0 peer "$value"
done
says "the same peer twice" 1 \
	"peer '$BOB_PUB' is given twice; a peer has one place for its settings" \
	set vpntest0 peer "$BOB_PUB" remove peer "$ALICE_PUB" peer "$BOB_PUB"

for value in 65536 never 1s -1; do
	says "persistent-keepalive '$value'" 1 \
		"persistent-keepalive '$value' is not an interval; an interval is 'off' or 1 to 65535 seconds" \
		set vpntest0 peer "$BOB_PUB" persistent-keepalive "$value"
done
good "persistent-keepalive off" set vpntest0 peer "$BOB_PUB" persistent-keepalive off

long=$(printf '%064d' 0)
for value in "$long" 'a#b' ' a' 'a ' $'a\tb' $'\xff' $'\xc0\xaf' $'\xed\xa0\x80' $'\xc2\x85'; do
	says "name $(printf %q "$value")" 1 \
		"name '$value' is not a name; a name is at most 63 octets of UTF-8 without '#', control characters or spaces around it" \
		set vpntest0 peer "$BOB_PUB" name "$value"
done
for value in '' 'my laptop' 'Grüße 😀' "${long#0}"; do
	good "name '$value'" set vpntest0 peer "$BOB_PUB" name "$value"
done

for value in 192.0.2.1 192.0.2.1: :51820 '[2001:db8::1]' '[2001:db8::1' '[2001:db8::1]51820' ''; do
	says "endpoint '$value'" 1 \
		"endpoint '$value' is not an endpoint; an endpoint is HOST:PORT, as in 192.0.2.1:51820 or [2001:db8::1]:51820" \
		set vpntest0 peer "$BOB_PUB" endpoint "$value"
done
for value in 192.0.2.1:0 192.0.2.1:65536 '[2001:db8::1]:99999999999'; do
	says "endpoint '$value'" 1 \
		"endpoint '$value' has no valid port; a port is a number from 1 to 65535" \
		set vpntest0 peer "$BOB_PUB" endpoint "$value"
done
for value in 192.0.2.1:51820 '[2001:db8::1]:51820' 2001:db8::1:51820 '[fe80::1%lo]:1'; do
	good "endpoint $value" set vpntest0 peer "$BOB_PUB" endpoint "$value"
done
"$VPNCTL" set vpntest0 peer "$BOB_PUB" endpoint no-such-host.invalid:1 2>err
equal "endpoint: unresolvable name, status" 1 $?
grep -q "^vpnctl: endpoint 'no-such-host.invalid:1' cannot be resolved: .*; check the name and this host's DNS$" err
result "endpoint: unresolvable name, sentence" $?

for value in 10.0.0.0/33 10.0.0/8 10.0.0.0/ 10.0.0.0/-1 10.0.0.0/1x 2001:db8::/129 host ::1/64/1 10.0.0.1/+8; do
	says "allowed-ips '$value'" 1 \
		"allowed-ips '$value' is not a prefix; a prefix is ADDRESS or ADDRESS/LENGTH, as in 10.0.0.0/24 or 2001:db8::1/128" \
		set vpntest0 peer "$BOB_PUB" allowed-ips "10.9.0.0/16,$value"
done
says "allowed-ips: an empty prefix" 1 \
	"allowed-ips '' is not a prefix; a prefix is ADDRESS or ADDRESS/LENGTH, as in 10.0.0.0/24 or 2001:db8::1/128" \
	set vpntest0 peer "$BOB_PUB" allowed-ips 10.0.0.0/8,
for value in '' 0.0.0.0/0,::/0 10.0.0.1 '10.0.0.0/8, ::1/128' +10.0.0.0/8,-10.1.0.0/16 fd00::/8; do
	good "allowed-ips '$value'" set vpntest0 peer "$BOB_PUB" allowed-ips "$value"
done
says "the same prefix twice for a peer" 1 \
	"allowed-ips '10.0.0.0/24' is given twice; a prefix belongs to one peer" \
	set vpntest0 peer "$BOB_PUB" allowed-ips 10.0.0.0/24,10.0.0.0/24
says "the same prefix for two peers" 1 \
	"allowed-ips 'fd00::/8' is given twice; a prefix belongs to one peer" \
	set vpntest0 peer "$BOB_PUB" allowed-ips fd00::/8 peer "$ALICE_PUB" allowed-ips +fd00::/8
says "a prefix with an address behind it" 1 \
	"warning: '10.0.0.1/24' has bits behind its prefix; 10.0.0.0/24 is taken" \
	set vpntest0 peer "$BOB_PUB" allowed-ips 10.0.0.1/24
good "a prefix moves from a peer to another" \
	set vpntest0 peer "$BOB_PUB" allowed-ips -10.0.0.0/8 peer "$ALICE_PUB" allowed-ips +10.0.0.0/8

#
# Files with keys.
#
says "private-key: no such file" 1 \
	"private-key 'nowhere' cannot be opened: No such file or directory; the argument is a file with the key" \
	set vpntest0 private-key nowhere
says "private-key: a key instead of a file" 1 \
	"private-key (44 characters, not shown) cannot be opened: No such file or directory; the argument is a file with the key, never the key itself" \
	set vpntest0 private-key "$ALICE"
echo "no key" >bad.key
says "private-key: no key in the file" 1 "private-key 'bad.key' does not hold a key; $KEY_IS" \
	set vpntest0 private-key bad.key
echo >blank.key
says "private-key: a blank line is not an empty file" 1 \
	"private-key 'blank.key' does not hold a key; $KEY_IS" set vpntest0 private-key blank.key
printf '%s\n%s\n' "$ALICE" "$BOB" >two.key
says "private-key: two keys in the file" 1 "private-key 'two.key' does not hold a key; $KEY_IS" \
	set vpntest0 private-key two.key
good "private-key: an empty file" set vpntest0 private-key /dev/null
good "private-key: process substitution" set vpntest0 private-key <(echo "$ALICE")
good "preshared-key: a file" set vpntest0 peer "$BOB_PUB" preshared-key closed.key
says "private-key: a file for everybody" 1 \
	"warning: 'open.key' holds a secret key and everybody may read it; 'chmod 600 open.key' helps" \
	set vpntest0 private-key open.key
says "private-key: a directory" 1 "private-key '.' cannot be read: Is a directory" \
	set vpntest0 private-key .

#
# Configuration files.
#
says "setconf: no file" 2 "a device and a file are needed" setconf vpntest0
says "setconf: no such file" 1 "'nowhere' cannot be opened: No such file or directory" \
	setconf vpntest0 nowhere
says "syncconf: no such file" 1 "'nowhere' cannot be opened: No such file or directory" \
	syncconf vpntest0 nowhere
config "config: everything there is" <<-END
	# a comment
	[interface]	# and another
	  privatekey=$ALICE
	LISTENPORT = 51820
	FwMark = 0xca6c

	[Peer]
	PublicKey = $BOB_PUB
	Name = my laptop
	PresharedKey = $three
	AllowedIPs = 10.0.0.2/32 , fd00::2/128
	AllowedIPs=10.1.0.0/16
	Endpoint = [2001:db8::1]:51820
	PersistentKeepalive = 25
	[Peer]
	PublicKey = $ALICE_PUB
	AllowedIPs =
END
config "config: an empty file" </dev/null
printf '[Interface]\r\nListenPort = 1\r\n' | config "config: lines of DOS"
printf '[Interface]\nListenPort = 1' | config "config: no newline at the end"
bad_config "config: unknown section" 2 "'[Pear]' is not a section; there are [Interface] and [Peer]" \
	<<<$'\n[Pear]'
bad_config "config: unknown key" 2 "'ListenProt' is not a key; did you mean 'ListenPort'?" \
	<<<$'[Interface]\nListenProt = 1'
bad_config "config: key outside of a section" 1 \
	"ListenPort is outside of a section; write [Interface] or [Peer] before it" <<<'ListenPort = 1'
bad_config "config: key of a peer in the interface" 2 "Endpoint belongs to [Peer]" \
	<<<$'[Interface]\nEndpoint = 192.0.2.1:1'
bad_config "config: key of the interface in a peer" 2 "ListenPort belongs to [Interface]" \
	<<<$'[Peer]\nListenPort = 1'
bad_config "config: no value" 2 "a line is KEY = VALUE, a [Section], or a comment after '#'" \
	<<<$'[Interface]\nListenPort'
bad_config "config: peer without a key" 3 "this [Peer] has no PublicKey; each peer needs one" \
	<<<$'[Interface]\n\n[Peer]\nAllowedIPs = 10.0.0.0/8\n[Interface]'
bad_config "config: last peer without a key" 1 \
	"this [Peer] has no PublicKey; each peer needs one" <<<'[Peer]'
bad_config "config: two keys in a peer" 3 \
	"PublicKey is given twice for the same peer; only one can hold" \
	<<<$'[Peer]\nPublicKey = '"$BOB_PUB"$'\nPublicKey = '"$ALICE_PUB"
bad_config "config: the same peer twice" 4 \
	"PublicKey '$BOB_PUB' is given twice; a peer has one place for its settings" \
	<<<$'[Peer]\nPublicKey = '"$BOB_PUB"$'\n[Peer]\nPublicKey = '"$BOB_PUB"
bad_config "config: bad public key" 2 "PublicKey 'x=' is not a key; $KEY_IS" \
	<<<$'[Peer]\nPublicKey = x='
bad_config "config: bad private key, not shown" 2 \
	"PrivateKey (43 characters, not shown) is not a key; $KEY_IS" \
	<<<$'[Interface]\nPrivateKey = '"${ALICE%=}"
bad_config "config: bad prefix" 3 \
	"AllowedIPs '10.0.0.0/40' is not a prefix; a prefix is ADDRESS or ADDRESS/LENGTH, as in 10.0.0.0/24 or 2001:db8::1/128" \
	<<<$'[Peer]\nPublicKey = '"$BOB_PUB"$'\nAllowedIPs = 10.0.0.0/8, 10.0.0.0/40'
printf '[Interface]\n\0' | bad_config "config: not a text file" 2 "a zero octet: this is not a text file"
printf '[Interface]\nPrivateKey = %s\n' "$ALICE" >open.conf
chmod 644 open.conf
says "config: keys in a file for everybody" 1 \
	"warning: 'open.conf' holds a secret key and everybody may read it; 'chmod 600 open.conf' helps" \
	setconf vpntest0 open.conf

#
# Settings of version 1, in set.
#
for value in 'a#b' ' a' $'\x01'; do
	says "host-name $(printf %q "$value")" 1 \
		"host-name '$value' is not a name of a host; a name is at most 63 octets of UTF-8 without '#', control characters or spaces around it" \
		set vpntest0 host-name "$value"
done
good "host-name: removed" set vpntest0 host-name ""
for value in -1 4294967296 many ''; do
	says "max-peers '$value'" 1 \
		"max-peers '$value' is not a number of peers; a number of peers is 'off' or 1 to 4294967295" \
		set vpntest0 max-peers "$value"
done
good "max-peers off" set vpntest0 max-peers off
for value in 575 65536 1.5k; do
	says "push-mtu '$value'" 1 "push-mtu '$value' is not an MTU; an MTU is 'off' or 576 to 65535 octets" \
		set vpntest0 push-mtu "$value"
done
good "push-mtu 576" set vpntest0 push-mtu 576
says "push-keepalive 65536" 1 \
	"push-keepalive '65536' is not an interval; an interval is 'off' or 1 to 65535 seconds" \
	set vpntest0 push-keepalive 65536
for value in 10.0.0.0/24 dns.example.com 10.0.0 ; do
	says "push-dns '$value'" 1 \
		"push-dns '$value' is not an address; it is an address, as in 10.0.0.1 or 2001:db8::1" \
		set vpntest0 push-dns "10.0.0.1,$value"
done
says "push-dns: twice the same" 1 "push-dns '10.0.0.1' is given twice in the same list" \
	set vpntest0 push-dns 10.0.0.1,10.0.0.1
nine=$(printf '10.0.0.%s,' {1..9})
says "push-dns: nine servers" 1 "push-dns '${nine%,}' has 9 of them; at most 8 are possible" \
	set vpntest0 push-dns "${nine%,}"
good "push-dns: eight servers" set vpntest0 push-dns "${nine%,10.0.0.9,}"
good "push-dns: none" set vpntest0 push-dns ""
says "push-routes: no prefix" 1 \
	"push-routes '10.0.0.0/33' is not a prefix; a prefix is ADDRESS or ADDRESS/LENGTH, as in 10.0.0.0/24 or 2001:db8::1/128" \
	set vpntest0 push-routes 10.0.0.0/33
says "push-routes: an address in it" 1 \
	"warning: '10.0.0.1/8' has bits behind its prefix; 10.0.0.0/8 is taken" \
	set vpntest0 push-routes 10.0.0.1/8
good "push-routes" set vpntest0 push-routes 0.0.0.0/0,::/0

OWN_IS="it is 'auto', 'off', or ADDRESS[,ADDRESS6], as in 10.0.0.7,fd00::7"
for value in 10.0.0.7/24 own 10.0.0; do
	says "address '$value'" 1 "address '$value' is not an address; $OWN_IS" \
		set vpntest0 peer "$BOB_PUB" address "$value"
done
says "address: none" 1 "address '' is no address; it is 'auto', 'off', or ADDRESS[,ADDRESS6]" \
	set vpntest0 peer "$BOB_PUB" address ""
says "address: two of a family" 1 \
	"address '10.0.0.7,10.0.0.8' has two addresses of a family; a peer has one IPv4 address and one IPv6 address" \
	set vpntest0 peer "$BOB_PUB" address 10.0.0.7,10.0.0.8
for value in auto off 10.0.0.7 10.0.0.7/32 fd00::7,10.0.0.7; do
	good "address $value" set vpntest0 peer "$BOB_PUB" address "$value"
done
says "cipher aes" 1 \
	"cipher 'aes' is not a cipher; there are chacha20-poly1305, aes-256-gcm, and any" \
	set vpntest0 peer "$BOB_PUB" cipher aes
good "cipher any" set vpntest0 peer "$BOB_PUB" cipher any

TIME_IS="a time is 'never', a date as in 2026-12-31 or 2026-12-31T23:59:59Z, seconds since the epoch, or from now on as in +90m or +30d"
for value in tomorrow 2026-02-30 2026-12-31T23:59:59 2026-12-31T24:00:00Z 2026-13-01 +1y -5m 0 \
	2026-12-31Tx 2026-12-31T23:59:59+25:00 99999999999 ''; do
	says "expires '$value'" 1 "expires '$value' is not a time; $TIME_IS" \
		set vpntest0 peer "$BOB_PUB" expires "$value"
done
for value in never 2026-12-31 2026-12-31T23:59:59Z 2026-12-31T23:59:59.5+01:00 1798761599 +90m +30d +5 +2w; do
	good "expires $value" set vpntest0 peer "$BOB_PUB" expires "$value"
done

#
# Credentials.
#
CREDENTIAL_IS="a credential is an X.509 certificate, PEM or DER, or a JSON web token, which is three parts of base64url with dots between"
cat >cert.pem <<END
-----BEGIN CERTIFICATE-----
MIIBLjCB4aADAgECAhQIWpHlQGPORR26wm0myYWrL2aYNTAFBgMrZXAwDDEKMAgG
A1UEAwwBdDAgFw0yNjExMjIyMTUwNDdaGA8yMTI2MTAyOTIxNTA0N1owDDEKMAgG
A1UEAwwBdDAqMAUGAytlcAMhACmYgaAe6cQ9Pd4sqfM3Y+5ho/Nd9icmodUKkpDR
I4ydo1MwUTAdBgNVHQ4EFgQUevQd9LnNoFpoQOf22sGJdfJslzEwHwYDVR0jBBgw
FoAUevQd9LnNoFpoQOf22sGJdfJslzEwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXAD
QQD8tUFKK4OdrV4XP/PS87VdfrkhPNCwJifi2ld7xJiwm+OUFEFhvFz9feadGDRw
CXjv0J3mnDjcxXJer6HeS44C
-----END CERTIFICATE-----
END
grep -v -- -- cert.pem | base64 -d >cert.der
echo "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ0In0.c2ln-nature_" >token
# credential TEXT FILE SENTENCE
bad_credential() { says "$1" 1 "credential '$2' $3" set vpntest0 peer "$BOB_PUB" credential "$2"; }
for file in cert.pem cert.der token ''; do
	good "credential '$file'" set vpntest0 peer "$BOB_PUB" credential "$file"
done
cat cert.pem cert.pem >chain.pem
says "credential: a chain" 1 "warning: 'chain.pem' has 2 certificates; the first one is taken" \
	set vpntest0 peer "$BOB_PUB" credential chain.pem
install -m 644 token open.token
says "credential: a token for everybody" 1 \
	"warning: 'open.token' holds a token and everybody may read it; 'chmod 600 open.token' helps" \
	set vpntest0 peer "$BOB_PUB" credential open.token
PRIVATE="holds a private key, which nobody else should see; a credential is shown to the peer: name a file with the certificate alone"
{ cat cert.pem; echo "-----BEGIN PRIVATE KEY-----"; } >both.pem
bad_credential "credential: with a private key" both.pem "$PRIVATE"
{ printf '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20'; head -c 32 /dev/zero; } >key.der
bad_credential "credential: a private key, DER" key.der "$PRIVATE"
sed 4d cert.pem >short.pem
bad_credential "credential: a line is missing" short.pem \
	"has a certificate that cannot be read; its base64 or what that means is damaged"
head -n 5 cert.pem >cut.pem
bad_credential "credential: cut off" cut.pem "has a certificate without an end; the file was cut off"
sed 's/CERTIFICATE/PUBLIC KEY/' cert.pem >public.pem
bad_credential "credential: PEM of something else" public.pem "is PEM without a certificate; $CREDENTIAL_IS"
head -c 200 cert.der >cut.der
for file in cut.der closed.key; do
	bad_credential "credential '$file'" $file "is neither a certificate nor a token; $CREDENTIAL_IS"
done
echo "a.b" >two.token
bad_credential "credential: two parts" two.token "is neither a certificate nor a token; $CREDENTIAL_IS"
echo "a..b" >empty.token
bad_credential "credential: an empty part" empty.token "is neither a certificate nor a token; $CREDENTIAL_IS"
bad_credential "credential: an empty file" /dev/null "is empty; $CREDENTIAL_IS"
bad_credential "credential: no such file" nowhere \
	"cannot be opened: No such file or directory; the argument is a file with a certificate or a token"
printf 'a.b.%03580d' 0 >fits.token
good "credential: as long as can be" set vpntest0 peer "$BOB_PUB" credential fits.token
printf 'a.b.%03581d' 0 >long.token
bad_credential "credential: too long" long.token \
	"is a credential of 3585 octets, more than a handshake carries; at most 3584 fit"

#
# Settings of version 1, in files.
#
mkdir -p sub
config "config: everything of version 1" <<-END
	[Interface]
	HostName = gate
	MaxPeers = 100
	PushDNS = 10.0.0.1, fd00::1
	PushRoutes = 10.0.0.0/8
	PushMTU = 1380
	PushKeepalive = 25
	[Peer]
	PublicKey = $BOB_PUB
	Address = 10.0.0.7, fd00::7
	Cipher = aes-256-gcm
	Credential = cert.pem
	Expires = 2026-12-31T23:59:59Z
END
cp cert.pem sub/near.pem
printf '[Peer]\nPublicKey = %s\nCredential = near.pem\n' "$BOB_PUB" >sub/vpn.conf
good "config: a credential beside the file" setconf vpntest0 sub/vpn.conf
bad_config "config: Address of wg-quick" 2 "'Address' is not a key" \
	<<<$'[Interface]\nAddress = 10.0.0.1/24'
for key in DNS MTU Table PreUp; do
	bad_config "config: $key of wg-quick" 2 "'$key' is not a key" <<<$'[Interface]\n'"$key = 1"
done
bad_config "config: a misspelt key" 2 "'PushRoute' is not a key; did you mean 'PushRoutes'?" \
	<<<$'[Interface]\nPushRoute = 10.0.0.0/8'

#
# Commands of version 1.
#
says "pool: nothing to do" 2 "'pool' needs to be told what to do" pool
says "pool: no such verb" 2 "'ad' is nothing that 'pool' does; did you mean 'add'?" pool ad
says "pool add: no prefix" 2 "a device and a prefix are needed" pool add vpntest0
says "pool add: bad prefix" 1 \
	"pool '10.8.0.0/33' is not a prefix; a prefix is ADDRESS or ADDRESS/LENGTH, as in 10.0.0.0/24 or 2001:db8::1/128" \
	pool add vpntest0 10.8.0.0/33
says "pool add: bad word" 2 "'leese' is nothing that a pool has; there are 'reserve' and 'lease'" \
	pool add vpntest0 10.8.0.0/24 leese 1h
says "pool add: no value" 2 "'lease' needs a value" pool add vpntest0 10.8.0.0/24 lease
for value in 10.8.0.9-10.8.0.1 10.8.0.1-fd00::1 10.8.0.0/28 x 10.8.0.1-; do
	says "pool add: reserve $value" 1 \
		"reserve '$value' is not a range; it is an address, or two of a family with '-' between, the lower one first" \
		pool add vpntest0 10.8.0.0/24 reserve "10.8.0.1,$value"
done
for value in 0 1y -1 '' 200000d; do
	says "pool add: lease '$value'" 1 \
		"lease '$value' is not a time; a time is 'forever' or a number of seconds, or one with s, m, h, d or w, as in 12h" \
		pool add vpntest0 10.8.0.0/24 lease "$value"
done
good "pool add" pool add vpntest0 10.8.0.0/24 reserve "10.8.0.1 - 10.8.0.9, 10.8.0.50" lease 90m
good "pool add: without an end" pool add vpntest0 fd00::/64 lease forever
good "pool del" pool del vpntest0 10.8.0.0/24 force
says "pool del: too many arguments" 2 "'x' is one argument too many" pool del vpntest0 10.8.0.0/24 x
says "pool show: too many arguments" 2 "'b' is one argument too many" pool show a b

says "lease: no such verb" 2 "'resotre' is nothing that 'lease' does; did you mean 'restore'?" lease resotre
says "lease release: nothing to release" 2 "a device and a key, an address, or a name are needed" \
	lease release vpntest0
good "lease release: a key" lease release vpntest0 "$BOB_PUB" 10.8.0.2
says "lease dump: no device" 2 "one device is needed" lease dump
says "lease restore: no file" 2 "a device and a file are needed" lease restore vpntest0
says "lease restore: no such file" 1 "'nowhere' cannot be opened: No such file or directory" \
	lease restore vpntest0 nowhere
# bad_leases TEXT LINE SENTENCE
bad_leases() { cat >leases; says "$1" 1 "leases:$2: $3" lease restore vpntest0 leases; }
bad_leases "lease restore: two words" 2 \
	"has fewer than three words; a line is ADDRESS/LENGTH KEY EXPIRES, as 'lease dump' writes it" \
	<<<$'# leases\n10.8.0.2/24 never'
bad_leases "lease restore: four words" 1 \
	"has more than three words; a line is ADDRESS/LENGTH KEY EXPIRES, as 'lease dump' writes it" \
	<<<"10.8.0.2/24 $BOB_PUB never ever"
bad_leases "lease restore: no address" 1 \
	"'10.8.0/24' is not an address; it is ADDRESS/LENGTH, as in 10.8.0.2/24" <<<"10.8.0/24 $BOB_PUB never"
bad_leases "lease restore: no key" 1 "'key' is not a key; $KEY_IS" <<<"10.8.0.2/24 key never"
bad_leases "lease restore: no time" 1 "'x' is not a time; $TIME_IS" <<<"10.8.0.2/24 $BOB_PUB x"
bad_leases "lease restore: an address twice" 3 "'10.8.0.2/32' is given twice; an address has one holder" \
	<<<"10.8.0.2/24 $BOB_PUB never # bob"$'\n\n'"10.8.0.2/32 $ALICE_PUB never"
printf '10.8.0.2/24 %s 2126-12-31T23:59:59.000000001Z # a name\n' "$BOB_PUB" >leases
good "lease restore" lease restore vpntest0 leases

says "reject: no reason" 2 "a device, a key and a reason are needed" reject vpntest0 "$BOB_PUB"
says "reject: no such reason" 1 "'revokd' is not a reason; did you mean 'revoked'?" \
	reject vpntest0 "$BOB_PUB" revokd
says "reject: text in words" 2 "'day' is one argument too many; quote the text" \
	reject vpntest0 "$BOB_PUB" revoked some day
says "reject: text too long" 1 "the text has 128 octets; a refusal carries at most 127" \
	reject vpntest0 "$BOB_PUB" revoked "$(printf '%0128d' 0)"
says "reject: no text" 1 \
	"the text is not UTF-8 without control characters; a refusal carries nothing else" \
	reject vpntest0 "$BOB_PUB" revoked $'a\nb'
good "reject" reject vpntest0 "$BOB_PUB" pool-exhausted "come back tomorrow"

says "ping: no peer" 2 "a device and a peer are needed" ping vpntest0
says "ping: no such option" 2 "'cuont' is no option; there are 'count' and 'interval'" \
	ping vpntest0 "$BOB_PUB" cuont 1
says "ping: count 0" 1 "count '0' is not a number of echoes; it is a number from 1 to 1000000000" \
	ping vpntest0 "$BOB_PUB" count 0
for value in 0 x 1e3 -1 inf; do
	says "ping: interval $value" 1 \
		"interval '$value' is not an interval; an interval is a number of seconds from 0.01 to 3600" \
		ping vpntest0 "$BOB_PUB" interval $value
done
good "ping" ping vpntest0 "$BOB_PUB" count 1 interval 0.2

says "apply: no device" 2 "one device is needed" apply --dry-run
says "export: no peer" 2 "a device and a peer are needed" export vpntest0
for value in host :1 host:0 host:65536 host:http 'a#b:1'; do
	says "export: endpoint $value" 1 \
		"endpoint '$value' is not an endpoint; an endpoint is HOST:PORT, as in vpn.example.com:51820 or [2001:db8::1]:51820" \
		export vpntest0 "$BOB_PUB" endpoint "$value"
done
says "export: an empty key" 1 "private-key '/dev/null' is empty; it has to hold the key of the peer" \
	export vpntest0 "$BOB_PUB" private-key /dev/null
says "export: a code without the key" 1 \
	"a QR code without the private key is of no use; add 'private-key FILE'" export vpntest0 "$BOB_PUB" --qr
says "export: a code without the endpoint" 1 \
	"a QR code without the endpoint is of no use; add 'endpoint HOST:PORT'" \
	export vpntest0 "$BOB_PUB" --qr private-key closed.key
good "export" export vpntest0 "$BOB_PUB" endpoint '[2001:db8::1]:51820' private-key closed.key --qr
says "monitor auth: too many arguments" 2 "'b' is one argument too many" monitor auth a b

#
# The commands themselves.
#
says "no such command" 2 "'sohw' is not a command; did you mean 'show'?" sohw
says "show: no such field" 1 "'endpoint' is not a field; did you mean 'endpoints'?" show vpntest0 endpoint
says "show: too many arguments" 2 "'c' is one argument too many" show a b c
says "showconf: no device" 2 "one device is needed" showconf
says "monitor: too many arguments" 2 "'b' is one argument too many" monitor a b
says "genkey: an argument" 2 "'x': no argument is needed" genkey x
says "-j where there is no JSON" 2 "'-j' is for 'show', 'monitor', 'pool', 'lease', 'ping', 'pki', 'doctor' and 'status'" -j genkey
"$VPNCTL" help >out && "$VPNCTL" --help >out2 && cmp -s out out2
result "help and --help" $?
grep -c '^  [a-z]' out >count
equal "help: all commands" 32 "$(cat count)"
equal "set --help" "$("$VPNCTL" help set)" "$("$VPNCTL" set --help)"
"$VPNCTL" version | grep -Eq '^vpnctl [0-9]'
result "version" $?
equal "version, --version and -v" "$("$VPNCTL" --version)" "$("$VPNCTL" -v)"

#
# The library and the printer.
#
"$UNIT" >unit.out
status=$?
sed 's/^/# /' unit.out
result "units: $(grep -c '^ok' unit.out) of $(grep -c 'ok ' unit.out) hold" $status

# shellcheck source=pki.sh
. "$HERE/pki.sh"
# shellcheck source=complete.sh
. "$HERE/complete.sh"
# shellcheck source=token.sh
. "$HERE/token.sh"

if [ -n "$VPND" ]; then
	if strace -qqq -o /dev/null true 2>err; then
		"$HERE/leases.py" "$(dirname "$UNIT")/leases" >said 2>&1
		status=$?
		sed 's/^/# /' said
		result "leases: what was promised outlives a power failure" $status
	fi
	# shellcheck source=vpnd.sh
	. "$HERE/vpnd.sh"
fi

echo "1..$points"
[ $failed = 0 ]
