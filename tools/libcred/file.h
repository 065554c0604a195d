/* SPDX-License-Identifier: GPL-2.0 */
/* Small files, whole. */
#ifndef LIBCRED_FILE_H
#define LIBCRED_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "../libvpn/error.h"

/* More than that is none of what is read here. */
#define CRED_FILE_MAX	(16 << 20)

/*
 * Both return zero, or a negative errno with a sentence in err. What is read has
 * a zero octet behind it, and is to be freed with cred_file_free(), which erases it.
 */
int cred_file_read(const char *path, char **data, size_t *len, struct vpn_error *err);
void cred_file_free(char *data, size_t len);
/* Under another name first, so that there is the whole file or the one before. */
int cred_file_write(const char *path, mode_t mode, const void *data, size_t len,
		    struct vpn_error *err);

#endif
