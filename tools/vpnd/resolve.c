// SPDX-License-Identifier: GPL-2.0
#include "resolve.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <nss.h>
#include <poll.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "dns.h"
#include "process.h"

#define SERVERS_MAX	6
#define WAIT_MS		2000
#define ATTEMPTS	2

struct question {
	const char *host;
	uint16_t port;			/* network order */
	uint32_t mark;
	struct resolve_answer *answer;
};

static void add(const struct question *q, uint16_t family, const void *octets)
{
	struct resolve_answer *answer = q->answer;
	union vpn_endpoint *endpoint;

	if (answer->count == RESOLVE_MAX)
		return;
	endpoint = &answer->list[answer->count++];
	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->addr.sa_family = family;
	endpoint->addr4.sin_port = q->port;
	if (family == AF_INET)
		memcpy(&endpoint->addr4.sin_addr, octets, sizeof(struct in_addr));
	else
		memcpy(&endpoint->addr6.sin6_addr, octets, sizeof(struct in6_addr));
}

/* What needs no network: addresses, and /etc/hosts. */
static bool ask_host(const struct question *q, int flags)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = flags };
	struct addrinfo *list, *one;

	if (getaddrinfo(q->host, NULL, &hints, &list))
		return false;
	for (one = list; one; one = one->ai_next) {
		if (one->ai_family == AF_INET)
			add(q, AF_INET, &((struct sockaddr_in *)one->ai_addr)->sin_addr);
		else if (one->ai_family == AF_INET6)
			add(q, AF_INET6, &((struct sockaddr_in6 *)one->ai_addr)->sin6_addr);
	}
	freeaddrinfo(list);
	return q->answer->count;
}

/* Servers that the host asks when there is no tunnel. */
static unsigned int read_servers(struct sockaddr_storage servers[SERVERS_MAX])
{
	const char *path = "/run/systemd/resolve/resolv.conf";
	char line[256], text[INET6_ADDRSTRLEN + 1];
	unsigned int count = 0;
	struct vpn_address address;
	FILE *file;

	/* With resolved, the other file names a server that asks without a mark. */
	file = resolved_is_used() ? fopen(path, "re") : fopen(resolv_file_before_path(), "re");
	while (file && count < SERVERS_MAX && fgets(line, sizeof(line), file)) {
		struct sockaddr_in6 *six = (struct sockaddr_in6 *)&servers[count];
		struct sockaddr_in *four = (struct sockaddr_in *)&servers[count];

		if (sscanf(line, "nameserver %46s", text) != 1 ||
		    !vpn_address_parse(&address, text))
			continue;
		memset(&servers[count], 0, sizeof(servers[count]));
		if (address.family == AF_INET)
			*four = (struct sockaddr_in){ AF_INET, htons(53), address.ip4, { 0 } };
		else
			*six = (struct sockaddr_in6){ AF_INET6, htons(53), 0, address.ip6, 0 };
		count++;
	}
	if (file)
		fclose(file);
	return count;
}

/* What came for us: something else, the answer, or that there is none from this server. */
enum reading { FOREIGN, ANSWERED, FAILED };

/* Whoever does not know the question has not got it. */
static bool is_ours(ns_msg *msg, const struct question *q, ns_type type, uint16_t id)
{
	size_t len = strlen(q->host);
	ns_rr rr;

	if (ns_msg_id(*msg) != id || !ns_msg_getflag(*msg, ns_f_qr) ||
	    ns_msg_count(*msg, ns_s_qd) != 1 || ns_parserr(msg, ns_s_qd, 0, &rr) < 0)
		return false;
	len -= len && q->host[len - 1] == '.';
	return ns_rr_type(rr) == type && ns_rr_class(rr) == ns_c_in &&
	       strlen(ns_rr_name(rr)) == len && !strncasecmp(ns_rr_name(rr), q->host, len);
}

/* Take the addresses of an answer to our question. */
static enum reading read_answer(const struct question *q, const uint8_t *message, int len,
				ns_type type, uint16_t id)
{
	ns_msg msg;
	int i, rcode;
	ns_rr rr;

	if (ns_initparse(message, len, &msg) < 0 || !is_ours(&msg, q, type, id))
		return FOREIGN;
	rcode = ns_msg_getflag(msg, ns_f_rcode);
	if (rcode != ns_r_noerror && rcode != ns_r_nxdomain)
		return FAILED;
	for (i = 0; i < ns_msg_count(msg, ns_s_an); i++) {
		if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
			break;
		if (ns_rr_type(rr) == ns_t_a && ns_rr_rdlen(rr) == sizeof(struct in_addr))
			add(q, AF_INET, ns_rr_rdata(rr));
		if (ns_rr_type(rr) == ns_t_aaaa && ns_rr_rdlen(rr) == sizeof(struct in6_addr))
			add(q, AF_INET6, ns_rr_rdata(rr));
	}
	return ANSWERED;
}

static enum reading wait_answer(const struct question *q, int fd, ns_type type, uint16_t id)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	enum reading reading = FOREIGN;
	uint8_t message[4096];
	int len;

	while (reading == FOREIGN && poll(&poller, 1, WAIT_MS) > 0) {
		len = recv(fd, message, sizeof(message), 0);
		if (len < 0)
			break;
		reading = read_answer(q, message, len, type, id);
	}
	return reading;
}

/* True: it has answered, if only that there is no such name. */
static bool ask_type(const struct question *q, int fd, ns_type type)
{
	enum reading reading;
	uint8_t query[512];
	int len;

	len = res_mkquery(ns_o_query, q->host, ns_c_in, type, NULL, 0, NULL, query, sizeof(query));
	if (len < 0)
		return false;
	if (send(fd, query, len, MSG_NOSIGNAL) != len)
		return false;
	reading = wait_answer(q, fd, type, query[0] << 8 | query[1]);
	if (reading == FAILED)
		q->answer->failed = true;
	return reading == ANSWERED;
}

/* True: it has answered, about both families unless there is an address of one. */
static bool ask_server(const struct question *q, const struct sockaddr_storage *server)
{
	socklen_t len = server->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
			sizeof(struct sockaddr_in6);
	int fd = socket(server->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool answered = false;

	if (fd < 0)
		return false;
	if (q->mark)
		setsockopt(fd, SOL_SOCKET, SO_MARK, &q->mark, sizeof(q->mark));
	if (!connect(fd, (const struct sockaddr *)server, len)) {
		answered = ask_type(q, fd, ns_t_a);
		if (answered && !ask_type(q, fd, ns_t_aaaa))
			answered = q->answer->count;
	}
	close(fd);
	return answered;
}

static void ask_network(const struct question *q)
{
	struct sockaddr_storage servers[SERVERS_MAX];
	unsigned int count = read_servers(servers), i, attempt;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		for (i = 0; i < count; i++) {
			if (!ask_server(q, &servers[i]))
				continue;
			if (!q->answer->count)
				snprintf(q->answer->trouble, sizeof(q->answer->trouble),
					 "there is no name '%.100s'", q->host);
			return;
		}
	}
	if (q->answer->failed)
		snprintf(q->answer->trouble, sizeof(q->answer->trouble),
			 "the name servers cannot find out about '%.80s'", q->host);
	else
		snprintf(q->answer->trouble, sizeof(q->answer->trouble),
			 count ? "no name server answers" : "this host has no name server");
}

static void ask(const struct question *q)
{
	if (ask_host(q, AI_NUMERICHOST))
		return;
	__nss_configure_lookup("hosts", "files");
	if (!ask_host(q, 0))
		ask_network(q);
}

int resolve_start(const char *host, const char *port, uint32_t mark, pid_t *pid)
{
	struct resolve_answer answer = { 0 };
	const struct question q = { host, htons(strtoul(port, NULL, 10)), mark, &answer };
	int ends[2], ret;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	*pid = process_fork(ends[1], SIGKILL);
	if (*pid < 0) {
		ret = -errno;
		close(ends[0]);
		close(ends[1]);
		return ret;
	}
	if (*pid) {
		close(ends[1]);
		return ends[0];
	}
	alarm(30);
	ask(&q);
	_exit(write(ends[1], &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1);
}

void resolve_read(int fd, struct resolve_answer *answer)
{
	if (read(fd, answer, sizeof(*answer)) != sizeof(*answer))
		*answer = (struct resolve_answer){
			.trouble = "the name could not be resolved in time" };
}
