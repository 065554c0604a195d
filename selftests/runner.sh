#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# runner.sh [NAME...]: run tests (all of tests/ without a name) on this machine,
# as root.  Prints KTAP: one result a test, and nested in it the test's own
# points, followed by those which every test must meet: it ends in time, the
# kernel's log has no warning, nothing is left behind, the module unloads.
#
# To be run in a test machine: it unloads the module and removes namespaces.

cd "$(dirname "$0")" || exit 1
RUN=$(mktemp -d /tmp/runner.XXXXXX)
trap 'rm -rf "$RUN"' EXIT

# Waiting shall not take time from what is waited for: no process for it.
exec {SILENCE}<> <(:)
nap() { read -r -t "$1" -u "$SILENCE" || true; }

KERNEL=${MACHINE_KERNEL:-$(uname -r | cut -d. -f1,2)}
KIND=${SELFTEST_KIND:-vpn}

# Those are a 7.3 that looks at every access to memory, which takes time.
PATIENCE=1 LEAKS=''
case $(uname -r) in
*-debug)	PATIENCE=4 LEAKS=/sys/kernel/debug/kmemleak ;;
*-race)		PATIENCE=4 ;;
esac

# Lines of the kernel's log that fail a test.
TROUBLE='WARNING|BUG|Oops|KASAN|UBSAN|KCSAN|lockdep|possible circular|suspicious RCU'
TROUBLE+='|refcount|leak|unregister_netdevice: waiting|soft lockup|hard LOCKUP|rcu.*stall'
TROUBLE+='|scheduling while atomic|sleeping function|Call Trace|general protection'
TROUBLE+='|blocked for more than|self test.*: failed'
# But not this one, by which a check says that it got no memory for its own notes (failures).
HARMLESS='ref_tracker: memory allocation failure, unreliable refcount tracker.'

# header TEST WORD: the value of a "# WORD: value" line in its head.
header()
{
	head -n 20 "$1" | sed -n "s/^# $2:[[:space:]]*//p" | head -n 1
}

find_test()
{
	local file

	for file in "tests/$1" "tests/$1.sh" "tests/$1.py"; do
		[ -f "$file" ] && echo "$file" && return
	done
	return 1
}

links() { ip -br link | awk '{ sub(/@.*/, "", $1); print $1 }' | sort; }
spaces() { ip netns list | awk '{ print $1 }' | sort; }

log_since()
{
	dmesg | awk -v mark="selftest: $1 begins" 'found; index($0, mark) { found = 1 }' | our_races
}

# Without the data races that the kernel has with itself: neither access is ours. A timer's
# own fields are written by these two as if nobody looked; timer_pending() does.
our_races()
{
	awk -v ours="[$KIND]" '
		/BUG: KCSAN:/ {
			report = $0
			counts = index($0, ours) && !/ (detach_if_pending|enqueue_timer) /
			next
		}
		report && /======/ { if (counts) print report; report = ""; next }
		report { report = report "\n" $0; next }
		1'
}

# A kernel that warned says so in its taint, even if the log has rolled over.
# Bits: 7 died, 9 warned, 14 soft lockup.
taint() { echo $(($(cat /proc/sys/kernel/tainted) & (1 << 7 | 1 << 9 | 1 << 14))); }

# Memory that nobody points to any more.  Only what is older than five seconds is
# looked at, and believed the second time.
leaks()
{
	nap 6
	echo scan >"$LEAKS"
	echo scan >"$LEAKS"
	cat "$LEAKS"
}

loaded() { [ -d "/sys/module/$KIND" ]; }

unload()
{
	local n

	# Namespaces and their devices end some time after they are deleted.
	for n in {1..100}; do
		loaded || return 0
		rmmod "$KIND" 2>"$RUN/rmmod" && return 0
		nap 0.1
	done
	echo "# $(cat "$RUN/rmmod")"
	return 1
}

# What all processors have worked since the machine began, in seconds.
busy()
{
	local user nice system irq softirq

	read -r _ user nice system _ _ irq softirq _ </proc/stat
	echo $(((user + nice + system + irq + softirq) / $(getconf CLK_TCK)))
}

# Reads a test's output, indents it and counts; its plan is kept back, for more
# points follow.  Results go to the file $1.
follow()
{
	local line total=0 failed=0 skipped=0 plan='' n bail=''

	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		"ok "[0-9]* | "not ok "[0-9]*)
			total=$((total + 1))
			n=${line#not }
			n=${n#ok }
			n=${n%%[!0-9]*}
			[ "$n" = "$total" ] || bail="point $total is numbered $n"
			case $line in
			*"# SKIP"*)	skipped=$((skipped + 1)) ;;
			not*)		failed=$((failed + 1)) ;;
			esac
			;;
		1..[0-9]*)
			plan=${line#1..}
			case $line in
			"1..0 # SKIP"*)	echo "${line#*# SKIP}" >"$1.skip" ;;
			esac
			plan=${plan%% *}
			continue
			;;
		"Bail out!"*)
			bail=${line#Bail out! }
			;;
		esac
		printf '    %s\n' "$line"
	done
	echo "$total $failed $skipped ${plan:-none} $bail" >"$1"
}

point()
{
	total=$((total + 1))
	if [ "$2" = 0 ]; then
		echo "    ok $total - $1"
	else
		failed=$((failed + 1))
		echo "    not ok $total - $1"
	fi
}

run_test()
{
	local name=$1 file=$2 limit status begun=$SECONDS worked took n trouble='' left=''
	local total failed skipped plan bail links spaces taint

	limit=$(header "$file" timeout)
	limit=${SELFTEST_TIMEOUT:-$((${limit:-120} * PATIENCE))}
	echo "    # Subtest: $name"
	nft flush ruleset 2>/dev/null
	links=$(links) spaces=$(spaces) taint=$(taint) worked=$(busy)
	echo "selftest: $name begins" >/dev/kmsg
	loaded || modprobe "$KIND" 2>&1 | sed 's/^/    # /'

	rm -f "$RUN"/*
	(
		timeout --kill-after=10 "$limit" "$file" </dev/null 2>&1
		echo $? >"$RUN/status"
	) | follow "$RUN/result" &
	# What sleeps in the kernel for good cannot be killed, nor waited for.
	for ((n = 0; n < (limit + 30) * 10; n++)); do
		[ -e "$RUN/result" ] && break
		nap 0.1
	done
	if [ ! -e "$RUN/result" ]; then
		echo "    # cannot be killed; what sleeps in the kernel:"
		dmesg -C
		echo w >/proc/sysrq-trigger
		dmesg | sed 's/^/    # /'
		echo "Bail out! $name is stuck in the kernel"
		exit 3
	fi
	wait
	took=$((SECONDS - begun))
	status=$(cat "$RUN/status")
	read -r total failed skipped plan bail <"$RUN/result"

	case $status in
	0)	;;
	124 | 137)
		if [ "$took" -lt "$limit" ]; then
			point "is not killed" 1
		else
			point "ends within $limit s" 1
		fi
		;;
	*)	[ "$failed" -gt 0 ] || point "ends with exit status 0, not $status" 1 ;;
	esac
	if [ -n "$bail" ]; then
		point "runs to its end: $bail" 1
	elif [ "$plan" != "$total" ] && [ "$failed" = 0 ]; then
		point "has as many points as planned ($plan, not $total)" 1
	elif [ "$total" = 0 ] && [ ! -e "$RUN/result.skip" ]; then
		point "tests something" 1
	fi

	# Devices of a deleted namespace take a moment to go.
	for n in {1..50}; do
		left=$(comm -13 <(echo "$links") <(links); comm -13 <(echo "$spaces") <(spaces))
		[ -n "$left" ] || break
		nap 0.1
	done
	point "leaves no namespace or link behind" "$([ -z "$left" ]; echo $?)"
	if [ -n "$left" ]; then
		for n in $left; do
			echo "    # left behind: $n"
			# shellcheck disable=SC2046 # a list of numbers
			kill -9 $(ip netns pids "$n" 2>/dev/null) 2>/dev/null
			ip netns del "$n" 2>/dev/null || ip link del "$n" 2>/dev/null
		done
	fi
	if loaded; then
		unload | sed 's/^/    /'
		point "module unloads" "$(loaded; echo $((! $?)))"
	fi

	if [ -n "$LEAKS" ]; then
		leaks >"$RUN/leaks"
		point "leaks no memory" "$([ ! -s "$RUN/leaks" ]; echo $?)"
		sed 's/^/    # /' "$RUN/leaks"
		echo clear >"$LEAKS"
	fi

	log_since "$name" >"$RUN/dmesg"
	grep -vF "$HARMLESS" "$RUN/dmesg" | grep -E "$TROUBLE" >"$RUN/trouble" && trouble=log
	[ "$(taint)" = "$taint" ] || trouble=taint
	point "kernel log has no warning" "$([ -z "$trouble" ]; echo $?)"
	if [ -n "$trouble" ]; then
		echo "    # by $trouble; the log since this test began:"
		sed 's/^/    # /' "$RUN/dmesg"
	fi

	echo "    1..$total"
	tests=$((tests + 1))
	took="$((SECONDS - begun)) s, $(($(busy) - worked)) s of processors"
	if [ "$failed" -gt 0 ]; then
		failures=$((failures + 1))
		echo "not ok $tests - $name # $took"
	elif [ -e "$RUN/result.skip" ]; then
		echo "ok $tests - $name # SKIP$(cat "$RUN/result.skip")"
	else
		echo "ok $tests - $name # $took"
	fi
}

if [ $# = 0 ]; then
	for file in tests/*.sh tests/*.py; do
		[ -x "$file" ] && set -- "$@" "$(basename "${file%.*}")"
	done
fi

tests=0 failures=0
echo "KTAP version 1"
for name; do
	if ! file=$(find_test "$name"); then
		echo "Bail out! no test '$name' in tests/"
		exit 1
	fi
	kernels=$(header "$file" kernels)
	if [ -n "$LEAKS" ] && [ -n "$(header "$file" machine)" ]; then
		tests=$((tests + 1))
		echo "ok $tests - $name # SKIP needs another machine than a User-mode Linux"
		continue
	fi
	if [ -n "$kernels" ] && [[ " $kernels " != *" $KERNEL "* ]]; then
		tests=$((tests + 1))
		echo "ok $tests - $name # SKIP not for kernel $KERNEL"
		continue
	fi
	run_test "$name" "$file"
done
echo "1..$tests"
[ "$tests" -gt 0 ] && [ "$failures" = 0 ]
