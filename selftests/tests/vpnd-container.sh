#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The daemon as in the image of deploy/docker: a user that is not root, CAP_NET_ADMIN by
# the program's file and nothing else to be had, a root file system and a /proc/sys that
# cannot be written, own namespaces. The kernel loads the module by itself. What is
# missing is said.
#
#	c0 [eth0 10.0.1.2] ---- [eth0 10.0.1.1] g0
# timeout: 240
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

modprobe=$(cat /proc/sys/kernel/modprobe)
[ -e /vpn/.machine/settings ] || skip_all "not in a test machine, whose /etc may be written"
[ ! -e /etc/vpn ] || skip_all "there is an /etc/vpn"
on_exit()
{
	rm -rf /etc/vpn
	echo "$modprobe" >/proc/sys/kernel/modprobe
	rmdir /run/vpn /var/lib/vpn 2>/dev/null
	modprobe vpn
}

USER_ID=65532
# contain HOST CAPABILITIES COMMAND...: there, with at most these. What the image has at
# /usr/sbin/vpnd is a copy with the capability.
contain()
{
	local host=$1

	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	ns "$host" unshare --mount --uts --ipc --pid --fork --kill-child --propagation private sh -euc '
		unset VPN_RUNTIME_DIR VPN_STATE_DIR
		root=$1 id=$2 caps=$3
		shift 3
		mount --bind / "$root"
		mount --bind "$root/../vpnd" "$root/usr/sbin/vpnd"
		mount --bind "$root/../etc" "$root/etc/vpn"
		mount -o remount,bind,ro "$root"
		mount -t proc proc "$root/proc"
		mount --bind "$root/proc/sys" "$root/proc/sys"
		mount -o remount,bind,ro "$root/proc/sys"
		mount -t tmpfs -o "mode=0700,uid=$id,gid=$id" tmpfs "$root/run"
		mount -t tmpfs -o "mode=0700,uid=$id,gid=$id" tmpfs "$root/var/lib/vpn"
		exec chroot "$root" setpriv --reuid "$id" --regid "$id" --clear-groups \
			--inh-caps -all --bounding-set "-all$caps" "$@"
		' sh "$TMP/root" "$USER_ID" "$@"
}
# status FIELD: of the daemon.
status() { awk -v field="$1:" '$1 == field { print $2 }' "/proc/$(pgrep -o -f '^vpnd /etc/vpn')/status"; }
has_vpn0() { ns g0 ip -br link show vpn0 >/dev/null 2>&1; }

ktap_start
must ns_add g0 g1 c0 c1
must veth g0 eth0 c0 eth0
must address g0 eth0 10.0.1.1/24
must address c0 eth0 10.0.1.2/24
keys c0
mkdir "$TMP/root" "$TMP/etc"
mkdir -p /etc/vpn /run/vpn /var/lib/vpn
cat >"$TMP/etc/server.toml" <<-END
	[server]
	virtual_network = ["10.8.0.0/24", "fd08::/64"]
	[security]
	private_key_path = "/etc/vpn/server.key"
	[metrics]
	listen_address = ""
	[[peer]]
	name = "c0"
	public_key = "${PUB[c0]}"
	address = ["10.8.0.2", "fd08::2"]
END
cat >"$TMP/etc/client.toml" <<-END
	[client]
	server_address = "10.0.1.1:51820"
	server_public_key_path = "/etc/vpn/server.pub"
	[interface]
	address = ["10.8.0.3/24", "fd08::3/64"]
	[security]
	private_key_path = "/etc/vpn/client.key"
	[dns]
	use_vpn_dns = false
END
(umask 077 && vpnctl genkey >"$TMP/etc/server.key" && vpnctl genkey >"$TMP/etc/client.key")
vpnctl pubkey <"$TMP/etc/server.key" | tee "$TMP/etc/server.pub" >"$TMP/srv.pub"
chown -R $USER_ID:$USER_ID "$TMP/etc"
chmod 0711 "$TMP"
install -m 0755 "$(command -v vpnd)" "$TMP/vpnd"
# 'setcap cap_net_admin+p'; there is no setcap(8) here.
must python3 - "$TMP/vpnd" <<-END
	import os, struct, sys
	os.setxattr(sys.argv[1], "security.capability", struct.pack("<5I", 0x02000000, 1 << 12, 0, 0, 0))
END

check_says "without the capability" "CAP_NET_ADMIN is needed; be root, and give it to a container with --cap-add" \
	contain g0 "" vpnd /etc/vpn/server.toml
must ns g1 sysctl -qw net.ipv4.ip_forward=0
check_says "without forwarding" "ip_forward' cannot be set to '1' here; start the container with --sysctl" \
	contain g1 ,+net_admin vpnd /etc/vpn/server.toml
must rmmod vpn
echo /bin/false >/proc/sys/kernel/modprobe
for host in g0 g1; do
	must ns $host sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
done
check_says "without the module" "'vpn' is not loaded; 'modprobe vpn' loads it, on the host" \
	contain g0 ,+net_admin timeout 20 vpnd /etc/vpn/server.toml
echo "$modprobe" >/proc/sys/kernel/modprobe
check "root of a user namespace makes a device" \
	setpriv --reuid $USER_ID --clear-groups --bounding-set -all unshare --user --map-root-user --net \
	ip link add vpn0 type vpn
check "for which the kernel has loaded the module" test -d /sys/module/vpn

background contain g0 ,+net_admin vpnd /etc/vpn/server.toml 2>"$TMP/log"
check "with the capability alone it starts" wait_until 15 has_vpn0
check_equal "it is not root" "$USER_ID" "$(status Uid)"
check_equal "and has no other capability, nor can get one" "0000000000001000 0000000000001000" \
	"$(status CapEff) $(status CapBnd)"
wg_client c0
must ns c0 ip addr add 10.8.0.2/24 dev vpn0
must ns c0 ip addr add fd08::2/64 dev vpn0 nodad
must tool c0 set vpn0 peer "$(cat "$TMP/srv.pub")" endpoint 10.0.1.1:51820 allowed-ips 10.8.0.0/24,fd08::/64
must ns c0 ip link set vpn0 up
check "a client gets through" wait_until 15 ns c0 ping -c 1 -W 1 10.8.0.1
check "by IPv6 as well" ns c0 ping -c 1 -W 5 fd08::1

must ns c1 sysctl -qw net.ipv4.conf.all.src_valid_mark=0
check_says "a client says which setting it lacks" "start the container with --sysctl net.ipv4.conf.all.src_valid_mark=1" \
	contain c1 ,+net_admin vpnd /etc/vpn/client.toml
must ns c1 sysctl -qw net.ipv4.conf.all.src_valid_mark=1
background contain c1 ,+net_admin vpnd /etc/vpn/client.toml 2>"$TMP/client.log"
routed() { ns c1 ip route show table all | grep -q '^default dev vpn0'; }
check "with it, it has its routes" wait_until 15 routed
check "is told to end" kill "$(pgrep -o -f '^vpnd /etc/vpn/client')"
left() { ! ns c1 ip -br link show vpn0; }
check "and undoes what it has done" wait_until 5 left
check_equal "all of it" "" "$(grep "cannot be undone" "$TMP/client.log")"

check "the server is told to end" kill "$(pgrep -o -f '^vpnd /etc/vpn')"
gone() { ! has_vpn0; }
check "and undoes what it has done" wait_until 5 gone
check_equal "all of it" "" "$(grep "cannot be undone" "$TMP/log")"
ktap_end
