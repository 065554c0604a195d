#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Against wireguard-go, which is a program on a TUN device.
#
#	h1 [vpn0, ours] ==== tunnel ==== [vpn0, wireguard-go] h2
# timeout: 300
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../interop.sh
. "$(dirname "$0")/../interop.sh"

command -v wireguard-go >/dev/null || skip_all "no wireguard-go"
ktap_start
must topo_two
must keys h1 h2
must link_add h1 vpn0 192.168.99.1/24 fd99::1/64
modprobe tun
background ns h2 env LOG_LEVEL=error wireguard-go -f vpn0
must wait_until 20 ns h2 wg show vpn0
must interop_ends

interop wireguard-go
ours && interop_rekey wireguard-go

ktap_end
