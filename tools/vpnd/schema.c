// SPDX-License-Identifier: GPL-2.0
/* Every section and every key of a configuration file. */
#include <stddef.h>

#include "../libvpn/names.h"
#include "config.h"

static const char *const cipher_words[] = {
	[VPN_CIPHER_CHACHA20_POLY1305]	= "ChaCha20-Poly1305",
	[VPN_CIPHER_AES_256_GCM]	= "AES-256-GCM",
	[VPN_CIPHER_ANY]		= "any",
};

static const char *const exchange_words[] = { "X25519" };
static const char *const level_words[] = { "error", "warning", "info", "debug" };
static const char *const format_words[] = { "text", "json" };
static const char *const method_words[] = { "auto", "resolved", "resolvconf", "file", "none" };

#define WORDS(list)	(&(const struct vpn_names){ list, sizeof(list) / sizeof(*(list)) })
#define AT(member)	.offset = offsetof(struct config, member)
#define PEER(member)	.offset = offsetof(struct config_peer, member)
#define POLICY(member)	.offset = offsetof(struct config_policy, member)
/* Of PEM, which takes more room than what a handshake carries. */
#define PEM_MAX		16384

const struct config_section config_sections[] = {
	{ "server", ROLE_SERVER, "A server: whom it serves, and where." },
	{ "client", ROLE_CLIENT, "A client: its servers." },
	{ "security", ROLE_BOTH, "Who this end is." },
	{ "authorisation", ROLE_SERVER,
	  "Clients that [[peer]] does not have: those with a certificate of ca_certificate_path, or with a token. Who has neither gets no answer, or hears why." },
	{ "encryption", ROLE_BOTH, "How data is encrypted." },
	{ "interface", ROLE_BOTH, "The network device." },
	{ "routes", ROLE_CLIENT, "What goes through the tunnel." },
	{ "dns", ROLE_CLIENT, "Whom this host asks for names." },
	{ "firewall", ROLE_BOTH, "What may pass." },
	{ "logging", ROLE_BOTH, "What is told of, and where." },
	{ "metrics", ROLE_BOTH, "Figures for Prometheus." },
	{ "hooks", ROLE_BOTH,
	  "Commands for the shell. They find the device's name in VPN_DEVICE, that of the configuration in VPN_NAME; those about a peer find it in VPN_PEER, VPN_PEER_NAME and VPN_ENDPOINT. They have the rights of vpnd, which are few; vpnd(8) names them." },
	{
			"peer",
			ROLE_SERVER,
					"A client that the server knows; [[peer]] as often as there are clients." },
	{ "role", ROLE_SERVER,
	  "What clients may whose certificate or token names that role; [[role]] as often as there are roles. Where there are any, a client has to have one of them." },
	{ NULL, 0, NULL }
};

const struct config_key config_keys[] = {
	{ "server", "listen_address", ROLE_SERVER, KEY_ENDPOINT, AT(listen), "\"[::]:51820\"", NULL,
	  .text =
		"Address and UDP port. 0.0.0.0 means every IPv4 address, [::] every address; on other addresses of the host the port stays silent." },
	{ "server", "virtual_network", ROLE_SERVER, KEY_NETWORKS, AT(networks), NULL, NULL,
	  .required = true,
	  .text =
		"The network inside the tunnel, IPv4 or IPv6, or a list. Clients get their addresses from it. The server has the first address, or the one that is given instead of the network's, as in 10.8.0.254/24." },
	{ "server", "max_clients", ROLE_SERVER, KEY_NUMBER, AT(max_clients), "0", NULL,
	  0, 1 << 20, .text = "How many clients may be connected at a time; 0 for any number." },
	{ "server", "lease_time", ROLE_SERVER, KEY_SPAN, AT(lease_time), "\"30d\"", NULL,
	  .text =
		"For how long a client keeps its address after it was last heard of: seconds, a number with s, m, h, d or w, or forever." },
	{ "server", "reserved_addresses", ROLE_SERVER, KEY_RANGES, AT(reserved), "[]", NULL,
	  .text = "Addresses, or ranges with - between two, that no client is given." },
	{ "server", "pool_slice", ROLE_SERVER, KEY_SLICE, AT(slice), NULL, NULL,
	  .text =
		"Where several servers share virtual_network: this one gives the addresses of that slice only, so that no two give the same one. Slices are counted from 0, and of one size but for an address. With \"hostname\" as the number, it is the one at the end of the host's name, as replicas of Kubernetes have it; so one file is right for all of them. COUNT may be more than there are servers. The server's own address, and those of [[peer]], are the same on all." },
	{ "server", "push_routes", ROLE_SERVER, KEY_PREFIXES, AT(push_routes), "[]", NULL,
	  0, VPN_ROUTES_MAX,
	  .text =
		"Networks that clients are told to reach through the tunnel; without any, everything. Clients may reach them whatever allow_lan_access says." },
	{ "server", "client_mtu", ROLE_SERVER, KEY_NUMBER, AT(client_mtu), "0", NULL, 0, 65535,
	  .text = "The MTU that clients are told to use, 576 at least; 0 tells them nothing." },
	{ "server", "client_keepalive", ROLE_SERVER, KEY_NUMBER, AT(client_keepalive), "0", NULL,
	  0, 65535, .text =
			"The keepalive interval, in seconds, that clients are told to use; 0 tells them nothing." },

	{ "client", "server_address", ROLE_CLIENT, KEY_ENDPOINTS, AT(servers), NULL, NULL,
	  .required = true,
	  .text =
		"Name or address of the server, and its UDP port, or a list of servers: the next one is tried when one does not answer. Names are resolved again when the server does not answer." },
	{ "client", "auto_connect", ROLE_CLIENT, KEY_BOOL, AT(auto_connect), "true", NULL,
	  .text = "Connect at start; otherwise wait for 'vpnctl connect'." },
	{ "client", "server_public_key", ROLE_CLIENT, KEY_KEYS, AT(server_keys), NULL, NULL,
	  .text = "The server's public key, or as many as there are servers." },
	{ "client", "server_public_key_path", ROLE_CLIENT, KEY_PATHS, AT(server_key_paths),
	  "\"/etc/vpn/server.pub\"", NULL,
	  .text =
		"A file with it, or as many as there are servers. A server writes its own there when it makes its key." },
	{ "client", "keepalive", ROLE_CLIENT, KEY_NUMBER, AT(keepalive), "25", NULL, 0, 65535,
	  .text =
		"Seconds after which something is sent when there is nothing to send, so that the way back stays open; 0 is off." },
	{ "client", "server_certificate_path", ROLE_CLIENT, KEY_PATH, AT(server_certificate_path),
	  NULL, NULL, .text =
			"A certificate of the server's key, PEM, signed by who ca_certificate_path names; it takes the place of server_public_key. It has to be for the name or address in server_address." },
	{ "client", "server_certificate", ROLE_CLIENT, KEY_TEXT, AT(server_certificate), NULL, NULL,
	  1, PEM_MAX, .text = "That certificate itself, instead of a file." },
	{
			"client",
			"resolve_interval",
			ROLE_CLIENT, KEY_SPAN, AT(resolve_interval), "\"30s\"", NULL,
	  .text =
		"For how long a server may stay silent before its name is resolved again and the next server is tried." },

	{ "security", "private_key_path", ROLE_BOTH, KEY_PATH, AT(private_key_path),
	  "\"/etc/vpn/server.key\"", "\"/etc/vpn/client.key\"",
	  .text =
		"The file with the private key of this end. It is made at the first start, readable by its owner only, and the public key is put beside it with the ending .pub." },
	{ "security", "private_key", ROLE_BOTH, KEY_KEY, AT(private_key), NULL, NULL,
	  .text = "The private key itself, instead of a file." },
	{
			"security",
			"preshared_key_path",
			ROLE_CLIENT, KEY_PATH, AT(preshared_key_path), NULL, NULL,
	  .text = "The file with a key that only this client and the server know." },
	{ "security", "preshared_key", ROLE_CLIENT, KEY_KEY, AT(preshared_key), NULL, NULL,
	  .text = "That key itself, instead of a file." },
	{ "security", "certificate_path", ROLE_BOTH, KEY_PATH, AT(certificate_path), NULL, NULL,
	  .text =
		"A certificate of this end's key, PEM. A client shows it to the server, which lets it in by that; when the file changes, the new one is shown. One that says nothing of credentials shows /etc/vpn/client.crt, if that is there. A server's is looked at when it starts, and is for clients to have as server_certificate_path." },
	{ "security", "certificate", ROLE_CLIENT, KEY_TEXT, AT(certificate), NULL, NULL, 1, PEM_MAX,
	  .text = "That certificate itself, instead of a file." },
	{ "security", "ca_certificate_path", ROLE_BOTH, KEY_PATH, AT(ca_certificate_path), NULL,
	  NULL, .text =
			"The certificate of who signs certificates, PEM; and those between it and them, if there are any. A server lets in whom it has signed; a client takes the server's key from a certificate that it has signed." },
	{ "security", "ca_certificate", ROLE_CLIENT, KEY_TEXT, AT(ca_certificate), NULL, NULL, 1,
	  PEM_MAX, .text = "That certificate itself, instead of a file." },
	{ "security", "crl_path", ROLE_BOTH, KEY_PATH, AT(crl_path), NULL, NULL,
	  .text =
		"Who of them was revoked, PEM. When the file changes, those are cut off who are in it." },
	{ "security", "token_path", ROLE_CLIENT, KEY_PATH, AT(token_path), NULL, NULL,
	  .text =
		"A file with a JSON web token, which is shown to the server instead of a certificate; when the file changes, the new one is shown." },
	{ "security", "token", ROLE_CLIENT, KEY_TEXT, AT(token), NULL, NULL, 1, VPN_CREDENTIAL_MAX,
	  .text = "That token itself, instead of a file." },

	{ "authorisation", "role_extension", ROLE_SERVER, KEY_TEXT, AT(role_extension), NULL, NULL,
	  .text =
		"The object identifier of the extension of certificates that has the role, as in \"1.3.6.1.4.1.99999.1\"; its value is a text of ASN.1. Without, the OU is the role." },
	{ "authorisation", "token_keys_path", ROLE_SERVER, KEY_PATH, AT(token_keys_path), NULL, NULL,
	  .text =
		"The folder of the keys that sign tokens: NAME.pem, a public key, or NAME.secret, 32 octets or more. The name is what tokens call it (kid)." },
	{ "authorisation", "token_algorithms", ROLE_SERVER, KEY_TEXTS, AT(token_algorithms), "[]",
	  NULL, 0, 16, .text =
			"How tokens may be signed: HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384, ES512, EdDSA; without any, as each key is for." },
	{ "authorisation", "token_issuer", ROLE_SERVER, KEY_TEXT, AT(token_issuer), NULL, NULL,
	  .text = "Who has to have issued tokens (iss)." },
	{ "authorisation", "token_audience", ROLE_SERVER, KEY_TEXT, AT(token_audience), NULL, NULL,
	  .text = "Whom tokens have to be for (aud)." },
	{ "authorisation", "token_binding", ROLE_SERVER, KEY_BOOL, AT(token_binding), "false", NULL,
	  .text =
		"Tokens have to name the key of who shows them (cnf), so that nobody else can use them." },
	{ "authorisation", "peers_path", ROLE_SERVER, KEY_PATH, AT(peers_path), NULL, NULL,
	  .text =
		"A folder of files with a public key each, of clients that have no credential, as those of WireGuard; the file's name, without an ending .pub, is the client's. It is watched: a new file lets in, one that is gone cuts off. A second line \"role = NAME\" gives a role." },

	{ "encryption", "algorithm", ROLE_BOTH, KEY_WORD, AT(cipher), "\"ChaCha20-Poly1305\"", NULL,
	  .words = WORDS(cipher_words),
	  .text =
		"The cipher. With any, a server takes what the client wants, and a client what this machine is faster with." },
	{ "encryption", "key_exchange", ROLE_BOTH, KEY_WORD, AT(key_exchange), "\"X25519\"", NULL,
	  .words = WORDS(exchange_words), .text = "The key exchange; there is this one." },

	{ "interface", "name", ROLE_BOTH, KEY_IFNAME, AT(ifname), "\"vpn0\"", NULL,
	  .text = "The name of the device, which must not be there yet." },
	{ "interface", "mtu", ROLE_BOTH, KEY_NUMBER, AT(mtu), "0", NULL, 0, 65535,
	  .text =
		"The MTU of the device, 576 at least. With 0 it is what the server tells, or 1420." },
	{ "interface", "fwmark", ROLE_BOTH, KEY_MARK, AT(fwmark), "0", "51820", 0, UINT32_MAX,
	  .text =
		"The mark of packets that leave encrypted. A client's is also the number of the routing table that leads into the tunnel; so it is not 0, and two clients on a host have two." },
	{ "interface", "address", ROLE_CLIENT, KEY_OWN_ADDRESSES, AT(addresses), "[]", NULL,
	  .text =
		"The address of this client, with the length of its network, or one IPv4 and one IPv6 address. Without, the server gives one; a server that is WireGuard does not." },

	{ "routes", "default_gateway", ROLE_CLIENT, KEY_BOOL, AT(default_gateway), "true", NULL,
	  .text =
		"Everything goes through the tunnel, but for what the host has a nearer route to. Of IPv4 and IPv6, what the tunnel does not carry is not reachable meanwhile." },
	{ "routes", "split_tunnel", ROLE_CLIENT, KEY_BOOL, AT(split_tunnel), "false", NULL,
	  .text =
		"Only the networks that the server names and those of routes go through the tunnel. It excludes default_gateway, which is then false unless given." },
	{ "routes", "routes", ROLE_CLIENT, KEY_PREFIXES, AT(routes), "[]", NULL,
	  .text = "Networks that go through the tunnel besides." },
	{ "routes", "exclude_routes", ROLE_CLIENT, KEY_PREFIXES, AT(exclude_routes), "[]", NULL,
	  .text =
		"Networks that don't go through the tunnel in spite of default_gateway; the tunnel's own network does." },

	{ "dns", "use_vpn_dns", ROLE_CLIENT, KEY_BOOL, AT(use_vpn_dns), "true", NULL,
	  .text = "Ask the servers below, or those that the server names." },
	{
			"dns",
			"dns_servers",
			ROLE_CLIENT, KEY_ADDRESSES, AT(dns_servers), "[]", NULL, 0, VPN_DNS_MAX,
	  .text = "Addresses of DNS servers; none means those that the server names." },
	{ "dns", "domains", ROLE_CLIENT, KEY_TEXTS, AT(dns_domains), "[]", NULL, 0, 16,
	  .text = "Domains that names are looked for in." },
	{ "dns", "method", ROLE_CLIENT, KEY_WORD, AT(dns_method), "\"auto\"", NULL,
	  .words = WORDS(method_words),
	  .text =
		"Who is told: systemd-resolved, resolvconf, or /etc/resolv.conf, which is put back afterwards. auto takes the first one that is there." },

	{
			"firewall",
			"allow_lan_access",
			ROLE_SERVER, KEY_BOOL, AT(allow_lan_access), "false", NULL,
	  .text =
		"Clients may reach private networks behind the server and the networks that it is on, not only the internet." },
	{
			"firewall",
			"client_to_client",
			ROLE_SERVER, KEY_BOOL, AT(client_to_client), "false", NULL,
	  .text = "Clients may reach each other." },
	{ "firewall", "nat", ROLE_SERVER, KEY_BOOL, AT(nat), "true", NULL,
	  .text = "What clients send elsewhere goes out with the server's address." },
	{ "firewall", "nat_interface", ROLE_SERVER, KEY_IFNAME, AT(nat_interface), NULL, NULL,
	  .text = "Only through this device; without, through any." },
	{ "firewall", "open_port", ROLE_SERVER, KEY_BOOL, AT(open_port), "false", NULL,
	  .text =
		"Where rules of nftables that others have made drop what this server needs, one before them takes it: its UDP port, what clients send on, and the answers to that. Tables of ufw, firewalld and iptables are left alone; those want to be told by their own commands." },
	{ "firewall", "dns_servers", ROLE_SERVER, KEY_ADDRESSES, AT(push_dns), "[]", NULL,
	  0, VPN_DNS_MAX, .text =
			"DNS servers that clients are told of, and may reach wherever they are." },
	{ "firewall", "kill_switch", ROLE_CLIENT, KEY_BOOL, AT(kill_switch), "false", NULL,
	  .text =
		"As long as vpnd runs, nothing leaves but through the tunnel, to the server, to exclude_routes, and what DHCP and neighbour discovery need." },

	{ "logging", "level", ROLE_BOTH, KEY_WORD, AT(level), "\"info\"", NULL,
	  .words = WORDS(level_words), .text = "How much is told." },
	{ "logging", "output", ROLE_BOTH, KEY_TEXT, AT(log_output), "\"stderr\"", NULL,
	  .text = "journal, stderr, or a file, which is opened anew on SIGHUP." },
	{ "logging", "format", ROLE_BOTH, KEY_WORD, AT(log_format), "\"text\"", NULL,
	  .words = WORDS(format_words), .text =
			"Of stderr and files: key=value pairs, or JSON; an object a line." },

	{ "metrics", "listen_address", ROLE_BOTH, KEY_LISTEN, AT(metrics_address),
	  "\"127.0.0.1:9586\"", "\"\"",
	  .text =
		"Where Prometheus finds figures, over HTTP under /metrics, and others under /healthz whether all is well; nowhere when empty. Whoever reaches it reads names and addresses of peers. 0.0.0.0 and [::] are every address, but not for who comes through a server's tunnel." },

	{ "hooks", "up", ROLE_BOTH, KEY_TEXTS, AT(hook_up), "[]", NULL, 0, 16,
	  .text = "Run at start, when all is set up; if one fails, so does the start. All else waits for them: one that takes longer than 60 s is ended, and has failed." },
	{ "hooks", "down", ROLE_BOTH, KEY_TEXTS, AT(hook_down), "[]", NULL, 0, 16,
	  .text = "Run at the end, before anything is undone, if those of up were run; each for 60 s at most." },
	{ "hooks", "connect", ROLE_BOTH, KEY_TEXTS, AT(hook_connect), "[]", NULL, 0, 16,
	  .text = "Run when a peer has connected. Nobody waits for them." },
	{ "hooks", "disconnect", ROLE_BOTH, KEY_TEXTS, AT(hook_disconnect), "[]", NULL, 0, 16,
	  .text = "Run when a peer has gone. Nobody waits for them." },

	{ "peer", "name", ROLE_SERVER, KEY_TEXT, PEER(name), NULL, NULL, 1, VPN_NAME_MAX,
	  .required = true, .text = "What it is called." },
	{ "peer", "public_key", ROLE_SERVER, KEY_KEY, PEER(public_key), NULL, NULL,
	  .required = true, .text = "Its public key." },
	{ "peer", "address", ROLE_SERVER, KEY_TEXTS, PEER(address), "\"auto\"", NULL, 0, 2,
	  .text = "auto, or the address that it always has, or one IPv4 and one IPv6 address." },
	{ "peer", "allowed_ips", ROLE_SERVER, KEY_PREFIXES, PEER(allowed_ips), "[]", NULL,
	  .text = "Networks behind it." },
	{ "peer", "preshared_key_path", ROLE_SERVER, KEY_PATH, PEER(preshared_key_path), NULL, NULL,
	  .text = "The file with a key that only the two ends know." },
	{ "peer", "preshared_key", ROLE_SERVER, KEY_KEY, PEER(preshared_key), NULL, NULL,
	  .text = "That key itself, instead of a file." },
	{ "peer", "endpoint", ROLE_SERVER, KEY_ENDPOINT, PEER(endpoint), NULL, NULL,
	  .text = "Where it is at first, if the server is to begin; then it is where it speaks from, until the file names another place. A name is a whole one, and is asked for until it is known." },
	{ "peer", "keepalive", ROLE_SERVER, KEY_NUMBER, PEER(keepalive), "0", NULL, 0, 65535,
	  .text =
		"Seconds after which something is sent when there is nothing to send; 0 is off." },
	{ "role", "name", ROLE_SERVER, KEY_TEXT, POLICY(name), NULL, NULL, 1, VPN_NAME_MAX,
	  .required = true, .text = "What it is called." },
	{ "role", "addresses", ROLE_SERVER, KEY_PREFIXES, POLICY(addresses), "[]", NULL,
	  .text =
		"Networks within virtual_network, from which its clients get their addresses; one address for a role of one client. Without any they get any address." },
	{ "role", "allow_lan_access", ROLE_SERVER, KEY_BOOL, POLICY(allow_lan_access), NULL, NULL,
	  .text = "As in [firewall], whose value it is if it is not given." },
	{ "role", "client_to_client", ROLE_SERVER, KEY_BOOL, POLICY(client_to_client), NULL, NULL,
	  .text = "As in [firewall], whose value it is if it is not given." },
	{ "role", "push_routes", ROLE_SERVER, KEY_PREFIXES, POLICY(push_routes), NULL, NULL,
	  0, VPN_ROUTES_MAX,
	  .text =
		"Networks that its clients are told to reach through the tunnel, in place of those of [server], whose value it is if it is not given; with an empty list they are told none. They may reach these, and not those." },
	{ "role", "session_time", ROLE_SERVER, KEY_SPAN, POLICY(session_time), "\"forever\"", NULL,
	  .text =
		"For how long a client is let in before its credential is looked at again, at most." },
	{ "role", "connections", ROLE_SERVER, KEY_NUMBER, POLICY(connections), "0", NULL, 0, 1 << 20,
	  .text = "How many clients of one name may be let in at a time; 0 for any number." },
	{ .section = NULL }
};
