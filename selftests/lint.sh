#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lint.sh [CHECK...]: judge the sources of the tree, all of them or by the named
# checks.  A line for each check, findings under those that fail; the last line
# is "N passed, N failed".
#
# Programs that judge come from a cached Debian root (machine/lint-root) and from
# the kernel's own sources (machine/kernel-source), not from the host, so that
# every host comes to the same result.  They judge a copy, so that it does not
# change meanwhile.  That each check can fail is what lint/proof.sh shows.
set -uo pipefail
# shellcheck source=machine/common.sh
. "$(dirname "$0")/machine/common.sh"

KERNEL=7.3
# What uapi/vpn.yaml gives (check 'netlink') is as its generator writes it.
GENERATED=(module/netlink-gen.c module/netlink-gen.h uapi/linux/vpn.h)

# In the order of what they cost, so that the longest does not come last.
CHECKS=(
	"sparse		sparse with endianness has nothing to say about the module"
	"clang		module and tools compile with clang at W=1 without a warning"
	"gcc		module and tools compile with gcc at W=1 without a warning"
	"coccinelle	semantic patches of the kernel find nothing in the module"
	"checkpatch	C is in the kernel's style (checkpatch.pl --strict)"
	"netlink	header and policies are what uapi/vpn.yaml gives"
	"vectors	known answers are what selftests/vectors/make.py gives"
	"shellcheck	shell scripts (shellcheck)"
	"cppcheck	tools (cppcheck)"
	"kerneldoc	comments for kernel-doc are whole"
	"python		Python is of 3.11 and nothing in it is unused (pyflakes)"
	"yaml		YAML (yamllint)"
	"man		manual pages (mandoc)"
	"documents	what the documents refer to is there: links, files, targets, tests"
	"kubernetes	manifests are what their schemas say (kustomize, Kubernetes' models)"
	"editorconfig	white space is as .editorconfig wants it"
	"versions	versions of the kernel are compared in module/compat/ only"
	"release	whatever has the version of the release has that of the file VERSION"
	"licence	sources name their licence in an SPDX line"
	"markers	nothing is left to be done"
	"places		no directory or server of somebody's own is named"
)

# pick PATTERN...: names of the tree's files that match, NUL between them.
pick()
{
	local file pattern

	while IFS= read -r -d '' file; do
		for pattern; do
			# shellcheck disable=SC2053 # it is a pattern
			[[ $file != $pattern ]] || { printf '%s\0' "$file"; break; }
		done
	done <"$work/files"
}

# pick_script FIRST-LINE: names of the files that begin so (regular expression).
pick_script()
{
	local file line

	while IFS= read -r -d '' file; do
		{ IFS= read -r -n 80 line <"$file"; } 2>/dev/null
		[[ ! $line =~ $1 ]] || printf '%s\0' "$file"
	done <"$work/files"
}

without_generated()
{
	grep -zvxF "$(printf '%s\n' "${GENERATED[@]}")"
}

# in_lint COMMAND...: run in the root for lint, where the copy of the tree is the
# current directory, and /tmp/source/linux has the kernel's scripts.
in_lint()
{
	mkdir -p "$work/scratch"
	SCRATCH=$work/scratch "$MACHINE/lint-root" --exec "$@"
}

# over COMMAND...: run it in the root for lint over the files on standard input.
# None at all is a mistake here.
over()
{
	local files

	mapfile -d '' -t files
	[ ${#files[@]} -gt 0 ] || { echo "there is nothing to check"; return 1; }
	in_lint "$@" "${files[@]}"
}

# Fail when there is anything to read, and show it.
nothing()
{
	! grep .
}

# search PATTERN [GREP-OPTION...]: lines in the files on standard input that match
# the regular expression.  To find none is no failure.
search()
{
	xargs -0r grep -nHE "${@:2}" -e "$1" || true
}

# built PART...
built()
{
	"$MACHINE/build" "$KERNEL" --strict "$@"
}

check_gcc()	{ built production test tools; }
check_clang()	{ built clang; }
check_sparse()	{ built sparse; }
check_netlink()	{ "$TREE/selftests/ynl-check.sh"; }

check_vectors()
{
	in_lint python3 selftests/vectors/make.py --check
}

# checkpatch TYPES: with these ignored.  Whoever calls says why.
checkpatch()
{
	over perl /tmp/source/linux/scripts/checkpatch.pl --no-tree --strict --quiet \
		--no-summary --terse --show-types --ignore "$1" -f
}

check_checkpatch()
{
	local status=0

	# What a lock protects is said in the kernel-doc above it.
	local all=UNCOMMENTED_DEFINITION

	pick 'module/*.[ch]' | without_generated |
		grep -zvx 'module/compat/.*\|module/selftest/.*\|module/stats\.[ch]\|module/trace\.h' |
		checkpatch $all || status=1
	# Versions are told apart here, and arguments taken that an older kernel
	# has no use for.
	pick 'module/compat/*' |
		checkpatch $all,LINUX_VERSION_CODE,CONSTANT_COMPARISON,MACRO_ARG_UNUSED || status=1
	# What is expected ends a test when it does not hold.
	pick 'module/selftest/*' |
		checkpatch $all,MACRO_WITH_FLOW_CONTROL || status=1
	# One list makes the enumeration and the names.
	pick 'module/stats.[ch]' |
		checkpatch $all,BRACKET_SPACE,COMPLEX_MACRO,MACRO_ARG_REUSE,MACRO_ARG_UNUSED || status=1
	# The layout of TRACE_EVENT() is one of its own, in the kernel too.
	pick 'module/trace.h' |
		checkpatch $all,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT || status=1
	# Userspace has no __printf(), and nobody searches for the text that a test
	# expects.
	pick 'tools/*.[ch]' |
		grep -zv '^tools/tests/\|^tools/vpnctl/qr\.c$\|^tools/libvpn/credential\.c$\|^tools/libcred/\|^tools/vpnd/\(schema\|http\)\.c$' |
		checkpatch PREFER_DEFINED_ATTRIBUTE_MACRO || status=1
	# Names of libraries are as their authors like them.
	pick 'tools/vpnctl/qr.c' 'tools/libvpn/credential.c' 'tools/vpnd/http.c' |
		checkpatch CAMELCASE || status=1
	pick 'tools/libcred/*.[ch]' |
		checkpatch CAMELCASE,PREFER_DEFINED_ATTRIBUTE_MACRO || status=1
	# Each text of the reference is in a line of its own.
	pick 'tools/vpnd/schema.c' | checkpatch LONG_LINE,MACRO_ARG_REUSE || status=1
	pick 'tools/tests/*.[ch]' |
		checkpatch PREFER_DEFINED_ATTRIBUTE_MACRO,SPLIT_STRING || status=1
	# Userspace, with its types, where a check that fails ends the program, under
	# names that libFuzzer has chosen.
	pick 'selftests/*.[ch]' |
		checkpatch $all,MACRO_WITH_FLOW_CONTROL,AVOID_EXTERNS,CAMELCASE,PREFER_KERNEL_TYPES || status=1
	return $status
}

check_kerneldoc()
{
	pick 'module/*.[ch]' | without_generated |
		over python3 /tmp/source/linux/scripts/kernel-doc -none -Wall -Werror 2>&1 |
			sort -u
}

check_coccinelle()
{
	# Given a directory, it parses only files that have the words of a patch.
	# Some patches need a compiler of OCaml, which the root has not.
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_lint bash -c '
		set -o pipefail
		one()
		{
			local patch=$1 options=()

			read -r -a options < <(sed -n "s,^// *Options: ,,p" "$patch")
			spatch -D report --very-quiet --no-show-diff "${options[@]}" \
				--cocci-file "$patch" --dir module 2>/tmp/errors.$$ || cat /tmp/errors.$$
		}
		export -f one
		grep -rlZ --include="*.cocci" "^virtual report" /tmp/source/linux/scripts/coccinelle |
			xargs -0 grep -LZ "ocaml" |
			xargs -0 -P "$(nproc)" -I{} bash -c "one \"\$1\"" one {} |
			sort -u' | nothing
}

check_shellcheck()
{
	{ pick '*.sh'; pick_script '^#!.*[/ ](ba|da)?sh( |$)'; } | sort -zu | over shellcheck
}

check_cppcheck()
{
	# The kernel's style declares variables at the top of a function; what a
	# callback gets is as its caller has it.
	pick 'tools/*.c' | over cppcheck --quiet --error-exitcode=1 --inline-suppr \
		--enable=warning,style,performance,portability --check-level=exhaustive \
		--suppress=variableScope --suppress=constParameterCallback \
		--std=c11 --library=posix --include=/usr/include/libmnl/libmnl.h --include=/usr/include/jansson.h \
		-D_GNU_SOURCE -DVPN_VERSION='""' -I uapi
}

check_python()
{
	local status=0

	{ pick '*.py'; pick_script '^#!.*python'; } | sort -zu >"$work/python"
	over python3 selftests/lint/python-grammar.py <"$work/python" || status=1
	over pyflakes3 <"$work/python" || status=1
	return $status
}

check_yaml()
{
	pick '*.yaml' '*.yml' .yamllint | over yamllint --strict --format parsable
}

check_man()
{
	pick '*.[1-8]' | over mandoc -T lint -W warning
}

check_documents()
{
	over python3 selftests/lint/documents-check.py <"$work/files"
}

# Each overlay, with keys that are none.
check_kubernetes()
{
	local overlay file status=0 in=$work/scratch/kubernetes

	mkdir -p "$in"
	cp -r deploy/kubernetes/. "$in"
	for file in ca.crt crl.pem server.crt server.key; do
		echo none >"$in/base/secret/$file"
	done
	for overlay in "$in"/overlays/*/; do
		overlay=$(basename "$overlay")
		# shellcheck disable=SC2016 # expanded by the inner shell
		in_lint sh -euc '
			kustomize build "/tmp/scratch/kubernetes/overlays/$1" >"/tmp/scratch/$1.yaml"
			exec python3 selftests/lint/manifests.py "$1" "/tmp/scratch/$1.yaml"' sh "$overlay" ||
			status=1
	done
	return $status
}

check_editorconfig()
{
	over python3 selftests/lint/editorconfig-check.py <"$work/files"
}

check_versions()
{
	pick '*.[ch]' Kbuild | grep -zv '^module/compat/' |
		search 'LINUX_VERSION_CODE|KERNEL_VERSION|RHEL_RELEASE' | nothing
}

check_licence()
{
	local file want line

	while IFS= read -r -d '' file; do
		case $file in
		# Text for people, and what has no comments.
		LICENSE | VERSION | *.md | *.json) continue ;;
		debian/changelog | debian/copyright | debian/source/format | debian/*.dkms | debian/*.examples | debian/*.docs) continue ;;
		# What its generator writes on top.
		module/netlink-gen.[ch] | uapi/*)
			want='((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)' ;;
		*)	want='GPL-2.0' ;;
		esac
		line="SPDX-License-Identifier: $want"
		head -n 3 "$file" | grep -qxF -e "// $line" -e "/* $line */" -e "# $line" -e ".\\\" $line" ||
			echo "$file: no comment '$line' on top"
	done <"$work/files" | nothing
}

check_markers()
{
	# The brackets keep this line from being found.
	search '[T]ODO|[F]IXME|[X]XX|[H]ACK' -w <"$work/files" | nothing
}

# at WHERE GOT: it is to be the version.
at()
{
	[ "$2" = "$version" ] || echo "$1: '$2' is not '$version', which VERSION has"
}

# What is compiled is told VERSION by its makefile, and test 'readme' looks at that.
check_release()
{
	local version released

	version=$(cat VERSION)
	released=$(sed -n 's/^## \[\([0-9].*\)\] - .*/\1/p' CHANGELOG.md | head -n 1)
	{
		grep -qxE '[0-9]+\.[0-9]+\.[0-9]+' VERSION || echo "VERSION: '$version' is not like 1.2.3"
		at dkms.conf "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' dkms.conf)"
		at debian/changelog "$(sed -n '1s/^[^ ]* (\(.*\)) .*/\1/p' debian/changelog)"
		at CHANGELOG.md "$released"
		# Both have the same releases, in the same order.
		diff <(sed -n 's/^## \[\([0-9].*\)\] - .*/CHANGELOG.md: \1/p' CHANGELOG.md) \
			<(sed -n 's/^[^ ]* (\(.*\)) .*/CHANGELOG.md: \1/p' debian/changelog)
		# A peer is told it; the protocol's document shows an example.
		at Documentation/protocol-v1.md \
			"$(grep -ohE '"vpn [0-9]+\.[^"]*"' Documentation/protocol-v1.md | tr -d '"' | cut -d' ' -f2)"
		grep -q 'VPN_VERSION' module/main.c || echo "module/main.c: has no MODULE_VERSION of VERSION"
	} | nothing
}

check_places()
{
	local sites='((www|docs)\.)?(wireguard\.com|noiseprotocol\.org|kernel\.org|rfc-editor\.org|spdx\.org|w3\.org|yaml\.org|example\.(com|net|org))'
	local kinds='mirrors?|prox(y|ies)|registry|repos?|artifactory|nexus|snapshot|archive|deb|ftp|security|pypi|npm'
	local domains='com|net|org|io|dev|example|internal|local|lan|corp'
	local homes='home|Users|root/\.|srv|mnt|media|workspaces?|work|builds'

	{
		# Directories on the machine of a person or of a builder.
		search "(^|[^]A-Za-z0-9_.\$)}*-])/($homes)(/|\\b)" <"$work/files"
		# Servers: what may be linked to is listed; no mirror is named.
		search '\b(https?|ftp|rsync|git|ssh)://[a-z0-9]' <"$work/files" |
			grep -vE "://$sites([/ )\">:.,]|$)"
		# A label of Kubernetes is none.
		search "\\b($kinds)[a-z0-9-]*(\\.[a-z0-9-]+)*\\.($domains)\\b" <"$work/files" |
			grep -v 'pod-security\.kubernetes\.io/' || true
	} | nothing
}

# run_check NAME TEXT
run_check()
{
	local log=$work/$1.log began=$SECONDS status

	"check_$1" >"$log" 2>&1 </dev/null
	status=$?
	{
		flock 9
		if [ $status = 0 ]; then
			echo "$1" >>"$work/passed"
			echo "ok     $1: $2 ($((SECONDS - began)) s)"
		else
			echo "$1" >>"$work/failed"
			sed 's/^/       /' "$log"
			echo "not ok $1: $2 ($((SECONDS - began)) s)"
		fi
	} 9>"$work/lock"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/vpn-lint.XXXXXX")
trap 'rm -rf "$work"' EXIT

names=("$@")
for name in "${names[@]}"; do
	declare -F "check_$name" >/dev/null || {
		say "no check '$name': there are $(printf '%s\n' "${CHECKS[@]}" | cut -f 1 | paste -sd' ')"
		echo "0 passed, 1 failed"
		exit 2
	}
done

# Whatever is missing is made now, lest several checks wait for it.
if ! { "$MACHINE/host-tools" && "$MACHINE/kernel-source" && "$MACHINE/lint-root"; } >/dev/null; then
	echo "0 passed, 1 failed"
	exit 1
fi
list_sources >"$work/files"
mkdir "$work/tree"
rsync -lp --from0 --files-from="$work/files" "$TREE/" "$work/tree/"
cd "$work/tree" || exit 1
touch "$work/passed" "$work/failed"
for check in "${CHECKS[@]}"; do
	name=${check%%$'\t'*}
	[ ${#names[@]} = 0 ] || [[ " ${names[*]} " == *" $name "* ]] || continue
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n
	done
	run_check "$name" "${check##*$'\t'}" &
done
wait
echo "$(wc -l <"$work/passed") passed, $(wc -l <"$work/failed") failed"
[ ! -s "$work/failed" ] && [ -s "$work/passed" ]
