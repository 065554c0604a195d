// SPDX-License-Identifier: GPL-2.0
/* One table of nftables, replaced as a whole in one transaction. */
#include <errno.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>

#include "item.h"

/* True: the commands were carried out. Otherwise what nftables says is in err. */
static bool run(const char *commands, struct vpn_error *err)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	bool good = false;
	const char *said;

	if (!nft) {
		vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "nftables cannot be reached");
		return false;
	}
	nft_ctx_buffer_error(nft);
	nft_ctx_buffer_output(nft);
	good = !nft_run_cmd_from_buffer(nft, commands);
	if (!good) {
		said = nft_ctx_get_error_buffer(nft);
		vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL, "nftables refused: %.*s",
			      (int)strcspn(said, "\n"), said);
	}
	nft_ctx_free(nft);
	return good;
}

static bool is_there(const char *table)
{
	struct vpn_error err;
	char command[96];

	snprintf(command, sizeof(command), "list table inet %s", table);
	return run(command, &err);
}

static bool firewall_matches(struct world *w, const struct item *item)
{
	(void)w;
	return is_there(item->key);
}

static int firewall_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	char *commands;
	bool good;

	(void)w;
	/* Adding first, so that deleting is no error. */
	if (asprintf(&commands, "add table inet %s\ndelete table inet %s\ntable inet %s {\n%s}\n",
		     item->key, item->key, item->key, item_text(item, "rules")) < 0)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	good = run(commands, err);
	free(commands);
	return good ? 0 : -err->code;
}

static int firewall_undo(struct world *w, const struct item *item, const json_t *before,
			 struct vpn_error *err)
{
	char command[96];

	(void)w;
	(void)before;
	if (!is_there(item->key))
		return 0;
	snprintf(command, sizeof(command), "delete table inet %s", item->key);
	return run(command, err) ? 0 : -err->code;
}

static void firewall_describe(const struct world *w, const struct item *item, const char *sign,
			      FILE *to)
{
	(void)w;
	fprintf(to, "%s nftables table inet %s\n", sign, item->key);
}

const struct item_kind kind_firewall = {
	.name = "firewall", .by_name = true, .matches = firewall_matches, .make = firewall_make,
	.undo = firewall_undo, .describe = firewall_describe,
};
