#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Leases on a disk that is full or can't be written, and a clock that is set: what was
# promised stays promised. One host, without anybody to talk to.
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

ktap_start
must ns_add gw
mkdir "$VPN_STATE_DIR"
must mount -t tmpfs -o size=160k,mode=700 tmpfs "$VPN_STATE_DIR"
on_exit()
{
	_vpnd_end
	umount -l "$VPN_STATE_DIR"
	[ -z "${ahead:-}" ] || date -s "@$(($(date +%s) - ahead))"
}
cat >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/16"
[security]
private_key_path = "$TMP/srv.key"
[logging]
output = "$TMP/srv.log"
[metrics]
listen_address = ""
END

# promise FROM TO: leases of 10.8.1.FROM to 10.8.1.TO, for a day.
tomorrow=$(date -u -d "+1 day" +%Y-%m-%dT%H:%M:%SZ)
promise()
{
	local n

	for ((n = $1; n <= $2; n++)); do
		printf '10.8.1.%d/16 %042dA= %s\n' "$n" "$n" "$tomorrow"
	done >"$TMP/promised"
	run tool gw lease restore vpn0 "$TMP/promised"
}
leases() { tool gw lease dump vpn0 | grep -c "^10\.8\.1\."; }
saved() { [ "$(sqlite3 "$VPN_STATE_DIR/srv.leases" "SELECT count(*) FROM lease")" = "$1" ]; }
fill() { ! dd if=/dev/zero of="$VPN_STATE_DIR/filler" bs=1k conv=notrunc oflag=append 2>/dev/null; }
has_leases() { check_equal "$1" "$2" "$(leases)"; }

state gw >"$TMP/before"
must vpnd_start gw "$TMP/srv.toml"

#
# Full
#
must promise 1 20
check "leases are saved" wait_until 10 saved 20
must fill
must promise 21 220
check "without room that is said" wait_until 10 grep -q "leases cannot be saved.*full" "$TMP/srv.log"
check "killed" vpnd_kill srv
check "starts without room" vpnd_start gw "$TMP/srv.toml"
has_leases "no lease is lost" 220
rm "$VPN_STATE_DIR/filler"
check "with room again all are saved" wait_until 25 saved 220
check "killed" vpnd_kill srv
must promise 221 225
check "what was promised is saved by who undoes it" ns gw vpnd --undo srv
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"
must fill
check_fail "without room for more than there is it does not start" vpnd_start gw "$TMP/srv.toml"
state gw >"$TMP/after"
check "and leaves the host as it was" diff "$TMP/before" "$TMP/after"
rm "$VPN_STATE_DIR/filler"
must vpnd_start gw "$TMP/srv.toml"
has_leases "all are there again" 225

#
# Cannot be written
#
# What the kernel answers when a file system with open files has become read-only by a
# fault, and no administrator can have: mount refuses that.
background strace -qq -p "$(vpnd_pid srv)" -o "$TMP/refused" -e trace=pwrite64 \
	-e inject=pwrite64:error=EROFS
tracer=$!
must wait_until 10 grep -q "TracerPid:.[^0]" "/proc/$(vpnd_pid srv)/status"
must promise 226 228
check "read-only while it runs, that is said" wait_until 10 \
	grep -q "leases cannot be saved.*disk I/O" "$TMP/srv.log"
check "nothing was written" saved 225
kill -INT "$tracer"
check "where it can be written again, all are saved" wait_until 25 saved 228
check "killed" vpnd_kill srv
must promise 229 230
must mount -o remount,ro "$VPN_STATE_DIR"
index() { ns gw ip -o link show vpn0 | cut -d: -f1; }
index=$(index)
if vpnd_start gw "$TMP/srv.toml"; then
	pass "starts where nothing can be written"
	vpnd_kill srv
else
	check "where nothing can be written it says so" grep -q "cannot start.*leases" "$TMP/srv.log"
fi
check_equal "the device stays, with what only it has" "$index 230" \
	"$(index) $(leases)"
must mount -o remount,rw "$VPN_STATE_DIR"
must vpnd_start gw "$TMP/srv.toml"
has_leases "then it goes on" 230
check "down" vpnctl down srv
must mount -o remount,ro "$VPN_STATE_DIR"
check_fail "without a device it does not start there" vpnd_start gw "$TMP/srv.toml"
state gw >"$TMP/after"
check "and leaves the host as it was" diff "$TMP/before" "$TMP/after"
must mount -o remount,rw "$VPN_STATE_DIR"

#
# A file that is none
#
cp "$VPN_STATE_DIR/srv.leases" "$TMP/good"
must dd if=/dev/zero of="$VPN_STATE_DIR/srv.leases" bs=1k seek=4 count=8 conv=notrunc status=none
check_fail "damaged, it is not taken for an empty one" vpnd_start gw "$TMP/srv.toml"
check "which is said" grep -Eq "cannot start.*leases .*(cannot be read|cannot be used)" "$TMP/srv.log"
state gw >"$TMP/after"
check "and leaves the host as it was" diff "$TMP/before" "$TMP/after"
cp "$TMP/good" "$VPN_STATE_DIR/srv.leases"

#
# The clock
#
# set_clock DAYS: ahead of what it was at first.
set_clock()
{
	run date -s "@$(($(date +%s) - ${ahead:-0} + $1 * 86400))" >&2
	ahead=$(($1 * 86400))
}
seen() { [ "$(grep -c "the clock was set" "$TMP/srv.log")" = "$1" ]; }
hours() { echo $((($(date -d "$(tool gw lease dump vpn0 | awk '/^10\.8\.1\.7\// { print $3 }')" +%s) - $(date +%s) + 1800) / 3600)); }
must vpnd_start gw "$TMP/srv.toml"
has_leases "leases of a day" 230
set_clock 40
check "the clock goes forwards" wait_until 10 seen 1
has_leases "and nobody loses a lease" 230
check "killed" vpnd_kill srv
check "what it left is undone" ns gw vpnd --undo srv
must vpnd_start gw "$TMP/srv.toml"
has_leases "leases outlive that, too" 230
check_equal "and last as long as they did" 24 "$(hours)"
set_clock 0
check "the clock goes back" wait_until 10 seen 2
check "down" vpnctl down srv
must vpnd_start gw "$TMP/srv.toml"
check_equal "they last no longer for it" "24 230" "$(hours) $(leases)"
check "down" vpnctl down srv
state gw >"$TMP/after"
check "the host is as it was" diff "$TMP/before" "$TMP/after"
ktap_end
