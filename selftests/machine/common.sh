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
# 7.3 as a User-mode Linux that checks what it does, and one that looks for data races
# (uml-root). They are tested when asked for.
DEBUG=debug
RACE=race

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

	for k in "${KERNELS[@]}" "$DEBUG" "$RACE"; do
		[ "$k" = "$1" ] && return 0
	done
	die "no kernel '$1': there are ${KERNELS[*]} $DEBUG $RACE"
}

# Whether kernel $1 is one that we compile, and not one of Debian's.
checks_itself() { [ "$1" = "$DEBUG" ] || [ "$1" = "$RACE" ]; }

# Names of the tree's own files, NUL between them: build outputs of the host
# must not come along.
# shellcheck disable=SC2016 # the inner shell expands
list_sources()
{
	if git -C "$TREE" rev-parse --show-toplevel 2>/dev/null | grep -qxF "$TREE"; then
		git -C "$TREE" ls-files -z -co --exclude-standard |
			(cd "$TREE" && xargs -0r sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"; done; true' sh)
	else
		(cd "$TREE" && find . -type f ! -name '*.o' ! -name '*.ko' ! -name '*.mod*' \
			! -name '.*.cmd' ! -path './.git/*' -printf '%P\0')
	fi | sort -z
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
