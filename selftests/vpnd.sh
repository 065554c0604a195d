# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Hosts with the daemon, and what to ask them.  Read after lib.sh and probes.sh.

# shellcheck source=lib.sh
: "${TMP:?lib.sh comes first}"
[ "$VPN_KIND" = vpn ] || skip_all "vpnd is for the link kind vpn"
export VPN_RUNTIME_DIR=$TMP/run VPN_STATE_DIR=$TMP/state

# topo_gateway: a server between a LAN and a router, behind which are clients and the
# internet.
#
#	c1 [eth0 10.0.1.1] --+                     +-- [eth0 198.51.100.1] web
#	c2 [eth0 10.0.2.1] --+-- router -----------+
#	                     | [eth3 10.0.3.254]
#	                     gw [eth0 10.0.3.1] [eth1 192.168.7.1] -- [eth0 192.168.7.2] lan
topo_gateway()
{
	local host net

	ns_add router c1 c2 gw web lan || return
	for host in c1:1 c2:2 gw:3; do
		net=${host#*:}
		host=${host%:*}
		veth "$host" eth0 router "eth$net" &&
			address "$host" eth0 "10.0.$net.1/24" &&
			address router "eth$net" "10.0.$net.254/24" &&
			ns "$host" ip route add default via "10.0.$net.254" || return
	done
	veth web eth0 router eth9 &&
		address web eth0 198.51.100.1/24 &&
		address router eth9 198.51.100.254/24 &&
		ns web ip route add default via 198.51.100.254 || return
	veth gw eth1 lan eth0 &&
		address gw eth1 192.168.7.1/24 &&
		address lan eth0 192.168.7.2/24 &&
		ns lan ip route add default via 192.168.7.1 &&
		ns router sysctl -qw net.ipv4.ip_forward=1 || return
	# Who asks it is told whom it sees; names are given by nobody, but it answers.
	# shellcheck disable=SC2016 # expanded by the shell that socat starts
	background ns web socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'echo $SOCAT_PEERADDR'
	background ns lan socat UDP-LISTEN:53,fork,reuseaddr SYSTEM:'echo answer'
	wait_until 10 listening web tcp 80 && wait_until 10 listening lan udp 53
}

# topo_office: a server with two clients, each on a cable, and a LAN.
#
#	c1 [eth0 10.0.1.2] ---- [eth1 10.0.1.1] gw [eth3 192.168.7.1] ---- [eth0 192.168.7.2] lan
#	c2 [eth0 10.0.2.2] ---- [eth2 10.0.2.1]
topo_office()
{
	local n

	ns_add gw c1 c2 lan || return
	for n in 1 2; do
		veth "c$n" eth0 gw "eth$n" &&
			address "c$n" eth0 "10.0.$n.2/24" &&
			address gw "eth$n" "10.0.$n.1/24" || return
	done
	veth lan eth0 gw eth3 &&
		address lan eth0 192.168.7.2/24 &&
		address gw eth3 192.168.7.1/24 &&
		ns lan ip route add default via 192.168.7.1
}

# Only a vpnd that can lock up what reads them takes certificates and tokens.
NO_CREDENTIALS="this vpnd was compiled without libseccomp"
reads_credentials() { ldd "$(command -v vpnd)" | grep -q libseccomp; }
needs_credentials() { reads_credentials || skip_all "$NO_CREDENTIALS"; }

# seen_as HOST: the address that the internet sees of it.
seen_as() { ns "$1" socat -T 3 - TCP:198.51.100.1:80,connect-timeout=3 </dev/null; }

# asks_dns HOST ADDRESS: gets an answer from port 53 there.
asks_dns()
{
	echo question | ns "$1" socat -t 3 -T 3 - "UDP:$2:53" | grep -q answer
}

# wg_client HOST: a device for it, without anything.
wg_client()
{
	must ns "$1" ip link add vpn0 type vpn
	must tool "$1" set vpn0 private-key "$TMP/$1.key"
}

# own_etc HOST: that host gets an /etc of its own, in $ETC; "host NAME" runs in it.
own_etc()
{
	ETC=$TMP/etc
	cp -a /etc "$ETC"
	rm -f "$ETC"/resolv.conf*
	echo "nameserver 198.51.100.1" >"$ETC/resolv.conf"
	: "$1"
}

# host NAME COMMAND...: in that namespace, and with the /etc of own_etc.
host()
{
	local name=$1

	shift
	if [ "$(type -t "$1")" = function ]; then
		"$1" "$name"
	else
		# shellcheck disable=SC2016 # expanded by the inner shell
		ns "$name" unshare -m --propagation private sh -c \
			'mount --bind "$0" /etc && exec "$@"' "$ETC" "$@"
	fi
}

has_address() { ns "$1" ip -4 addr show "$2" | grep -q "inet $3 "; }
unreachable() { ! ns "$1" ip -6 route get "$2" >/dev/null 2>&1; }

# Packets to the server leave by eth0, whatever else does.
encrypted_outside() { ns c1 ip route get 10.0.3.1 mark 51820 | grep -q 'dev eth0'; }

# client_up HOST ADDRESS: it speaks to the server at 10.0.3.1, and sends everything there.
client_up()
{
	run ns "$1" ip addr replace "$2/24" dev vpn0
	# A session with a server that has gone since would be waited for.
	run tool "$1" set vpn0 peer "$(cat "$TMP/srv.pub")" remove
	run tool "$1" set vpn0 peer "$(cat "$TMP/srv.pub")" endpoint 10.0.3.1:51820 \
		allowed-ips 0.0.0.0/0
	run ns "$1" ip link set vpn0 up
	run ns "$1" ip route replace 198.51.100.0/24 dev vpn0
	run ns "$1" ip route replace 192.168.7.0/24 dev vpn0
}

# vpnd_start HOST FILE: returns when it runs.
vpnd_start()
{
	if [ -n "${ETC:-}" ] && [ "$1" = c1 ]; then
		run host "$1" vpnd --daemon "$2" </dev/null >&2
	else
		run ns "$1" vpnd --daemon "$2" </dev/null >&2
	fi
}

# vpnd_of_many HOST: that of a server for $CLIENTS clients, who are in $TMP/peers.
vpnd_of_many()
{
	cat - "$TMP/peers" >"$TMP/srv.toml" <<-END
		[server]
		virtual_network = "10.8.0.0/16"
		max_clients = $CLIENTS
		[security]
		private_key_path = "$TMP/srv.key"
		[logging]
		output = "$TMP/srv.log"
	END
	vpnd_start "$1" "$TMP/srv.toml"
}

# lossless PID FILE: end that ping; nothing of it was lost, but what is still under way:
# the numbers of the answers have no gap.
lossless()
{
	kill -INT "$1"
	wait "$1"
	sed -n 's/.*transmitted/# &/p' "$2"
	sed -n 's/.* icmp_seq=\([0-9]*\) ttl=.*/\1/p' "$2" | sort -nu |
		awk '$1 != NR { gap = 1 } END { exit gap || !NR }'
}

# other_user PID: that process is of a user that nobody else is, real, effective and saved.
other_user()
{
	awk '/^[UG]id:/ && $2 >= 1879048192 && $2 == $3 && $2 == $4 { n++ } END { exit n != 2 }' \
		"/proc/$1/status"
}

vpnd_pid() { cat "$VPN_RUNTIME_DIR/$1.lock"; }

# vpnd_kill NAME: so that it can do nothing about it.
vpnd_kill()
{
	local pid

	pid=$(vpnd_pid "$1")
	run kill -9 "$pid"
	wait_until 5 test ! -d "/proc/$pid"
}

# state HOST: addresses, routes, rules, nftables, settings of the kernel, resolver.
state()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	ns "$1" sh -c '
		ip -br link | sed "s/@.*//" | sort
		ip addr show | grep -o "inet6\{0,1\} .*" | sed "s/valid_lft.*//" | sort
		for f in 4 6; do
			echo "family $f"
			ip -$f route show table all | grep -v "^fe80\|^ff00\|^multicast" | sort
			ip -$f rule show
		done
		nft list ruleset
		cd /proc/sys/net
		grep . ipv4/ip_forward ipv[46]/conf/*/forwarding ipv[46]/conf/*/accept_redirects \
			ipv6/conf/*/accept_ra ipv4/conf/*/src_valid_mark ipv4/conf/*/rp_filter
	'
	find "${ETC:-/etc}" -maxdepth 1 -name "resolv.conf*" -printf '%i %m %f %l\n' | sort
	cat "${ETC:-/etc}/resolv.conf" 2>/dev/null
}

_vpnd_end()
{
	local lock

	for lock in "$VPN_RUNTIME_DIR"/*.lock; do
		[ -e "$lock" ] && kill -9 "$(cat "$lock")" 2>/dev/null
	done
}
on_exit() { _vpnd_end; }
