#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A device that moves into another namespace leaves its socket where it was born:
# a container has the tunnel and nothing else.
#
#	inner [vpn0 192.168.99.1] (was made in h1, which sends for it)
#	h1 [eth0 10.0.0.1] ---- cable ----- [eth0 10.0.0.2] h2 [vpn0 192.168.99.2]
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two
must ns_add inner

holds_port() { ns "$1" ss -Hlun "sport = :$2" | grep -q .; }
carrier() { [ "$(ip netns exec "$(netns "$1")" cat /sys/class/net/vpn0/carrier 2>/dev/null)" = "$2" ]; }

must reach h1 192.168.99.2
shaken=$(handshake_time h1 vpn0 "${PUB[h2]}")
run ns h1 ip link set vpn0 netns "$(netns inner)"
address inner vpn0 192.168.99.1/24 fd99::1/64
run ns inner ip link set vpn0 up
check "moved: echo" reach inner 192.168.99.2
check "moved: IPv6 echo" reach h2 fd99::1
check "moved: TCP" tcp inner h2 192.168.99.2 --octets 300000
check_equal "the only link there but the loopback" "lo vpn0" \
	"$(ns inner ip -br link | awk '{ sub(/@.*/, "", $1); print $1 }' | paste -sd' ')"
check "the socket is where the device was born" holds_port h1 1001
check "and not where it is" [ -z "$(ns inner ss -Hlun)" ]
check "the tool finds it where it is" tool inner show vpn0
check_fail "and not where it was" tool h1 show vpn0
check "its peer is the same" endpoint_is inner vpn0 "${PUB[h2]}" 10.0.0.2:1002
check "settings can be changed there" run tool inner set vpn0 listen-port 2001
check "their effect is in the namespace of birth" holds_port h1 2001
check "echo from the other port" reach inner 192.168.99.2
check "which the other end learns" endpoint_is h2 vpn0 "${PUB[h1]}" 10.0.0.1:2001
check "an endpoint of that namespace" run tool inner set vpn0 peer "${PUB[h2]}" \
	endpoint '[fd00::2]:1002'
check "echo by it" reach inner 192.168.99.2

run ns inner ip link set vpn0 netns "$(netns h1)"
address h1 vpn0 192.168.99.1/24 fd99::1/64
run ns h1 ip link set vpn0 up
check "moved back: echo" reach h1 192.168.99.2
[ "$(handshake_time h1 vpn0 "${PUB[h2]}")" -ge "$shaken" ]
ok "its peers came along" $?

# No redirects: they would lead around the tunnel.
run ns h1 ip link set vpn0 netns "$(netns inner)"
run ns inner ip link set vpn0 up
check_equal "no redirects are sent from it" 0 \
	"$(ns inner sysctl -n net.ipv4.conf.vpn0.send_redirects)"

# A device can be made for another namespace at once.
keys h3
run ns h1 ip link add vpn1 netns "$(netns inner)" type "$VPN_KIND"
run tool inner set vpn1 listen-port 3001 private-key "$TMP/h3.key"
run ns inner ip link set vpn1 up
check "made for another namespace: the socket is where it was asked for" holds_port h1 3001
run ns inner ip link del vpn1
check "deleted: the socket is gone" wait_until 5 [ -z "$(ns h1 ss -Hlun 'sport = :3001')" ]

#
# The namespace of birth ends.
#
address inner vpn0 192.168.99.1/24
must reach inner 192.168.99.2
check "carrier is there" carrier inner 1
ns_del h1
check "the namespace of birth ends: no carrier" wait_until 10 carrier inner 0
check "nothing goes out" no_reach inner 192.168.99.2
check "the device can still be looked at" tool inner show vpn0
check "and changed" run tool inner set vpn0 peer "${PUB[h2]}" allowed-ips 192.168.99.2/32 \
	endpoint 10.0.0.2:1002
check "another port is no use, but not refused while it is down" \
	run ns inner ip link set vpn0 down
check_fail "it cannot come up again" ns inner ip link set vpn0 up
check "it can be deleted" run ns inner ip link del vpn0

#
# The namespace where it is ends, with the device; the other one goes on.
#
must ns_add birth
run ns birth ip link add vpn0 type "$VPN_KIND"
run tool birth set vpn0 listen-port 4001 private-key "$TMP/h3.key" peer "${PUB[h2]}" \
	allowed-ips 192.168.99.2/32
run ns birth ip link set vpn0 netns "$(netns inner)"
run ns inner ip link set vpn0 up
check "the socket is open" holds_port birth 4001
ns_del inner
closed() { ! holds_port birth 4001; }
check "the namespace of the device ends: so does the socket" wait_until 10 closed

# Both at once, under traffic.
must ns_add inner
run ns h2 ip link set vpn0 netns "$(netns inner)"
address inner vpn0 192.168.99.2/24
run ns inner ip link set vpn0 up
run tool inner set vpn0 private-key "$TMP/h3.key" peer "${PUB[h1]}" endpoint 10.0.0.99:1 \
	allowed-ips 192.168.99.0/24
ns inner ping -n -q -i 0.01 -c 1000 192.168.99.1 >/dev/null 2>&1 &
run ip netns del "$(netns h2)"
run ip netns del "$(netns inner)"
kill $! 2>/dev/null
check "both end at once" true

ktap_end
