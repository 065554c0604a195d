// SPDX-License-Identifier: GPL-2.0
#include "names.h"

#include <libmnl/libmnl.h>
#include <linux/vpn.h>
#include <string.h>

static const char *const ciphers[] = {
	[VPN_CIPHER_CHACHA20_POLY1305]		= "chacha20-poly1305",
	[VPN_CIPHER_AES_256_GCM]		= "aes-256-gcm",
	[VPN_CIPHER_ANY]			= "any",
};

static const char *const address_modes[] = {
	[VPN_ADDRESS_MODE_NONE]			= "none",
	[VPN_ADDRESS_MODE_AUTO]			= "auto",
	[VPN_ADDRESS_MODE_LEASE]		= "lease",
	[VPN_ADDRESS_MODE_REQUEST]		= "request",
};

static const char *const credential_kinds[] = {
	[VPN_CREDENTIAL_KIND_X509]		= "x509",
	[VPN_CREDENTIAL_KIND_JWT]		= "jwt",
};

static const char *const reject_reasons[] = {
	[VPN_REJECT_REASON_UNAUTHORISED]	= "unauthorised",
	[VPN_REJECT_REASON_EXPIRED]		= "expired",
	[VPN_REJECT_REASON_REVOKED]		= "revoked",
	[VPN_REJECT_REASON_NOT_YET_VALID]	= "not-yet-valid",
	[VPN_REJECT_REASON_POOL_EXHAUSTED]	= "pool-exhausted",
	[VPN_REJECT_REASON_SERVER_FULL]		= "server-full",
	[VPN_REJECT_REASON_CIPHER_NOT_ALLOWED]	= "cipher-not-allowed",
	[VPN_REJECT_REASON_ADDRESS_NOT_AVAILABLE] = "address-not-available",
	[VPN_REJECT_REASON_VERSION_NOT_SUPPORTED] = "version-not-supported",
};

static const char *const disconnect_reasons[] = {
	[VPN_DISCONNECT_REASON_LINK_DOWN]	= "link-down",
	[VPN_DISCONNECT_REASON_PEER_REMOVED]	= "peer-removed",
	[VPN_DISCONNECT_REASON_EXPIRED]		= "expired",
};

const struct vpn_names vpn_ciphers = { ciphers, MNL_ARRAY_SIZE(ciphers) };
const struct vpn_names vpn_address_modes = { address_modes, MNL_ARRAY_SIZE(address_modes) };

const struct vpn_names vpn_credential_kinds = {
	credential_kinds, MNL_ARRAY_SIZE(credential_kinds)
};

const struct vpn_names vpn_reject_reasons = { reject_reasons, MNL_ARRAY_SIZE(reject_reasons) };

const struct vpn_names vpn_disconnect_reasons = {
	disconnect_reasons, MNL_ARRAY_SIZE(disconnect_reasons)
};

const char *vpn_name_of(const struct vpn_names *names, uint32_t number)
{
	return number < names->count && names->words[number] ? names->words[number] : "unknown";
}

bool vpn_name_find(const struct vpn_names *names, const char *word, uint32_t *number)
{
	size_t i;

	for (i = 0; i < names->count; i++) {
		if (!names->words[i] || strcmp(names->words[i], word))
			continue;
		*number = i;
		return true;
	}
	return false;
}
