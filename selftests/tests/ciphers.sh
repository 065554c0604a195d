#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Sessions of version 1 in both cipher suites: that they carry everything, that
# the header of a data message can't be changed on its way, and what an
# implementation that completes messages later does, also while its device goes.
#
#	h1 [vpn0] ==== tunnel ==== [vpn0] h2
#	   [eth0] ---- cable ----- [eth0]
# timeout: 180
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

ktap_start
ours || skip_all "version 1 is in this module only"

on_exit() { rm -f "$OPTIONS"; }
OPTIONS=/etc/modprobe.d/selftest-ciphers.conf
LOADED=/sys/module/$VPN_KIND/parameters

# start [OPTION...]: the module anew, with these parameters.
start()
{
	[ ! -d "$LOADED" ] || wait_until 10 rmmod "$VPN_KIND" || return
	[ $# = 0 ] || echo "options $VPN_KIND $*" >"$OPTIONS"
	run modprobe "$VPN_KIND"
}

# session_in CIPHER: h1 and h2 have a session of version 1 in it.
session_in()
{
	local host

	for host in h1 h2; do
		tool "$host" -j show vpn0 | tee "$TMP/show" |
			jq -e --arg cipher "$1" '[.. | .session_cipher? | select(.)] == [$cipher]' \
				>/dev/null || { cat "$TMP/show" >&2; return 1; }
	done
}

# drops HOST: counters of what was dropped, without those that handshakes and the
# time before them explain.
drops()
{
	ns "$1" ethtool -S vpn0 |
		awk '/drop_(rx|tx)_/ && !/no_key|staged|handshake/ && $2 > 0 { print $1 $2 }'
}

# tunnel_in SETTING...: the two hosts, and the tunnel; h1 has this of h2.
tunnel_in()
{
	tunnel_two &&
		run tool h1 set vpn0 peer "${PUB[h2]}" "$@" &&
		run tool h2 set vpn0 peer "${PUB[h1]}" cipher any &&
		reach h1 192.168.99.2
}

carries()
{
	check "$1: TCP and UDP trains" mix h1 h2 fd99::2 --octets 100000 --count 72 \
		--size 1000 --gso --gro
	check "$1: packets of all lengths" udp h1 h2 192.168.99.2 --count 60 --size 1-1400
	check_equal "$1: nothing was dropped" "" "$(drops h1)$(drops h2)"
}

#
# Both suites
#
must start
must tunnel_in cipher aes-256-gcm
check "AES-256-GCM is agreed on" session_in aes-256-gcm
carries AES-256-GCM

# Of these two it is the credential that asks for version 1.
ns_del h1
ns_del h2
echo a.b.c >"$TMP/token"
must tunnel_in cipher chacha20-poly1305 credential "$TMP/token"
check "ChaCha20-Poly1305 is agreed on" session_in chacha20-poly1305
carries ChaCha20-Poly1305

#
# Whoever changes the header on its way has nothing of it.
#
# spoilt COUNTER RULE: what h1 sends is changed so, and h2 counts it there.
spoilt()
{
	local status=0

	ns h2 nft -f - <<-END || return
		table inet t {
			chain spoil {
				type filter hook prerouting priority -300
				udp dport 1002 @th,64,8 4 $2
			}
		}
	END
	counts_up h2 vpn0 "$1" 3 ns h1 ping -n -q -c 3 -i 0.2 -W 1 192.168.99.2 >&2 || status=$?
	ns h2 nft delete table inet t
	return "$status"
}

check "a message of version 0 is malformed" spoilt drop_rx_malformed "@th,72,8 set 0"
check "one of version 2 as well" spoilt drop_rx_malformed "@th,72,8 set 2"
check "and one with an unknown flag" spoilt drop_rx_malformed "@th,80,8 set 2"
check "data that claims to be control is forged" spoilt drop_rx_bad_tag "@th,80,8 set 1"
check_equal "none of it was taken for control" 0 "$(count h2 vpn0 rx_control)"
check "what is left alone arrives" reach h1 192.168.99.2

#
# What is completed later
#
asynchronous()
{
	dmesg | tac | grep -m 1 "vpn: AES-256-GCM: a packet" | tee /dev/stderr | grep -qF "$1"
}

[ -e "$LOADED/timescale" ] || { skip "asynchronous ciphers" "not a test build"; ktap_end; exit; }
drivers=("pcrypt(generic-gcm-aesni)" "gcm_base(cryptd(ctr(aes-generic)),ghash-generic)")
# A User-mode Linux has nothing that is made for this processor.
modprobe -q aesni-intel || drivers=("pcrypt(gcm-aes-lib)" "cryptd(gcm-aes-lib)")
for driver in "${drivers[@]}"; do
	ns_del h1
	ns_del h2
	must start "aead_gcm=$driver"
	case $driver in
	gcm_base*)
		# Those before 6.15, of the kernels that are tested.
		asynchronous "$driver" || { skip "$driver" "not in this kernel"; continue; } ;;
	*)
		check "$driver is in use" asynchronous "$driver" ;;
	esac
	must tunnel_in cipher aes-256-gcm
	check "$driver is agreed on" session_in aes-256-gcm
	carries "$driver"
	traffic_begin h1 h2 192.168.99.2
	sleep 0.3
	check "$driver: down with messages on their way" ns h1 ip link set vpn0 down
	check "$driver: up again" ns h1 ip link set vpn0 up
	check "$driver: and works" arrives h1 192.168.99.2
	check "$driver: the peer goes" tool h2 set vpn0 peer "${PUB[h1]}" remove
	check "$driver: the link goes" ns h1 ip link del vpn0
	traffic_end
done

ktap_end
