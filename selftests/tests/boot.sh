#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The machine itself, and what the module must do before anything else: load,
# be loaded by name, pass its self tests, go away again.
# timeout: 60
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

ktap_start

processors=$(nproc)
note "kernel $(uname -r), $processors processors"
case $(uname -r) in
*-debug) skip "more than one processor" "its own scheduler would warn" ;;
*)	[ "$processors" -gt 1 ]; ok "more than one processor" $? ;;
esac

gone() { [ ! -d "/sys/module/$VPN_KIND" ]; }
loaded() { [ -d "/sys/module/$VPN_KIND" ]; }

gone || run rmmod "$VPN_KIND"
echo "$TEST_NAME loads" >/dev/kmsg
check "loads by name" modprobe "$VPN_KIND"
check "unloads" rmmod "$VPN_KIND"

if [ "$VPN_KIND" = vpn ]; then
	dmesg | sed "1,/$TEST_NAME loads/d" >"$TMP/log"
	grep 'self test' "$TMP/log" >&2
	grep -q 'self test.*: passed' "$TMP/log" && ! grep -q 'self test.*: failed' "$TMP/log"
	ok "says that its self tests pass" $?
else
	skip "says that its self tests pass" "not our module"
fi

ns_add host
check "a link of its kind can be added" ns host ip link add vpn0 type "$VPN_KIND"
check "which loads the module" loaded
check "the link can be deleted" ns host ip link del vpn0
wait_until 5 rmmod "$VPN_KIND"
check "it unloads again" gone

if [ "$VPN_KIND" = vpn ]; then
	# The tool asks for the family by name; there is no device to show.
	run "$VPN_TOOL" show >&2
	check "looking for its netlink family loads it" loaded
	run rmmod "$VPN_KIND"
fi

ktap_end
