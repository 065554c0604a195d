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
		import base64, sys
		from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
		folder = sys.argv[2]
		def to(name, lines):
		    with open(f"{folder}/{name}", "w") as file:
		        file.writelines(line + "\n" for line in lines)
		def text(octets):
		    return base64.b64encode(octets).decode()
		numbers = range(int(sys.argv[1]) + 1)
		keys = [X25519PrivateKey.generate() for _ in numbers]
		to("keys", (key.private_bytes_raw().hex() for key in keys))
		to("links", (f"link add c{n} group 500 type vpn" for n in numbers))
		to("up", (f"link set c{n} up" for n in numbers))
		to("peers", (f'[[peer]]\nname = "client {n}"\npublic_key = '
		             f'"{text(key.public_key().public_bytes_raw())}"'
		             for n, key in zip(numbers, keys)))
	END
	)
}
# configure_clients: each device gets its key, and the server as a peer that is to
# give it an address.
configure_clients()
{
	ns h2 env PYTHONPATH="$SELFTESTS" python3 - "$TMP" <<-'END'
		import base64, sys
		from abi import (Attr, IFNAME, MODE_REQUEST, Netlink, PRIVATE_KEY, P_ADDRESS_MODE,
		                 P_IPV4, P_KEEPALIVE, P_PORT, allowedip, be16, ip4, peer, text, u16, u32)
		netlink = Netlink()
		server = base64.b64decode(open(f"{sys.argv[1]}/srv.pub").read())
		for n, key in enumerate(open(f"{sys.argv[1]}/keys")):
		    answer = netlink.set(
		        text(IFNAME, f"c{n}"), Attr(PRIVATE_KEY, bytes.fromhex(key)),
		        peer(server, ip4(P_IPV4, "10.0.0.1"), be16(P_PORT, 51820), u16(P_KEEPALIVE, 20),
		             u32(P_ADDRESS_MODE, MODE_REQUEST), allowedip("10.8.0.1/32")))
		    if answer.errno:
		        sys.exit(f"c{n}: {answer}")
	END
}
figure() { ns h1 curl -sf 127.0.0.1:9586/metrics | awk -v name="$1" '$1 == name { print $2 }'; }
figure_is() { [ "$(figure "$1")" = "$2" ]; }

ktap_start
must topo_two
must make_clients
must vpnd_of_many h1
must ns h2 ip -batch "$TMP/links"
must configure_clients
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

must ns h2 ip link set "c$CLIENTS" up
check "one more is refused" wait_until 20 figure_is 'vpn_refusals_total{reason="server-full"}' 1
check_equal "and told why" server-full \
	"$(tool h2 -j show "c$CLIENTS" | jq -r '.peers[0].last_refusal.reason // .peers[0].refusal.reason')"
must ns h2 ip link del c0
check "one that goes is not counted any more" wait_until 20 figure_is vpn_peers_connected $((CLIENTS - 1))
check "down" vpnctl down srv
# Each device that goes waits for readers of it; here there are none to be kept waiting.
expedited() { echo "$1" >/sys/kernel/rcu_expedited; }
on_exit() { expedited 0; _vpnd_end; }
must expedited 1
check "all go at once" ns h2 ip link del group 500
ktap_end
