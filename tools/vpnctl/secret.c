// SPDX-License-Identifier: GPL-2.0
#include "secret.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libvpn/key.h"
#include "complain.h"

void secret_warn_of_readers(void)
{
	struct stat st;

	if (!fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode) && (st.st_mode & 0007))
		warn("a secret key goes to a file for everybody; 'umask 077' before it helps");
}

int secret_print(uint8_t key[VPN_KEY_LEN])
{
	char text[VPN_KEY_BASE64_LEN + 1];

	secret_warn_of_readers();
	vpn_key_to_base64(key, text);
	explicit_bzero(key, VPN_KEY_LEN);
	puts(text);
	explicit_bzero(text, sizeof(text));
	return 0;
}
