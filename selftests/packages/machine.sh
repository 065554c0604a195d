#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# machine.sh VERSION: what selftests/packages/run does in the machine on which the
# packages are installed: a tunnel between two namespaces, and under it the module's
# package is upgraded; then a server by one command, with a client, under which the
# tools' package is installed anew, and then removed.  Nothing is compiled here.
# shellcheck source=points.sh
. "$(dirname "$0")/points.sh"

version=$1
export DEBIAN_FRONTEND=noninteractive
cd /root || exit

# end NAME ADDRESS: a namespace with its end of the tunnel, in which it is 10.9.0.x.
end()
{
	ip netns add "$1"
	ip link set "eth-$1" netns "$1"
	ip -n "$1" addr add "192.0.2.$2/24" dev "eth-$1"
	ip -n "$1" link set "eth-$1" up
	ip -n "$1" link add vpn0 type vpn
	ip -n "$1" addr add "10.9.0.$2/24" dev vpn0
	(umask 077 && vpnctl genkey >"$1.key")
	vpnctl pubkey <"$1.key" >"$1.pub"
}

# join NAME OTHER NUMBER-OF-THE-OTHER
join()
{
	ip netns exec "$1" vpnctl set vpn0 listen-port 51820 private-key "$1.key" \
		peer "$(cat "$2.pub")" allowed-ips "10.9.0.$3/32" endpoint "192.0.2.$3:51820" &&
		ip -n "$1" link set vpn0 up
}

tunnel()
{
	ip link add eth-a type veth peer name eth-b
	end a 1 && end b 2 && join a b 2 && join b a 1 &&
		ip netns exec a ping -c 1 -W 10 10.9.0.2
}

point "the module loads by name" modprobe vpn
equal "in the package's version" "$version" "$(cat /sys/module/vpn/version)"
point "a tunnel between two namespaces" tunnel
ip netns exec a ping -q -i 0.5 10.9.0.2 >pings &
ping=$!
# Without headers DKMS builds nothing, and the package is none the worse: on an
# emulated processor it would take a quarter of an hour.
mv "/lib/modules/$(uname -r)/build" /root/
point "upgrade under the running tunnel" dpkg -i /next/vpn-dkms_*.deb
said "says that the loaded module is older, and what to do" \
	"the loaded module is version $version; version $version.1 comes with the next boot"
kill -INT $ping
wait $ping
point "not a ping is lost meanwhile" grep -E '[0-9]+ received, 0% packet loss' pings
equal "what runs is what ran" "$version" "$(cat /sys/module/vpn/version)"
equal "units are well" running "$(systemctl is-system-running)"

#
# A server, and its client in a namespace
#
# retry COMMAND...: until it succeeds, 30 times.
retry()
{
	local n

	for ((n = 0; n < 30; n++)); do
		"$@" && return
		sleep 0.5
	done
	return 1
}

# client LINE: the command that setup has printed, and what it makes started.
client()
{
	(umask 077 && eval "$1") && ip netns exec c vpnctl up laptop.toml &&
		retry ip netns exec c ping -c 1 -W 1 10.8.0.1
}

ip link add wan0 type veth peer name eth-c
ip addr add 192.0.2.129/25 dev wan0
ip link set wan0 up
ip netns add c
ip link set eth-c netns c
ip -n c addr add 192.0.2.130/25 dev eth-c
ip -n c link set eth-c up
point "one command makes a server" vpnctl setup --yes --host 192.0.2.129
line=$(grep -o 'vpnctl profile laptop .*laptop.toml' "$LOG")
point "its unit runs" systemctl is-active vpn@server
point "and will after a boot" systemctl is-enabled vpn@server
point "the command that it prints makes a client, which connects" client "$line"
ip netns exec c ping -q -i 0.5 10.8.0.1 >pings &
ping=$!
point "the tools' package is installed under it" dpkg -i /next/vpnctl_*.deb
kill -INT $ping
wait $ping
point "not a ping is lost meanwhile" grep -E '[0-9]+ received, 0% packet loss' pings
point "the daemon listens to the new tool" vpnctl status server
point "it is purged while server and client run" dpkg --purge vpnctl
said "says what stays of a setup" "'vpnctl setup --undo' takes that back"
equal "nobody runs" "" "$(pgrep -a vpnd)"
equal "there are no devices" "" "$(ip -br link show type vpn; ip -n c -br link show type vpn)"
equal "no rules" "" "$(nft list tables | grep vpn_)"
equal "no links of units" "" "$(find /etc/systemd/system -name 'vpn@*')"
equal "of the state the record of what was set up" setup.record "$(ls /var/lib/vpn)"
point "which the package, installed again," dpkg -i /next/vpnctl_*.deb
point "can undo" vpnctl setup --undo --purge
point "and purged again" dpkg --purge vpnctl
equal "leaves nothing" "" "$(ls -d /etc/vpn /var/lib/vpn /var/log/vpn 2>/dev/null)"
