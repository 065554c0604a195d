#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Three gateways with the very file of deploy/kubernetes, one key and one CA, each of
# which gives addresses of its own slice, behind one address: who sends decides which
# of them it is, as with a Service of Kubernetes that keeps to the client's address.
#
#	c0 [eth0 10.0.10.1] --+           +-- [eth0 10.0.20.1] vpn-0
#	c1 [eth0 10.0.11.1] --+--- lb ----+-- [eth0 10.0.21.1] vpn-1
#	c2 [eth0 10.0.12.1] --+ 10.0.99.1 +-- [eth0 10.0.22.1] vpn-2
# timeout: 240
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

needs_credentials
[ -e /vpn/.machine/settings ] || skip_all "not in a test machine, whose /etc may be written"
[ ! -e /etc/vpn ] || skip_all "there is an /etc/vpn"
RUNS=$VPN_RUNTIME_DIR
on_exit()
{
	for VPN_RUNTIME_DIR in "$RUNS"/*; do
		_vpnd_end
	done
	rm -rf /etc/vpn
}

# replica N COMMAND...: on that one, which is called as the pod would be.
replica()
{
	local n=$1

	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	VPN_RUNTIME_DIR=$RUNS/g$n VPN_STATE_DIR=$TMP/state/g$n \
		ns "g$n" unshare --uts sh -c 'hostname "vpn-$0" && exec "$@"' "$n" "$@"
}
client() { VPN_RUNTIME_DIR=$RUNS/c$1 ns "c$1" "${@:2}"; }
state_of() { client "$1" vpnctl -j status cli | jq -r .state; }
connected() { [ "$(state_of "$1")" = connected ]; }
# address FAMILY N: that of client N inside the tunnel.
address_of() { ns "c$2" ip -j "-$1" addr show dev vpn0 scope global | jq -r '.[0].addr_info[0].local'; }
# in_slice N ADDRESS: counted in another way than the daemon does.
in_slice()
{
	python3 - "$@" <<-END
		import ipaddress, sys
		number, address = int(sys.argv[1]), ipaddress.ip_address(sys.argv[2])
		network = ipaddress.ip_network("10.64.0.0/16" if address.version == 4 else "fd64::/64")
		slices = list(network.subnets(prefixlen_diff=3))
		sys.exit(address not in slices[number])
	END
}
moved() { in_slice 1 "$(address_of 4 0)"; }
health() { replica "$1" curl -s -o /dev/null -w '%{http_code}' 127.0.0.1:9586/healthz; }
# seen_by N: how many clients it has.
seen_by() { replica "$1" vpnctl -j show vpn0 | jq '[.peers[] | select(.latest_handshake)] | length'; }

ktap_start
must ns_add lb g0 g1 g2 c0 c1 c2
for n in 0 1 2; do
	for host in c:1 g:2; do
		must veth "${host%:*}$n" eth0 lb "${host%:*}$n"
		must address "${host%:*}$n" eth0 "10.0.${host#*:}$n.1/24"
		must address lb "${host%:*}$n" "10.0.${host#*:}$n.254/24"
		must ns "${host%:*}$n" ip route add default via "10.0.${host#*:}$n.254"
	done
done
must ns lb sysctl -qw net.ipv4.ip_forward=1
must ns lb nft -f - <<-END
	table ip balancer {
		chain service {
			type nat hook prerouting priority dstnat
			ip daddr 10.0.99.1 udp dport 51820 dnat to ip saddr map {
				10.0.10.1 : 10.0.20.1, 10.0.11.1 : 10.0.21.1, 10.0.12.1 : 10.0.22.1,
				10.0.10.2 : 10.0.21.1 }
		}
	}
END

# What the Secret and the ConfigMap have, as kubelet gives it to a pod: a folder of links
# by way of one, which is replaced when something changes.
#
#	crl.pem -> ..data/crl.pem	peers -> ..data/peers	..data -> ..1
version=0
project()
{
	local old=/etc/vpn/..$version new=/etc/vpn/..$((version + 1)) file

	version=$((version + 1))
	mkdir -p "$new/peers"
	cp "$TMP/pki/ca.crt" "$TMP/pki/crl.pem" "$TMP/pki/certs/server.crt" "$TMP/pki/keys/server.key" \
		"$TMP/gateway.toml" "$new/"
	cp "$TMP"/peers/* "$new/peers/" 2>/dev/null
	for file in "$new"/*; do
		[ -L "/etc/vpn/${file##*/}" ] || ln -s "..data/${file##*/}" /etc/vpn/
	done
	ln -s "${new##*/}" /etc/vpn/..data_tmp
	run mv -T /etc/vpn/..data_tmp /etc/vpn/..data
	rm -rf "$old"
}

export VPN_PKI_DIR=$TMP/pki
pki() { run vpnctl pki "$@" >&2; }
must pki init
must pki issue server --server --host 10.0.99.1
mkdir -p /etc/vpn "$RUNS" "$TMP/state" "$TMP/peers"
cp "$(dirname "$0")/../../deploy/kubernetes/base/gateway.toml" "$TMP/"
project

for n in 0 1 2; do
	check "vpn-$n starts" replica $n vpnd --daemon /etc/vpn/gateway.toml </dev/null 2>"$TMP/g$n.log"
done
check_equal "and is well" 200 "$(health 0)"
for n in 0 1 2; do
	must pki issue "client$n"
	cat >"$TMP/cli.toml" <<-END
		[client]
		server_address = "10.0.99.1:51820"
		server_certificate_path = "$TMP/pki/certs/server.crt"
		resolve_interval = "2s"
		[security]
		private_key_path = "$TMP/pki/keys/client$n.key"
		certificate_path = "$TMP/pki/certs/client$n.crt"
		ca_certificate_path = "$TMP/pki/ca.crt"
		[routes]
		split_tunnel = true
		[dns]
		use_vpn_dns = false
		[logging]
		output = "$TMP/log/c$n.log"
	END
	must client $n vpnd --daemon "$TMP/cli.toml" </dev/null >&2
done
for n in 0 1 2; do
	check "a client of vpn-$n connects" wait_until 15 connected $n
	check_equal "to that one" 1 "$(seen_by $n)"
	check "and has an IPv4 address of its slice" in_slice $n "$(address_of 4 $n)"
	check "and an IPv6 address" in_slice $n "$(address_of 6 $n)"
	check "by which it reaches the server" ns "c$n" ping -c 1 -W 5 10.64.0.1
done
check "by IPv6 as well" ns c2 ping -c 1 -W 5 fd64::1
check_equal "a slice has an eighth of the addresses" 8192 \
	"$(replica 1 vpnctl -j pool show vpn0 | jq '.pools[] | select(.prefix == "10.64.0.0/16").size')"

# Who comes through the tunnel is told no figures; who may ask is.
check_fail "figures are not for clients" ns c0 curl -sf --max-time 5 10.64.0.1:9586/metrics
check "but for the cluster" ns lb curl -sf -o /dev/null 10.0.20.1:9586/metrics
# The daemon may set it up again before it is asked.
unwell() { replica 2 ip link set vpn0 down; [ "$(health 2)" = 503 ]; }
check "one whose device is down is not well" wait_until 10 unwell

# From another address the Service leads to another replica, which has never heard of
# the session: after 15 s without an answer, or less here, there is a new one.
old=$(address_of 4 0)
must timescale 10
must ns c0 ip addr flush dev eth0
must ns c0 ip addr add 10.0.10.2/24 dev eth0
must ns c0 ip route replace default via 10.0.10.254
check "a client that moves to another replica gets an address of that one" wait_until 30 moved
must timescale 1
check "and goes on with it" wait_until 5 ns c0 ping -c 1 -W 1 10.64.0.1
check_equal "the old one is gone" "" "$(ns c0 ip -4 addr show dev vpn0 to "$old")"
check_equal "no two have the same address" 3 "$(for n in 0 1 2; do address_of 4 $n; done | sort -u | grep -c .)"

# What the file gives to somebody is his on all of them, whosever slice it is in.
cat >>"$TMP/gateway.toml" <<-END
	[authorisation]
	peers_path = "/etc/vpn/peers"
	[[peer]]
	name = "phone"
	public_key = "$(vpnctl genkey | vpnctl pubkey)"
	address = "10.64.200.5"
END
project
check "a fixed address of another slice" replica 1 vpnctl reload gateway
check_equal "is given" 10.64.200.5/16 \
	"$(replica 1 vpnctl -j lease show vpn0 | jq -r '.[] | select(.name == "phone").address')"

# A change of the Secret or of the ConfigMap is taken as it comes, twice.
lets_in() { replica 1 vpnctl -j show vpn0 | jq -e --arg name "$1" '.peers[] | select(.name == $name)' >/dev/null; }
refused() { client 1 vpnctl -j status cli | grep -q revoked; }
for who in tablet kiosk; do
	vpnctl genkey | vpnctl pubkey >"$TMP/peers/$who.pub"
	project
	check "who is added is let in: $who" wait_until 10 lets_in $who
done
pki revoke client1
project
check "who is revoked is cut off" wait_until 20 refused

# A replica too many, and a host that has no number, say what to do.
# shellcheck disable=SC2016 # expanded by the inner shell
called() { unshare --uts sh -c 'hostname "$0" && exec vpnd --check /etc/vpn/gateway.toml' "$1"; }
check_says "a ninth replica is told" \
	"this is number 8, and of 8 slices the last one is 7; make them more on all servers" called vpn-8
check_says "a host without a number, too" \
	"this host is called 'vpn', and its number has to be at the end" called vpn
ktap_end
