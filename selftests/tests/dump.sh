#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Many devices, peers and allowed IPs: what was put in comes out again, whole and
# in one piece, however many messages it takes.
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must ns_add h1
must link_add h1 vpn0
must keys h1
must tool h1 set vpn0 private-key "$TMP/h1.key"

#
# One peer with more prefixes than a message can hold
#
python3 - "$TMP/prefixes" <<-'END'
	import ipaddress, random, sys
	chosen, dice = set(), random.Random(7)
	while len(chosen) < 4000:
	    if dice.random() < .5:
	        bits = dice.randint(8, 32)
	        number = dice.getrandbits(32) >> (32 - bits) << (32 - bits)
	        chosen.add(ipaddress.IPv4Network((number, bits)))
	    else:
	        bits = dice.randint(8, 128)
	        number = dice.getrandbits(128) >> (128 - bits) << (128 - bits)
	        chosen.add(ipaddress.IPv6Network((number, bits)))
	with open(sys.argv[1], "w") as file:
	    print(*chosen, sep="\n", file=file)
END
put()
{
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = %s\n' "$1" "$(paste -sd, "$TMP/prefixes")" >"$TMP/conf"
	run tool h1 addconf vpn0 "$TMP/conf"
}
get() { field h1 vpn0 allowed-ips "$1" | tr ' ' '\n' | sort; }
keys p1 p2
check "a peer with 4000 prefixes" put "${PUB[p1]}"
get "${PUB[p1]}" >"$TMP/got"
LC_ALL=C sort "$TMP/prefixes" >"$TMP/wanted"
LC_ALL=C sort "$TMP/got" -o "$TMP/got"
check "shows all of them" cmp "$TMP/wanted" "$TMP/got"
check "all of them to another peer" put "${PUB[p2]}"
get "${PUB[p2]}" | LC_ALL=C sort >"$TMP/got"
check "which shows them" cmp "$TMP/wanted" "$TMP/got"
check_equal "while the first has none" "(none)" "$(field h1 vpn0 allowed-ips "${PUB[p1]}")"
check "removed" run tool h1 set vpn0 peer "${PUB[p1]}" remove peer "${PUB[p2]}" remove
check_equal "nothing is left" "" "$(tool h1 show vpn0 allowed-ips)"

#
# Many peers, with an endpoint, a keepalive and addresses each
#
COUNT=${COUNT:-2000}
python3 - "$TMP/conf" "$COUNT" <<-'END'
	import base64, hashlib, sys
	with open(sys.argv[1], "w") as file:
	    for n in range(int(sys.argv[2])):
	        key = base64.b64encode(hashlib.sha256(b"%d" % n).digest()).decode()
	        a, b = n >> 8, n & 255
	        print(f"[Peer]\nPublicKey = {key}\nAllowedIPs = 10.{a}.{b}.0/24, fd00:{a:x}:{b:x}::/48\n"
	              f"Endpoint = 192.0.2.{b or 1}:{1000 + n}\nPersistentKeepalive = {n % 7 + 1}", file=file)
END
check "$COUNT peers" run tool h1 addconf vpn0 "$TMP/conf"
check_equal "all are shown" "$COUNT" "$(tool h1 show vpn0 peers | wc -l)"
check_equal "none twice" "$COUNT" "$(tool h1 show vpn0 peers | sort -u | wc -l)"
tool h1 showconf vpn0 >"$TMP/shown"
python3 - "$TMP/conf" "$TMP/shown" <<-'END'
	import ipaddress, sys
	def canonical(key, value):
	    if key != "AllowedIPs":
	        return value
	    return sorted(str(ipaddress.ip_network(part.strip())) for part in value.split(","))
	def peers(name):
	    result, peer = {}, None
	    for line in open(name):
	        word, _, value = (part.strip() for part in line.partition("="))
	        if word == "PublicKey":
	            peer = result.setdefault(value, {})
	        elif value and peer is not None:
	            peer[word] = canonical(word, value)
	    return result
	wanted, got = peers(sys.argv[1]), peers(sys.argv[2])
	print(len(wanted), len(got), [k for k in wanted if wanted[k] != got.get(k)][:3], file=sys.stderr)
	sys.exit(wanted != got)
END
ok "with all their settings" $?

#
# Dumps while peers come and go: what was there all the time is in each of them,
# once.
#
tool h1 show vpn0 peers | sort >"$TMP/there"
come_and_go()
{
	while [ ! -e "$TMP/stop" ]; do
		ip netns exec "$(netns h1)" "$VPN_TOOL" set vpn0 peer "${PUB[p1]}" allowed-ips 172.16.0.0/12
		ip netns exec "$(netns h1)" "$VPN_TOOL" set vpn0 peer "${PUB[p1]}" remove
	done
}
come_and_go >/dev/null 2>&1 &
whole()
{
	local n

	for n in {1..8}; do
		tool h1 show vpn0 peers | sort >"$TMP/seen" || return
		[ -z "$(uniq -d "$TMP/seen")" ] || return
		[ -z "$(comm -23 "$TMP/there" "$TMP/seen")" ] || return
	done
}
check "dumps under change are whole" whole
touch "$TMP/stop"
wait

#
# Many devices
#
many()
{
	local n

	for n in {1..40}; do
		ns h1 ip link add "m$n" type "$VPN_KIND" || return
	done
}
check "40 devices" many
check_equal "are all shown" 41 "$(tool h1 show interfaces | wc -w)"
removed() { tool h1 set vpn0 peer "$(head -n 1 "$TMP/there")" remove && ns h1 ip link del vpn0; }
check "a device with its peers is removed" removed
check_equal "the others are shown" 40 "$(tool h1 show interfaces | wc -w)"

ktap_end
