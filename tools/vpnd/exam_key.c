// SPDX-License-Identifier: GPL-2.0
/* Whether keys fit together: those of the file, of the device, and of the other end. */
#include <errno.h>
#include <linux/ethtool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libvpn/key.h"
#include "../libvpn/names.h"
#include "credential.h"
#include "driver.h"
#include "exam.h"
#include "secret.h"

#define KEY_TEXT	(VPN_KEY_BASE64_LEN + 1)

struct keys {
	bool known;
	uint8_t private_key[VPN_KEY_LEN], public_key[VPN_KEY_LEN];
};

static bool same(const uint8_t a[VPN_KEY_LEN], const uint8_t b[VPN_KEY_LEN])
{
	return !memcmp(a, b, VPN_KEY_LEN);
}

/* False: it has been told what is wrong. A key that is not there yet is made at the start. */
static bool read_own(struct subject *s, struct keys *own)
{
	const struct config *config = s->config;
	struct vpn_error err;

	if (!config) {
		memcpy(own->public_key, s->dev->public_key, VPN_KEY_LEN);
		own->known = s->dev->has & VPN_DEVICE_HAS_PUBLIC_KEY;
		return true;
	}
	if (!config->private_key.given && access(config->private_key_path, F_OK) &&
	    errno == ENOENT && !s->status)
		return true;
	if (!config->private_key.given &&
	    secret_read(config->private_key_path, own->private_key, &err)) {
		exam_say(s, "key", VERDICT_FAIL, "%s", err.text);
		exam_remedy(s, "'vpnctl genkey' makes one");
		return false;
	}
	if (config->private_key.given)
		memcpy(own->private_key, config->private_key.key, VPN_KEY_LEN);
	own->known = vpn_key_public(own->public_key, own->private_key);
	return true;
}

/* The device was given another one than the file has now. */
static bool differs_from_device(struct subject *s, const struct keys *own)
{
	if (!s->dev || !own->known || same(own->public_key, s->dev->public_key))
		return false;
	exam_say(s, "key", VERDICT_FAIL, "%s has another private key than the file names",
		 s->ifname);
	exam_remedy(s, "'%s' gives it that of the file", subject_again(s));
	return true;
}

/* What is copied to the other end is the file beside it. */
static bool differs_from_neighbour(struct subject *s, const struct keys *own)
{
	const char *path = s->config && !s->config->private_key.given ?
			   s->config->private_key_path : NULL;
	uint8_t beside[VPN_KEY_LEN];
	struct vpn_error err;
	size_t len = path ? strlen(path) : 0;
	char *pub;
	bool differs;

	if (!own->known || len < 5 || strcmp(path + len - 4, ".key") ||
	    asprintf(&pub, "%.*s.pub", (int)len - 4, path) < 0)
		return false;
	differs = !access(pub, R_OK) && !secret_read(pub, beside, &err) &&
		  !same(beside, own->public_key);
	if (differs) {
		exam_say(s, "key", VERDICT_FAIL, "'%s' is not the public key of '%s'", pub, path);
		exam_remedy(s, "'vpnctl pubkey <%s >%s', and copy that to the other end", path,
			    pub);
	}
	free(pub);
	return differs;
}

/* Somebody's own key, or even the secret one, where the other end's should be. */
static bool is_own(struct subject *s, const struct keys *own, const uint8_t key[VPN_KEY_LEN],
		   const char *whose)
{
	bool secret = !vpn_key_is_zero(own->private_key) && same(key, own->private_key);

	if (!own->known || (!secret && !same(key, own->public_key)))
		return false;
	exam_say(s, "key", VERDICT_FAIL, "the public key of %s is this end's own %s key", whose,
		 secret ? "private" : "public");
	exam_remedy(s, "'vpnctl show all public-key' at the other end prints the right one");
	return true;
}

static bool has_peer(const struct vpn_device *dev, const uint8_t key[VPN_KEY_LEN])
{
	const struct vpn_peer *peer;

	for (peer = dev->peers; peer; peer = peer->next) {
		if (same(peer->public_key, key))
			return true;
	}
	return false;
}

static bool lacks_peer(struct subject *s, const uint8_t key[VPN_KEY_LEN], const char *whose)
{
	if (!s->dev || has_peer(s->dev, key))
		return false;
	exam_say(s, "key", VERDICT_FAIL, "%s does not know the public key that the file has of %s",
		 s->ifname, whose);
	exam_remedy(s, "'%s' gives it that of the file", subject_again(s));
	return true;
}

static bool peers_are_wrong(struct subject *s, const struct keys *own)
{
	const struct config_peer *peer;

	for (peer = s->config->peers; peer; peer = peer->next) {
		if (is_own(s, own, peer->public_key.key, peer->name) ||
		    (s->status && lacks_peer(s, peer->public_key.key, peer->name)))
			return true;
	}
	return false;
}

/* Which server a client asks is the daemon's to say. */
static unsigned int present_server(const struct subject *s)
{
	const char *now = json_string_value(json_object_get(s->status, "server"));
	const struct config_endpoints *servers = &s->config->servers;
	unsigned int i;

	for (i = 0; now && i < servers->count; i++) {
		if (!strcmp(servers->list[i].host, now))
			return i;
	}
	return 0;
}

static bool server_is_wrong(struct subject *s, const struct keys *own)
{
	const struct config *config = s->config;
	unsigned int n = present_server(s);
	uint8_t key[VPN_KEY_LEN];
	struct vpn_error err;

	if (credential_names_server(config)) {
		if (credential_server_key(config, config->servers.list[n].host, key, &err)) {
			exam_say(s, "key", VERDICT_FAIL, "%s", err.text);
			exam_remedy(s, "get the certificate anew from who runs the server");
			return true;
		}
	} else if (config->server_keys.count) {
		memcpy(key, config->server_keys.list[config->server_keys.count > 1 ? n : 0].key,
		       VPN_KEY_LEN);
	} else if (secret_read(config->server_key_paths.list[config->server_key_paths.count > 1 ?
							     n : 0], key, &err)) {
		exam_say(s, "key", VERDICT_FAIL, "the server's public key is not known: %s",
			 err.text);
		exam_remedy(s,
			    "copy the file beside the server's private key, or give server_public_key");
		return true;
	}
	return is_own(s, own, key, config->servers.list[n].host) ||
	       (subject_server(s) && lacks_peer(s, key, config->servers.list[n].host));
}

/* An answer came, and it was not sealed with the preshared key that we have. */
static bool answer_is_not_authentic(struct subject *s)
{
	if (!subject_is_unanswered(s) ||
	    !driver_read_one(s->ifname, "drop_handshake_refused"))
		return false;
	exam_say(s, "key", VERDICT_FAIL,
		 "the server answers, but with another preshared key than this end has");
	exam_remedy(s, "compare preshared_key here and in its [[peer]]");
	return true;
}

static bool is_refused(struct subject *s)
{
	const struct vpn_peer *peer = subject_server(s);
	const struct vpn_refusal *refusal = peer ? peer->last_refusal : NULL;
	char text[KEY_TEXT];

	if (!refusal || refusal->ours || refusal->time < peer->last_handshake ||
	    (refusal->reason != VPN_REJECT_REASON_UNAUTHORISED &&
	     refusal->reason != VPN_REJECT_REASON_REVOKED))
		return false;
	vpn_key_to_base64(s->dev->public_key, text);
	exam_say(s, "key", VERDICT_FAIL, "the server does not let in the key %s: %s", text,
		 vpn_name_of(&vpn_reject_reasons, refusal->reason));
	exam_remedy(s, "have it added to the server as a [[peer]]");
	return true;
}

/*
 * The device cannot know who it was, but it counts. Who scans the internet does not
 * know the right form of a message.
 */
static bool others_are_wrong(struct subject *s)
{
	uint64_t wrong_key, refused;

	if (subject_is_client(s) || !s->dev)
		return false;
	wrong_key = driver_read_one(s->ifname, "drop_handshake_bad_mac");
	refused = driver_read_one(s->ifname, "drop_handshake_refused");
	if (!wrong_key && !refused)
		return false;
	exam_say(s, "key", VERDICT_WARN,
		 "%llu handshakes were meant for another public key than this end's, and %llu were of keys that it does not know, or repeated",
		 (unsigned long long)wrong_key, (unsigned long long)refused);
	exam_remedy(s,
		    "compare the keys of clients that cannot connect; 'ethtool -S %s' counts since the device was made",
		    s->ifname);
	return true;
}

void exam_key(struct subject *s)
{
	struct keys own = { 0 };
	char text[KEY_TEXT];
	bool wrong;

	wrong = !read_own(s, &own) || differs_from_device(s, &own) ||
		differs_from_neighbour(s, &own) ||
		(subject_is_server(s) && peers_are_wrong(s, &own)) ||
		(subject_is_client(s) && server_is_wrong(s, &own)) || is_refused(s) ||
		answer_is_not_authentic(s) || others_are_wrong(s);
	vpn_key_to_base64(own.public_key, text);
	if (!wrong && own.known)
		exam_say(s, "key", VERDICT_OK, "this end's public key is %s", text);
	else if (!wrong)
		exam_say(s, "key", VERDICT_OK, s->config ? "vpnd makes one" : "there is none yet");
	explicit_bzero(&own, sizeof(own));
}
