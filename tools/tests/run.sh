#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh VPNCTL UNIT: what can be tested without the kernel module: values, files,
# errors and their exit statuses.  Prints KTAP.
set -u

VPNCTL=$(realpath "${1:?usage: run.sh VPNCTL UNIT}")
UNIT=$(realpath "${2:?usage: run.sh VPNCTL UNIT}")
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
# The commands themselves.
#
says "no such command" 2 "'sohw' is not a command; did you mean 'show'?" sohw
says "show: no such field" 1 "'endpoint' is not a field; did you mean 'endpoints'?" show vpntest0 endpoint
says "show: too many arguments" 2 "'c' is one argument too many" show a b c
says "showconf: no device" 2 "one device is needed" showconf
says "monitor: too many arguments" 2 "'b' is one argument too many" monitor a b
says "genkey: an argument" 2 "'x': no argument is needed" genkey x
says "-j where there is no JSON" 2 "'-j' is for 'show', 'monitor', 'pool', 'lease' and 'ping'" -j genkey
"$VPNCTL" help >out && "$VPNCTL" --help >out2 && cmp -s out out2
result "help and --help" $?
grep -c '^  [a-z]' out >count
equal "help: all commands" 18 "$(cat count)"
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

echo "1..$points"
[ $failed = 0 ]
