#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A fresh machine is what tests of packages take it for: a Debian of its release
# that has booted with systemd, with nothing of ours, no compiler, and an archive
# that has what such tests install.
# timeout: 120
# kernels: 6.1 6.12
# machine: fresh
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

ktap_start
case $(uname -r) in
6.1.*)	debian=12 ;;
6.12.*)	debian=13 ;;
esac
check "is Debian $debian" grep -qx "VERSION_ID=\"$debian\"" /etc/os-release
check_equal "systemd is process 1" systemd "$(cat /proc/1/comm)"
check_equal "all units are well" running "$(systemctl is-system-running)"
check_fail "has no compiler" which cc gcc make
check_fail "knows no module vpn" modinfo vpn
check_fail "has no tools of ours" which vpnctl vpnd
check_equal "apt has one archive" "file:/packages" \
	"$(apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' | sed 's,/*$,,' | sort -u)"
check "it has what DKMS needs for this kernel, and for another" \
	apt-get -qq -s install dkms gcc "linux-headers-$(uname -r)" \
	"$(apt-cache pkgnames linux-image- | grep -vxF "linux-image-$(uname -r)" | tail -n 1)"
check "apt installs from it" apt-get -qq -y install make
check "the module and tools of this tree are at hand" \
	ls /vpn/build/module/updates/vpn.ko /vpn/build/tools/usr/bin/vpnctl
ktap_end
