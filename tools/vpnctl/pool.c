// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "../libvpn/command.h"
#include "../libvpn/text.h"
#include "command.h"
#include "complain.h"
#include "devices.h"
#include "fields.h"
#include "moment.h"
#include "out.h"
#include "parse.h"
#include "units.h"

#define RANGE_IS	"it is an address, or two of a family with '-' between, the lower one first"

static bool add_range(const struct origin *at, char *text, struct vpn_pool *pool)
{
	char *dash = strchr(text, '-'), *first = text, *last = text;
	struct vpn_range *range = vpn_pool_add_range(pool);

	if (!range)
		return complain(at, "%s", strerror(errno));
	if (dash) {
		*dash = '\0';
		first = text_trim(text);
		last = text_trim(dash + 1);
	}
	if (vpn_address_parse(&range->first, first) && vpn_address_is_host(&range->first) &&
	    vpn_address_parse(&range->last, last) && vpn_address_is_host(&range->last) &&
	    range->first.family == range->last.family &&
	    vpn_address_compare(&range->first, &range->last) <= 0)
		return true;
	return complain(at, "'%s%s%s' is not a range; " RANGE_IS, first, dash ? "-" : "",
			dash ? last : "");
}

static bool parse_range(const struct origin *at, const char *text, void *context)
{
	char *copy = strdup(text);
	bool good = copy ? add_range(at, copy, context) : complain(at, "%s", strerror(errno));

	free(copy);
	return good;
}

static bool parse_ranges(const struct origin *at, const char *value, struct vpn_pool *pool)
{
	bool good = parse_list(at, value, parse_range, pool);

	if (good && pool->reserved_count > VPN_POOL_RANGES_MAX)
		return complain(at, "has %u ranges; at most %u are possible, so join some",
				pool->reserved_count, VPN_POOL_RANGES_MAX);
	return good;
}

static bool parse_pool(const char *value, struct vpn_pool *pool)
{
	const struct origin at = { .word = "pool" };
	struct vpn_allowedip prefix;

	if (!parse_prefix(&at, value, &prefix))
		return false;
	pool->prefix.ip6 = prefix.ip6;
	pool->prefix.family = prefix.family;
	pool->prefix.prefix_len = prefix.prefix_len;
	return true;
}

/* Take one word with its value off the arguments; the exit status. */
static int take_option(char ***args, struct vpn_pool *pool)
{
	const char *word = *(*args)++, *value;
	const struct origin at = { .word = word };
	bool lease = !strcmp(word, "lease");

	if (!lease && strcmp(word, "reserve"))
		return complain_usage("pool", "'%s' is nothing that a pool has; "
				      "there are 'reserve' and 'lease'", word);
	value = *(*args)++;
	if (!value)
		return complain_usage("pool", "'%s' needs a value", word);
	if (lease && pool->has_lease_time)
		return !complain(&at, "is given twice for the same pool; only one can hold");
	if (!lease)
		return !parse_ranges(&at, value, pool);
	pool->has_lease_time = true;
	return !parse_lease_time(&at, value, &pool->lease_time);
}

static int pool_add(int argc, char *argv[])
{
	struct vpn_pool pool = { 0 };
	struct vpn_error err;
	char **args = argv + 3;
	int status = 0;

	if (argc < 3)
		return complain_usage("pool", "a device and a prefix are needed");
	if (!parse_pool(argv[2], &pool))
		return STATUS_FAILED;
	while (*args && !status)
		status = take_option(&args, &pool);
	if (!status)
		status = report(vpn_pool_add(argv[1], &pool, &err), &err);
	free(pool.reserved);
	return status;
}

static int pool_del(int argc, char *argv[])
{
	bool force = argc == 4 && !strcmp(argv[3], "force");
	struct vpn_pool pool = { 0 };
	struct vpn_error err;

	if (argc < 3)
		return complain_usage("pool", "a device and a prefix are needed");
	if (argc > 3 + force)
		return complain_usage("pool", "'%s' is one argument too many", argv[3 + force]);
	if (!parse_pool(argv[2], &pool))
		return STATUS_FAILED;
	return report(vpn_pool_del(argv[1], &pool, force, &err), &err);
}

static void put_range(const struct vpn_range *range)
{
	static const struct out_field first = { "first", NULL, HEADING_NONE };
	static const struct out_field last = { "last", NULL, HEADING_NONE };
	char one[VPN_PREFIX_TEXT], two[VPN_PREFIX_TEXT], text[2 * VPN_PREFIX_TEXT];

	vpn_address_format_host(&range->first, one);
	vpn_address_format_host(&range->last, two);
	if (out_style() == OUT_JSON) {
		out_group(NULL);
		out_string(&first, one);
		out_string(&last, two);
		out_group_end();
		return;
	}
	snprintf(text, sizeof(text), "%s%s%s", one, strcmp(one, two) ? "-" : "",
		 strcmp(one, two) ? two : "");
	out_item(text);
}

static void put_lease_time(const struct vpn_pool *pool)
{
	static const struct out_field field = { "lease_time", "lease", HEADING_NONE };
	char text[UNITS_TEXT] = "for ever";

	if (pool->lease_time)
		units_span(pool->lease_time, text);
	out_number(&field, pool->lease_time, NULL, text);
}

static void put_use(const struct vpn_pool *pool)
{
	static const struct out_field used = { "used", "used", HEADING_NONE };
	static const struct out_field size = { "size", NULL, HEADING_NONE };
	char text[64];

	if (pool->size == UINT64_MAX)
		snprintf(text, sizeof(text), "%llu of 2^64 or more",
			 (unsigned long long)pool->used);
	else
		snprintf(text, sizeof(text), "%llu of %llu", (unsigned long long)pool->used,
			 (unsigned long long)pool->size);
	out_number(&used, pool->used, NULL, text);
	out_number(&size, pool->size, NULL, NULL);
}

static void show_pool(const struct vpn_pool *pool)
{
	static const struct out_field prefix = { "prefix", "pool", HEADING_PEER };
	static const struct out_field reserved = { "reserved", "reserved", HEADING_NONE };
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	vpn_address_format(&pool->prefix, text);
	out_object(NULL);
	out_string(&prefix, text);
	out_list(&reserved, ",");
	for (i = 0; i < pool->reserved_count; i++)
		put_range(&pool->reserved[i]);
	out_list_end(NULL);
	put_lease_time(pool);
	put_use(pool);
	out_object_end();
}

static void show_device(const struct vpn_device *dev)
{
	const struct vpn_pool *pool;

	if (out_style() != OUT_JSON && !dev->pools)
		return;
	out_object(NULL);
	field_ifname(dev);
	field_ifindex(dev);
	out_array("pools");
	for (pool = dev->pools; pool; pool = pool->next)
		show_pool(pool);
	out_array_end();
	out_object_end();
}

static int pool_show(int argc, char *argv[])
{
	int status;

	if (argc > 2)
		return complain_usage("pool", "'%s' is one argument too many", argv[2]);
	out_begin(want_json ? OUT_JSON : OUT_PRETTY);
	if (!argv[1])
		out_array(NULL);
	status = devices_each(argv[1], vpn_device_get_pools, show_device);
	if (!argv[1])
		out_array_end();
	if (want_json)
		out_end_line();
	return status;
}

int cmd_pool(int argc, char *argv[])
{
	static const struct verb verbs[] = {
		{ "add", pool_add }, { "del", pool_del }, { "show", pool_show }, { NULL, NULL },
	};

	return verb_run(verbs, argc, argv);
}
