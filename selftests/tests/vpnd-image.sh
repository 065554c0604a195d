#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The image of deploy/docker, built by buildah, run by podman-compose with the very files
# of that folder, and by podman: a server with a published port, and a client, each in a
# container and a network of its own. The kernel of this host loads the module by itself.
#
#	client - podman - machine [wan0 10.0.1.254] - podman - server
# timeout: 600
# kernels: 6.12
# machine: fresh=image
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

VERSION=$(cat ../VERSION)
IMAGE=localhost/vpn:$VERSION
SERVER='' CLIENT=''
MODULE=/lib/modules/$(uname -r)/updates/vpn.ko

on_exit()
{
	compose server down -t 5
	podman rm -f -t 0 -a
	ip link del wan0
	[ ! -e "$TMP/vpn.ko" ] || mv "$TMP/vpn.ko" "$MODULE"
	modprobe vpn
}

# compose server|client ...: the file works whether it is podman or docker that reads it.
compose()
{
	local file=compose.yaml

	[ "$1" = server ] || file=compose.$1.yaml
	env -C "$TMP/$1" podman-compose -f "$file" "${@:2}" >&2
}
server() { podman exec "$SERVER" "$@"; }
client() { podman exec "$CLIENT" "$@"; }
# once ROLE OPTION...: what that says in a new container before it ends.
once()
{
	podman run --rm --network none --log-driver none -v "$TMP/$1/vpn:/etc/vpn:ro" "${@:2}" \
		"$IMAGE" "/etc/vpn/$1.toml"
}
connected() { client vpnctl -j status client | grep -q '"state": *"connected"'; }
# There is no ping in there.
pings() { nsenter -t "$(podman inspect -f '{{.State.Pid}}' "$CLIENT")" -n ping -c 1 -W 5 "$1"; }
field() { awk -v field="$1:" '$1 == field { print $2 }' "/proc/$(podman inspect -f '{{.State.Pid}}' "$SERVER")/status"; }
# leases: whose they are, but for how long.
leases() { server vpnctl lease show vpn0 | awk '{ print $2, $3 }'; }

server_up()
{
	compose server up -d && SERVER=$(podman ps -q --filter "ancestor=$IMAGE") &&
		wait_until 60 server vpnctl status server
}
client_up()
{
	compose client up -d &&
		CLIENT=$(podman ps -q --filter "ancestor=$IMAGE" | grep -vxF "$SERVER") &&
		wait_until 60 connected
}

ktap_start
must cp -a ../build/tools/. /
must cp -r ../build/module/. "/lib/modules/$(uname -r)/"
export VPN_PKI_DIR=$TMP/pki
mkdir -p "$TMP/server/vpn" "$TMP/client/vpn"
cp ../deploy/docker/compose.yaml "$TMP/server/"
cp ../deploy/docker/compose.client.yaml "$TMP/client/"
run vpnctl pki init >&2
run vpnctl pki issue server --server --host 10.0.1.254 >&2
cp "$TMP"/pki/{ca.crt,crl.pem,certs/server.crt,keys/server.key} "$TMP/server/vpn/"
cat >"$TMP/server/vpn/server.toml" <<-END
	[server]
	virtual_network = ["10.8.0.0/24", "fd08::/64"]
	[security]
	private_key_path = "/etc/vpn/server.key"
	certificate_path = "/etc/vpn/server.crt"
	ca_certificate_path = "/etc/vpn/ca.crt"
	crl_path = "/etc/vpn/crl.pem"
END
(umask 077; vpnctl profile c1 --server 10.0.1.254:51820 --server-certificate "$TMP/pki/certs/server.crt" \
	>"$TMP/client/vpn/client.toml")
chown -R 65532:65532 "$TMP/server/vpn" "$TMP/client/vpn"
must ip link add wan0 type dummy
must ip addr add 10.0.1.254/24 dev wan0
must ip link set wan0 up

check_says "without the capability it says what is missing" "give it to a container with --cap-add=NET_ADMIN" \
	once server
must mv "$MODULE" "$TMP/vpn.ko"
check_says "without the module, too" "'vpn' is not loaded; 'modprobe vpn' loads it, on the host" \
	once server --cap-add NET_ADMIN --sysctl net.ipv4.ip_forward=1 --sysctl net.ipv6.conf.all.forwarding=1
must mv "$TMP/vpn.ko" "$MODULE"
must depmod
check_fail "nobody has loaded the module" test -d /sys/module/vpn

check "the compose file starts a server" server_up
check "for which the kernel has loaded the module" test -d /sys/module/vpn
check_equal "it is not root" 65532 "$(field Uid)"
check_equal "and has no other capability, nor can get one" "0000000000001000 0000000000001000" \
	"$(field CapEff) $(field CapBnd)"
check_says "a client says which setting is missing" "start the container with --sysctl net.ipv4.conf.all.src_valid_mark=1" \
	once client --cap-add NET_ADMIN
check "the other compose file starts a client, which connects" client_up
run podman logs "$CLIENT" >&2
check "and gets through" wait_until 20 pings 10.8.0.1
check "by IPv6 as well" pings fd08::1
must podman stop -t 20 "$CLIENT"
check_equal "told to end, it undoes all that it did" "" \
	"$(podman logs "$CLIENT" 2>&1 | grep 'cannot be undone')"
leases >"$TMP/before"
check "the server is stopped" podman stop -t 20 "$SERVER"
check_equal "and undoes all" "" "$(podman logs "$SERVER" 2>&1 | grep 'cannot be undone')"
check "it starts again" podman start "$SERVER"
check "and runs" wait_until 60 server vpnctl status server
check "the client had a lease" grep -q '^10\.8\.0\.[0-9]*/24 ' "$TMP/before"
check_equal "which it has still, on the volume" "$(cat "$TMP/before")" "$(leases)"
ktap_end
