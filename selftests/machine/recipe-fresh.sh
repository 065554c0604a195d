# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a fresh machine consists of: a Debian as an administrator has it after the
# installation, with nothing of ours and no compiler, and in /packages, the
# only archive its apt knows, what tests install on it.  The hash of this file
# names the cached root.  To be sourced; recipe.sh comes first.

# Which Debian it is with each kernel, or nothing.
fresh_debian()
{
	case $1 in
	6.1)	echo 12 ;;
	6.12)	echo 13 ;;
	esac
}

# What the installer puts there, beside what is required and important.
fresh_packages()
{
	cat <<-END
		$1
		bash-completion
		ca-certificates
		dbus
		iproute2
		iputils-ping
		kmod
		nftables
		openssl
		procps
		systemd
		systemd-sysv
		udev
	END
}

# fresh_wanted DEBIAN IMAGE HEADERS...: packages for /packages, in lines of what
# can be installed at once. What these depend on comes with them.
fresh_wanted()
{
	local debian=$1 image=$2

	shift 2
	# Modules are built from these, and signed; ccache spares an emulated
	# processor the compiling.
	echo "dkms gcc make libc6-dev ccache fakeroot sudo mokutil openssl linux-headers-cloud-amd64 $*"
	# The libraries of our tools.
	case $debian in
	12)	echo "libjwt0 libmicrohttpd12 libssl3" ;;
	13)	echo "libjwt2 libmicrohttpd12t64 libssl3t64" ;;
	esac
	echo "libjansson4 libmnl0 libnftables1 libqrencode4 libseccomp2 libsqlite3-0 libstdc++6"
	# Another kernel of this release.
	echo "$image ${image/image/headers}"
	echo "ufw iptables"
	echo "firewalld"
	echo "zsh curl jq iperf3 tcpdump wireguard-tools"
	echo "podman podman-compose buildah crun conmon netavark aardvark-dns fuse-overlayfs uidmap catatonit"
	echo "mmdebstrap debian-archive-keyring"
}

# fresh_make KERNEL RELEASE DIRECTORY DOWNLOADS: needs root. RELEASE is that of the
# kernel with which the other roots boot: what is compiled for them loads here.
fresh_make()
{
	local kernel=$1 release=$2 dir=$3 debs=$4 suite uri security setting opts=() image
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	suite=$(recipe_suite "$kernel")
	uri=$(recipe_origin Debian) ||
		die "apt of this host knows no Debian archive: 'apt-get indextargets' shows none"
	while read -r setting; do
		opts+=("--aptopt=$setting")
	done < <(apt-config dump | grep -E '^Acquire::(Check-|Retries|ForceIPv|https?::)')

	{
		echo "deb [signed-by=$keyring] $uri $suite main"
		if security=$(recipe_origin Debian-Security); then
			echo "deb [signed-by=$keyring] $security $suite-security main"
		fi
	} | mmdebstrap --mode=root --variant=important --format=directory --verbose \
		--keyring="$keyring" \
		--include="$(fresh_packages "linux-image-$release" | paste -sd,)" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt=force-unsafe-io --dpkgopt=force-confold \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--skip=download/empty --skip=essential/unlink --skip=cleanup/apt \
		--setup-hook="mkdir -p \"\$1/var/cache/apt/archives\" \"\$1/etc/initramfs-tools\"
			find '$debs' -name '*.deb' -exec cp -l -t \"\$1/var/cache/apt/archives\" {} +
			echo update_initramfs=no >\"\$1/etc/initramfs-tools/update-initramfs.conf\"" \
		"${opts[@]}" "$suite" "$dir" - || return
	image=$(fresh_other_kernel "$dir" "$release") || return
	fresh_wanted "$(fresh_debian "$kernel")" "$image" "linux-headers-$release" |
		while read -r line; do
			# shellcheck disable=SC2086 # words
			fresh_download "$dir" $line || exit
		done || return
	find "$dir/var/cache/apt/archives" -name '*.deb' -exec cp -ln -t "$debs" {} +
	fresh_archive "$dir" || return
	fresh_settle "$dir"
}

# fresh_download DIRECTORY PACKAGE...: without installing them.
fresh_download()
{
	local dir=$1

	shift
	chroot "$dir" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
		-o APT::Sandbox::User=root --download-only install "$@"
}

# The newest package with a kernel like that one, but another.
fresh_other_kernel()
{
	local series

	series=$(sed -E 's/^([0-9]+\.[0-9]+\.)[0-9]+(.*)$/\1[0-9]+\2/; s/-[0-9]+-cloud/-[0-9]+-cloud/' <<<"$2")
	chroot "$1" apt-cache pkgnames linux-image- | grep -E "^linux-image-${series//+deb/\\+deb}$" |
		grep -vxF "linux-image-$2" | sort -V | tail -n 1 | grep .
}

# Make an archive of what was downloaded, and that the only one.
fresh_archive()
{
	local dir=$1 file kept
	declare -A newest

	mkdir -p "$dir/packages"
	# The cache has more than one version of some, of other roots' days.
	(
		cd "$dir/var/cache/apt/archives" || exit
		for file in *.deb; do
			kept=${newest[${file%%_*}]:-}
			if [ -z "$kept" ] || dpkg --compare-versions "$(deb_version "$file")" gt "$(deb_version "$kept")"; then
				newest[${file%%_*}]=$file
			fi
		done
		mv -t ../../../../packages "${newest[@]}"
	) || return
	(cd "$dir/packages" && dpkg-scanpackages --multiversion . >Packages) || return
	rm -rf "$dir"/var/cache/apt/archives/*.deb "$dir"/var/lib/apt/lists/* "$dir"/etc/apt/sources.list.d/*
	echo 'deb [trusted=yes] file:/packages ./' >"$dir/etc/apt/sources.list"
	rm -f "$dir"/etc/apt/apt.conf.d/99mmdebstrap "$dir"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
	chroot "$dir" apt-get -q -o APT::Sandbox::User=root update
}

# name_VERSION_arch.deb; a colon is written as %3a.
deb_version()
{
	local version=${1#*_}

	version=${version%_*}
	echo "${version//%3a/:}"
}

# What an installer does besides, and what would disturb a test.
fresh_settle()
{
	local dir=$1 unit

	echo fresh >"$dir/etc/hostname"
	printf '127.0.0.1\tlocalhost\n127.0.1.1\tfresh\n::1\tlocalhost\n' >"$dir/etc/hosts"
	: >"$dir/etc/resolv.conf"
	# With none of its own, it would take itself for not installed yet.
	printf 'vpn' | md5sum | cut -c1-32 >"$dir/etc/machine-id"
	for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
		e2scrub_reap.service fstrim.timer logrotate.timer man-db.timer \
		getty@tty1.service serial-getty@ttyS0.service; do
		ln -sf /dev/null "$dir/etc/systemd/system/$unit"
	done
}
