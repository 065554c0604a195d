// SPDX-License-Identifier: GPL-2.0
#include "secret.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libvpn/key.h"
#include "complain.h"
#include "qr.h"

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

FILE *secret_text_open(char *text, size_t size)
{
	FILE *to = fmemopen(text, size - 1, "w");

	if (!to)
		complain(NULL, "%s", strerror(errno));
	else
		setvbuf(to, NULL, _IONBF, 0);
	return to;
}

int secret_text_print(FILE *to, char *text, size_t size, const char *what, bool qr)
{
	int status = 0;

	if (ferror(to))
		status = !complain(NULL, "the %s is longer than %zu octets", what, size);
	fclose(to);
	if (!status && qr)
		status = qr_print(text);
	else if (!status)
		fputs(text, stdout);
	explicit_bzero(text, size);
	return status;
}
