#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What Documentation/migration.md tells its reader to do, done as it stands: a server
# of WireGuard with two clients becomes ours, and a CA of OpenVPN's goes on.  The hosts
# are those of vpnd.sh: server is gw, client is c1, phone is c2.
# timeout: 300
# kernels: 6.1
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"
# shellcheck source=../documents.sh
. "$(dirname "$0")/../documents.sh"

needs_credentials
ktap_start
must topo_gateway
must host_add server client phone
must name_server

# What there is before: wg-quick, with three hosts.
keys server phone client
for name in server phone client; do
	mkdir "$TMP/$name/etc/wireguard" "$TMP/$name/etc/vpn"
done
umask 077
cat >"$TMP/server/etc/wireguard/wg0.conf" <<-END
	[Interface]
	Address = 10.8.0.1/24
	ListenPort = 51820
	PrivateKey = $(cat "$TMP/server.key")

	[Peer]
	# phone
	PublicKey = ${PUB[phone]}
	AllowedIPs = 10.8.0.2/32

	[Peer]
	# laptop
	PublicKey = ${PUB[client]}
	AllowedIPs = 10.8.0.3/32
END
wg_quick_client()
{
	cat >"$TMP/$1/etc/wireguard/wg0.conf" <<-END
		[Interface]
		Address = $2/24
		PrivateKey = $(cat "$TMP/$1.key")

		[Peer]
		PublicKey = ${PUB[server]}
		Endpoint = vpn.example.com:51820
		AllowedIPs = 10.8.0.0/24
		PersistentKeepalive = 25
	END
}
wg_quick_client phone 10.8.0.2
wg_quick_client client 10.8.0.3
for name in server phone client; do
	must on "$name" wg-quick up wg0 >&2
done
must wait_until 60 reach c2 10.8.0.1
must wait_until 60 reach c1 10.8.0.1

# What Easy-RSA would have made.
mkdir -p "$TMP/server/etc/openvpn/easy-rsa/pki/private"
must on server openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
	-keyout /etc/openvpn/easy-rsa/pki/private/ca.key -out /etc/openvpn/easy-rsa/pki/ca.crt \
	-subj "/CN=Easy-RSA CA" 2>/dev/null

both_back() { [ "$(tool gw show vpn0 latest-handshakes | awk '$2 > 0' | wc -l)" = 2 ]; }
follow migration.md

# Keys that the tables name and that there are not.
# shellcheck disable=SC2016 # those of Markdown
vpnd --reference | grep -o '^| `[a-z_]*`' | tr -d '|` ' >"$TMP/keys"
# shellcheck disable=SC2016
named=$(awk -F '|' '/^## From OpenVPN/ { here = 1 } here && /^\|/ { print $3 }' "$DOCUMENTS/migration.md" |
	grep -o '`[a-z_]*_[a-z_]*`' | tr -d '`' | grep -vxF -f "$TMP/keys")
check_equal "keys that are named are there" "" "$named"
ktap_end
