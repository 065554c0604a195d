// SPDX-License-Identifier: GPL-2.0
/* What setup has to know: three answers, for each of which this host suggests one. */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "../libvpn/probe.h"
#include "../libvpn/rtnl.h"
#include "../libvpn/text.h"
#include "complain.h"
#include "parse.h"
#include "setup.h"

#define NAME		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
#define PORT		51820
#define PORTS		20
#define PORT_DISCARD	9
/* Routes to more than that are half of the internet: another VPN's, and no network. */
#define ROUTE_BITS	8
#define TRIES		3

/*
 * Where clients find the server
 */

static const char *const private_networks[] = {
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
	"172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10", NULL
};

/* Suffixes of names that mean nothing elsewhere. */
static const char *const local_names[] = {
	".local", ".localdomain", ".internal", ".intranet", ".lan", ".home", ".home.arpa", NULL
};

static bool is_public(const struct vpn_address *address)
{
	struct vpn_address network;
	size_t i;

	for (i = 0; private_networks[i]; i++) {
		vpn_address_parse(&network, private_networks[i]);
		if (vpn_address_overlap(&network, address))
			return false;
	}
	return true;
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), behind = strlen(end);

	return len > behind && !strcasecmp(name + len - behind, end);
}

/* A whole name, which others may know as well. */
static bool own_name(char name[256])
{
	size_t i;

	if (gethostname(name, 256) || !strchr(name, '.'))
		return false;
	for (i = 0; local_names[i]; i++) {
		if (ends_with(name, local_names[i]))
			return false;
	}
	return true;
}

/* Our address on the way to somebody on the internet; nothing is sent. */
static bool own_address(struct vpn_address *source)
{
	static const char *const somebody[] = { "192.0.2.1", "2001:db8::1" };
	struct vpn_address address;
	union vpn_endpoint to;
	size_t i;

	for (i = 0; i < 2; i++) {
		vpn_address_parse(&address, somebody[i]);
		to = probe_endpoint(&address, PORT_DISCARD);
		if (!probe_route(&to, 0, source))
			return true;
	}
	return false;
}

static void suggest_host(char host[256])
{
	bool has_address;
	struct vpn_address address;
	char text[VPN_PREFIX_TEXT];

	*host = '\0';
	has_address = own_address(&address);
	if (!(has_address && is_public(&address)) && own_name(host))
		return;
	if (has_address) {
		vpn_address_format_host(&address, text);
		snprintf(host, 256, "%s", text);
	}
}

static bool is_host_name(const char *host)
{
	size_t label;

	for (; *host; host += label + (host[label] == '.')) {
		label = strcspn(host, ".");
		if (!label || label > 63 || *host == '-' || host[label - 1] == '-' ||
		    strspn(host, NAME) < label)
			return false;
	}
	return true;
}

/* "300.1.2" is a bad address, and not a name. */
static bool is_all_digits(const char *host)
{
	return !host[strspn(host, "0123456789.")];
}

static bool check_host(const char *host)
{
	const struct origin at = { .word = "--host" };
	struct vpn_address address;

	if ((vpn_address_parse(&address, host) && !strchr(host, '/')) ||
	    (*host && strlen(host) < 254 && is_host_name(host) && !is_all_digits(host)))
		return true;
	return complain(&at,
			"'%s' is neither a name nor an address of a host, as in vpn.example.com or 192.0.2.1; the port is another question",
			host);
}

/*
 * The port
 */

static void suggest_port(char port[6])
{
	unsigned int number;

	for (number = PORT; number < PORT + PORTS && probe_is_taken(number); number++)
		;
	snprintf(port, 6, "%u", number);
}

static bool check_port(const char *text)
{
	const struct origin at = { .word = "--port" };
	uint64_t port;

	if (!parse_count(&at, text, 1, UINT16_MAX, "a port", &port))
		return false;
	return !probe_is_taken(port) ||
	       complain(&at,
			"%s is somebody else's on this host; 'ss -lunp' shows whose, and another number is as good",
			text);
}

/*
 * The network inside of the tunnel
 */

static bool read_routes(struct vpn_rtnl_entries *routes)
{
	struct vpn_socket sock;
	struct vpn_error err;
	int ret;

	memset(routes, 0, sizeof(*routes));
	ret = vpn_socket_open(&sock, NETLINK_ROUTE, &err);
	if (ret)
		return !complain_error(&err);
	ret = vpn_rtnl_known(&sock, routes, &err);
	vpn_socket_close(&sock);
	return !ret || !complain_error(&err);
}

/* NULL: nobody has it. */
static const struct vpn_address *find_owner(const struct vpn_rtnl_entries *routes,
					    const struct vpn_address *network)
{
	unsigned int i;

	for (i = 0; i < routes->count; i++) {
		if (routes->list[i].address.prefix_len >= ROUTE_BITS &&
		    vpn_address_overlap(&routes->list[i].address, network))
			return &routes->list[i].address;
	}
	return NULL;
}

/* 10.8.0.0/24 and its neighbours, then those that fewer people have at home. */
static void suggest_network(const struct vpn_rtnl_entries *routes, char text[64])
{
	static const struct {
		uint32_t base;
		unsigned int shift, from, to;
	} ranges[] = {
		{ 0x0a000000, 16, 8, 254 },	/* 10.N.0.0 */
		{ 0xac000000, 16, 16, 31 },	/* 172.N.0.0 */
		{ 0xc0a80000, 8, 2, 254 },	/* 192.168.N.0 */
	};
	struct vpn_address network = { .family = AF_INET, .prefix_len = 24 };
	unsigned int n;
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		for (n = ranges[i].from; n <= ranges[i].to; n++) {
			network.ip4.s_addr = htonl(ranges[i].base | n << ranges[i].shift);
			if (!find_owner(routes, &network)) {
				vpn_address_format(&network, text);
				return;
			}
		}
	}
	*text = '\0';
}

static bool check_network(const struct vpn_rtnl_entries *routes, const char *text)
{
	const struct origin at = { .word = "--network" };
	const struct vpn_address *owner;
	struct vpn_address network;
	char other[VPN_PREFIX_TEXT];

	if (!vpn_address_parse(&network, text) || !vpn_address_is_prefix(&network) ||
	    network.prefix_len < ROUTE_BITS ||
	    network.prefix_len + 2U > vpn_address_len(network.family) * 8)
		return complain(&at,
				"'%s' is not a network with room for clients, as in 10.8.0.0/24",
				text);
	owner = find_owner(routes, &network);
	if (!owner)
		return true;
	vpn_address_format(owner, other);
	return complain(&at,
			"%s is not free: this host has a route to %s; take a network that is nobody's here",
			text, other);
}

/*
 * Questions
 */

struct question {
	const char *text, *suggestion;
	char *answer;
	size_t room;
};

/* False: there will be no answer. */
static bool read_answer(const struct question *q)
{
	const char *word = "";
	char *line = NULL;
	size_t size = 0;
	bool good;

	printf("%s [%s]: ", q->text, q->suggestion);
	fflush(stdout);
	good = getline(&line, &size, stdin) >= 0;
	if (good)
		word = text_trim(line);
	if (!*word)
		word = q->suggestion;
	if (strlen(word) >= q->room)
		word = "?";
	snprintf(q->answer, q->room, "%s", word);
	free(line);
	return good;
}

typedef bool (*answer_check)(const struct vpn_rtnl_entries *routes, const char *text);

static bool check_host_answer(const struct vpn_rtnl_entries *routes, const char *text)
{
	(void)routes;
	return check_host(text);
}

static bool check_port_answer(const struct vpn_rtnl_entries *routes, const char *text)
{
	(void)routes;
	return check_port(text);
}

static bool ask(const struct question *q, answer_check check,
		const struct vpn_rtnl_entries *routes)
{
	unsigned int tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (!read_answer(q)) {
			putchar('\n');
			fflush(stdout);
			return complain(NULL, "there was no answer; nothing has been changed");
		}
		if (check(routes, q->answer))
			return true;
	}
	*q->answer = '\0';
	return complain(NULL, "that was no answer %u times; nothing has been changed", TRIES);
}

/* What is given is checked; what is not is asked for, or taken as suggested. */
static bool settle(const struct question *q, answer_check check,
		   const struct vpn_rtnl_entries *routes, bool yes)
{
	if (*q->answer)
		return check(routes, q->answer);
	if (!yes)
		return ask(q, check, routes);
	snprintf(q->answer, q->room, "%s", q->suggestion);
	return check(routes, q->answer);
}

static void warn_of_private(const char *host)
{
	struct vpn_address address;

	if (vpn_address_parse(&address, host) && !is_public(&address))
		warn("from the internet %s is not found; a router has to pass the port on",
		     host);
}

static bool settle_all(struct setup_answers *answers, const struct vpn_rtnl_entries *routes,
		       bool yes)
{
	char host[256], port[6], network[64];
	const struct question questions[] = {
		{ "Name or address by which clients reach this server", host, answers->host,
		  sizeof(answers->host) },
		{ "UDP port", port, answers->port, sizeof(answers->port) },
		{ "Network inside of the tunnel", network, answers->network,
		  sizeof(answers->network) },
	};

	suggest_host(host);
	suggest_port(port);
	suggest_network(routes, network);
	return settle(&questions[0], check_host_answer, routes, yes) &&
	       settle(&questions[1], check_port_answer, routes, yes) &&
	       settle(&questions[2], check_network, routes, yes);
}

bool setup_ask(struct setup_answers *answers, bool yes)
{
	bool all = *answers->host && *answers->port && *answers->network;
	struct vpn_rtnl_entries routes;
	bool good;

	if (!yes && !all && !isatty(STDIN_FILENO))
		return complain(NULL,
				"there is no terminal to ask questions at; '--yes' takes the answers that are suggested");
	if (!read_routes(&routes))
		return false;
	good = settle_all(answers, &routes, yes);
	vpn_rtnl_free(&routes);
	if (good)
		warn_of_private(answers->host);
	return good;
}
