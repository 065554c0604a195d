// SPDX-License-Identifier: GPL-2.0
#include "devices.h"

#include <errno.h>
#include <string.h>

#include "../libvpn/key.h"
#include "../libvpn/nearest.h"
#include "../libvpn/socket.h"
#include "complain.h"

static int show_one(const char *ifname, bool named, device_get get,
		    void (*show)(const struct vpn_device *))
{
	struct vpn_device *dev;
	struct vpn_error err;

	if (get(ifname, &dev, &err)) {
		/* Gone since the devices were listed. */
		if (!named && err.code == ENODEV)
			return 0;
		return complain_error(&err);
	}
	show(dev);
	vpn_device_free(dev);
	return 0;
}

/* Without a device it is told why there can be none. */
static int check_module(void)
{
	struct vpn_socket sock;
	struct vpn_error err;

	if (vpn_socket_open_family(&sock, &err))
		return complain_error(&err);
	vpn_socket_close(&sock);
	return 0;
}

int devices_list(struct vpn_link **links)
{
	struct vpn_error err;

	if (vpn_link_list(links, &err))
		return complain_error(&err);
	return *links ? 0 : check_module();
}

int devices_each(const char *ifname, device_get get, void (*show)(const struct vpn_device *))
{
	struct vpn_link *links, *link;
	int status;

	if (ifname)
		return show_one(ifname, true, get, show);
	status = devices_list(&links);
	if (status)
		return status;
	for (link = links; link; link = link->next)
		status |= show_one(link->ifname, false, get, show);
	vpn_link_free(links);
	return status;
}

bool is_key(const char *word, uint8_t key[VPN_KEY_LEN])
{
	return vpn_key_from_base64(key, word, strlen(word));
}

static struct vpn_peer *peer_by_key(const struct vpn_device *dev, const uint8_t key[VPN_KEY_LEN])
{
	struct vpn_peer *peer;

	for (peer = dev->peers; peer; peer = peer->next) {
		if (!memcmp(peer->public_key, key, VPN_KEY_LEN))
			return peer;
	}
	return NULL;
}

struct vpn_peer *device_peer(const struct vpn_device *dev, const char *word)
{
	struct vpn_peer *peer, *found = NULL;
	struct nearest nearest;
	uint8_t key[VPN_KEY_LEN];

	nearest_begin(&nearest, word);
	if (is_key(word, key))
		found = peer_by_key(dev, key);
	for (peer = dev->peers; peer && !found; peer = peer->next) {
		nearest_try(&nearest, peer->name);
		if (*word && !strcmp(peer->name, word))
			found = peer;
	}
	if (!found)
		complain(NULL, "'%s' is neither the key nor the name of a peer of %s%s", word,
			 dev->ifname, nearest_hint(&nearest));
	/* The search went on behind the one that was found. */
	for (; found && peer; peer = peer->next) {
		if (is_key(word, key) || strcmp(peer->name, word))
			continue;
		complain(NULL, "'%s' is the name of several peers of %s; give the key", word,
			 dev->ifname);
		return NULL;
	}
	return found;
}

int report(int ret, const struct vpn_error *err)
{
	if (ret)
		return complain_error(err);
	if (*err->text)
		warn("the kernel says: %s", err->text);
	return 0;
}
