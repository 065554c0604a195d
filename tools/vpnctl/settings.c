// SPDX-License-Identifier: GPL-2.0
#include "settings.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "../libvpn/nearest.h"
#include "../libvpn/text.h"
#include "devices.h"
#include "parse.h"
#include "settings_v1.h"

/* An entry of the tree of prefixes. */
struct claim {
	const struct vpn_allowedip *ip;
	const struct vpn_peer *remover;		/* NULL: the prefix is given */
};

bool builder_begin(struct builder *b, const char *ifname)
{
	size_t len = strlen(ifname);

	memset(b, 0, sizeof(*b));
	if (!len || len >= IF_NAMESIZE)
		return complain(NULL,
				"there is no device '%s'; a device's name has 1 to %d characters",
				ifname, IF_NAMESIZE - 1);
	b->dev = vpn_device_new();
	if (!b->dev)
		return complain(NULL, "%s", strerror(errno));
	memcpy(b->dev->ifname, ifname, len);
	return true;
}

static void keep(void *node)
{
	(void)node;
}

void builder_end(struct builder *b)
{
	tdestroy(b->peers, keep);
	tdestroy(b->prefixes, free);
}

int settings_apply(const struct vpn_device *dev)
{
	struct vpn_error err;

	return report(vpn_device_set(dev, &err), &err);
}

bool builder_add_peer(struct builder *b, const struct origin *at)
{
	b->peer = vpn_device_add_peer(b->dev);
	b->given = 0;
	return b->peer || complain(at, "%s", strerror(errno));
}

static int compare_peers(const void *a, const void *b)
{
	const struct vpn_peer *first = a, *second = b;

	return memcmp(first->public_key, second->public_key, VPN_KEY_LEN);
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *first = a, *second = b;

	if (first->remover != second->remover)
		return first->remover < second->remover ? -1 : 1;
	return vpn_prefix_compare(first->ip, second->ip);
}

static bool public_key(struct builder *b, const struct origin *at, const char *value)
{
	struct vpn_peer **found;

	if (!parse_public_key(at, value, b->peer->public_key))
		return false;
	b->peer->has |= VPN_PEER_HAS_PUBLIC_KEY;
	found = tsearch(b->peer, &b->peers, compare_peers);
	if (!found)
		return complain(at, "%s", strerror(errno));
	if (*found != b->peer)
		return complain(at, "'%s' is given twice; a peer has one place for its settings",
				value);
	return true;
}

static bool new_peer(struct builder *b, const struct origin *at, const char *value)
{
	return builder_add_peer(b, at) && public_key(b, at, value);
}

static bool remove_peer(struct builder *b, const struct origin *at, const char *value)
{
	(void)at;
	(void)value;
	b->peer->flags |= VPN_PEER_FLAGS_REMOVE;
	return true;
}

static bool listen_port(struct builder *b, const struct origin *at, const char *value)
{
	b->dev->has |= VPN_DEVICE_HAS_LISTEN_PORT;
	return parse_port(at, value, &b->dev->listen_port);
}

static bool fwmark(struct builder *b, const struct origin *at, const char *value)
{
	b->dev->has |= VPN_DEVICE_HAS_FWMARK;
	return parse_fwmark(at, value, &b->dev->fwmark);
}

static bool private_key_file(struct builder *b, const struct origin *at, const char *value)
{
	b->dev->has |= VPN_DEVICE_HAS_PRIVATE_KEY;
	return parse_key_file(at, value, b->dev->private_key);
}

static bool private_key(struct builder *b, const struct origin *at, const char *value)
{
	b->dev->has |= VPN_DEVICE_HAS_PRIVATE_KEY;
	return parse_secret_key(at, value, b->dev->private_key);
}

static bool preshared_key_file(struct builder *b, const struct origin *at, const char *value)
{
	b->peer->has |= VPN_PEER_HAS_PRESHARED_KEY;
	return parse_key_file(at, value, b->peer->preshared_key);
}

static bool preshared_key(struct builder *b, const struct origin *at, const char *value)
{
	b->peer->has |= VPN_PEER_HAS_PRESHARED_KEY;
	return parse_secret_key(at, value, b->peer->preshared_key);
}

static bool endpoint(struct builder *b, const struct origin *at, const char *value)
{
	b->peer->has |= VPN_PEER_HAS_ENDPOINT;
	return parse_endpoint(at, value, &b->peer->endpoint);
}

static bool keepalive(struct builder *b, const struct origin *at, const char *value)
{
	b->peer->has |= VPN_PEER_HAS_KEEPALIVE;
	return parse_keepalive(at, value, &b->peer->keepalive);
}

static bool name(struct builder *b, const struct origin *at, const char *value)
{
	b->peer->has |= VPN_PEER_HAS_NAME;
	return parse_name(at, value, b->peer->name);
}

/*
 * The same prefix for two peers is a mistake that the kernel would settle by
 * giving it to the last one. A move, taken from one and given to another, is
 * none.
 */
static bool claim_prefix(struct builder *b, const struct origin *at, const struct vpn_allowedip *ip)
{
	bool remove = ip->flags & VPN_ALLOWEDIP_FLAGS_REMOVE;
	struct claim *claim = malloc(sizeof(*claim)), **found;
	char prefix[VPN_PREFIX_TEXT];

	if (!claim)
		return complain(at, "%s", strerror(errno));
	*claim = (struct claim){ .ip = ip, .remover = remove ? b->peer : NULL };
	found = tsearch(claim, &b->prefixes, compare_claims);
	if (found && *found == claim)
		return true;
	free(claim);
	if (!found)
		return complain(at, "%s", strerror(errno));
	vpn_prefix_format(ip, prefix);
	return complain(at, "'%s' is given twice; a prefix belongs to one peer", prefix);
}

static bool add_prefix(struct builder *b, const struct origin *at, const char *text, uint32_t flags)
{
	struct vpn_allowedip *ip = vpn_peer_add_allowedip(b->peer);

	if (!ip)
		return complain(at, "%s", strerror(errno));
	ip->flags = flags;
	return parse_prefix(at, text, ip) && claim_prefix(b, at, ip);
}

static bool change_prefix(const struct origin *at, const char *text, void *context)
{
	struct builder *b = context;

	if (*text == '+')
		return add_prefix(b, at, text + 1, 0);
	if (*text == '-')
		return add_prefix(b, at, text + 1, VPN_ALLOWEDIP_FLAGS_REMOVE);
	b->peer->flags |= VPN_PEER_FLAGS_REPLACE_ALLOWEDIPS;
	return add_prefix(b, at, text, 0);
}

static bool give_prefix(const struct origin *at, const char *text, void *context)
{
	return add_prefix(context, at, text, 0);
}

static bool allowedips_word(struct builder *b, const struct origin *at, const char *value)
{
	if (!*value)
		b->peer->flags |= VPN_PEER_FLAGS_REPLACE_ALLOWEDIPS;
	return parse_list(at, value, change_prefix, b);
}

static bool allowedips_key(struct builder *b, const struct origin *at, const char *value)
{
	return parse_list(at, value, give_prefix, b);
}

const struct setting settings[] = {
	{ "listen-port", "ListenPort", false, false, listen_port, listen_port },
	{ "fwmark", "FwMark", false, false, fwmark, fwmark },
	{ "private-key", "PrivateKey", false, false, private_key_file, private_key },
	{ "peer", "PublicKey", true, false, new_peer, public_key },
	{ "remove", NULL, true, false, remove_peer, NULL },
	{ "preshared-key", "PresharedKey", true, false, preshared_key_file, preshared_key },
	{ "endpoint", "Endpoint", true, false, endpoint, endpoint },
	{ "persistent-keepalive", "PersistentKeepalive", true, false, keepalive, keepalive },
	{ "allowed-ips", "AllowedIPs", true, true, allowedips_word, allowedips_key },
	{ "name", "Name", true, false, name, name },
	{ "host-name", "HostName", false, false, set_host_name, set_host_name },
	{ "max-peers", "MaxPeers", false, false, set_max_peers, set_max_peers },
	{ "push-dns", "PushDNS", false, false, set_push_dns, set_push_dns },
	{ "push-routes", "PushRoutes", false, false, set_push_routes, set_push_routes },
	{ "push-mtu", "PushMTU", false, false, set_push_mtu, set_push_mtu },
	{ "push-keepalive", "PushKeepalive", false, false, set_push_keepalive, set_push_keepalive },
	{ "address", "Address", true, false, set_address, set_address },
	{ "cipher", "Cipher", true, false, set_cipher, set_cipher },
	{ "credential", "Credential", true, false, set_credential, set_credential },
	{ "expires", "Expires", true, false, set_expires, set_expires },
	{ "push-routes", "PushRoutes", true, false, set_peer_routes, set_peer_routes },
	{ NULL, NULL, false, false, NULL, NULL }
};

const struct setting *setting_by_word(const char *word, bool of_peer)
{
	const struct setting *s, *found = NULL;

	for (s = settings; s->word; s++) {
		if (!strcmp(s->word, word) && (!found || s->of_peer == of_peer))
			found = s;
	}
	return found;
}

const struct setting *setting_by_key(const char *key, bool of_peer)
{
	const struct setting *s, *found = NULL;

	for (s = settings; s->word; s++) {
		if (s->key && !strcasecmp(s->key, key) && (!found || s->of_peer == of_peer))
			found = s;
	}
	return found;
}

const char *setting_hint(const char *misspelt, bool in_file)
{
	static struct nearest nearest;
	const struct setting *s;

	nearest_begin(&nearest, misspelt);
	for (s = settings; s->word; s++) {
		if (!in_file || s->key)
			nearest_try(&nearest, in_file ? s->key : s->word);
	}
	return nearest_hint(&nearest);
}

bool setting_once(struct builder *b, const struct setting *setting, const struct origin *at)
{
	uint32_t bit = 1U << (setting - settings);

	if ((b->given & bit) && !setting->repeatable)
		return complain(at, "is given twice for the same %s; only one can hold",
				setting->of_peer ? "peer" : "device");
	b->given |= bit;
	return true;
}
