// SPDX-License-Identifier: GPL-2.0
#include <linux/vpn.h>
#include <string.h>

#include "../libvpn/command.h"
#include "../libvpn/names.h"
#include "../libvpn/nearest.h"
#include "../libvpn/text.h"
#include "command.h"
#include "complain.h"
#include "devices.h"
#include "parse.h"

#define REASONS \
	"unauthorised, expired, revoked, not-yet-valid, pool-exhausted, server-full, cipher-not-allowed, address-not-available, and version-not-supported"

static bool parse_reason(const char *word, uint32_t *reason)
{
	struct nearest nearest;
	size_t i;

	if (vpn_name_find(&vpn_reject_reasons, word, reason))
		return true;
	nearest_begin(&nearest, word);
	for (i = 0; i < vpn_reject_reasons.count; i++) {
		if (vpn_reject_reasons.words[i])
			nearest_try(&nearest, vpn_reject_reasons.words[i]);
	}
	if (nearest.best)
		return complain(NULL, "'%s' is not a reason%s", word, nearest_hint(&nearest));
	return complain(NULL, "'%s' is not a reason; there are " REASONS, word);
}

static bool check_text(const char *text)
{
	const char *c;
	size_t step;

	if (strlen(text) > VPN_REASON_TEXT_MAX)
		return complain(NULL, "the text has %zu octets; a refusal carries at most %u",
				strlen(text), VPN_REASON_TEXT_MAX);
	for (c = text; *c; c += step) {
		step = text_printable(c);
		if (!step)
			return complain(NULL,
					"the text is not UTF-8 without control characters; a refusal carries nothing else");
	}
	return true;
}

int cmd_reject(int argc, char *argv[])
{
	const struct origin at = { .word = "reject" };
	uint8_t key[VPN_KEY_LEN];
	struct vpn_error err;
	uint32_t reason;

	if (argc < 4)
		return complain_usage("reject", "a device, a key and a reason are needed");
	if (argc > 5)
		return complain_usage("reject", "'%s' is one argument too many; quote the text",
				      argv[5]);
	if (!parse_public_key(&at, argv[2], key) || !parse_reason(argv[3], &reason) ||
	    (argv[4] && !check_text(argv[4])))
		return STATUS_FAILED;
	return report(vpn_peer_reject(argv[1], key, reason, argv[4], &err), &err);
}
