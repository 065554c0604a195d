#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ynl-check.sh: prove that the netlink header and policies are what the generator
# of the Linux sources makes of uapi/vpn.yaml, which it also validates.  Prints
# what differs.  With --update: bring them up to date.
set -euo pipefail
# shellcheck source=machine/common.sh
. "$(dirname "$0")/machine/common.sh"

# Mode and kind of the generator, and the file that it makes.
FILES=(
	"uapi header uapi/linux/vpn.h"
	"kernel header module/netlink-gen.h"
	"kernel source module/netlink-gen.c"
)

update=''
case ${1:-} in
'')		;;
--update)	update=yes ;;
*)		sed -n '4,6s/^# //p' "$0" >&2; exit 2 ;;
esac

scratch=$(mktemp -d "${TMPDIR:-/tmp}/vpn-ynl.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$TREE"
source=$("$MACHINE/kernel-source")

# The generator takes the specification from within a tree of Linux sources,
# which it knows by the file MAINTAINERS: without that it looks for it forever.
mkdir -p "$scratch/Documentation/netlink/specs"
touch "$scratch/MAINTAINERS"
cp "$source"/linux/Documentation/netlink/*.yaml "$scratch/Documentation/netlink/"
cp uapi/vpn.yaml "$scratch/Documentation/netlink/specs/"

generate()
{
	SCRATCH=$scratch "$MACHINE/kernel-source" --exec timeout 60 python3 \
		/tmp/source/linux/tools/net/ynl/pyynl/ynl_gen_c.py \
		--spec /tmp/scratch/Documentation/netlink/specs/vpn.yaml \
		--mode "$1" "--$2" -o "/tmp/scratch/${3##*/}"
}

status=0
for file in "${FILES[@]}"; do
	read -r mode kind path <<<"$file"
	generate "$mode" "$kind" "$path" || die "the generator failed with uapi/vpn.yaml"
	if [ -n "$update" ]; then
		cmp -s "$scratch/${path##*/}" "$path" || { cp "$scratch/${path##*/}" "$path"; echo "$path"; }
	elif ! diff -u --label "$path" --label "what uapi/vpn.yaml gives" \
			"$path" "$scratch/${path##*/}"; then
		status=1
	fi
done
[ $status = 0 ] || say "selftests/ynl-check.sh --update brings them up to date"
exit $status
