#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# reference.sh VPND [--update]: are Documentation/configuration.md and the middle of
# vpn.toml(5) what the daemon's table of keys gives?  --update writes them anew.
set -euo pipefail

vpnd=${1:?usage: reference.sh VPND [--update]}
tree=$(cd "$(dirname "$0")/.." && pwd)
document=Documentation/configuration.md manual=Documentation/man/vpn.toml.5
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

# What a person wrote stays, up to the line before which the table begins.
sed '/^## /,$d' "$tree/$document" >"$new/document"
"$vpnd" --reference | sed 1d >>"$new/document"
{
	sed '/^\.Ss \[server\]/,$d' "$tree/$manual"
	"$vpnd" --reference=man
	sed -n '/^\.Sh EXAMPLES/,$p' "$tree/$manual"
} >"$new/manual"
if [ "${2:-}" = --update ]; then
	cp "$new/document" "$tree/$document"
	cp "$new/manual" "$tree/$manual"
fi
diff -u "$tree/$document" "$new/document" && diff -u "$tree/$manual" "$new/manual"
