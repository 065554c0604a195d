#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What Documentation/operations.md tells its reader to do, done as it stands, to a
# server with a client.  The hosts are those of vpnd.sh: server is gw, client is c1.
# timeout: 300
# kernels: 7.3
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"
# shellcheck source=../documents.sh
. "$(dirname "$0")/../documents.sh"

ldd "$(command -v vpnd)" | grep -q libseccomp || skip_all "this vpnd was compiled without libseccomp"
ktap_start
must topo_gateway
must host_add server client
must name_server

# As getting-started.md has it.
must on server vpnctl pki init >&2
must on server vpnctl pki issue gate --host vpn.example.com >&2
cat >"$TMP/server/etc/vpn/server.toml" <<-END
	[server]
	virtual_network = "10.8.0.0/24"
	[security]
	private_key_path = "/etc/vpn/pki/keys/gate.key"
	certificate_path = "/etc/vpn/pki/certs/gate.crt"
	ca_certificate_path = "/etc/vpn/pki/ca.crt"
	crl_path = "/etc/vpn/pki/crl.pem"
	[firewall]
	dns_servers = ["192.168.7.2"]
END
must on server vpnd --daemon /etc/vpn/server.toml
(umask 077 && on server vpnctl profile alice --server vpn.example.com:51820 \
	--server-certificate /etc/vpn/pki/certs/gate.crt >"$TMP/client/etc/vpn/alice.toml")
must on client vpnd --daemon /etc/vpn/alice.toml
must on client vpnctl connect

refused() { on client vpnctl -j status "$1" | jq -e '.trouble | startswith("refused")'; }
follow operations.md
ktap_end
