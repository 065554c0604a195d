#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A server by one command, with systemd, and back: without questions and with them, a
# second time, cut off at any moment, and where it cannot be. The hosts are those of
# vpnd.sh; gw is to be the server.
# timeout: 600
# kernels: 6.1 7.3
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"
# shellcheck source=../systemd.sh
. "$(dirname "$0")/../systemd.sh"

on_exit()
{
	_vpnd_end
	systemd_end
}

# files: what setup may change of them.
files()
{
	(cd "$TMP" && find etc/vpn* etc/systemd var/lib/vpn* var/log/vpn* -printf '%p %y %m %s %l\n' \
		2>/dev/null | sort)
}
all() { state gw; files; inside systemctl is-enabled vpn@server; inside systemctl is-active vpn@server; }
same() { all >"$TMP/after" 2>&1; diff "$TMP/before" "$TMP/after"; }
# said COMMAND...: with what it says in a file.
said() { "$@" >"$TMP/said"; }
setup() { inside env -u VPN_STATE_DIR -u VPN_RUNTIME_DIR vpnctl setup "$@" </dev/null; }

ktap_start
must topo_gateway
must systemd_start gw
must rmdir "$TMP/etc/vpn"
cat >"$TMP/rules" <<-END
	flush ruleset
	table inet host {
		chain input {
			type filter hook input priority filter; policy drop;
			ct state established,related accept
			iif lo accept
			tcp dport 22 accept
			meta l4proto icmp accept
		}
		chain forward {
			type filter hook forward priority filter; policy accept;
			ct state established,related accept
			iifname eth9 accept
			reject
		}
	}
END
must ns gw nft -f "$TMP/rules"
before=$(ns gw nft list table inet host)
# The port, and what clients send on; answers are let through by his own rule.
opened() { [ "$(ns gw nft list table inet host | grep -c 'accept comment "vpn_vpn0"')" = 2 ]; }
all >"$TMP/before" 2>&1

#
# What cannot be
#
check_says "without a terminal" "there is no terminal.*'--yes'" setup
check_says "a host that is none" "^vpnctl: --host 'a b' is neither" setup --yes --host "a b"
check_says "a port that is none" "^vpnctl: --port '0' is not a port" setup --yes --port 0
check_says "a network that is somebody's" "10.0.3.0/25 is not free: this host has a route to 10.0.3.0/24" \
	setup --yes --network 10.0.3.0/25
check_says "an undo with answers" "'--undo' takes '--purge'" setup --undo --port 1
check "nothing has changed" same

#
# One command here, one there
#
check "setup" said setup --yes
cat "$TMP/said" >&2
check "the unit runs" inside systemctl is-active vpn@server
check "and will after a boot" inside systemctl is-enabled vpn@server
profile=$(sed -n 's/^  (umask 077; \(vpnctl profile .*\) >laptop.toml)$/\1/p' "$TMP/said")
check_equal "it says how a client is made" "vpnctl profile laptop --server 10.0.3.1:51820" "$profile"
# shellcheck disable=SC2086 # a list of words
inside $profile >"$TMP/laptop.toml"
check "a client starts with that" ns c1 vpnctl up "$TMP/laptop.toml"
check "reaches the server" arrives c1 10.8.0.1
check_equal "and the internet, as the server" 10.0.3.1 "$(seen_as c1)"
qr=$(sed -n 's/^  \(vpnctl profile .*--qr\)$/\1/p' "$TMP/said")
# shellcheck disable=SC2086 # a list of words
check "there is a QR code of another one" inside $qr

#
# Rules of the administrator
#
rules() { ns gw nft list table inet host | grep -v 'comment "vpn_vpn0"'; }
check "there are two rules more" opened
check_equal "rules of others stay" "$before" "$(rules)"
must ns gw nft -f "$TMP/rules"
check "made anew, they let the server through again" wait_until 30 opened

check "again" said setup --yes
check_fail "it makes nothing" grep '^+' "$TMP/said"
check "the client is still connected" reach c1 198.51.100.1
check_says "not with other answers" "--port '4444': this host has been set up with '51820'" \
	setup --yes --port 4444
run ns c1 vpnctl down laptop

check "undo" said setup --undo
cat "$TMP/said" >&2
kept=$(sed -n 's/^kept: \([^;]*\);.*/\1/p' "$TMP/said")
check "the CA and the keys are kept" inside test -s "$kept/pki/ca.key" -a -s "$kept/server.key"
run rm -r "$TMP/$kept"
check "without them nothing is left" rmdir "$TMP/etc/vpn"
check "and all is as it was" same
check "undo again" setup --undo

#
# Failures, late and early
#
must ln -s /dev/null "$TMP/etc/systemd/system/vpn@server.service"
inside systemctl daemon-reload
all >"$TMP/before" 2>&1
check_says "a unit that must not be" "'systemctl enable vpn@server' has failed: .*masked" setup --yes
check "leaves the host as it was" same
rm "$TMP/etc/systemd/system/vpn@server.service"
inside systemctl daemon-reload
mkdir "$TMP/etc/vpn"
echo nonsense >"$TMP/etc/vpn/server.key"
all >"$TMP/before" 2>&1
check_says "a key that is none" "'/etc/vpn/server.key' does not hold a key" setup --yes
check "leaves the host as it was" same
rm "$TMP/etc/vpn/server.key"
echo '[server]' >"$TMP/etc/vpn/server.toml"
all >"$TMP/before" 2>&1
check_says "a file that is there" "'/etc/vpn/server.toml' is there already" setup --yes
check "stays as it is" same
rm -r "$TMP/etc/vpn"

#
# Cut off: when a line of the record is on disk, and nothing of what it announces
#
all >"$TMP/before" 2>&1
files >"$TMP/none"
cut_off()
{
	inside env -u VPN_STATE_DIR -u VPN_RUNTIME_DIR strace -qqq -o /dev/null -e signal=none \
		-P /var/lib/vpn/setup.record -e trace=fsync -e "inject=fsync:signal=KILL:when=$1" \
		vpnctl setup --yes >&2
	[ $? = 137 ]
}
undone() { setup --undo --purge >&2 && files | diff "$TMP/none" - >&2; }
# A folder, the file, the unit that is to be started; on Debian 13 the CA, the unit
# that is to be enabled, and when all is done.
moments="2 8 11"
case $(uname -r) in
7.*)	moments="4 10 12" ;;
esac
for moment in $moments; do
	check "cut off at line $moment" cut_off "$moment"
	check "it is all undone" undone
done
check "cut off once more" cut_off 6
check "it goes on with its answers" said setup --yes --host 10.0.3.1
check "and runs" inside systemctl is-active vpn@server
check "undo all" setup --undo --purge
check "as it was" same

#
# Questions; and what somebody has changed since
#
# answers [LINE...]: at a terminal.
answers() { { [ $# = 0 ] || printf '%s\n' "$@"; } | inside env -u VPN_STATE_DIR -u VPN_RUNTIME_DIR script -qec "vpnctl setup" /dev/null; }
check "with questions" said answers 'not a host' vpn.example.com 4444 10.77.0.0/24
cat "$TMP/said" >&2
check "what was no answer is asked for again" [ "$(grep -c '^Name or address.*\[10.0.3.1\]:' "$TMP/said")" = 2 ]
check "the answers hold" grep -q 'vpnctl profile laptop --server vpn.example.com:4444' "$TMP/said"
check "the device has them" inside sh -c 'ip addr show vpn0 | grep "inet 10.77.0.1/24" && vpnctl show vpn0 listen-port | grep 4444'
echo '# mine' >>"$TMP/etc/vpn/server.toml"
check "undo" setup --undo --purge
check "keeps what was changed" grep -q '# mine' "$TMP"/etc/vpn/kept-*/server.toml
check "and nothing else" [ "$(find "$TMP"/etc/vpn/kept-* -type f | wc -l)" = 1 ]
rm -r "$TMP/etc/vpn"
check "as it was" same
check_fail "without answers" answers
check "nothing is done" same
ktap_end
