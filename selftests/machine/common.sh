# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What the scripts of the test machine share: where things are kept, how to
# speak, how to become root, how to lock.  To be sourced.

MACHINE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The checkout whose module and tools are built and tested.  Another one than
# that of these scripts can be named, with build outputs of its own.
TREE=$(cd "${VPN_TREE:-$MACHINE/../..}" && pwd -P) || exit 1
CACHE=${VPN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vpn}
KERNELS=(6.1 6.12 7.3)

say() { printf '%s\n' "$*" >&2; }

die()
{
	say "${0##*/}: $*"
	exit 1
}

# Making a root and building in it need root on the host; nothing else does.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n true 2>/dev/null || say "sudo: ${*:1:3} ..."
		sudo "$@"
	fi
}

check_kernel()
{
	local k

	for k in "${KERNELS[@]}"; do
		[ "$k" = "$1" ] && return 0
	done
	die "no kernel '$1': there are ${KERNELS[*]}"
}

# Hold an exclusive lock on file $1 on descriptor $2 for as long as this shell
# lives.  The descriptor must not leak to daemons: close it for children that
# outlive the need.
lock()
{
	mkdir -p "$(dirname "$1")"
	eval "exec $2>\"\$1\""
	flock -w 5 "$2" && return 0
	say "waiting for another run to finish with ${1#"$CACHE"/}"
	flock "$2"
}
