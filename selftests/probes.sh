# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Traffic through tunnels, and questions about them.  Read after lib.sh.

SELFTESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

#
# Hosts
#

# topo_star N: hosts h1 to hN, each on a link of its own to a router.
#
#	hI [eth0 10.0.I.1/24 fd00:I::1/64] ---- [ethI 10.0.I.254 fd00:I::fe] router
topo_star()
{
	local n

	ns_add router || return
	for ((n = 1; n <= $1; n++)); do
		ns_add "h$n" &&
			veth "h$n" eth0 router "eth$n" &&
			address "h$n" eth0 "10.0.$n.1/24" "fd00:$n::1/64" &&
			address router "eth$n" "10.0.$n.254/24" "fd00:$n::fe/64" &&
			ns "h$n" ip route add default via "10.0.$n.254" &&
			ns "h$n" ip route add default via "fd00:$n::fe" || return
	done
	ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# client_behind: after tunnel_two, a host in a network behind h1, which h2 reaches, too.
#
#	client [eth0 10.1.0.2] -- [lan0 10.1.0.1] h1 [vpn0] ==== [vpn0] h2
client_behind()
{
	ns_add client &&
		veth client eth0 h1 lan0 &&
		address client eth0 10.1.0.2/24 fd01::2/64 &&
		address h1 lan0 10.1.0.1/24 fd01::1/64 &&
		ns client ip route add default via 10.1.0.1 &&
		ns client ip route add default via fd01::1 &&
		ns h1 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 &&
		ns h2 ip route add 10.1.0.0/24 dev vpn0 &&
		ns h2 ip route add fd01::/64 dev vpn0 &&
		run tool h2 set vpn0 peer "${PUB[h1]}" \
			allowed-ips 192.168.99.1/32,fd99::1/128,10.1.0.0/24,fd01::/64
}

# quiet NAMESPACE DEVICE: up, but without what IPv6 says by itself on a new link.
quiet()
{
	ns "$1" sysctl -qw "net.ipv6.conf.$2.addr_gen_mode=1" \
		"net.ipv6.conf.$2.router_solicitations=0" \
		"net.ipv6.conf.$2.keep_addr_on_down=1" &&
		ns "$1" ip link set "$2" down &&
		ns "$1" ip -6 addr flush dev "$2" scope link &&
		ns "$1" ip link set "$2" up
}

# link_local NAMESPACE DEVICE: its link-local address.
link_local()
{
	ns "$1" ip -j -6 addr show dev "$2" |
		jq -r '.[].addr_info[]? | select(.scope == "link").local'
}

#
# Traffic
#

# reach FROM ADDRESS [PING-OPTION...]: one echo, answered within 5 s.
reach()
{
	local from=$1 address=$2

	shift 2
	run ns "$from" ping -n -c 1 -W 5 "$@" "$address"
}

# no_reach FROM ADDRESS [PING-OPTION...]: one echo, not answered within 1 s.
no_reach()
{
	! reach "$1" "$2" -W 1 "${@:3}"
}

# arrives FROM ADDRESS: the same, tried for 20 s.
arrives()
{
	narrate ns "$1" ping "$2"
	wait_until 20 ns "$1" ping -n -c 1 -W 1 "$2"
}

# flood FROM ADDRESS COUNT [PING-OPTION...]: echoes, the next as soon as one is
# answered; all must be.
flood()
{
	local from=$1 address=$2 count=$3

	shift 3
	run ns "$from" ping -n -q -A -c "$count" -W 5 "$@" "$address" >"$TMP/flood" || return
	grep "packet loss" "$TMP/flood"
	grep -q "^$count packets transmitted, $count received, 0% packet loss" "$TMP/flood"
}

# tcp FROM TO ADDRESS,... [OPTION...]: random data both ways, digests compared.
tcp()
{
	run "$SELFTESTS/traffic.py" tcp "$(netns "$1")" "$(netns "$2")" "${@:3}"
}

# udp FROM TO ADDRESS,... [OPTION...]: datagrams and their echoes, all compared.
udp()
{
	run "$SELFTESTS/traffic.py" udp "$(netns "$1")" "$(netns "$2")" "${@:3}"
}

# mix FROM TO ADDRESS,... [OPTION...]: TCP and UDP.
mix()
{
	run "$SELFTESTS/traffic.py" mix "$(netns "$1")" "$(netns "$2")" "${@:3}"
}

# traffic_begin FROM TO ADDRESS [IPERF3-OPTION...]: TCP both ways until traffic_end.
traffic_begin()
{
	background ns "$2" iperf3 -s -B "$3" --logfile /dev/null
	TRAFFIC=("$!")
	wait_until 10 listening "$2" tcp 5201
	background ns "$1" iperf3 -c "$3" -t 300 --bidir --logfile /dev/null "${@:4}"
	TRAFFIC+=("$!")
}

traffic_end()
{
	kill -9 "${TRAFFIC[@]}" 2>/dev/null
	wait "${TRAFFIC[@]}" 2>/dev/null
}

#
# Questions about a tunnel
#

# field NAMESPACE DEVICE FIELD PUBLIC-KEY: what the tool shows of a peer; of a
# field with several words, all of them.
field()
{
	tool "$1" show "$2" "$3" | awk -v key="$4" '$1 == key { sub(/^[^\t ]*[\t ]/, ""); print }'
}

endpoint_is() { [ "$(field "$1" "$2" endpoints "$3")" = "$4" ]; }
handshake_time() { field "$1" "$2" latest-handshakes "$3"; }
received() { field "$1" "$2" transfer "$3" | awk '{ print $1 }'; }
sent() { field "$1" "$2" transfer "$3" | awk '{ print $2 }'; }
shook_hands() { [ "$(handshake_time "$1" "$2" "$3")" -gt 0 ]; }

# link_count NAMESPACE DEVICE rx|tx COUNTER: as in ip -s link.
link_count()
{
	ns "$1" ip -j -s link show dev "$2" | jq ".[0].stats64.$3.$4"
}

# refused NAMESPACE DEVICE rx|tx: packets that the link would not take, be they
# errors or dropped.
refused()
{
	ns "$1" ip -j -s link show dev "$2" |
		jq ".[0].stats64.$3 | .errors + .dropped"
}

# count NAMESPACE DEVICE COUNTER: as in ethtool -S.
count()
{
	ns "$1" ethtool -S "$2" | awk -v name="$3:" '$1 == name { print $2 }'
}

# counts_up NAMESPACE DEVICE COUNTER BY COMMAND...: the command makes an ethtool
# counter grow by exactly so much.
counts_up()
{
	local name=$1 device=$2 counter=$3 by=$4 before after

	shift 4
	before=$(count "$name" "$device" "$counter")
	"$@"
	for _ in {1..30}; do
		after=$(count "$name" "$device" "$counter")
		[ "$((after - before))" -lt "$by" ] || break
		sleep 0.1
	done
	[ "$((after - before))" = "$by" ] && return
	printf '+ %s of %s: %s, then %s\n' "$counter" "$name" "$before" "$after" >&2
	return 1
}

# ours: whether the module under test is this one; some things are only in it.
ours() { [ "$VPN_KIND" = vpn ]; }

# across_sessions N COMMAND...: a transfer, again and again until N new sessions
# have begun, at whichever end; each must succeed.
across_sessions()
{
	local more=$1 begun rounds=0

	sessions() { echo $(($(count h1 vpn0 rx_responses) + $(count h1 vpn0 tx_responses))); }
	shift
	begun=$(sessions)
	while [ $(($(sessions) - begun)) -lt "$more" ]; do
		rounds=$((rounds + 1))
		[ $rounds -le 40 ] && "$@" || return
	done
	note "$rounds transfers, $more sessions"
}

# peer_of HOST FILTER: what jq's filter gives of the first peer of vpn0.
peer_of() { tool "$1" show vpn0 -j | jq -r ".peers[0] | $2"; }
peer_is() { [ "$(peer_of "$1" "$2")" = "$3" ]; }

# timescale N: let the protocol's clocks run N times as fast.
timescale()
{
	run tee "/sys/module/$VPN_KIND/parameters/timescale" <<<"$1"
}

# doze STATE: let the machine begin to sleep (freeze, disk), until an event stops it.
doze()
{
	# A full disk's worth of writing is not what is tested.
	[ ! -e /sys/power/sync_on_suspend ] || echo 0 >/sys/power/sync_on_suspend
	python3 - "$1" <<-'END'
		import errno, os, select, socket, sys

		EPOLLWAKEUP = 1 << 29
		ours, theirs = socket.socketpair()
		events = select.epoll()
		events.register(ours, select.EPOLLIN | EPOLLWAKEUP)
		with open("/sys/power/wakeup_count", encoding="ascii") as file:
		    count = file.read()
		with open("/sys/power/wakeup_count", "w", encoding="ascii") as file:
		    file.write(count)
		theirs.send(b"!")
		state = os.open("/sys/power/state", os.O_WRONLY)
		try:
		    os.write(state, sys.argv[1].encode())   # once: a file object tries again
		except OSError as error:
		    sys.exit(0 if error.errno == errno.EBUSY else f"not busy: {error}")
		sys.exit("it slept")
	END
}
