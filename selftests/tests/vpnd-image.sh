#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The image of deploy/docker, built by buildah, run by podman-compose with the very file
# of that folder, and by podman: a server with a published port, and a client in a
# container of its own that has the network of another host. The kernel of this one
# loads the module by itself.
#
#	c1 [eth0 10.0.1.1] ---- [wan0 10.0.1.254] machine - podman - server
# timeout: 600
# kernels: 6.12
# machine: fresh=image
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

VERSION=$(cat ../VERSION)
IMAGE=localhost/vpn:$VERSION
SERVER=''
MODULE=/lib/modules/$(uname -r)/updates/vpn.ko

on_exit()
{
	compose down -t 5
	podman rm -f -t 0 -a
	ip link del wan0
	[ ! -e "$TMP/vpn.ko" ] || mv "$TMP/vpn.ko" "$MODULE"
	modprobe vpn
}

# The file works whether it is podman or docker that reads it.
compose() { env -C "$TMP/deploy" podman-compose "$@" >&2; }
server() { podman exec "$SERVER" "$@"; }
# once OPTION...: what a server in a new container says before it ends.
once() { podman run --rm --network none --log-driver none -v "$TMP/deploy/vpn:/etc/vpn:ro" "$@" "$IMAGE"; }
state() { podman exec c1 vpnctl -j status c1 | grep -q '"state": *"connected"'; }
field() { awk -v field="$1:" '$1 == field { print $2 }' "/proc/$(podman inspect -f '{{.State.Pid}}' "$SERVER")/status"; }
# leases: whose they are, but for how long.
leases() { server vpnctl lease show vpn0 | awk '{ print $2, $3 }'; }

server_up()
{
	compose up -d && SERVER=$(podman ps -q --filter "ancestor=$IMAGE" | head -n 1) &&
		wait_until 60 server vpnctl status server
}

ktap_start
must cp -a ../build/tools/. /
must cp -r ../build/module/. "/lib/modules/$(uname -r)/"
export VPN_PKI_DIR=$TMP/pki
mkdir -p "$TMP/deploy/vpn" "$TMP/client"
cp ../deploy/docker/compose.yaml "$TMP/deploy/"
run vpnctl pki init >&2
run vpnctl pki issue server --server --host 10.0.1.254 >&2
cp "$TMP"/pki/{ca.crt,crl.pem,certs/server.crt,keys/server.key} "$TMP/deploy/vpn/"
cat >"$TMP/deploy/vpn/server.toml" <<-END
	[server]
	virtual_network = ["10.8.0.0/24", "fd08::/64"]
	[security]
	private_key_path = "/etc/vpn/server.key"
	certificate_path = "/etc/vpn/server.crt"
	ca_certificate_path = "/etc/vpn/ca.crt"
	crl_path = "/etc/vpn/crl.pem"
END
(umask 077; vpnctl profile c1 --server 10.0.1.254:51820 --server-certificate "$TMP/pki/certs/server.crt" >"$TMP/client/c1.toml")
printf '[routes]\nsplit_tunnel = true\n' >>"$TMP/client/c1.toml"
chown -R 65532:65532 "$TMP/deploy/vpn" "$TMP/client"
must ns_add c1
must ip link add wan0 type veth peer name eth0 netns "$(netns c1)"
must ip addr add 10.0.1.254/24 dev wan0
must ip link set wan0 up
must ns c1 ip link set eth0 up
must address c1 eth0 10.0.1.1/24
# As by --sysctl, which podman has for networks of its own only.
must ns c1 sysctl -qw net.ipv4.conf.all.src_valid_mark=1

check_says "without the capability it says what is missing" "give it to a container with --cap-add=NET_ADMIN" \
	once
must mv "$MODULE" "$TMP/vpn.ko"
check_says "without the module, too" "'vpn' is not loaded; 'modprobe vpn' loads it, on the host" \
	once --cap-add NET_ADMIN --sysctl net.ipv4.ip_forward=1 --sysctl net.ipv6.conf.all.forwarding=1
must mv "$TMP/vpn.ko" "$MODULE"
must depmod
check_fail "nobody has loaded the module" test -d /sys/module/vpn

check "the compose file starts a server" server_up
check "for which the kernel has loaded the module" test -d /sys/module/vpn
check_equal "it is not root" 65532 "$(field Uid)"
check_equal "and has no other capability, nor can get one" "0000000000001000 0000000000001000" \
	"$(field CapEff) $(field CapBnd)"
check "a client in a container" podman run -d --name c1 --network "ns:/run/netns/$(netns c1)" \
	--log-driver k8s-file --cap-drop ALL --cap-add NET_ADMIN -v "$TMP/client:/etc/vpn:ro" "$IMAGE" /etc/vpn/c1.toml
check "connects" wait_until 60 state
run podman logs c1 >&2
must podman stop -t 20 c1
check_equal "told to end, it undoes what it did" "" "$(ns c1 ip -br link show type vpn)"
check_equal "all of it" "" "$(podman logs c1 2>&1 | grep 'cannot be undone')"
leases >"$TMP/before"
check "the server is stopped" podman stop -t 20 "$SERVER"
check_equal "and undoes all" "" "$(podman logs "$SERVER" 2>&1 | grep 'cannot be undone')"
check "it starts again" podman start "$SERVER"
check "and runs" wait_until 60 server vpnctl status server
check "the client had a lease" grep -q '^10\.8\.0\.[0-9]*/24 ' "$TMP/before"
check_equal "which it has still, on the volume" "$(cat "$TMP/before")" "$(leases)"
ktap_end
