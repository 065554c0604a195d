// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../libvpn/key.h"
#include "command.h"
#include "complain.h"
#include "parse.h"

int cmd_pubkey(int argc, char *argv[])
{
	uint8_t private_key[VPN_KEY_LEN], public_key[VPN_KEY_LEN];
	char text[VPN_KEY_BASE64_LEN + 1];
	bool good, empty;

	if (argc > 1)
		return complain_usage("pubkey", "'%s': a private key is read from standard input",
				      argv[1]);
	if (!parse_key_stream(NULL, STDIN_FILENO, "standard input", private_key, &empty))
		return STATUS_FAILED;
	if (empty)
		return !complain(NULL, "standard input is empty; a private key is read from it");
	good = vpn_key_public(public_key, private_key);
	explicit_bzero(private_key, sizeof(private_key));
	if (!good)
		return !complain(NULL, "the crypto library cannot compute X25519");
	vpn_key_to_base64(public_key, text);
	puts(text);
	return 0;
}
