# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Helpers for the tests.  A test is a bash script in tests/ that looks like this:
#
#	#!/bin/bash
#	# SPDX-License-Identifier: GPL-2.0
#	# timeout: 60			(seconds; 120 without this line)
#	# kernels: 6.12 7.3		(all without this line)
#	. "$(dirname "$0")/../lib.sh"
#
#	ktap_start
#	topo_two
#	check "hosts reach each other" ns h1 ping -c 1 10.0.0.2
#	ktap_end
#
# Results go to standard output as KTAP; what is done goes to standard error.
# Namespaces, background processes and files of a test end with it.

# The link kind under test and its tool.  The kernel's own WireGuard has the same
# grammar: SELFTEST_KIND=wireguard tries a test out on that.
VPN_KIND=${SELFTEST_KIND:-vpn}
case $VPN_KIND in
wireguard)	VPN_TOOL=${SELFTEST_TOOL:-wg} ;;
*)		VPN_TOOL=${SELFTEST_TOOL:-vpnctl} ;;
esac

TEST_NAME=$(basename "$0")
TEST_NAME=${TEST_NAME%.*}
TMP=$(mktemp -d "/tmp/$TEST_NAME.XXXXXX")
chmod 700 "$TMP"

_points=0
_failed=0
_planned=''
_namespaces=()

#
# Results
#

# ktap_start [N]: the header; with N, that many points must follow.
ktap_start()
{
	_planned=${1:-}
	echo "KTAP version 1"
	[ -z "$_planned" ] || echo "1..$_planned"
}

# ktap_end: the plan, unless it was given; exit status 0 if all is well.
ktap_end()
{
	[ -n "$_planned" ] || echo "1..$_points"
	if [ -n "$_planned" ] && [ "$_planned" != "$_points" ]; then
		echo "# $_points points, but $_planned were planned"
		exit 1
	fi
	[ "$_failed" = 0 ]
	exit
}

pass()
{
	_points=$((_points + 1))
	echo "ok $_points - $*"
}

fail()
{
	_points=$((_points + 1))
	_failed=$((_failed + 1))
	echo "not ok $_points - $*"
	return 1
}

# skip TEXT REASON: a point that cannot be tested here.
skip()
{
	_points=$((_points + 1))
	echo "ok $_points - $1 # SKIP ${2:-}"
}

# skip_all REASON: nothing of this test can be done here.
skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

# note TEXT: a diagnostic line.
note()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

# ok TEXT STATUS: a point decided by an exit status that is already known:
#	[ "$a" = "$b" ]; ok "a equals b" $?
ok()
{
	if [ "$2" = 0 ]; then
		pass "$1"
	else
		fail "$1"
	fi
}

# check TEXT COMMAND...: the command must succeed.  Its output is shown on
# standard error.  Returns its status as 0 or 1.
check()
{
	local text=$1

	shift
	if run "$@" >&2; then
		pass "$text"
	else
		note "exit status $? from: $*"
		fail "$text"
	fi
}

# check_fail TEXT COMMAND...: the command must fail in an ordinary way: being
# killed by a signal or not being found is no proof of a refusal.
check_fail()
{
	local text=$1 status=0

	shift
	run "$@" >&2 || status=$?
	if [ $status -gt 0 ] && [ $status -lt 126 ]; then
		pass "$text"
	else
		note "exit status $status from: $*"
		fail "$text"
	fi
}

# check_says TEXT PATTERN COMMAND...: the command must fail, and its standard
# error must match the extended regular expression.
check_says()
{
	local text=$1 pattern=$2 status=0

	shift 2
	narrate "$@"
	"$@" >&2 2>"$TMP/said" || status=$?
	cat "$TMP/said" >&2
	if [ $status -gt 0 ] && [ $status -lt 126 ] && grep -Eq -e "$pattern" "$TMP/said"; then
		pass "$text"
	else
		note "exit status $status, said '$(cat "$TMP/said")', not /$pattern/, from: $*"
		fail "$text"
	fi
}

# check_equal TEXT WANTED GOT
check_equal()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		note "wanted '$2', got '$3'"
		fail "$1"
	fi
}

# must COMMAND...: without this the test makes no sense: end it.
must()
{
	run "$@" && return
	echo "Bail out! exit status $? from: $*"
	exit 1
}

#
# Doing things
#

# A pipe that nobody ever writes to.
exec {_silence}<> <(:)

# sleep SECONDS: without a process.  Starting one takes longer on an emulated
# processor than what is waited for between two looks at something.
sleep()
{
	case $1 in
	*[!0-9.]*)	command sleep "$@" ;;
	*)		read -r -t "$1" -u "$_silence" || true ;;
	esac
}

# narrate COMMAND...: say what is about to be done.
narrate()
{
	case $1 in
	ns)	printf '+ [%s] %s\n' "$2" "${*:3}" >&2 ;;
	tool)	printf '+ [%s] %s\n' "$2" "$VPN_TOOL ${*:3}" >&2 ;;
	*)	printf '+ %s\n' "$*" >&2 ;;
	esac
}

# run COMMAND...: say what is done, and do it.
run()
{
	narrate "$@"
	"$@"
}

# wait_until SECONDS COMMAND...: try again and again until it succeeds.
wait_until()
{
	local end=$((SECONDS + $1))

	shift
	while ! "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge "$end" ]; then
			printf '+ waited in vain for: %s\n' "$*" >&2
			return 1
		fi
		sleep 0.1
	done
}

# background COMMAND...: start it; the end of the test ends it.  Its process id
# is in $!; what runs in a namespace is that process itself, and not its child, so
# that it can be ended.
background()
{
	narrate "$@" "&"
	case $1 in
	ns)	nsenter --net="/run/netns/$(netns "$2")" -- "${@:3}" </dev/null >&2 & ;;
	*)	"$@" </dev/null >&2 & ;;
	esac
}

# listening NAMESPACE tcp|udp PORT
listening()
{
	ns "$1" ss -Hln "--$2" "sport = :$3" | grep -q .
}

#
# Namespaces
#

# The namespace's name on this machine: unique, as two tests may run at once.
netns()
{
	echo "$TEST_NAME-$$-$1"
}

# ns NAME COMMAND...: run in that namespace.
ns()
{
	local space=$TEST_NAME-$$-$1

	shift
	# 'ip netns exec' would give it a /sys of that namespace, too.  On an
	# emulated processor that takes longer than most commands do.
	if [ "$1" = ip ]; then
		shift
		ip -n "$space" "$@"
	else
		nsenter --net="/run/netns/$space" -- "$@"
	fi
}

# ns_add NAME...: make namespaces, with a loopback that is up.
ns_add()
{
	local name

	for name; do
		run ip netns add "$(netns "$name")" || return
		_namespaces+=("$name")
		ns "$name" ip link set lo up || return
		# Addresses are to be usable at once.
		ns "$name" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	done
}

# ns_del NAME: end the processes in a namespace, and it.
ns_del()
{
	local name=$1 left=() n

	# shellcheck disable=SC2046 # a list of numbers
	kill -9 $(ip netns pids "$(netns "$name")" 2>/dev/null) 2>/dev/null
	ip netns del "$(netns "$name")" 2>/dev/null
	for n in "${_namespaces[@]}"; do
		[ "$n" = "$name" ] || left+=("$n")
	done
	_namespaces=("${left[@]}")
}

# veth A DEVICE-IN-A B DEVICE-IN-B: a cable between two namespaces.
veth()
{
	run ip link add "$2" netns "$(netns "$1")" type veth peer name "$4" netns "$(netns "$3")" &&
		ns "$1" ip link set "$2" up &&
		ns "$3" ip link set "$4" up
}

# address NAMESPACE DEVICE ADDRESS/LENGTH...
address()
{
	local name=$1 device=$2 a

	shift 2
	for a; do
		case $a in
		*:*)	run ns "$name" ip addr add "$a" dev "$device" nodad ;;
		*)	run ns "$name" ip addr add "$a" dev "$device" ;;
		esac || return
	done
}

# topo_two: two hosts on one cable.
#
#	h1 [eth0 10.0.0.1/24 fd00::1/64] ---- [eth0 10.0.0.2/24 fd00::2/64] h2
topo_two()
{
	ns_add h1 h2 &&
		veth h1 eth0 h2 eth0 &&
		address h1 eth0 10.0.0.1/24 fd00::1/64 &&
		address h2 eth0 10.0.0.2/24 fd00::2/64
}

# topo_three: two hosts with a router between them.
#
#	h1 [eth0 10.0.1.1/24 fd00:1::1/64]        h2 [eth0 10.0.2.1/24 fd00:2::1/64]
#	     |                                         |
#	[eth1 10.0.1.254 fd00:1::fe]  router  [eth2 10.0.2.254 fd00:2::fe]
topo_three()
{
	local n

	ns_add h1 router h2 || return
	for n in 1 2; do
		veth "h$n" eth0 router "eth$n" &&
			address "h$n" eth0 "10.0.$n.1/24" "fd00:$n::1/64" &&
			address router "eth$n" "10.0.$n.254/24" "fd00:$n::fe/64" &&
			ns "h$n" ip route add default via "10.0.$n.254" &&
			ns "h$n" ip route add default via "fd00:$n::fe" || return
	done
	ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

#
# Tunnels
#

declare -A PUB

# keys NAME...: key pairs, the private ones in $TMP/NAME.key, the public ones in
# ${PUB[NAME]}.
keys()
{
	local name

	for name; do
		(umask 077 && "$VPN_TOOL" genkey >"$TMP/$name.key") &&
			PUB[$name]=$("$VPN_TOOL" pubkey <"$TMP/$name.key") || return
	done
}

# link_add NAMESPACE DEVICE [ADDRESS/LENGTH...]: a device of the kind under test,
# not up yet.
link_add()
{
	local name=$1 device=$2

	shift 2
	run ns "$name" ip link add "$device" type "$VPN_KIND" &&
		address "$name" "$device" "$@"
}

# tool NAMESPACE ARGUMENT...: the tool under test.
tool()
{
	local name=$1

	shift
	ns "$name" "$VPN_TOOL" "$@"
}

# tunnel_two: topo_two with a tunnel over IPv4; h1 listens on 1001, h2 on 1002.
#
#	h1 [vpn0 192.168.99.1/24 fd99::1/64] ==== [vpn0 192.168.99.2/24 fd99::2/64] h2
tunnel_two()
{
	topo_two && tunnel_ends 10.0.0.1 10.0.0.2
}

# tunnel_ends OUTER1 OUTER2: that tunnel between h1 and h2 of any topology.
tunnel_ends()
{
	local outer1=$1 outer2=$2

	case $outer1 in
	*:*)	outer1="[$1]" outer2="[$2]" ;;
	esac
	keys h1 h2 &&
		link_add h1 vpn0 192.168.99.1/24 fd99::1/64 &&
		link_add h2 vpn0 192.168.99.2/24 fd99::2/64 &&
		run tool h1 set vpn0 listen-port 1001 private-key "$TMP/h1.key" \
			peer "${PUB[h2]}" endpoint "$outer2:1002" \
			allowed-ips 192.168.99.2/32,fd99::2/128 &&
		run tool h2 set vpn0 listen-port 1002 private-key "$TMP/h2.key" \
			peer "${PUB[h1]}" endpoint "$outer1:1001" \
			allowed-ips 192.168.99.1/32,fd99::1/128 &&
		run ns h1 ip link set vpn0 up &&
		run ns h2 ip link set vpn0 up
}

# iperf FROM TO ADDRESS [IPERF3-OPTION...]: a TCP transfer (or what the options
# say) from one namespace to the other; prints iperf3's report.
iperf()
{
	local from=$1 to=$2 address=$3 server status=0

	shift 3
	ns "$to" iperf3 -s -1 -B "$address" >"$TMP/iperf-server" 2>&1 </dev/null &
	server=$!
	wait_until 10 listening "$to" tcp 5201 &&
		run ns "$from" iperf3 -c "$address" -t 2 "$@" || status=$?
	if [ $status != 0 ]; then
		cat "$TMP/iperf-server" >&2
		kill "$server" 2>/dev/null
	fi
	wait "$server" 2>/dev/null
	return $status
}

_cleanup()
{
	local status=$? name

	trap - EXIT
	exec 2>/dev/null
	if [ "$(type -t on_exit)" = function ]; then
		on_exit
	fi
	for name in "${_namespaces[@]}"; do
		ns_del "$name"
	done
	# shellcheck disable=SC2046 # a list of numbers
	kill $(jobs -p)
	rm -rf "$TMP"
	exit "$status"
}
trap _cleanup EXIT
trap 'exit 143' INT TERM HUP
