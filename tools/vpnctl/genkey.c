// SPDX-License-Identifier: GPL-2.0
#include "../libvpn/key.h"
#include "command.h"
#include "complain.h"
#include "secret.h"

int cmd_genkey(int argc, char *argv[])
{
	uint8_t key[VPN_KEY_LEN];

	if (argc > 1)
		return complain_usage("genkey", "'%s': no argument is needed", argv[1]);
	if (!vpn_key_private(key))
		return !complain(NULL, "the system gives no random numbers");
	return secret_print(key);
}
