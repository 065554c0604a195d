// SPDX-License-Identifier: GPL-2.0
/* One value of a configuration: from a node of TOML to what the program holds. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "../libvpn/names.h"
#include "../libvpn/nearest.h"
#include "../libvpn/span.h"
#include "config.h"
#include "slice.h"

#define IFNAME	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

struct reading {
	struct config_fault *faults;
	const struct config_key *key;
};

/* A key in the wrong place may be a private one, so it is not shown. */
static bool is_secret(const struct toml_node *node)
{
	uint8_t key[VPN_KEY_LEN];
	bool secret = node->type == TOML_STRING &&
		      vpn_key_from_base64(key, node->string, node->len);

	explicit_bzero(key, sizeof(key));
	return secret;
}

static bool wrong(const struct reading *r, const struct toml_node *node, const char *is)
{
	if (is_secret(node))
		config_complain(r->faults, &node->at, "%s: a key is not right here; %s",
				r->key->name, is);
	else if (node->type == TOML_STRING)
		config_complain(r->faults, &node->at, "%s: '%s' is not right; %s", r->key->name,
				node->string, is);
	else
		config_complain(r->faults, &node->at, "%s: %s is not right; %s", r->key->name,
				toml_type_name(node->type), is);
	return false;
}

static bool no_memory(const struct reading *r, const struct toml_node *node)
{
	config_complain(r->faults, &node->at, "%s: %s", r->key->name, strerror(ENOMEM));
	return false;
}

/* The text of a node, or NULL; one with a zero octet in it is none. */
static const char *text_of(const struct toml_node *node)
{
	return node->type == TOML_STRING && strlen(node->string) == node->len ? node->string : NULL;
}

static bool read_bool(const struct reading *r, const struct toml_node *node, void *to)
{
	if (node->type != TOML_BOOLEAN)
		return wrong(r, node, "it is true or false, without quotes");
	*(bool *)to = node->boolean;
	return true;
}

static bool read_number(const struct reading *r, const struct toml_node *node, void *to)
{
	char is[96];

	snprintf(is, sizeof(is), "it is a number from %lld to %lld", (long long)r->key->least,
		 (long long)r->key->most);
	if (node->type != TOML_INTEGER)
		return wrong(r, node, is);
	if (node->integer < r->key->least || node->integer > r->key->most) {
		config_complain(r->faults, &node->at, "%s: %lld is out of range; %s", r->key->name,
				(long long)node->integer, is);
		return false;
	}
	*(int64_t *)to = node->integer;
	return true;
}

/* The mark is the number of a table as well, and some tables have an owner. */
static bool read_mark(const struct reading *r, const struct toml_node *node, void *to)
{
	if (node->type == TOML_INTEGER && node->integer >= 253 && node->integer <= 255) {
		config_complain(r->faults, &node->at,
				"%s: %lld is the number of a routing table of the system; take another one",
				r->key->name, (long long)node->integer);
		return false;
	}
	return read_number(r, node, to);
}

static void list_words(const struct vpn_names *words, char *text, size_t size)
{
	size_t i, len = 0;

	for (i = 0; i < words->count && len < size; i++)
		len += snprintf(text + len, size - len, "%s\"%s\"", i ? ", " : "",
				words->words[i]);
}

static bool read_word(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);
	char words[160], is[256];
	struct nearest nearest;
	uint32_t number;
	size_t i;

	if (text && vpn_name_find(r->key->words, text, &number)) {
		*(int64_t *)to = number;
		return true;
	}
	nearest_begin(&nearest, text ? text : "");
	for (i = 0; i < r->key->words->count; i++)
		nearest_try(&nearest, r->key->words->words[i]);
	list_words(r->key->words, words, sizeof(words));
	snprintf(is, sizeof(is), "%s %s%s", r->key->words->count > 1 ? "it is one of" : "it is",
		 words, nearest_hint(&nearest));
	return wrong(r, node, is);
}

static bool read_text(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);
	char is[64];

	if (!text)
		return wrong(r, node, "it is a text in quotes");
	if (r->key->most && (strlen(text) < (size_t)r->key->least ||
			     strlen(text) > (size_t)r->key->most)) {
		snprintf(is, sizeof(is), "it has %lld to %lld characters",
			 (long long)r->key->least, (long long)r->key->most);
		return wrong(r, node, is);
	}
	*(char **)to = strdup(text);
	return *(char **)to || no_memory(r, node);
}

static bool read_path(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);

	if (!text || *text != '/')
		return wrong(r, node,
			     "it is the name of a file with all its folders, as in \"/etc/vpn/x\"");
	*(char **)to = strdup(text);
	return *(char **)to || no_memory(r, node);
}

static bool read_ifname(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);

	if (!text || !*text || strlen(text) >= IF_NAMESIZE || text[strspn(text, IFNAME)] ||
	    strchr(".-", *text))
		return wrong(r, node,
			     "the name of a device has 1 to 15 letters, digits, or . _ - behind the first");
	*(char **)to = strdup(text);
	return *(char **)to || no_memory(r, node);
}

static bool read_span(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);
	uint64_t *seconds = to;

	*seconds = 0;
	if (node->type == TOML_INTEGER && node->integer > 0 && node->integer <= UINT32_MAX) {
		*seconds = node->integer;
		return true;
	}
	if (text && !strcasecmp(text, "forever"))
		return true;
	if (text && vpn_span_parse(text, seconds) && *seconds && *seconds <= UINT32_MAX)
		return true;
	return wrong(r, node,
		     "a time is a number of seconds, one with s, m, h, d or w, as in \"12h\", or \"forever\"");
}

static bool is_port(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	/* With zeros in front, others take it for another number. */
	return *text >= '1' && *text <= '9' && !*end && port < 65536;
}

static bool read_endpoint(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);
	struct config_endpoint *endpoint = to;
	char *copy, *host, *port;
	bool good;

	copy = text ? strdup(text) : NULL;
	good = copy && vpn_endpoint_split(copy, &host, &port) && *host && is_port(port);
	if (good) {
		endpoint->host = strdup(host);
		endpoint->port = strdup(port);
	}
	free(copy);
	if (!good)
		return wrong(r, node,
			     "it is HOST:PORT, as in \"vpn.example.com:51820\", or \"[2001:db8::1]:51820\"");
	return (endpoint->host && endpoint->port) || no_memory(r, node);
}

/* Address and port, with no name, or nothing at all. */
static bool read_listen(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);
	struct vpn_address address;
	char *copy, *host, *port;
	bool good;

	copy = text ? strdup(text) : NULL;
	good = copy && (!*copy || (vpn_endpoint_split(copy, &host, &port) && is_port(port) &&
				   !strchr(host, '/') && vpn_address_parse(&address, host)));
	free(copy);
	if (!good)
		return wrong(r, node,
			     "it is ADDRESS:PORT, as in \"127.0.0.1:9586\" or \"[::1]:9586\", or \"\"");
	*(char **)to = strdup(text);
	return *(char **)to || no_memory(r, node);
}

static bool read_address(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);
	struct vpn_address *address = to;

	if (text && vpn_address_parse(address, text) && !strchr(text, '/'))
		return true;
	return wrong(r, node, "it is an address, as in \"10.8.0.1\" or \"fd08::1\"");
}

static bool read_prefix(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);
	struct vpn_address *address = to;
	char is[VPN_PREFIX_TEXT + 64], right[VPN_PREFIX_TEXT];
	struct vpn_allowedip ip = { 0 };

	if (!text || !vpn_address_parse(address, text))
		return wrong(r, node, "it is a network, as in \"10.0.0.0/8\" or \"fd00::/8\"");
	if (vpn_address_is_prefix(address))
		return true;
	vpn_prefix_parse(&ip, text);
	vpn_prefix_format(&ip, right);
	snprintf(is, sizeof(is), "the network around that address is \"%s\"", right);
	return wrong(r, node, is);
}

/* The host's bits may be there: they are the server's address. */
static bool read_network(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);
	struct vpn_address *address = to;

	if (text && strchr(text, '/') && vpn_address_parse(address, text) &&
	    address->prefix_len >= 8 &&
	    address->prefix_len <= 8 * vpn_address_len(address->family) - 2)
		return true;
	return wrong(r, node,
		     "it is a network of 4 addresses or more, as in \"10.8.0.0/24\" or \"fd08::/64\"");
}

static bool read_own_address(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);

	if (text && vpn_address_parse(to, text))
		return true;
	return wrong(r, node, "it is an address, as in \"10.8.0.2/24\" or \"fd08::2/64\"");
}

static bool read_range(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);
	struct vpn_range *range = to;
	char first[VPN_PREFIX_TEXT];
	size_t len = text ? strcspn(text, "-") : 0;

	if (len && len < sizeof(first)) {
		memcpy(first, text, len);
		first[len] = '\0';
		if (vpn_address_parse(&range->first, first) &&
		    vpn_address_parse(&range->last, text[len] ? text + len + 1 : first) &&
		    range->first.family == range->last.family && !strchr(text, '/') &&
		    vpn_address_compare(&range->first, &range->last) <= 0)
			return true;
	}
	return wrong(r, node,
		     "it is an address, or two with - between, as in \"10.8.0.2-10.8.0.9\"");
}

/* "vpn-2" has the number 2, as replicas of Kubernetes have it; -1: there is none. */
static int64_t host_number(char name[HOST_NAME_MAX + 1])
{
	const char *digits;

	name[0] = '\0';
	gethostname(name, HOST_NAME_MAX);
	name[HOST_NAME_MAX] = '\0';
	name[strcspn(name, ".")] = '\0';
	for (digits = name + strlen(name); digits > name && isdigit((unsigned char)digits[-1]);)
		digits--;
	return *digits && strlen(digits) < 5 ? strtol(digits, NULL, 10) : -1;
}

/* The count of "NUMBER/COUNT"; zero if it is none. */
static int64_t slice_count(const char *text)
{
	int64_t count;
	char *end;

	if (!isdigit((unsigned char)*text) || strlen(text) > 4)
		return 0;
	count = strtol(text, &end, 10);
	return *end || count > SLICES_MAX ? 0 : count;
}

static bool read_slice(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node), *slash = text ? strchr(text, '/') : NULL;
	char name[HOST_NAME_MAX + 1], is[HOST_NAME_MAX + 160];
	struct config_slice *slice = to;
	bool by_name = text && !strncmp(text, "hostname/", 9);

	*slice = (struct config_slice){ -1, slash ? slice_count(slash + 1) : 0 };
	if (by_name)
		slice->number = host_number(name);
	else if (slash && slash > text && slash < text + 5 && strspn(text, "0123456789") ==
		 (size_t)(slash - text))
		slice->number = strtol(text, NULL, 10);
	if (slice->count && slice->number >= 0 && slice->number < slice->count)
		return true;
	if (!slice->count || (!by_name && slice->number < 0))
		snprintf(is, sizeof(is),
			 "it is NUMBER/COUNT, as in \"0/3\", or \"hostname/3\"; %d are the most",
			 SLICES_MAX);
	else if (slice->number < 0)
		snprintf(is, sizeof(is),
			 "this host is called '%s', and its number has to be at the end, as in \"vpn-0\"",
			 name);
	else
		snprintf(is, sizeof(is),
			 "this is number %lld, and of %lld slices the last one is %lld; make them more on all servers",
			 (long long)slice->number, (long long)slice->count,
			 (long long)slice->count - 1);
	return wrong(r, node, is);
}

static bool read_key(const struct reading *r, const struct toml_node *node, void *to)
{
	struct config_key_text *key = to;

	key->given = node->type == TOML_STRING &&
		     vpn_key_from_base64(key->key, node->string, node->len);
	if (key->given)
		return true;
	/* It may be a secret, so it is not shown. */
	config_complain(r->faults, &node->at,
			"%s: this is not a key; a key is 44 characters of base64, as 'vpnctl genkey' and 'vpnctl pubkey' print it",
			r->key->name);
	return false;
}

typedef bool (*element_reader)(const struct reading *r, const struct toml_node *node, void *to);

/* All lists are a pointer and a count. */
struct any_list {
	void *list;
	unsigned int count;
};

static bool add_element(const struct reading *r, const struct toml_node *node,
			struct any_list *list, size_t size, element_reader read)
{
	void *grown = reallocarray(list->list, list->count + 1, size);

	if (!grown)
		return no_memory(r, node);
	list->list = grown;
	memset((char *)grown + list->count * size, 0, size);
	return read(r, node, (char *)grown + list->count++ * size);
}

static bool is_optional(const struct config_key *key)
{
	return key->fallback && !strcmp(key->fallback, "[]");
}

/* One value, or a list of them. */
static bool read_list(const struct reading *r, const struct toml_node *node, void *to, size_t size,
		      element_reader read)
{
	const struct toml_node *element = node->type == TOML_ARRAY ? node->first : node;
	struct any_list *list = to;
	bool good = true;

	for (; element; element = node->type == TOML_ARRAY ? element->next : NULL)
		good &= add_element(r, element, list, size, read);
	/* Whose default is no empty list has no use for one. */
	if (good && !list->count && !is_optional(r->key)) {
		config_complain(r->faults, &node->at, "%s: the list is empty; one is needed",
				r->key->name);
		return false;
	}
	if (good && r->key->most && list->count > r->key->most) {
		config_complain(r->faults, &node->at, "%s: there are %u; %lld is the most",
				r->key->name, list->count, (long long)r->key->most);
		return false;
	}
	return good;
}

/* Elements of lists of texts have no length of their own. */
static bool read_text_element(const struct reading *r, const struct toml_node *node, void *to)
{
	const char *text = text_of(node);

	if (!text || !*text)
		return wrong(r, node, "it is a text in quotes");
	*(char **)to = strdup(text);
	return *(char **)to || no_memory(r, node);
}

static const struct {
	element_reader read;
	size_t size;		/* of an element; zero: no list */
} readers[] = {
	[KEY_BOOL]		= { read_bool, 0 },
	[KEY_NUMBER]		= { read_number, 0 },
	[KEY_WORD]		= { read_word, 0 },
	[KEY_TEXT]		= { read_text, 0 },
	[KEY_SPAN]		= { read_span, 0 },
	[KEY_ENDPOINT]		= { read_endpoint, 0 },
	[KEY_ENDPOINTS]		= { read_endpoint, sizeof(struct config_endpoint) },
	[KEY_NETWORKS]		= { read_network, sizeof(struct vpn_address) },
	[KEY_PREFIXES]		= { read_prefix, sizeof(struct vpn_address) },
	[KEY_ADDRESSES]		= { read_address, sizeof(struct vpn_address) },
	[KEY_OWN_ADDRESSES]	= { read_own_address, sizeof(struct vpn_address) },
	[KEY_RANGES]		= { read_range, sizeof(struct vpn_range) },
	[KEY_TEXTS]		= { read_text_element, sizeof(char *) },
	[KEY_KEY]		= { read_key, 0 },
	[KEY_KEYS]		= { read_key, sizeof(struct config_key_text) },
	[KEY_PATH]		= { read_path, 0 },
	[KEY_PATHS]		= { read_path, sizeof(char *) },
	[KEY_IFNAME]		= { read_ifname, 0 },
	[KEY_MARK]		= { read_mark, 0 },
	[KEY_LISTEN]		= { read_listen, 0 },
	[KEY_SLICE]		= { read_slice, 0 },
};

bool value_read(struct config_fault *faults, const struct config_key *key,
		const struct toml_node *node, void *to)
{
	const struct reading r = { faults, key };

	if (readers[key->type].size)
		return read_list(&r, node, to, readers[key->type].size, readers[key->type].read);
	return readers[key->type].read(&r, node, to);
}

static void free_endpoint(struct config_endpoint *endpoint)
{
	free(endpoint->host);
	free(endpoint->port);
}

static void free_parts(const struct config_key *key, const struct any_list *list)
{
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		if (key->type == KEY_TEXTS || key->type == KEY_PATHS)
			free(((char **)list->list)[i]);
		if (key->type == KEY_ENDPOINTS)
			free_endpoint((struct config_endpoint *)list->list + i);
	}
}

void value_free(const struct config_key *key, void *at)
{
	struct any_list *list = at;

	switch (key->type) {
	case KEY_BOOL:
	case KEY_NUMBER:
	case KEY_WORD:
	case KEY_SPAN:
	case KEY_MARK:
	case KEY_SLICE:
		break;
	case KEY_TEXT:
	case KEY_PATH:
	case KEY_IFNAME:
	case KEY_LISTEN:
		free(*(char **)at);
		break;
	case KEY_ENDPOINT:
		free_endpoint(at);
		break;
	case KEY_KEY:
		explicit_bzero(at, sizeof(struct config_key_text));
		break;
	default:
		free_parts(key, list);
		free(list->list);
	}
}
