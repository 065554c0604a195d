#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# 'vpnctl setup' on a host with ufw, and with firewalld: it has the port opened, and
# what clients send on let through; rules of others stay, and an undo takes back its own.
#
#	web [eth0 198.51.100.1] ---- [wan0 198.51.100.2] machine [lan0 10.0.1.254] ---- [eth0 10.0.1.1] c1
#	    [lo 203.0.113.1]
#
# What is on a cable of the server counts as its LAN; 203.0.113.1 is the internet.
# What this machine serves on TCP port 8080, no firewall opens to anybody.
# timeout: 600
# kernels: 6.1 6.12
# machine: fresh=firewalls
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"

export VPN_RUNTIME_DIR=$TMP/run VPN_STATE_DIR=$TMP/state
on_exit()
{
	vpnctl down c1 2>/dev/null
	setup --undo --purge
	ip link del wan0
	ip link del lan0
	kill "$server"
}

setup() { env -u VPN_RUNTIME_DIR -u VPN_STATE_DIR vpnctl setup "$@"; }

# cable DEVICE NAME ADDRESS OTHER: from this machine to a namespace.
cable()
{
	run ip link add "$1" type veth peer name eth0 netns "$(netns "$2")" &&
		run ip addr add "$3" dev "$1" && run ip link set "$1" up &&
		ns "$2" ip link set eth0 up && address "$2" eth0 "$4" &&
		ns "$2" ip route add default via "${3%/*}"
}

# There and back, by the device of the tunnel.
through()
{
	ns c1 ip route get 203.0.113.1 | grep -q 'dev vpn0' && reach c1 203.0.113.1
}

# asks [COMMAND...]: whether what this machine serves can be had, by the command if given.
asks() { "$@" timeout 3 bash -c "exec 3<>/dev/tcp/10.8.0.1/8080" 2>/dev/null; }

# serves FIREWALL: setup, a client, and an undo, of whose rules "rules" tells.
serves()
{
	rules >"$TMP/before"
	check "$1: setup" setup --yes
	check "$1: a client is made" sh -c "umask 077; vpnctl profile c1 --server 198.51.100.2:51820 >$TMP/c1.toml"
	check "$1: it starts" ns c1 vpnctl up "$TMP/c1.toml"
	check "$1: and gets through" wait_until 20 through
	must asks
	check_fail "$1: what it keeps closed is closed to clients" asks ns c1
	check "$1: what was there is there" theirs
	check "$1: again" setup --yes
	run ns c1 vpnctl down c1
	check "$1: undo" setup --undo --purge
	rules >"$TMP/after"
	check "$1: has the rules that it had" diff "$TMP/before" "$TMP/after"
}

ktap_start
must cp -a /vpn/build/tools/. /
must cp -r /vpn/build/module/. "/lib/modules/$(uname -r)/"
must depmod
must ns_add web c1
must cable wan0 web 198.51.100.2/24 198.51.100.1/24
must cable lan0 c1 10.0.1.254/24 10.0.1.1/24
must ip route add default via 198.51.100.1
must ns web ip addr add 203.0.113.1/32 dev lo

background systemd-socket-activate --accept -l 8080 cat
server=$!
must wait_until 10 sh -c "ss -tln | grep -q :8080"

theirs() { firewall-cmd --zone=public --query-port=2222/tcp; }
rules() { firewall-cmd --list-all-zones; firewall-cmd --permanent --list-all-zones; }
must wait_until 30 firewall-cmd --state
must firewall-cmd --zone=public --add-port=2222/tcp
serves firewalld
must systemctl stop firewalld

theirs() { ufw show added | grep -x "ufw allow 22/tcp comment 'mine'"; }
rules() { ufw show added; cat /etc/ufw/user.rules /etc/ufw/user6.rules; }
must ufw allow 22/tcp comment mine
must ufw --force enable
check "ufw: nothing else comes in" no_reach c1 203.0.113.1
serves ufw
ktap_end
