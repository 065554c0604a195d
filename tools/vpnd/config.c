// SPDX-License-Identifier: GPL-2.0
/* From the text of a file to struct config, by the table in schema.c. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "../libvpn/nearest.h"

#define CLIENT_CERTIFICATE "/etc/vpn/client.crt"
/* Larger ones are no configuration. */
#define FILE_MAX	(4 << 20)

struct reader {
	struct config *config;
	struct config_fault faults;
};

void config_complain(struct config_fault *faults, const struct toml_place *at,
		     const char *format, ...)
{
	va_list args;

	faults->count++;
	fprintf(faults->to, "%s:", faults->file);
	if (at && at->line)
		fprintf(faults->to, "%u:%u:", at->line, at->column);
	fputc(' ', faults->to);
	va_start(args, format);
	vfprintf(faults->to, format, args);
	va_end(args);
	fputc('\n', faults->to);
}

bool config_is_list(const char *section)
{
	return !strcmp(section, "peer") || !strcmp(section, "role");
}

static bool is_listed(const struct config_key *key)
{
	return config_is_list(key->section);
}

static bool is_given(const struct config *config, const struct config_key *key)
{
	size_t bit = key - config_keys;

	return config->given[bit / 8] & 1 << bit % 8;
}

static void set_given(struct config *config, const struct config_key *key)
{
	size_t bit = key - config_keys;

	config->given[bit / 8] |= 1 << bit % 8;
}

static const struct config_key *find_key(const char *section, const char *name)
{
	const struct config_key *key;

	for (key = config_keys; key->section; key++) {
		if (!strcmp(key->section, section) && !strcmp(key->name, name))
			return key;
	}
	return NULL;
}

bool config_has(const struct config *config, const char *section, const char *name)
{
	const struct config_key *key = find_key(section, name);

	return key && is_given(config, key);
}

static const struct config_section *find_section(const char *name)
{
	const struct config_section *section;

	for (section = config_sections; section->name; section++) {
		if (!strcmp(section->name, name))
			return section;
	}
	return NULL;
}

/* Where in the file a key that does not exist might belong. */
static const char *elsewhere(const char *section, const char *name)
{
	const struct config_key *key;

	for (key = config_keys; key->section; key++) {
		if (!strcmp(key->name, name) && strcmp(key->section, section))
			return key->section;
	}
	return NULL;
}

static void unknown_key(struct reader *r, const char *section, const struct toml_node *node)
{
	const char *other = elsewhere(section, node->key);
	const struct config_key *key;
	struct nearest nearest;

	if (other) {
		config_complain(&r->faults, &node->key_at,
				"'%s' is not a key of [%s]; it belongs to [%s]",
				node->key, section, other);
		return;
	}
	nearest_begin(&nearest, node->key);
	for (key = config_keys; key->section; key++) {
		if (!strcmp(key->section, section))
			nearest_try(&nearest, key->name);
	}
	config_complain(&r->faults, &node->key_at,
			"'%s' is not a key of [%s]%s",
			node->key, section,
			nearest_hint(&nearest));
}

static const char *role_name(enum config_role role)
{
	return role == ROLE_SERVER ? "server" : "client";
}

/* One key of a section; base is struct config, or that of a list. */
static void read_key(struct reader *r, const char *section, const struct toml_node *node,
		     void *base)
{
	const struct config_key *key = find_key(section, node->key);

	if (!key) {
		unknown_key(r, section, node);
		return;
	}
	if (!(key->role & r->config->role)) {
		config_complain(&r->faults, &node->key_at,
				"'%s' of [%s] is for a %s, and this file is a %s's",
				key->name, section, role_name(key->role),
				role_name(r->config->role));
		return;
	}
	if (!is_listed(key))
		set_given(r->config, key);
	value_read(&r->faults, key, node, (char *)base + key->offset);
}

/* What the file leaves out is read from the table's text as if it stood there. */
static void read_fallback(struct reader *r, const struct config_key *key, void *base)
{
	const char *fallback = key->fallback;
	struct toml_node *node = NULL;
	struct toml_error err;
	char text[256];

	if (r->config->role == ROLE_CLIENT && key->fallback_client)
		fallback = key->fallback_client;
	if (!fallback)
		return;
	snprintf(text, sizeof(text), "x = %s", fallback);
	node = toml_parse(text, strlen(text), &err);
	if (node)
		value_read(&r->faults, key, node->first, (char *)base + key->offset);
	toml_free(node);
}

static const struct toml_node *child(const struct toml_node *table, const char *name)
{
	const struct toml_node *node;

	for (node = table ? table->first : NULL; node; node = node->next) {
		if (!strcmp(node->key, name))
			return node;
	}
	return NULL;
}

static void read_section(struct reader *r, const struct toml_node *table)
{
	const struct toml_node *node;

	for (node = table->first; node; node = node->next)
		read_key(r, table->key, node, r->config);
}

/* One table of a list, into where its keys go. */
static void read_listed(struct reader *r, const char *section, const struct toml_node *table,
			void *base)
{
	const struct config_key *key;
	const struct toml_node *node;

	for (node = table->first; node; node = node->next)
		read_key(r, section, node, base);
	for (key = config_keys; key->section; key++) {
		if (strcmp(key->section, section) || child(table, key->name))
			continue;
		if (key->required)
			config_complain(&r->faults, &table->at, "this [[%s]] has no %s", section,
					key->name);
		else
			read_fallback(r, key, base);
	}
}

static void read_peer(struct reader *r, const struct toml_node *table)
{
	struct config_peer *peer = calloc(1, sizeof(*peer));

	if (!peer) {
		config_complain(&r->faults, &table->at, "%s", strerror(errno));
		return;
	}
	peer->at = table->at;
	if (r->config->last_peer)
		r->config->last_peer->next = peer;
	else
		r->config->peers = peer;
	r->config->last_peer = peer;
	read_listed(r, "peer", table, peer);
}

/* What it does not say is as it is for everybody; that may stand further down in the file. */
static void read_policy(struct reader *r, const struct toml_node *table)
{
	struct config_policy *policy = calloc(1, sizeof(*policy));

	if (!policy) {
		config_complain(&r->faults, &table->at, "%s", strerror(errno));
		return;
	}
	policy->at = table->at;
	policy->allow_lan_access = r->config->allow_lan_access;
	policy->client_to_client = r->config->client_to_client;
	if (r->config->last_policy)
		r->config->last_policy->next = policy;
	else
		r->config->policies = policy;
	r->config->last_policy = policy;
	policy->own_routes = child(table, "push_routes");
	read_listed(r, "role", table, policy);
}

static void read_list(struct reader *r, const struct toml_node *array)
{
	const struct toml_node *node = array->type == TOML_ARRAY ? array->first : array;

	for (; node; node = array->type == TOML_ARRAY ? node->next : NULL) {
		if (node->type != TOML_TABLE || array->type != TOML_ARRAY)
			config_complain(&r->faults, &node->at,
					"%ss are written as [[%s]], with two brackets", array->key,
					array->key);
		else if (!strcmp(array->key, "peer"))
			read_peer(r, node);
		else
			read_policy(r, node);
	}
}

static void unknown_section(struct reader *r, const struct toml_node *node)
{
	const struct config_section *section;
	const char *other = elsewhere("", node->key);
	struct nearest nearest;

	if (node->type != TOML_TABLE && other) {
		config_complain(&r->faults, &node->key_at,
				"'%s' stands outside of a section; it belongs to [%s]",
				node->key, other);
		return;
	}
	nearest_begin(&nearest, node->key);
	for (section = config_sections; section->name; section++)
		nearest_try(&nearest, section->name);
	config_complain(&r->faults, &node->key_at, "'%s' is not a section%s", node->key,
			nearest_hint(&nearest));
}

static void read_top(struct reader *r, const struct toml_node *node)
{
	const struct config_section *section = find_section(node->key);

	if (!section)
		unknown_section(r, node);
	else if (!(section->role & r->config->role))
		config_complain(&r->faults, &node->key_at,
				"[%s] is for a %s, and this file is a %s's",
				section->name, role_name(section->role),
				role_name(r->config->role));
	else if (config_is_list(node->key))
		return;
	else if (node->type != TOML_TABLE)
		config_complain(&r->faults, &node->at, "'%s' is a section; it is written as [%s]",
				node->key, node->key);
	else
		read_section(r, node);
}

static bool read_role(struct reader *r, const struct toml_node *root)
{
	const struct toml_node *server = child(root, "server"), *client = child(root, "client");

	if (server && client) {
		config_complain(&r->faults, &client->key_at,
				"a file has [server] or [client], not both; write two files");
		return false;
	}
	r->config->role = server ? ROLE_SERVER : ROLE_CLIENT;
	if (server || client)
		return true;
	/* Say what else is wrong: it may be that word. */
	for (client = root->first; client; client = client->next) {
		if (!find_section(client->key))
			unknown_section(r, client);
	}
	config_complain(&r->faults, NULL, "there is neither [server] nor [client] in it");
	return false;
}

static void read_fallbacks(struct reader *r, const struct toml_node *root)
{
	const struct config_key *key;

	for (key = config_keys; key->section; key++) {
		if (is_listed(key) || !(key->role & r->config->role) || is_given(r->config, key))
			continue;
		if (key->required)
			config_complain(&r->faults, &child(root, key->section)->at,
					"[%s] has no %s",
					key->section, key->name);
		else
			read_fallback(r, key, r->config);
	}
	if (r->config->split_tunnel && !config_has(r->config, "routes", "default_gateway"))
		r->config->default_gateway = false;
}

/* What a client shows that says nothing of credentials, if it is there. */
static void find_certificate(struct reader *r)
{
	struct config *config = r->config;

	if (config->role != ROLE_CLIENT || config->certificate || config->certificate_path ||
	    config->token || config->token_path || access(CLIENT_CERTIFICATE, F_OK))
		return;
	config->certificate_path = strdup(CLIENT_CERTIFICATE);
	if (!config->certificate_path)
		config_complain(&r->faults, NULL, "%s", strerror(ENOMEM));
}

static void read_root(struct reader *r, const struct toml_node *root)
{
	const struct toml_node *node;

	if (!read_role(r, root))
		return;
	for (node = root->first; node; node = node->next)
		read_top(r, node);
	read_fallbacks(r, root);
	find_certificate(r);
	/* Last: what they leave out is what the sections say. */
	for (node = root->first; node; node = node->next) {
		if (config_is_list(node->key) && r->config->role == ROLE_SERVER)
			read_list(r, node);
	}
	if (!r->faults.count)
		config_check(r->config, &r->faults);
}

/* The whole file in memory, to be erased and freed. */
static char *read_text(struct reader *r, const char *path, size_t *len)
{
	char *text = malloc(FILE_MAX + 1);
	FILE *file;

	if (!text) {
		config_complain(&r->faults, NULL, "%s", strerror(errno));
		return NULL;
	}
	file = fopen(path, "re");
	if (file) {
		/* No second copy of what may be keys. */
		setvbuf(file, NULL, _IONBF, 0);
		*len = fread(text, 1, FILE_MAX + 1, file);
	}
	if (!file || ferror(file))
		config_complain(&r->faults, NULL, "cannot be read: %s", strerror(errno));
	else if (*len > FILE_MAX)
		config_complain(&r->faults, NULL, "is larger than %d MiB; this is no configuration",
				FILE_MAX >> 20);
	if (file)
		fclose(file);
	if (!r->faults.count)
		return text;
	free(text);
	return NULL;
}

static bool has_secret(const struct config *config)
{
	const struct config_peer *peer;

	for (peer = config->peers; peer; peer = peer->next) {
		if (peer->preshared_key.given)
			return true;
	}
	return config->private_key.given || config->preshared_key.given || config->token;
}

/* This is no fault: the file is right, and the remedy lies outside of it. */
static void warn_of_readers(const struct reader *r, const char *path)
{
	struct stat st;

	if (has_secret(r->config) && !stat(path, &st) && st.st_mode & 0007)
		fprintf(r->faults.to,
			"%s: warning: it holds a secret key and everybody may read it; 'chmod 600 %s' helps\n",
			path, path);
}

void config_name(char *name, size_t room, const char *path)
{
	const char *base = strrchr(path, '/');
	size_t len;

	base = base ? base + 1 : path;
	len = strlen(base);
	if (len > 5 && !strcmp(base + len - 5, ".toml"))
		len -= 5;
	snprintf(name, room, "%.*s", (int)len, base);
}

char *config_path(const char *path)
{
	char folder[PATH_MAX], *whole;

	if (*path == '/')
		return strdup(path);
	if (!getcwd(folder, sizeof(folder)) || asprintf(&whole, "%s/%s", folder, path) < 0)
		return NULL;
	return whole;
}

struct config *config_read(const char *path, FILE *complaints)
{
	struct reader r = { .faults = { .to = complaints, .file = path } };
	struct toml_node *root = NULL;
	struct toml_error err;
	size_t len = 0;
	char *text;

	r.config = calloc(1, sizeof(*r.config));
	text = r.config ? read_text(&r, path, &len) : NULL;
	if (text) {
		r.config->file = strdup(path);
		config_name(r.config->name, sizeof(r.config->name), path);
		root = toml_parse(text, len, &err);
		if (root)
			read_root(&r, root);
		else
			config_complain(&r.faults, &err.at, "%s", err.text);
		explicit_bzero(text, len);
		free(text);
	}
	toml_free(root);
	if (root && !r.faults.count) {
		warn_of_readers(&r, path);
		return r.config;
	}
	config_free(r.config);
	return NULL;
}

static void free_peer(struct config_peer *peer)
{
	const struct config_key *key;

	for (key = config_keys; key->section; key++) {
		if (!strcmp(key->section, "peer"))
			value_free(key, (char *)peer + key->offset);
	}
	vpn_addresses_free(&peer->addresses);
	free(peer);
}

static void free_policy(struct config_policy *policy)
{
	const struct config_key *key;

	for (key = config_keys; key->section; key++) {
		if (!strcmp(key->section, "role"))
			value_free(key, (char *)policy + key->offset);
	}
	free(policy);
}

const struct config_policy *config_policy_find(const struct config *config, const char *name)
{
	const struct config_policy *policy = config->policies;

	while (policy && strcmp(policy->name, name))
		policy = policy->next;
	return policy;
}

void config_free(struct config *config)
{
	const struct config_key *key;
	struct config_policy *policy;
	struct config_peer *next;

	if (!config)
		return;
	while ((policy = config->policies)) {
		config->policies = policy->next;
		free_policy(policy);
	}
	if (config->token)
		explicit_bzero(config->token, strlen(config->token));
	for (; config->peers; config->peers = next) {
		next = config->peers->next;
		free_peer(config->peers);
	}
	for (key = config_keys; key->section; key++) {
		if (!is_listed(key))
			value_free(key, (char *)config + key->offset);
	}
	free(config->file);
	free(config);
}
