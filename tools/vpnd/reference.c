// SPDX-License-Identifier: GPL-2.0
/* The table of keys as Markdown for people, and as the middle of vpn.toml(5). */
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
		[KEY_MARK] = "number", [KEY_LISTEN] = "ADDRESS:PORT",
		[KEY_SLICE] = "NUMBER/COUNT",
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
	bool list = config_is_list(section->name);
	const struct config_key *key;

	fprintf(to, "\n## %s%s%s\n\n%s%s\n\n", list ? "[[" : "[", section->name, list ? "]]" : "]",
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

/* What would be a macro, or a quotation, in a manual page. */
static void put_man(FILE *to, const char *text)
{
	const char *c;

	for (c = text; *c; c++) {
		if (*c == '"')
			fputs("\\(dq", to);
		else if (*c == '\\')
			fputs("\\e", to);
		else
			fputc(*c, to);
		/* Sentences begin on lines of their own. */
		if (*c == '.' && c[1] == ' ' && c[2] >= 'A' && c[2] <= 'Z') {
			fputc('\n', to);
			c++;
		}
	}
	fputc('\n', to);
}

static void put_man_default(FILE *to, const struct config_key *key)
{
	const char *fallback = key->fallback;

	if (key->required) {
		fputs("It is needed.\n", to);
		return;
	}
	if (!fallback)
		return;
	fputs(".br\nDefault: ", to);
	put_man(to, fallback);
	if (key->fallback_client && key->role == ROLE_BOTH) {
		fputs("; of a client: ", to);
		put_man(to, key->fallback_client);
	}
}

static void put_man_type(FILE *to, const struct config_key *key)
{
	size_t i;

	for (i = 0; key->words && i < key->words->count; i++)
		fprintf(to, "%s\\(dq%s\\(dq", i ? " | " : "", key->words->words[i]);
	if (!key->words)
		fputs(type_text(key), to);
	fputc('\n', to);
}

static void put_man_key(FILE *to, const struct config_key *key)
{
	fprintf(to, ".It Cm %s No = ", key->name);
	put_man_type(to, key);
	if (*whose(key))
		fprintf(to, "%.6s only.\n", whose(key));
	put_man(to, key->text);
	put_man_default(to, key);
}

static void put_man_section(FILE *to, const struct config_section *section)
{
	bool list = config_is_list(section->name);
	const struct config_key *key;

	fprintf(to, ".Ss %s%s%s\n", list ? "[[" : "[", section->name, list ? "]]" : "]");
	if (section->role != ROLE_BOTH)
		fprintf(to, "Only of a %s.\n", section->role == ROLE_SERVER ? "server" : "client");
	put_man(to, section->text);
	fputs(".Bl -tag -width Ds\n", to);
	for (key = config_keys; key->section; key++) {
		if (!strcmp(key->section, section->name))
			put_man_key(to, key);
	}
	fputs(".El\n", to);
}

void config_print_man(FILE *to)
{
	const struct config_section *section;

	for (section = config_sections; section->name; section++)
		put_man_section(to, section);
}
