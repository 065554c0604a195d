#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh [machine|host]: two hosts, as network namespaces, and a tunnel between
# them.  In a test machine the module is installed; on a host it is taken from
# the tree.
#
#	server [vpn0 10.8.0.1 fd08::1] ==== tunnel ==== [vpn0 from the pools   ] client
#	       [eth0 10.0.0.1 fd00::1] ---- cable ----- [eth0 10.0.0.2  fd00::2]
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

# One of each pool.
has_addresses()
{
	[ "$(tool client -j show vpn0 2>/dev/null | jq '.peers[0].assigned.addresses | length')" = 2 ]
}

loaded_here=''
say "the module, on Linux $(uname -r) with $(nproc) processors"
if [ "$where" = host ]; then
	load_from_tree
	PATH=$TREE/tools/vpnctl:$TREE/tools:$PATH
else
	do_it modprobe vpn
fi
command -v "$VPN_TOOL" >/dev/null || stop "there is no $VPN_TOOL"

say "two hosts and a cable between them"
{
	ns_add server client && veth server eth0 client eth0 &&
		address server eth0 10.0.0.1/24 fd00::1/64 &&
		address client eth0 10.0.0.2/24 fd00::2/64
} || stop "the hosts could not be set up"

say "a key pair for each"
for host in server client; do
	printf '+ %s genkey >%s.key; %s pubkey <%s.key\n' "$VPN_TOOL" $host "$VPN_TOOL" $host >&2
	keys $host || stop "no keys"
	printf '%s\n' "${PUB[$host]}" >&2
done

say "the server: a device, pools of addresses, and a client that gets one of each"
do_it ns server ip link add vpn0 type vpn
address server vpn0 10.8.0.1/24 fd08::1/64 || stop "no addresses"
do_it tool server pool add vpn0 10.8.0.0/24 lease 1h
do_it tool server pool add vpn0 fd08::/64 lease 1h
do_it tool server set vpn0 listen-port 51820 private-key "$TMP/server.key" \
	peer "${PUB[client]}" name laptop address auto
do_it ns server ip link set vpn0 up

say "the client: a device, and where the server is; it asks for its addresses"
do_it ns client ip link add vpn0 type vpn
do_it tool client set vpn0 private-key "$TMP/client.key" \
	peer "${PUB[server]}" name server endpoint 10.0.0.1:51820 \
	allowed-ips 10.8.0.0/24,fd08::/64 address auto
do_it ns client ip link set vpn0 up
wait_until 20 has_addresses || stop "no address was assigned"

say "one handshake later it has been told, and puts them on its device"
do_it tool client apply vpn0
do_it ns client ip -br address show vpn0

say "the other end answers"
do_it ns client ping -c 3 -i 0.3 -W 5 10.8.0.1
do_it ns client ping -c 3 -i 0.3 -W 5 fd08::1

say "TCP over IPv4 inside the tunnel"
iperf client server 10.8.0.1 -f m || stop "the transfer failed"
say "TCP over IPv6 inside the tunnel"
iperf client server fd08::1 -f m || stop "the transfer failed"
[ "$where" != machine ] ||
	printf '(An emulated processor is slow: these figures say nothing about a real one.)\n' >&2

for host in server client; do
	say "what the $host says of it"
	do_it tool "$host" show vpn0
done
do_it tool server lease show vpn0

say "it works: handshake, addresses from the pool, ping and TCP over IPv4 and IPv6"
