#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Names of servers and peers: name servers that fail, answer something else, or are
# silent, hold nobody up; and keys that two ends share. The hosts are those of
# vpnd.sh; web has name servers, at .1 one that fails, at .2 one that answers other
# questions, at .3 a good one.
# timeout: 120
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

ktap_start
must topo_gateway
keys c1 c2 one two
must own_etc c1
must address web eth0 198.51.100.2/24 198.51.100.3/24
vpnctl genpsk >"$TMP/psk"

# A name that is longer than what the kernel keeps of it.
LONG=vpn-$(printf '%056d' 0).example-of-a-long-name.com
names() { background ns web "$(dirname "$0")/../names.py" "$@"; }
names 198.51.100.1 '*=servfail'
names 198.51.100.2 '*=other'
names 198.51.100.3 "$LONG=10.0.3.1" peer.example.com=10.0.2.1 peer-b.example.com=10.0.2.1 \
	silent.example.com=silent
three() { [ "$(ns web ss -Hlnu "sport = :53" | wc -l)" = 3 ]; }
must wait_until 10 three
asks() { printf 'nameserver 198.51.100.%s\n' "$@" >"$ETC/resolv.conf"; }
asks 3

cat >"$TMP/srv.toml" <<END
[server]
virtual_network = "10.8.0.0/24"
[security]
private_key_path = "$TMP/srv.key"
[logging]
output = "$TMP/log/srv.log"
[metrics]
listen_address = ""
[[peer]]
name = "laptop"
public_key = "${PUB[c1]}"
preshared_key_path = "$TMP/psk"
[[peer]]
name = "one"
public_key = "${PUB[one]}"
endpoint = "silent.example.com:1"
[[peer]]
name = "two"
public_key = "${PUB[two]}"
endpoint = "peer.example.com:2"
END
cat >"$TMP/cli.toml" <<END
[client]
server_address = "$LONG:51820"
server_public_key_path = "$TMP/srv.pub"
auto_connect = false
[security]
private_key_path = "$TMP/c1.key"
preshared_key_path = "$TMP/psk"
[logging]
output = "$TMP/log/cli.log"
[interface]
name = "tun0"
END
child_of() { pgrep -P "$(vpnd_pid "$1")"; }
endpoint_of() { tool gw show vpn0 endpoints | grep -F "${PUB[$1]}" | grep -qF "$2"; }
state_is() { [ "$(vpnctl -j status cli | jq -r .state)" = "$1" ]; }
trouble_is() { vpnctl -j status cli | jq -r .trouble | grep -qF "$1"; }

#
# Names of peers.
#
check "a server starts" host gw vpnd --daemon "$TMP/srv.toml" </dev/null
check "while a name server is silent" child_of srv
check "and answers" vpnctl status srv
check "the next name is asked for" wait_until 15 endpoint_of two 10.0.2.1:2
check_equal "what nobody knows is told" "'silent.example.com' no name server answers" \
	"$(sed -n "s/.*peer=one endpoint=\([^ ]*\) reason=\"\(.*\)\"/'\1' \2/p" "$TMP/log/srv.log")"
sed -i 's/peer.example.com:2/peer-b.example.com:3/; s/silent.example.com/203.0.113.1/' "$TMP/srv.toml"
check "a plan" sh -c "vpnctl reload --dry-run srv >$TMP/plan"
check_equal "has names that are to be asked for" \
	"~ peer one ${PUB[one]} ~ endpoint peer-b.example.com of peer two, when it is resolved" \
	"$(paste -sd' ' "$TMP/plan")"
check "is carried out" vpnctl reload srv
check "and followed" wait_until 15 endpoint_of two 10.0.2.1:3
check "down" vpnctl down --keep srv
sed -i 's/peer-b.example.com:3/peer-b.example.com:4/' "$TMP/srv.toml"
must host gw vpnd --daemon "$TMP/srv.toml"
check "what the file says at the next start, too" wait_until 15 endpoint_of two 10.0.2.1:4

#
# Name servers that say nothing of use.
#
must vpnd_start c1 "$TMP/cli.toml"
asks 1 3
check "a name server fails, and another one is asked" vpnctl connect cli
check_equal "with the key that both ends share" "$(cat "$TMP/psk")" \
	"$(tool c1 show tun0 preshared-keys | cut -f2)"
handshake=$(tool c1 show tun0 latest-handshakes)
check "killed" vpnd_kill cli
check "starts again" vpnd_start c1 "$TMP/cli.toml"
check "a long name is known again" state_is connected
check_equal "and its session" "$handshake" "$(tool c1 show tun0 latest-handshakes)"
check "disconnect" vpnctl disconnect cli
asks 2 3
check "an answer to another question is none" vpnctl connect cli
check "disconnect" vpnctl disconnect cli
asks 1
background vpnctl connect cli
check "when all fail, it is said" wait_until 20 trouble_is "the name servers cannot find out about 'vpn-0"

#
# A key that is none.
#
sed "s|^preshared_key_path.*|preshared_key_path = \"/etc/hostname\"|" "$TMP/srv.toml" >"$TMP/wrong"
cp "$TMP/wrong" "$TMP/srv.toml"
check_says "a file without a key is named" "'/etc/hostname' has no key in it" vpnctl reload srv

#
# What is left of a client that is killed while it waits for a name.
#
must vpnctl down cli
sed -i 's/^server_address.*/server_address = "silent.example.com:51820"/; /auto_connect/d' \
	"$TMP/cli.toml"
# For a long time.
asks 3 3 3 3
must vpnd_start c1 "$TMP/cli.toml"
check "a client waits for a name" wait_until 5 child_of cli
child=$(child_of cli)
check "killed" vpnd_kill cli
check "whoever asked ends with it" wait_until 5 test ! -d "/proc/$child"
check "and does not keep another from starting" vpnd_start c1 "$TMP/cli.toml"
check "down" vpnctl down cli
check "down" vpnctl down srv
ktap_end
