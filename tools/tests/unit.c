// SPDX-License-Identifier: GPL-2.0
/* What cannot be reached from the command line without the kernel module. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "../libvpn/attr.h"
#include "../libvpn/extack.h"
#include "../libvpn/key.h"
#include "../libvpn/nest.h"
#include "../vpnctl/command.h"
#include "../vpnctl/fields.h"
#include "../vpnctl/moment.h"
#include "../vpnctl/out.h"
#include "../vpnctl/units.h"
#include "../vpnd/slice.h"

static unsigned int points, failures;

/* There are no commands in what is tested here. */
const struct command *command_find(const char *name)
{
	(void)name;
	return NULL;
}

static void check(bool good, const char *text)
{
	failures += !good;
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++points, text);
}

static void check_text(const char *wanted, const char *got, const char *text)
{
	if (strcmp(wanted, got))
		printf("# wanted '%s', got '%s'\n", wanted, got);
	check(!strcmp(wanted, got), text);
}

static void test_prefix(const char *text, const char *wanted)
{
	char got[VPN_PREFIX_TEXT] = "";
	struct vpn_allowedip ip = { 0 };

	if (vpn_prefix_parse(&ip, text))
		vpn_prefix_format(&ip, got);
	check_text(wanted, got, text);
}

static void test_prefixes(void)
{
	test_prefix("10.1.2.3", "10.1.2.3/32");
	test_prefix("10.1.2.3/9", "10.0.0.0/9");
	test_prefix("10.1.2.3/0", "0.0.0.0/0");
	test_prefix("255.255.255.255/31", "255.255.255.254/31");
	test_prefix("2001:DB8::ffff", "2001:db8::ffff/128");
	test_prefix("2001:db8::ffff/121", "2001:db8::ff80/121");
	test_prefix("::ffff:10.0.0.1/96", "::ffff:0.0.0.0/96");
	test_prefix("fe80::1%lo/64", "");
}

static void test_endpoint(const char *host, const char *wanted)
{
	char got[VPN_ENDPOINT_TEXT] = "";
	union vpn_endpoint endpoint;

	if (!vpn_endpoint_resolve(&endpoint, host, "51820"))
		vpn_endpoint_format(&endpoint, got);
	check_text(wanted, got, host);
}

static void test_units(void)
{
	char text[UNITS_TEXT];

	units_bytes(1023, "sent", text);
	check_text("1023 B sent", text, "bytes");
	units_bytes(1536, "sent", text);
	check_text("1.50 KiB sent", text, "kibibytes");
	units_bytes(UINT64_MAX, "sent", text);
	check_text("16777216.00 TiB sent", text, "all bytes that can be counted");
	units_every(1, text);
	check_text("every 1 second", text, "a second");
	units_every(65535, text);
	check_text("every 18 hours, 12 minutes, 15 seconds", text, "the longest interval");
	units_ago(time(NULL) - 86400 * 366 - 72, text);
	check(!strncmp(text, "1 year, 1 day, 1 minute, 1", 26), "a year ago");
	units_ago(time(NULL) + 100, text);
	check_text("in the future: the clock was set back", text, "a clock set back");
}

static const uint8_t key_one[VPN_KEY_LEN] = { 1 }, key_two[VPN_KEY_LEN] = { 2 };

#define REFUSED		"the kernel refused: no good"
#define KEY_TWO_TEXT	"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct nlmsghdr *begin(void *buffer)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = GENL_ID_CTRL + 1;
	mnl_nlmsg_put_extra_header(nlh, GENL_HDRLEN);
	mnl_attr_put_u32(nlh, VPN_A_DEVICE_IFINDEX, 7);
	return nlh;
}

static struct nlattr *begin_peer(struct nlmsghdr *nlh, const uint8_t key[VPN_KEY_LEN])
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, VPN_A_DEVICE_PEERS);

	mnl_attr_put(nlh, VPN_A_PEER_PUBLIC_KEY, VPN_KEY_LEN, key);
	return nest;
}

/* Returns the offset of its prefix length. */
static uint32_t put_prefix(struct nlmsghdr *nlh, uint8_t prefix_len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, VPN_A_PEER_ALLOWEDIPS);
	const uint8_t address[] = { 10, 0, 0, 0 };
	uint32_t offset;

	mnl_attr_put_u16(nlh, VPN_A_ALLOWEDIP_FAMILY, AF_INET);
	mnl_attr_put(nlh, VPN_A_ALLOWEDIP_IPADDR, sizeof(address), address);
	offset = nlh->nlmsg_len;
	mnl_attr_put_u8(nlh, VPN_A_ALLOWEDIP_PREFIX_LEN, prefix_len);
	mnl_attr_nest_end(nlh, nest);
	return offset;
}

/* The second message goes on with the peer of the first one. */
static void test_continuation(void)
{
	uint64_t buffer[128];
	struct vpn_device *dev = vpn_device_new();
	struct nlmsghdr *nlh = begin(buffer);
	struct nlattr *nest;

	nest = begin_peer(nlh, key_one);
	mnl_attr_put_u16(nlh, VPN_A_PEER_PERSISTENT_KEEPALIVE, 25);
	put_prefix(nlh, 8);
	mnl_attr_nest_end(nlh, nest);
	vpn_attr_read_device(nlh, dev);
	nlh = begin(buffer);
	nest = begin_peer(nlh, key_one);
	put_prefix(nlh, 9);
	mnl_attr_nest_end(nlh, nest);
	nest = begin_peer(nlh, key_two);
	mnl_attr_put_u32(nlh, VPN_A_PEER_RX_BYTES, 5);
	mnl_attr_put_u64(nlh, VPN_A_PEER_TX_BYTES, 1ULL << 40);
	mnl_attr_nest_end(nlh, nest);
	vpn_attr_read_device(nlh, dev);

	check(dev->ifindex == 7 && dev->peers && dev->peers->next == dev->last_peer,
	      "two peers of two messages");
	check(dev->peers->keepalive == 25 && dev->peers->allowedips->prefix_len == 8 &&
	      dev->peers->last_allowedip->prefix_len == 9, "a peer goes on in the next message");
	check(dev->last_peer->rx_bytes == 5 && dev->last_peer->tx_bytes == 1ULL << 40,
	      "counters of four and of eight octets");
	vpn_device_free(dev);
}

/* Attributes of the wrong size are not read beyond their end. */
static void test_malformed(void)
{
	uint64_t buffer[32];
	struct vpn_device *dev = vpn_device_new();
	struct nlmsghdr *nlh = begin(buffer);
	struct nlattr *nest;

	mnl_attr_put_u8(nlh, VPN_A_DEVICE_PRIVATE_KEY, 1);
	mnl_attr_put(nlh, VPN_A_DEVICE_IFNAME, 20, "a-name-that-is-long-");
	nest = begin_peer(nlh, key_one);
	mnl_attr_put_u8(nlh, VPN_A_PEER_ENDPOINT_IPV4, 1);
	mnl_attr_put_u8(nlh, VPN_A_PEER_PRESHARED_KEY, 1);
	mnl_attr_nest_end(nlh, nest);
	vpn_attr_read_device(nlh, dev);
	check(!(dev->has & VPN_DEVICE_HAS_PRIVATE_KEY) &&
	      !(dev->peers->has & VPN_PEER_HAS_PRESHARED_KEY), "keys of the wrong size");
	check_text("a-name-that-is-", dev->ifname, "a name without an end");
	vpn_device_free(dev);
}

/* The kernel's answer with a message and an attribute of the request. */
static const char *refusal(const struct nlmsghdr *request, uint32_t type, uint32_t value,
			   uint32_t nest)
{
	uint64_t buffer[64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	static struct vpn_error err;
	struct nlmsgerr *answer;

	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
	answer = mnl_nlmsg_put_extra_header(nlh, sizeof(*answer));
	answer->error = -EINVAL;
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "no good");
	mnl_attr_put_u32(nlh, type, value);
	if (nest)
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_MISS_NEST, nest);
	vpn_extack_report(nlh, request, true, &err);
	return err.text;
}

static void test_extack(void)
{
	uint64_t buffer[128];
	struct nlmsghdr *nlh = begin(buffer);
	uint32_t prefix, peer, port;
	struct nlattr *nest;

	port = nlh->nlmsg_len;
	mnl_attr_put_u16(nlh, VPN_A_DEVICE_LISTEN_PORT, 1);
	nest = begin_peer(nlh, key_one);
	mnl_attr_nest_end(nlh, nest);
	peer = nlh->nlmsg_len;
	nest = begin_peer(nlh, key_two);
	prefix = put_prefix(nlh, 33);
	mnl_attr_nest_end(nlh, nest);

	check_text(REFUSED " (attribute 'listen-port')",
		   refusal(nlh, NLMSGERR_ATTR_OFFS, port, 0), "an attribute of the device");
	check_text(REFUSED " (attribute 'prefix-len' of allowed IP 10.0.0.0/33 of peer "
		   KEY_TWO_TEXT ")",
		   refusal(nlh, NLMSGERR_ATTR_OFFS, prefix, 0), "an attribute of an allowed IP");
	check_text(REFUSED " (attribute 'peers' of peer " KEY_TWO_TEXT ")",
		   refusal(nlh, NLMSGERR_ATTR_OFFS, peer, 0), "a peer as a whole");
	check_text(REFUSED " (missing attribute 'endpoint-port' of peer "
		   KEY_TWO_TEXT ")",
		   refusal(nlh, NLMSGERR_ATTR_MISS_TYPE, VPN_A_PEER_ENDPOINT_PORT, peer),
		   "an attribute that a peer lacks");
	check_text(REFUSED " (missing attribute 'ifindex')",
		   refusal(nlh, NLMSGERR_ATTR_MISS_TYPE, VPN_A_DEVICE_IFINDEX, 0),
		   "an attribute that the device lacks");
	check_text(REFUSED, refusal(nlh, NLMSGERR_ATTR_OFFS, 9999, 0),
		   "an offset outside of the request");
}

static void put_address(struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	struct vpn_address address;

	vpn_address_parse(&address, text);
	vpn_nest_put_address(nlh, type, &address, true);
}

/* A pool that is refused is named. */
static void test_extack_of_pool(void)
{
	uint64_t buffer[128];
	struct nlmsghdr *nlh = begin(buffer);
	struct nlattr *nest = mnl_attr_nest_start(nlh, VPN_A_DEVICE_POOL), *range;
	uint32_t lease_time, last;

	put_address(nlh, VPN_A_POOL_PREFIX, "10.8.0.0/24");
	range = mnl_attr_nest_start(nlh, VPN_A_POOL_RESERVED);
	last = nlh->nlmsg_len;
	mnl_attr_put_u32(nlh, VPN_A_RANGE_LAST, 0);
	mnl_attr_nest_end(nlh, range);
	lease_time = nlh->nlmsg_len;
	mnl_attr_put_u32(nlh, VPN_A_POOL_LEASE_TIME, 1);
	mnl_attr_nest_end(nlh, nest);

	check_text(REFUSED " (attribute 'lease-time' of pool 10.8.0.0/24)",
		   refusal(nlh, NLMSGERR_ATTR_OFFS, lease_time, 0), "an attribute of a pool");
	check_text(REFUSED " (attribute 'last' of pool 10.8.0.0/24)",
		   refusal(nlh, NLMSGERR_ATTR_OFFS, last, 0), "an attribute of a range");
}

static void test_extack_of_lease(void)
{
	uint64_t buffer[128];
	struct vpn_lease lease = { .has_key = true };
	struct nlmsghdr *nlh = begin(buffer);
	uint32_t first, second;

	memcpy(lease.public_key, key_two, VPN_KEY_LEN);
	first = nlh->nlmsg_len;
	vpn_nest_put_lease(nlh, &lease);
	second = nlh->nlmsg_len;
	vpn_address_parse(&lease.address, "10.8.0.2/24");
	vpn_nest_put_lease(nlh, &lease);
	check_text(REFUSED " (attribute 'lease' of the lease of " KEY_TWO_TEXT ")",
		   refusal(nlh, NLMSGERR_ATTR_OFFS, first, 0), "a lease named by its key");
	check_text(REFUSED " (attribute 'lease' of lease 10.8.0.2)",
		   refusal(nlh, NLMSGERR_ATTR_OFFS, second, 0), "a lease named by its address");
}

static void test_moment(const char *text, const char *wanted)
{
	char got[MOMENT_TEXT] = "";
	uint64_t moment;

	if (moment_parse(text, &moment))
		moment_format(moment, got);
	check_text(wanted, got, text);
}

static void test_moments(void)
{
	uint64_t moment, now = time(NULL);

	test_moment("never", "never");
	test_moment("2026-12-31", "2026-12-31T00:00:00Z");
	test_moment("2026-12-31t23:59:59z", "2026-12-31T23:59:59Z");
	test_moment("2026-12-31 23:59:59.5Z", "2026-12-31T23:59:59.500000000Z");
	test_moment("2027-01-01T00:59:59+01:00", "2026-12-31T23:59:59Z");
	test_moment("2026-12-31T23:59:59.1234567891Z", "2026-12-31T23:59:59.123456789Z");
	test_moment("2028-02-29", "2028-02-29T00:00:00Z");
	test_moment("2027-02-29", "");
	test_moment("1970-01-01", "");
	test_moment("1", "1970-01-01T00:00:01Z");
	test_moment("18446744072", "2554-07-21T23:34:32Z");
	test_moment("18446744074", "");
	check(moment_parse("+90m", &moment) && moment / NSEC_PER_SEC - now - 5400 < 3,
	      "ninety minutes from now");
}

/* Everything that a peer of version 1 may have. */
static void put_v1(struct nlmsghdr *nlh, uint64_t now)
{
	struct nlattr *peer = begin_peer(nlh, key_one), *nest, *bucket;

	mnl_attr_put_u32(nlh, VPN_A_PEER_PROTOCOL_VERSION, 1);
	mnl_attr_put_u32(nlh, VPN_A_PEER_ADDRESS_MODE, VPN_ADDRESS_MODE_REQUEST);
	mnl_attr_put_u32(nlh, VPN_A_PEER_CIPHER, VPN_CIPHER_ANY);
	mnl_attr_put_u32(nlh, VPN_A_PEER_UNANSWERED, 2);
	mnl_attr_put_u32(nlh, VPN_A_PEER_RTT, 1250000);
	mnl_attr_put(nlh, VPN_A_PEER_HOST_NAME, 4, "gate");
	nest = mnl_attr_nest_start(nlh, VPN_A_PEER_ASSIGNED);
	put_address(nlh, VPN_A_ASSIGNED_ADDRESS, "10.8.0.7/24");
	mnl_attr_put_u32(nlh, VPN_A_ASSIGNED_DNS, htonl(0x0a080001));
	put_address(nlh, VPN_A_ASSIGNED_ROUTE, "10.0.0.0/8");
	mnl_attr_put_u16(nlh, VPN_A_ASSIGNED_MTU, 1380);
	mnl_attr_put_u64(nlh, VPN_A_ASSIGNED_TIME, now * NSEC_PER_SEC);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, VPN_A_PEER_LAST_REFUSAL);
	mnl_attr_put_u32(nlh, VPN_A_REFUSAL_REASON, VPN_REJECT_REASON_POOL_EXHAUSTED);
	mnl_attr_put_u64(nlh, VPN_A_REFUSAL_TIME, now * NSEC_PER_SEC);
	mnl_attr_put(nlh, VPN_A_REFUSAL_OURS, 0, NULL);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, VPN_A_PEER_HANDSHAKE_LATENCY);
	mnl_attr_put_u32(nlh, VPN_A_HISTOGRAM_COUNT, 100);
	mnl_attr_put_u32(nlh, VPN_A_HISTOGRAM_SUM, 200000000);
	bucket = mnl_attr_nest_start(nlh, VPN_A_HISTOGRAM_BUCKET);
	mnl_attr_put_u32(nlh, VPN_A_BUCKET_BOUND, 4000000);
	mnl_attr_put_u32(nlh, VPN_A_BUCKET_COUNT, 99);
	mnl_attr_nest_end(nlh, bucket);
	bucket = mnl_attr_nest_start(nlh, VPN_A_HISTOGRAM_BUCKET);
	mnl_attr_put_u32(nlh, VPN_A_BUCKET_COUNT, 1);
	mnl_attr_nest_end(nlh, bucket);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, peer);
}

static void print_v1(const struct vpn_peer *peer)
{
	field_address(peer);
	field_leases(peer);
	field_assigned(peer);
	field_cipher(peer);
	field_session_cipher(peer);
	field_version(peer);
	field_peer_host_name(peer);
	field_rtt(peer);
	field_latency(peer);
	field_refusal(peer);
	field_hint(peer);
}

static void print_v0(const struct vpn_peer *peer)
{
	field_name(peer);
	field_endpoint(peer);
	field_allowed_ips(peer);
	field_latest_handshake(peer);
	field_transfer(peer);
	field_keepalive(peer);
}

/* Print a peer in the style to a file; its text. */
static const char *printed(enum out_style style, void (*print)(const struct vpn_peer *),
			   const struct vpn_peer *peer)
{
	int saved = dup(STDOUT_FILENO);
	FILE *file = tmpfile();
	static char text[2048];
	size_t len;

	if (!file)
		return "no temporary file";
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	out_begin(style);
	out_object(NULL);
	print(peer);
	out_object_end();
	out_end_line();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static void test_printer(void)
{
	struct vpn_peer peer = { .name = "a\"b\\c\n\xff\x1b[1m" };

	check_text("a\"b\\c???[1m\t(none)\t(none)\t0\t0\t0\toff\n",
		   printed(OUT_TABS, print_v0, &peer), "tabs, with nothing to print");
	check_text("{\"name\":\"a\\\"b\\\\c\\u000a\\ufffd\\u001b[1m\",\"endpoint\":null,"
		   "\"allowed_ips\":[],\"latest_handshake\":null,\"rx_bytes\":0,\"tx_bytes\":0,"
		   "\"persistent_keepalive\":0}\n",
		   printed(OUT_JSON, print_v0, &peer), "JSON, escaped");
	strcpy(peer.name, "Grüße");
	peer.rx_bytes = 2048;
	peer.keepalive = 25;
	vpn_prefix_parse(vpn_peer_add_allowedip(&peer), "10.0.0.0/8");
	vpn_prefix_parse(vpn_peer_add_allowedip(&peer), "::1");
	check_text("Grüße\t(none)\t10.0.0.0/8 ::1/128\t0\t2048\t0\t25\n",
		   printed(OUT_TABS, print_v0, &peer), "tabs");
	check_text("  name: Grüße\n  allowed ips: 10.0.0.0/8, ::1/128\n"
		   "  transfer: 2.00 KiB received, 0 B sent\n"
		   "  persistent keepalive: every 25 seconds\n",
		   printed(OUT_PRETTY, print_v0, &peer), "for people");
	vpn_peer_free_allowedips(&peer);
}

static void test_v1(void)
{
	uint64_t buffer[256], now = time(NULL);
	struct vpn_device *dev = vpn_device_new();
	struct nlmsghdr *nlh = begin(buffer);
	struct vpn_peer plain = { 0 };
	char wanted[1024];

	put_v1(nlh, now - 12);
	vpn_attr_read_device(nlh, dev);
	check_text("  address: auto (request)\n  assigned: 10.8.0.7/24\n"
		   "  assigned dns: 10.8.0.1\n  assigned routes: 10.0.0.0/8\n"
		   "  assigned mtu: 1380\n  cipher: any\n  protocol version: 1\n"
		   "  host name: gate\n  round-trip time: 1.25 ms\n"
		   "  handshake latency: 100 samples, mean 2.00 ms, p50 < 4.00 ms, p99 < 4.00 ms\n"
		   "  last refusal: we refused: pool exhausted, 12 seconds ago\n"
		   "  hint: no answer to version 1; the peer may be WireGuard, set for it: "
		   "address off cipher chacha20-poly1305 credential \"\"\n",
		   printed(OUT_PRETTY, print_v1, dev->peers), "a peer of version 1, for people");
	snprintf(wanted, sizeof(wanted),
		 "{\"address_mode\":\"request\",\"addresses\":[],\"leases\":[],"
		 "\"assigned\":{\"addresses\":[\"10.8.0.7/24\"],\"dns\":[\"10.8.0.1\"],"
		 "\"routes\":[\"10.0.0.0/8\"],\"mtu\":1380,\"keepalive\":0,\"lease_time\":null,"
		 "\"expires\":null,\"time\":%llu},\"cipher\":\"any\",\"session_cipher\":null,"
		 "\"protocol_version\":1,\"host_name\":\"gate\",\"rtt_ns\":1250000,"
		 "\"handshake_latency\":{\"count\":100,\"sum_ns\":200000000,\"mean_ns\":2000000,"
		 "\"p50_ns\":4000000,\"p99_ns\":4000000,"
		 "\"buckets\":[{\"bound_ns\":4000000,\"count\":99},{\"bound_ns\":null,\"count\":1}]},"
		 "\"echo_latency\":null,\"last_refusal\":{\"reason\":\"pool-exhausted\",\"text\":null,"
		 "\"ours\":true,\"time\":%llu},\"hint\":\"no answer to version 1; "
		 "the peer may be WireGuard, set for it: "
		 "address off cipher chacha20-poly1305 "
		 "credential \\\"\\\"\"}\n",
		 (unsigned long long)now - 12, (unsigned long long)now - 12);
	check_text(wanted, printed(OUT_JSON, print_v1, dev->peers), "a peer of version 1, JSON");
	check_text("", printed(OUT_PRETTY, print_v1, &plain), "nothing is said of a plain peer");
	vpn_device_free(dev);
}

static void check_slice(const char *text, int64_t number, int64_t count, const char *wanted)
{
	const struct config_slice slice = { number, count };
	char first[VPN_PREFIX_TEXT], last[VPN_PREFIX_TEXT], got[2 * VPN_PREFIX_TEXT];
	struct vpn_address network;
	struct vpn_range range;

	vpn_address_parse(&network, text);
	slice_range(&slice, &network, &range);
	vpn_address_format_host(&range.first, first);
	vpn_address_format_host(&range.last, last);
	snprintf(got, sizeof(got), "%s-%s", first, last);
	check_text(wanted, got, "a slice");
}

/* Each begins where the one before ends; none is missing at either end. */
static void check_slices(const char *text, int64_t count, const char *end)
{
	struct config_slice slice = { 0, count };
	struct vpn_address network, next;
	char last[VPN_PREFIX_TEXT];
	struct vpn_range range;
	bool good = true;

	vpn_address_parse(&network, text);
	next = network;
	next.prefix_len = 8 * vpn_address_len(network.family);
	range.last = network;
	for (; slice.number < count; slice.number++) {
		slice_range(&slice, &network, &range);
		good &= !vpn_address_compare(&range.first, &next) &&
			vpn_address_compare(&range.first, &range.last) < 0;
		next = range.last;
		vpn_address_next(&next);
	}
	vpn_address_format_host(&range.last, last);
	check(good, "slices follow one another");
	check_text(end, last, "the last slice ends with the network");
}

static void test_slices(void)
{
	check_slice("10.8.0.0/24", 0, 0, "10.8.0.0-10.8.0.255");
	check_slice("10.8.0.0/24", 0, 3, "10.8.0.0-10.8.0.84");
	check_slice("10.8.0.0/24", 1, 3, "10.8.0.85-10.8.0.169");
	check_slice("10.8.0.0/24", 2, 3, "10.8.0.170-10.8.0.255");
	check_slice("10.8.0.9/24", 1, 2, "10.8.0.128-10.8.0.255");
	check_slice("fd08::/64", 1, 4, "fd08::4000:0:0:0-fd08::7fff:ffff:ffff:ffff");
	check_slices("10.8.0.0/24", 1, "10.8.0.255");
	check_slices("10.8.0.0/24", 7, "10.8.0.255");
	check_slices("10.0.0.0/8", 1000, "10.255.255.255");
	check_slices("fd00::/8", 3, "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	check_slices("fd08:0:0:1::/64", 1024, "fd08::1:ffff:ffff:ffff:ffff");
}

int main(void)
{
	test_prefixes();
	test_endpoint("192.0.2.1", "192.0.2.1:51820");
	test_endpoint("2001:db8::1", "[2001:db8::1]:51820");
	test_endpoint("fe80::1%lo", "[fe80::1%lo]:51820");
	test_units();
	test_continuation();
	test_malformed();
	test_extack();
	test_extack_of_pool();
	test_extack_of_lease();
	test_moments();
	test_printer();
	test_v1();
	test_slices();
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
