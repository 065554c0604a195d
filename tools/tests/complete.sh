# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Completion: what run.sh reads.  That whatever the tool takes is also offered is
# read from its sources, where each table has what it takes.

# offered WORD...: what the last of them may become, in a line.
offered() { "$VPNCTL" complete -- "$@" | paste -sd' '; }

# all_offered TEXT WORDS WORD...: each of WORDS is offered after the others.
all_offered()
{
	local text=$1 words=$2

	shift 2
	equal "$text" "" "$(comm -23 <(sort -u <<<"$words") <("$VPNCTL" complete -- "$@" | sort -u))"
	[ -n "$words" ]
	result "$text: there are some" $?
}

# strings [FILE]: the first string of each entry of a table.
strings() { grep -ohE '\{ (\.name = )?"[^"]+"' "$@" | sed 's/.*"\(.*\)"/\1/'; }

equal "complete: a beginning" "show showconf" "$(offered sh)"
equal "complete: a word behind another" "all" "$(offered show a)"
equal "complete: what can't be known" "" "$(offered set vpn0 listen-port '')"
equal "complete: values" "chacha20-poly1305 aes-256-gcm any" "$(offered set vpn0 peer KEY cipher '')"
equal "complete: settings of peers need one" "" "$(offered set vpn0 allowed)"
equal "complete: and follow it" "allowed-ips" "$(offered set vpn0 peer KEY allowed)"
equal "complete: those of the device don't" "" "$(offered set vpn0 peer KEY listen)"
equal "complete: a file" "FILE" "$(offered setconf vpn0 '')"
equal "complete: one file after another" "FILE" "$(offered check a.toml b)"
equal "complete: a folder" "FOLDER" "$(offered pki list --dir '')"
equal "complete: an alternative to an option" "--for" "$(offered pki issue laptop --f)"
equal "complete: behind -j" "show showconf" "$(offered -j sh)"
equal "complete: nothing behind what is no command" "" "$(offered shw '')"
says "complete: without --" 2 "'--' and at least one word are needed" complete sh

SOURCES=$HERE/../vpnctl
all_offered "complete: every command" "$(sed -n '/^const struct command commands/,/^}/p' "$SOURCES/main.c" | strings)" ''
all_offered "complete: every setting" "$(sed -n '/^.*struct setting .*\[\] = {/,/^}/p' "$SOURCES/settings.c" | strings |
	grep -vxF "$("$VPNCTL" complete -- set vpn0 '')")" set vpn0 peer KEY ''
all_offered "complete: every field" "$(sed -n '/= {$/,/^}/p' "$SOURCES/show.c" | strings | grep -vx 'all\|interfaces')" show vpn0 ''
for command in pool lease pki token; do
	all_offered "complete: every verb of $command" \
		"$(sed -n '/struct verb .*\[\] = {/,/^	*}/p' "$SOURCES/$command.c" | strings)" $command ''
done
# Options are in tables of the function that takes them.
for command in pki token profile setup; do
	equal "complete: every option of $command is in its usage" "" \
		"$(strings "$SOURCES/$command.c" | grep '^--' | sort -u |
			comm -23 - <("$VPNCTL" help $command | grep -oE -- '--[a-z-]+' | sort -u))"
done

# bash, without the package of that name: words are where it puts them.
bash_completes()
{
	bash -c '. "$1"; COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2)); _vpnctl "$2" "${!#}"
		echo "${COMPREPLY[@]}"' sh "$HERE/../completions/vpnctl.bash" "$VPNCTL" "$@" 2>/dev/null
}
equal "bash completes a command" "pool" "$(bash_completes po)"
equal "bash completes an option" "--role" "$(bash_completes pki issue laptop --ro)"
mkdir -p completed && touch completed/one.conf
equal "bash completes the name of a file" "completed/one.conf" "$(bash_completes setconf vpn0 completed/o)"
if [ -n "$VPND" ]; then
	equal "bash completes options of vpnd" "--check --daemon --undo --reference --help --version" \
		"$(bash -c '. "$1"; _vpnd "$2" --; echo "${COMPREPLY[@]}"' sh "$HERE/../completions/vpnctl.bash" "$VPND")"
fi
