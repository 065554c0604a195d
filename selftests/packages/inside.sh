#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# inside.sh install|upgrade|upgrade-kernel|purge VERSION RELEASE: what selftests/packages/run
# does on the disk of a fresh Debian: /vpn has the packages, /next those that come
# next, /tree the sources.  No service is started.
# shellcheck source=points.sh
. "$(dirname "$0")/points.sh"

step=$1 version=$2 release=$3
module=/lib/modules/$release/updates/dkms
# The path is left as it is, for ccache's compiler.
apt() { apt-get -q -y --no-install-recommends -o DPkg::Path= "$@"; }

# Every file, but what belongs to the package manager, or is made by itself again.
files()
{
	find / -xdev \( -path /proc -o -path /dev -o -path /run -o -path /tmp -o -path /ccache \
		-o -path /next -o -path /tree -o -path /tests -o -path /var/lib/dpkg -o -path /var/cache -o -path /var/log/apt \
		-o -path /var/lib/apt -o -path /root \) -prune -o ! -name 'modules.*' -print | sort
}

# Firmware that has Secure Boot on and does not know the key.
pretend_secure_boot()
{
	cat >/usr/bin/mokutil <<-'END'
		#!/bin/sh
		case $1 in
		--sb-state)	echo "SecureBoot enabled" ;;
		--test-key)	echo "$2 is not enrolled"; exit 1 ;;
		esac
	END
	chmod +x /usr/bin/mokutil
}

# As README.md has it, without a package.
from_tree()
{
	point "dkms builds straight from the tree" \
		env -C /tree dkms install . -k "$release"
	equal "the module of this tree" "$version" "$(modinfo -k "$release" -F version vpn)"
	point "and takes it away" dkms remove -m vpn -v "$version" --all
	rm -rf "/usr/src/vpn-$version"
}

# In real shells, which find the completions where the package has put them.
completions()
{
	# shellcheck disable=SC2016 # for that shell
	equal "bash completes" "pool" "$(bash -c '
		. /usr/share/bash-completion/bash_completion
		_completion_loader vpnctl 2>/dev/null || _comp_load vpnctl
		COMP_WORDS=(vpnctl po) COMP_CWORD=1 COMP_LINE="vpnctl po" COMP_POINT=9
		_vpnctl vpnctl po vpnctl
		echo "${COMPREPLY[@]}"' 2>/dev/null)"
	# Outside of the line editor it is asked by hand what it would add.
	# shellcheck disable=SC2016 # for that shell
	equal "zsh completes" "_vpnctl _vpnctl genkey genpsk" "$(zsh -f -c '
		autoload -Uz compinit && compinit -u -D
		compadd() { print -rn -- " $@[-1]" }
		print -rn -- $_comps[vpnctl] $_comps[vpnd]
		service=vpnctl words=(vpnctl gen) CURRENT=2 PREFIX=gen
		_vpnctl' 2>/dev/null)"
}

install_all()
{
	local needed

	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod +x /usr/sbin/policy-rc.d
	# What they need comes first, so that what they bring can be told from it.
	needed=$(apt-get -s --no-install-recommends install dkms ccache kmod zsh "linux-headers-$release" \
		/vpn/vpnctl_*.deb /vpn/vpn-dkms_*.deb | sed -n 's/^Inst \([^ ]*\) .*/\1/p' |
		grep -vx 'vpnctl\|vpn-dkms')
	# shellcheck disable=SC2086 # words
	point "what they need can be had" apt install $needed || exit
	from_tree
	files >/root/before
	pretend_secure_boot
	point "apt installs vpn-dkms and vpnctl" apt install /vpn/vpn-dkms_*.deb /vpn/vpnctl_*.deb
	cp "$LOG" /var/log/installation
	said "with Secure Boot it says how the key is enrolled" \
		"Run 'mokutil --import /var/lib/dkms/mok.pub', then reboot"
	rm /usr/bin/mokutil
	point "DKMS has built the module" sh -c "dkms status -m vpn -v '$version' -k '$release' | grep -w installed"
	equal "in that version" "$version" "$(modinfo -k "$release" -F version vpn)"
	point "and signed it" sh -c "modinfo -k '$release' -F signer vpn | grep -q DKMS"
	equal "the tool has it" "vpnctl $version" "$(vpnctl version)"
	equal "and the daemon" "vpnd $version" "$(vpnd --version | head -n 1)"
	point "manuals and completions are there" ls /usr/share/man/man8/vpnctl.8.gz \
		/usr/share/man/man8/vpnd.8.gz /usr/share/man/man5/vpn.toml.5.gz \
		/usr/share/man/man4/vpn.4.gz /usr/share/bash-completion/completions/vpnctl \
		/usr/share/zsh/vendor-completions/_vpnctl /lib/systemd/system/vpn@.service
	completions
}

upgrade()
{
	point "the next version takes its place" env -C / dpkg -i /next/vpn-dkms_*.deb
	equal "in the file that is loaded next" "$version.1" "$(modinfo -k "$release" -F version vpn)"
	equal "and is the only one" 1 "$(dkms status -m vpn | wc -l)"
}

# said_by_package RELEASE: what installing says on that kernel.
said_by_package()
{
	local bin

	bin=$(mktemp -d)
	printf '#!/bin/sh\necho %s\n' "$1" >"$bin/uname"
	chmod +x "$bin/uname"
	# Without what others have added to it.
	sed '/^# Automatically added/,$d' /var/lib/dpkg/info/vpn-dkms.postinst >"$bin/postinst"
	PATH=$bin:$PATH sh "$bin/postinst" configure >"$LOG" 2>&1 </dev/null
	said "and the package says what it needs" "Linux $1 is too old for vpn, which needs 6.1 or later"
	rm -r "$bin"
}

upgrade_kernel()
{
	local other old=5.10.0-1-amd64 status

	other=$(apt-cache pkgnames linux-image- | grep -vxF "linux-image-$release" | tail -n 1)
	other=${other#linux-image-}
	point "apt installs another kernel" apt install "linux-image-$other" "linux-headers-$other"
	point "DKMS has built the module for it" sh -c "dkms status -m vpn -k '$other' | grep -w installed"
	equal "it is for that kernel" "$other" "$(modinfo -k "$other" -F vermagic vpn | cut -d' ' -f1)"
	point "the other one stays" ls "$module"

	# One that is too old, as far as DKMS looks at it.
	mkdir -p "/lib/modules/$old" "/usr/src/linux-headers-$old/include"
	ln -s "/usr/src/linux-headers-$old" "/lib/modules/$old/build"
	cp "/boot/config-$release" "/boot/config-$old"
	cp "/boot/config-$release" "/usr/src/linux-headers-$old/.config"
	dkms build -m vpn -v "$version" -k "$old" >"$LOG" 2>&1 </dev/null
	status=$?
	[ $status != 0 ]
	equal "an older kernel is refused" 0 $?
	said "with a sentence" 'does not match this kernel|vpn needs'
	said_by_package "$old"
	rm -rf "/lib/modules/$old" "/usr/src/linux-headers-$old" "/boot/config-$old"
	point "the other kernel can go" apt purge "linux-image-$other" "linux-headers-$other"
	point "and nothing of ours stays for it" test ! -e "/lib/modules/$other/updates/dkms"
	apt autoremove --purge >/dev/null 2>&1
}

purge_all()
{
	mkdir -p /var/lib/vpn /var/log/vpn
	touch /var/lib/vpn/leases.db /var/log/vpn/server.log
	point "apt purges them" apt purge vpn-dkms vpnctl
	files >/root/after
	equal "nothing is left" "" "$(comm -13 /root/before /root/after |
		grep -v '^/usr/sbin/policy-rc.d$\|^/var/log/installation$\|^/var/lib/dkms/mok\.\|^/lib/modules/[^/]*/updates$')"
}

case $step in
install)	install_all ;;
upgrade)	upgrade ;;
upgrade-kernel)	upgrade_kernel ;;
purge)		purge_all ;;
esac
