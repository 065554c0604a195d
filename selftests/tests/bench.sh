#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The benchmark runs, with every kind of tunnel that the kernel has, and what it
# writes can be read: for a moment only, and without counting instructions, so the
# figures mean nothing.
# timeout: 180
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

BENCH=$(cd "$(dirname "$0")/../bench" && pwd)

# measure OPTION...: its lines go to a file for the report.
measure() { "$BENCH/measure.py" "$@" >>"$TMP/now.jsonl"; }

# kinds COLUMN: the kinds of tunnel that have a figure there, which is no zero.
kinds()
{
	jq -r --arg column "$1" 'select(.column == $column and
		(.packets // .handshakes // .connect_ns) > 0) | .peer' "$TMP/now.jsonl" |
		sort | paste -sd' '
}

# waits FUNCTION: which part of the time the tunnel waits for, if a processor of two
# waits for a lock that this function takes.
waits()
{
	PYTHONPATH=$BENCH python3 -c 'import sys, contention; print(contention.read(f"""
[000]
	ff native_queued_spin_lock_slowpath
	fe _raw_spin_lock_bh
	fd {sys.argv[1]}
	fc kthread

[001]
	ff memcpy
""")["tunnel"])' "$1"
}

well_formed() { python3 -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' "$1"; }

ktap_start
[ "$VPN_KIND" = vpn ] || skip_all "it compares this module with others"

all="esp esp-if none ovpn vpn vpn-aes wireguard"
modinfo ovpn >/dev/null 2>&1 || all="esp esp-if none vpn vpn-aes wireguard"
check "datagrams by every kind of tunnel" measure --what udp64 --seconds 0.05
check_equal "all of them have figures" "$all" "$(kinds udp64)"
# Behind the crowd, handshakes are with peers whose secrets were not computed ahead.
check "all else" measure --what tcp,gso,row64,crowd,connect,handshakes,rush --seconds 0.05 --peers none,vpn-aes
for column in tcp gso row64; do
	check_equal "$column has figures" "none vpn-aes" "$(kinds $column)"
done
check_equal "packets among many peers have" vpn-aes "$(kinds crowd)"
check_equal "a lock that the tunnel takes is told from others" "0.5 0.0" \
	"$(waits vpn_tx_xmit) $(waits tcp_v4_rcv)"
if command -v perf >/dev/null; then
	check "four processors and eight flows" measure --what contention --seconds 0.05 --peers vpn
	check "it is told what processors did, and who took turns" jq -se \
		'map(select(.column == "contention").contention) | .[0] |
		(.cpus | add > 0.99) and .waiting < 1 and .tunnel <= .waiting' "$TMP/now.jsonl"
else
	skip "contention" "no perf"
fi
check_equal "connect time of a vpn" vpn-aes "$(kinds connect)"
check_equal "handshakes a second of a vpn" vpn-aes "$(kinds handshakes)"

check "a report" "$BENCH/report.py" "$TMP" now
check "its JSON has ratios to WireGuard" jq -e \
	'[.now.ratios[] | select(.peer == "wireguard") | .ratio | numbers] | length > 0' \
	"$TMP/results.json"
check "it says how soon a rush was answered" grep -qE \
	'^Rush, vpn AES-256: [1-9][0-9]* of 50 initiations were answered' "$TMP/table.txt"
check "its drawing is well-formed" well_formed "$TMP/plot-now.svg"
check "and has bars" grep -q '<rect .* class="vpn-aes"' "$TMP/plot-now.svg"
check_equal "the table has ratios of both ciphers" 2 \
	"$(grep -cE '^vpn (ChaCha20|AES-256): ' "$TMP/table.txt")"
check_says "an unknown column is refused by name" "no 'tpc': there are tcp" \
	"$BENCH/measure.py" --what tpc

ktap_end
