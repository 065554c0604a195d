#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Figures: their names and values, over HTTP, read by a real Prometheus where there
# is one; ten thousand peers; and logs in JSON. The dashboard and the alert rules in
# deploy/ ask for nothing that there is not.
#
#	h1 [eth0 10.0.0.1] ---- [eth0 10.0.0.2] h2
# timeout: 240
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../probes.sh
. "$(dirname "$0")/../probes.sh"
# shellcheck source=../vpnd.sh
. "$(dirname "$0")/../vpnd.sh"

PEERS=10000
DEPLOY=$SELFTESTS/../deploy

# scrape: the figures, into $TMP/figures.
scrape() { ns h1 curl -sf --max-time 10 127.0.0.1:9586/metrics >"$TMP/figures"; }
figure() { awk -v name="$1" '$1 == name { print $2 }' "$TMP/figures"; }
figure_is() { scrape && [ "$(figure "$1")" = "$2" ]; }

server_file()
{
	cat <<-END
		[server]
		virtual_network = "10.8.0.0/16"
		[security]
		private_key_path = "$TMP/srv.key"
		[logging]
		output = "$TMP/srv.log"
		format = "json"
		[firewall]
		client_to_client = true
		allow_lan_access = true
		nat = false
		[[peer]]
		name = "a \"quoted\" name"
		public_key = "${PUB[h2]}"
		address = "10.8.0.10"
	END
}

# peers: as many as there are to be, with keys that nobody has.
peers()
{
	python3 - "$PEERS" <<-'END'
		import base64, hashlib, sys
		for n in range(1, int(sys.argv[1])):
		    key = base64.b64encode(hashlib.sha256(b"%d" % n).digest()).decode()
		    print(f'[[peer]]\nname = "peer {n}"\npublic_key = "{key}"')
	END
}

# unknown FILE: figures that it names, and that vpnd has not.
unknown()
{
	grep -oE '\bvpn_[a-z_]+' "$1" | sed -E 's/_(bucket|sum|count)$//' | sort -u |
		comm -23 - <(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$TMP/figures" | sort)
}

# expressions: those of the dashboard, a line each, as a person who looks at it asks.
# shellcheck disable=SC2016 # it is Grafana that expands them
expressions()
{
	jq -r '.. | .expr? // empty' "$DEPLOY/grafana/vpn.json" |
		sed 's/\$__rate_interval/5m/g; s/job="$job"/job="vpn"/g; s/"$instance"/".*"/g'
}
# untaken: expressions that Prometheus does not take.
untaken()
{
	expressions | while read -r expression; do
		ns h1 curl -s --data-urlencode "query=$expression" 127.0.0.1:9090/api/v1/query |
			jq -e '.status == "success"' >/dev/null || echo "$expression"
	done
}

ktap_start
must topo_two
keys h2
server_file >"$TMP/srv.toml"
must vpnd_start h1 "$TMP/srv.toml"
wg_client h2
must ns h2 ip addr add 10.8.0.10/16 dev vpn0
must tool h2 set vpn0 peer "$(cat "$TMP/srv.pub")" endpoint 10.0.0.1:51820 allowed-ips 10.8.0.0/16
must ns h2 ip link set vpn0 up
must arrives h2 10.8.0.1
check "figures are there" scrape
check "a connected peer" wait_until 5 figure_is vpn_peers_connected 1
check_equal "packets" "$(link_count h1 vpn0 rx packets)" \
	"$(figure vpn_packets_received_total)"
check "the name is quoted" grep -q 'peer="a \\"quoted\\" name"' "$TMP/figures"
check "round-trip times are a histogram" grep -q '^vpn_latency_seconds_bucket{le="+Inf"} ' "$TMP/figures"
check_equal "drops by reason" "$(ns h1 ethtool -S vpn0 | grep -c ' drop_')" \
	"$(grep -c '^vpn_drops_total{reason=' "$TMP/figures")"
check_equal "refusals by reason" 9 "$(grep -c '^vpn_refusals_total{reason=' "$TMP/figures")"
check_equal "of a pool" 1 "$(figure 'vpn_pool_leases{pool="10.8.0.0/16"}')"
check_equal "the dashboard asks for what there is" "" "$(unknown "$DEPLOY/grafana/vpn.json")"
check_equal "so do the alert rules" "" "$(unknown "$DEPLOY/prometheus/vpn-alerts.yml")"
check_equal "and their tests" "" "$(unknown "$DEPLOY/prometheus/vpn-alerts.test.yml")"
check "the dashboard has expressions" [ "$(expressions | wc -l)" -ge 30 ]
check_fail "another path" ns h1 curl -sf 127.0.0.1:9586/
check_fail "another address" ns h2 curl -sf --max-time 2 10.0.0.1:9586/metrics
check_equal "a log in JSON" '["connected","a \"quoted\" name","10.8.0.10"]' \
	"$(jq -c 'select(.msg == "connected") | [.msg, .peer, .address]' "$TMP/srv.log")"
must mv "$TMP/srv.log" "$TMP/srv.log.1"
must kill -HUP "$(vpnd_pid srv)"
check "is opened anew on SIGHUP" wait_until 5 grep -q 'loaded again' "$TMP/srv.log"

if type promtool >/dev/null 2>&1; then
	check "promtool has nothing to say" promtool check metrics <"$TMP/figures"
	check "nor of the alert rules" promtool check rules "$DEPLOY/prometheus/vpn-alerts.yml"
	check "which tell what they should" promtool test rules "$DEPLOY/prometheus/vpn-alerts.test.yml"
	cat >"$TMP/prometheus.yml" <<-END
		rule_files: ["$DEPLOY/prometheus/vpn-alerts.yml"]
		scrape_configs:
		  - job_name: vpn
		    scrape_interval: 1s
		    static_configs:
		      - targets: ["127.0.0.1:9586"]
	END
	background ns h1 prometheus --config.file="$TMP/prometheus.yml" --storage.tsdb.path="$TMP/tsdb" \
		--web.listen-address=127.0.0.1:9090 --log.level=error
	asked() { ns h1 curl -sf '127.0.0.1:9090/api/v1/query?query=vpn_peers_connected' | jq -e '.data.result[0].value[1] == "1"'; }
	check "a Prometheus reads them" wait_until 40 asked
	check_equal "and takes what the dashboard asks" "" "$(untaken)"
else
	skip "promtool has nothing to say" "it is not here"
	skip "a Prometheus reads them" "it is not here"
fi

# Clients may come with a new key each time: of who is gone nothing is kept, not even
# how its key was called.
last_connected() { jq -sc 'map(select(.msg == "connected")) | [length, last.peer]' "$TMP/srv.log.1" "$TMP/srv.log"; }
connected_is() { [ "$(last_connected)" = "$1" ]; }
must tool h1 set vpn0 peer "${PUB[h2]}" remove
must tool h1 set vpn0 peer "${PUB[h2]}" allowed-ips 10.8.0.10/32
must ns h2 ip link set vpn0 down
must ns h2 ip link set vpn0 up
must arrives h2 10.8.0.1
check "a peer that was removed has no name when its key comes again" \
	wait_until 5 connected_is '[2,null]'
note "$(last_connected)"

peers >>"$TMP/srv.toml"
check "reload with many peers" vpnctl reload srv
check "they are all there" figure_is vpn_peers $PEERS
took=$(ns h1 curl -sf -o "$TMP/figures" -w '%{time_total}' 127.0.0.1:9586/metrics)
note "$PEERS peers are scraped in $took s"
check_equal "each has its figures" $PEERS "$(grep -c '^vpn_peer_received_bytes_total{' "$TMP/figures")"
check "down" vpnctl down srv
ktap_end
