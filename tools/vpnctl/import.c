// SPDX-License-Identifier: GPL-2.0
/* A file of wg-quick's as one of vpnd's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../libvpn/address.h"
#include "../libvpn/nearest.h"
#include "../libvpn/text.h"
#include "command.h"
#include "complain.h"
#include "parse.h"
#include "secret.h"

/* As wg-quick has them; of what is repeatable the values are joined. */
enum {
	PRIVATE_KEY, ADDRESS, DNS, MTU, LISTEN_PORT, FWMARK, TABLE, PRE_UP, POST_UP, PRE_DOWN,
	POST_DOWN, SAVE_CONFIG, INTERFACE_KEYS
};

enum { PUBLIC_KEY, PRESHARED_KEY, ALLOWED_IPS, ENDPOINT, KEEPALIVE, PEER_KEYS };

static const char *const interface_keys[INTERFACE_KEYS] = {
	"PrivateKey", "Address", "DNS", "MTU", "ListenPort", "FwMark", "Table", "PreUp", "PostUp",
	"PreDown", "PostDown", "SaveConfig",
};

static const char *const peer_keys[PEER_KEYS] = {
	"PublicKey", "PresharedKey", "AllowedIPs", "Endpoint", "PersistentKeepalive",
};

struct peer {
	struct peer *next;
	char *name;
	char *values[PEER_KEYS];
};

struct import {
	struct origin at;
	char *values[INTERFACE_KEYS];
	struct peer *peers, **end;
	unsigned int count;
	enum { NOWHERE, IN_INTERFACE, IN_PEER } section;
	struct vpn_addresses networks;
};

/* Values of a key that is given again follow with this between. */
#define JOINT	"\n"

static bool add_value(const struct origin *at, char **value, const char *more)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", *value ? *value : "", *value ? JOINT : "", more) < 0)
		return complain(at, "%s", strerror(errno));
	if (*value)
		explicit_bzero(*value, strlen(*value));
	free(*value);
	*value = joined;
	return true;
}

static bool add_peer(struct import *im)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer || asprintf(&peer->name, "peer-%u", ++im->count) < 0) {
		free(peer);
		return complain(&im->at, "%s", strerror(errno));
	}
	*im->end = peer;
	im->end = &peer->next;
	return true;
}

static struct peer *last_peer(const struct import *im)
{
	struct peer *peer = im->peers;

	while (peer && peer->next)
		peer = peer->next;
	return peer;
}

static bool begin_section(struct import *im, const char *line)
{
	if (!strcasecmp(line, "[Interface]")) {
		im->section = IN_INTERFACE;
		return true;
	}
	im->section = IN_PEER;
	return strcasecmp(line, "[Peer]") ?
	       complain(&im->at, "'%s' is not a section; there are [Interface] and [Peer]", line) :
	       add_peer(im);
}

static bool is_repeatable(bool peer, int key)
{
	if (peer)
		return key == ALLOWED_IPS;
	return key == ADDRESS || key == DNS || (key >= PRE_UP && key <= POST_DOWN);
}

static bool read_setting(struct import *im, char *line)
{
	bool peer = im->section == IN_PEER;
	const char *const *keys = peer ? peer_keys : interface_keys;
	int i, count = peer ? PEER_KEYS : INTERFACE_KEYS;
	char *equals = strchr(line, '='), *key, **value;
	struct nearest nearest;

	if (!equals || im->section == NOWHERE)
		return complain(&im->at, "a line is a [Section], or in one KEY = VALUE");
	*equals = '\0';
	key = text_trim(line);
	/* A key of base64 ends with that character, too; it is not shown. */
	if (strpbrk(key, " \t"))
		return complain(&im->at, "a line is a [Section], or in one KEY = VALUE");
	nearest_begin(&nearest, key);
	for (i = 0; i < count && strcasecmp(keys[i], key); i++)
		nearest_try(&nearest, keys[i]);
	if (i == count)
		return complain(&im->at, "'%s' is not a key of wg-quick%s", key,
				nearest_hint(&nearest));
	value = peer ? &last_peer(im)->values[i] : &im->values[i];
	if (*value && !is_repeatable(peer, i))
		return complain(&im->at, "%s is given twice", keys[i]);
	return add_value(&im->at, value, text_trim(equals + 1));
}

/* A comment right below [Peer] is what many call it. */
static bool take_name(const struct import *im, char *comment)
{
	struct peer *peer = im->section == IN_PEER ? last_peer(im) : NULL;
	const char *name = text_trim(comment + strspn(comment, "#"));

	if (!peer || peer->values[PUBLIC_KEY] || !*name || strlen(name) > VPN_NAME_MAX ||
	    !text_is_name(name))
		return true;
	free(peer->name);
	peer->name = strdup(name);
	return peer->name || complain(&im->at, "%s", strerror(errno));
}

/* TOML is; what is a control character is written as a number there. */
static bool is_utf8(const char *text)
{
	size_t step;

	for (; *text; text += step) {
		step = (unsigned char)*text < ' ' || *text == 0x7f ? 1 : text_printable(text);
		if (!step)
			return false;
	}
	return true;
}

static bool read_line(struct import *im, char *line)
{
	char *comment;

	im->at.line++;
	if (!is_utf8(line))
		return complain(&im->at,
				"this line is not UTF-8; 'iconv -f latin1 -t utf-8' makes it so, if it is Latin-1");
	line = text_trim(line);
	if (*line == '#')
		return take_name(im, line);
	comment = strchr(line, '#');
	if (comment)
		*comment = '\0';
	line = text_trim(line);
	if (!*line)
		return true;
	return *line == '[' ? begin_section(im, line) : read_setting(im, line);
}

static bool read_file(struct import *im)
{
	FILE *file = fopen(im->at.file, "re");
	char *line = NULL;
	bool good = true;
	size_t size = 0;

	if (!file)
		return complain(NULL, "'%s' cannot be opened: %s", im->at.file, strerror(errno));
	while (good && getline(&line, &size, file) >= 0) {
		good = read_line(im, line);
		explicit_bzero(line, size);
	}
	free(line);
	fclose(file);
	return good;
}

/* A text of TOML. */
static void put_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void put_key(const char *key, const char *value)
{
	if (!value)
		return;
	printf("%s = ", key);
	put_text(value);
	putchar('\n');
}

/* As it was read: zeros in front, or a capital X, are none of TOML's. */
static void put_number(const char *key, const char *value)
{
	bool hex = !strncasecmp(value, "0x", 2);

	printf("%s = %lu\n", key, strtoul(value, NULL, hex ? 16 : 10));
}

/* Which parts of a list are printed. */
typedef bool (*part_filter)(const struct import *im, const char *part);

static bool is_address(const struct import *im, const char *part)
{
	struct vpn_address address;

	(void)im;
	return vpn_address_parse(&address, part);
}

static bool is_domain(const struct import *im, const char *part)
{
	return !is_address(im, part);
}

static bool is_any(const struct import *im, const char *part)
{
	(void)im;
	(void)part;
	return true;
}

static bool is_route(const struct import *im, const char *part)
{
	struct vpn_address address;

	(void)im;
	return !vpn_address_parse(&address, part) || address.prefix_len;
}

/* A single address within the server's networks is what the pool is to give. */
static bool is_lease(const struct import *im, const char *part)
{
	struct vpn_address address, network;
	struct vpn_allowedip a = { 0 }, b = { 0 };
	unsigned int i;
	char text[VPN_PREFIX_TEXT];

	if (!vpn_address_parse(&address, part) || !vpn_address_is_host(&address))
		return false;
	for (i = 0; i < im->networks.count; i++) {
		network = im->networks.list[i];
		if (network.family != address.family)
			continue;
		vpn_address_format(&network, text);
		vpn_prefix_parse(&a, text);
		address.prefix_len = network.prefix_len;
		vpn_address_format(&address, text);
		vpn_prefix_parse(&b, text);
		if (!vpn_prefix_compare(&a, &b))
			return true;
	}
	return false;
}

static bool is_network(const struct import *im, const char *part)
{
	return !is_lease(im, part);
}

/* host: without the length of a prefix. */
static void put_list(const struct import *im, const char *key, const char *value,
		     const char *separators, part_filter filter, bool host)
{
	char *copy = strdup(value ? value : ""), *save, *part;
	bool any = false;

	for (part = copy ? strtok_r(copy, separators, &save) : NULL; part;
	     part = strtok_r(NULL, separators, &save)) {
		part = text_trim(part);
		if (!*part || !filter(im, part))
			continue;
		if (any)
			fputs(", ", stdout);
		else
			printf("%s = [", key);
		if (host)
			part[strcspn(part, "/")] = '\0';
		put_text(part);
		any = true;
	}
	if (any)
		puts("]");
	free(copy);
}

#define COMMAS	"," JOINT

/* "%i" stands for the device there. */
static void put_hooks(const struct import *im, const char *key, const char *value)
{
	char *copy = NULL, *at;
	size_t size;
	FILE *out;

	if (!value)
		return;
	out = open_memstream(&copy, &size);
	if (!out)
		return;
	for (; *value; value = at) {
		at = strstr(value, "%i");
		at = at ? at : strchr(value, '\0');
		fwrite(value, 1, at - value, out);
		if (*at) {
			fputs("$VPN_DEVICE", out);
			at += 2;
		}
	}
	fclose(out);
	put_list(im, key, copy, JOINT, is_any, false);
	free(copy);
}

static void put_interface(const struct import *im)
{
	fputs("\n[security]\n", stdout);
	put_key("private_key", im->values[PRIVATE_KEY]);
	if (!im->values[MTU] && !im->values[FWMARK])
		return;
	fputs("\n[interface]\n", stdout);
	if (im->values[MTU])
		put_number("mtu", im->values[MTU]);
	if (im->values[FWMARK] && strcasecmp(im->values[FWMARK], "off"))
		put_number("fwmark", im->values[FWMARK]);
}

static void put_all_hooks(const struct import *im)
{
	if (!im->values[PRE_UP] && !im->values[POST_UP] && !im->values[PRE_DOWN] &&
	    !im->values[POST_DOWN])
		return;
	if (im->values[PRE_UP] || im->values[POST_DOWN])
		warn("PreUp becomes a hook 'up', and PostDown one 'down', with the device there");
	fputs("\n[hooks]\n", stdout);
	put_hooks(im, "up", im->values[POST_UP] ? im->values[POST_UP] : im->values[PRE_UP]);
	put_hooks(im, "down", im->values[PRE_DOWN] ? im->values[PRE_DOWN] : im->values[POST_DOWN]);
	if ((im->values[POST_UP] && im->values[PRE_UP]) ||
	    (im->values[PRE_DOWN] && im->values[POST_DOWN]))
		warn("PreUp and PostDown are left out, since there are PostUp and PreDown as well");
}

static bool routes_everything(const char *allowed)
{
	char *copy = strdup(allowed ? allowed : ""), *save, *part;
	struct vpn_address address;
	bool found = false;

	for (part = copy ? strtok_r(copy, COMMAS, &save) : NULL; part;
	     part = strtok_r(NULL, COMMAS, &save))
		found |= vpn_address_parse(&address, text_trim(part)) && !address.prefix_len;
	free(copy);
	return found;
}

static void put_client(const struct import *im)
{
	const struct peer *server = im->peers;
	const char *keepalive = server->values[KEEPALIVE];
	bool off = im->values[TABLE] && !strcasecmp(im->values[TABLE], "off");
	bool everything = !off && routes_everything(server->values[ALLOWED_IPS]);

	fputs("[client]\n", stdout);
	put_key("server_address", server->values[ENDPOINT]);
	put_key("server_public_key", server->values[PUBLIC_KEY]);
	if (!keepalive || !strcasecmp(keepalive, "off"))
		keepalive = "0";
	put_number("keepalive", keepalive);
	fputs("\n[security]\n", stdout);
	put_key("private_key", im->values[PRIVATE_KEY]);
	put_key("preshared_key", server->values[PRESHARED_KEY]);
	fputs("\n[interface]\n", stdout);
	put_list(im, "address", im->values[ADDRESS], COMMAS, is_any, false);
	if (im->values[MTU])
		put_number("mtu", im->values[MTU]);
	if (im->values[FWMARK] && strcasecmp(im->values[FWMARK], "off"))
		put_number("fwmark", im->values[FWMARK]);
	printf("\n[routes]\n%s = true\n", everything ? "default_gateway" : "split_tunnel");
	if (!off)
		put_list(im, "routes", server->values[ALLOWED_IPS], COMMAS, is_route, false);
	fputs("\n[dns]\n", stdout);
	if (!im->values[DNS])
		puts("use_vpn_dns = false");
	put_list(im, "dns_servers", im->values[DNS], COMMAS, is_address, false);
	put_list(im, "domains", im->values[DNS], COMMAS, is_domain, false);
	put_all_hooks(im);
}

static void put_peer(const struct import *im, const struct peer *peer)
{
	const char *keepalive = peer->values[KEEPALIVE];

	fputs("\n[[peer]]\n", stdout);
	put_key("name", peer->name);
	put_key("public_key", peer->values[PUBLIC_KEY]);
	put_list(im, "address", peer->values[ALLOWED_IPS], COMMAS, is_lease, true);
	put_list(im, "allowed_ips", peer->values[ALLOWED_IPS], COMMAS, is_network, false);
	put_key("preshared_key", peer->values[PRESHARED_KEY]);
	put_key("endpoint", peer->values[ENDPOINT]);
	if (keepalive && strcasecmp(keepalive, "off"))
		put_number("keepalive", keepalive);
}

static bool add_network(const struct origin *at, const char *text, void *context)
{
	struct vpn_address *network = vpn_addresses_add(context);

	if (!network)
		return complain(at, "%s", strerror(errno));
	return vpn_address_parse(network, text) || complain(at, "'%s' is not an address", text);
}

static bool put_server(struct import *im)
{
	const struct origin at = { .word = "Address" };
	const struct peer *peer;
	char *copy = strdup(im->values[ADDRESS] ? im->values[ADDRESS] : ""), *c;
	bool good;

	for (c = copy; c && *c; c++)
		*c = *c == *JOINT ? ',' : *c;
	good = copy && parse_list(&at, copy, add_network, &im->networks);
	free(copy);
	if (!good)
		return false;
	fputs("[server]\n", stdout);
	printf("listen_address = \"[::]:%s\"\n",
	       im->values[LISTEN_PORT] ? im->values[LISTEN_PORT] : "51820");
	put_list(im, "virtual_network", im->values[ADDRESS], COMMAS, is_any, false);
	put_interface(im);
	/* What wg-quick sets up is no more than the device: it is left to hooks. */
	fputs("\n[firewall]\nnat = false\nallow_lan_access = true\nclient_to_client = true\n",
	      stdout);
	put_all_hooks(im);
	for (peer = im->peers; peer; peer = peer->next)
		put_peer(im, peer);
	return true;
}

/* What is printed as a number has to be one. */
static bool check_numbers(const struct import *im)
{
	struct origin at = { .file = im->at.file, .line = im->at.line };
	char *const *values = im->values;
	const struct peer *peer;
	uint64_t number;
	uint32_t mark;
	uint16_t word;

	at.word = "MTU";
	if (values[MTU] && !parse_count(&at, values[MTU], 576, 65535, "an MTU", &number))
		return false;
	at.word = "ListenPort";
	if (values[LISTEN_PORT] && !parse_port(&at, values[LISTEN_PORT], &word))
		return false;
	at.word = "FwMark";
	if (values[FWMARK] && !parse_fwmark(&at, values[FWMARK], &mark))
		return false;
	at.word = "PersistentKeepalive";
	for (peer = im->peers; peer; peer = peer->next) {
		if (peer->values[KEEPALIVE] &&
		    !parse_keepalive(&at, peer->values[KEEPALIVE], &word))
			return false;
	}
	return true;
}

static bool is_client(const struct import *im)
{
	return im->count == 1 && im->peers->values[ENDPOINT] && !im->values[LISTEN_PORT];
}

static bool check(const struct import *im)
{
	const struct peer *peer;

	if (!im->peers)
		return complain(&im->at, "there is no [Peer] in it");
	if (!im->values[ADDRESS])
		return complain(&im->at,
				"there is no Address in it; this is not a file of wg-quick");
	for (peer = im->peers; peer; peer = peer->next) {
		if (!peer->values[PUBLIC_KEY])
			return complain(&im->at, "%s has no PublicKey", peer->name);
	}
	if (im->values[TABLE] && strcasecmp(im->values[TABLE], "off"))
		warn("Table is left out: vpnd has a table of its own");
	if (im->values[SAVE_CONFIG])
		warn("SaveConfig is left out: vpnd does not write its file");
	return check_numbers(im);
}

static void free_values(char *values[], int count)
{
	while (count--) {
		if (values[count])
			explicit_bzero(values[count], strlen(values[count]));
		free(values[count]);
	}
}

static void free_import(struct import *im)
{
	struct peer *peer;

	while ((peer = im->peers)) {
		im->peers = peer->next;
		free_values(peer->values, PEER_KEYS);
		free(peer->name);
		free(peer);
	}
	free_values(im->values, INTERFACE_KEYS);
	vpn_addresses_free(&im->networks);
}

static int import_file(const char *path)
{
	struct import im = { .section = NOWHERE, .at.file = path };
	bool good;

	im.end = &im.peers;
	good = read_file(&im) && check(&im);
	im.at.line = 0;
	if (good) {
		secret_warn_of_readers();
		if (is_client(&im))
			put_client(&im);
		else
			good = put_server(&im);
	}
	free_import(&im);
	return good ? 0 : STATUS_FAILED;
}

int cmd_import(int argc, char *argv[])
{
	if (argc != 2)
		return complain_usage("import", "one file is needed");
	return import_file(argv[1]);
}
