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

# doze STATE: begin to sleep, until the event stops it.
doze()
{
	python3 - "$1" <<-'END'
		import errno, os, select, socket, sys

		EPOLLWAKEUP = 1 << 29
		ours, theirs = socket.socketpair()
		events = select.epoll()
		events.register(ours, select.EPOLLIN | EPOLLWAKEUP)
		with open("/sys/power/wakeup_count", encoding="ascii") as file:
		    count = file.read()
		with open("/sys/power/wakeup_count", "w", encoding="ascii") as file:
		    file.write(count)
		theirs.send(b"!")
		state = os.open("/sys/power/state", os.O_WRONLY)
		try:
		    os.write(state, sys.argv[1].encode())   # once: a file object tries again
		except OSError as error:
		    sys.exit(0 if error.errno == errno.EBUSY else f"not busy: {error}")
		sys.exit("it slept")
	END
}

ktap_start
[ -e /vpn/.machine/settings ] || skip_all "puts the machine to sleep"
must tunnel_two
check "works" reach h1 192.168.99.2
before=$(initiations)
check "goes on working" reach h1 192.168.99.2
check_equal "with the same session" "$before" "$(initiations)"

# A full disk's worth of writing is not what is tested.
[ ! -e /sys/power/sync_on_suspend ] || echo 0 >/sys/power/sync_on_suspend
for state in freeze disk; do
	before=$(initiations)
	check "begins to sleep ($state)" doze "$state"
	check "works afterwards" reach h1 192.168.99.2
	[ "$(initiations)" -gt "$before" ]
	ok "with another session" $?
done
ktap_end
