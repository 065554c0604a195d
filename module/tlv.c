// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of type, length and value (Documentation/protocol-v1.md, TLV). Whoever
 * wrote them has proved a key, but may still be anybody.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "tlv.h"

#define TLV_HEADER	4
#define FLAG_CRITICAL	0x01

#define IPV4_LEN	4
#define IPV6_LEN	16

/**
 * struct tlv - one of a list
 * @type: enum vpn_tlv_type or another
 * @critical: who does not know the type must not go on
 * @len: octets of @value
 * @value: in the message
 */
struct tlv {
	u8 type;
	bool critical;
	u16 len;
	const u8 *value;
};

/*
 * Takes a TLV. Returns 0, -EBADMSG, or -ENOENT when the type has no meaning in
 * this kind of message.
 */
typedef int (*tlv_taker)(void *out, const struct tlv *tlv);

static bool is_zero(const u8 *at, size_t len)
{
	while (len--)
		if (*at++)
			return false;
	return true;
}

/*
 * Read the list of @len octets. Returns 0, -EBADMSG, or -EOPNOTSUPP for a
 * critical TLV that @take does not know; the others have been taken then.
 */
static int read_list(const u8 *at, size_t len, tlv_taker take, void *out)
{
	struct tlv tlv;
	int result = 0;
	int err;

	while (len && *at != VPN_TLV_END) {
		if (len < TLV_HEADER)
			return -EBADMSG;
		tlv.type = at[0];
		tlv.critical = at[1] & FLAG_CRITICAL;
		tlv.len = get_unaligned_be16(at + 2);
		tlv.value = at + TLV_HEADER;
		if (tlv.len > len - TLV_HEADER)
			return -EBADMSG;
		err = take(out, &tlv);
		if (err == -ENOENT && tlv.critical)
			result = -EOPNOTSUPP;
		else if (err && err != -ENOENT)
			return err;
		at += TLV_HEADER + tlv.len;
		len -= TLV_HEADER + tlv.len;
	}
	return is_zero(at, len) ? result : -EBADMSG;
}

/* Octets of the UTF-8 sequence at @s (RFC 3629), or zero if it is none. */
static unsigned int utf8_len(const u8 *s, size_t len)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int n, i;
	u32 c;

	if (s[0] < 0x80)
		return 1;
	if ((s[0] & 0xe0) == 0xc0)
		n = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3;
	else if ((s[0] & 0xf8) == 0xf0)
		n = 4;
	else
		return 0;
	if (len < n)
		return 0;
	c = s[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

/* It goes to terminals and logs, which may obey control characters. */
static bool is_text(const u8 *s, size_t len)
{
	unsigned int n;

	while (len) {
		if (*s < 0x20 || *s == 0x7f)
			return false;
		n = utf8_len(s, len);
		/* U+0080 to U+009F */
		if (!n || (n == 2 && s[0] == 0xc2 && s[1] < 0xa0))
			return false;
		s += n;
		len -= n;
	}
	return true;
}

/* @to has room for @max octets and the zero behind them. */
static int take_text(char *to, size_t max, const u8 *value, size_t len)
{
	if (len > max || !is_text(value, len))
		return -EBADMSG;
	memcpy(to, value, len);
	to[len] = '\0';
	return 0;
}

/* One that must come once, and not be empty. */
static int take_name(char *to, const struct tlv *tlv)
{
	if (*to || !tlv->len)
		return -EBADMSG;
	return take_text(to, VPN_HOST_NAME_MAX, tlv->value, tlv->len);
}

static int take_u16(u16 *to, const struct tlv *tlv, u16 least)
{
	if (*to || tlv->len != sizeof(*to))
		return -EBADMSG;
	*to = get_unaligned_be16(tlv->value);
	return *to < least ? -EBADMSG : 0;
}

static bool is_ip_len(size_t len)
{
	return len == IPV4_LEN || len == IPV6_LEN;
}

/* An address by itself, appended to a list of at most @max. */
static int take_address(struct vpn_prefix *list, u8 *count, u8 max,
			const struct tlv *tlv)
{
	struct vpn_prefix *prefix = &list[*count];

	if (*count >= max || !is_ip_len(tlv->len))
		return -EBADMSG;
	prefix->len = tlv->len;
	prefix->bits = tlv->len * 8;
	memcpy(prefix->ip, tlv->value, tlv->len);
	(*count)++;
	return 0;
}

static int take_prefix(struct vpn_prefix *list, u8 *count, u8 max,
		       const struct tlv *tlv)
{
	struct vpn_prefix *prefix = &list[*count];

	if (*count >= max || !tlv->len || !is_ip_len(tlv->len - 1) ||
	    tlv->value[0] > (tlv->len - 1) * 8)
		return -EBADMSG;
	prefix->len = tlv->len - 1;
	prefix->bits = tlv->value[0];
	memcpy(prefix->ip, tlv->value + 1, prefix->len);
	(*count)++;
	return 0;
}

/* Of addresses there is one a family. */
static int one_a_family(const struct vpn_prefix *list, u8 count)
{
	return count == 2 && list[0].len == list[1].len ? -EBADMSG : 0;
}

static int take_credential(struct vpn_request *request, const struct tlv *tlv)
{
	if (request->credential || tlv->len < 2 || !tlv->value[0] ||
	    tlv->len - 1 > VPN_CREDENTIAL_MAX)
		return -EBADMSG;
	request->credential_kind = tlv->value[0];
	request->credential = tlv->value + 1;
	request->credential_len = tlv->len - 1;
	return 0;
}

static int take_requested(void *out, const struct tlv *tlv)
{
	struct vpn_request *request = out;
	int err;

	switch (tlv->type) {
	case VPN_TLV_REQUESTED_ADDRESS:
		err = take_address(request->wanted, &request->wanted_count,
				   VPN_FAMILIES, tlv);
		return err ?: one_a_family(request->wanted,
					   request->wanted_count);
	case VPN_TLV_HOST_NAME:
		return take_name(request->host_name, tlv);
	case VPN_TLV_CREDENTIAL:
		return take_credential(request, tlv);
	case VPN_TLV_SOFTWARE:
		return take_name(request->software, tlv);
	}
	return -ENOENT;
}

static int take_lease(struct vpn_assignment *assignment, const struct tlv *tlv)
{
	if (assignment->has_lease || tlv->len != sizeof(u32))
		return -EBADMSG;
	assignment->has_lease = true;
	assignment->lease = get_unaligned_be32(tlv->value);
	return 0;
}

static int take_assigned(struct vpn_assignment *assignment,
			 const struct tlv *tlv)
{
	int err;

	switch (tlv->type) {
	case VPN_TLV_ADDRESS:
		err = take_prefix(assignment->addresses,
				  &assignment->address_count, VPN_FAMILIES,
				  tlv);
		return err ?: one_a_family(assignment->addresses,
					   assignment->address_count);
	case VPN_TLV_LEASE:
		return take_lease(assignment, tlv);
	case VPN_TLV_DNS:
		return take_address(assignment->dns, &assignment->dns_count,
				    VPN_DNS_MAX, tlv);
	case VPN_TLV_ROUTE:
		return take_prefix(assignment->routes, &assignment->route_count,
				   VPN_ROUTES_MAX, tlv);
	case VPN_TLV_MTU:
		return take_u16(&assignment->mtu, tlv,
				VPN_ASSIGNED_MTU_MIN);
	case VPN_TLV_KEEPALIVE:
		return take_u16(&assignment->keepalive, tlv, 1);
	}
	return -ENOENT;
}

static int take_reject(struct vpn_reject *reject, const struct tlv *tlv)
{
	if (reject->reason || !tlv->len || !tlv->value[0])
		return -EBADMSG;
	reject->reason = tlv->value[0];
	return take_text(reject->text, VPN_REASON_TEXT_MAX, tlv->value + 1,
			 tlv->len - 1);
}

static int take_answered(void *out, const struct tlv *tlv)
{
	struct vpn_answer *answer = out;

	if (tlv->type == VPN_TLV_REJECT)
		return take_reject(&answer->reject, tlv);
	return take_assigned(&answer->assignment, tlv);
}

static int take_echo(u8 *to, bool *has, const struct tlv *tlv)
{
	if (*has || tlv->len != VPN_ECHO_LEN)
		return -EBADMSG;
	*has = true;
	memcpy(to, tlv->value, VPN_ECHO_LEN);
	return 0;
}

static int take_control(void *out, const struct tlv *tlv)
{
	struct vpn_controls *controls = out;
	int err;

	switch (tlv->type) {
	case VPN_TLV_DISCONNECT:
		if (controls->disconnect || tlv->len != 1 || !tlv->value[0])
			return -EBADMSG;
		controls->disconnect = tlv->value[0];
		return 0;
	case VPN_TLV_PING:
		return take_echo(controls->ping, &controls->has_ping, tlv);
	case VPN_TLV_PONG:
		return take_echo(controls->pong, &controls->has_pong, tlv);
	}
	err = take_assigned(&controls->assignment, tlv);
	if (!err)
		controls->has_assignment = true;
	return err;
}

int vpn_tlv_read_request(struct vpn_request *request, const u8 *tlvs,
			 size_t len)
{
	int err;

	memset(request, 0, sizeof(*request));
	err = read_list(tlvs, len, take_requested, request);
	if (err != -EOPNOTSUPP)
		return err;
	request->unsupported = true;
	return 0;
}

int vpn_tlv_read_answer(struct vpn_answer *answer, const u8 *tlvs, size_t len)
{
	memset(answer, 0, sizeof(*answer));
	return read_list(tlvs, len, take_answered, answer) ? -EBADMSG : 0;
}

int vpn_tlv_read_controls(struct vpn_controls *controls, const u8 *tlvs,
			  size_t len)
{
	memset(controls, 0, sizeof(*controls));
	return read_list(tlvs, len, take_control, controls) ? -EBADMSG : 0;
}

/**
 * struct writer - a list that is being written
 * @begin: of the list
 * @at: the next octet
 * @room: octets that are left; negative when they were not enough
 */
struct writer {
	u8 *begin;
	u8 *at;
	ssize_t room;
};

static int writer_end(const struct writer *writer)
{
	return writer->room < 0 ? -EMSGSIZE : writer->at - writer->begin;
}

/* Begin a TLV; @len octets of value must follow. False when there is no room. */
static bool put_header(struct writer *writer, u8 type, u8 flags, size_t len)
{
	writer->room -= TLV_HEADER + len;
	if (writer->room < 0)
		return false;
	writer->at[0] = type;
	writer->at[1] = flags;
	put_unaligned_be16(len, writer->at + 2);
	writer->at += TLV_HEADER;
	return true;
}

static void put_octets(struct writer *writer, const void *from, size_t len)
{
	memcpy(writer->at, from, len);
	writer->at += len;
}

static void put_octet(struct writer *writer, u8 octet)
{
	*writer->at++ = octet;
}

static void put(struct writer *writer, u8 type, u8 flags, const void *value,
		size_t len)
{
	if (put_header(writer, type, flags, len))
		put_octets(writer, value, len);
}

/* A first octet, and what belongs to it. */
static void put_pair(struct writer *writer, u8 type, u8 flags, u8 first,
		     const void *rest, size_t len)
{
	if (!put_header(writer, type, flags, 1 + len))
		return;
	put_octet(writer, first);
	put_octets(writer, rest, len);
}

static void put_name(struct writer *writer, u8 type, const char *name)
{
	if (*name)
		put(writer, type, 0, name, strlen(name));
}

static void put_u16(struct writer *writer, u8 type, u16 value)
{
	u8 octets[sizeof(value)];

	put_unaligned_be16(value, octets);
	if (value)
		put(writer, type, 0, octets, sizeof(octets));
}

static void put_assignment(struct writer *writer,
			   const struct vpn_assignment *assignment)
{
	const struct vpn_prefix *prefix;
	u8 lease[sizeof(u32)];
	unsigned int i;

	for (i = 0; i < assignment->address_count; i++) {
		prefix = &assignment->addresses[i];
		put_pair(writer, VPN_TLV_ADDRESS, 0, prefix->bits, prefix->ip,
			 prefix->len);
	}
	put_unaligned_be32(assignment->lease, lease);
	if (assignment->has_lease)
		put(writer, VPN_TLV_LEASE, 0, lease, sizeof(lease));
	for (i = 0; i < assignment->dns_count; i++) {
		prefix = &assignment->dns[i];
		put(writer, VPN_TLV_DNS, 0, prefix->ip, prefix->len);
	}
	for (i = 0; i < assignment->route_count; i++) {
		prefix = &assignment->routes[i];
		put_pair(writer, VPN_TLV_ROUTE, 0, prefix->bits, prefix->ip,
			 prefix->len);
	}
	put_u16(writer, VPN_TLV_MTU, assignment->mtu);
	put_u16(writer, VPN_TLV_KEEPALIVE, assignment->keepalive);
}

int vpn_tlv_write_request(const struct vpn_request *request, u8 *tlvs,
			  size_t room)
{
	struct writer writer = { .begin = tlvs, .at = tlvs, .room = room };
	unsigned int i;

	for (i = 0; i < request->wanted_count; i++)
		put(&writer, VPN_TLV_REQUESTED_ADDRESS, FLAG_CRITICAL,
		    request->wanted[i].ip, request->wanted[i].len);
	put_name(&writer, VPN_TLV_HOST_NAME, request->host_name);
	if (request->credential)
		put_pair(&writer, VPN_TLV_CREDENTIAL, FLAG_CRITICAL,
			 request->credential_kind, request->credential,
			 request->credential_len);
	put_name(&writer, VPN_TLV_SOFTWARE, request->software);
	return writer_end(&writer);
}

int vpn_tlv_write_answer(const struct vpn_answer *answer, u8 *tlvs,
			 size_t room)
{
	struct writer writer = { .begin = tlvs, .at = tlvs, .room = room };

	if (answer->reject.reason)
		put_pair(&writer, VPN_TLV_REJECT, FLAG_CRITICAL,
			 answer->reject.reason, answer->reject.text,
			 strlen(answer->reject.text));
	else
		put_assignment(&writer, &answer->assignment);
	return writer_end(&writer);
}

int vpn_tlv_write_disconnect(u8 reason, u8 *tlvs, size_t room)
{
	struct writer writer = { .begin = tlvs, .at = tlvs, .room = room };

	put(&writer, VPN_TLV_DISCONNECT, 0, &reason, sizeof(reason));
	return writer_end(&writer);
}

int vpn_tlv_write_echo(u8 type, const u8 echo[VPN_ECHO_LEN], u8 *tlvs,
		       size_t room)
{
	struct writer writer = { .begin = tlvs, .at = tlvs, .room = room };

	put(&writer, type, 0, echo, VPN_ECHO_LEN);
	return writer_end(&writer);
}
