#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# proof.sh [CHECK...]: show that the checks of lint.sh can fail.  Into a copy of
# the tree goes one mistake for each of them, and each has to find its own.  The
# last line is "N passed, N failed".
set -euo pipefail
# shellcheck source=../machine/common.sh
. "$(dirname "$0")/../machine/common.sh"

# The check, what it says about its mistake, and the mistake itself: '>' adds
# lines to a file.  A word with ~ in it is not to be found in this file.
MISTAKES=(
	"sparse|module/main.c.*different base types|>module/main.c
u32 vpn_planted_endian(__be32 big);
u32 vpn_planted_endian(__be32 big) { return big; }"

	"gcc|planted_unused|>module/main.c
static int vpn_planted_unused;"

	"gcc|planted_shadow|>tools/vpnctl/version.c
static void planted_shadow(int unused) {}"

	"clang|self-assign|>module/main.c
int vpn_planted_self(int value);
int vpn_planted_self(int value) { value = value; return value; }"

	"coccinelle|NULL check before|>module/main.c
void vpn_planted_free(void *what);
void vpn_planted_free(void *what) { if (what) kfree(what); }"

	"checkpatch|module/main.c.*SPACING|>module/main.c
int vpn_planted_style( int a );"

	"checkpatch|module/compat/core.h.*TRAILING_SEMICOLON|>module/compat/core.h
#define PLANTED 1;"

	"checkpatch|tools/.*SPACING|>tools/vpnctl/version.c
int planted_style( int a );"

	"netlink|planted in the header|>uapi/linux/vpn.h
/* planted in the header */"

	"vectors|module/selftest/vectors.h|>module/selftest/vectors.h
/* planted in the vectors */"

	"shellcheck|SC2086|>selftests/planted
#!/bin/sh
rm \$1"

	"cppcheck|arrayIndexOutOfBounds|>tools/libvpn/planted.c
int vpn_planted(void);
int vpn_planted(void) { int room[2] = { 0 }; return room[2]; }"

	"kerneldoc|planted_param|>module/planted.h
/**
 * vpn_planted_doc() - lack a parameter
 */
void vpn_planted_doc(int planted_param);"

	"python|imported but unused|>selftests/planted.py
import os"

	"python|planted-grammar.py:1|>selftests/planted-grammar.py
type Planted = int"

	"yaml|planted.yaml.*colons|>deploy/planted.yaml
planted:   1"

	"man|planted.8|>Documentation/man/planted.8
.Planted"

	"documents|planted-link.md:1: the link to nowhere.md|>planted-link.md
[planted](nowhere.md)"

	"documents|planted-heading.md:1: README.md has no heading|>planted-heading.md
[planted](README.md#planted)"

	"documents|planted-names.md:1: there is no module/planted.c|>planted-names.md
\`module/planted.c\`, \`make planted\`, TEST=planted"

	"documents|planted-names.md:1: the Makefile has no target planted|>planted-names.md"

	"documents|planted-names.md:1: there is no test planted|>planted-names.md"

	"documents|planted-table.md:3: there is no test planted-test|>planted-table.md
| what | shown by |
|---|---|
| everything | \`planted-test\` |"

	"kubernetes|overlays/host: StatefulSet vpn: there are more replicas than slices|>deploy/kubernetes/overlays/host/kustomization.yaml
replicas:
  - name: vpn
    count: 9
"

	"kubernetes|hostNetwrok: there is no such field of V1PodSpec|>deploy/kubernetes/overlays/loader/daemonset.yaml
      hostNetwrok: true
"

	"kubernetes|'planted' was unexpected|>deploy/kubernetes/overlays/kmm/module.yaml
  planted: true
"

	"editorconfig|planted-space.h:1: trailing|>module/planted-space.h
/* */ "

	"editorconfig|planted-space.py:1: tab|>selftests/planted-space.py
	planted"

	"versions|planted-version.h|>module/planted-version.h
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)"

	"release|9.9.9. is not|>dkms.conf
PACKAGE_VERSION=\"9.9.9\""

	"licence|planted-licence.c|>module/planted-licence.c
int vpn_planted;"

	"markers|planted.md:1|>planted.md
TO~DO: plant"

	"places|planted.md:2|>planted.md
It is in /ho~me/planter/seed."

	"places|planted.md:3|>planted.md
See htt~ps://planter.example.dev/."

	"places|planted.md:4|>planted.md
It comes from mirr~or.example.dev."
)

# A place of its own that stays, for what was built there to be of use again.
scratch=$CACHE/lint-proof/tree
lock "$CACHE/lint-proof/lock" 9
rm -rf "$scratch"
mkdir -p "$scratch"
list_sources | rsync -lp --from0 --files-from=- "$TREE/" "$scratch/"

checks=()
for mistake in "${MISTAKES[@]}"; do
	IFS='|' read -r -d '' check says mistake <<<"$mistake" || true
	[ $# = 0 ] || [[ " $* " == *" $check "* ]] || continue
	checks+=("$check")
	file=$scratch/${mistake%%$'\n'*}
	file=${file/>/}
	mkdir -p "${file%/*}"
	[ "$mistake" = "${mistake%$'\n'*}" ] || printf '%s' "${mistake#*$'\n'}" | tr -d '~' >>"$file"
done

log=$CACHE/lint-proof/log
VPN_TREE=$scratch "$TREE/selftests/lint.sh" "${checks[@]}" >"$log" 2>&1 9>&- || true

passed=0 failed=0
for mistake in "${MISTAKES[@]}"; do
	IFS='|' read -r check says _ <<<"$mistake"
	[[ " ${checks[*]} " == *" $check "* ]] || continue
	# A check's findings stand above its line, below that of another one.
	if awk -v last="^(not )?ok +$check:" '/^(not )?ok / { if ($0 ~ last) { printf "%s", text; print; exit } text = ""; next }
			{ text = text $0 "\n" }' "$log" | grep -zqE "$says.*not ok $check:"; then
		passed=$((passed + 1))
		echo "ok     $check finds: $says"
	else
		failed=$((failed + 1))
		echo "not ok $check does not find: $says"
	fi
done
[ $failed = 0 ] || echo "what the checks said: $log"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
