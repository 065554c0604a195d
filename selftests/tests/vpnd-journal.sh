#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a daemon writes down before it changes something: killed at any moment, or with
# no room left to write, it leaves nothing that is not undone. The hosts are those of
# vpnd.sh.
# timeout: 200
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

ktap_start
must topo_gateway
keys c1

cat >"$TMP/srv.toml" <<END
[server]
virtual_network = ["10.8.0.0/24", "fd08::/64"]
[security]
private_key_path = "$TMP/srv.key"
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
[[peer]]
name = "one"
public_key = "${PUB[c1]}"
END
cp "$TMP/srv.toml" "$TMP/first.toml"
mkdir "$VPN_RUNTIME_DIR"
must mount -t tmpfs -o size=64k,mode=755 tmpfs "$VPN_RUNTIME_DIR"
on_exit()
{
	_vpnd_end
	umount -l "$VPN_RUNTIME_DIR"
}

#
# Killed before a line is written, and between the line and what it announces: at calls
# that write, or send a request to the kernel, before they are carried out.
#
CALLS=write,sendto,sendmsg
printf '[hooks]\nup = "exit 3"\n' >>"$TMP/srv.toml"
# traced STRACE-OPTION...: a start.
traced()
{
	ns gw strace -qqq -s 64 -e signal=none -e trace=$CALLS "$@" \
		vpnd "$TMP/srv.toml" </dev/null >&2
}
# moments: CALL:N, when a line is written about what stays without the device, that it
# begins to be made or to be undone, and what comes next; strace counts each call by itself.
moments()
{
	awk -F'(' '{ this = $1 ":" ++count[$1] }
		/kind.":."(device|firewall|forwarding).*value/ && !/ipv6/ { print this; next_one = 1; next }
		next_one { print this; next_one = 0 }' "$TMP/calls"
}
# shellcheck disable=SC2016 # expanded by the inner shell
nothing_left()
{
	[ ! -e "$VPN_RUNTIME_DIR/srv.journal" ] && ns gw sh -c '
		[ ! -e /proc/sys/net/ipv4/conf/vpn0 ] && [ -z "$(nft list tables)" ] &&
			[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]'
}
state gw >"$TMP/before"
traced -o /dev/null 2>/dev/null
traced -o "$TMP/calls" 2>/dev/null
kills=0 unfinished=0
for moment in $(moments); do
	traced -o /dev/null -e "inject=${moment%:*}:signal=KILL:when=${moment#*:}" 2>/dev/null
	[ $? != 137 ] || kills=$((kills + 1))
	[ ! -e "$VPN_RUNTIME_DIR/srv.journal" ] || unfinished=$((unfinished + 1))
	ns gw vpnd --undo srv 2>/dev/null
	nothing_left || break
done
note "killed $kills times, $unfinished of them with something to undo"
check "killed at many moments" [ $unfinished = 8 ]
check "each time it was all undone" nothing_left
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"

#
# Killed amid what takes several steps, in making and in undoing: settings of links, of
# which one is a router already.
#
must ns gw sysctl -qw net.ipv4.conf.eth1.forwarding=1
state gw >"$TMP/before"
for step in ipv6/conf/eth1/accept_ra:1 ipv6/conf/eth1/accept_ra:2 ipv4/conf/eth1/forwarding:1; do
	traced -o /dev/null -P "/proc/sys/net/${step%:*}" \
		-e "inject=write:signal=KILL:when=${step#*:}" 2>/dev/null
	check_equal "killed at $step" 137 $?
	ns gw vpnd --undo srv
	state gw >"$TMP/after"
	check "what is left of it is undone" diff "$TMP/before" "$TMP/after"
done

#
# No room.
#
cp "$TMP/first.toml" "$TMP/srv.toml"
fill() { ! dd if=/dev/zero of="$VPN_RUNTIME_DIR/filler" bs=1k conv=notrunc oflag=append 2>/dev/null; }
must fill
check_fail "without room it does not start" vpnd_start gw "$TMP/srv.toml"
check "and says why" grep -Eq 'cannot start.*No space left' "$TMP/log/srv.log"
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"
must rm "$VPN_RUNTIME_DIR/filler"
must vpnd_start gw "$TMP/srv.toml"
must fill
check "a stop without room" vpnctl down srv
state gw >"$TMP/after"
check "undoes all" diff "$TMP/before" "$TMP/after"
must rm "$VPN_RUNTIME_DIR/filler"
check "with room again it starts" vpnd_start gw "$TMP/srv.toml"
check "down" vpnctl down srv
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"
ktap_end
