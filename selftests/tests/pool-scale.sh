#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A million leases in a /8, a quarter of one in a /64: the module's self test of
# pools, which makes fewer when the module is loaded otherwise. The last ones are
# made about as fast as the first ones. The debug kernel, which looks at every access,
# makes a tenth of them.
# timeout: 240
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

ktap_start
if [ "$VPN_KIND" != vpn ]; then
	skip "a million leases" "not our module"
	ktap_end
fi
MANY=1000000
[[ $(uname -r) != *-debug ]] || MANY=100000
[ ! -d /sys/module/vpn ] || must rmmod vpn
echo "$TEST_NAME loads" >/dev/kmsg
must modprobe vpn "selftest_leases=$MANY"
dmesg | sed "1,/$TEST_NAME loads/d" >"$TMP/log"
grep 'vpn: ' "$TMP/log" >&2
check "the self test of pools passes" grep -q 'self test pool: passed' "$TMP/log"
check "with $MANY leases of a /8" grep -q " $MANY leases of a /8;" "$TMP/log"
check "with a quarter of that of a /64" grep -q " $((MANY / 4)) leases of a /64;" "$TMP/log"
ktap_end
