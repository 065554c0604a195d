// SPDX-License-Identifier: GPL-2.0
/*
 * module/tlv.c in userspace. The first octet of an input chooses the kind of
 * message, the others are the list.
 *
 * As a fuzz target: whatever was read can be written and read again, and is the
 * same; no value is beyond what it may be; no octet beyond the list is looked
 * at, nor one beyond the room written.
 *
 * With TLV_PRINT, a filter: inputs in hexadecimal, one a line, come out as what
 * was read of them, for compare.py.
 */

#include <stdio.h>
#include <stdlib.h>

#include "../../module/messages.h"
#include "../../module/tlv.h"
#include "must.h"

enum place { INITIATION, RESPONSE, CONTROL, PLACES };

/* What was read, of whatever kind. */
struct content {
	enum place place;
	union {
		struct vpn_request request;
		struct vpn_answer answer;
		struct vpn_controls controls;
	};
};

static int read_content(struct content *content, enum place place,
			const u8 *tlvs, size_t len)
{
	memset(content, 0, sizeof(*content));
	content->place = place;
	switch (place) {
	case INITIATION:
		return vpn_tlv_read_request(&content->request, tlvs, len);
	case RESPONSE:
		return vpn_tlv_read_answer(&content->answer, tlvs, len);
	default:
		return vpn_tlv_read_controls(&content->controls, tlvs, len);
	}
}

#ifndef TLV_PRINT

static void check_prefixes(const struct vpn_prefix *list, unsigned int count,
			   unsigned int max)
{
	unsigned int i;

	MUST(count <= max);
	for (i = 0; i < count; i++) {
		MUST(list[i].len == 4 || list[i].len == 16);
		MUST(list[i].bits <= list[i].len * 8);
	}
}

static void check_families(const struct vpn_prefix *list, unsigned int count)
{
	check_prefixes(list, count, VPN_FAMILIES);
	MUST(count < 2 || list[0].len != list[1].len);
}

static void check_text(const char *text, size_t room)
{
	const char *end = memchr(text, 0, room);

	MUST(end);
	for (; text < end; text++) {
		MUST((u8)*text >= 0x20 && *text != 0x7f);
		MUST((u8)text[0] != 0xc2 || (u8)text[1] >= 0xa0);
	}
}

static void check_assignment(const struct vpn_assignment *assignment)
{
	check_families(assignment->addresses, assignment->address_count);
	check_prefixes(assignment->dns, assignment->dns_count, VPN_DNS_MAX);
	check_prefixes(assignment->routes, assignment->route_count,
		       VPN_ROUTES_MAX);
	MUST(!assignment->mtu || assignment->mtu >= 576);
}

static void check_request(const struct vpn_request *request, const u8 *tlvs,
			  size_t len)
{
	check_families(request->wanted, request->wanted_count);
	check_text(request->host_name, sizeof(request->host_name));
	check_text(request->software, sizeof(request->software));
	MUST(!request->credential == !request->credential_kind);
	if (!request->credential)
		return;
	MUST(request->credential_len >= 1 &&
	     request->credential_len <= VPN_CREDENTIAL_MAX);
	MUST(request->credential >= tlvs &&
	     request->credential + request->credential_len <= tlvs + len);
}

static void check_content(const struct content *content, const u8 *tlvs,
			  size_t len)
{
	switch (content->place) {
	case INITIATION:
		check_request(&content->request, tlvs, len);
		break;
	case RESPONSE:
		check_text(content->answer.reject.text,
			   sizeof(content->answer.reject.text));
		check_assignment(&content->answer.assignment);
		break;
	default:
		check_assignment(&content->controls.assignment);
		break;
	}
}

static int write_controls(const struct vpn_controls *controls, u8 *to,
			  size_t room)
{
	if (controls->disconnect)
		return vpn_tlv_write_disconnect(controls->disconnect, to, room);
	if (controls->has_ping)
		return vpn_tlv_write_echo(VPN_TLV_PING, controls->ping, to,
					  room);
	if (controls->has_pong)
		return vpn_tlv_write_echo(VPN_TLV_PONG, controls->pong, to,
					  room);
	return 0;
}

static int write_content(const struct content *content, u8 *to, size_t room)
{
	switch (content->place) {
	case INITIATION:
		return vpn_tlv_write_request(&content->request, to, room);
	case RESPONSE:
		return vpn_tlv_write_answer(&content->answer, to, room);
	default:
		return write_controls(&content->controls, to, room);
	}
}

/* What is not written again, and where it was, does not count. */
static void leave_out(struct content *content)
{
	struct vpn_controls *controls = &content->controls;

	switch (content->place) {
	case INITIATION:
		content->request.unsupported = false;
		break;
	case RESPONSE:
		if (content->answer.reject.reason)
			memset(&content->answer.assignment, 0,
			       sizeof(content->answer.assignment));
		break;
	default:
		memset(&controls->assignment, 0, sizeof(controls->assignment));
		controls->has_assignment = false;
		if (controls->disconnect) {
			controls->has_ping = false;
			memset(controls->ping, 0, sizeof(controls->ping));
		}
		if (controls->disconnect || controls->has_ping) {
			controls->has_pong = false;
			memset(controls->pong, 0, sizeof(controls->pong));
		}
		break;
	}
}

static bool same(struct content *a, struct content *b)
{
	if (a->place == INITIATION) {
		if (a->request.credential_len != b->request.credential_len ||
		    (a->request.credential &&
		     memcmp(a->request.credential, b->request.credential,
			    a->request.credential_len)))
			return false;
		a->request.credential = NULL;
		b->request.credential = NULL;
	}
	return !memcmp(a, b, sizeof(*a));
}

/* Into memory of exactly that size, so that the sanitizer sees one too many. */
static void check_again(struct content *content)
{
	struct content again;
	u8 *exact;
	int len;

	exact = malloc(VPN_V1_INITIATION_MAX);
	len = write_content(content, exact, VPN_V1_INITIATION_MAX);
	free(exact);
	MUST(len >= 0);
	if (content->place == RESPONSE)
		MUST(len <= 1024);
	if (!len)
		return;

	exact = malloc(len - 1);
	MUST(write_content(content, exact, len - 1) == -EMSGSIZE);
	free(exact);

	exact = malloc(len);
	MUST(write_content(content, exact, len) == len);
	MUST(!read_content(&again, content->place, exact, len));
	leave_out(content);
	MUST(same(content, &again));
	free(exact);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct content content;
	int err;

	if (!size)
		return 0;
	err = read_content(&content, data[0] % PLACES, data + 1, size - 1);
	MUST(!err || err == -EBADMSG);
	if (err)
		return 0;
	check_content(&content, data + 1, size - 1);
	check_again(&content);
	return 0;
}

#else

static void show(u8 type, const void *value, size_t len)
{
	const u8 *at = value;

	printf(" %d=", type);
	while (len--)
		printf("%02x", *at++);
}

static void show_pair(u8 type, u8 first, const void *rest, size_t len)
{
	u8 both[1 + VPN_CREDENTIAL_MAX];

	both[0] = first;
	memcpy(both + 1, rest, len);
	show(type, both, 1 + len);
}

static void show_text(u8 type, const char *text)
{
	if (*text)
		show(type, text, strlen(text));
}

static void show_u16(u8 type, u16 value)
{
	u8 octets[2];

	put_unaligned_be16(value, octets);
	if (value)
		show(type, octets, sizeof(octets));
}

static void show_request(const struct vpn_request *request)
{
	unsigned int i;

	for (i = 0; i < request->wanted_count; i++)
		show(VPN_TLV_REQUESTED_ADDRESS, request->wanted[i].ip,
		     request->wanted[i].len);
	show_text(VPN_TLV_HOST_NAME, request->host_name);
	if (request->credential)
		show_pair(VPN_TLV_CREDENTIAL, request->credential_kind,
			  request->credential, request->credential_len);
	show_text(VPN_TLV_SOFTWARE, request->software);
}

static void show_prefixes(u8 type, const struct vpn_prefix *list,
			  unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		show_pair(type, list[i].bits, list[i].ip, list[i].len);
}

static void show_assignment(const struct vpn_assignment *assignment)
{
	unsigned int i;
	u8 lease[4];

	show_prefixes(VPN_TLV_ADDRESS, assignment->addresses,
		      assignment->address_count);
	put_unaligned_be32(assignment->lease, lease);
	if (assignment->has_lease)
		show(VPN_TLV_LEASE, lease, sizeof(lease));
	for (i = 0; i < assignment->dns_count; i++)
		show(VPN_TLV_DNS, assignment->dns[i].ip,
		     assignment->dns[i].len);
	show_prefixes(VPN_TLV_ROUTE, assignment->routes,
		      assignment->route_count);
	show_u16(VPN_TLV_MTU, assignment->mtu);
	show_u16(VPN_TLV_KEEPALIVE, assignment->keepalive);
}

static void show_controls(const struct vpn_controls *controls)
{
	if (controls->has_assignment)
		show_assignment(&controls->assignment);
	if (controls->disconnect)
		show(VPN_TLV_DISCONNECT, &controls->disconnect, 1);
	if (controls->has_ping)
		show(VPN_TLV_PING, controls->ping, VPN_ECHO_LEN);
	if (controls->has_pong)
		show(VPN_TLV_PONG, controls->pong, VPN_ECHO_LEN);
}

static void show_content(const struct content *content)
{
	const struct vpn_reject *reject = &content->answer.reject;

	switch (content->place) {
	case INITIATION:
		printf(content->request.unsupported ? "critical" : "read");
		show_request(&content->request);
		break;
	case RESPONSE:
		printf("read");
		show_assignment(&content->answer.assignment);
		if (reject->reason)
			show_pair(VPN_TLV_REJECT, reject->reason, reject->text,
				  strlen(reject->text));
		break;
	default:
		printf("read");
		show_controls(&content->controls);
		break;
	}
	putchar('\n');
}

/* Octets written to @to, which has room. */
static size_t from_hex(u8 *to, const char *line)
{
	unsigned int octet;
	size_t len = 0;

	while (sscanf(line + 2 * len, "%2x", &octet) == 1)
		to[len++] = (u8)octet;
	return len;
}

int main(void)
{
	static char line[2 * 65536];
	static u8 input[sizeof(line) / 2];
	struct content content;
	size_t len;

	while (fgets(line, sizeof(line), stdin)) {
		len = from_hex(input, line);
		if (!len || read_content(&content, input[0] % PLACES, input + 1,
					 len - 1))
			puts("malformed");
		else
			show_content(&content);
	}
	return 0;
}

#endif
