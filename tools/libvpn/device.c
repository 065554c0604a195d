// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"

struct vpn_device *vpn_device_new(void)
{
	return calloc(1, sizeof(struct vpn_device));
}

void vpn_peer_free_allowedips(struct vpn_peer *peer)
{
	struct vpn_allowedip *ip, *next;

	for (ip = peer->allowedips; ip; ip = next) {
		next = ip->next;
		free(ip);
	}
	peer->allowedips = NULL;
	peer->last_allowedip = NULL;
}

static void free_secret(uint8_t *secret, size_t len)
{
	if (secret)
		explicit_bzero(secret, len);
	free(secret);
}

void vpn_peer_free_credential(struct vpn_peer *peer)
{
	free_secret(peer->credential, peer->credential_len);
	peer->credential = NULL;
	peer->credential_len = 0;
}

static void free_assigned(struct vpn_assigned *assigned)
{
	if (!assigned)
		return;
	vpn_addresses_free(&assigned->addresses);
	vpn_addresses_free(&assigned->dns);
	vpn_addresses_free(&assigned->routes);
	free(assigned);
}

void vpn_leases_free(struct vpn_leases *leases)
{
	struct vpn_lease *lease, *next;

	for (lease = leases->first; lease; lease = next) {
		next = lease->next;
		free(lease);
	}
	leases->first = NULL;
	leases->last = NULL;
}

void vpn_peer_free(struct vpn_peer *peer)
{
	vpn_peer_free_allowedips(peer);
	vpn_peer_free_credential(peer);
	vpn_addresses_free(&peer->addresses);
	vpn_addresses_free(&peer->push_routes);
	vpn_leases_free(&peer->leases);
	free_assigned(peer->assigned);
	free(peer->host_name);
	free(peer->software);
	free(peer->last_refusal);
	free(peer->last_disconnect);
	free(peer->handshake_latency.buckets);
	free(peer->echo_latency.buckets);
	explicit_bzero(peer, sizeof(*peer));
	free(peer);
}

void vpn_pool_free(struct vpn_pool *pool)
{
	free(pool->reserved);
	free(pool);
}

static void free_auth_request(struct vpn_auth_request *request)
{
	if (!request)
		return;
	free_secret(request->credential, request->credential_len);
	vpn_addresses_free(&request->addresses);
	free(request->host_name);
	free(request->software);
	free(request);
}

void vpn_device_clear(struct vpn_device *dev)
{
	struct vpn_peer *peer, *next_peer;
	struct vpn_pool *pool, *next_pool;

	for (peer = dev->peers; peer; peer = next_peer) {
		next_peer = peer->next;
		vpn_peer_free(peer);
	}
	for (pool = dev->pools; pool; pool = next_pool) {
		next_pool = pool->next;
		vpn_pool_free(pool);
	}
	vpn_leases_free(&dev->leases);
	vpn_addresses_free(&dev->push_dns);
	vpn_addresses_free(&dev->push_routes);
	free_auth_request(dev->auth_request);
	free(dev->handshake_latency.buckets);
	free(dev->echo_latency.buckets);
	explicit_bzero(dev, sizeof(*dev));
}

void vpn_device_free(struct vpn_device *dev)
{
	if (!dev)
		return;
	vpn_device_clear(dev);
	free(dev);
}

void vpn_device_append_peer(struct vpn_device *dev, struct vpn_peer *peer)
{
	if (dev->last_peer)
		dev->last_peer->next = peer;
	else
		dev->peers = peer;
	dev->last_peer = peer;
}

struct vpn_peer *vpn_device_add_peer(struct vpn_device *dev)
{
	struct vpn_peer *peer = calloc(1, sizeof(*peer));

	if (peer)
		vpn_device_append_peer(dev, peer);
	return peer;
}

struct vpn_allowedip *vpn_peer_add_allowedip(struct vpn_peer *peer)
{
	struct vpn_allowedip *ip = calloc(1, sizeof(*ip));

	if (!ip)
		return NULL;
	if (peer->last_allowedip)
		peer->last_allowedip->next = ip;
	else
		peer->allowedips = ip;
	peer->last_allowedip = ip;
	return ip;
}

struct vpn_pool *vpn_device_add_pool(struct vpn_device *dev)
{
	struct vpn_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	if (dev->last_pool)
		dev->last_pool->next = pool;
	else
		dev->pools = pool;
	dev->last_pool = pool;
	return pool;
}

struct vpn_lease *vpn_leases_add(struct vpn_leases *leases)
{
	struct vpn_lease *lease = calloc(1, sizeof(*lease));

	if (!lease)
		return NULL;
	if (leases->last)
		leases->last->next = lease;
	else
		leases->first = lease;
	leases->last = lease;
	return lease;
}

struct vpn_range *vpn_pool_add_range(struct vpn_pool *pool)
{
	struct vpn_range *grown;

	grown = reallocarray(pool->reserved, pool->reserved_count + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	pool->reserved = grown;
	grown += pool->reserved_count++;
	memset(grown, 0, sizeof(*grown));
	return grown;
}
