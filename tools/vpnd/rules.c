// SPDX-License-Identifier: GPL-2.0
/* What the keys of a configuration mean together. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libcred/token.h"
#include "../libvpn/address.h"
#include "config.h"
#include "slice.h"

static bool in_networks(const struct config *config, const struct vpn_address *address)
{
	unsigned int i;

	for (i = 0; i < config->networks.count; i++) {
		if (vpn_address_within(&config->networks.list[i], address))
			return true;
	}
	return false;
}

/* A key is in the file or in one of its own; not in both. */
static void check_once(const struct config *config, struct config_fault *faults,
		       const char *section, const char *name, const char *path)
{
	if (config_has(config, section, name) && config_has(config, section, path))
		config_complain(faults, NULL,
				"[%s] has both %s and %s; one is enough",
				section, name,
				path);
}

/* What is named has to be there, so that a typing mistake shows at once. */
static void check_file(struct config_fault *faults, const char *name, const char *path)
{
	if (path && access(path, R_OK) && errno != EACCES)
		config_complain(faults, NULL, "%s: '%s' cannot be read: %s", name, path,
				strerror(errno));
}

static void check_mtu(struct config_fault *faults, const char *name, int64_t mtu,
		      const struct vpn_addresses *addresses)
{
	unsigned int i;

	if (mtu && mtu < 576)
		config_complain(faults, NULL,
				"%s: %lld is too small; 576 is the least, and IPv6 needs 1280",
				name, (long long)mtu);
	for (i = 0; mtu >= 576 && mtu < 1280 && i < addresses->count; i++) {
		if (addresses->list[i].family != AF_INET6)
			continue;
		config_complain(faults, NULL,
				"%s: %lld is too small for IPv6, which needs 1280; make it greater, or take the IPv6 addresses out",
				name, (long long)mtu);
		break;
	}
}

static void check_networks(const struct config *config, struct config_fault *faults)
{
	char a[VPN_PREFIX_TEXT], b[VPN_PREFIX_TEXT];
	const struct vpn_address *list = config->networks.list;
	unsigned int i, j;

	for (i = 0; i < config->networks.count; i++) {
		for (j = 0; j < i; j++) {
			if (!vpn_address_within(&list[i], &list[j]) &&
			    !vpn_address_within(&list[j], &list[i]))
				continue;
			vpn_address_format(&list[i], a);
			vpn_address_format(&list[j], b);
			config_complain(faults, NULL, "virtual_network: %s and %s overlap", b, a);
		}
	}
	for (i = 0; i < config->reserved.count; i++) {
		if (in_networks(config, &config->reserved.list[i].first) &&
		    in_networks(config, &config->reserved.list[i].last))
			continue;
		vpn_address_format_host(&config->reserved.list[i].first, a);
		config_complain(faults, NULL,
				"reserved_addresses: '%s' is in no virtual_network",
				a);
	}
}

/* "auto", or addresses that the pools have. */
static void read_peer_address(const struct config *config, struct config_peer *peer,
			      struct config_fault *faults)
{
	struct vpn_address address, *added;
	unsigned int i;

	for (i = 0; i < peer->address.count; i++) {
		if (!strcmp(peer->address.list[i], "auto") && peer->address.count == 1)
			continue;
		if (!vpn_address_parse(&address, peer->address.list[i]) ||
		    !vpn_address_is_host(&address)) {
			config_complain(faults, &peer->at,
					"address: '%s' is not right; it is \"auto\", or an address as in \"10.8.0.5\"",
					peer->address.list[i]);
			continue;
		}
		if (!in_networks(config, &address))
			config_complain(faults, &peer->at, "address: '%s' is in no virtual_network",
					peer->address.list[i]);
		added = vpn_addresses_add(&peer->addresses);
		if (added)
			*added = address;
	}
	if (peer->addresses.count == 2 &&
	    peer->addresses.list[0].family == peer->addresses.list[1].family)
		config_complain(faults, &peer->at,
				"address: there are two of a family; a peer has one IPv4 address and one IPv6 address");
}

/* What may be there once only: the tree's node, and whose it is. */
struct claim {
	const void *what;
	const struct config_peer *peer;
};

static int compare_keys(const void *a, const void *b)
{
	return memcmp(((const struct claim *)a)->what, ((const struct claim *)b)->what,
		      VPN_KEY_LEN);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct claim *)a)->what, ((const struct claim *)b)->what);
}

static int compare_addresses(const void *a, const void *b)
{
	return vpn_address_compare(((const struct claim *)a)->what,
				   ((const struct claim *)b)->what);
}

/* Who has it already; NULL: nobody has. */
static const struct config_peer *claim(void **tree, const void *what,
				       const struct config_peer *peer,
				       int (*compare)(const void *, const void *))
{
	struct claim *new = malloc(sizeof(*new)), **found;
	const struct config_peer *other;

	if (!new)
		return NULL;
	*new = (struct claim){ what, peer };
	found = tsearch(new, tree, compare);
	if (found && *found == new)
		return NULL;
	other = found ? (*found)->peer : NULL;
	free(new);
	return other;
}

struct trees {
	void *keys, *names, *addresses;
};

static void check_twins(struct trees *trees, const struct config_peer *peer,
			struct config_fault *faults)
{
	const struct config_peer *other;
	unsigned int i;

	other = claim(&trees->keys, peer->public_key.key, peer, compare_keys);
	if (other)
		config_complain(faults, &peer->at, "'%s' and '%s' have the same public_key",
				other->name, peer->name);
	if (claim(&trees->names, peer->name, peer, compare_names))
		config_complain(faults, &peer->at, "there is a peer '%s' already", peer->name);
	for (i = 0; i < peer->addresses.count; i++) {
		other = claim(&trees->addresses, &peer->addresses.list[i], peer,
			      compare_addresses);
		if (other)
			config_complain(faults, &peer->at, "'%s' and '%s' have the same address",
					other->name, peer->name);
	}
}

static void check_peer(const struct config *config, struct config_peer *peer,
		       struct config_fault *faults)
{
	read_peer_address(config, peer, faults);
	if (peer->preshared_key.given && peer->preshared_key_path)
		config_complain(faults, &peer->at,
				"'%s' has both preshared_key and preshared_key_path; one is enough",
				peer->name);
	check_file(faults, "preshared_key_path", peer->preshared_key_path);
}

static void check_peers(const struct config *config, struct config_fault *faults)
{
	struct trees trees = { 0 };
	struct config_peer *peer;

	for (peer = config->peers; peer; peer = peer->next) {
		check_peer(config, peer, faults);
		check_twins(&trees, peer, faults);
	}
	tdestroy(trees.keys, free);
	tdestroy(trees.names, free);
	tdestroy(trees.addresses, free);
}

/* Servers that share a network share its file, too. */
static void check_policy_slice(const struct config *config, const struct config_policy *policy,
			       struct config_fault *faults)
{
	struct vpn_address address;
	unsigned int i;

	for (i = 0; i < policy->addresses.count; i++) {
		address = policy->addresses.list[i];
		if (slice_enter(config, &policy->addresses.list[i], &address))
			return;
	}
	if (policy->addresses.count)
		config_complain(faults, &policy->at,
				"addresses: none of the role '%s' is in slice %lld of %lld; give it a network in each slice",
				policy->name, (long long)config->slice.number,
				(long long)config->slice.count);
}

static void check_policy(const struct config *config, const struct config_policy *policy,
			 struct config_fault *faults)
{
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	if (config_policy_find(config, policy->name) != policy)
		config_complain(faults, &policy->at, "there is a role '%s' already", policy->name);
	for (i = 0; i < policy->addresses.count; i++) {
		if (in_networks(config, &policy->addresses.list[i]))
			continue;
		vpn_address_format(&policy->addresses.list[i], text);
		config_complain(faults, &policy->at, "addresses: '%s' is in no virtual_network",
				text);
		return;
	}
	check_policy_slice(config, policy, faults);
}

static void check_authorisation(const struct config *config, struct config_fault *faults)
{
	const struct config_policy *policy;

#ifdef HAVE_JWT
	for (unsigned int i = 0; i < config->token_algorithms.count; i++) {
		if (!cred_token_knows(config->token_algorithms.list[i]))
			config_complain(faults, NULL,
					"token_algorithms: '%s' is not right; there are HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384, ES512 and EdDSA",
					config->token_algorithms.list[i]);
	}
#endif
	if (config->crl_path && !config->ca_certificate_path)
		config_complain(faults, NULL,
				"crl_path is of no use without ca_certificate_path");
	for (policy = config->policies; policy; policy = policy->next)
		check_policy(config, policy, faults);
}

/* The kernel takes so many ranges that are kept back, ours and those of the file. */
#define RANGES_MAX	64

static void check_slice(const struct config *config, struct config_fault *faults)
{
	const struct vpn_address *network = config->networks.list;
	struct config_ranges others;
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	for (i = 0; i < config->networks.count && config->slice.count; i++, network++) {
		vpn_address_format(network, text);
		if (!slice_fits(&config->slice, network))
			config_complain(faults, NULL,
					"pool_slice: %s is too small for %lld slices; a slice has %d addresses or more",
					text, (long long)config->slice.count, SLICE_LEAST);
		slice_others(config, network, &others);
		if (others.count + config->reserved.count + 1 > RANGES_MAX)
			config_complain(faults, NULL,
					"pool_slice: too many [[peer]] have an address of another slice of %s; give them addresses that follow one another, or allowed_ips",
					text);
		free(others.list);
	}
}

static void check_server(const struct config *config, struct config_fault *faults)
{
	struct vpn_address address;

	if (!vpn_address_parse(&address, config->listen.host))
		config_complain(faults, NULL,
				"listen_address: '%s' is a name; it is an address of this host, or 0.0.0.0, or [::]",
				config->listen.host);
	check_mtu(faults, "client_mtu", config->client_mtu, &config->networks);
	check_networks(config, faults);
	check_peers(config, faults);
	check_slice(config, faults);
	check_authorisation(config, faults);
}

static void check_server_keys(const struct config *config, struct config_fault *faults)
{
	unsigned int i, count = config->server_keys.count;

	check_once(config, faults, "client", "server_public_key", "server_public_key_path");
	if (!count)
		count = config->server_key_paths.count;
	if (count > 1 && count != config->servers.count)
		config_complain(faults, NULL,
				"there are %u servers and %u public keys; give one key for all, or one for each",
				config->servers.count, count);
	if (!config_has(config, "client", "server_public_key_path"))
		return;
	for (i = 0; i < config->server_key_paths.count; i++)
		check_file(faults, "server_public_key_path", config->server_key_paths.list[i]);
}

static void check_credentials(const struct config *config, struct config_fault *faults)
{
	bool certificate = config->certificate || config->certificate_path;

	check_once(config, faults, "security", "certificate", "certificate_path");
	check_once(config, faults, "security", "ca_certificate", "ca_certificate_path");
	check_once(config, faults, "security", "token", "token_path");
	check_once(config, faults, "client", "server_certificate", "server_certificate_path");
	if (certificate && (config->token || config->token_path))
		config_complain(faults, NULL,
				"[security] has both a certificate and a token; the server is shown one of them");
	if (!config->server_certificate && !config->server_certificate_path)
		return;
	if (!config->ca_certificate && !config->ca_certificate_path)
		config_complain(faults, NULL,
				"[client] has a certificate of the server, and [security] no ca_certificate_path to judge it by");
	if (config_has(config, "client", "server_public_key") ||
	    config_has(config, "client", "server_public_key_path"))
		config_complain(faults, NULL,
				"[client] has both a public key and a certificate of the server; one is enough");
}

static void check_client(const struct config *config, struct config_fault *faults)
{
	const struct vpn_addresses *own = &config->addresses;

	check_server_keys(config, faults);
	check_credentials(config, faults);
	check_once(config, faults, "security", "preshared_key", "preshared_key_path");
	check_file(faults, "preshared_key_path", config->preshared_key_path);
	if (config->default_gateway && config->split_tunnel)
		config_complain(faults, NULL,
				"[routes] has both default_gateway and split_tunnel; with the one everything goes through the tunnel, with the other not");
	if (!config->fwmark)
		config_complain(faults, NULL,
				"fwmark: 0 is not right for a client: the tunnel's own packets would be led into it");
	if (own->count > 2 || (own->count == 2 && own->list[0].family == own->list[1].family))
		config_complain(faults, NULL,
				"address: a client has one IPv4 address and one IPv6 address");
}

void config_check(const struct config *config, struct config_fault *faults)
{
	check_once(config, faults, "security", "private_key", "private_key_path");
	check_mtu(faults, "mtu", config->mtu, config->role == ROLE_SERVER ? &config->networks :
		  &config->addresses);
	if (config->log_output && *config->log_output != '/' &&
	    strcmp(config->log_output, "journal") && strcmp(config->log_output, "stderr"))
		config_complain(faults, NULL,
				"output: '%s' is not right; it is \"journal\", \"stderr\", or the name of a file with all its folders",
				config->log_output);
	if (config->role == ROLE_SERVER)
		check_server(config, faults);
	else
		check_client(config, faults);
}
