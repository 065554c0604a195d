/* SPDX-License-Identifier: GPL-2.0 */
/* Prefixes and endpoints, from text and to text. */
#ifndef LIBVPN_ADDRESS_H
#define LIBVPN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "device.h"

/* "2001:db8::1/128" with room to spare. */
#define VPN_PREFIX_TEXT		(INET6_ADDRSTRLEN + 4)
/* "[fe80::1%interface]:65535" */
#define VPN_ENDPOINT_TEXT	(INET6_ADDRSTRLEN + IF_NAMESIZE + 9)

/*
 * Read ADDRESS or ADDRESS/LENGTH into family, address and prefix_len. The bits
 * behind the prefix are cleared.
 */
bool vpn_prefix_parse(struct vpn_allowedip *ip, const char *text);
void vpn_prefix_format(const struct vpn_allowedip *ip, char text[VPN_PREFIX_TEXT]);

/* An order of prefixes; zero means equal. */
int vpn_prefix_compare(const struct vpn_allowedip *a, const struct vpn_allowedip *b);

/*
 * Read ADDRESS or ADDRESS/LENGTH; without a length it is that of the address.
 * Bits behind the prefix stay.
 */
bool vpn_address_parse(struct vpn_address *address, const char *text);
/* "10.0.0.1/24", and "10.0.0.1" */
void vpn_address_format(const struct vpn_address *address, char text[VPN_PREFIX_TEXT]);
void vpn_address_format_host(const struct vpn_address *address, char text[VPN_PREFIX_TEXT]);
/* The order of family, address, and length; zero means equal. */
int vpn_address_compare(const struct vpn_address *a, const struct vpn_address *b);
/* Octets of an address of that family. */
unsigned int vpn_address_len(uint16_t family);
/* The length is that of the whole address. */
bool vpn_address_is_host(const struct vpn_address *address);
/* No bit is set behind the prefix. */
bool vpn_address_is_prefix(const struct vpn_address *address);
/* Is the address, or all of a network, in that network? */
bool vpn_address_within(const struct vpn_address *network, const struct vpn_address *address);
/* The next one, and the one before; behind the last one comes the first. */
void vpn_address_next(struct vpn_address *address);
void vpn_address_previous(struct vpn_address *address);

/* As networks, one has the other in it. */
bool vpn_address_overlap(const struct vpn_address *a, const struct vpn_address *b);

/* Appends a zeroed address; NULL when memory is out. */
struct vpn_address *vpn_addresses_add(struct vpn_addresses *addresses);
void vpn_addresses_free(struct vpn_addresses *addresses);
/* The same addresses in any order. */
bool vpn_addresses_equal(const struct vpn_addresses *a, const struct vpn_addresses *b);
bool vpn_addresses_has(const struct vpn_addresses *addresses, const struct vpn_address *address);
bool vpn_addresses_have_family(const struct vpn_addresses *addresses, uint16_t family);

/*
 * Split "HOST:PORT" or "[HOST]:PORT" in place. False: it has not that form.
 */
bool vpn_endpoint_split(char *text, char **host, char **port);

/* An address and a port; false: it is a name. */
bool vpn_endpoint_parse(union vpn_endpoint *endpoint, const char *host, const char *port);
/* One attempt to resolve. Returns zero, or getaddrinfo()'s error. */
int vpn_endpoint_resolve(union vpn_endpoint *endpoint, const char *host, const char *port);
void vpn_endpoint_format(const union vpn_endpoint *endpoint, char text[VPN_ENDPOINT_TEXT]);
bool vpn_endpoint_equal(const union vpn_endpoint *a, const union vpn_endpoint *b);

#endif
