#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Clients of a server that come, go, roam and begin anew for hours: none loses its
# address, no two have the same, and memory stays as it is. 'make soak' runs it, as a
# test, in a machine whose clock jumps over the time in which nothing happens.
#
#	h1 [eth0 10.0.0.1, the server] ---- [eth0 10.0.0.2, the clients] h2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=probes.sh
. "$(dirname "$0")/probes.sh"
# shellcheck source=vpnd.sh
. "$(dirname "$0")/vpnd.sh"

export CLIENTS=${CLIENTS:-1000} HOURS=${HOURS:-24} SEED=${SEED:-1}

# Keys of the clients, in hexadecimal and as others see them, and the server's [[peer]]s.
make_clients()
{
	(umask 077 && python3 - "$CLIENTS" "$TMP" <<-'END_OF_PROGRAM'
		import base64, sys
		from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
		keys = [X25519PrivateKey.generate() for _ in range(int(sys.argv[1]))]
		publics = [base64.b64encode(key.public_key().public_bytes_raw()).decode() for key in keys]
		def to(name, lines):
		    with open(f"{sys.argv[2]}/{name}", "w") as file:
		        file.writelines(line + "\n" for line in lines)
		to("keys", (key.private_bytes_raw().hex() for key in keys))
		to("publics", publics)
		to("peers", (f'[[peer]]\nname = "client {n}"\npublic_key = "{public}"'
		             for n, public in enumerate(publics)))
	END_OF_PROGRAM
	)
}

soak()
{
	ns h2 env SERVER="$(netns h1)" PYTHONPATH="$SELFTESTS" \
		python3 "$SELFTESTS/soak.py" "$TMP" >"$TMP/soak"
}

ktap_start
must topo_two
must make_clients
must vpnd_of_many h1
soak
status=$?
# Its points are of ours.
while read -r line; do
	case $line in
	"ok "*)		check "${line#*- }" true ;;
	"not ok "*)	check "${line#*- }" false ;;
	"# "*)		note "${line#\# }" ;;
	esac
done <"$TMP/soak"
check_equal "it came to its end" "0 1" "$status $(grep -c ', seed ' "$TMP/soak")"
check "the server is as well" vpnctl down srv
ktap_end
