#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module is unloaded while its devices are in use, and loaded again.
#
#	h1 [vpn0 vpn1] ==== tunnel, with traffic ==== [vpn0] h2		inner [vpn2, born in h1]
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must topo_two
must ns_add inner
must keys a
gone() { [ ! -d "/sys/module/$VPN_KIND" ]; }
unload() { rmmod "$VPN_KIND" 2>/dev/null || gone; }

for round in 1 2 3; do
	note "round $round"
	must tunnel_ends 10.0.0.1 10.0.0.2
	must link_add h1 vpn1 192.168.97.1/24
	must tool h1 set vpn1 private-key "$TMP/a.key" peer "${PUB[h2]}" endpoint 10.0.0.2:1002 \
		allowed-ips 192.168.97.0/24 persistent-keepalive 1
	must ns h1 ip link set vpn1 up
	must ns h1 ip link add vpn2 type "$VPN_KIND"
	must tool h1 set vpn2 private-key "$TMP/a.key" peer "${PUB[h2]}" endpoint '[fd00::2]:1002' \
		allowed-ips ::/0 persistent-keepalive 1
	must ns h1 ip link set vpn2 netns "$(netns inner)"
	must ns inner ip link set vpn2 up
	check "works" reach h1 192.168.99.2
	if [ $round -gt 1 ]; then
		traffic_begin h1 h2 192.168.99.2
		background ns h2 ping -q -f -c 100000 fd99::1
		sleep 0.5
	fi
	# Somebody may just be looking; so it can take more than one try.
	check "unloads with three devices$([ $round = 1 ] || echo ' and traffic')" wait_until 10 unload
	[ $round = 1 ] || traffic_end
	for host in h1 h2 inner; do
		check_equal "$host has no such link" 0 \
			"$(ns $host ip -br link | grep -c '^vpn')"
	done
	check "its port is free" [ -z "$(ns h1 ss -Hlun 'sport = :1001')" ]
	# Asking for it by name would load the module again.
	check_equal "its netlink family is gone" 0 "$(genl ctrl list | grep -cw "Name: $VPN_KIND")"
	check "loads" modprobe "$VPN_KIND"
done

# Between the two there is no time at all.
on_and_off()
{
	local n

	for n in {1..10}; do
		ns h1 ip link add vpn0 type "$VPN_KIND" || return
		ns h1 ip link set vpn0 up || return
		wait_until 5 unload || return
	done
}
check "ten times in a row" on_and_off

ktap_end
