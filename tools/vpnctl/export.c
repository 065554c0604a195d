// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "../libvpn/text.h"
#include "command.h"
#include "complain.h"
#include "devices.h"
#include "parse.h"
#include "secret.h"

/* More than a client's configuration takes. */
#define TEXT_MAX	16384

struct exporting {
	const char *ifname, *peer;
	char *endpoint;			/* to free; NULL: not told */
	bool has_key, qr;
	uint8_t private_key[VPN_KEY_LEN];
};

static void put_key(FILE *to, const char *name, const uint8_t key[VPN_KEY_LEN])
{
	char text[VPN_KEY_BASE64_LEN + 1];

	vpn_key_to_base64(key, text);
	fprintf(to, "%s = %s\n", name, text);
	explicit_bzero(text, sizeof(text));
}

static void put_private_key(FILE *to, const struct exporting *e, const struct vpn_peer *peer)
{
	char text[VPN_KEY_BASE64_LEN + 1];

	if (e->has_key) {
		put_key(to, "PrivateKey", e->private_key);
		return;
	}
	vpn_key_to_base64(peer->public_key, text);
	fprintf(to, "# PrivateKey = (the private key of %s)\n", text);
}

static void put_list(FILE *to, const char *key, const struct vpn_addresses *addresses,
		     void (*format)(const struct vpn_address *, char *))
{
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	for (i = 0; i < addresses->count; i++) {
		format(&addresses->list[i], text);
		fprintf(to, i ? ", %s" : "%s = %s", i ? text : key, text);
	}
	if (addresses->count)
		fputc('\n', to);
}

/* Leases, or else the single addresses among the allowed IPs. */
static bool find_addresses(const struct vpn_peer *peer, struct vpn_addresses *addresses)
{
	const struct vpn_lease *lease;
	const struct vpn_allowedip *ip;
	struct vpn_address *added;

	for (lease = peer->leases.first; lease; lease = lease->next) {
		added = vpn_addresses_add(addresses);
		if (!added)
			return complain(NULL, "%s", strerror(errno));
		*added = lease->address;
	}
	if (addresses->count)
		return true;
	for (ip = peer->allowedips; ip; ip = ip->next) {
		const struct vpn_address address = {
			.ip6 = ip->ip6, .family = ip->family, .prefix_len = ip->prefix_len,
		};

		if (!vpn_address_is_host(&address))
			continue;
		added = vpn_addresses_add(addresses);
		if (!added)
			return complain(NULL, "%s", strerror(errno));
		*added = address;
	}
	return addresses->count ||
	       complain(NULL,
			"the peer has neither a lease nor a single address among its allowed IPs, so it has no address; 'address auto' gives it one of a pool");
}

static void put_interface(FILE *to, const struct exporting *e, const struct vpn_device *dev,
			  const struct vpn_peer *peer, const struct vpn_addresses *addresses)
{
	fprintf(to, "[Interface]\n");
	put_private_key(to, e, peer);
	put_list(to, "Address", addresses, vpn_address_format);
	put_list(to, "DNS", &dev->push_dns, vpn_address_format_host);
	if (dev->push_mtu)
		fprintf(to, "MTU = %u\n", dev->push_mtu);
}

static void put_peer(FILE *to, const struct exporting *e, const struct vpn_device *dev,
		     const struct vpn_peer *peer)
{
	const struct vpn_addresses *routes = peer->own_routes ? &peer->push_routes :
					     &dev->push_routes;

	fprintf(to, "\n[Peer]\n");
	put_key(to, "PublicKey", dev->public_key);
	if (!vpn_key_is_zero(peer->preshared_key))
		put_key(to, "PresharedKey", peer->preshared_key);
	if (routes->count)
		put_list(to, "AllowedIPs", routes, vpn_address_format);
	else
		fprintf(to, "AllowedIPs = 0.0.0.0/0, ::/0\n");
	if (e->endpoint)
		fprintf(to, "Endpoint = %s\n", e->endpoint);
	else
		fprintf(to, "# Endpoint = HOST:%u\n", dev->listen_port);
	if (dev->push_keepalive)
		fprintf(to, "PersistentKeepalive = %u\n", dev->push_keepalive);
}

static int print(const struct exporting *e, const struct vpn_device *dev,
		 const struct vpn_peer *peer, const struct vpn_addresses *addresses)
{
	static char text[TEXT_MAX];
	FILE *to = secret_text_open(text, sizeof(text));

	if (!to)
		return STATUS_FAILED;
	put_interface(to, e, dev, peer, addresses);
	put_peer(to, e, dev, peer);
	return secret_text_print(to, text, sizeof(text), "configuration", e->qr);
}

static bool check_key(const struct exporting *e, const struct vpn_peer *peer)
{
	uint8_t public_key[VPN_KEY_LEN];

	if (!e->has_key)
		return true;
	if (!vpn_key_public(public_key, e->private_key))
		return complain(NULL,
				"the public key cannot be computed: this system has no X25519");
	return !memcmp(public_key, peer->public_key, VPN_KEY_LEN) ||
	       complain(NULL,
			"private-key is not the key of this peer; its public key is another one");
}

static int export_peer(const struct exporting *e, const struct vpn_device *dev)
{
	const struct vpn_peer *peer = device_peer(dev, e->peer);
	struct vpn_addresses addresses = { NULL, 0 };
	int status = STATUS_FAILED;

	if (!peer || !check_key(e, peer))
		return STATUS_FAILED;
	if (vpn_key_is_zero(dev->private_key))
		return !complain(NULL,
				 "%s has no private key, so nobody can reach it; give it one with 'vpnctl set %s private-key FILE'",
				 dev->ifname, dev->ifname);
	if (find_addresses(peer, &addresses)) {
		if ((e->has_key || !vpn_key_is_zero(peer->preshared_key)) && !e->qr)
			secret_warn_of_readers();
		status = print(e, dev, peer, &addresses);
	}
	vpn_addresses_free(&addresses);
	return status;
}

/* The name is left to the client to resolve. */
static bool take_endpoint(struct exporting *e, const char *value)
{
	const struct origin at = { .word = "endpoint" };
	char *copy = strdup(value), *host, *port;
	bool good;

	if (!copy)
		return complain(&at, "%s", strerror(errno));
	good = vpn_endpoint_split(copy, &host, &port) && strlen(port) <= 5 &&
	       !port[strspn(port, "0123456789")] && atoi(port) >= 1 && atoi(port) <= UINT16_MAX &&
	       text_is_name(value) && !strchr(value, ' ');
	free(copy);
	if (!good)
		return complain(&at,
				"'%s' is not an endpoint; an endpoint is HOST:PORT, as in vpn.example.com:51820 or [2001:db8::1]:51820",
				value);
	free(e->endpoint);
	e->endpoint = strdup(value);
	return e->endpoint || complain(&at, "%s", strerror(errno));
}

static bool take_key(struct exporting *e, const char *path)
{
	const struct origin at = { .word = "private-key" };

	if (!parse_key_file(&at, path, e->private_key))
		return false;
	e->has_key = !vpn_key_is_zero(e->private_key);
	return e->has_key ||
	       complain(&at, "'%s' is empty; it has to hold the key of the peer", path);
}

/* Take one word, with its value, off the arguments; the exit status. */
static int take_option(char ***args, struct exporting *e)
{
	const char *word = *(*args)++, *value;
	bool endpoint = !strcmp(word, "endpoint");

	if (!strcmp(word, "--qr")) {
		e->qr = true;
		return 0;
	}
	if (!endpoint && strcmp(word, "private-key"))
		return complain_usage("export", "'%s' is no option; "
				      "there are 'endpoint', 'private-key' and '--qr'", word);
	value = *(*args)++;
	if (!value)
		return complain_usage("export", "'%s' needs a value", word);
	return !(endpoint ? take_endpoint(e, value) : take_key(e, value));
}

static int run(const struct exporting *e)
{
	struct vpn_device *dev;
	struct vpn_error err;
	int status;

	if (e->qr && !e->has_key)
		return !complain(NULL,
				 "a QR code without the private key is of no use; add 'private-key FILE'");
	if (e->qr && !e->endpoint)
		return !complain(NULL,
				 "a QR code without the endpoint is of no use; add 'endpoint HOST:PORT'");
	if (vpn_device_get(e->ifname, &dev, &err))
		return complain_error(&err);
	status = export_peer(e, dev);
	vpn_device_free(dev);
	return status;
}

int cmd_export(int argc, char *argv[])
{
	struct exporting e = { 0 };
	char **args = argv + 3;
	int status = 0;

	if (argc < 3)
		return complain_usage("export", "a device and a peer are needed");
	e.ifname = argv[1];
	e.peer = argv[2];
	while (*args && !status)
		status = take_option(&args, &e);
	if (!status)
		status = run(&e);
	free(e.endpoint);
	explicit_bzero(e.private_key, sizeof(e.private_key));
	return status;
}
