# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Points of the tests of packages: to be sourced.

LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT

# point TEXT COMMAND...: the command must succeed; its output is shown if it does not,
# and stays in $LOG.
point()
{
	local text=$1

	shift
	if "$@" >"$LOG" 2>&1 </dev/null; then
		echo "ok $text"
	else
		echo "not ok $text"
		tail -n 60 "$LOG" | sed 's/^/# /'
		return 1
	fi
}

# said TEXT PATTERN: whether the last command wrote that.
said()
{
	if grep -qE "$2" "$LOG"; then
		echo "ok $1"
	else
		echo "not ok $1"
		tail -n 60 "$LOG" | sed 's/^/# /'
	fi
}

# equal TEXT WANTED GOT
equal()
{
	if [ "$2" = "$3" ]; then
		echo "ok $1"
	else
		printf 'not ok %s\n# wanted: %s\n# got:    %s\n' "$1" "$2" "$3"
	fi
}
