#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who else has a hand in the packets: senders that are held back, and what looks
# at the links, filters them or works on them.  Nobody of those is to notice that
# packets go through the tunnel in batches.
#
#	client [eth0 10.1.0.2] -- [lan0 10.1.0.1] h1 [vpn0] ==== [vpn0] h2
#	                                             [eth0] ---- [eth0]
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

on_exit()
{
	mountpoint -q "$TMP/bpf" && umount "$TMP/bpf"
}

ktap_start
must tunnel_two
must reach h1 192.168.99.2

carries()
{
	check "$1" mix h1 h2 192.168.99.2,fd99::2 --octets 150000 --count 48 --size 1000 \
		--gso --gro
}

#
# Headers that are longer than usual
#
check "IP options and IPv6 extension headers: TCP and UDP" mix h1 h2 192.168.99.2,fd99::2 \
	--octets 150000 --count 48 --size 1000 --options
check "fragments within the tunnel" udp h1 h2 192.168.99.2,fd99::2 --count 48 --size 1500-5000

#
# Every checksum, by somebody who computes it: packets as they came through the
# tunnel, before the stack puts them together.
#
run ns h2 ethtool -K vpn0 gro off >/dev/null
background ns h2 tcpdump -U -n -i vpn0 -w "$TMP/came.pcap" -Q in
wait_until 10 test -s "$TMP/came.pcap"
run mix h1 h2 192.168.99.2,fd99::2 --octets 300000 --count 96 --size 999 --gso >&2
run mix h1 h2 192.168.99.2 --octets 30000 --segment 537 --count 48 --size 4-1300 >&2
kill $!
wait $!
run ns h2 ethtool -K vpn0 gro on >/dev/null
tcpdump -n -vvv -r "$TMP/came.pcap" 2>/dev/null >"$TMP/came.txt"
note "$(grep -Ec '\(correct\)|udp sum ok' "$TMP/came.txt") checksums are right"
[ "$(grep -Ec '\(correct\)' "$TMP/came.txt")" -gt 200 ] &&
	[ "$(grep -Ec 'udp sum ok' "$TMP/came.txt")" -ge 140 ]
ok "checksums were looked at, of TCP and UDP" $?
check_equal "and all of them are right" 0 \
	"$(grep -Ec 'incorrect|bad udp|bad cksum' "$TMP/came.txt")"

#
# Onlookers
#
for host in h1 h2; do
	for device in eth0 vpn0; do
		background ns $host tcpdump -U -n -i $device -w "$TMP/$host.$device.pcap"
		taps+=("$!")
	done
done
for host in h1 h2; do
	for device in eth0 vpn0; do
		must wait_until 10 test -s "$TMP/$host.$device.pcap"
	done
done
carries "tcpdump on all four devices"
kill "${taps[@]}"
wait "${taps[@]}"
check_equal "tcpdump on a cable sees nothing in plain text" 0 \
	"$(tcpdump -n -r "$TMP/h2.eth0.pcap" 'host 192.168.99.1 or host fd99::1' 2>/dev/null | wc -l)"
[ "$(tcpdump -n -r "$TMP/h2.vpn0.pcap" 'tcp and host 192.168.99.1' 2>/dev/null | wc -l)" -gt 10 ]
ok "and on the tunnel it sees packets" $?

for host in h1 h2; do
	for device in eth0 vpn0; do
		run ns $host tc qdisc add dev $device clsact
		for way in ingress egress; do
			run ns $host tc filter add dev $device $way matchall \
				action csum ip4h and udp and tcp pipe action skbedit mark 7
		done
	done
	ns $host nft -f - <<-END
		table inet seen {
			chain in { type filter hook input priority 0; ct state invalid counter drop; iifname vpn0 meta l4proto tcp counter; }
			chain out { type filter hook output priority 0; ct state invalid counter drop; oifname eth0 udp dport 1001-1002 counter; }
		}
	END
done
carries "tc and netfilter on all of them"
[ "$(ns h2 nft -j list ruleset | jq '[.. | .counter? | select(.) | .packets] | add')" -gt 20 ]
ok "netfilter has seen them" $?
for host in h1 h2; do
	for device in eth0 vpn0; do
		run ns $host tc qdisc del dev $device clsact
	done
	run ns $host nft delete table inet seen
done

#
# XDP on the cable, by the driver and in front of it, and on the tunnel
#
mkdir "$TMP/bpf"
if mount -t bpf bpf "$TMP/bpf" && run "$SELFTESTS/xdp-pass.py" "$TMP/bpf/pass" &&
	run ns h2 ip link set dev eth0 xdpdrv pinned "$TMP/bpf/pass"; then
	run ns h1 ip link set dev eth0 xdpdrv pinned "$TMP/bpf/pass"
	carries "XDP on the cable"
	for host in h1 h2; do
		run ns $host ip link set dev eth0 xdpdrv off
		run ns $host ip link set dev eth0 xdpgeneric pinned "$TMP/bpf/pass"
	done
	carries "generic XDP on the cable"
	for host in h1 h2; do
		run ns $host ip link set dev eth0 xdpgeneric off
		run ns $host ip link set dev vpn0 xdpgeneric pinned "$TMP/bpf/pass"
	done
	carries "generic XDP on the tunnel"
	for host in h1 h2; do
		run ns $host ip link set dev vpn0 xdpgeneric off
	done
else
	skip "XDP" "it can't be loaded here"
fi

#
# Trains that are longer than 64 KiB when they come to the tunnel
#
must client_behind
run ns client ip link set eth0 gso_max_size 150000
run ns h1 ip link set lan0 gro_max_size 150000
check "BIG TCP from behind the tunnel" tcp client h2 fd99::2,192.168.99.2 --octets 1000000
run ns h2 ip link set vpn0 gro_max_size 150000
check "BIG TCP at its end" tcp client h2 fd99::2,192.168.99.2 --octets 1000000

#
# Senders. In front of a slow cable packets wait, sealed; they must count as the
# sender's own until they leave: by that TCP small queues hold it back. The cable
# takes whole trains: where a queue cuts them, the kernel lets go of their socket.
#
backlog() { ns h1 tc -s -j qdisc show dev eth0 | jq '.[0].backlog'; }

# Memory of what is on its way, as the sending socket sees it.
charged()
{
	ns h1 ss -Htnm dst 192.168.99.2 |
		sed -n 's/.*skmem:(.*,t\([0-9]*\),tb.*/\1/p' | sort -n | tail -n 1
}

run ns h1 tc qdisc add dev eth0 root tbf rate 1mbit burst 200k limit 16m
background ns h2 iperf3 -s -1 -B 192.168.99.2
server=$!
must wait_until 10 listening h2 tcp 5201
background ns h1 iperf3 -c 192.168.99.2 -t 40
sender=$! waited=0 held=0
# A busy machine looks seldom.
while [ $waited -lt 8 ] && kill -0 $sender 2>/dev/null; do
	now=$(charged)
	after=$(backlog)
	[ "$after" -ge 20000 ] || continue
	waited=$((waited + 1))
	# Meanwhile some left, others came, and headers count differently.
	[ $((${now:-0} * 2)) -lt "$after" ] || held=$((held + 1))
done
note "packets waited in front of the cable $waited times, and were the sender's $held times"
[ "$waited" -gt 0 ] && [ $((held * 2)) -gt "$waited" ]
ok "what waits in front of the cable counts as its sender's" $?
run ns h1 tc qdisc del dev eth0 root
run kill $sender
ended() { ! kill -0 "$server" 2>/dev/null; }
must wait_until 30 ended

# By what it finds in the sending socket, fq holds back what comes too early; that it
# does, and not how long it takes, tells that the rate is known to it.
run ns h1 tc qdisc add dev eth0 root fq
held_back() { ns h1 tc -s -j qdisc show dev eth0 | jq '.[0].throttled'; }

iperf h1 h2 192.168.99.2 --fq-rate 4M >&2
held=$(held_back)
note "packets of a flow that is paced were held back $held times"
[ "${held:-0}" -ge 5 ]
ok "a paced flow stays paced" $?

for host in h1 h2; do
	check_equal "$host: all tags were right" "" \
		"$(ns $host ethtool -S vpn0 2>/dev/null | awk '/bad_tag|malformed|not_ip|no_memory/ && $2 > 0')"
done

ktap_end
