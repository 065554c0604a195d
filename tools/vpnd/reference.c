// SPDX-License-Identifier: GPL-2.0
/* The table of keys as Markdown, for Documentation/configuration.md. */
#include <string.h>

#include "../libvpn/names.h"
#include "config.h"

static const char *type_text(const struct config_key *key)
{
	static const char *const types[] = {
		[KEY_BOOL] = "true or false", [KEY_NUMBER] = "number", [KEY_WORD] = "word",
		[KEY_TEXT] = "text", [KEY_SPAN] = "time", [KEY_ENDPOINT] = "HOST:PORT",
		[KEY_ENDPOINTS] = "HOST:PORT, or a list", [KEY_NETWORKS] = "network, or a list",
		[KEY_PREFIXES] = "list of networks", [KEY_ADDRESSES] = "list of addresses",
		[KEY_OWN_ADDRESSES] =
				"address, or two",
				[KEY_RANGES] = "list of addresses or ranges",
		[KEY_TEXTS] = "text, or a list", [KEY_KEY] = "key", [KEY_KEYS] = "key, or a list",
		[KEY_PATH] = "file", [KEY_PATHS] = "file, or a list", [KEY_IFNAME] = "device",
	};

	return types[key->type];
}

static void print_words(FILE *to, const struct config_key *key)
{
	size_t i;

	for (i = 0; i < key->words->count; i++)
		fprintf(to, "%s`\"%s\"`", i ? ", " : "", key->words->words[i]);
}

/* Where the section is for both, and the key is not. */
static const char *whose(const struct config_key *key)
{
	const struct config_section *section = config_sections;

	while (strcmp(section->name, key->section))
		section++;
	if (section->role != ROLE_BOTH || key->role == ROLE_BOTH)
		return "";
	return key->role == ROLE_SERVER ? "Server. " : "Client. ";
}

static void print_key(FILE *to, const struct config_key *key)
{
	fprintf(to, "| `%s` | ", key->name);
	if (key->words)
		print_words(to, key);
	else
		fputs(type_text(key), to);
	if (key->required)
		fputs(" | needed", to);
	else if (key->fallback_client && key->role == ROLE_BOTH)
		fprintf(to, " | `%s`; of a client `%s`", key->fallback, key->fallback_client);
	else if (key->fallback)
		fprintf(to, " | `%s`", key->fallback);
	else
		fputs(" | none", to);
	fprintf(to, " | %s%s |\n", whose(key), key->text);
}

static void print_section(FILE *to, const struct config_section *section)
{
	bool peer = !strcmp(section->name, "peer");
	const struct config_key *key;

	fprintf(to, "\n## %s%s%s\n\n%s%s\n\n", peer ? "[[" : "[", section->name, peer ? "]]" : "]",
		section->role == ROLE_SERVER ? "Only a server. " :
		section->role == ROLE_CLIENT ? "Only a client. " : "", section->text);
	fputs("| key | value | default | |\n|---|---|---|---|\n", to);
	for (key = config_keys; key->section; key++) {
		if (!strcmp(key->section, section->name))
			print_key(to, key);
	}
}

void config_print_reference(FILE *to)
{
	const struct config_section *section;

	for (section = config_sections; section->name; section++)
		print_section(to, section);
}
