// SPDX-License-Identifier: GPL-2.0
/*
 * flood.c - UDP traffic that costs little by itself, and counts what arrives
 *
 * flood singles FROM TO ADDRESS SIZE SECONDS
 *
 * FROM and TO are files of network namespaces.  Datagrams of SIZE octets go from
 * one to ADDRESS in the other.  There no program is woken: a socket filter drops
 * them, and the socket counts that.  No more than WINDOW of them are on their way,
 * so none is lost because another kernel thread has to run first.
 *
 * Prints one line of JSON: how many were sent, how many arrived within how many
 * nanoseconds, and how many never did.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <linux/types.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT	9
#define BURST	1
#define WINDOW	256
/* Without any arrival for so long, what is missing is lost. */
#define PATIENCE_NS	20000000

struct flow {
	int from;		/* socket that sends */
	int to;			/* socket that drops and counts */
	__u64 sent;
	__u64 arrived;
	__u64 lost;
	__u64 heard_ns;	/* when something arrived last */
};

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void enter(const char *space)
{
	int fd = open(space, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "namespace %s", space);
	close(fd);
}

static struct sockaddr_in target(const char *address)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	if (inet_pton(AF_INET, address, &name.sin_addr) != 1)
		errx(1, "'%s' is not an IPv4 address", address);
	return name;
}

static int dropping_socket(struct sockaddr_in name)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &nothing };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ||
	    bind(fd, (struct sockaddr *)&name, sizeof(name)))
		err(1, "receiving socket");
	return fd;
}

static int sending_socket(struct sockaddr_in name)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)))
		err(1, "sending socket");
	return fd;
}

static void look(struct flow *flow)
{
	__u32 memory[SK_MEMINFO_VARS];
	socklen_t size = sizeof(memory);
	__u32 more;

	if (getsockopt(flow->to, SOL_SOCKET, SO_MEMINFO, memory, &size))
		err(1, "SO_MEMINFO");
	more = memory[SK_MEMINFO_DROPS] - (__u32)flow->arrived;
	if (more || flow->sent == flow->arrived + flow->lost)
		flow->heard_ns = now_ns();
	flow->arrived += more;
}

/* Let others run until no more than @window are on their way. */
static void settle(struct flow *flow, __u64 window)
{
	look(flow);
	while (flow->sent - flow->arrived - flow->lost > window) {
		sched_yield();
		look(flow);
		if (now_ns() - flow->heard_ns > PATIENCE_NS)
			flow->lost = flow->sent - flow->arrived;
	}
}

static void send_burst(struct flow *flow, struct mmsghdr *messages, int count)
{
	int n = sendmmsg(flow->from, messages, count, 0);

	if (n < 0)
		err(1, "sending");
	flow->sent += n;
}

static void singles(struct flow *flow, size_t size, __u64 duration_ns)
{
	static char payload[65536];
	struct iovec piece = { .iov_base = payload, .iov_len = size };
	struct mmsghdr messages[BURST] = { 0 };
	__u64 begun, end, arrived;
	int i;

	for (i = 0; i < BURST; i++) {
		messages[i].msg_hdr.msg_iov = &piece;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	/* What happens once only: neighbours, routes. */
	send_burst(flow, messages, BURST);
	settle(flow, 0);
	arrived = flow->arrived;

	begun = now_ns();
	flow->heard_ns = begun;
	do {
		send_burst(flow, messages, BURST);
		settle(flow, WINDOW);
		end = now_ns();
	} while (end - begun < duration_ns);
	arrived = flow->arrived - arrived;
	settle(flow, 0);
	printf("{\"sent\": %llu, \"arrived\": %llu, \"ns\": %llu, \"lost\": %llu}\n",
	       flow->sent, arrived, end - begun, flow->lost);
}

int main(int argc, char **argv)
{
	struct flow flow = { 0 };
	struct sockaddr_in name;

	if (argc != 7 || strcmp(argv[1], "singles"))
		errx(2, "usage: flood singles FROM TO ADDRESS SIZE SECONDS");
	name = target(argv[4]);
	enter(argv[3]);
	flow.to = dropping_socket(name);
	enter(argv[2]);
	flow.from = sending_socket(name);
	singles(&flow, strtoul(argv[5], NULL, 10), strtod(argv[6], NULL) * 1e9);
	return 0;
}
