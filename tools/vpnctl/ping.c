// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../libvpn/command.h"
#include "../libvpn/event.h"
#include "../libvpn/key.h"
#include "command.h"
#include "complain.h"
#include "devices.h"
#include "moment.h"
#include "out.h"
#include "parse.h"
#include "units.h"

/* How long the last answer is waited for, in nanoseconds. */
#define PATIENCE	(3 * NSEC_PER_SEC)
#define INTERVAL_IS	"an interval is a number of seconds from 0.01 to 3600"

struct pinging {
	const char *ifname;
	char peer[VPN_KEY_BASE64_LEN + 1];	/* key or name, to be shown */
	uint8_t key[VPN_KEY_LEN];
	uint64_t count;				/* zero: until interrupted */
	uint64_t interval;			/* nanoseconds */
	struct vpn_socket events;
	uint64_t sent, answered;
	uint64_t least, most, sum;		/* nanoseconds */
};

static atomic_bool interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = true;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NSEC_PER_SEC + time.tv_nsec;
}

static void print_answer(const struct pinging *p, uint64_t rtt)
{
	static const struct out_field peer = { "peer", "answer from", HEADING_NONE };
	static const struct out_field number = { "number", "number", HEADING_NONE };
	static const struct out_field time = { "rtt_ns", "time", HEADING_NONE };
	char latency[UNITS_TEXT], text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)p->answered);
	units_latency(rtt, latency);
	out_object(NULL);
	out_string(&peer, p->peer);
	out_number(&number, p->answered, NULL, text);
	out_number(&time, rtt, NULL, latency);
	out_object_end();
	out_end_line();
	fflush(stdout);
}

static void hear(const struct vpn_event *event, void *data)
{
	const struct vpn_peer *peer = event->dev->peers;
	struct pinging *p = data;

	/* The kernel asks for echoes of its own accord as well. */
	if (event->command != VPN_CMD_ECHO_DONE_NTF || !peer || p->answered == p->sent ||
	    strcmp(event->dev->ifname, p->ifname) || memcmp(peer->public_key, p->key, VPN_KEY_LEN))
		return;
	p->answered++;
	p->sum += peer->rtt;
	if (peer->rtt > p->most)
		p->most = peer->rtt;
	if (p->answered == 1 || peer->rtt < p->least)
		p->least = peer->rtt;
	print_answer(p, peer->rtt);
}

/* Hear events until then, or with all that has been sent answered; the exit status. */
static int hear_until(struct pinging *p, uint64_t end, bool last)
{
	struct pollfd fd = { .fd = mnl_socket_get_fd(p->events.nl), .events = POLLIN };
	struct vpn_error err;
	uint64_t time;

	while (!interrupted && (time = now()) < end && !(last && p->answered == p->sent)) {
		if (poll(&fd, 1, (end - time) / 1000000 + 1) <= 0)
			continue;
		if (vpn_event_read(&p->events, hear, p, &err) && err.fault != VPN_FAULT_LOST)
			return complain_error(&err);
	}
	return 0;
}

static int send_all(struct pinging *p)
{
	struct vpn_error err;
	uint64_t next = now();
	int status = 0;
	bool last;

	while (!status && !interrupted && (!p->count || p->sent < p->count)) {
		/* It may be answered before the call is over. */
		p->sent++;
		if (vpn_peer_ping(p->ifname, p->key, &err)) {
			p->sent--;
			return complain_error(&err);
		}
		last = p->sent == p->count;
		next += p->interval;
		status = hear_until(p, last ? now() + PATIENCE : next, last);
	}
	return status;
}

static void put_latency(const char *json, const char *label, uint64_t nanoseconds)
{
	const struct out_field field = { json, label, HEADING_NONE };
	char text[UNITS_TEXT];

	units_latency(nanoseconds, text);
	out_number(&field, nanoseconds, NULL, text);
}

static void put_number(const char *json, uint64_t number)
{
	const struct out_field field = { json, json, HEADING_NONE };
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	out_number(&field, number, NULL, text);
}

static void print_summary(const struct pinging *p)
{
	out_object(NULL);
	put_number("sent", p->sent);
	put_number("answered", p->answered);
	if (p->answered) {
		put_latency("least_ns", "least", p->least);
		put_latency("mean_ns", "mean", p->sum / p->answered);
		put_latency("most_ns", "most", p->most);
	}
	out_object_end();
	out_end_line();
}

static int run(struct pinging *p)
{
	const struct sigaction action = { .sa_handler = interrupt };
	struct vpn_error err;
	int status;

	if (vpn_event_open(&p->events, VPN_EVENT_ALL, &err))
		return complain_error(&err);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	out_begin(want_json ? OUT_JSON : OUT_LINE);
	status = send_all(p);
	vpn_socket_close(&p->events);
	if (p->sent)
		print_summary(p);
	return status || !p->answered ? STATUS_FAILED : 0;
}

static bool find_peer(struct pinging *p, const char *word)
{
	struct vpn_device *dev;
	struct vpn_error err;
	struct vpn_peer *peer;

	if (vpn_device_get(p->ifname, &dev, &err))
		return !complain_error(&err);
	peer = device_peer(dev, word);
	if (peer) {
		memcpy(p->key, peer->public_key, VPN_KEY_LEN);
		vpn_key_to_base64(p->key, p->peer);
	}
	vpn_device_free(dev);
	return peer;
}

static bool parse_interval(const struct origin *at, const char *value, uint64_t *nanoseconds)
{
	double seconds;
	char *end;

	seconds = strtod(value, &end);
	if (!*value || *end || value[strspn(value, "0123456789.")] ||
	    !(seconds >= 0.01 && seconds <= 3600))
		return complain(at, "'%s' is not an interval; " INTERVAL_IS, value);
	*nanoseconds = seconds * NSEC_PER_SEC;
	return true;
}

/* Take one word with its value off the arguments; the exit status. */
static int take_option(char ***args, struct pinging *p)
{
	const char *word = *(*args)++, *value;
	const struct origin at = { .word = word };
	bool count = !strcmp(word, "count");

	if (!count && strcmp(word, "interval"))
		return complain_usage("ping", "'%s' is no option; there are 'count' and 'interval'",
				      word);
	value = *(*args)++;
	if (!value)
		return complain_usage("ping", "'%s' needs a value", word);
	if (count)
		return !parse_count(&at, value, 1, 1000000000, "a number of echoes", &p->count);
	return !parse_interval(&at, value, &p->interval);
}

int cmd_ping(int argc, char *argv[])
{
	struct pinging p = { .interval = NSEC_PER_SEC };
	char **args = argv + 3;
	int status = 0;

	if (argc < 3)
		return complain_usage("ping", "a device and a peer are needed");
	p.ifname = argv[1];
	while (*args && !status)
		status = take_option(&args, &p);
	if (status)
		return status;
	return find_peer(&p, argv[2]) ? run(&p) : STATUS_FAILED;
}
