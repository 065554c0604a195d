// SPDX-License-Identifier: GPL-2.0
#include "parse.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "../libvpn/text.h"

/* What would be right. */
#define KEY_IS		"a key is 44 characters of base64"
#define FILE_IS		"the argument is a file with the key"
#define PORT_IS		"a port is a number from 0 to 65535, 0 lets the kernel choose"
#define MARK_IS		"a mark is 'off' or a number up to 4294967295 or 0xffffffff"
#define INTERVAL_IS	"an interval is 'off' or 1 to 65535 seconds"
#define NAME_IS \
	"a name is at most %u octets of UTF-8 without '#', control characters or spaces around it"
#define PEERS_IS	"a number of peers is 'off' or 1 to 4294967295"
#define MTU_IS		"an MTU is 'off' or 576 to 65535 octets"
#define PREFIX_IS	"a prefix is ADDRESS or ADDRESS/LENGTH, as in 10.0.0.0/24 or 2001:db8::1/128"

bool parse_public_key(const struct origin *at, const char *value, uint8_t key[VPN_KEY_LEN])
{
	if (vpn_key_from_base64(key, value, strlen(value)))
		return true;
	return complain(at, "'%s' is not a key; " KEY_IS, value);
}

bool parse_secret_key(const struct origin *at, const char *value, uint8_t key[VPN_KEY_LEN])
{
	if (vpn_key_from_base64(key, value, strlen(value)))
		return true;
	return complain(at, "(%zu characters, not shown) is not a key; " KEY_IS, strlen(value));
}

/* Read until the end or until the buffer is full; -1 with errno on failure. */
static ssize_t read_all(int fd, char *buffer, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while (len < size) {
		got = read(fd, buffer + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		len += got;
	}
	return len;
}

bool parse_key_stream(const struct origin *at, int fd, const char *name,
		      uint8_t key[VPN_KEY_LEN], bool *empty)
{
	char text[VPN_KEY_BASE64_LEN + 64];
	ssize_t len = read_all(fd, text, sizeof(text));
	bool good;

	*empty = len == 0;
	if (len < 0)
		return complain(at, "'%s' cannot be read: %s", name, strerror(errno));
	while (len > VPN_KEY_BASE64_LEN && isspace((unsigned char)text[len - 1]))
		len--;
	good = vpn_key_from_base64(key, text, len);
	explicit_bzero(text, sizeof(text));
	return good || *empty || complain(at, "'%s' does not hold a key; " KEY_IS, name);
}

static void warn_of_readers(int fd, const char *path)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & 0007))
		warn("'%s' holds a secret key and everybody may read it; 'chmod 600 %s' helps",
		     path, path);
}

/* Somebody may have given the key itself, which then is not repeated. */
static bool cannot_open(const struct origin *at, const char *path)
{
	if (strlen(path) == VPN_KEY_BASE64_LEN)
		return complain(at, "(%zu characters, not shown) cannot be opened: %s; " FILE_IS
				", never the key itself", strlen(path), strerror(errno));
	return complain(at, "'%s' cannot be opened: %s; " FILE_IS, path, strerror(errno));
}

bool parse_key_file(const struct origin *at, const char *path, uint8_t key[VPN_KEY_LEN])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good, empty;

	if (fd < 0)
		return cannot_open(at, path);
	good = parse_key_stream(at, fd, path, key, &empty);
	if (good && empty)
		memset(key, 0, VPN_KEY_LEN);
	else if (good)
		warn_of_readers(fd, path);
	close(fd);
	return good;
}

/* Digits of the base only: no sign, no space. */
static bool parse_number(const char *value, int base, unsigned long max, unsigned long *number)
{
	const char *digits = base == 16 ? "0123456789abcdefABCDEF" : "0123456789";

	if (!*value || value[strspn(value, digits)])
		return false;
	errno = 0;
	*number = strtoul(value, NULL, base);
	return !errno && *number <= max;
}

bool parse_port(const struct origin *at, const char *value, uint16_t *port)
{
	unsigned long number;

	if (!parse_number(value, 10, UINT16_MAX, &number))
		return complain(at, "'%s' is not a port; " PORT_IS, value);
	*port = number;
	return true;
}

bool parse_fwmark(const struct origin *at, const char *value, uint32_t *fwmark)
{
	bool hex = !strncasecmp(value, "0x", 2);
	unsigned long number = 0;

	if (strcasecmp(value, "off") &&
	    !parse_number(hex ? value + 2 : value, hex ? 16 : 10, UINT32_MAX, &number))
		return complain(at, "'%s' is not a mark; " MARK_IS, value);
	*fwmark = number;
	return true;
}

bool parse_keepalive(const struct origin *at, const char *value, uint16_t *seconds)
{
	unsigned long number = 0;

	if (strcasecmp(value, "off") && !parse_number(value, 10, UINT16_MAX, &number))
		return complain(at, "'%s' is not an interval; " INTERVAL_IS, value);
	*seconds = number;
	return true;
}

bool parse_name(const struct origin *at, const char *value, char name[VPN_NAME_MAX + 1])
{
	if (!text_is_name(value))
		return complain(at, "'%s' is not a name; " NAME_IS, value, VPN_NAME_MAX);
	memset(name, 0, VPN_NAME_MAX + 1);
	memcpy(name, value, strlen(value));
	return true;
}

bool parse_host_name(const struct origin *at, const char *value, char name[VPN_HOST_NAME_MAX + 1])
{
	if (!text_is_name(value))
		return complain(at, "'%s' is not a name of a host; " NAME_IS, value,
				VPN_HOST_NAME_MAX);
	memset(name, 0, VPN_HOST_NAME_MAX + 1);
	memcpy(name, value, strlen(value));
	return true;
}

bool parse_max_peers(const struct origin *at, const char *value, uint32_t *peers)
{
	unsigned long number = 0;

	if (strcasecmp(value, "off") && !parse_number(value, 10, UINT32_MAX, &number))
		return complain(at, "'%s' is not a number of peers; " PEERS_IS, value);
	*peers = number;
	return true;
}

bool parse_mtu(const struct origin *at, const char *value, uint16_t *mtu)
{
	unsigned long number = 0;

	if (strcasecmp(value, "off") &&
	    (!parse_number(value, 10, UINT16_MAX, &number) || (number && number < 576)))
		return complain(at, "'%s' is not an MTU; " MTU_IS, value);
	*mtu = number;
	return true;
}

bool parse_count(const struct origin *at, const char *value, uint64_t least, uint64_t most,
		 const char *what, uint64_t *count)
{
	unsigned long number;

	if (!parse_number(value, 10, most, &number) || number < least)
		return complain(at, "'%s' is not %s; it is a number from %llu to %llu", value, what,
				(unsigned long long)least, (unsigned long long)most);
	*count = number;
	return true;
}

const struct list_kind address_list = {
	false, "it is an address, as in 10.0.0.1 or 2001:db8::1",
};

const struct list_kind prefix_list = { true, PREFIX_IS };

const struct list_kind own_list = {
	false, "it is 'auto', 'off', or ADDRESS[,ADDRESS6], as in 10.0.0.7,fd00::7",
};

bool parse_list(const struct origin *at, const char *value, list_part part, void *context)
{
	char *list = strdup(value), *rest = list, *text;
	bool good = true;

	if (!list)
		return complain(at, "%s", strerror(errno));
	if (!*text_trim(list))
		rest = NULL;
	while (good && (text = strsep(&rest, ",")))
		good = part(at, text_trim(text), context);
	free(list);
	return good;
}

/* A list of addresses that grows. */
struct growing {
	const struct list_kind *kind;
	struct vpn_addresses *addresses;
};

static bool add_address(const struct origin *at, const char *text, void *context)
{
	const struct growing *growing = context;
	const struct list_kind *kind = growing->kind;
	struct vpn_addresses *addresses = growing->addresses;
	struct vpn_address address, *added;
	struct vpn_allowedip prefix;

	if (!vpn_address_parse(&address, text) ||
	    (!kind->prefixes && !vpn_address_is_host(&address)))
		return complain(at, "'%s' is not %s; %s", text,
				kind->prefixes ? "a prefix" : "an address", kind->is);
	if (kind->prefixes) {
		parse_prefix(at, text, &prefix);
		address.ip6 = prefix.ip6;
	}
	if (vpn_addresses_has(addresses, &address))
		return complain(at, "'%s' is given twice in the same list", text);
	added = vpn_addresses_add(addresses);
	if (!added)
		return complain(at, "%s", strerror(errno));
	*added = address;
	return true;
}

bool parse_addresses(const struct origin *at, const char *value, const struct list_kind *kind,
		     unsigned int most, struct vpn_addresses *addresses)
{
	struct growing growing = { kind, addresses };
	bool good = parse_list(at, value, add_address, &growing);

	if (good && addresses->count > most)
		return complain(at, "'%s' has %u of them; at most %u are possible", value,
				addresses->count, most);
	return good;
}

/* Often a sign that the length of one address was meant. */
static void warn_of_host_bits(const char *value, const struct vpn_allowedip *ip)
{
	char text[VPN_PREFIX_TEXT];
	struct vpn_allowedip host;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(value, "/"), value);
	if (!vpn_prefix_parse(&host, text))
		return;
	host.prefix_len = ip->prefix_len;
	if (!vpn_prefix_compare(&host, ip))
		return;
	vpn_prefix_format(ip, text);
	warn("'%s' has bits behind its prefix; %s is taken", value, text);
}

bool parse_prefix(const struct origin *at, const char *value, struct vpn_allowedip *ip)
{
	if (!vpn_prefix_parse(ip, value))
		return complain(at, "'%s' is not a prefix; " PREFIX_IS, value);
	warn_of_host_bits(value, ip);
	return true;
}
