// SPDX-License-Identifier: GPL-2.0
#include "qr.h"

#include <stddef.h>

#include "complain.h"

#ifdef HAVE_QRENCODE

#include <errno.h>
#include <qrencode.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Light modules around the code, by which it is found. */
#define MARGIN		4
/* White on black, whatever the terminal's colours are. */
#define COLOURS		"\033[1;37;40m"
#define RESET		"\033[0m"

static bool is_light(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return true;
	return !(code->data[y * code->width + x] & 1);
}

/* Two rows of modules are one line of characters. */
static void print_line(const QRcode *code, int y, bool colours)
{
	static const char *const blocks[] = { " ", "\u2584", "\u2580", "\u2588" };
	int x;

	if (colours)
		fputs(COLOURS, stdout);
	for (x = -MARGIN; x < code->width + MARGIN; x++)
		fputs(blocks[is_light(code, x, y) * 2 + is_light(code, x, y + 1)], stdout);
	fputs(colours ? RESET "\n" : "\n", stdout);
}

int qr_print(const char *text)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	bool colours = isatty(STDOUT_FILENO);
	int y;

	if (!code)
		return !complain(NULL,
				 "a QR code of %zu octets cannot be made: %s; fewer addresses and routes make it shorter",
				 strlen(text), strerror(errno));
	for (y = -MARGIN; y < code->width + MARGIN; y += 2)
		print_line(code, y, colours);
	explicit_bzero(code->data, code->width * code->width);
	QRcode_free(code);
	return 0;
}

#else

int qr_print(const char *text)
{
	(void)text;
	return !complain(NULL,
			 "this vpnctl was compiled without libqrencode; 'vpnctl export ... | qrencode -t ansiutf8' does the same");
}

#endif
