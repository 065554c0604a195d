// SPDX-License-Identifier: GPL-2.0
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int vpn_error_set(struct vpn_error *err, enum vpn_fault fault, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return -code;
	err->fault = fault;
	err->code = code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -code;
}
