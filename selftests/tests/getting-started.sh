#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What Documentation/getting-started.md tells its reader to do, done as it stands, on
# hosts of vpnd.sh: server is gw, client is c1, phone is c2.
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
must host_add server client phone branch
must server_host
# The network behind the branch.
must address c2 lo 192.168.20.1/24
# What wg-quick calls; that of the machine is for systemd-resolved, which does not run.
install -D -m 0755 /dev/stdin "$TMP/phone/bin/resolvconf" <<<"#!/bin/sh"
known() { tool gw -j show vpn0 | jq -e --arg name "$1" 'any(.peers[]; .name == $name)'; }
cut_off() { ! known "$1"; }
follow getting-started.md
ktap_end
