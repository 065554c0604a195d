// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "../libvpn/names.h"
#include "../libvpn/text.h"
#include "command.h"
#include "complain.h"
#include "moment.h"
#include "secret.h"

static void print_key(const char *name, const uint8_t key[VPN_KEY_LEN])
{
	char text[VPN_KEY_BASE64_LEN + 1];

	if (vpn_key_is_zero(key))
		return;
	vpn_key_to_base64(key, text);
	printf("%s = %s\n", name, text);
	explicit_bzero(text, sizeof(text));
}

/* A name that another tool has set may not be one that can be read again. */
static void print_name(const char *name)
{
	if (!*name)
		return;
	if (text_is_name(name))
		printf("Name = %s\n", name);
	else
		warn("a name is left out: a configuration file cannot hold it");
}

static void print_allowed_ips(const struct vpn_allowedip *ip)
{
	const char *before = "AllowedIPs = ";
	char text[VPN_PREFIX_TEXT];

	if (!ip)
		return;
	for (; ip; ip = ip->next) {
		vpn_prefix_format(ip, text);
		printf("%s%s", before, text);
		before = ", ";
	}
	putchar('\n');
}

static void print_list(const char *key, const struct vpn_addresses *addresses,
		       void (*format)(const struct vpn_address *, char *))
{
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	if (!addresses->count)
		return;
	printf("%s = ", key);
	for (i = 0; i < addresses->count; i++) {
		format(&addresses->list[i], text);
		printf("%s%s", i ? ", " : "", text);
	}
	putchar('\n');
}

static void print_address(const struct vpn_peer *peer)
{
	if (peer->address_mode == VPN_ADDRESS_MODE_NONE)
		return;
	if (peer->addresses.count)
		print_list("Address", &peer->addresses, vpn_address_format_host);
	else
		puts("Address = auto");
}

static void print_v1(const struct vpn_peer *peer)
{
	char moment[MOMENT_TEXT];

	print_address(peer);
	if (peer->cipher)
		printf("Cipher = %s\n", vpn_name_of(&vpn_ciphers, peer->cipher));
	if (peer->expires) {
		moment_format(peer->expires, moment);
		printf("Expires = %s\n", moment);
	}
	if (peer->push_routes.count)
		print_list("PushRoutes", &peer->push_routes, vpn_address_format);
	else if (peer->own_routes)
		puts("PushRoutes =");
	if (peer->credential_kind)
		printf("# Credential = FILE: the kernel does not give the %s back\n",
		       vpn_name_of(&vpn_credential_kinds, peer->credential_kind));
}

static void print_peer(const struct vpn_peer *peer)
{
	char endpoint[VPN_ENDPOINT_TEXT];

	printf("[Peer]\n");
	print_key("PublicKey", peer->public_key);
	print_name(peer->name);
	print_key("PresharedKey", peer->preshared_key);
	print_allowed_ips(peer->allowedips);
	if (peer->has & VPN_PEER_HAS_ENDPOINT) {
		vpn_endpoint_format(&peer->endpoint, endpoint);
		printf("Endpoint = %s\n", endpoint);
	}
	if (peer->keepalive)
		printf("PersistentKeepalive = %u\n", peer->keepalive);
	print_v1(peer);
	if (peer->next)
		putchar('\n');
}

static void print_host_name(const char *name)
{
	if (!*name)
		return;
	if (text_is_name(name))
		printf("HostName = %s\n", name);
	else
		warn("the host name is left out: a configuration file cannot hold it");
}

static void print_push(const struct vpn_device *dev)
{
	print_host_name(dev->host_name);
	if (dev->max_peers)
		printf("MaxPeers = %u\n", dev->max_peers);
	print_list("PushDNS", &dev->push_dns, vpn_address_format_host);
	print_list("PushRoutes", &dev->push_routes, vpn_address_format);
	if (dev->push_mtu)
		printf("PushMTU = %u\n", dev->push_mtu);
	if (dev->push_keepalive)
		printf("PushKeepalive = %u\n", dev->push_keepalive);
}

static void print_device(const struct vpn_device *dev)
{
	const struct vpn_peer *peer;

	printf("[Interface]\n");
	if (dev->listen_port)
		printf("ListenPort = %u\n", dev->listen_port);
	if (dev->fwmark)
		printf("FwMark = 0x%x\n", dev->fwmark);
	print_key("PrivateKey", dev->private_key);
	print_push(dev);
	putchar('\n');
	for (peer = dev->peers; peer; peer = peer->next)
		print_peer(peer);
}

int cmd_showconf(int argc, char *argv[])
{
	struct vpn_device *dev;
	struct vpn_error err;

	if (argc != 2)
		return complain_usage("showconf", "one device is needed");
	if (vpn_device_get(argv[1], &dev, &err))
		return complain_error(&err);
	secret_warn_of_readers();
	print_device(dev);
	vpn_device_free(dev);
	return 0;
}
