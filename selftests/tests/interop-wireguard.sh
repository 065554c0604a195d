#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Against the kernel's own WireGuard.
#
#	h1 [vpn0, ours] ==== tunnel ==== [vpn0, kind wireguard] h2
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../interop.sh
. "$(dirname "$0")/../interop.sh"

ktap_start
must topo_two
must keys h1 h2
must link_add h1 vpn0 192.168.99.1/24 fd99::1/64
if ! run ns h2 ip link add vpn0 type wireguard; then
	skip_all "this kernel has no WireGuard"
fi
must interop_ends

interop WireGuard
ours && interop_rekey WireGuard

ktap_end
