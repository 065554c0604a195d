# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a root consists of.  The hash of this file names the cached root, so any
# change here makes new ones.  To be sourced; common.sh comes first.

recipe_suite()
{
	case $1 in
	6.1)		echo bookworm ;;
	6.12 | 7.3)	echo trixie ;;
	esac
}

# The kernel of 7.3 comes from backports, all else from the release.
recipe_backports()
{
	[ "$1" = 7.3 ]
}

recipe_packages()
{
	cat <<-END
		linux-image-cloud-amd64
		linux-headers-cloud-amd64
		g++
		gcc
		libc6-dev
		make
		libjansson-dev
		libjwt-dev
		libmicrohttpd-dev
		libmnl-dev
		libnftables-dev
		libqrencode-dev
		libseccomp-dev
		libsqlite3-dev
		libssl-dev
		libsystemd-dev
		libtomlplusplus-dev
		pkg-config
		bash
		busybox-static
		curl
		dbus
		ethtool
		iperf3
		iproute2
		iputils-ping
		iputils-tracepath
		jq
		kmod
		mount
		netcat-openbsd
		nftables
		openssl
		perl
		procps
		python3
		python3-cryptography
		python3-jwt
		socat
		sqlite3
		strace
		systemd
		systemd-resolved
		tcpdump
		wireguard-go
		wireguard-tools
	END
	# Static analysis of the module, and whether a QR code can be read, need
	# to be looked at for one kernel only.
	if [ "$1" = 7.3 ]; then
		echo sparse
		echo libzbar0t64
	fi
	# Where the instructions go, for the kernels that are compared with peers;
	# and whether a real Prometheus likes our metrics, for one.
	case $1 in
	6.1 | 7.3)	echo linux-perf ;;
	6.12)		echo prometheus ;;
	esac
}

# recipe_make KERNEL DIRECTORY DOWNLOADS: needs root.
recipe_make()
{
	local kernel=$1 dir=$2 debs=$3 suite uri security setting opts=()
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	suite=$(recipe_suite "$kernel")
	# The mirror and the way to reach it are those with which this host's
	# own apt works.
	uri=$(recipe_origin Debian) ||
		die "apt of this host knows no Debian archive: 'apt-get indextargets' shows none"
	while read -r setting; do
		opts+=("--aptopt=$setting")
	done < <(apt-config dump | grep -E '^Acquire::(Check-|Retries|ForceIPv|https?::)')

	# Backports rank with the release, so that what the kernel depends on
	# comes from there as well.
	if recipe_backports "$kernel"; then
		opts+=("--setup-hook=mkdir -p \"\$1/etc/apt/preferences.d\"
			printf 'Package: *\nPin: release n=$suite-backports\nPin-Priority: 500\n' \
				>\"\$1/etc/apt/preferences.d/backports\"")
	fi

	{
		echo "deb [signed-by=$keyring] $uri $suite main"
		if recipe_backports "$kernel"; then
			echo "deb [signed-by=$keyring] $uri $suite-backports main"
		fi
		if security=$(recipe_origin Debian-Security); then
			echo "deb [signed-by=$keyring] $security $suite-security main"
		fi
	} | mmdebstrap --mode=root --variant=apt --format=directory --verbose \
		--keyring="$keyring" \
		--include="$(recipe_packages "$kernel" | paste -sd,)" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt=force-unsafe-io --dpkgopt=force-confold \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--skip=download/empty --skip=essential/unlink \
		--setup-hook="mkdir -p \"\$1/var/cache/apt/archives\" \"\$1/etc/initramfs-tools\"
			find '$debs' -name '*.deb' -exec cp -l -t \"\$1/var/cache/apt/archives\" {} +
			echo update_initramfs=no >\"\$1/etc/initramfs-tools/update-initramfs.conf\"" \
		--customize-hook="find \"\$1/var/cache/apt/archives\" -name '*.deb' -exec cp -ln -t '$debs' {} +" \
		"${opts[@]}" "$suite" "$dir" -
}

# Print the address from which apt takes the archive labelled $1.
recipe_origin()
{
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' "Label: $1" |
		sort -u | head -n 1 | grep .
}
