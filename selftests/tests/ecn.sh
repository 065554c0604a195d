#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a tunnel does with the DSCP and ECN bits: the outside gets no DSCP, but
# ECT, so that routers can mark it; a mark of congestion on the outside comes to
# the inner packet if that can bear it.
#
#	h1 [vpn0] ==== tunnel ==== [vpn0] h2
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
must tunnel_two
must reach h1 192.168.99.2
must reach h1 fd99::2

# Of packets of h1's, h2 counts by their bits what arrives outside and inside.
ns h2 nft -f - <<-END
	table inet t {
		chain outside {
			type filter hook prerouting priority 0
			iif eth0 udp dport 1002 ip dscp != cs0 counter comment "dscp"
			iif eth0 udp dport 1002 ip6 dscp != cs0 counter comment "dscp"
			iif eth0 udp dport 1002 ip ecn not-ect counter comment "outside not-ect"
			iif eth0 udp dport 1002 ip6 ecn not-ect counter comment "outside not-ect"
			iif eth0 udp dport 1002 ip ecn ect0 counter comment "outside ect0"
			iif eth0 udp dport 1002 ip6 ecn ect0 counter comment "outside ect0"
			iif eth0 udp dport 1002 ip ecn ect1 counter comment "outside ect1"
			iif eth0 udp dport 1002 ip6 ecn ect1 counter comment "outside ect1"
			iif eth0 udp dport 1002 ip ecn ce counter comment "outside ce"
			iif eth0 udp dport 1002 ip6 ecn ce counter comment "outside ce"
		}
		chain inside {
			type filter hook prerouting priority 0
			iif vpn0 ip dscp ef counter comment "ef"
			iif vpn0 ip6 dscp ef counter comment "ef"
			iif vpn0 ip ecn not-ect counter comment "inside not-ect"
			iif vpn0 ip6 ecn not-ect counter comment "inside not-ect"
			iif vpn0 ip ecn ect0 counter comment "inside ect0"
			iif vpn0 ip6 ecn ect0 counter comment "inside ect0"
			iif vpn0 ip ecn ect1 counter comment "inside ect1"
			iif vpn0 ip6 ecn ect1 counter comment "inside ect1"
			iif vpn0 ip ecn ce counter comment "inside ce"
			iif vpn0 ip6 ecn ce counter comment "inside ce"
		}
	}
END

# Comment and number of every counter that is not zero, in one line.
counted()
{
	ns h2 nft list table inet t | awk -F '"' '
		split($0, word, "counter packets ") == 2 && word[2] + 0 { sum[$(NF - 1)] += word[2] }
		END { for (name in sum) print name, sum[name] }' | sort | paste -sd , | sed 's/,/, /g'
}

# seen WANTED: what the counters say.
seen()
{
	local all

	all=$(counted)
	printf '+ seen: %s\n' "$all" >&2
	[ "$all" = "$1" ]
}

# goes ADDRESS TOS WANTED: three echoes with that TOS are seen so.
goes()
{
	ns h2 nft reset counters >/dev/null 2>&1
	ns h2 nft reset rules >/dev/null 2>&1
	flood h1 "$1" 3 -Q "$2" >/dev/null || return
	seen "$3"
}

# Rules can be reset since nftables 1.0.7; where they cannot, take them anew.
if ! ns h2 nft reset rules >/dev/null 2>&1; then
	ns h2 nft -s list ruleset >"$TMP/rules"
	goes()
	{
		ns h2 nft flush ruleset
		ns h2 nft -f "$TMP/rules"
		flood h1 "$1" 3 -Q "$2" >/dev/null || return
		seen "$3"
	}
fi

# DSCP EF is 0xb8.
for address in 192.168.99.2 fd99::2; do
	case $address in
	*:*)	text="IPv6" ;;
	*)	text="IPv4" ;;
	esac
	check "$text, no ECN: none outside, DSCP inside only" goes $address 0xb8 \
		"ef 3, inside not-ect 3, outside not-ect 3"
	check "$text, ECT(0)" goes $address 0xba "ef 3, inside ect0 3, outside ect0 3"
	check "$text, ECT(1)" goes $address 0x01 "inside ect1 3, outside ect1 3"
	# RFC 6040 allows for it: a mark inside is not one of the outer path.
	check "$text, congestion inside is ECT(0) outside" goes $address 0x03 \
		"inside ce 3, outside ect0 3"
done

# Inside IPv6 it is the same.
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint '[fd00::2]:1002'
check "inside IPv6, ECT(0)" goes 192.168.99.2 0xba "ef 3, inside ect0 3, outside ect0 3"
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 10.0.0.2:1002

#
# A router on the way marks what it can.
#
ns h1 nft -f - <<-END
	table inet t {
		chain out {
			type route hook output priority 0
			oif eth0 udp sport 1001 ip ecn set ce
		}
	}
END
for address in 192.168.99.2 fd99::2; do
	case $address in
	*:*)	text="IPv6" ;;
	*)	text="IPv4" ;;
	esac
	check "$text, congestion outside comes in: ECT(0)" goes $address 0xba \
		"ef 3, inside ce 3, outside ce 3"
	check "$text, congestion outside comes in: ECT(1)" goes $address 0x01 \
		"inside ce 3, outside ce 3"
	check "$text, congestion outside, none can be told inside" goes $address 0xb8 \
		"ef 3, inside not-ect 3, outside ce 3"
	check "$text, congestion on both" goes $address 0x03 "inside ce 3, outside ce 3"
done
# Of IPv6, nftables of new kernels does not write these bits.  Netem marks packets
# instead of losing them, where they can bear it.
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint '[fd00::2]:1002'
must reach h1 192.168.99.2
run ns h1 tc qdisc add dev eth0 root netem loss 100% ecn
check "inside IPv6, congestion outside comes in" goes fd99::2 0x02 "inside ce 3, outside ce 3"
run ns h1 tc qdisc del dev eth0 root
run tool h1 set vpn0 peer "${PUB[h2]}" endpoint 10.0.0.2:1002

# TCP with ECN, of which every packet is marked: slow, but whole.
for host in h1 h2; do
	ns $host sysctl -qw net.ipv4.tcp_ecn=1
done
check "TCP with ECN under congestion" tcp h1 h2 192.168.99.2 --octets 150000
marked() { counted | grep -o 'inside ce [0-9]*' | cut -d' ' -f3; }
[ "$(marked)" -gt 20 ]
ok "its packets came marked" $?
ns h1 nft flush ruleset
check "TCP with ECN without" tcp h1 h2 192.168.99.2 --octets 1000000

# What the tunnel itself says is marked AF41, as WireGuard does.
ns h1 ip link set vpn0 down
ns h2 nft -f - <<-END
	table inet u {
		chain outside {
			type filter hook prerouting priority 0
			iif eth0 udp dport 1002 udp length 156 ip dscp af41 counter comment "af41"
		}
	}
END
ns h1 ip link set vpn0 up
must reach h1 192.168.99.2
check_equal "handshakes bear AF41" 1 \
	"$(ns h2 nft -j list table inet u | jq '[.nftables[].rule?.expr[]?.counter? | select(.)][0].packets')"

ktap_end
