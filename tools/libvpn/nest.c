// SPDX-License-Identifier: GPL-2.0
#include "nest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

bool vpn_attr_copy(const struct nlattr *attr, void *value, size_t size)
{
	if (mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(value, mnl_attr_get_payload(attr), size);
	return true;
}

uint64_t vpn_attr_uint(const struct nlattr *attr)
{
	uint64_t big = 0;
	uint32_t small = 0;

	return vpn_attr_copy(attr, &small, sizeof(small)) ? small :
	       vpn_attr_copy(attr, &big, sizeof(big)) ? big : 0;
}

void vpn_attr_string(const struct nlattr *attr, char *value, size_t size)
{
	size_t len = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

	if (len >= size)
		len = size - 1;
	memcpy(value, mnl_attr_get_payload(attr), len);
	value[len] = '\0';
}

int vpn_attr_strdup(const struct nlattr *attr, char **text)
{
	free(*text);
	*text = strndup(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	return *text ? 0 : -ENOMEM;
}

/* An address without a nest around it; its length tells the family. */
static bool read_bare(const struct nlattr *attr, struct vpn_address *address)
{
	if (vpn_attr_copy(attr, &address->ip4, sizeof(address->ip4)))
		address->family = AF_INET;
	else if (vpn_attr_copy(attr, &address->ip6, sizeof(address->ip6)))
		address->family = AF_INET6;
	else
		return false;
	address->prefix_len = 8 * vpn_address_len(address->family);
	return true;
}

bool vpn_nest_read_address(const struct nlattr *nest, struct vpn_address *address)
{
	const struct nlattr *attr, *len = NULL;
	bool found = false;

	memset(address, 0, sizeof(*address));
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPN_A_ADDRESS_IPADDR:
			found = read_bare(attr, address);
			break;
		case VPN_A_ADDRESS_PREFIX_LEN:
			len = attr;
			break;
		}
	}
	if (found && len)
		vpn_attr_copy(len, &address->prefix_len, sizeof(address->prefix_len));
	return found;
}

static int add_address(struct vpn_addresses *addresses, const struct vpn_address *address)
{
	struct vpn_address *added = vpn_addresses_add(addresses);

	if (!added)
		return -ENOMEM;
	*added = *address;
	return 0;
}

int vpn_nest_add_address(const struct nlattr *nest, struct vpn_addresses *addresses)
{
	struct vpn_address address;

	return vpn_nest_read_address(nest, &address) ? add_address(addresses, &address) : 0;
}

int vpn_nest_read_list(const struct nlattr *nest, struct vpn_addresses *addresses)
{
	const struct nlattr *attr;
	int ret = 0;

	vpn_addresses_free(addresses);
	mnl_attr_for_each_nested(attr, nest) {
		if (!ret && mnl_attr_get_type(attr) == VPN_A_LIST_ADDRESS)
			ret = vpn_nest_add_address(attr, addresses);
	}
	return ret;
}

int vpn_nest_add_lease(const struct nlattr *nest, struct vpn_leases *leases)
{
	struct vpn_lease *lease = vpn_leases_add(leases);
	const struct nlattr *attr;

	if (!lease)
		return -ENOMEM;
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPN_A_LEASE_PUBLIC_KEY:
			lease->has_key = vpn_attr_copy(attr, lease->public_key, VPN_KEY_LEN);
			break;
		case VPN_A_LEASE_ADDRESS:
			vpn_nest_read_address(attr, &lease->address);
			break;
		case VPN_A_LEASE_EXPIRES:
			lease->expires = vpn_attr_uint(attr);
			break;
		case VPN_A_LEASE_BOUND:
			lease->bound = true;
			break;
		case VPN_A_LEASE_NAME:
			vpn_attr_string(attr, lease->name, sizeof(lease->name));
			break;
		}
	}
	return 0;
}

static int add_range(const struct nlattr *nest, struct vpn_pool *pool)
{
	struct vpn_range *range = vpn_pool_add_range(pool);
	const struct nlattr *attr;

	if (!range)
		return -ENOMEM;
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPN_A_RANGE_FIRST:
			read_bare(attr, &range->first);
			break;
		case VPN_A_RANGE_LAST:
			read_bare(attr, &range->last);
			break;
		}
	}
	if (!range->last.family)
		range->last = range->first;
	return 0;
}

static int read_pool_attr(const struct nlattr *attr, struct vpn_pool *pool)
{
	switch (mnl_attr_get_type(attr)) {
	case VPN_A_POOL_PREFIX:
		vpn_nest_read_address(attr, &pool->prefix);
		break;
	case VPN_A_POOL_RESERVED:
		return add_range(attr, pool);
	case VPN_A_POOL_LEASE_TIME:
		pool->has_lease_time = vpn_attr_copy(attr, &pool->lease_time,
						     sizeof(pool->lease_time));
		break;
	case VPN_A_POOL_SIZE:
		pool->size = vpn_attr_uint(attr);
		break;
	case VPN_A_POOL_USED:
		pool->used = vpn_attr_uint(attr);
		break;
	}
	return 0;
}

int vpn_nest_add_pool(const struct nlattr *nest, struct vpn_device *dev)
{
	struct vpn_pool *pool = vpn_device_add_pool(dev);
	const struct nlattr *attr;
	int ret = pool ? 0 : -ENOMEM;

	mnl_attr_for_each_nested(attr, nest) {
		if (ret)
			break;
		ret = read_pool_attr(attr, pool);
	}
	return ret;
}

static int read_assigned_attr(const struct nlattr *attr, struct vpn_assigned *assigned)
{
	struct vpn_address address = { 0 };

	switch (mnl_attr_get_type(attr)) {
	case VPN_A_ASSIGNED_ADDRESS:
		return vpn_nest_add_address(attr, &assigned->addresses);
	case VPN_A_ASSIGNED_DNS:
		return read_bare(attr, &address) ? add_address(&assigned->dns, &address) : 0;
	case VPN_A_ASSIGNED_ROUTE:
		return vpn_nest_add_address(attr, &assigned->routes);
	case VPN_A_ASSIGNED_MTU:
		vpn_attr_copy(attr, &assigned->mtu, sizeof(assigned->mtu));
		break;
	case VPN_A_ASSIGNED_KEEPALIVE:
		vpn_attr_copy(attr, &assigned->keepalive, sizeof(assigned->keepalive));
		break;
	case VPN_A_ASSIGNED_LEASE_TIME:
		assigned->has_lease_time = vpn_attr_copy(attr, &assigned->lease_time,
							 sizeof(assigned->lease_time));
		break;
	case VPN_A_ASSIGNED_TIME:
		assigned->time = vpn_attr_uint(attr);
		break;
	}
	return 0;
}

int vpn_nest_read_assigned(const struct nlattr *nest, struct vpn_assigned **assigned)
{
	const struct nlattr *attr;
	int ret = 0;

	if (!*assigned)
		*assigned = calloc(1, sizeof(**assigned));
	if (!*assigned)
		return -ENOMEM;
	mnl_attr_for_each_nested(attr, nest) {
		if (!ret)
			ret = read_assigned_attr(attr, *assigned);
	}
	return ret;
}

int vpn_nest_read_refusal(const struct nlattr *nest, struct vpn_refusal **refusal)
{
	const struct nlattr *attr;

	if (!*refusal)
		*refusal = calloc(1, sizeof(**refusal));
	if (!*refusal)
		return -ENOMEM;
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPN_A_REFUSAL_REASON:
			vpn_attr_copy(attr, &(*refusal)->reason, sizeof((*refusal)->reason));
			break;
		case VPN_A_REFUSAL_TEXT:
			vpn_attr_string(attr, (*refusal)->text, sizeof((*refusal)->text));
			break;
		case VPN_A_REFUSAL_TIME:
			(*refusal)->time = vpn_attr_uint(attr);
			break;
		case VPN_A_REFUSAL_OURS:
			(*refusal)->ours = true;
			break;
		}
	}
	return 0;
}

int vpn_nest_read_ending(const struct nlattr *nest, struct vpn_ending **ending)
{
	const struct nlattr *attr;

	if (!*ending)
		*ending = calloc(1, sizeof(**ending));
	if (!*ending)
		return -ENOMEM;
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPN_A_ENDING_REASON:
			vpn_attr_copy(attr, &(*ending)->reason, sizeof((*ending)->reason));
			break;
		case VPN_A_ENDING_TIME:
			(*ending)->time = vpn_attr_uint(attr);
			break;
		}
	}
	return 0;
}

static int add_bucket(const struct nlattr *nest, struct vpn_histogram *histogram)
{
	struct vpn_bucket *bucket;
	const struct nlattr *attr;

	bucket = reallocarray(histogram->buckets, histogram->bucket_count + 1, sizeof(*bucket));
	if (!bucket)
		return -ENOMEM;
	histogram->buckets = bucket;
	bucket += histogram->bucket_count++;
	*bucket = (struct vpn_bucket){ .bound = UINT64_MAX };
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPN_A_BUCKET_BOUND:
			bucket->bound = vpn_attr_uint(attr);
			break;
		case VPN_A_BUCKET_COUNT:
			vpn_attr_copy(attr, &bucket->count, sizeof(bucket->count));
			break;
		}
	}
	return 0;
}

int vpn_nest_read_histogram(const struct nlattr *nest, struct vpn_histogram *histogram)
{
	const struct nlattr *attr;
	int ret = 0;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPN_A_HISTOGRAM_COUNT:
			histogram->count = vpn_attr_uint(attr);
			break;
		case VPN_A_HISTOGRAM_SUM:
			histogram->sum = vpn_attr_uint(attr);
			break;
		case VPN_A_HISTOGRAM_BUCKET:
			ret = ret ? ret : add_bucket(attr, histogram);
			break;
		}
	}
	return ret;
}

static int read_credential(const struct nlattr *attr, struct vpn_auth_request *request)
{
	size_t len = mnl_attr_get_payload_len(attr);

	free(request->credential);
	request->credential = malloc(len + 1);
	if (!request->credential)
		return -ENOMEM;
	memcpy(request->credential, mnl_attr_get_payload(attr), len);
	request->credential_len = len;
	return 0;
}

static void read_request_endpoint(const struct nlattr *attr, struct vpn_auth_request *request)
{
	union vpn_endpoint *endpoint = &request->endpoint;

	switch (mnl_attr_get_type(attr)) {
	case VPN_A_AUTH_REQUEST_ENDPOINT_IPV4:
		endpoint->addr4.sin_family = AF_INET;
		request->has_endpoint = vpn_attr_copy(attr, &endpoint->addr4.sin_addr,
						      sizeof(endpoint->addr4.sin_addr));
		break;
	case VPN_A_AUTH_REQUEST_ENDPOINT_IPV6:
		endpoint->addr6.sin6_family = AF_INET6;
		request->has_endpoint = vpn_attr_copy(attr, &endpoint->addr6.sin6_addr,
						      sizeof(endpoint->addr6.sin6_addr));
		break;
	case VPN_A_AUTH_REQUEST_ENDPOINT_PORT:
		/* At the same place in both kinds of address. */
		vpn_attr_copy(attr, &endpoint->addr4.sin_port, sizeof(endpoint->addr4.sin_port));
		break;
	}
}

static int read_request_attr(const struct nlattr *attr, struct vpn_auth_request *request)
{
	switch (mnl_attr_get_type(attr)) {
	case VPN_A_AUTH_REQUEST_PUBLIC_KEY:
		vpn_attr_copy(attr, request->public_key, VPN_KEY_LEN);
		break;
	case VPN_A_AUTH_REQUEST_PROTOCOL_VERSION:
		vpn_attr_copy(attr, &request->version, sizeof(request->version));
		break;
	case VPN_A_AUTH_REQUEST_CIPHER:
		vpn_attr_copy(attr, &request->cipher, sizeof(request->cipher));
		break;
	case VPN_A_AUTH_REQUEST_CREDENTIAL_KIND:
		vpn_attr_copy(attr, &request->credential_kind, sizeof(request->credential_kind));
		break;
	case VPN_A_AUTH_REQUEST_CREDENTIAL:
		return read_credential(attr, request);
	case VPN_A_AUTH_REQUEST_ADDRESS:
		return vpn_nest_add_address(attr, &request->addresses);
	case VPN_A_AUTH_REQUEST_HOST_NAME:
		return vpn_attr_strdup(attr, &request->host_name);
	case VPN_A_AUTH_REQUEST_SOFTWARE:
		return vpn_attr_strdup(attr, &request->software);
	default:
		read_request_endpoint(attr, request);
	}
	return 0;
}

int vpn_nest_read_auth_request(const struct nlattr *nest, struct vpn_auth_request **request)
{
	const struct nlattr *attr;
	int ret = 0;

	if (!*request)
		*request = calloc(1, sizeof(**request));
	if (!*request)
		return -ENOMEM;
	mnl_attr_for_each_nested(attr, nest) {
		if (!ret)
			ret = read_request_attr(attr, *request);
	}
	return ret;
}

static void put_bare(struct nlmsghdr *nlh, uint16_t type, const struct vpn_address *address)
{
	mnl_attr_put(nlh, type, vpn_address_len(address->family), &address->ip6);
}

void vpn_nest_put_address(struct nlmsghdr *nlh, uint16_t type, const struct vpn_address *address,
			  bool with_len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	put_bare(nlh, VPN_A_ADDRESS_IPADDR, address);
	if (with_len)
		mnl_attr_put_u8(nlh, VPN_A_ADDRESS_PREFIX_LEN, address->prefix_len);
	mnl_attr_nest_end(nlh, nest);
}

void vpn_nest_put_list(struct nlmsghdr *nlh, uint16_t type, const struct vpn_addresses *addresses)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);
	const struct vpn_address *address = addresses->list;
	unsigned int i;

	for (i = 0; i < addresses->count; i++, address++)
		vpn_nest_put_address(nlh, VPN_A_LIST_ADDRESS, address,
				     !vpn_address_is_host(address));
	mnl_attr_nest_end(nlh, nest);
}

void vpn_nest_put_pool(struct nlmsghdr *nlh, const struct vpn_pool *pool)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, VPN_A_DEVICE_POOL), *range;
	unsigned int i;

	vpn_nest_put_address(nlh, VPN_A_POOL_PREFIX, &pool->prefix, true);
	for (i = 0; i < pool->reserved_count; i++) {
		range = mnl_attr_nest_start(nlh, VPN_A_POOL_RESERVED);
		put_bare(nlh, VPN_A_RANGE_FIRST, &pool->reserved[i].first);
		put_bare(nlh, VPN_A_RANGE_LAST, &pool->reserved[i].last);
		mnl_attr_nest_end(nlh, range);
	}
	if (pool->has_lease_time)
		mnl_attr_put_u32(nlh, VPN_A_POOL_LEASE_TIME, pool->lease_time);
	mnl_attr_nest_end(nlh, nest);
}

void vpn_nest_put_lease(struct nlmsghdr *nlh, const struct vpn_lease *lease)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, VPN_A_DEVICE_LEASE);

	if (lease->has_key)
		mnl_attr_put(nlh, VPN_A_LEASE_PUBLIC_KEY, VPN_KEY_LEN, lease->public_key);
	if (lease->address.family)
		vpn_nest_put_address(nlh, VPN_A_LEASE_ADDRESS, &lease->address, false);
	if (lease->expires)
		mnl_attr_put_u64(nlh, VPN_A_LEASE_EXPIRES, lease->expires);
	mnl_attr_nest_end(nlh, nest);
}
