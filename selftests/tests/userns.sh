#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A user without rights makes a user namespace and a network namespace, where he is
# an administrator: what he may there, and what not; and one to whom a device was
# given, whose sockets stay where it was made.
#
#	his [vpn0, of his own; vpn1, which h1 gave him]
#	h1 [eth0 10.0.0.1; the sockets of vpn1] ---- [eth0 10.0.0.2] h2
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

NOBODY=65534
PEERS=1000
# A peer has a key, a handshake, five timers: no less than that many octets.
PEER_OCTETS=1024
DEVICES=16
# A device has room for a batch of 64 messages on each processor.
CPU_OCTETS=3072

ktap_start
must topo_two

# his COMMAND...: as that user, who is root to himself.
his() { nsenter --target "$his" --user --net -- "$@"; }

background setpriv --reuid $NOBODY --regid $NOBODY --clear-groups \
	unshare --user --map-root-user --net sleep infinity
his=$!
in_namespace() { [ "$(readlink "/proc/$his/ns/$1")" != "$(readlink "/proc/$$/ns/$1")" ]; }
must wait_until 10 in_namespace net

#
# In a network of his own.
#
check "he can make a device" his ip link add vpn0 type vpn
# shellcheck disable=SC2016 # he is to expand it
check "and give it a key" his sh -c 'umask 077; vpnctl genkey >"$0"; vpnctl set vpn0 private-key "$0"; rm "$0"' \
	"/tmp/$TEST_NAME.$$"
check "and a port, also one for servers" his vpnctl set vpn0 listen-port 53
check "and bring it up" his ip link set vpn0 up
check_equal "the port is his" "" "$(ns h1 ss -Hlun; ss -Hlun 'sport = :53')"
check_fail "another namespace can't have his device's sockets" \
	his ip link add vpn9 link-netns "$(netns h1)" type vpn

# What he makes the kernel remember is counted as his.
peers()
{
	python3 - "$PEERS" <<-'END'
		import base64, os, sys
		for n in range(int(sys.argv[1])):
		    print("[Peer]\nPublicKey =", base64.b64encode(os.urandom(32)).decode())
		    print(f"AllowedIPs = 10.1.{n >> 8}.{n & 255}/32")
	END
}
group=/sys/fs/cgroup/$TEST_NAME.$$
on_exit()
{
	local pid

	while read -r pid; do
		echo "$pid" >/sys/fs/cgroup/cgroup.procs
	done 2>/dev/null <"$group/cgroup.procs"
	rmdir "$group"
}
# his_counted COMMAND...: the same, as a member of that group.
# shellcheck disable=SC2016 # the shell is to expand them
his_counted() { sh -c 'echo $$ >"$0/cgroup.procs"; exec nsenter --target "$@"' "$group" "$his" --user --net -- "$@"; }
counted() { sed -n "s/^$1 //p" "$group/memory.stat"; }
if grep -qw memory /sys/fs/cgroup/cgroup.controllers &&
   echo +memory >/sys/fs/cgroup/cgroup.subtree_control && mkdir "$group"; then
	peers >"$TMP/peers"
	must his_counted vpnctl addconf vpn0 /dev/stdin <"$TMP/peers"
	note "$PEERS peers: $(counted slab) octets"
	[ "$(counted slab)" -ge $((PEERS * PEER_OCTETS)) ]
	ok "the memory of peers counts as that of who adds them" $?
	for ((n = 0; n < DEVICES; n++)); do
		echo "link add name many$n type vpn"
	done >"$TMP/links"
	must his_counted ip -batch /dev/stdin <"$TMP/links"
	note "$DEVICES devices: $(counted percpu) octets for all processors"
	[ "$(counted percpu)" -ge $((DEVICES * $(nproc) * CPU_OCTETS)) ]
	ok "and that of devices, for each processor" $?
else
	skip "the memory of peers counts as that of who adds them" "no control group counts memory"
	skip "and that of devices, for each processor" "no control group counts memory"
fi
check "he removes it" his ip link del vpn0

#
# With a device that was given to him.
#
run ns h1 ip link add vpn1 type vpn
run tool h1 set vpn1 listen-port 10001
run ns h1 ip link set vpn1 netns "$his"
check "a device given to him: he can read it" his vpnctl show vpn1
check "and add a peer" his vpnctl set vpn1 peer "$(vpnctl genkey | vpnctl pubkey)" \
	endpoint 10.0.0.2:1002
check "and bring it up" his ip link set vpn1 up
check_says "a port of the namespace where it was made is not his" \
	"namespace that the device comes from" his vpnctl set vpn1 listen-port 5353
check_says "nor is a mark of packets there" "namespace that the device comes from" \
	his vpnctl set vpn1 fwmark 1
check_says "nor with something else that he may" "namespace that the device comes from" \
	his vpnctl set vpn1 fwmark 1 peer "$(vpnctl genkey | vpnctl pubkey)"
check_equal "of which nothing was done" 1 "$(his vpnctl show vpn1 peers | wc -l)"
check_equal "the port is what it was" 10001 "$(his vpnctl show vpn1 listen-port)"
run nsenter --target "$his" --net -- ip link set vpn1 netns "$(netns h1)"
check "who made it may" tool h1 set vpn1 listen-port 10002 fwmark 1

ktap_end
