#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh [machine|host]: two hosts, as network namespaces, and a tunnel between
# them.  In a test machine the module is installed; on a host it is taken from
# the tree.
#
#	h1 [vpn0 192.168.99.1 fd99::1] ==== tunnel ==== [vpn0 192.168.99.2 fd99::2] h2
#	   [eth0 10.0.0.1     fd00::1] ---- cable ----- [eth0 10.0.0.2     fd00::2]
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

where=${1:-machine}
TREE=$(cd "$(dirname "$0")/.." && pwd)

say() { printf '\n== %s\n' "$*" >&2; }

stop()
{
	printf '\ndemo: %s\n' "$*" >&2
	exit 1
}

# do_it COMMAND...: a step; the demo ends where one fails.
do_it()
{
	run "$@" >&2 || stop "this failed: $*"
}

load_from_tree()
{
	local need

	[ "$(id -u)" = 0 ] || stop "loading a module takes root: sudo make demo HOST=1"
	[ ! -d /sys/module/vpn ] || return 0
	for need in $(modinfo -F depends "$TREE/vpn.ko" | tr , ' '); do
		do_it modprobe "$need"
	done
	run insmod "$TREE/vpn.ko" ||
		stop "this kernel does not load the module; in a test machine it runs anywhere: make demo"
	loaded_here=yes
}

# What was loaded for the demo goes with it.
on_exit()
{
	local name

	for name in "${_namespaces[@]}"; do
		ns_del "$name"
	done
	[ -z "$loaded_here" ] || wait_until 10 rmmod vpn
}

show_handshake() { ns h1 "$VPN_TOOL" show vpn0 latest-handshakes | grep -qv '[[:space:]]0$'; }

loaded_here=''
say "the module, on Linux $(uname -r) with $(nproc) processors"
if [ "$where" = host ]; then
	load_from_tree
	PATH=$TREE/tools/vpnctl:$TREE/tools:$PATH
else
	do_it modprobe "$VPN_KIND"
fi
command -v "$VPN_TOOL" >/dev/null || stop "there is no $VPN_TOOL"

say "two hosts and a cable between them"
topo_two || stop "the hosts could not be set up"

say "a key pair for each"
for host in h1 h2; do
	printf '+ %s genkey >%s.key; %s pubkey <%s.key\n' "$VPN_TOOL" $host "$VPN_TOOL" $host >&2
	keys $host || stop "no keys"
	printf '%s\n' "${PUB[$host]}" >&2
done

say "a device on each, its addresses, and who is at the other end"
for n in 1 2; do
	other=$((3 - n))
	do_it ns "h$n" ip link add vpn0 type "$VPN_KIND"
	do_it tool "h$n" set vpn0 listen-port $((51820 + n)) private-key "$TMP/h$n.key" \
		peer "${PUB[h$other]}" endpoint "10.0.0.$other:$((51820 + other))" \
		allowed-ips "192.168.99.$other/32,fd99::$other/128"
	address "h$n" vpn0 "192.168.99.$n/24" "fd99::$n/64" || stop "no addresses"
	do_it ns "h$n" ip link set vpn0 up
done

say "the first packet makes the handshake"
do_it ns h1 ping -c 3 -i 0.3 -W 5 192.168.99.2
wait_until 5 show_handshake || stop "there was no handshake"
do_it ns h1 ping -c 3 -i 0.3 -W 5 fd99::2

say "TCP over IPv4 inside the tunnel"
iperf h1 h2 192.168.99.2 -f m || stop "the transfer failed"
say "TCP over IPv6 inside the tunnel"
iperf h1 h2 fd99::2 -f m || stop "the transfer failed"
[ "$where" != machine ] ||
	printf '(An emulated processor is slow: these figures say nothing about a real one.)\n' >&2

for host in h1 h2; do
	say "what $host says of it"
	do_it tool "$host" show vpn0
done

say "it works: handshake, ping and TCP over IPv4 and IPv6"
