# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Does what a document tells its reader to do, in its order.  Read after lib.sh,
# probes.sh and vpnd.sh.  What follows the language of a fenced block says where:
#
#	```sh server				these commands, as root there, each of which succeeds
#	```sh client fails			of which the last one fails
#	```sh - 				not here: only with a command of NOT_HERE
#	```toml server /etc/vpn/server.toml	this file, there
#	```toml server edit FILE		these keys in it; sections that it lacks are added
#	```text output				lines of what the last commands printed; "..." is anything
#	<!-- test: COMMAND -->			this command, of the test's
#
# Other fenced blocks have no language and are not looked at.  The hosts are those of
# vpnd.sh, under the names in HOST_OF, each with an /etc, a /root, a /run and so on of
# its own.  There is no systemd in them: a systemctl of ours does what vpn@.service
# says, and vpnd-systemd.sh has a real one.  Nor is there ssh: scp copies.

DOCUMENTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/../Documentation" && pwd)
declare -A HOST_OF=([server]=gw [client]=c1 [phone]=c2 [branch]=c2)
declare -A HOLDER
# Commands that a block may have which is not run, and why it can't be.
NOT_HERE=(
	"apt"			"no network"
	"journalctl"		"no journal"
	"mokutil"		"no firmware"
	"reboot"		"ends the test"
)

# host_add NAME...: what a host has of its own; below $TMP/NAME are its folders.
host_add()
{
	local name

	_stand_ins
	for name; do
		mkdir -p "$TMP/$name"/{root,etc,lib,log,run,bin} &&
			cp -a /etc/. "$TMP/$name/etc" &&
			rm -rf "$TMP/$name/etc/resolv.conf" "$TMP/$name/etc/vpn" &&
			echo "nameserver 198.51.100.1" >"$TMP/$name/etc/resolv.conf" &&
			echo "10.0.3.1 vpn.example.com" >>"$TMP/$name/etc/hosts" &&
			mkdir "$TMP/$name/lib/vpn" "$TMP/$name/log/vpn" || return
		# shellcheck disable=SC2016 # expanded by the inner shell
		nsenter --net="/run/netns/$(netns "${HOST_OF[$name]}")" -- \
			unshare --mount --propagation private sh -c '
				mount --bind "$0/etc" /etc && mount --bind "$0/lib" /var/lib &&
				mount --bind "$0/log" /var/log && mount --bind "$0/root" /root &&
				mount --bind "$0/run" /run &&
				mount --bind "$0/../bin/systemctl" /usr/bin/systemctl && : >"$0/ready" &&
				exec sleep infinity' "$TMP/$name" </dev/null >&2 &
		HOLDER[$name]=$!
		wait_until 60 test -e "$TMP/$name/ready" || return
	done
}

# server_host: what "vpnctl setup" looks for there. Its name server is that of its LAN.
server_host()
{
	mkdir -p "$TMP/server/run/systemd/system" &&
		echo "nameserver 192.168.7.2" >"$TMP/server/etc/resolv.conf" && name_server
}

# name_server: lan has one that knows a name, instead of what topo_gateway put there.
name_server()
{
	# shellcheck disable=SC2046 # a list of numbers
	kill $(ip netns pids "$(netns lan)")
	background ns lan "$(dirname "$DOCUMENTS")/selftests/names.py" 192.168.7.2 intranet.example.com=192.168.7.2
	wait_until 60 listening lan udp 53
}

# on NAME COMMAND...: as root there, in the home directory.
on()
{
	local name=$1

	shift
	nsenter -t "${HOLDER[$name]}" -m -n -- env -u VPN_RUNTIME_DIR -u VPN_STATE_DIR -C /root \
		HOME=/root PATH="$TMP/$name/bin:$TMP/bin:$PATH" "$@"
}

# Programs in front of those of the machine.
_stand_ins()
{
	mkdir "$TMP/bin"
	cat >"$TMP/bin/scp" <<-END
		#!/bin/bash
		# scp FROM TO, one of which is root@vpn.example.com:[FILE]
		place()
		{
			case \$1 in
			root@vpn.example.com:/*)	echo "$TMP/server\${1#*:}" ;;
			root@vpn.example.com:*)	echo "$TMP/server/root/\${1#*:}" ;;
			*)			echo "\$1" ;;
			esac
		}
		cp "\$(place "\$1")" "\$(place "\$2")"
	END
	cat >"$TMP/bin/systemctl" <<-'END'
		#!/bin/bash
		# systemctl VERB [OPTION...] vpn@NAME
		verb=$1 unit=${!#} name=${!#}
		name=${name#vpn@}
		runs() { kill -0 "$(cat "/run/vpn/$name.lock" 2>/dev/null)" 2>/dev/null; }
		start()
		{
			runs || vpnd --daemon "/etc/vpn/$name.toml" >"/run/$name.said" 2>&1 || {
				cat "/run/$name.said" >&2
				return 1
			}
		}
		stop() { ! runs || vpnctl down "$name"; }
		enabled=/run/$name.enabled
		[[ $unit = vpn@* ]] || { echo "systemctl: no unit $unit" >&2; exit 1; }
		case $verb in
		cat | reset-failed) ;;
		is-enabled)	[ -e "$enabled" ] ;;
		is-active)	runs ;;
		enable)		: >"$enabled"; [ "$2" != --now ] || start ;;
		disable)	rm -f "$enabled"; [ "$2" != --now ] || stop ;;
		start | stop)	"$verb" ;;
		restart)	vpnctl down --keep "$name" && start ;;
		reload)		vpnctl reload "$name" ;;
		kill)		kill -"$4" "$(cat "/run/vpn/$name.lock")" ;;
		*)		echo "systemctl: $*?" >&2; exit 1 ;;
		esac
	END
	chmod +x "$TMP"/bin/*
}

# _blocks FILE: its blocks and tests, into files of $TMP/blocks named by their line;
# the first line is what the fence says.
_blocks()
{
	rm -rf "$TMP/blocks"
	mkdir "$TMP/blocks"
	awk -v folder="$TMP/blocks" '
		/^```/ && !inside {
			inside = 1
			out = sprintf("%s/%04d", folder, NR)
			print substr($0, 4) >out
			next
		}
		/^```/		{ inside = 0; close(out); next }
		inside		{ print >out; next }
		/^<!-- test: .* -->$/ {
			out = sprintf("%s/%04d", folder, NR)
			print "test" >out
			print substr($0, 12, length($0) - 15) >out
			close(out)
		}' "$1"
}

# _edit FILE: put the sections and keys of standard input into it.
_edit()
{
	awk '
		function key(line) { sub(/ *=.*/, "", line); return line }
		NR == FNR && /^\[\[/	{ more = more $0 "\n"; here = "-"; next }
		NR == FNR && /^\[/	{ here = $0; order[++sections] = here; next }
		NR == FNR && here == "-" { more = more $0 "\n"; next }
		NR == FNR		{ lines[here] = lines[here] $0 "\n"; has[here, key($0)] = 1; next }
		/^\[/			{ here = $0; print; printf "%s", lines[here]; seen[here] = 1; next }
		!((here, key($0)) in has)
		END {
			for (n = 1; n <= sections; n++)
				if (!(order[n] in seen))
					printf "%s\n%s", order[n], lines[order[n]]
			printf "%s", more
		}' - "$1" >"$1.new" && cat "$1.new" >"$1" && rm "$1.new"
}

# _place BLOCK HOST [edit] FILE: NAME_KEY becomes the public key in that host's
# client.pub.
_place()
{
	local path=${*: -1} name

	path=$TMP/$2/${path#/}
	tail -n +2 "$1" >"$TMP/placed"
	name=$(grep -om 1 '"[A-Z]*_KEY"' "$TMP/placed" | tr -d '"')
	if [ -n "$name" ]; then
		sed -i "s,\"$name\",\"$(cat "$TMP/$(tr '[:upper:]' '[:lower:]' <<<"${name%_KEY}")/etc/vpn/client.pub")\"," "$TMP/placed"
	fi
	sed "s,^,[$2 ${*: -1}] ," "$TMP/placed" >&2
	case $3 in
	edit)	_edit "$path" <"$TMP/placed" ;;
	*)	cat "$TMP/placed" >"$path" ;;
	esac
}

# _printed BLOCK: each of its lines is one of what was printed.
_printed()
{
	local line pattern

	while read -r line; do
		pattern=$(sed 's/[][\.*^$+?(){}|]/\\&/g; s/\\\.\\\.\\\./.*/g; s/  */ +/g' <<<"$line")
		grep -Eqe "^ *$pattern *$" "$TMP/printed" || { echo "nothing like: $line" >&2; return 1; }
	done < <(tail -n +2 "$1" | grep .)
}

# _not_here BLOCK: it has but commands that can't be run here.
_not_here()
{
	local line word n

	while read -r line; do
		word=${line#sudo }
		word=${word%% *}
		for ((n = 0; n < ${#NOT_HERE[@]}; n += 2)); do
			[ "$word" != "${NOT_HERE[n]}" ] || continue 2
		done
		echo "'$word' is not among what can't be run here" >&2
		return 1
	done < <(tail -n +2 "$1" | sed -e ':more' -e '/\\$/ { N; s/\\\n//; b more' -e '}' | grep -v '^ *#' | grep .)
}

# _commands BLOCK HOST
_commands()
{
	tail -n +2 "$1" | sed "s/^/+ [$2] /" >&2
	: >"$TMP/printed"
	on "$2" bash -euo pipefail <(tail -n +2 "$1") </dev/null >>"$TMP/printed" 2>&1
	set -- $?
	cat "$TMP/printed" >&2
	return "$1"
}

# follow FILE: do what it says; a point for each block.
follow()
{
	local file=$DOCUMENTS/$1 block where words

	_blocks "$file"
	for block in "$TMP"/blocks/*; do
		where="$1:$((10#${block##*/}))"
		read -ra words <"$block"
		case "${words[0]:-}" in
		sh)
			if [ "${words[1]:-}" = - ]; then
				check "$where: can't be run here, and says so" _not_here "$block"
			elif [ "${words[2]:-}" = fails ]; then
				check_fail "$where: this fails on the ${words[1]}" \
					_commands "$block" "${words[1]}"
			else
				check "$where: these commands succeed on the ${words[1]}" \
					_commands "$block" "${words[1]}"
			fi ;;
		toml | ini)	must _place "$block" "${words[@]:1}" >&2 ;;
		text)		check "$where: this is printed" _printed "$block" || true ;;
		test)		check "$where: and so it is" eval "$(tail -n 1 "$block")" || true ;;
		'')		;;
		*)		fail "$where: '${words[*]}' says not where this is" ;;
		esac || { note "the rest of $1 is not looked at"; return 1; }
	done
}
