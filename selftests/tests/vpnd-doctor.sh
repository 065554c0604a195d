#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "vpnctl doctor": nothing is wrong with a server and a client that work; then the
# faults that people have most are made, one after the other, and each is found, and
# nothing else. The hosts are those of vpnd.sh.
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

# Nobody sets the clock of a test machine, and the kernel knows.
synchronised()
{
	python3 - <<-'END'
		import ctypes, struct
		ADJ_MAXERROR, ADJ_ESTERROR, ADJ_STATUS = 4, 8, 16
		timex = ctypes.create_string_buffer(256)
		struct.pack_into("@Iqqqqi", timex, 0, ADJ_MAXERROR | ADJ_ESTERROR | ADJ_STATUS, 0, 0, 0, 0, 0)
		ctypes.CDLL(None).adjtimex(timex)
	END
}

# doctor HOST FILE: what is wrong, "FAIL key" for instance, in $FOUND. It is vpnd that
# vpnctl runs for it; without that there are fewer programs to start.
doctor()
{
	local verdict exam rest

	narrate ns "$1" vpnctl doctor "$2"
	host "$1" vpnd --doctor "$2" >"$TMP/said" 2>&1
	FOUND=''
	while read -r verdict exam rest; do
		echo "$verdict $exam $rest" >&2
		case $verdict in
		warn | FAIL)	FOUND+=${FOUND:+ }"$verdict $exam" ;;
		esac
	done <"$TMP/said"
}
# finds TEXT HOST FILE WHAT [PATTERN]: that alone, and what it says matches.
finds()
{
	doctor "$2" "$3"
	if [ "$FOUND" != "$4" ]; then
		note "found '$FOUND', not '$4'"
		fail "$1"
	elif [[ $(<"$TMP/said") =~ ${5:-.} ]]; then
		pass "$1"
	else
		note "said nothing like /$5/"
		fail "$1"
	fi
}
answers_names() { background ns web "$SELFTESTS/names.py" 198.51.100.1; NAMES=$!; wait_until 10 listening web udp 53; }
unanswered() { [ "$(tool c1 show tun0 unanswered | awk '{ print $2 }')" -ge 2 ]; }

ktap_start
must topo_gateway
keys c1 c2
must own_etc c1
must synchronised
must answers_names
cat >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/24"
[security]
private_key_path = "$TMP/srv.key"
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
[firewall]
dns_servers = ["198.51.100.1"]
[[peer]]
name = "laptop"
public_key = "${PUB[c1]}"
END
cat >"$TMP/cli.toml" <<END
[client]
server_address = "10.0.3.1:51820"
server_public_key_path = "$TMP/srv.pub"
[security]
private_key_path = "$TMP/c1.key"
[logging]
output = "$TMP/log/cli.log"
[interface]
name = "tun0"
[routes]
routes = ["0.0.0.0/1", "10.0.0.0/8"]
exclude_routes = ["10.0.0.0/24", "10.0.2.0/24"]
END
srv=$TMP/srv.toml cli=$TMP/cli.toml

finds "before a server's first start nothing is wrong" gw "$srv" ""
must vpnd_start gw "$srv"
check_equal "nor with one that runs" 10 "$(ns gw vpnctl doctor | grep -c '^  ok  ')"
finds "before a client's start nothing is wrong" c1 "$cli" ""
must vpnd_start c1 "$cli"
must vpnctl connect cli
must arrives c1 198.51.100.1
state gw >"$TMP/before"
state c1 >>"$TMP/before"
check_equal "nor with one that is connected" "true tun0 8" "$(host c1 vpnctl -j doctor "$cli" |
	jq -r '.subjects[0] as $one | [.ok, $one.device, ($one.checks | map(select(.verdict == "ok")) | length)] |
		map(tostring) | join(" ")')"
state gw >"$TMP/after"
state c1 >>"$TMP/after"
check "and nothing is changed" diff "$TMP/before" "$TMP/after"

#
# Of a server
#
must ns gw nft -f - <<'END'
table inet fw {
	chain input {
		type filter hook input priority 0; policy drop
		iifname "lo" accept
		ct state vmap { established : accept, related : accept, invalid : drop }
		tcp dport { 22, 80-90 } accept
		meta l4proto 58 accept
	}
}
END
finds "a port that is blocked" gw "$srv" "FAIL port" \
	'UDP port 51820 is blocked for IPv4 by nftables: inet fw input, policy drop; let .udp dport 51820 accept'
must ns gw nft add chain inet fw ports
must ns gw nft add rule inet fw ports udp dport 51000-52000 accept
must ns gw nft add rule inet fw input jump ports
finds "one that is opened" gw "$srv" ""
must ns gw nft insert rule inet fw ports udp dport 51820 drop
finds "and closed before" gw "$srv" "FAIL port" 'inet fw ports, handle [0-9]+'
must ns gw nft delete table inet fw

must ns gw sysctl -qw net.ipv4.ip_forward=0
finds "forwarding that is off" gw "$srv" "FAIL forwarding" 'it is off: net.ipv4.ip_forward is 0'
must ns gw sysctl -qw net.ipv4.ip_forward=1
must ns gw nft -f - <<'END'
table ip filter {
	chain FORWARD {
		type filter hook forward priority 0; policy drop
		oifname "docker0" accept
	}
}
END
finds "others' rules that drop what is forwarded" gw "$srv" "FAIL forwarding" \
	'nftables drops what clients send on: ip filter FORWARD, policy drop'
must ns gw nft insert rule ip filter FORWARD iifname vpn0 counter accept
finds "rules that don't" gw "$srv" ""
must ns gw nft delete table ip filter

must cp "$srv" "$TMP/good.toml"
must sed -i 's/^\[firewall\]/&\nnat_interface = "eth9"/' "$srv"
finds "NAT through a device that there is not" gw "$srv" "FAIL nat" "there is no device 'eth9'"
must cp "$TMP/good.toml" "$srv"
# While vpnd runs it puts back what somebody takes away.
must vpnd_kill srv
must ns gw nft delete table inet vpn_vpn0
finds "NAT that is missing" gw "$srv" "FAIL nat" 'no rule gives 10.8.0.0/24 another source'
must vpnd_start gw "$srv"

must touch -d '+2 hours' "$TMP/srv.key"
finds "a clock that is behind" gw "$srv" "FAIL clock" "srv.key' was written 7[0-9]* s later than now"
must touch "$TMP/srv.key"

must ns gw ip addr add 10.8.0.200/24 dev eth1
finds "a network that is here twice" gw "$srv" "FAIL address" \
	'10.8.0.0/24 of the tunnel and 10.8.0.200/24 of eth1 are one network'
must ns gw ip addr del 10.8.0.200/24 dev eth1

must sed -i "s|^private_key_path.*|private_key_path = \"$TMP/c2.key\"|" "$srv"
finds "another key in the device" gw "$srv" "FAIL key" \
	'vpn0 has another private key than the file names'
must cp "$TMP/good.toml" "$srv"

kill "$NAMES"
finds "a name server that does not answer" gw "$srv" "FAIL dns" '198.51.100.1 does not answer'
must answers_names

#
# Of a client
#
must arrives c1 198.51.100.1
must ns router ip link set eth3 mtu 1400
finds "an MTU that is too big" c1 "$cli" "FAIL mtu" \
	"1420 is too big: on the way to 10.0.3.1:51820 a packet may have 1400 octets.*'mtu = 1340' in"
must ns router ip link set eth3 mtu 1500
must ns c1 ip route flush cache

must ns c1 ip route del default dev tun0 table 51820
finds "a route that is missing" c1 "$cli" "FAIL route" '0.0.0.0/0 does not go through the tunnel, but nowhere'
must vpnctl reload cli
must ns c1 ip rule del not fwmark 51820 table 51820
finds "a rule that is missing" c1 "$cli" "FAIL route" '0.0.0.0/0 does not go through the tunnel, but out from 10.0.1.1'
must vpnctl reload cli

must cp "$ETC/resolv.conf" "$TMP/resolv.conf"
echo "nameserver 192.0.2.53" >"$ETC/resolv.conf"
finds "somebody else's resolver" c1 "$cli" "FAIL dns" "does not ask the tunnel's name servers"
cat "$TMP/resolv.conf" >"$ETC/resolv.conf"

must cp "$cli" "$TMP/good.toml"
echo "${PUB[c1]}" >"$TMP/wrong.pub"
must sed -i "s|^server_public_key_path.*|server_public_key_path = \"$TMP/wrong.pub\"|" "$cli"
finds "its own key for the server's" c1 "$cli" "FAIL key" "own public key"
must cp "$TMP/good.toml" "$cli"
must vpnctl down cli

must sed -i 's/10.0.3.1:/nowhere.example.com:/' "$cli"
finds "a name that nobody knows" c1 "$cli" "FAIL dns" "'nowhere.example.com' is not known"
must cp "$TMP/good.toml" "$cli"

timescale 20
must ns router nft -f - <<'END'
table inet fw {
	chain forward {
		type filter hook forward priority 0; policy accept
		udp dport 51820 drop
	}
}
END
must vpnd_start c1 "$cli"
must wait_until 20 unanswered
finds "a server behind a port that is blocked" c1 "$cli" "FAIL port" \
	'10.0.3.1:51820 has not answered [0-9]+ handshakes: the port is blocked on the way, or'
must ns router nft add rule inet fw forward accept
must ns router nft insert rule inet fw forward udp dport 51820 reject with icmp admin-prohibited
finds "or refused" c1 "$cli" "FAIL port" 'a firewall refuses'
must ns router nft delete table inet fw
must vpnctl down cli
printf '[security]\npreshared_key_path = "%s"\n' "$TMP/c2.key" >"$TMP/psk"
must sed -i "/^\[security\]/{r $TMP/psk
d}" "$cli"
must vpnd_start c1 "$cli"
must wait_until 20 unanswered
finds "another preshared key" c1 "$cli" "FAIL key" 'the server answers, but with another preshared key'
must vpnctl down cli
must vpnctl down srv

#
# A device that was made by hand
#
must wg_client c2
must tool c2 set vpn0 peer "${PUB[c1]}" \
	endpoint 10.0.3.1:9 allowed-ips 10.9.0.1/32 persistent-keepalive 1
must ns c2 ip addr add 10.9.0.2/32 dev vpn0
must ns c2 ip link set vpn0 up
no_answer() { [ "$(tool c2 show vpn0 unanswered | awk '{ print $2 }')" -ge 2 ]; }
must wait_until 20 no_answer
check_equal "a device without vpnd" "FAIL port warn route" \
	"$(ns c2 env VPN_RUNTIME_DIR="$TMP/nothing" vpnctl doctor | tee /dev/stderr |
		awk '/^  (warn|FAIL)/ { print $1, $2 }' | paste -sd' ')"
check_says "somebody who is not root" "only root" ns c2 setpriv --reuid 65534 vpnctl doctor
must ns c2 ip link del vpn0

#
# The module
#
must rmmod vpn
finds "a module that is there" gw "$srv" ""
# hidden FILE COMMAND...: what is mounted is so for that command only.
hidden() { ns gw unshare -m --propagation private sh -c "$1; exec \"\$@\"" "$@"; }
told() { grep -E '^  (warn|FAIL)'; }
check_equal "a module that is not" "FAIL module it is not loaded, and there is none for kernel" \
	"$(hidden "mount -t tmpfs tmpfs /lib/modules" vpnctl doctor "$srv" | told |
		sed -n 's/  */ /g; s/^ \(.* for kernel\) .*/\1/p')"
echo Y >"$TMP/Y"
check_equal "one that is not signed, when it has to be" \
	"FAIL module it is not signed, and this kernel takes only what is" \
	"$(hidden "mount --bind $TMP/Y /sys/module/module/parameters/sig_enforce" vpnctl doctor "$srv" |
		told | sed 's/  */ /g; s/^ //; s/;.*//')"
check_says "a file with a fault" "4:1: 'nonsense' is not a key" sh -c \
	"sed 's/^private_key_path/nonsense/' $srv >$TMP/fault.toml; vpnctl doctor $TMP/fault.toml"
ktap_end
