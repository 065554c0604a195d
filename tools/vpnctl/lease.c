// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../libvpn/address.h"
#include "../libvpn/command.h"
#include "../libvpn/key.h"
#include "../libvpn/nearest.h"
#include "../libvpn/text.h"
#include "command.h"
#include "complain.h"
#include "devices.h"
#include "fields.h"
#include "moment.h"
#include "out.h"
#include "parse.h"

#define LINE_IS		"a line is ADDRESS/LENGTH KEY EXPIRES, as 'lease dump' writes it"

static void show_device(const struct vpn_device *dev)
{
	const struct vpn_lease *lease;

	for (lease = dev->leases.first; lease; lease = lease->next) {
		out_object(NULL);
		field_ifname(dev);
		field_lease(lease);
		out_object_end();
	}
}

static int lease_show(int argc, char *argv[])
{
	int status;

	if (argc > 2)
		return complain_usage("lease", "'%s' is one argument too many", argv[2]);
	out_begin(want_json ? OUT_JSON : OUT_LINE);
	out_array(NULL);
	status = devices_each(argv[1], vpn_device_get_leases, show_device);
	out_array_end();
	if (want_json)
		out_end_line();
	return status;
}

/* The leases that the peers of that name hold. */
static bool add_by_name(const struct vpn_device *dev, const char *name, struct vpn_leases *leases)
{
	const struct vpn_lease *lease, *found = NULL;
	struct vpn_lease *added;
	struct nearest nearest;

	nearest_begin(&nearest, name);
	for (lease = dev->leases.first; lease; lease = lease->next) {
		nearest_try(&nearest, lease->name);
		if (!*name || strcmp(lease->name, name))
			continue;
		if (found && memcmp(found->public_key, lease->public_key, VPN_KEY_LEN))
			return complain(NULL,
					"'%s' is the name of several peers of %s; give the key",
					name, dev->ifname);
		if (found)
			continue;
		found = lease;
		added = vpn_leases_add(leases);
		if (!added)
			return complain(NULL, "%s", strerror(errno));
		memcpy(added->public_key, lease->public_key, VPN_KEY_LEN);
		added->has_key = true;
	}
	return found || complain(NULL,
				 "'%s' is no key, no address, and no name of a peer of %s with a lease%s",
				 name, dev->ifname, nearest_hint(&nearest));
}

/* dev is read when the first name comes. */
static bool add_target(const char *ifname, const char *word, struct vpn_device **dev,
		       struct vpn_leases *leases)
{
	struct vpn_address address;
	uint8_t key[VPN_KEY_LEN];
	struct vpn_lease *lease;
	struct vpn_error err;
	bool keyed = is_key(word, key);

	if (!keyed && !vpn_address_parse(&address, word)) {
		if (!*dev && vpn_device_get_leases(ifname, dev, &err))
			return !complain_error(&err);
		return add_by_name(*dev, word, leases);
	}
	lease = vpn_leases_add(leases);
	if (!lease)
		return complain(NULL, "%s", strerror(errno));
	lease->has_key = keyed;
	if (keyed)
		memcpy(lease->public_key, key, VPN_KEY_LEN);
	else
		lease->address = address;
	return true;
}

static int lease_release(int argc, char *argv[])
{
	struct vpn_leases leases = { NULL, NULL };
	struct vpn_device *dev = NULL;
	struct vpn_error err;
	bool good = true;
	char **word;
	int status;

	if (argc < 3)
		return complain_usage("lease",
				      "a device and a key, an address, or a name are needed");
	for (word = argv + 2; *word && good; word++)
		good = add_target(argv[1], *word, &dev, &leases);
	status = good ? report(vpn_lease_release(argv[1], &leases, &err), &err) : STATUS_FAILED;
	vpn_leases_free(&leases);
	vpn_device_free(dev);
	return status;
}

static void print_lease(const struct vpn_lease *lease)
{
	char address[VPN_PREFIX_TEXT], key[VPN_KEY_BASE64_LEN + 1], moment[MOMENT_TEXT];

	vpn_address_format(&lease->address, address);
	vpn_key_to_base64(lease->public_key, key);
	moment_format(lease->expires, moment);
	printf("%s %s %s", address, key, moment);
	if (*lease->name && text_is_name(lease->name))
		printf(" # %s", lease->name);
	putchar('\n');
}

static int lease_dump(int argc, char *argv[])
{
	const struct vpn_lease *lease;
	struct vpn_device *dev;
	struct vpn_error err;
	char now[MOMENT_TEXT];

	if (argc != 2)
		return complain_usage("lease", "one device is needed");
	if (vpn_device_get_leases(argv[1], &dev, &err))
		return complain_error(&err);
	moment_format(time(NULL) * NSEC_PER_SEC, now);
	printf("# Leases of %s at %s; to be read by 'vpnctl lease restore'\n", argv[1], now);
	for (lease = dev->leases.first; lease; lease = lease->next)
		print_lease(lease);
	vpn_device_free(dev);
	return 0;
}

/* What has been read of a file. */
struct reader {
	struct origin at;
	struct vpn_leases leases;
	void *addresses;		/* a tree, to see what comes twice */
};

static int compare_addresses(const void *a, const void *b)
{
	const struct vpn_lease *first = a, *second = b;
	struct vpn_address one = first->address, two = second->address;

	/* One address is one lease, whatever length is behind it. */
	one.prefix_len = 0;
	two.prefix_len = 0;
	return vpn_address_compare(&one, &two);
}

static void keep(void *node)
{
	(void)node;
}

static bool once(struct reader *r, struct vpn_lease *lease, const char *address)
{
	struct vpn_lease **found = tsearch(lease, &r->addresses, compare_addresses);

	if (!found)
		return complain(&r->at, "%s", strerror(errno));
	return *found == lease ||
	       complain(&r->at, "'%s' is given twice; an address has one holder", address);
}

static bool read_words(struct reader *r, const char *address, const char *key,
		       const char *expires)
{
	struct vpn_lease *lease = vpn_leases_add(&r->leases);

	if (!lease)
		return complain(&r->at, "%s", strerror(errno));
	if (!vpn_address_parse(&lease->address, address))
		return complain(&r->at,
				"'%s' is not an address; it is ADDRESS/LENGTH, as in 10.8.0.2/24",
				address);
	lease->has_key = true;
	return parse_public_key(&r->at, key, lease->public_key) &&
	       parse_moment(&r->at, expires, &lease->expires) && once(r, lease, address);
}

static bool read_line(struct reader *r, char *line, size_t len)
{
	char *words[4] = { NULL }, *rest = NULL;
	unsigned int count = 0;

	r->at.line++;
	if (strlen(line) != len)
		return complain(&r->at, "a zero octet: this is not a text file");
	line[strcspn(line, "#")] = '\0';
	while (count < 4 && (words[count] = strtok_r(count ? NULL : line, " \t\r\n", &rest)))
		count++;
	if (!count)
		return true;
	if (count != 3)
		return complain(&r->at, "has %s three words; " LINE_IS,
				count < 3 ? "fewer than" : "more than");
	return read_words(r, words[0], words[1], words[2]);
}

static bool read_lines(struct reader *r, FILE *file)
{
	char *line = NULL;
	bool good = true;
	size_t size = 0;
	ssize_t len;

	while (good && (len = getline(&line, &size, file)) >= 0)
		good = read_line(r, line, len);
	free(line);
	if (good && ferror(file))
		good = complain(NULL, "'%s' cannot be read: %s", r->at.file, strerror(errno));
	return good;
}

static bool read_file(struct reader *r)
{
	FILE *file = fopen(r->at.file, "re");
	bool good;

	if (!file)
		return complain(NULL, "'%s' cannot be opened: %s", r->at.file, strerror(errno));
	good = read_lines(r, file);
	fclose(file);
	tdestroy(r->addresses, keep);
	return good;
}

static int lease_restore(int argc, char *argv[])
{
	struct reader r = { 0 };
	struct vpn_error err;
	int status = STATUS_FAILED;

	if (argc != 3)
		return complain_usage("lease", "a device and a file are needed");
	r.at.file = argv[2];
	if (read_file(&r))
		status = r.leases.first ?
			 report(vpn_lease_restore(argv[1], &r.leases, &err), &err) : 0;
	vpn_leases_free(&r.leases);
	return status;
}

int cmd_lease(int argc, char *argv[])
{
	static const struct verb verbs[] = {
		{ "show", lease_show }, { "release", lease_release }, { "dump", lease_dump },
		{ "restore", lease_restore }, { NULL, NULL },
	};

	return verb_run(verbs, argc, argv);
}
