// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <stdlib.h>
#include <string.h>

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

void vpn_peer_free(struct vpn_peer *peer)
{
	vpn_peer_free_allowedips(peer);
	explicit_bzero(peer, sizeof(*peer));
	free(peer);
}

void vpn_device_free(struct vpn_device *dev)
{
	struct vpn_peer *peer, *next;

	if (!dev)
		return;
	for (peer = dev->peers; peer; peer = next) {
		next = peer->next;
		vpn_peer_free(peer);
	}
	explicit_bzero(dev, sizeof(*dev));
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
