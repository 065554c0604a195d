// SPDX-License-Identifier: GPL-2.0
#include "extack.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/vpn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "attr.h"
#include "key.h"

struct extack {
	const char *message;
	bool has_offset, has_missing, has_nest;
	uint32_t offset, missing, nest;
};

/* An attribute of the request that the kernel points to, and where it is. */
struct place {
	const struct nlmsghdr *request;
	uint32_t offset;
	uint32_t missing;	/* or, with this type, what is missing at offset */
	const char *name;
	const struct nlattr *peer, *allowedip;
};

struct attr_set {
	const char *const *names;
	unsigned int count;
	unsigned int nest;
	const struct attr_set *nested;
};

static const char *const allowedip_names[] = {
	[VPN_A_ALLOWEDIP_FAMILY]		= "family",
	[VPN_A_ALLOWEDIP_IPADDR]		= "ipaddr",
	[VPN_A_ALLOWEDIP_PREFIX_LEN]		= "prefix-len",
	[VPN_A_ALLOWEDIP_FLAGS]			= "flags",
};

static const char *const peer_names[] = {
	[VPN_A_PEER_PUBLIC_KEY]			= "public-key",
	[VPN_A_PEER_PRESHARED_KEY]		= "preshared-key",
	[VPN_A_PEER_FLAGS]			= "flags",
	[VPN_A_PEER_NAME]			= "name",
	[VPN_A_PEER_ENDPOINT_IPV4]		= "endpoint-ipv4",
	[VPN_A_PEER_ENDPOINT_IPV6]		= "endpoint-ipv6",
	[VPN_A_PEER_ENDPOINT_PORT]		= "endpoint-port",
	[VPN_A_PEER_ENDPOINT_SCOPE_ID]		= "endpoint-scope-id",
	[VPN_A_PEER_PERSISTENT_KEEPALIVE]	= "persistent-keepalive",
	[VPN_A_PEER_ALLOWEDIPS]			= "allowedips",
};

static const char *const device_names[] = {
	[VPN_A_DEVICE_IFINDEX]			= "ifindex",
	[VPN_A_DEVICE_IFNAME]			= "ifname",
	[VPN_A_DEVICE_FLAGS]			= "flags",
	[VPN_A_DEVICE_PRIVATE_KEY]		= "private-key",
	[VPN_A_DEVICE_LISTEN_PORT]		= "listen-port",
	[VPN_A_DEVICE_FWMARK]			= "fwmark",
	[VPN_A_DEVICE_PEERS]			= "peers",
};

static const struct attr_set allowedip_set = {
	.names = allowedip_names, .count = MNL_ARRAY_SIZE(allowedip_names),
};

static const struct attr_set peer_set = {
	.names = peer_names, .count = MNL_ARRAY_SIZE(peer_names),
	.nest = VPN_A_PEER_ALLOWEDIPS, .nested = &allowedip_set,
};

static const struct attr_set device_set = {
	.names = device_names, .count = MNL_ARRAY_SIZE(device_names),
	.nest = VPN_A_DEVICE_PEERS, .nested = &peer_set,
};

static const char *name_in(const struct attr_set *set, unsigned int type)
{
	return type < set->count && set->names[type] ? set->names[type] : "unknown";
}

static bool find(struct place *place, const struct attr_set *set, const void *attrs, size_t len);

static bool find_nested(struct place *place, const struct attr_set *set, const struct nlattr *attr)
{
	const struct nlattr **slot = set == &device_set ? &place->peer : &place->allowedip;

	*slot = attr;
	if (find(place, set->nested, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)))
		return true;
	*slot = NULL;
	return false;
}

/* Look for the attribute at place->offset, and into nests around it. */
static bool find(struct place *place, const struct attr_set *set, const void *attrs, size_t len)
{
	const struct nlattr *attr;

	mnl_attr_for_each_payload(attrs, len) {
		uint32_t start = (const char *)attr - (const char *)place->request;
		unsigned int type = mnl_attr_get_type(attr);
		bool nest = set->nested && type == set->nest;

		if (start == place->offset) {
			place->name = name_in(set, type);
			if (nest && place->missing)
				place->name = name_in(set->nested, place->missing);
			if (nest)
				*(set == &device_set ? &place->peer : &place->allowedip) = attr;
			return true;
		}
		if (nest && start < place->offset &&
		    place->offset < start + mnl_attr_get_len(attr))
			return find_nested(place, set, attr);
	}
	return false;
}

static void locate(struct place *place)
{
	const char *attrs = mnl_nlmsg_get_payload_offset(place->request, GENL_HDRLEN);
	size_t len = (const char *)mnl_nlmsg_get_payload_tail(place->request) - attrs;

	find(place, &device_set, attrs, len);
}

/* " of allowed IP 10.0.0.0/8 of peer KEY", as far as it is known. */
static void describe_owner(const struct place *place, char *text, size_t size)
{
	struct vpn_allowedip ip = { 0 };
	char prefix[VPN_PREFIX_TEXT], key[VPN_KEY_BASE64_LEN + 1];
	uint8_t public_key[VPN_KEY_LEN];
	int len = 0;

	*text = '\0';
	if (place->allowedip && vpn_attr_read_allowedip(place->allowedip, &ip)) {
		vpn_prefix_format(&ip, prefix);
		len = snprintf(text, size, " of allowed IP %s", prefix);
	}
	if (place->peer && vpn_attr_read_public_key(place->peer, public_key)) {
		vpn_key_to_base64(public_key, key);
		snprintf(text + len, size - len, " of peer %s", key);
	}
}

static void read_tlvs(struct extack *ack, const void *tlvs, size_t len)
{
	const struct nlattr *attr;

	mnl_attr_for_each_payload(tlvs, len) {
		switch (mnl_attr_get_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			ack->message = mnl_attr_get_str(attr);
			break;
		case NLMSGERR_ATTR_OFFS:
			ack->has_offset = true;
			ack->offset = mnl_attr_get_u32(attr);
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			ack->has_missing = true;
			ack->missing = mnl_attr_get_u32(attr);
			break;
		case NLMSGERR_ATTR_MISS_NEST:
			ack->has_nest = true;
			ack->nest = mnl_attr_get_u32(attr);
			break;
		}
	}
}

static void read_extack(struct extack *ack, const struct nlmsghdr *answer)
{
	size_t skip = sizeof(int), len = mnl_nlmsg_get_payload_len(answer);
	const char *payload = mnl_nlmsg_get_payload(answer);
	const struct nlmsgerr *nlerr = (const void *)payload;

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (answer->nlmsg_type == NLMSG_ERROR) {
		skip = sizeof(*nlerr);
		/* Without the capping flag the request itself comes first. */
		if (!(answer->nlmsg_flags & NLM_F_CAPPED))
			skip += MNL_ALIGN(nlerr->msg.nlmsg_len) - sizeof(nlerr->msg);
	}
	if (skip < len)
		read_tlvs(ack, payload + skip, len - skip);
}

static void describe_attribute(const struct extack *ack, const struct nlmsghdr *request,
			       char *text, size_t size)
{
	struct place place = { .request = request, .offset = ack->offset };
	char owner[160];

	*text = '\0';
	if (ack->has_missing) {
		place.missing = ack->missing;
		place.offset = ack->nest;
		if (ack->has_nest)
			locate(&place);
		else
			place.name = name_in(&device_set, ack->missing);
	} else if (ack->has_offset) {
		locate(&place);
	}
	if (!place.name)
		return;
	describe_owner(&place, owner, sizeof(owner));
	snprintf(text, size, " (%sattribute '%s'%s)", ack->has_missing ? "missing " : "",
		 place.name, owner);
}

int vpn_extack_report(const struct nlmsghdr *answer, const struct nlmsghdr *request, bool ours,
		      struct vpn_error *err)
{
	const int *status = mnl_nlmsg_get_payload(answer);
	struct extack ack = { 0 };
	char attribute[256] = "";
	bool rights = *status == -EPERM || *status == -EACCES;

	read_extack(&ack, answer);
	if (ours)
		describe_attribute(&ack, request, attribute, sizeof(attribute));
	return vpn_error_set(err, rights ? VPN_FAULT_NO_RIGHTS : VPN_FAULT_REFUSED, -*status,
			     "the kernel refused: %s%s",
			     ack.message ? ack.message : strerror(-*status), attribute);
}

void vpn_extack_remark(const struct nlmsghdr *answer, struct vpn_error *err)
{
	struct extack ack = { 0 };

	read_extack(&ack, answer);
	if (ack.message)
		vpn_error_set(err, VPN_FAULT_NONE, 0, "%s", ack.message);
}
