#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A machine that goes on as a copy of itself forgets its keys: the original may go
# on, too, and both would seal with the same keys and counters.
#
#	h1 [vpn0] ==== [vpn0] h2
#
# The kernel learns of it from a device, for which Debian's 6.1 has no driver.
# kernels: 6.12 7.3
# machine: forkable
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

# Handshakes that h1 has begun.
initiations() { count h1 vpn0 tx_initiations; }

# How often the kernel was told.
forks() { dmesg | grep -c 'crng reseeded due to virtual machine fork'; }
forked() { [ "$(forks)" -gt "$1" ]; }

fork_machine()
{
	local before

	before=$(forks)
	echo fork >/run/machine
	wait_until 60 forked "$before"
}

ktap_start
[ -p /run/machine ] || skip_all "not in a machine that can be forked"
must tunnel_two
check "works" reach h1 192.168.99.2
before=$(initiations)
check "goes on working" reach h1 192.168.99.2
check_equal "with the same session" "$before" "$(initiations)"

check "the machine goes on in another" fork_machine
check "works afterwards" reach h1 192.168.99.2
[ "$(initiations)" -gt "$before" ]
ok "with another session" $?
ktap_end
