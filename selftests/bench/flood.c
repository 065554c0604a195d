// SPDX-License-Identifier: GPL-2.0
/*
 * flood.c - UDP traffic that costs little by itself, and counts what arrives
 *
 * flood singles FROM TO ADDRESS SIZE SECONDS
 *	Datagrams one by one.  No program is woken where they arrive: a socket filter
 *	drops them, and the socket counts that.
 * flood bursts FROM TO ADDRESS SIZE SECONDS
 *	The same, TRAIN datagrams a call, for where calls are slow.
 * flood cut FROM TO ADDRESS SIZE SECONDS
 *	The same, TRAIN datagrams a call, which the kernel cuts before they leave FROM.
 * flood trains FROM TO ADDRESS SIZE SECONDS
 *	The same in trains of TRAIN datagrams a call, as QUIC sends, to a program that
 *	takes trains.  Where the kernel refuses them, many single ones a call.
 * flood connect FROM TO ADDRESS SIZE SECONDS
 *	One datagram: how long it takes to arrive, at most SECONDS.
 * flood burst FROM TO ADDRESS SIZE SECONDS COUNT OUTER FILE LENGTH
 *	COUNT datagrams, which something on the way is to hold, and evenly among them
 *	the messages of LENGTH octets in FILE, to OUTER, port 1001.  Says so, waits for a
 *	line, and counts what arrives within SECONDS of the first, leaving out the first
 *	fifth and the last; half a second later, all answers to the messages.
 * flood storm FROM TO ADDRESS SIZE SECONDS COUNT OUTER FILE LENGTH MESSAGES
 *	The same with so many messages, each of which is a whole IPv4 packet, whoever is
 *	said to have sent it.
 * flood rain FROM TO ADDRESS SIZE SECONDS FILE LENGTH RATE
 *	So many of the packets of LENGTH octets in FILE a second, over and over.
 * flood ask FROM TO ADDRESS SIZE SECONDS FILE
 *	Sends the messages of SIZE octets in FILE to ADDRESS, port 1001, and counts the
 *	answers, until SECONDS pass without any.
 *
 * FROM and TO are files of network namespaces; ADDRESS is in TO.  In the first four no
 * more than WINDOW datagrams are on their way, so none is lost because another kernel
 * thread has to run first.  Each prints a line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT		9
#define ASKED_PORT	1001
#define WINDOW		256
#define ASKED		64
#define TRAIN		32
#define SECOND_NS	1000000000ull
/* Without any arrival for so long, what is missing is lost. */
#define PATIENCE_NS	20000000

struct flow {
	int from;		/* socket that sends */
	int to;			/* socket that receives */
	size_t size;
	__u64 limit_ns;
	char **extra;		/* what else the mode takes */
	__u64 sent;
	__u64 arrived;
	__u64 lost;
	__u64 heard_ns;		/* when something arrived last */
	__u64 *taken;		/* by the program that receives; or the socket counts */
};

static char payload[65536];

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void enter(const char *space)
{
	int fd = open(space, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "namespace %s", space);
	close(fd);
}

static struct sockaddr_in target(const char *address, int port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, address, &name.sin_addr) != 1)
		errx(1, "'%s' is not an IPv4 address", address);
	return name;
}

static int bound_socket(struct sockaddr_in name)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 8 << 20;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
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

/* For packets with headers of their own. */
static int raw_socket(struct sockaddr_in name)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), room = 1 << 29;

	name.sin_port = 0;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) ||
	    connect(fd, (struct sockaddr *)&name, sizeof(name)))
		err(1, "raw socket");
	return fd;
}

static void drop_all(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &nothing };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		err(1, "socket filter");
}

static __u32 dropped(int fd)
{
	__u32 memory[SK_MEMINFO_VARS];
	socklen_t size = sizeof(memory);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size))
		err(1, "SO_MEMINFO");
	return memory[SK_MEMINFO_DROPS];
}

/* See what has arrived meanwhile. */
static void look(struct flow *flow)
{
	__u64 arrived;

	if (flow->taken)
		arrived = __atomic_load_n(flow->taken, __ATOMIC_RELAXED);
	else
		arrived = flow->arrived + (__u32)(dropped(flow->to) - (__u32)flow->arrived);
	if (arrived != flow->arrived || flow->sent == arrived + flow->lost)
		flow->heard_ns = now_ns();
	flow->arrived = arrived;
}

/* Let others run until no more than @window are on their way. */
static void settle(struct flow *flow, __u64 window)
{
	look(flow);
	while (flow->sent > flow->arrived + flow->lost + window) {
		sched_yield();
		look(flow);
		if (now_ns() - flow->heard_ns > PATIENCE_NS)
			flow->lost = flow->sent - flow->arrived;
	}
}

static void send_single(struct flow *flow)
{
	if (send(flow->from, payload, flow->size, 0) < 0)
		err(1, "sending");
	flow->sent++;
}

static void send_many(struct flow *flow)
{
	struct iovec piece = { .iov_base = payload, .iov_len = flow->size };
	struct mmsghdr messages[TRAIN] = { 0 };
	int i, n;

	for (i = 0; i < TRAIN; i++) {
		messages[i].msg_hdr.msg_iov = &piece;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	n = sendmmsg(flow->from, messages, TRAIN, 0);
	if (n < 0)
		err(1, "sending");
	flow->sent += n;
}

static void send_train(struct flow *flow)
{
	if (send(flow->from, payload, flow->size * TRAIN, 0) < 0)
		err(1, "sending a train");
	flow->sent += TRAIN;
}

static void stream(struct flow *flow, void (*send_some)(struct flow *flow), bool cut)
{
	__u64 begun, end, arrived;

	/* What happens once only: neighbours, routes. */
	send_some(flow);
	settle(flow, 0);
	arrived = flow->arrived;

	begun = now_ns();
	flow->heard_ns = begun;
	do {
		send_some(flow);
		settle(flow, WINDOW);
		end = now_ns();
	} while (end - begun < flow->limit_ns);
	arrived = flow->arrived - arrived;
	settle(flow, 0);
	printf("{\"sent\": %llu, \"arrived\": %llu, \"ns\": %llu, \"lost\": %llu, \"cut\": %s}\n",
	       flow->sent, arrived, end - begun, flow->lost, cut ? "true" : "false");
}

static void singles(struct flow *flow)
{
	drop_all(flow->to);
	stream(flow, send_single, false);
}

static void bursts(struct flow *flow)
{
	drop_all(flow->to);
	stream(flow, send_many, false);
}

/* Whoever calls this has seen to it that the device does not take trains. */
static void cut(struct flow *flow)
{
	int size = flow->size;

	if (setsockopt(flow->from, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		err(1, "UDP_SEGMENT");
	drop_all(flow->to);
	stream(flow, send_train, false);
}

/* The program that receives trains; it ends with the one that sends. */
static void take_trains(struct flow *flow)
{
	static char buffer[65536];
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec piece = { .iov_base = buffer, .iov_len = sizeof(buffer) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	struct cmsghdr *part;
	ssize_t length;
	int size;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		length = recvmsg(flow->to, &message, 0);
		if (length <= 0)
			_exit(1);
		size = length;
		part = CMSG_FIRSTHDR(&message);
		if (part && part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_GRO)
			memcpy(&size, CMSG_DATA(part), sizeof(size));
		__atomic_add_fetch(flow->taken, (length + size - 1) / size, __ATOMIC_RELAXED);
	}
}

static void trains(struct flow *flow)
{
	int on = 1, size = flow->size;
	bool cut = false;

	flow->taken = mmap(NULL, sizeof(*flow->taken), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (flow->taken == MAP_FAILED)
		err(1, "mmap");
	if (setsockopt(flow->to, SOL_UDP, UDP_GRO, &on, sizeof(on)) ||
	    setsockopt(flow->from, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		err(1, "UDP_GRO, UDP_SEGMENT");
	if (fork() == 0)
		take_trains(flow);
	if (send(flow->from, payload, flow->size * 2, 0) < 0) {
		if (errno != EIO)
			err(1, "sending a train");
		cut = true;
		size = 0;
		if (setsockopt(flow->from, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
			err(1, "UDP_SEGMENT");
	} else {
		flow->sent += 2;
	}
	stream(flow, cut ? send_many : send_train, cut);
}

/* Something to read, before so much time has passed. */
static bool wait_readable(int fd, __u64 ns)
{
	struct pollfd wanted = { .fd = fd, .events = POLLIN };
	int n = poll(&wanted, 1, ns / 1000000);

	if (n < 0)
		err(1, "poll");
	return n;
}

static void connect_once(struct flow *flow)
{
	__u64 begun = now_ns();

	send_single(flow);
	if (!wait_readable(flow->to, flow->limit_ns))
		errx(1, "nothing arrived");
	printf("{\"ns\": %llu}\n", now_ns() - begun);
}

static void pause_ns(__u64 ns)
{
	struct timespec t = { .tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}

static FILE *open_messages(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		err(1, "%s", path);
	return file;
}

/* The next message of @file on the socket @fd; false when there is none left. */
static bool send_message(FILE *file, int fd, size_t length)
{
	static char message[4096];

	if (fread(message, 1, length, file) != length)
		return false;
	if (send(fd, message, length, 0) < 0)
		err(1, "sending a message");
	return true;
}

/* How many datagrams wait on the socket @fd; they don't any more. */
static unsigned int take_answers(int fd)
{
	static char answer[4096];
	unsigned int n = 0;

	while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

static void wait_for_word(void)
{
	char line[8];

	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		errx(1, "nobody says when");
}

/* Wait until more than @before have arrived. */
static void wait_for_more(struct flow *flow, __u32 before)
{
	__u64 begun = now_ns();

	while (dropped(flow->to) == before && now_ns() - begun < 5 * SECOND_NS)
		pause_ns(100000);
}

#define MESSAGES	50

static void burst(struct flow *flow)
{
	unsigned long count = strtoul(flow->extra[0], NULL, 10);
	struct sockaddr_in outer = target(flow->extra[1], ASKED_PORT);
	bool raw = flow->extra[4];
	int asking = raw ? raw_socket(outer) : sending_socket(outer);
	FILE *file = open_messages(flow->extra[2]);
	unsigned long length = strtoul(flow->extra[3], NULL, 10);
	unsigned long messages = raw ? strtoul(flow->extra[4], NULL, 10) : MESSAGES;
	unsigned int asked = 0, answered = 0;
	__u64 begun, end;
	__u32 before;

	drop_all(flow->to);
	while (flow->sent < count) {
		send_single(flow);
		if (flow->sent % TRAIN == 0)
			sched_yield();
		while (asked < flow->sent * messages / count &&
		       send_message(file, asking, length))
			asked++;
	}
	/* Whoever seals them in a thread of its own may need a while. */
	pause_ns(SECOND_NS / 4);
	before = dropped(flow->to);
	printf("{\"held\": %llu, \"early\": %u}\n", flow->sent, before);
	wait_for_word();
	wait_for_more(flow, before);
	pause_ns(flow->limit_ns / 5);
	begun = now_ns();
	before = dropped(flow->to);
	pause_ns(flow->limit_ns * 3 / 5);
	end = now_ns();
	flow->arrived = dropped(flow->to) - before;
	printf("{\"arrived\": %llu, \"ns\": %llu}\n", flow->arrived, end - begun);
	fflush(stdout);
	pause_ns(SECOND_NS / 2);
	answered = take_answers(asking);
	printf("{\"asked\": %u, \"answered\": %u}\n", asked, answered);
}

/* All that is due each millisecond. */
static void rain(struct flow *flow)
{
	FILE *file = open_messages(flow->extra[0]);
	size_t length = strtoul(flow->extra[1], NULL, 10);
	__u64 rate = strtoul(flow->extra[2], NULL, 10);
	struct sockaddr_in name = target("127.0.0.1", 0);
	socklen_t size = sizeof(name);
	__u64 begun = now_ns(), passed = 0;
	int fd;

	if (getpeername(flow->from, (struct sockaddr *)&name, &size))
		err(1, "getpeername");
	fd = raw_socket(name);
	while (passed < flow->limit_ns) {
		for (; flow->sent < rate * passed / SECOND_NS; flow->sent++)
			if (!send_message(file, fd, length))
				rewind(file);
		pause_ns(SECOND_NS / 1000);
		passed = now_ns() - begun;
	}
	printf("{\"sent\": %llu}\n", flow->sent);
}

static void ask(struct flow *flow)
{
	FILE *file = open_messages(flow->extra[0]);
	__u64 begun = now_ns(), end = begun;

	do {
		while (flow->sent < flow->arrived + ASKED &&
		       send_message(file, flow->from, flow->size))
			flow->sent++;
		if (!wait_readable(flow->from, flow->limit_ns))
			break;
		flow->arrived += take_answers(flow->from);
		end = now_ns();
	} while (flow->arrived < flow->sent);
	printf("{\"sent\": %llu, \"arrived\": %llu, \"ns\": %llu}\n", flow->sent,
	       flow->arrived, end - begun);
}

static const struct mode {
	const char *name;
	void (*work)(struct flow *flow);
	int more;		/* arguments */
	int port;
} modes[] = {
	{ "singles", singles, 0, PORT },
	{ "bursts", bursts, 0, PORT },
	{ "cut", cut, 0, PORT },
	{ "trains", trains, 0, PORT },
	{ "connect", connect_once, 0, PORT },
	{ "burst", burst, 4, PORT },
	{ "storm", burst, 5, PORT },
	{ "rain", rain, 3, ASKED_PORT },
	{ "ask", ask, 1, ASKED_PORT },
	{ }
};

int main(int argc, char **argv)
{
	struct flow flow = { .to = -1 };
	const struct mode *mode = modes;
	struct sockaddr_in name;

	while (mode->name && (argc != 7 + mode->more || strcmp(argv[1], mode->name)))
		mode++;
	if (!mode->name)
		errx(2, "usage: flood MODE FROM TO ADDRESS SIZE SECONDS ...");
	flow.size = strtoul(argv[5], NULL, 10);
	flow.limit_ns = strtod(argv[6], NULL) * SECOND_NS;
	flow.extra = argv + 7;
	if (!flow.size || flow.size * TRAIN > sizeof(payload))
		errx(2, "'%s' is no size", argv[5]);
	name = target(argv[4], mode->port);
	if (mode->port == PORT) {
		enter(argv[3]);
		flow.to = bound_socket(name);
	}
	enter(argv[2]);
	flow.from = sending_socket(name);
	mode->work(&flow);
	return 0;
}
