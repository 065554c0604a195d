# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A real systemd in namespaces of its own.
# Read after vpnd.sh.

# shellcheck source=lib.sh
: "${TMP:?lib.sh comes first}"
[ -x /lib/systemd/systemd ] || skip_all "there is no systemd here"

CGROUP=/sys/fs/cgroup/$TEST_NAME
INIT=''

# systemd_start NAMESPACE [UNIT...]: boots one, with these besides what there always is,
# and an /etc, a /run and a /tmp of its own: it empties that when it boots.
systemd_start()
{
	ETC=$TMP/etc
	cp -a /etc "$ETC"
	mkdir -p "$TMP/etc/vpn" "$TMP/var" "$TMP/units" "$CGROUP"
	cp -a /var/lib "$TMP/var/"
	mkdir -p "$TMP/var/log" "$TMP/var/tmp"
	rm -f "$TMP/etc/resolv.conf"
	ln -s ../run/systemd/resolve/stub-resolv.conf "$TMP/etc/resolv.conf"
	# Or it takes this for the first boot after an upgrade.
	touch -r /usr "$TMP/etc/.updated" "$TMP/var/.updated"
	cat >"$TMP/etc/systemd/system/test.target" <<-END
		[Unit]
		Requires=basic.target systemd-journald.service ${*:2}
		After=basic.target ${*:2}
		AllowIsolate=yes
	END
	# shellcheck disable=SC2016 # expanded by the inner shell
	background ns "$1" sh -c '
		echo 0 >"$1/cgroup.procs"
		exec unshare --pid --fork --mount --uts --ipc --cgroup --mount-proc --kill-child sh -c "
			mount --make-rprivate /
			mount -t tmpfs -o mode=755 tmpfs /run
			umount -l /sys/fs/cgroup
			mount -t cgroup2 cgroup2 /sys/fs/cgroup
			mount --bind $0/etc /etc
			mount --bind $0/var /var
			mount -t tmpfs -o mode=1777 tmpfs /tmp
			exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
				/lib/systemd/systemd --system --unit=test.target \
				--log-target=null --show-status=no"' "$TMP" "$CGROUP"
	SYSTEMD=$!
	wait_until 5 pgrep -P "$SYSTEMD" || return
	INIT=$(pgrep -P "$SYSTEMD")
	wait_until 120 inside systemctl is-active --quiet test.target
}

# inside COMMAND...: where that systemd is.
inside() { nsenter -t "$INIT" -a -- "$@"; }

systemd_end()
{
	[ -z "$INIT" ] || kill -9 "$INIT"
	wait_until 5 test ! -d "/proc/$INIT"
	find "$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null
}
on_exit() { systemd_end; }
