// SPDX-License-Identifier: GPL-2.0
/* The device's keys, port, mark and peers, which are changed by as little as will do. */
#include <errno.h>
#include <search.h>
#include <string.h>

#include "../libvpn/key.h"
#include "../libvpn/reduce.h"
#include "desired.h"
#include "item.h"

/*
 * A peer that is there is where it spoke from last, not where the file says, unless
 * the file has changed its mind. The peers that are wanted are in the order of the file.
 */
static void leave_endpoints(const struct config *config, struct vpn_device *want,
			    const struct vpn_device *have)
{
	const struct config_peer *from = config->peers;
	const struct vpn_peer *there;
	struct vpn_peer *peer;

	for (peer = want->peers; peer && from; peer = peer->next, from = from->next) {
		if (!from->is_resolved || from->moved)
			continue;
		for (there = have->peers; there; there = there->next) {
			if (!memcmp(there->public_key, peer->public_key, VPN_KEY_LEN))
				break;
		}
		if (there && there->has & VPN_PEER_HAS_ENDPOINT)
			peer->has &= ~VPN_PEER_HAS_ENDPOINT;
	}
}

/* The kernel does not tell what is shown to the server, only that something is. */
static void leave_credential(const struct facts *facts, struct vpn_device *want,
			     struct vpn_device *have)
{
	struct vpn_peer *peer = want->peers, *there;

	if (!facts->credential_set || !peer)
		return;
	for (there = have->peers; there; there = there->next) {
		if (memcmp(there->public_key, peer->public_key, VPN_KEY_LEN) ||
		    there->credential_kind != peer->credential_kind)
			continue;
		vpn_peer_free_credential(peer);
		peer->has &= ~VPN_PEER_HAS_CREDENTIAL;
		there->credential_kind = 0;
	}
}

/* What differs; NULL with a sentence in err. */
static struct vpn_device *difference(const struct world *w, struct vpn_error *err)
{
	struct vpn_device *want = desired_device(w->config, &w->facts, err), *have = NULL;
	bool good;

	good = want && !vpn_device_get(w->ifname, &have, err);
	if (good)
		leave_endpoints(w->config, want, have);
	if (good && w->config->role == ROLE_CLIENT)
		leave_credential(&w->facts, want, have);
	if (good && !vpn_device_reduce(want, have)) {
		vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
		good = false;
	}
	vpn_device_free(have);
	if (good)
		return want;
	vpn_device_free(want);
	return NULL;
}

static bool settings_matches(struct world *w, const struct item *item)
{
	struct vpn_error err;
	struct vpn_device *dev = difference(w, &err);
	bool same = dev && !dev->has && !dev->peers;

	(void)item;
	vpn_device_free(dev);
	return same;
}

static int settings_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	struct vpn_device *dev = difference(w, err);
	int ret;

	(void)item;
	if (!dev)
		return err->code ? -err->code : -ENOMEM;
	/* Perhaps only an endpoint differs, which is not known yet. */
	ret = dev->has || dev->peers ? vpn_device_set(dev, err) : 0;
	vpn_device_free(dev);
	if (!ret)
		w->facts.credential_set = true;
	return ret;
}

/* They go with the device; without it there is no reason to undo them. */
static int settings_undo(struct world *w, const struct item *item, const json_t *before,
			 struct vpn_error *err)
{
	(void)w;
	(void)item;
	(void)before;
	(void)err;
	return 0;
}

static const char *const device_words[] = {
	"private key",
	"public key", "port", "mark", "peers", "host name", "greatest number of clients",
	"DNS servers for clients", "routes for clients", "MTU for clients", "keepalive for clients",
};

static void describe_peer(const struct vpn_peer *peer, FILE *to)
{
	char key[VPN_KEY_BASE64_LEN + 1];

	vpn_key_to_base64(peer->public_key, key);
	fprintf(to, "%s peer %s%s%s\n", peer->flags & VPN_PEER_FLAGS_REMOVE ? "-" :
		peer->flags & VPN_PEER_FLAGS_UPDATE_ONLY ? "~" : "+",
		peer->name, *peer->name ? " " : "", key);
}

static int compare_keys(const void *a, const void *b)
{
	const struct vpn_peer *first = a, *second = b;

	return memcmp(first->public_key, second->public_key, VPN_KEY_LEN);
}

static void keep(void *node)
{
	(void)node;
}

/* Which peers are there already, so that they are changed and not added. */
static void mark_present(const struct vpn_device *want, const struct vpn_device *have)
{
	void *present = NULL;
	struct vpn_peer *peer;

	for (peer = have->peers; peer; peer = peer->next)
		tsearch(peer, &present, compare_keys);
	for (peer = want->peers; peer; peer = peer->next) {
		if (!(peer->flags & VPN_PEER_FLAGS_REMOVE) && tfind(peer, &present, compare_keys))
			peer->flags |= VPN_PEER_FLAGS_UPDATE_ONLY;
	}
	tdestroy(present, keep);
}

/* What will be when its name has been resolved. */
static void describe_moves(const struct config *config, FILE *to)
{
	const struct config_peer *peer;

	for (peer = config->peers; peer; peer = peer->next) {
		if (peer->moved && !peer->is_resolved)
			fprintf(to, "~ endpoint %s of peer %s, when it is resolved\n",
				peer->endpoint.host, peer->name);
	}
}

static void settings_describe(const struct world *w, const struct item *item, const char *sign,
			      FILE *to)
{
	struct vpn_device *dev, *have;
	const struct vpn_peer *peer;
	struct vpn_error err;
	size_t i;

	(void)item;
	dev = difference(w, &err);
	if (!dev) {
		fprintf(to, "%s settings of %s\n", sign, w->ifname);
		return;
	}
	for (i = 0; i < sizeof(device_words) / sizeof(*device_words); i++) {
		if (dev->has & 1 << i)
			fprintf(to, "~ %s of %s\n", device_words[i], w->ifname);
	}
	if (!vpn_device_get(w->ifname, &have, &err)) {
		mark_present(dev, have);
		vpn_device_free(have);
	}
	for (peer = dev->peers; peer; peer = peer->next)
		describe_peer(peer, to);
	describe_moves(w->config, to);
	vpn_device_free(dev);
}

const struct item_kind kind_settings = {
	.name = "settings", .of_device = true, .matches = settings_matches, .make = settings_make,
	.undo = settings_undo, .describe = settings_describe,
};
