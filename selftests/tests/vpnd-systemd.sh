#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The daemon as a unit of a real systemd, in namespaces of its own, with journald,
# D-Bus and systemd-resolved: start, restart without a lost ping, reload, stop.
# The hosts are those of vpnd.sh; systemd is that of gw.
# timeout: 180
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"
# shellcheck source=../systemd.sh
. "$(dirname "$0")/../systemd.sh"

ktap_start
must topo_gateway
keys c1
wg_client c1
check "a systemd runs" systemd_start gw dbus.socket systemd-resolved.service || { inside systemctl list-jobs >&2; inside systemctl --failed >&2; }
must vpnctl pki init --dir "$TMP/etc/vpn/pki" >&2
cat >"$TMP/etc/vpn/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/24"
[logging]
output = "journal"
[security]
private_key_path = "/etc/vpn/srv.key"
ca_certificate_path = "/etc/vpn/pki/ca.crt"
[[peer]]
name = "laptop"
public_key = "${PUB[c1]}"
address = "10.8.0.10"
END
state gw >"$TMP/before"
check "the unit is right" inside systemd-analyze verify --man=no vpn@srv.service
check "start" inside systemctl start vpn@srv
check "it is active" inside systemctl is-active vpn@srv
check_equal "credentials are read without rights" "0000000000000000 2" \
	"$(awk '/^CapPrm/ { c = $2 } /^Seccomp:/ { print c, $2 }' "/proc/$(pgrep -f "vpnd --verifier")/status")"
check "by another user" other_user "$(pgrep -f "vpnd --verifier")"
check_equal "and the daemon has none that it does not need" 0000000000001400 \
	"$(awk '/^CapPrm/ { print $2 }' "/proc/$(pgrep -o -f "vpnd /etc/vpn/srv")/status")"
inside journalctl -u vpn@srv >&2
cp "$TMP/etc/vpn/srv.pub" "$TMP/srv.pub"
client_up c1 10.8.0.10
check "a client connects" arrives c1 10.8.0.1
connected() { inside journalctl -o json -u vpn@srv | jq -se 'any(.[]; .MESSAGE == "connected" and .VPN_PEER == "laptop" and .VPN_ADDRESS == "10.8.0.10")'; }
check "the journal has fields about it" wait_until 10 connected
sed -i 's/^name = .*/name = "notebook"/' "$TMP/etc/vpn/srv.toml"
check "reload" inside systemctl reload vpn@srv
check_equal "changes the name" notebook "$(inside vpnctl -j show vpn0 | jq -r '.peers[0].name')"
background ns c1 sh -c "exec ping -q -i 0.1 -c 60 10.8.0.1 >$TMP/ping"
ping=$!
pid=$(inside systemctl show -P MainPID vpn@srv)
check "restart" inside systemctl restart vpn@srv
check_fail "is another process" [ "$pid" = "$(inside systemctl show -P MainPID vpn@srv)" ]
wait "$ping"
check "not a ping is lost" grep -q '60 received' "$TMP/ping"
inside kill -9 "$(inside systemctl show -P MainPID vpn@srv)"
check "a killed one is started again" wait_until 20 inside systemctl is-active --quiet vpn@srv
check "the client has not lost it" reach c1 10.8.0.1
check "stop" inside systemctl stop vpn@srv
state gw >"$TMP/after"
check "leaves the host as it was" diff "$TMP/before" "$TMP/after"

#
# A client, whose names are resolved by systemd-resolved.
#
cat >"$TMP/etc/vpn/cli.toml" <<END
[client]
server_address = "10.0.1.1:51820"
server_public_key = "${PUB[c1]}"
[logging]
output = "journal"
[security]
private_key_path = "/etc/vpn/srv.key"
[interface]
address = "10.9.0.2/24"
[dns]
dns_servers = ["10.9.0.1"]
domains = "example.com"
END
must tool c1 set vpn0 listen-port 51820 peer "$(cat "$TMP/srv.pub")" allowed-ips 10.9.0.2/32
must ns c1 ip addr add 10.9.0.1/24 dev vpn0
check "a client" inside systemctl start vpn@cli
check "is connected" arrives gw 10.9.0.1
dns_of() { inside resolvectl dns vpn0 | grep -q 10.9.0.1 && inside resolvectl domain vpn0 | grep -q 'example.com ~\.'; }
check "resolved asks the server" wait_until 5 dns_of
check "stop" inside systemctl stop vpn@cli
state gw >"$TMP/after"
check "leaves the host as it was" diff "$TMP/before" "$TMP/after"

#
# What the manual says of it.
#
manual=$(sed -n 's/.*rates its exposure at \([0-9.]*[0-9]\).*/\1/p' "$(dirname "$0")/../../Documentation/man/vpnd.8")
inside systemd-analyze security --no-pager vpn@srv.service >"$TMP/security"
grep '^✗' "$TMP/security" >&2
check_equal "the exposure is that of the manual" "$manual" \
	"$(sed -n 's/.*exposure level for vpn@srv.service: \([0-9.]*\).*/\1/p' "$TMP/security")"
ktap_end
