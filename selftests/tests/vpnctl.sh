#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vpnctl against the module: every command, every sentence of refusal with its
# exit status, and the same script with wg on a link of the kernel's WireGuard.
#
#	h1 [vpn0 192.168.99.1 fd99::1] ==== tunnel ==== [vpn0 192.168.99.2 fd99::2] h2
#	   [eth0 10.0.0.1     fd00::1] ---- cable ----- [eth0 10.0.0.2     fd00::2]
# timeout: 480
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

[ "$VPN_KIND" = vpn ] || skip_all "wg is compared with, not tested"

MODPROBE=$(cat /proc/sys/kernel/modprobe)

on_exit()
{
	echo "$MODPROBE" >/proc/sys/kernel/modprobe
}

# status_says TEXT STATUS SENTENCE COMMAND...: the exit status, and all that is
# said on standard error.
status_says()
{
	local text=$1 wanted=$2 sentence=$3 status=0

	shift 3
	narrate "$@"
	"$@" >"$TMP/out" 2>"$TMP/err" || status=$?
	check_equal "$text" "$wanted vpnctl: $sentence" "$status $(cat "$TMP/err")"
}

ktap_start

#
# Without the module, which asking for its netlink family would load.
#
wait_until 10 sh -c '[ ! -d /sys/module/vpn ] || rmmod vpn'
echo /bin/false >/proc/sys/kernel/modprobe
MISSING="the kernel module 'vpn' is not loaded; 'modprobe vpn' loads it, on the host if this is a container"
status_says "no module: show" 1 "$MISSING" vpnctl show
status_says "no module: show a device" 1 "$MISSING" vpnctl show vpn0
status_says "no module: set" 1 "$MISSING" vpnctl set vpn0 listen-port 1
status_says "no module: setconf" 1 "$MISSING" vpnctl setconf vpn0 /dev/null
status_says "no module: syncconf" 1 "$MISSING" vpnctl syncconf vpn0 /dev/null
status_says "no module: monitor" 1 "$MISSING" vpnctl monitor
check_equal "no module: there are no interfaces" "0 " "$(vpnctl show interfaces 2>&1 | sed 's/^/x/'; echo "${PIPESTATUS[0]} ")"
echo "$MODPROBE" >/proc/sys/kernel/modprobe
must modprobe vpn

#
# Devices, rights, and what the kernel refuses.
#
must topo_two
keys h1 h2 other third
(umask 077 && vpnctl genpsk >"$TMP/psk")
check_equal "no devices: show" "" "$(tool h1 show 2>&1)"
check_equal "no devices: show -j" "[]" "$(tool h1 show -j 2>&1)"
check_equal "no devices: show interfaces -j" "[]" "$(tool h1 show interfaces -j 2>&1)"
status_says "no such device: show" 1 \
	"there is no device 'vpn9'; 'ip link add vpn9 type vpn' makes one" tool h1 show vpn9
status_says "no such device: set" 1 \
	"there is no device 'vpn9'; 'ip link add vpn9 type vpn' makes one" tool h1 set vpn9 listen-port 1
status_says "no such device: monitor" 1 \
	"there is no device 'vpn9'; 'ip link add vpn9 type vpn' makes one" tool h1 monitor vpn9
status_says "device of another kind" 1 \
	"the device 'eth0' is not of kind 'vpn' but 'veth'; 'vpnctl show interfaces' lists those that are" \
	tool h1 show eth0
status_says "device without a kind" 1 \
	"the device 'lo' is not of kind 'vpn'; 'vpnctl show interfaces' lists those that are" \
	tool h1 setconf lo /dev/null
must link_add h1 vpn0 192.168.99.1/24 fd99::1/64
must link_add h2 vpn0 192.168.99.2/24 fd99::2/64
must link_add h1 vpn1

nobody() { ns h1 setpriv --reuid 65534 --regid 65534 --clear-groups vpnctl "$@"; }
RIGHTS="the kernel refused: Operation not permitted; CAP_NET_ADMIN is needed: run it as root"
status_says "no rights: show" 1 "$RIGHTS" nobody show vpn0
status_says "no rights: set" 1 "$RIGHTS" nobody set vpn0 fwmark 1
status_says "no rights: monitor" 1 "$RIGHTS" nobody monitor
check_equal "no rights are needed for: show interfaces" "vpn0 vpn1" "$(nobody show interfaces)"
check_equal "show interfaces -j" '["vpn0","vpn1"]' "$(tool h1 show interfaces -j)"

REFUSED="the kernel refused:"
status_says "refused: endpoint" 1 \
	"$REFUSED the endpoint is not a unicast address (attribute 'endpoint-ipv4' of peer ${PUB[h2]})" \
	tool h1 set vpn0 peer "${PUB[other]}" peer "${PUB[h2]}" endpoint 224.0.0.1:1
check_equal "and nothing was changed" "" "$(tool h1 show vpn0 peers)"
zero=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
status_says "refused: a key of zeros" 1 \
	"$REFUSED the public key is all zero (attribute 'public-key' of peer $zero)" \
	tool h1 set vpn0 peer $zero
check "a port" tool h1 set vpn0 listen-port 1001 private-key "$TMP/h1.key"
must ns h1 ip link set vpn0 up
must ns h1 ip link set vpn1 up
status_says "refused: a port that is taken" 1 \
	"$REFUSED another socket listens on this UDP port (attribute 'listen-port')" \
	tool h1 set vpn1 listen-port 1001
status_says "the device's own key" 0 \
	"warning: the kernel says: ignored the peer that has the device's own key" \
	tool h1 set vpn0 peer "${PUB[h1]}"
must ns h1 ip link del vpn1

#
# set and show.
#
check "set: everything" tool h1 set vpn0 listen-port 1001 fwmark 0xca6c private-key "$TMP/h1.key" \
	peer "${PUB[h2]}" name "second host" preshared-key "$TMP/psk" endpoint 10.0.0.2:1002 \
	persistent-keepalive 25 allowed-ips 192.168.99.2/32,fd99::2/128 \
	peer "${PUB[other]}" endpoint '[fd00::3]:1003' allowed-ips 10.1.2.3/16
psk=$(cat "$TMP/psk") key=$(cat "$TMP/h1.key")

shown() { tool h1 show vpn0 "$@" | tr '\t\n' '|;'; }
check_equal "show public-key" "${PUB[h1]};" "$(shown public-key)"
check_equal "show private-key" "$key;" "$(shown private-key)"
check_equal "show listen-port" "1001;" "$(shown listen-port)"
check_equal "show fwmark" "0xca6c;" "$(shown fwmark)"
check_equal "show peers" "${PUB[h2]};${PUB[other]};" "$(shown peers)"
check_equal "show preshared-keys" "${PUB[h2]}|$psk;${PUB[other]}|(none);" "$(shown preshared-keys)"
check_equal "show endpoints" "${PUB[h2]}|10.0.0.2:1002;${PUB[other]}|[fd00::3]:1003;" "$(shown endpoints)"
check_equal "show allowed-ips" "${PUB[h2]}|192.168.99.2/32 fd99::2/128;${PUB[other]}|10.1.0.0/16;" \
	"$(shown allowed-ips)"
check_equal "show latest-handshakes" "${PUB[h2]}|0;${PUB[other]}|0;" "$(shown latest-handshakes)"
check_equal "show persistent-keepalive" "${PUB[h2]}|25;${PUB[other]}|off;" "$(shown persistent-keepalive)"
check_equal "show all fwmark" $'vpn0\t0xca6c' "$(tool h1 show all fwmark)"
tool h1 show vpn0 | sed 's/^  transfer: .*/  transfer/' >"$TMP/shown"
cat >"$TMP/wanted" <<-END
	interface: vpn0
	  public key: ${PUB[h1]}
	  private key: (hidden)
	  listening port: 1001
	  fwmark: 0xca6c

	peer: ${PUB[h2]}
	  name: second host
	  preshared key: (hidden)
	  endpoint: 10.0.0.2:1002
	  allowed ips: 192.168.99.2/32, fd99::2/128
	  transfer
	  persistent keepalive: every 25 seconds

	peer: ${PUB[other]}
	  endpoint: [fd00::3]:1003
	  allowed ips: 10.1.0.0/16
END
check "show: for people" diff "$TMP/wanted" "$TMP/shown"
tool h1 show vpn0 >"$TMP/shown"
tool h1 >"$TMP/shown-all"
check "without a command: show" grep -q "^  fwmark: 0xca6c" "$TMP/shown-all"

json() { tool h1 show "$1" -j | jq -cS "${@:2}"; }
check_equal "show -j: a device" '["vpn0",1001,51820,2]' \
	"$(json vpn0 '[.ifname, .listen_port, .fwmark, .peer_count]')"
check_equal "show -j: a peer" \
	'{"allowed_ips":["192.168.99.2/32","fd99::2/128"],"endpoint":"10.0.0.2:1002","latest_handshake":null,"name":"second host","persistent_keepalive":25}' \
	"$(json vpn0 '.peers[0] | {allowed_ips, endpoint, latest_handshake, name, persistent_keepalive}')"
check_equal "-j show all: a list" '["vpn0"]' "$(tool h1 -j show all | jq -c '[.[].ifname]')"
check_equal "show FIELD -j" "{\"endpoint\":\"[fd00::3]:1003\",\"public_key\":\"${PUB[other]}\"}" \
	"$(tool h1 show vpn0 endpoints -j | jq -cS '.peers[1]')"
for args in "show -j" "show vpn0 -j" "show vpn0 dump -j" "show vpn0 peers -j" "show all -j" show "show vpn0"; do
	# shellcheck disable=SC2086 # arguments
	tool h1 $args >"$TMP/out"
	! grep -qF -e "$key" -e "$psk" "$TMP/out"
	ok "no secret key in: $args" $?
done
check_equal "show private-key -j" "$key" "$(tool h1 show vpn0 private-key -j | jq -r .private_key)"
check_equal "show preshared-keys -j" "$psk" \
	"$(tool h1 show vpn0 preshared-keys -j | jq -r '.peers[0].preshared_key')"

escape=$(printf '\033')
VPN_COLOR_MODE=always tool h1 show vpn0 | grep -q "$escape"
ok "colours: always" $?
# "vpnctl show vpn0" on a terminal.
terminal() { env TERM=linux "$@" script -qec "nsenter --net=/run/netns/$(netns h1) vpnctl show vpn0" /dev/null; }
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	terminal </dev/null | grep -q "$escape"
	ok "colours: on a terminal" $?
	! terminal NO_COLOR=1 </dev/null | grep -q "$escape"
	ok "no colours: NO_COLOR" $?
	! terminal VPN_COLOR_MODE=never </dev/null | grep -q "$escape"
	ok "no colours: never" $?
else
	skip "colours on a terminal" "this machine has no pseudo-terminals"
fi
! grep -q "$escape" "$TMP/shown"
ok "no colours: not on a terminal" $?

check "allowed-ips: +a,-b" tool h1 set vpn0 peer "${PUB[other]}" allowed-ips +10.3.0.0/16,-10.1.0.0/16,+fd03::/16
check_equal "has a, not b" "${PUB[other]}|10.3.0.0/16 fd03::/16;" \
	"$(tool h1 show vpn0 allowed-ips | grep -F "${PUB[other]}" | tr '\t\n' '|;')"
check "allowed-ips of another peer" tool h1 set vpn0 peer "${PUB[h2]}" allowed-ips +10.3.0.0/16
check_equal "move" "${PUB[h2]}|192.168.99.2/32 fd99::2/128 10.3.0.0/16;${PUB[other]}|fd03::/16;" \
	"$(shown allowed-ips)"
check "allowed-ips: empty" tool h1 set vpn0 peer "${PUB[other]}" allowed-ips ""
check_equal "there are none" "${PUB[other]}|(none);" \
	"$(tool h1 show vpn0 allowed-ips | grep -F "${PUB[other]}" | tr '\t\n' '|;')"
check "settings taken back" tool h1 set vpn0 fwmark off peer "${PUB[h2]}" name "" \
	preshared-key /dev/null persistent-keepalive off
check_equal "are gone" "off (none) off null" "$(tool h1 show vpn0 fwmark) $(tool h1 show vpn0 preshared-keys |
	head -n 1 | cut -f 2) $(tool h1 show vpn0 persistent-keepalive | head -n 1 | cut -f 2) $(tool h1 show vpn0 -j |
	jq '.peers[0].name')"
check "peer remove" tool h1 set vpn0 peer "${PUB[other]}" remove
check_equal "is gone" "${PUB[h2]};" "$(shown peers)"
check "private-key: process substitution" tool h1 set vpn0 private-key <(cat "$TMP/other.key")
check_equal "is another one" "${PUB[other]};" "$(shown public-key)"
tool h1 set vpn0 private-key /dev/stdin <"$TMP/h1.key"
check_equal "private-key: standard input" "${PUB[h1]};" "$(shown public-key)"
check "private-key: an empty file" tool h1 set vpn0 private-key /dev/null
check_equal "removes it" "(none);(none);" "$(shown private-key)$(shown public-key)"

#
# Configuration files.
#
(umask 077 && cat >"$TMP/a.conf" <<-END
	[Interface]
	ListenPort = 1001
	FwMark = 0x1
	PrivateKey = $key

	[Peer]
	PublicKey = ${PUB[h2]}
	Name = second host
	PresharedKey = $psk
	AllowedIPs = 192.168.99.2/32, fd99::2/128
	Endpoint = 10.0.0.2:1002
	PersistentKeepalive = 25

	[Peer]
	PublicKey = ${PUB[other]}
	AllowedIPs = 10.1.0.0/16
END
)
check "setconf" tool h1 setconf vpn0 "$TMP/a.conf"
(umask 077 && tool h1 showconf vpn0 >"$TMP/b.conf")
check "showconf gives the file back" diff "$TMP/a.conf" "$TMP/b.conf"
check "addconf" tool h1 addconf vpn0 /dev/stdin <<-END
	[Peer]
	PublicKey = ${PUB[third]}
	AllowedIPs = 10.2.0.0/16
	[Peer]
	PublicKey = ${PUB[other]}
	AllowedIPs = 10.4.0.0/16
END
check_equal "adds, and replaces what it names" \
	"${PUB[h2]}|192.168.99.2/32 fd99::2/128;${PUB[other]}|10.4.0.0/16;${PUB[third]}|10.2.0.0/16;" \
	"$(shown allowed-ips)"
check_equal "and leaves the remainder" "1001 0x1" "$(tool h1 show vpn0 listen-port) $(tool h1 show vpn0 fwmark)"
check "setconf, once more" tool h1 setconf vpn0 "$TMP/a.conf"
(umask 077 && tool h1 showconf vpn0 >"$TMP/b.conf")
check "removes what the file does not have" diff "$TMP/a.conf" "$TMP/b.conf"
check_says "setconf: file and line of an error" "^vpnctl: /dev/stdin:2: ListenPort 'x' is not a port" \
	tool h1 setconf vpn0 /dev/stdin <<<$'[Interface]\nListenPort = x'
check_equal "which changes nothing" "${PUB[h2]};${PUB[other]};" "$(shown peers)"
(umask 022 && tool h1 showconf vpn0 2>"$TMP/err" >"$TMP/open.conf")
check "showconf: warns of a file for everybody" grep -q "^vpnctl: warning: a secret key goes to a file" "$TMP/err"

# A session, and then changes around it.
must tool h2 set vpn0 listen-port 1002 private-key "$TMP/h2.key" peer "${PUB[h1]}" \
	preshared-key "$TMP/psk" endpoint 10.0.0.1:1001 allowed-ips 192.168.99.1/32
must ns h2 ip link set vpn0 up
must wait_until 10 ns h1 ping -c 1 -W 1 192.168.99.2
# listen FILE ARGUMENT...: a monitor in $!, which hears already.
listen()
{
	local file=$1

	shift
	narrate tool h1 monitor "$@" "&"
	(exec ip netns exec "$(netns h1)" vpnctl monitor "$@") >"$file" 2>&1 &
	wait_until 20 hears "$file"
}

hears() { tool h1 set vpn0 fwmark 1 && grep -q device-changed "$1"; }

listen "$TMP/events"
monitor=$!
handshake=$(handshake_time h1 vpn0 "${PUB[h2]}")
check "syncconf: nothing differs" tool h1 syncconf vpn0 "$TMP/a.conf"
sleep 0.2
! grep -q -e peer-changed -e added -e removed "$TMP/events"
ok "changes nothing" $?
kill $monitor
sed -e "s/^AllowedIPs = 192.168.99.2.*/AllowedIPs = 192.168.99.2\/32, 10.1.0.0\/16/" \
	-e "s|${PUB[other]}|${PUB[third]}|" -e 's/^FwMark.*//' -e 's/^PersistentKeepalive.*//' \
	-e 's/^AllowedIPs = 10.1.*/AllowedIPs = 10.5.0.0\/16/' -e 's/^Name.*/Name = renamed/' \
	"$TMP/a.conf" >"$TMP/c.conf"
chmod 600 "$TMP/c.conf"
check "syncconf: much differs" tool h1 syncconf vpn0 "$TMP/c.conf"
(umask 077 && tool h1 showconf vpn0 >"$TMP/b.conf")
check "the device is as the file" diff <(grep . "$TMP/c.conf") <(grep . "$TMP/b.conf")
check_equal "the session goes on" "$handshake" "$(handshake_time h1 vpn0 "${PUB[h2]}")"
check "and carries packets" reach h1 192.168.99.2
check_equal "without a new handshake" "$handshake" "$(handshake_time h1 vpn0 "${PUB[h2]}")"
grep -v ListenPort "$TMP/c.conf" >"$TMP/d.conf"
check "syncconf: a file without a port" tool h1 syncconf vpn0 "$TMP/d.conf"
check_equal "leaves it" "1001;" "$(shown listen-port)"
check_equal "show: the latest handshake comes first" "${PUB[h2]}" \
	"$(tool h1 show vpn0 -j | jq -r '.peers[0].public_key')"
check "show: how long ago it was" grep -Eq \
	'^  latest handshake: (now|[0-9]+ seconds? ago|1 minute.* ago)$' <(tool h1 show vpn0)
check "show: what was transferred" grep -Eq \
	'^  transfer: [0-9.]+ (B|KiB) received, [0-9.]+ (B|KiB) sent$' <(tool h1 show vpn0)

#
# Events.
#
listen "$TMP/text" vpn0
monitor=$!
listen "$TMP/json" -j
monitor_json=$!
must link_add h1 vpn2
must tool h1 set vpn2 peer "${PUB[h2]}"
must tool h1 set vpn0 fwmark 7 peer "${PUB[other]}" name fourth endpoint 10.0.0.9:9
must tool h1 set vpn0 peer "${PUB[other]}" allowed-ips 10.9.0.0/16
must tool h1 set vpn0 peer "${PUB[other]}" remove
# A new handshake: this end forgets its session.
must tool h1 set vpn0 peer "${PUB[h2]}" remove
must tool h1 setconf vpn0 "$TMP/a.conf"
wait_until 10 ns h1 ping -c 1 -W 1 192.168.99.2
check "monitor: the end of a handshake" wait_until 10 grep -q handshake-done "$TMP/text"
# A plus in a key is a plus.
OTHER=${PUB[other]//+/[+]}
STAMP='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}[+-][0-9]{2}:[0-9]{2}'
check "monitor: a peer is added" wait_until 10 grep -Eq \
	"^$STAMP vpn0 peer-added, peer: $OTHER, name: fourth, endpoint: 10.0.0.9:9" "$TMP/text"
check "monitor: is changed" wait_until 10 grep -Eq "^$STAMP vpn0 peer-changed, peer: $OTHER" "$TMP/text"
check "monitor: is removed" wait_until 10 grep -Eq "^$STAMP vpn0 peer-removed, peer: $OTHER" "$TMP/text"
check "monitor: the device is changed" wait_until 10 grep -Eq "^$STAMP vpn0 device-changed, .*fwmark: 0x7" "$TMP/text"
! grep -q vpn2 "$TMP/text"
ok "monitor: nothing of another device" $?
check "monitor -j: all devices" wait_until 5 grep -q vpn2 "$TMP/json"
jq -e . "$TMP/json" >/dev/null
ok "monitor -j: JSON" $?
check_equal "monitor -j: an object a line" "$(wc -l <"$TMP/json")" \
	"$(grep -c '^{"time":.*}$' "$TMP/json")"
check_equal "monitor -j: a peer" '["vpn0","fourth","10.0.0.9:9"]' \
	"$(jq -c 'select(.event == "peer-added" and .peer.name == "fourth") |
		[.ifname, .peer.name, .peer.endpoint]' "$TMP/json")"
! grep -qF -e "$key" -e "$psk" "$TMP/text" "$TMP/json"
ok "monitor: no secret keys" $?
must ns h1 ip link del vpn2

#
# Many of everything. The monitors sleep meanwhile: one will have lost events.
#
cat >"$TMP/many.py" <<-END
	import base64, os, sys
	peers, prefixes = int(sys.argv[1]), int(sys.argv[2])
	print("[Interface]\nListenPort = 1001")
	for n in range(peers):
	    print("[Peer]\nPublicKey =", base64.b64encode(os.urandom(32)).decode())
	    print(f"AllowedIPs = 10.{n >> 16}.{n >> 8 & 255}.{n & 255}/32")
	print("[Peer]\nPublicKey =", base64.b64encode(os.urandom(32)).decode())
	for n in range(prefixes):
	    print(f"AllowedIPs = fd00:{n:x}::/32")
	print("Endpoint = [fd00::2]:1\nPersistentKeepalive = 9")
END
kill -STOP $monitor $monitor_json
(umask 077 && python3 "$TMP/many.py" 10000 3000 >"$TMP/many.conf")
began=$SECONDS
check "setconf: 10000 peers, and one with 3000 allowed IPs" tool h1 setconf vpn0 "$TMP/many.conf"
note "took $((SECONDS - began)) s"
check_equal "has all peers" 10001 "$(tool h1 show vpn0 peers | wc -l)"
check_equal "once each" 10001 "$(tool h1 show vpn0 peers | sort -u | wc -l)"
check_equal "has all allowed IPs" 13000 \
	"$(tool h1 show vpn0 allowed-ips -j | jq '[.peers[].allowed_ips | length] | add')"
began=$SECONDS
check "syncconf: with the same file" tool h1 syncconf vpn0 "$TMP/many.conf"
note "took $((SECONDS - began)) s"
check "setconf: back again" tool h1 setconf vpn0 "$TMP/a.conf"
check_equal "to two peers" 2 "$(tool h1 show vpn0 peers | wc -l)"
kill -CONT $monitor $monitor_json
check "monitor: says that events were lost" wait_until 30 grep -q '"event":"events-lost"' "$TMP/json"
after_loss()
{
	tool h1 set vpn0 peer "${PUB[other]}" name "after the loss" &&
		grep -q "name: after the loss" "$TMP/text"
}
check "monitor: goes on after a loss" wait_until 30 after_loss
kill $monitor $monitor_json

#
# The same script with both tools: the same output, but for the kind of the link.
#
ns_add wg vpn
modprobe wireguard
compatible()
{
	local tool=$1 space=$2 t=t0

	t() { ns "$space" "$tool" "$@"; }
	ns "$space" ip link add $t type "$3" || return
	t set $t listen-port 1234 fwmark 0x20 private-key "$TMP/h1.key"
	t set $t peer "${PUB[h2]}" preshared-key "$TMP/psk" endpoint 192.0.2.1:51820 \
		persistent-keepalive 25 allowed-ips 10.0.0.2/32,fd00::2/64,192.168.0.1/16
	t set $t peer "${PUB[other]}" allowed-ips "10.1.0.0/24, 10.2.0.0/24" endpoint '[2001:db8::1]:1' \
		peer "${PUB[third]}" allowed-ips 0.0.0.0/0
	t show $t
	t showconf $t
	t show all dump
	for f in public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips \
		latest-handshakes transfer persistent-keepalive dump; do
		t show $t $f
	done
	t show interfaces
	t set $t fwmark off peer "${PUB[h2]}" persistent-keepalive off preshared-key /dev/null allowed-ips ""
	t set $t peer "${PUB[other]}" remove peer "${PUB[third]}" allowed-ips 10.0.0.0/8,::/0
	t show all allowed-ips
	t show $t dump
	t showconf $t >"$TMP/$tool.conf"
	t addconf $t <(printf '[peer]\npublickey=%s\nALLOWEDIPS=10.9.0.0/16\n' "${PUB[other]}")
	t show $t dump
	t setconf $t "$TMP/$tool.conf"
	t show $t dump
	t syncconf $t <(grep -v AllowedIPs "$TMP/$tool.conf")
	t show $t dump
	t set $t private-key /dev/null listen-port 0
	t show $t dump
	t setconf $t /dev/null
	t show $t fwmark
	t show $t peers
	t set $t peer wrong 2>/dev/null
	echo "$?"
	t show nowhere 2>/dev/null
	echo "$?"
	t pubkey <"$TMP/h1.key"
}
umask 077
compatible wg wg wireguard >"$TMP/wg.out" 2>"$TMP/wg.err"
compatible vpnctl vpn vpn >"$TMP/vpnctl.out" 2>"$TMP/vpnctl.err"
umask 022
lines=$(wc -l <"$TMP/wg.out")
note "$lines lines are compared; what they said besides:"
note "$(cat "$TMP/wg.err" "$TMP/vpnctl.err")"
[ "$lines" -gt 60 ]
ok "compatibility: wg did its part" $?
check "compatibility: vpnctl's output is wg's" diff "$TMP/wg.out" "$TMP/vpnctl.out"

ktap_end
