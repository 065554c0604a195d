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
#include "nest.h"

struct extack {
	const char *message;
	bool has_offset, has_missing, has_nest;
	uint32_t offset, missing, nest;
};

struct attr_set;

struct attr_name {
	const char *name;
	const struct attr_set *nested;	/* NULL: it is no nest */
};

/* The attributes of a nest, and what to call the nest as a whole. */
struct attr_set {
	const struct attr_name *attrs;
	unsigned int count;
	/* " of peer KEY"; NULL: the nest is not worth a word */
	int (*describe)(const struct nlattr *nest, char *text, size_t size);
};

#define NESTS_MAX	4

/* An attribute of the request that the kernel points to, and where it is. */
struct place {
	const struct nlmsghdr *request;
	uint32_t offset;
	uint32_t missing;	/* or, with this type, what is missing at offset */
	const char *name;
	/* The nests around it, the outermost first. */
	const struct nlattr *nests[NESTS_MAX];
	const struct attr_set *sets[NESTS_MAX];
	unsigned int depth;
};

static int describe_allowedip(const struct nlattr *nest, char *text, size_t size)
{
	struct vpn_allowedip ip = { 0 };
	char prefix[VPN_PREFIX_TEXT];

	if (!vpn_attr_read_allowedip(nest, &ip))
		return 0;
	vpn_prefix_format(&ip, prefix);
	return snprintf(text, size, " of allowed IP %s", prefix);
}

static int describe_key(const uint8_t key[VPN_KEY_LEN], const char *what, char *text, size_t size)
{
	char base64[VPN_KEY_BASE64_LEN + 1];

	vpn_key_to_base64(key, base64);
	return snprintf(text, size, " of %s %s", what, base64);
}

static int describe_peer(const struct nlattr *nest, char *text, size_t size)
{
	uint8_t key[VPN_KEY_LEN];

	return vpn_attr_read_public_key(nest, key) ? describe_key(key, "peer", text, size) : 0;
}

static int describe_address(const struct nlattr *nest, char *text, size_t size)
{
	char string[VPN_PREFIX_TEXT];
	struct vpn_address address;

	if (!vpn_nest_read_address(nest, &address))
		return 0;
	if (vpn_address_is_host(&address))
		vpn_address_format_host(&address, string);
	else
		vpn_address_format(&address, string);
	return snprintf(text, size, " of %s", string);
}

static int describe_pool(const struct nlattr *nest, char *text, size_t size)
{
	char prefix[VPN_PREFIX_TEXT];
	struct vpn_address address;
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) != VPN_A_POOL_PREFIX ||
		    !vpn_nest_read_address(attr, &address))
			continue;
		vpn_address_format(&address, prefix);
		return snprintf(text, size, " of pool %s", prefix);
	}
	return 0;
}

static int describe_lease(const struct nlattr *nest, char *text, size_t size)
{
	struct vpn_leases leases = { NULL, NULL };
	char address[VPN_PREFIX_TEXT];
	int len = 0;

	if (vpn_nest_add_lease(nest, &leases))
		return 0;
	if (leases.first->address.family) {
		vpn_address_format_host(&leases.first->address, address);
		len = snprintf(text, size, " of lease %s", address);
	} else if (leases.first->has_key) {
		len = describe_key(leases.first->public_key, "the lease of", text, size);
	}
	vpn_leases_free(&leases);
	return len;
}

static const struct attr_name address_names[] = {
	[VPN_A_ADDRESS_IPADDR]			= { "ipaddr", NULL },
	[VPN_A_ADDRESS_PREFIX_LEN]		= { "prefix-len", NULL },
};

static const struct attr_set address_set = {
	address_names, MNL_ARRAY_SIZE(address_names), describe_address,
};

/* Where the nest around it says the same. */
static const struct attr_set quiet_address_set = {
	address_names, MNL_ARRAY_SIZE(address_names), NULL,
};

static const struct attr_name list_names[] = {
	[VPN_A_LIST_ADDRESS]			= { "address", &address_set },
};

static const struct attr_set list_set = {
	list_names, MNL_ARRAY_SIZE(list_names), NULL,
};

static const struct attr_name range_names[] = {
	[VPN_A_RANGE_FIRST]			= { "first", NULL },
	[VPN_A_RANGE_LAST]			= { "last", NULL },
};

static const struct attr_set range_set = {
	range_names, MNL_ARRAY_SIZE(range_names), NULL,
};

static const struct attr_name pool_names[] = {
	[VPN_A_POOL_PREFIX]			= { "prefix", &quiet_address_set },
	[VPN_A_POOL_RESERVED]			= { "reserved", &range_set },
	[VPN_A_POOL_LEASE_TIME]			= { "lease-time", NULL },
};

static const struct attr_set pool_set = {
	pool_names, MNL_ARRAY_SIZE(pool_names), describe_pool,
};

static const struct attr_name lease_names[] = {
	[VPN_A_LEASE_PUBLIC_KEY]		= { "public-key", NULL },
	[VPN_A_LEASE_ADDRESS]			= { "address", &quiet_address_set },
	[VPN_A_LEASE_EXPIRES]			= { "expires", NULL },
};

static const struct attr_set lease_set = {
	lease_names, MNL_ARRAY_SIZE(lease_names), describe_lease,
};

static const struct attr_name refusal_names[] = {
	[VPN_A_REFUSAL_REASON]			= { "reason", NULL },
	[VPN_A_REFUSAL_TEXT]			= { "text", NULL },
};

static const struct attr_set refusal_set = {
	refusal_names, MNL_ARRAY_SIZE(refusal_names), NULL,
};

static const struct attr_name allowedip_names[] = {
	[VPN_A_ALLOWEDIP_FAMILY]		= { "family", NULL },
	[VPN_A_ALLOWEDIP_IPADDR]		= { "ipaddr", NULL },
	[VPN_A_ALLOWEDIP_PREFIX_LEN]		= { "prefix-len", NULL },
	[VPN_A_ALLOWEDIP_FLAGS]			= { "flags", NULL },
};

static const struct attr_set allowedip_set = {
	allowedip_names, MNL_ARRAY_SIZE(allowedip_names), describe_allowedip,
};

static const struct attr_name peer_names[] = {
	[VPN_A_PEER_PUBLIC_KEY]			= { "public-key", NULL },
	[VPN_A_PEER_PRESHARED_KEY]		= { "preshared-key", NULL },
	[VPN_A_PEER_FLAGS]			= { "flags", NULL },
	[VPN_A_PEER_NAME]			= { "name", NULL },
	[VPN_A_PEER_ENDPOINT_IPV4]		= { "endpoint-ipv4", NULL },
	[VPN_A_PEER_ENDPOINT_IPV6]		= { "endpoint-ipv6", NULL },
	[VPN_A_PEER_ENDPOINT_PORT]		= { "endpoint-port", NULL },
	[VPN_A_PEER_ENDPOINT_SCOPE_ID]		= { "endpoint-scope-id", NULL },
	[VPN_A_PEER_PERSISTENT_KEEPALIVE]	= { "persistent-keepalive", NULL },
	[VPN_A_PEER_ALLOWEDIPS]			= { "allowedips", &allowedip_set },
	[VPN_A_PEER_ADDRESS_MODE]		= { "address-mode", NULL },
	[VPN_A_PEER_ADDRESS]			= { "address", &address_set },
	[VPN_A_PEER_CIPHER]			= { "cipher", NULL },
	[VPN_A_PEER_CREDENTIAL_KIND]		= { "credential-kind", NULL },
	[VPN_A_PEER_CREDENTIAL]			= { "credential", NULL },
	[VPN_A_PEER_EXPIRES]			= { "expires", NULL },
	[VPN_A_PEER_PUSH_ROUTES]		= { "push-routes", &list_set },
};

static const struct attr_set peer_set = {
	peer_names, MNL_ARRAY_SIZE(peer_names), describe_peer,
};

static const struct attr_name device_names[] = {
	[VPN_A_DEVICE_IFINDEX]			= { "ifindex", NULL },
	[VPN_A_DEVICE_IFNAME]			= { "ifname", NULL },
	[VPN_A_DEVICE_FLAGS]			= { "flags", NULL },
	[VPN_A_DEVICE_PRIVATE_KEY]		= { "private-key", NULL },
	[VPN_A_DEVICE_LISTEN_PORT]		= { "listen-port", NULL },
	[VPN_A_DEVICE_FWMARK]			= { "fwmark", NULL },
	[VPN_A_DEVICE_PEERS]			= { "peers", &peer_set },
	[VPN_A_DEVICE_HOST_NAME]		= { "host-name", NULL },
	[VPN_A_DEVICE_MAX_PEERS]		= { "max-peers", NULL },
	[VPN_A_DEVICE_PUSH_DNS]			= { "push-dns", &list_set },
	[VPN_A_DEVICE_PUSH_ROUTES]		= { "push-routes", &list_set },
	[VPN_A_DEVICE_PUSH_MTU]			= { "push-mtu", NULL },
	[VPN_A_DEVICE_PUSH_KEEPALIVE]		= { "push-keepalive", NULL },
	[VPN_A_DEVICE_POOL]			= { "pool", &pool_set },
	[VPN_A_DEVICE_LEASE]			= { "lease", &lease_set },
	[VPN_A_DEVICE_REJECT]			= { "reject", &refusal_set },
	[VPN_A_DEVICE_PEER_KEY]			= { "peer-key", NULL },
	[VPN_A_DEVICE_FORCE]			= { "force", NULL },
};

static const struct attr_set device_set = {
	device_names, MNL_ARRAY_SIZE(device_names), NULL,
};

static const struct attr_name *name_in(const struct attr_set *set, unsigned int type)
{
	static const struct attr_name unknown = { "unknown", NULL };

	return type < set->count && set->attrs[type].name ? &set->attrs[type] : &unknown;
}

static void enter(struct place *place, const struct attr_set *set, const struct nlattr *nest)
{
	if (place->depth == NESTS_MAX)
		return;
	place->nests[place->depth] = nest;
	place->sets[place->depth++] = set;
}

/* Look for the attribute at place->offset, and into nests around it. */
static bool find(struct place *place, const struct attr_set *set, const void *attrs, size_t len)
{
	const struct attr_name *name;
	const struct nlattr *attr;
	uint32_t start;

	mnl_attr_for_each_payload(attrs, len) {
		start = (const char *)attr - (const char *)place->request;
		name = name_in(set, mnl_attr_get_type(attr));
		if (start > place->offset)
			return false;
		if (place->offset >= start + mnl_attr_get_len(attr))
			continue;
		if (name->nested)
			enter(place, name->nested, attr);
		if (start == place->offset) {
			place->name = name->name;
			if (name->nested && place->missing)
				place->name = name_in(name->nested, place->missing)->name;
			return true;
		}
		return name->nested && find(place, name->nested, mnl_attr_get_payload(attr),
					    mnl_attr_get_payload_len(attr));
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
	unsigned int i = place->depth, len = 0;

	*text = '\0';
	while (i--) {
		if (place->sets[i]->describe && len < size)
			len += place->sets[i]->describe(place->nests[i], text + len, size - len);
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
	char owner[192];

	*text = '\0';
	if (ack->has_missing) {
		place.missing = ack->missing;
		place.offset = ack->nest;
		if (ack->has_nest)
			locate(&place);
		else
			place.name = name_in(&device_set, ack->missing)->name;
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
