// SPDX-License-Identifier: GPL-2.0
/*
 * What is taken for a message, by its first four octets and its length, held
 * against the tables of the two protocol documents. An input is those octets
 * and the length, as 2 octets.
 */

#include <stdio.h>
#include <stdlib.h>

#include "../../module/messages.h"

static const struct {
	u8 version;
	u8 type;
	u16 flags_max;
	unsigned int least, most, step;
} messages[] = {
	{ 0, 1, 0, 148, 148, 1 },
	{ 0, 2, 0, 92, 92, 1 },
	{ 0, 3, 0, 64, 64, 1 },
	{ 1, 1, 1, 1200, 4096, 1 },
	{ 1, 2, 1, 140, 1196, 48 },
	{ 1, 3, 0, 64, 64, 1 },
	{ 0, 4, 0, 32, 65535, 1 },
	{ 1, 4, 1, 32, 65535, 1 },
};

static bool is_message(const u8 *octets, unsigned int len)
{
	u16 flags = (u16)(octets[2] | octets[3] << 8);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(messages); i++)
		if (messages[i].type == octets[0] &&
		    messages[i].version == octets[1])
			return flags <= messages[i].flags_max &&
			       len >= messages[i].least &&
			       len <= messages[i].most &&
			       !((len - messages[i].least) % messages[i].step);
	return false;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct vpn_header header;
	unsigned int len;
	bool taken;

	if (size != 6)
		return -1;
	memcpy(&header, data, sizeof(header));
	len = get_unaligned_be16(data + 4);
	taken = vpn_is_data(&header) ? len >= VPN_DATA_OVERHEAD :
		vpn_is_handshake(&header, len);
	if (taken == is_message(data, len))
		return 0;
	fprintf(stderr, "type %d, version %d, flags %#x, %u octets: %staken\n",
		header.type, header.version, header.flags, len,
		taken ? "" : "not ");
	abort();
}
