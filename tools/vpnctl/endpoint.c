// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../libvpn/address.h"
#include "parse.h"

#define ENDPOINT_IS \
	"an endpoint is HOST:PORT, as in 192.0.2.1:51820 or [2001:db8::1]:51820"

#define DEFAULT_RETRIES		15
#define FIRST_WAIT		1000000		/* microseconds */
#define LONGEST_WAIT		20000000

/* Negative: for ever. */
static int retries_allowed(void)
{
	const char *value = getenv("VPN_ENDPOINT_RESOLUTION_RETRIES");
	long number;
	char *end;

	if (!value)
		value = getenv("WG_ENDPOINT_RESOLUTION_RETRIES");
	if (!value || !*value)
		return DEFAULT_RETRIES;
	if (!strcmp(value, "infinity"))
		return -1;
	number = strtol(value, &end, 10);
	if (*end || number < 0 || number > 1000000) {
		warn("VPN_ENDPOINT_RESOLUTION_RETRIES '%s' is neither a number nor 'infinity'",
		     value);
		return DEFAULT_RETRIES;
	}
	return number;
}

/* The name server may answer later, unlike when it has said no. */
static bool may_pass(int ret)
{
	return ret == EAI_AGAIN || ret == EAI_SYSTEM || ret == EAI_MEMORY;
}

static const char *reason(int ret)
{
	return ret == EAI_SYSTEM ? strerror(errno) : gai_strerror(ret);
}

/* A service's name is left to the resolver, which does not check numbers. */
static bool is_port(const char *port)
{
	size_t digits = strspn(port, "0123456789");
	unsigned long number;

	if (port[digits])
		return true;
	number = strtoul(port, NULL, 10);
	return digits <= 5 && number >= 1 && number <= UINT16_MAX;
}

static bool bad_port(const struct origin *at, const char *value)
{
	return complain(at, "'%s' has no valid port; a port is a number from 1 to 65535", value);
}

static void sleep_for(unsigned long microseconds)
{
	const struct timespec time = {
		.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000,
	};

	nanosleep(&time, NULL);
}

static bool resolve(const struct origin *at, const char *value, const char *host,
		    const char *port, union vpn_endpoint *endpoint)
{
	int retries = retries_allowed(), ret;
	unsigned long wait = FIRST_WAIT;

	for (;;) {
		ret = vpn_endpoint_resolve(endpoint, host, port);
		if (!ret)
			return true;
		if (!may_pass(ret) || !retries)
			break;
		if (retries > 0)
			retries--;
		warn("endpoint '%s': %s; trying again in %.2f seconds", value, reason(ret),
		     wait / 1e6);
		sleep_for(wait);
		wait = wait * 6 / 5 < LONGEST_WAIT ? wait * 6 / 5 : LONGEST_WAIT;
	}
	if (ret == EAI_SERVICE)
		return bad_port(at, value);
	return complain(at, "'%s' cannot be resolved: %s; check the name and this host's DNS",
			value, reason(ret));
}

bool parse_endpoint(const struct origin *at, const char *value, union vpn_endpoint *endpoint)
{
	char *text = strdup(value), *host, *port;
	bool good;

	if (!text)
		return complain(at, "'%s': %s", value, strerror(errno));
	if (vpn_endpoint_split(text, &host, &port))
		good = is_port(port) ? resolve(at, value, host, port, endpoint) :
				       bad_port(at, value);
	else
		good = complain(at, "'%s' is not an endpoint; " ENDPOINT_IS, value);
	free(text);
	return good;
}
