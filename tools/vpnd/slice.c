// SPDX-License-Identifier: GPL-2.0
#include "slice.h"

#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"

static unsigned int width(const struct vpn_address *address)
{
	return 8 * vpn_address_len(address->family);
}

/*
 * Where a slice begins: the bits behind the prefix are those of the fraction number / count,
 * by long division. So sizes differ by one address at most, whatever the count.
 */
static struct vpn_address begin_of(const struct vpn_address *network, uint64_t number,
				   uint64_t count)
{
	struct vpn_address address = *network;
	uint8_t *octets = (uint8_t *)&address.ip6;
	unsigned int bit;

	address.prefix_len = width(network);
	for (bit = network->prefix_len; bit < width(network); bit++) {
		octets[bit / 8] &= ~(0x80 >> bit % 8);
		number *= 2;
		if (number < count)
			continue;
		octets[bit / 8] |= 0x80 >> bit % 8;
		number -= count;
	}
	return address;
}

static struct vpn_address last_of(const struct vpn_address *network)
{
	struct vpn_address address = *network;
	uint8_t *octets = (uint8_t *)&address.ip6;
	unsigned int bit;

	address.prefix_len = width(network);
	for (bit = network->prefix_len; bit < width(network); bit++)
		octets[bit / 8] |= 0x80 >> bit % 8;
	return address;
}

void slice_range(const struct config_slice *slice, const struct vpn_address *network,
		 struct vpn_range *range)
{
	const int64_t count = slice->count ? slice->count : 1;

	range->first = begin_of(network, slice->number, count);
	range->last = last_of(network);
	if (slice->number + 1 < count) {
		range->last = begin_of(network, slice->number + 1, count);
		vpn_address_previous(&range->last);
	}
}

bool slice_fits(const struct config_slice *slice, const struct vpn_address *network)
{
	unsigned int bits = width(network) - network->prefix_len;

	return bits >= 32 || SLICE_LEAST * slice->count <= 1LL << bits;
}

static bool in_range(const struct vpn_range *range, const struct vpn_address *address)
{
	struct vpn_address host = *address;

	host.prefix_len = width(address);
	return vpn_address_compare(&range->first, &host) <= 0 &&
	       vpn_address_compare(&host, &range->last) <= 0;
}

/* What is ours of the network that has that address. */
static bool own_range(const struct config *config, const struct vpn_address *address,
		      struct vpn_range *range)
{
	unsigned int i;

	for (i = 0; i < config->networks.count; i++) {
		if (!vpn_address_within(&config->networks.list[i], address))
			continue;
		slice_range(&config->slice, &config->networks.list[i], range);
		return true;
	}
	return false;
}

bool slice_has(const struct config *config, const struct vpn_address *address)
{
	struct vpn_range range;

	return own_range(config, address, &range) && in_range(&range, address);
}

bool slice_enter(const struct config *config, const struct vpn_address *network,
		 struct vpn_address *address)
{
	struct vpn_range range;

	if (!own_range(config, address, &range))
		return false;
	if (in_range(&range, address))
		return true;
	address->prefix_len = width(address);
	if (vpn_address_compare(&range.first, address) < 0 ||
	    !vpn_address_within(network, &range.first))
		return false;
	*address = range.first;
	return true;
}

static bool add_range(struct config_ranges *ranges, const struct vpn_address *first,
		      const struct vpn_address *last)
{
	struct vpn_range *grown;

	grown = reallocarray(ranges->list, ranges->count + 1, sizeof(*grown));
	if (!grown)
		return false;
	ranges->list = grown;
	grown[ranges->count++] = (struct vpn_range){ *first, *last };
	return true;
}

/* Before and behind what is ours. */
static bool add_outside(const struct config_slice *slice, const struct vpn_address *network,
			struct config_ranges *ranges)
{
	struct vpn_address begin = begin_of(network, 0, 1), end = last_of(network);
	struct vpn_range own;
	bool good = true;

	slice_range(slice, network, &own);
	if (vpn_address_compare(&begin, &own.first)) {
		vpn_address_previous(&own.first);
		good = add_range(ranges, &begin, &own.first);
	}
	if (vpn_address_compare(&own.last, &end)) {
		vpn_address_next(&own.last);
		good = good && add_range(ranges, &own.last, &end);
	}
	return good;
}

/* Take an address out of the range that has it, which is then shorter, two, or none. */
static bool take_out(struct config_ranges *ranges, const struct vpn_address *address)
{
	struct vpn_address before = *address, behind = *address;
	struct vpn_range *range = ranges->list, was;
	unsigned int i;

	for (i = 0; i < ranges->count && !in_range(range, address); i++)
		range++;
	if (i == ranges->count)
		return true;
	vpn_address_previous(&before);
	vpn_address_next(&behind);
	was = *range;
	*range = ranges->list[--ranges->count];
	return (!vpn_address_compare(&was.first, address) ||
		add_range(ranges, &was.first, &before)) &&
	       (!vpn_address_compare(&was.last, address) ||
		add_range(ranges, &behind, &was.last));
}

bool slice_others(const struct config *config, const struct vpn_address *network,
		  struct config_ranges *ranges)
{
	const struct config_peer *peer;
	unsigned int i;
	bool good;

	*ranges = (struct config_ranges){ NULL, 0 };
	good = add_outside(&config->slice, network, ranges);
	for (peer = config->peers; peer && good; peer = peer->next) {
		for (i = 0; i < peer->addresses.count && good; i++)
			good = take_out(ranges, &peer->addresses.list[i]);
	}
	return good;
}
