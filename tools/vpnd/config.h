/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a configuration file says. One table, in schema.c, has every key with
 * its type, its range, its default, where it goes, and what it means.
 */
#ifndef VPND_CONFIG_H
#define VPND_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>

#include "../libvpn/device.h"
#include "toml.h"

struct strings {
	char **list;
	unsigned int count;
};

/* "HOST:PORT" as it stands in the file, in its parts. */
struct config_endpoint {
	char *host, *port;
};

struct config_endpoints {
	struct config_endpoint *list;
	unsigned int count;
};

struct config_key_text {
	bool given;
	uint8_t key[VPN_KEY_LEN];
};

struct config_keys {
	struct config_key_text *list;
	unsigned int count;
};

struct config_ranges {
	struct vpn_range *list;
	unsigned int count;
};

/* One of several servers that share virtual_network; of one alone, both are zero. */
struct config_slice {
	int64_t number, count;
};

struct config_peer {
	struct config_peer *next;
	struct toml_place at;
	char *name;
	struct config_key_text public_key, preshared_key;
	char *preshared_key_path;
	struct strings address;			/* "auto", or addresses */
	struct vpn_addresses addresses;		/* of the former, read */
	struct vpn_addresses allowed_ips;
	struct config_endpoint endpoint;
	union vpn_endpoint resolved;		/* the former, as it was when it was asked for */
	bool is_resolved;
	bool is_asked;				/* in this round */
	bool moved;				/* the file names another one than before */
	int64_t keepalive;
};

/* What a [[role]] may; a client's is the one that its credential names. */
struct config_policy {
	struct config_policy *next;
	struct toml_place at;
	char *name;
	struct vpn_addresses addresses;		/* from which it gets one; none: from any */
	bool allow_lan_access, client_to_client;
	bool own_routes;			/* push_routes, not those of everybody */
	struct vpn_addresses push_routes;
	uint64_t session_time;			/* seconds, zero: for ever */
	int64_t connections;			/* of one name, zero: any number */
};

enum config_role { ROLE_SERVER = 1, ROLE_CLIENT = 2, ROLE_BOTH = 3 };
enum config_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

struct config {
	enum config_role role;
	char *file;			/* as it was named */
	char name[64];			/* its name without folder and ".toml" */

	/* [server] */
	struct config_endpoint listen;
	struct vpn_addresses networks;	/* virtual_network; host bits are the server's address */
	int64_t max_clients;
	uint64_t lease_time;		/* seconds, zero: for ever */
	struct config_ranges reserved;
	struct config_slice slice;
	struct vpn_addresses push_routes;
	int64_t client_mtu, client_keepalive;

	/* [client] */
	struct config_endpoints servers;
	bool auto_connect;
	struct config_keys server_keys;
	struct strings server_key_paths;
	char *server_certificate, *server_certificate_path;
	int64_t keepalive;
	uint64_t resolve_interval;

	/* [security] */
	struct config_key_text private_key, preshared_key;
	char *private_key_path, *preshared_key_path;
	char *certificate_path, *ca_certificate_path, *crl_path, *token_path;
	char *certificate, *ca_certificate, *token;	/* of a client, instead of files */

	/* [authorisation] */
	char *role_extension, *token_keys_path, *token_issuer, *token_audience, *peers_path;
	struct strings token_algorithms;
	bool token_binding;

	/* [encryption] */
	int64_t cipher;			/* VPN_CIPHER_* */
	int64_t key_exchange;

	/* [interface] */
	char *ifname;
	int64_t mtu, fwmark;
	struct vpn_addresses addresses;

	/* [routes] */
	bool default_gateway, split_tunnel;
	struct vpn_addresses routes, exclude_routes;

	/* [dns] */
	bool use_vpn_dns;
	struct vpn_addresses dns_servers;
	struct strings dns_domains;
	int64_t dns_method;		/* enum dns_method */

	/* [firewall] */
	bool allow_lan_access, allow_server_access, client_to_client, nat, open_port, kill_switch;
	char *nat_interface;
	struct vpn_addresses push_dns;

	/* [logging] */
	int64_t level;			/* enum config_level */
	int64_t log_format;		/* enum log_format */
	char *log_output;

	/* [hooks] */
	struct strings hook_up, hook_down, hook_connect, hook_disconnect;

	/* [metrics] */
	char *metrics_address;

	struct config_peer *peers, *last_peer;	/* [[peer]] */
	struct config_policy *policies, *last_policy;	/* [[role]] */
	/* Keys that the file has, for those that are not the default; one bit each. */
	uint8_t given[32];
};

enum dns_method { DNS_AUTO, DNS_RESOLVED, DNS_RESOLVCONF, DNS_FILE, DNS_NONE };
enum log_format { LOG_TEXT, LOG_JSON };

enum key_type {
	KEY_BOOL, KEY_NUMBER, KEY_WORD, KEY_TEXT, KEY_SPAN, KEY_ENDPOINT, KEY_ENDPOINTS,
	KEY_NETWORKS, KEY_PREFIXES, KEY_ADDRESSES, KEY_OWN_ADDRESSES, KEY_RANGES, KEY_TEXTS,
	KEY_KEY, KEY_KEYS, KEY_PATH, KEY_PATHS, KEY_IFNAME,
	KEY_MARK, KEY_LISTEN, KEY_SLICE,
};

struct config_key {
	const char *section, *name;
	enum config_role role;
	enum key_type type;
	size_t offset;			/* in struct config, or config_peer, or config_policy */
	const char *fallback;		/* as it would be written; NULL: none */
	const char *fallback_client;	/* where a client's is another one */
	int64_t least, most;
	const struct vpn_names *words;
	bool required;			/* where its section is */
	const char *text;		/* for the reference */
};

struct config_section {
	const char *name;
	enum config_role role;
	const char *text;
};

/* Is it written as [[name]], as often as there are such things? */
bool config_is_list(const char *section);

extern const struct config_section config_sections[];	/* end with a NULL name */
extern const struct config_key config_keys[];

/* Whose faults go to a stream: "FILE:LINE:COLUMN: sentence". */
struct config_fault {
	FILE *to;
	const char *file;
	unsigned int count;
};

void config_complain(struct config_fault *faults, const struct toml_place *at,
		     const char *format, ...) __attribute__((format(printf, 3, 4)));

/* What the daemon of a file is called: "server" for /etc/vpn/server.toml. */
void config_name(char *name, size_t room, const char *path);

/*
 * The path of a file from whatever folder, to free. Links are not followed: they may
 * lead elsewhere by the time that it is read again.
 */
char *config_path(const char *path);

/* Read a file and all that it means; NULL after faults, all of which have been told. */
struct config *config_read(const char *path, FILE *complaints);
void config_free(struct config *config);
/* What a role may; NULL: the file has none of that name. */
const struct config_policy *config_policy_find(const struct config *config, const char *name);
/* Did the file itself name the key? */
bool config_has(const struct config *config, const char *section, const char *name);

/* value.c: one value, where "to" is the member at the key's offset. */
bool value_read(struct config_fault *faults, const struct config_key *key,
		const struct toml_node *node, void *to);
void value_free(const struct config_key *key, void *at);
/* rules.c: what keys mean together; and files that have to be there. */
void config_check(const struct config *config, struct config_fault *faults);

/* The table as text for people: reference.c. */
void config_print_reference(FILE *to);
void config_print_man(FILE *to);

#endif
