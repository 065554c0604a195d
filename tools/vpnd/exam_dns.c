// SPDX-License-Identifier: GPL-2.0
/* Names: whether they are asked for where they should be, and whether somebody answers. */
#include <arpa/nameser.h>
#include <errno.h>
#include <poll.h>
#include <resolv.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "../libvpn/probe.h"
#include "desired.h"
#include "exam.h"
#include "resolve.h"

#define PORT		53
#define WAIT_MS		1000
#define ATTEMPTS	2
#define MESSAGE_MAX	1232

/* Anything that is an answer to the question will do. */
static bool read_answer(int fd, const uint8_t *query)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	uint8_t answer[MESSAGE_MAX];

	if (poll(&poller, 1, WAIT_MS) <= 0)
		return false;
	return recv(fd, answer, sizeof(answer), 0) >= NS_HFIXEDSZ && answer[0] == query[0] &&
	       answer[1] == query[1] && answer[2] & 0x80;
}

/* Asks for who is responsible for the root, which everybody knows. */
static bool answers(const struct vpn_address *server)
{
	union vpn_endpoint to = probe_endpoint(server, PORT);
	socklen_t size = server->family == AF_INET ? sizeof(to.addr4) : sizeof(to.addr6);
	int fd = socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC, 0), len, i;
	uint8_t query[NS_PACKETSZ];
	bool good = false;

	len = res_mkquery(ns_o_query, ".", ns_c_in, ns_t_ns, NULL, 0, NULL, query, sizeof(query));
	if (fd < 0)
		return false;
	if (len > 0 && !connect(fd, &to.addr, size)) {
		for (i = 0; i < ATTEMPTS && !good; i++)
			good = send(fd, query, len, MSG_NOSIGNAL) == len && read_answer(fd, query);
	}
	close(fd);
	return good;
}

static bool is_silent(struct subject *s, const struct vpn_addresses *servers, const char *remedy)
{
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	for (i = 0; i < servers->count; i++) {
		if (answers(&servers->list[i]))
			continue;
		vpn_address_format_host(&servers->list[i], text);
		exam_say(s, "dns", VERDICT_FAIL, "the name server %s does not answer", text);
		exam_remedy(s, "%s", remedy);
		return true;
	}
	return false;
}

static void examine_pushed(struct subject *s)
{
	if (!s->config->push_dns.count)
		exam_say(s, "dns", VERDICT_OK, "clients are told of no name server");
	else if (!is_silent(s, &s->config->push_dns,
			    "clients are told of it; start it, or correct dns_servers"))
		exam_say(s, "dns", VERDICT_OK, "what clients are told of answers");
}

/* Does this host ask whom it should? */
static bool is_set(const struct subject *s, const struct vpn_assigned *assigned)
{
	struct world w = { .config = s->config };
	const struct item *item;
	struct item_list items;
	struct facts facts = { .connect = true, .assigned = (struct vpn_assigned *)assigned };
	bool set = true;

	snprintf(w.ifname, sizeof(w.ifname), "%s", s->ifname);
	if (desired_list(s->config, &facts, &items)) {
		item = item_find(&items, &kind_dns, s->ifname);
		set = !item || kind_dns.matches(&w, item);
	}
	item_list_free(&items);
	return set;
}

static void examine_resolver(struct subject *s, const struct vpn_peer *server)
{
	const struct vpn_addresses *servers = &s->config->dns_servers;

	if (!servers->count && server->assigned)
		servers = &server->assigned->dns;
	if (!s->config->use_vpn_dns || !servers->count || s->config->dns_method == DNS_NONE) {
		exam_say(s, "dns", VERDICT_OK, "names are asked for outside of the tunnel");
	} else if (!is_set(s, server->assigned)) {
		exam_say(s, "dns", VERDICT_FAIL,
			 "this host does not ask the tunnel's name servers");
		exam_remedy(s, "'%s' tells it to; see who else writes /etc/resolv.conf",
			    subject_again(s));
	} else if (subject_has_failed(s, "route")) {
		exam_say(s, "dns", VERDICT_OK,
			 "the tunnel's name servers are set, and not asked as long as routes are wrong");
	} else if (!is_silent(s, servers,
			      "see whether it listens, and lets the tunnel's network ask")) {
		exam_say(s, "dns", VERDICT_OK, "the tunnel's name servers are asked, and answer");
	}
}

/* Names of servers, in the way in which vpnd asks for them. */
static bool is_unknown(struct subject *s, const struct config_endpoint *server)
{
	struct resolve_answer answer = { 0 };
	pid_t pid;
	int fd = resolve_start(server->host, server->port, subject_mark(s), &pid);

	if (fd < 0)
		return false;
	if (read(fd, &answer, sizeof(answer)) != sizeof(answer))
		snprintf(answer.trouble, sizeof(answer.trouble), "no name server answers in time");
	close(fd);
	waitpid(pid, NULL, 0);
	if (answer.count)
		return false;
	exam_say(s, "dns", VERDICT_FAIL, "the server's name '%s' is not known: %s", server->host,
		 answer.trouble);
	exam_remedy(s, "correct server_address, or the name servers in /etc/resolv.conf");
	return true;
}

static void examine_names(struct subject *s)
{
	const struct config_endpoints *servers = &s->config->servers;
	unsigned int i;

	for (i = 0; i < servers->count; i++) {
		if (is_unknown(s, &servers->list[i]))
			return;
	}
	exam_say(s, "dns", VERDICT_OK, "the server's name is known");
}

void exam_dns(struct subject *s)
{
	const struct vpn_peer *server = subject_server(s);

	if (subject_is_server(s))
		examine_pushed(s);
	else if (server && server->last_handshake)
		examine_resolver(s, server);
	else
		examine_names(s);
}
