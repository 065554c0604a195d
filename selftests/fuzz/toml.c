// SPDX-License-Identifier: GPL-2.0
/*
 * A configuration file of vpnd, from the text to struct config and its rules: it is
 * read, or there is a complaint.
 */

#define FUZZ_TARGET
#include "tools.h"
#include "target.h"

#include "../../tools/vpnd/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config;
	char *said = NULL;
	FILE *complaints;
	const char *path;
	size_t len;
	int fd;

	path = fuzz_file(data, size, &fd);
	complaints = open_memstream(&said, &len);
	MUST(complaints);
	config = config_read(path, complaints);
	fclose(complaints);
	MUST(config || len);
	config_free(config);
	free(said);
	close(fd);
	return 0;
}
