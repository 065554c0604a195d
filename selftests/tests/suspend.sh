#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Keys are forgotten before the machine sleeps.  It doesn't get so far as to sleep:
# a wakeup event comes as soon as it begins.
#
#	h1 [vpn0] ==== [vpn0] h2
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

# Handshakes that h1 has begun.
initiations() { count h1 vpn0 tx_initiations; }

ktap_start
[ -e /vpn/.machine/settings ] || skip_all "puts the machine to sleep"
[ -e /sys/power/wakeup_count ] || skip_all "this kernel cannot sleep"
must tunnel_two
check "works" reach h1 192.168.99.2
before=$(initiations)
check "goes on working" reach h1 192.168.99.2
check_equal "with the same session" "$before" "$(initiations)"

for state in freeze disk; do
	before=$(initiations)
	check "begins to sleep ($state)" doze "$state"
	check "works afterwards" reach h1 192.168.99.2
	[ "$(initiations)" -gt "$before" ]
	ok "with another session" $?
done
ktap_end
