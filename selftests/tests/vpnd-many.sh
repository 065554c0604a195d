#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Five hundred clients of one server, each a device of its own that asks for an
# address: all connect, no two have the same, one more is refused, and what is told
# of them in status, figures and on disk agrees.
#
#	h1 [eth0 10.0.0.1, the server] ---- [eth0 10.0.0.2, the clients] h2
# timeout: 180
# kernels: 6.12
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

CLIENTS=500

# make_clients: keys, the [[peer]]s in $TMP/peers, and what makes the devices. One
# program for all of them: to start one for each takes longer than all else.
make_clients()
{
	(umask 077 && python3 - "$CLIENTS" "$TMP" <<-'END'
		import base64, os, sys
		from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
		count, folder = int(sys.argv[1]), sys.argv[2]
		def text(octets):
		    return base64.b64encode(octets).decode()
		with open(f"{folder}/peers", "w") as peers, open(f"{folder}/links", "w") as links, \
		     open(f"{folder}/up", "w") as up:
		    for n in range(count + 1):
		        key = X25519PrivateKey.generate()
		        print(f"link add c{n} type vpn", file=links)
		        print(f"link set c{n} up", file=up)
		        print(f'[[peer]]\nname = "client {n}"\npublic_key = '
		              f'"{text(key.public_key().public_bytes_raw())}"', file=peers)
		        with open(f"{folder}/c{n}.conf", "w") as conf:
		            print(f"[Interface]\nPrivateKey = {text(key.private_bytes_raw())}\n"
		                  f"[Peer]\nPublicKey = SERVER\nEndpoint = 10.0.0.1:51820\n"
		                  f"AllowedIPs = 10.8.0.1/32\nAddress = auto\nPersistentKeepalive = 20",
		                  file=conf)
	END
	)
}
figure() { ns h1 curl -sf 127.0.0.1:9586/metrics | awk -v name="$1" '$1 == name { print $2 }'; }
figure_is() { [ "$(figure "$1")" = "$2" ]; }
# configure: all devices but the last.
configure()
{
	local server n

	server=$(cat "$TMP/srv.pub")
	sed -i "s,SERVER,$server," "$TMP"/c*.conf
	ns h2 sh -c "n=0; while [ \$n -lt $CLIENTS ]; do
		vpnctl setconf c\$n $TMP/c\$n.conf || exit
		n=\$((n + 1))
	done"
}

ktap_start
must topo_two
must make_clients
cat - "$TMP/peers" >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/16"
max_clients = $CLIENTS
[security]
private_key_path = "$TMP/srv.key"
[logging]
output = "$TMP/srv.log"
END
must vpnd_start h1 "$TMP/srv.toml"
must ns h2 ip -batch "$TMP/links"
must configure
SECONDS=0
must ns h2 ip -batch <(head -n "$CLIENTS" "$TMP/up")
check "all connect" wait_until 60 figure_is vpn_peers_connected "$CLIENTS"
note "$CLIENTS clients have connected within $SECONDS s"
check_equal "status has them" "$CLIENTS" "$(vpnctl -j status srv | jq .connected)"
tool h2 -j show all >"$TMP/clients"
jq -r '.[].peers[].assigned.addresses[]?' "$TMP/clients" | sed 's,/.*,,' | sort >"$TMP/told"
check_equal "each was told an address" "$CLIENTS" "$(wc -l <"$TMP/told")"
check_equal "no two the same" "$CLIENTS" "$(sort -u "$TMP/told" | wc -l)"
tool h1 -j show vpn0 | jq -r '.peers[] | .leases[] as $lease | "\(.public_key) \($lease.address)"' |
	sort >"$TMP/leased"
jq -r '.[] | .public_key as $key | .peers[].assigned.addresses[]? | "\($key) \(.)"' "$TMP/clients" |
	sort >"$TMP/assigned"
check_equal "each client's is that which the server has leased to its key" "" \
	"$(comm -23 "$TMP/assigned" "$TMP/leased")"
on_disk() { sqlite3 "$VPN_STATE_DIR/srv.leases" 'SELECT DISTINCT address FROM lease' | sed 's,/.*,,' | sort; }
all_on_disk() { [ -z "$(comm -23 "$TMP/told" <(on_disk))" ]; }
check "and is on disk" wait_until 10 all_on_disk
check_equal "figures have a line for each" $((CLIENTS + 1)) \
	"$(ns h1 curl -sf 127.0.0.1:9586/metrics | grep -c '^vpn_peer_received_bytes_total{')"

must ns h2 vpnctl setconf "c$CLIENTS" "$TMP/c$CLIENTS.conf"
must ns h2 ip link set "c$CLIENTS" up
check "one more is refused" wait_until 20 figure_is 'vpn_refusals_total{reason="server-full"}' 1
check_equal "and told why" server-full \
	"$(tool h2 -j show "c$CLIENTS" | jq -r '.peers[0].last_refusal.reason // .peers[0].refusal.reason')"
must ns h2 ip link del c0
check "one that goes is not counted any more" wait_until 20 figure_is vpn_peers_connected $((CLIENTS - 1))
check "down" vpnctl down srv
ktap_end
