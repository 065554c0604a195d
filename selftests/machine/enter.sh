# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# To be sourced, after common.sh, by what works inside a root.

# enter DIRECTORY SCRIPT ARGUMENT...: run a shell script, as root, that finds the
# root of a machine (DIRECTORY/tree) at $root, with /dev, /proc and /tmp in it, and
# what DIRECTORY/build holds, if anything, at /build.  Its mounts end with it.
enter()
{
	local dir=$1 script=$2

	shift 2
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_root env dir="$dir" root="$dir/tree" unshare --mount --propagation private sh -euc '
		mount --bind "$root" "$root"
		mount -t proc proc "$root/proc"
		mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
		mount --bind /dev "$root/dev"
		if [ -d "$dir/build" ]; then
			mkdir -p "$root/build"
			mount --bind "$dir/build" "$root/build"
		fi
		'"$script" sh "$@"
}
