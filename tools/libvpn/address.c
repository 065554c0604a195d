// SPDX-License-Identifier: GPL-2.0
#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned int vpn_address_len(uint16_t family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

static void clear_host_bits(struct vpn_address *address)
{
	uint8_t *octets = (uint8_t *)&address->ip6;
	unsigned int bit;

	for (bit = address->prefix_len; bit < 8 * vpn_address_len(address->family); bit++)
		octets[bit / 8] &= ~(0x80 >> bit % 8);
}

/* Decimal digits only: no sign, no space, at most max. */
static bool parse_prefix_len(uint8_t *len, const char *text, unsigned int max)
{
	unsigned int value = 0;
	const char *c;

	for (c = text; *c >= '0' && *c <= '9' && value <= max; c++)
		value = value * 10 + (*c - '0');
	if (c == text || *c || value > max)
		return false;
	*len = value;
	return true;
}

bool vpn_address_parse(struct vpn_address *parsed, const char *text)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	memset(parsed, 0, sizeof(*parsed));
	parsed->family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(parsed->family, address, &parsed->ip6) != 1)
		return false;
	parsed->prefix_len = 8 * vpn_address_len(parsed->family);
	return !text[len] ||
	       parse_prefix_len(&parsed->prefix_len, text + len + 1, parsed->prefix_len);
}

void vpn_address_format_host(const struct vpn_address *address, char text[VPN_PREFIX_TEXT])
{
	if (!inet_ntop(address->family, &address->ip6, text, VPN_PREFIX_TEXT))
		snprintf(text, VPN_PREFIX_TEXT, "(unknown)");
}

void vpn_address_format(const struct vpn_address *address, char text[VPN_PREFIX_TEXT])
{
	size_t len;

	vpn_address_format_host(address, text);
	len = strlen(text);
	snprintf(text + len, VPN_PREFIX_TEXT - len, "/%u", address->prefix_len);
}

int vpn_address_compare(const struct vpn_address *a, const struct vpn_address *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	order = memcmp(&a->ip6, &b->ip6, vpn_address_len(a->family));
	return order ? order : (int)a->prefix_len - b->prefix_len;
}

bool vpn_address_is_host(const struct vpn_address *address)
{
	return address->prefix_len == 8 * vpn_address_len(address->family);
}

bool vpn_address_is_prefix(const struct vpn_address *address)
{
	struct vpn_address prefix = *address;

	clear_host_bits(&prefix);
	return !vpn_address_compare(&prefix, address);
}

bool vpn_address_within(const struct vpn_address *network, const struct vpn_address *address)
{
	struct vpn_address a = *network, b = *address;

	if (address->prefix_len < network->prefix_len)
		return false;
	b.prefix_len = network->prefix_len;
	clear_host_bits(&a);
	clear_host_bits(&b);
	return !vpn_address_compare(&a, &b);
}

void vpn_address_next(struct vpn_address *address)
{
	uint8_t *octets = (uint8_t *)&address->ip6;
	unsigned int i = vpn_address_len(address->family);

	while (i-- && !++octets[i])
		;
}

void vpn_address_previous(struct vpn_address *address)
{
	uint8_t *octets = (uint8_t *)&address->ip6;
	unsigned int i = vpn_address_len(address->family);

	while (i-- && !octets[i]--)
		;
}

bool vpn_address_overlap(const struct vpn_address *a, const struct vpn_address *b)
{
	return vpn_address_within(a, b) || vpn_address_within(b, a);
}

struct vpn_address *vpn_addresses_add(struct vpn_addresses *addresses)
{
	struct vpn_address *grown;

	grown = reallocarray(addresses->list, addresses->count + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	addresses->list = grown;
	grown += addresses->count++;
	memset(grown, 0, sizeof(*grown));
	return grown;
}

void vpn_addresses_free(struct vpn_addresses *addresses)
{
	free(addresses->list);
	addresses->list = NULL;
	addresses->count = 0;
}

bool vpn_addresses_have_family(const struct vpn_addresses *addresses, uint16_t family)
{
	unsigned int i;

	for (i = 0; i < addresses->count; i++) {
		if (addresses->list[i].family == family)
			return true;
	}
	return false;
}

bool vpn_addresses_has(const struct vpn_addresses *addresses, const struct vpn_address *address)
{
	unsigned int i;

	for (i = 0; i < addresses->count; i++) {
		if (!vpn_address_compare(&addresses->list[i], address))
			return true;
	}
	return false;
}

bool vpn_addresses_equal(const struct vpn_addresses *a, const struct vpn_addresses *b)
{
	unsigned int i;

	if (a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++) {
		if (!vpn_addresses_has(b, &a->list[i]))
			return false;
	}
	return true;
}

bool vpn_prefix_parse(struct vpn_allowedip *ip, const char *text)
{
	struct vpn_address prefix;

	if (!vpn_address_parse(&prefix, text))
		return false;
	clear_host_bits(&prefix);
	ip->ip6 = prefix.ip6;
	ip->family = prefix.family;
	ip->prefix_len = prefix.prefix_len;
	return true;
}

void vpn_prefix_format(const struct vpn_allowedip *ip, char text[VPN_PREFIX_TEXT])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(ip->family, &ip->ip6, address, sizeof(address));
	snprintf(text, VPN_PREFIX_TEXT, "%s/%u", address, ip->prefix_len);
}

int vpn_prefix_compare(const struct vpn_allowedip *a, const struct vpn_allowedip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->prefix_len != b->prefix_len)
		return a->prefix_len < b->prefix_len ? -1 : 1;
	return memcmp(&a->ip6, &b->ip6, vpn_address_len(a->family));
}

bool vpn_endpoint_split(char *text, char **host, char **port)
{
	char *end;

	if (*text == '[') {
		*host = text + 1;
		end = strchr(text, ']');
		if (!end || end[1] != ':')
			return false;
		*end++ = '\0';
	} else {
		*host = text;
		end = strrchr(text, ':');
		if (!end)
			return false;
	}
	*end = '\0';
	*port = end + 1;
	return **host && **port;
}

static int look_up(union vpn_endpoint *endpoint, const char *host, const char *port, int flags)
{
	const struct addrinfo hints = {
		.ai_flags = flags,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_protocol = IPPROTO_UDP,
	};
	struct addrinfo *found;
	int ret;

	ret = getaddrinfo(host, port, &hints, &found);
	if (ret)
		return ret;
	if (found->ai_addrlen <= sizeof(*endpoint)) {
		memset(endpoint, 0, sizeof(*endpoint));
		memcpy(endpoint, found->ai_addr, found->ai_addrlen);
	} else {
		ret = EAI_FAMILY;
	}
	freeaddrinfo(found);
	return ret;
}

int vpn_endpoint_resolve(union vpn_endpoint *endpoint, const char *host, const char *port)
{
	return look_up(endpoint, host, port, 0);
}

bool vpn_endpoint_parse(union vpn_endpoint *endpoint, const char *host, const char *port)
{
	return !look_up(endpoint, host, port, AI_NUMERICHOST | AI_NUMERICSERV);
}

void vpn_endpoint_format(const union vpn_endpoint *endpoint, char text[VPN_ENDPOINT_TEXT])
{
	bool ipv6 = endpoint->addr.sa_family == AF_INET6;
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE], port[sizeof("65535")];
	int ret;

	ret = getnameinfo(&endpoint->addr, ipv6 ? sizeof(endpoint->addr6) : sizeof(endpoint->addr4),
			  host, sizeof(host), port, sizeof(port),
			  NI_DGRAM | NI_NUMERICHOST | NI_NUMERICSERV);
	if (ret)
		snprintf(text, VPN_ENDPOINT_TEXT, "(unknown)");
	else
		snprintf(text, VPN_ENDPOINT_TEXT, ipv6 ? "[%s]:%s" : "%s:%s", host, port);
}

bool vpn_endpoint_equal(const union vpn_endpoint *a, const union vpn_endpoint *b)
{
	if (a->addr.sa_family != b->addr.sa_family)
		return false;
	if (a->addr.sa_family == AF_INET)
		return a->addr4.sin_addr.s_addr == b->addr4.sin_addr.s_addr &&
		       a->addr4.sin_port == b->addr4.sin_port;
	return IN6_ARE_ADDR_EQUAL(&a->addr6.sin6_addr, &b->addr6.sin6_addr) &&
	       a->addr6.sin6_port == b->addr6.sin6_port &&
	       a->addr6.sin6_scope_id == b->addr6.sin6_scope_id;
}
