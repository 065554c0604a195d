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

needs_credentials
ktap_start
must topo_gateway
must host_add server client
must server_host
must mkdir "$TMP/client/etc/vpn"

# As getting-started.md has it.
must on server vpnctl setup --yes --host vpn.example.com >&2
(umask 077 && on server vpnctl profile alice --server vpn.example.com:51820 \
	>"$TMP/client/etc/vpn/alice.toml")
must on client vpnd --daemon /etc/vpn/alice.toml
must on client vpnctl connect

refused() { on client vpnctl -j status "$1" | jq -e '.trouble | startswith("refused")'; }
follow operations.md
ktap_end
