# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The configuration of the daemon: what run.sh reads when there is one.

# shellcheck source=run.sh
: "${VPND:?is read by run.sh}" "${VPNCTL:?}"

# refused TEXT "LINE:COLUMN: SENTENCE": the file on standard input has that fault.
refused()
{
	cat >wrong.toml
	"$VPND" --check wrong.toml >said 2>&1
	status=$?
	[ $status = 1 ] && grep -qF -e "wrong.toml:$2" said
	found=$?
	[ $found = 0 ] || sed 's/^/# said: /' said
	result "$1" $found
}

# right TEXT: the file on standard input is.
right()
{
	cat >right.toml
	"$VPND" --check right.toml >said 2>&1
	status=$?
	[ $status = 0 ] || sed 's/^/# said: /' said
	result "$1" $status
}

right "a server as in the examples" <"$HERE/../../deploy/examples/server.toml"
right "a client as in the examples" <"$HERE/../../deploy/examples/client.toml"

KEY_A=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
KEY_B=AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
right "a server with all that there is" <<END
[server]
listen_address = "[::]:1001"
virtual_network = ["10.8.0.254/24", "fd08::/64"]
lease_time = "12h"
reserved_addresses = ["10.8.0.2-10.8.0.9", "fd08::7"]
pool_slice = "2/3"
push_routes = ["10.0.0.0/8"]
client_mtu = 1380
client_keepalive = 25
[firewall]
client_to_client = true
nat = true
nat_interface = "eth0"
[logging]
format = "json"
output = "journal"
[metrics]
listen_address = ""
[hooks]
up = "true"
down = ["true", "false"]
[[peer]]
name = "laptop"
public_key = "$KEY_A"
address = ["10.8.0.20", "fd08::20"]
[[peer]]
name = "office"
public_key = "$KEY_B"
allowed_ips = ["192.168.50.0/24"]
endpoint = "office.example.com:51820"
keepalive = 25
END
right "a client with several servers" <<END
[client]
server_address = ["a.example.com:51820", "[2001:db8::1]:51820"]
server_public_key = ["$KEY_A", "$KEY_B"]
[interface]
address = ["10.8.0.2/24", "fd08::2/64"]
[routes]
split_tunnel = true
routes = "10.9.0.0/16"
[firewall]
kill_switch = true
[dns]
use_vpn_dns = false
method = "file"
END

refused "not TOML" "2:" <<<$'[server]\nvirtual_network = '
refused "a misspelt key" "2:1: 'virtual_netwrok' is not a key of [server]; did you mean 'virtual_network'?" \
	<<<$'[server]\nvirtual_netwrok = "10.8.0.0/24"'
refused "a key that is missing" "1:1: [server] has no virtual_network" <<<'[server]'
refused "a misspelt section" "3:2: 'loging' is not a section; did you mean 'logging'?" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[loging]\nlevel = "info"'
refused "a misspelt role" "1:2: 'sever' is not a section; did you mean 'server'?" \
	<<<$'[sever]\nvirtual_network = "10.8.0.0/24"'
refused "a key in another section" "2:1: 'level' is not a key of [server]; it belongs to [logging]" \
	<<<$'[server]\nlevel = "info"'
refused "a key outside of a section" "1:1: 'virtual_network' stands outside of a section; it belongs to [server]" \
	<<<$'virtual_network = "10.8.0.0/24"\n[server]'
refused "a misspelt word" "4:9: level: 'inf' is not right; it is one of \"error\", \"warning\", \"info\", \"debug\"; did you mean 'info'?" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[logging]\nlevel = "inf"'
refused "a word in quotes" "4:7: nat: 'true' is not right; it is true or false, without quotes" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[firewall]\nnat = "true"'
refused "a number out of range" "3:15: max_clients: -1 is out of range; it is a number from 0 to 1048576" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\nmax_clients = -1'
refused "a fraction" "3:15: max_clients: a fraction, a date or a time is not right" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\nmax_clients = 1.5'
refused "an element of a list" "2:38: virtual_network: 'fd08::' is not right; it is a network of 4 addresses or more" \
	<<<$'[server]\nvirtual_network = [ "10.8.0.0/24",   "fd08::" ]'
refused "host bits" "3:15: push_routes: '10.1.0.0/8' is not right; the network around that address is \"10.0.0.0/8\"" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\npush_routes = "10.1.0.0/8"'
refused "a cipher that there is not" "4:13: algorithm: 'AES-128-GCM' is not right; it is one of \"ChaCha20-Poly1305\", \"AES-256-GCM\", \"any\"; did you mean 'AES-256-GCM'?" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[encryption]\nalgorithm = "AES-128-GCM"'
refused "a port that there is not" "2:18: listen_address: '0.0.0.0:0' is not right" \
	<<<$'[server]\nlisten_address = "0.0.0.0:0"'
refused "networks that overlap" " virtual_network: 10.8.0.0/16 and 10.8.1.0/24 overlap" \
	<<<$'[server]\nvirtual_network = ["10.8.0.0/16", "10.8.1.0/24"]'
refused "a slice that there is not" "3:14: pool_slice: '3/3' is not right; this is number 3, and of 3 slices the last one is 2" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\npool_slice = "3/3"'
for slice in 1 0/0 /3 a/3 -1/3 1/3x 1/1025 +1/3 "1 /3"; do
	refused "a slice that is none: $slice" "3:14: pool_slice: '$slice' is not right; it is NUMBER/COUNT" \
		<<<$'[server]\nvirtual_network = "10.8.0.0/24"\npool_slice = "'"$slice"'"'
done
refused "slices without addresses" " pool_slice: 10.8.0.0/28 is too small for 5 slices; a slice has 4 addresses or more" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/28"\npool_slice = "0/5"'
refused "a role that has none of the slice" "4:1: addresses: none of the role 'a' is in slice 2 of 3" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\npool_slice = "2/3"\n[[role]]\nname = "a"\naddresses = ["10.8.0.0/28", "10.8.0.128/28"]'
right "one that has some" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\npool_slice = "2/3"\n[[role]]\nname = "a"\naddresses = ["10.8.0.0/28", "10.8.0.240/28"]'
{
	printf '[server]\nvirtual_network = "10.8.0.0/16"\npool_slice = "0/2"\n'
	for ((i = 1; i <= 70; i++)); do
		printf '[[peer]]\nname = "p%d"\npublic_key = "%s"\naddress = "10.8.200.%d"\n' $i \
			"$(printf '\1\2%030d' $i | base64)" $((3 * i))
	done
} | refused "too many addresses of others" " pool_slice: too many [[peer]] have an address of another slice of 10.8.0.0/16"
refused "an MTU that is too small for IPv6" " client_mtu: 1200 is too small for IPv6, which needs 1280" \
	<<<$'[server]\nvirtual_network = ["10.8.0.0/24", "fd08::/64"]\nclient_mtu = 1200'
right "but not for IPv4" <<<$'[server]\nvirtual_network = "10.8.0.0/24"\nclient_mtu = 1200'
refused "a section of the other role" "3:2: [routes] is for a client, and this file is a server's" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[routes]\ndefault_gateway = true'
refused "a key of the other role" "4:1: 'kill_switch' of [firewall] is for a client" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[firewall]\nkill_switch = true'
refused "two roles" "3:2: a file has [server] or [client], not both" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[client]\nserver_address = "a:1"'
refused "contradicting routes" " [routes] has both default_gateway and split_tunnel" \
	<<<$'[client]\nserver_address = "a:1"\n[routes]\ndefault_gateway = true\nsplit_tunnel = true'
refused "peers with one bracket" "3:1: peers are written as [[peer]], with two brackets" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[peer]\nname = "a"'
refused "two peers of one name" "6:1: there is a peer 'a' already" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[[peer]]\nname = "a"\npublic_key = "'$KEY_A$'"\n[[peer]]\nname = "a"\npublic_key = "'$KEY_B'"'
refused "a key that is none" "5:14: public_key: this is not a key" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[[peer]]\nname = "a"\npublic_key = "'${KEY_A%=}'"'
refused "a peer's address that is in no network" "3:1: address: '10.9.0.5' is in no virtual_network" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[[peer]]\nname = "a"\npublic_key = "'$KEY_A$'"\naddress = "10.9.0.5"'
refused "an empty list" "2:18: server_address: the list is empty; one is needed" \
	<<<$'[client]\nserver_address = []'
refused "a key in a file's place is not shown" "4:20: private_key_path: a key is not right here" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[security]\nprivate_key_path = "'$KEY_A'"'
! grep -qF "$KEY_A" said
result "nowhere in what is said" $?
refused "a device that the shell would take for more" "4:8: name: 'a';reboot' is not right" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[interface]\nname = "a\';reboot"'
refused "a device that means many" "4:8: name: 'vpn*' is not right" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[interface]\nname = "vpn*"'
refused "a port with zeros" "2:18: listen_address: '0.0.0.0:0123' is not right" \
	<<<$'[server]\nlisten_address = "0.0.0.0:0123"'
refused "a table of the system" "4:10: fwmark: 254 is the number of a routing table of the system" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[interface]\nfwmark = 254'
refused "a name to listen at" "4:18: listen_address: 'localhost:9586' is not right" \
	<<<$'[server]\nvirtual_network = "10.8.0.0/24"\n[metrics]\nlisten_address = "localhost:9586"'
refused "a key of a thousand parts" "1:1: a key has too many parts" \
	<<<"$(printf 'a.%.0s' {1..1000})b = 1"
for table in '[!' '[[[peer]]]' '[ ,x]'; do
	refused "the name of a table cannot begin so: $table" " a name of a table, in [ ], begins with" \
		<<<"$table"
done
printf '[server]\nvirtual_network = "10.8.0.0/24"\n[security]\nprivate_key = "%s"\n' $KEY_A >open.toml
chmod 644 open.toml
"$VPND" --check open.toml 2>said
grep -q "open.toml: warning: it holds a secret key and everybody may read it" said
result "a key that everybody may read is warned of" $?
VPN_RUNTIME_DIR=$TMP "$VPND" --undo nothing 2>said
equal "nothing to undo" "1 vpnd: there is nothing to undo: '$TMP/nothing.journal' is not there" "$? $(cat said)"

printf '[server]\nvirtual_network = "10.8.0.0/24"\nport = 1\n[loging]\n[firewall]\nnat = 1\n' >wrong.toml
"$VPND" --check wrong.toml 2>said
equal "all faults are told at once" 3 "$(grep -c '^wrong.toml:[0-9]' said)"
"$VPND" --check nothing.toml 2>said
grep -q "^nothing.toml: cannot be read: No such file or directory$" said
result "a file that is not there" $?
"$VPND" --reference >said
equal "the reference has every key" "" "$(for k in listen_address server_public_key split_tunnel kill_switch; do
	grep -q "^| \`$k\`" said || echo "$k"
done)"

#
# Files of wg-quick.
#
cat >client.conf <<END
[Interface]
PrivateKey = $KEY_A
Address = 10.8.0.2/24, fd08::2/64
DNS = 10.8.0.1, example.com
MTU = 1400
PostUp = echo "%i is up" >/dev/null

[Peer]
PublicKey = $KEY_B
PresharedKey = $KEY_A
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = vpn.example.com:51820
PersistentKeepalive = 25
END
"$VPNCTL" import client.conf >client.toml
"$VPND" --check client.toml >said 2>&1
equal "a client is imported" "client.toml: is right, for a client" "$(cat said)"
# shellcheck disable=SC2016 # it is in the file as it stands
equal "with all that it says" '[client]
server_address = "vpn.example.com:51820"
server_public_key = "'$KEY_B'"
keepalive = 25

[security]
private_key = "'$KEY_A'"
preshared_key = "'$KEY_A'"

[interface]
address = ["10.8.0.2/24", "fd08::2/64"]
mtu = 1400

[routes]
default_gateway = true

[dns]
dns_servers = ["10.8.0.1"]
domains = ["example.com"]

[hooks]
up = ["echo \"$VPN_DEVICE is up\" >/dev/null"]' "$(cat client.toml)"
cat >server.conf <<END
[Interface]
Address = 10.8.0.1/24
ListenPort = 1001
PrivateKey = $KEY_A

[Peer]
# laptop
PublicKey = $KEY_B
AllowedIPs = 10.8.0.2/32, 192.168.7.0/24

[Peer]
PublicKey = $KEY_A
AllowedIPs = 10.8.0.3/32
END
"$VPNCTL" import server.conf >server.toml
"$VPND" --check server.toml >said 2>&1
equal "a server is imported" "server.toml: is right, for a server" "$(cat said)"
equal "with its peers" 'name = "laptop" address = ["10.8.0.2"] allowed_ips = ["192.168.7.0/24"] name = "peer-2" address = ["10.8.0.3"]' \
	"$(grep -E '^(name|address|allowed_ips)' server.toml | paste -sd' ')"
sed 's/^Address/Adress/' client.conf >misspelt.conf
says "a misspelt key" 1 "misspelt.conf:3: 'Adress' is not a key of wg-quick; did you mean 'Address'?" \
	import misspelt.conf

sed 's/^PrivateKey = /PrivateKey /' client.conf >equals.conf
says "a key without an equals sign is not shown" 1 "equals.conf:2: a line is a [Section], or in one KEY = VALUE" \
	import equals.conf
sed 's/^MTU.*/&\nMTU = [hooks]/' client.conf >twice.conf
says "a number that is given twice" 1 "twice.conf:6: MTU is given twice" import twice.conf
sed 's/^MTU.*/MTU = 14x/' client.conf >number.conf
"$VPNCTL" import number.conf >out 2>err
equal "a number that is none" "1 vpnctl: number.conf" "$? $(cut -d: -f1,2 err)"
sed 's/^MTU.*/MTU = 01400\nFwMark = 0X1F/; s/^PersistentKeepalive.*/PersistentKeepalive = 025/' \
	client.conf >zeros.conf
"$VPNCTL" import zeros.conf >zeros.toml
"$VPND" --check zeros.toml >said 2>&1
equal "numbers that TOML would not have" "zeros.toml: is right, for a client mtu = 1400 fwmark = 31" \
	"$(cat said) $(grep -E '^(mtu|fwmark)' zeros.toml | paste -sd' ')"
printf 'PostUp = echo \374\n' | sed 's/^MTU.*//; /^\[Interface/r /dev/stdin' client.conf >latin.conf
says "letters of Latin-1" 1 \
	"latin.conf:2: this line is not UTF-8; 'iconv -f latin1 -t utf-8' makes it so, if it is Latin-1" \
	import latin.conf
sed 's/^MTU.*/Table = off/' client.conf >table.conf
"$VPNCTL" import table.conf >table.toml
equal "no table, no routes" "split_tunnel = true" "$(sed -n '/^\[routes\]/,/^$/p' table.toml | sed -n 2p)"

"$HERE/../../selftests/reference.sh" "$VPND" >said 2>&1
status=$?
[ $status = 0 ] || sed 's/^/# /' said
result "documents have the keys as they are" $status
