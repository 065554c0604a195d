// SPDX-License-Identifier: GPL-2.0
#include "policy.h"

#include <string.h>
#include <time.h>

#include "../libvpn/address.h"
#include "desired.h"
#include "slice.h"

/* Of a network that is larger, only so many addresses are tried. */
#define TRIES_MAX	65536

static const struct config_policy *policy_of(const struct config *config,
					     const struct guest *guest)
{
	return config_policy_find(config, guest->verdict.role);
}

bool policy_lan(const struct config *config, const struct guest *guest)
{
	const struct config_policy *policy = policy_of(config, guest);

	return policy ? policy->allow_lan_access : config->allow_lan_access;
}

bool policy_clients(const struct config *config, const struct guest *guest)
{
	const struct config_policy *policy = policy_of(config, guest);

	return policy ? policy->client_to_client : config->client_to_client;
}

const struct vpn_addresses *policy_routes(const struct config *config, const struct guest *guest)
{
	const struct config_policy *policy = policy_of(config, guest);

	return policy && policy->own_routes ? &policy->push_routes : NULL;
}

static bool check_role(const struct config *config, const struct config_policy *policy,
		       struct cred_verdict *verdict)
{
	if (policy || !config->policies)
		return true;
	if (!*verdict->role)
		return cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED,
				   "'%s' has no role, and this server asks for one",
				   verdict->name);
	return cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED,
			   "the role '%s' is not known on this server", verdict->role);
}

/* Of that name, and by another key. */
static bool check_connections(const struct config_policy *policy, const struct guests *guests,
			      const struct guest *guest, struct cred_verdict *verdict)
{
	const struct guest *other;
	int64_t count = 0;

	if (!policy || !policy->connections)
		return true;
	for (other = guests->first; other; other = other->next) {
		if (other != guest && other->kind &&
		    !strcmp(other->verdict.name, verdict->name))
			count++;
	}
	return count < policy->connections ||
	       cred_refuse(verdict, VPN_REJECT_REASON_SERVER_FULL,
			   "'%s' is connected as often as the role '%s' allows: %lld",
			   verdict->name, policy->name, (long long)count);
}

/*
 * Addresses
 */

static bool same_address(const struct vpn_address *a, const struct vpn_address *b)
{
	return a->family == b->family && !memcmp(&a->ip6, &b->ip6, vpn_address_len(a->family));
}

static bool has_address(const struct vpn_addresses *list, const struct vpn_address *address)
{
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		if (same_address(&list->list[i], address))
			return true;
	}
	return false;
}

static bool is_taken(const struct config *config, const struct guests *guests,
		     const struct guest *guest, const struct vpn_address *address)
{
	const struct config_peer *peer;
	const struct guest *other;
	struct vpn_address own;
	unsigned int i;

	for (i = 0; i < config->networks.count; i++) {
		own = desired_server_address(&config->networks.list[i]);
		if (same_address(&own, address))
			return true;
	}
	for (peer = config->peers; peer; peer = peer->next) {
		if (has_address(&peer->addresses, address))
			return true;
	}
	for (other = guests->first; other; other = other->next) {
		if (other != guest && (has_address(&other->addresses, address) ||
				       has_address(&other->leased, address)))
			return true;
	}
	return false;
}

/* From there on, the first of that network that nobody has. */
static bool find_free(const struct config *config, const struct guests *guests,
		      const struct guest *guest, const struct vpn_address *network,
		      struct vpn_address *address)
{
	unsigned int tries;

	for (tries = 0; tries < TRIES_MAX && vpn_address_within(network, address) &&
	     slice_has(config, address); tries++) {
		if (!is_taken(config, guests, guest, address))
			return true;
		vpn_address_next(address);
	}
	return false;
}

static bool take_from(const struct config *config, const struct guests *guests,
		      struct guest *guest, const struct vpn_address *network)
{
	struct vpn_address address = *network, *added;

	if (network->prefix_len < 8 * vpn_address_len(network->family) - 1 &&
	    vpn_address_is_prefix(network))
		vpn_address_next(&address);
	if (!slice_enter(config, network, &address) ||
	    !find_free(config, guests, guest, network, &address))
		return false;
	address.prefix_len = 8 * vpn_address_len(address.family);
	added = vpn_addresses_add(&guest->addresses);
	if (added)
		*added = address;
	return added;
}

/* What it has fits already, or one of each family is looked for. */
static bool still_fits(const struct config *config, const struct config_policy *policy,
		       const struct guest *guest)
{
	unsigned int i, j, fits = 0;

	for (i = 0; i < guest->addresses.count; i++) {
		const struct vpn_address *own = &guest->addresses.list[i];

		for (j = 0; j < policy->addresses.count && slice_has(config, own); j++) {
			if (vpn_address_within(&policy->addresses.list[j], own)) {
				fits++;
				break;
			}
		}
	}
	return guest->addresses.count && fits == guest->addresses.count;
}

static bool choose_addresses(const struct config *config, const struct config_policy *policy,
			     const struct guests *guests, struct guest *guest,
			     struct cred_verdict *verdict)
{
	unsigned int i;

	if (policy && policy->addresses.count && still_fits(config, policy, guest))
		return true;
	vpn_addresses_free(&guest->addresses);
	for (i = 0; policy && i < policy->addresses.count; i++) {
		if (!vpn_addresses_have_family(&guest->addresses, policy->addresses.list[i].family))
			take_from(config, guests, guest, &policy->addresses.list[i]);
	}
	return !policy || !policy->addresses.count || guest->addresses.count ||
	       cred_refuse(verdict, VPN_REJECT_REASON_POOL_EXHAUSTED,
			   "the addresses of the role '%s' are exhausted", policy->name);
}

bool policy_next_address(const struct config *config, const struct guests *guests,
			 struct guest *guest)
{
	const struct config_policy *policy = policy_of(config, guest);
	struct vpn_address *address = guest->addresses.list;
	unsigned int i;

	/* With two of them it is not known which one is somebody's. */
	if (!policy || guest->addresses.count != 1)
		return false;
	vpn_address_next(address);
	for (i = 0; i < policy->addresses.count; i++) {
		if (vpn_address_within(&policy->addresses.list[i], address))
			return find_free(config, guests, guest, &policy->addresses.list[i],
					 address);
	}
	return false;
}

bool policy_apply(const struct config *config, const struct guests *guests, struct guest *guest,
		  struct cred_verdict *verdict)
{
	const struct config_policy *policy = config_policy_find(config, verdict->role);
	uint64_t limit;

	if (!check_role(config, policy, verdict) ||
	    !check_connections(policy, guests, guest, verdict) ||
	    !choose_addresses(config, policy, guests, guest, verdict))
		return false;
	guest->verdict = *verdict;
	guest->expires = verdict->expires;
	if (policy && policy->session_time) {
		limit = time(NULL) + policy->session_time;
		if (!guest->expires || limit < guest->expires)
			guest->expires = limit;
	}
	return true;
}
