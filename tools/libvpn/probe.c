// SPDX-License-Identifier: GPL-2.0
#include "probe.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "address.h"

#define PORT_DISCARD	9
/* What a router has to say comes soon. */
#define WAIT_MS		400
#define DATAGRAM_MAX	65507

union vpn_endpoint probe_endpoint(const struct vpn_address *address, uint16_t port)
{
	union vpn_endpoint to = { .addr.sa_family = address->family };

	to.addr4.sin_port = htons(port);
	if (address->family == AF_INET)
		to.addr4.sin_addr = address->ip4;
	else
		to.addr6.sin6_addr = address->ip6;
	return to;
}

static socklen_t size_of(const union vpn_endpoint *to)
{
	return to->addr.sa_family == AF_INET ? sizeof(to->addr4) : sizeof(to->addr6);
}

/* A socket that is connected there; a negative errno when there is no way. */
static int connect_to(const union vpn_endpoint *to, uint32_t mark)
{
	int fd = socket(to->addr.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	if (mark)
		setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	if (!connect(fd, &to->addr, size_of(to)))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int probe_route(const union vpn_endpoint *to, uint32_t mark, struct vpn_address *source)
{
	int fd = connect_to(to, mark), ret = 0;
	union vpn_endpoint own = { 0 };
	socklen_t len = sizeof(own);

	if (fd < 0)
		return -fd;
	memset(source, 0, sizeof(*source));
	if (getsockname(fd, &own.addr, &len))
		ret = errno;
	source->family = own.addr.sa_family;
	if (own.addr.sa_family == AF_INET)
		source->ip4 = own.addr4.sin_addr;
	else
		source->ip6 = own.addr6.sin6_addr;
	source->prefix_len = own.addr.sa_family == AF_INET ? 32 : 128;
	close(fd);
	return ret;
}

/* The first link that has an address. */
static bool find_link(const struct vpn_address *address, char ifname[IF_NAMESIZE])
{
	const struct sockaddr_in6 *six;
	const struct sockaddr_in *four;
	const struct ifaddrs *one;
	struct ifaddrs *list;
	bool found = false;

	if (getifaddrs(&list))
		return false;
	for (one = list; one && !found; one = one->ifa_next) {
		if (!one->ifa_addr || one->ifa_addr->sa_family != address->family)
			continue;
		four = (const void *)one->ifa_addr;
		six = (const void *)one->ifa_addr;
		found = address->family == AF_INET ?
			four->sin_addr.s_addr == address->ip4.s_addr :
			IN6_ARE_ADDR_EQUAL(&six->sin6_addr, &address->ip6);
		snprintf(ifname, IF_NAMESIZE, "%s", one->ifa_name);
	}
	freeifaddrs(list);
	return found;
}

bool probe_uplink(uint16_t family, uint32_t mark, char ifname[IF_NAMESIZE])
{
	struct vpn_address somebody, source;
	union vpn_endpoint to;

	vpn_address_parse(&somebody, family == AF_INET ? "192.0.2.1" : "2001:db8::1");
	to = probe_endpoint(&somebody, PORT_DISCARD);
	return !probe_route(&to, mark, &source) && find_link(&source, ifname);
}

static uint32_t read_mtu(int fd, bool four)
{
	socklen_t len = sizeof(int);
	int mtu;

	return getsockopt(fd, four ? IPPROTO_IP : IPPROTO_IPV6, four ? IP_MTU : IPV6_MTU, &mtu,
			  &len) ? 0 : mtu;
}

/* Nobody takes it for a message of the protocol. */
static int send_and_wait(int fd, size_t octets)
{
	static const char nothing[DATAGRAM_MAX];
	struct pollfd poller = { .fd = fd };
	socklen_t len = sizeof(int);
	int error = 0;

	if (send(fd, nothing, octets > DATAGRAM_MAX ? DATAGRAM_MAX : octets, MSG_NOSIGNAL) < 0)
		return errno;
	poll(&poller, 1, WAIT_MS);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

void probe_path(const union vpn_endpoint *to, uint32_t mark, unsigned int octets,
		struct probe_path *path)
{
	bool four = to->addr.sa_family == AF_INET;
	int fd = connect_to(to, mark), whole = four ? IP_PMTUDISC_DO : IPV6_PMTUDISC_DO;
	unsigned int headers = four ? 28 : 48;

	memset(path, 0, sizeof(*path));
	if (fd < 0) {
		path->error = -fd;
		return;
	}
	setsockopt(fd, four ? IPPROTO_IP : IPPROTO_IPV6, four ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
		   &whole, sizeof(whole));
	if (octets > headers)
		path->error = send_and_wait(fd, octets - headers);
	path->mtu = read_mtu(fd, four);
	close(fd);
}

bool probe_is_taken(uint16_t port)
{
	union vpn_endpoint any = { .addr6 = { AF_INET6, htons(port), 0, IN6ADDR_ANY_INIT, 0 } };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool taken;

	if (fd < 0)
		return false;
	taken = bind(fd, &any.addr, sizeof(any.addr6)) && errno == EADDRINUSE;
	close(fd);
	return taken;
}
