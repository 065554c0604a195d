#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a daemon writes down before it changes something: killed at any moment, or with
# no room left to write, it leaves nothing that is not undone. The hosts are those of
# vpnd.sh.
# timeout: 150
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
# Killed at the Nth call that writes a line, or sends a request to the kernel, before it
# is carried out; so also between a line and what it announces. A start that gets
# through fails in the end, so that it ends.
#
STEP=5
printf '[hooks]\nup = "exit 3"\n' >>"$TMP/srv.toml"
# killed_at N: true if it came to that.
killed_at()
{
	ns gw strace -qqq -o /dev/null -e trace=write,sendto,sendmsg \
		-e "inject=write,sendto,sendmsg:signal=KILL:when=$1" \
		vpnd "$TMP/srv.toml" </dev/null >&2
	[ $? = 137 ]
}
state gw >"$TMP/before"
kills=0 unfinished=0
for ((n = 4; ; n += STEP)); do
	killed_at $n 2>/dev/null || break
	kills=$((kills + 1))
	[ ! -e "$VPN_RUNTIME_DIR/srv.journal" ] || unfinished=$((unfinished + 1))
	ns gw vpnd --undo srv 2>/dev/null
	[ ! -e "$VPN_RUNTIME_DIR/srv.journal" ] || break
done
note "killed $kills times, $unfinished of them with something to undo"
check "killed at many moments" [ $unfinished -ge 10 ]
check "each time it was all undone" test ! -e "$VPN_RUNTIME_DIR/srv.journal"
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"

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
