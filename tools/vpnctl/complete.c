// SPDX-License-Identifier: GPL-2.0
/*
 * What the next word of a command line may be, for shells. It follows from the
 * synopses, so that there is nothing else to be kept up to date.
 */
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "../libvpn/key.h"
#include "command.h"
#include "complain.h"
#include "devices.h"
#include "synopsis.h"

#define CONFIGURATIONS	"/etc/vpn/*.toml"

/* A command line as far as it is written, and what has been found in it. */
struct line {
	const struct command *command;
	struct synopsis synopsis;
	const char *prefix;		/* what there is of the word in question */
	const char *device;		/* the first word that is none of the grammar's */
	int positional;			/* how many such words there are */
	int value;			/* which atom the word is to be a value of, or -1 */
	bool typed[SYNOPSIS_MAX];	/* groups of which there is a word */
	bool said;			/* something was printed */
};

static void offer(struct line *line, const char *word, int len)
{
	if (strncmp(word, line->prefix, strlen(line->prefix)))
		return;
	printf("%.*s\n", len, word);
	line->said = true;
}

static void offer_commands(struct line *line)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		offer(line, command->name, strlen(command->name));
}

static void offer_devices(struct line *line)
{
	struct vpn_link *links, *link;
	struct vpn_error err;

	if (vpn_link_list(&links, &err))
		return;
	for (link = links; link; link = link->next)
		offer(line, link->ifname, strlen(link->ifname));
	vpn_link_free(links);
}

/* Keys or names of a device's peers, if they may be read. */
static void offer_peers(struct line *line, bool names)
{
	char key[VPN_KEY_BASE64_LEN + 1];
	struct vpn_device *dev;
	struct vpn_peer *peer;
	struct vpn_error err;

	if (!line->device || vpn_device_get(line->device, &dev, &err))
		return;
	for (peer = dev->peers; peer; peer = peer->next) {
		vpn_key_to_base64(peer->public_key, key);
		if (!names)
			offer(line, key, strlen(key));
		else if (*peer->name)
			offer(line, peer->name, strlen(peer->name));
	}
	vpn_device_free(dev);
}

/* Names of configurations of vpnd. */
static void offer_configurations(struct line *line)
{
	glob_t files;
	size_t i;

	if (glob(CONFIGURATIONS, 0, NULL, &files))
		return;
	for (i = 0; i < files.gl_pathc; i++) {
		const char *name = strrchr(files.gl_pathv[i], '/') + 1;

		offer(line, name, strlen(name) - strlen(".toml"));
	}
	globfree(&files);
}

static bool is(const char *text, int len, const char *word)
{
	return (size_t)len == strlen(word) && !strncmp(text, word, len);
}

/* What a word in capitals stands for. Shells know themselves which files there are. */
static void offer_meant(struct line *line, const char *text, int len)
{
	if (is(text, len, "FILE") || is(text, len, "FOLDER")) {
		printf("%.*s\n", len, text);
		line->said = true;
	} else if (is(text, len, "COMMAND")) {
		offer_commands(line);
	} else if (is(text, len, "DEVICE")) {
		offer_devices(line);
	} else if (is(text, len, "KEY")) {
		offer_peers(line, false);
	} else if (is(text, len, "NAME") && line->command->run == cmd_ask) {
		offer_configurations(line);
	} else if (is(text, len, "NAME") && line->value < 0) {
		offer_peers(line, true);
	}
}

static void offer_atom(struct line *line, const struct atom *atom)
{
	const char *text = atom->text, *end = text + atom->len, *next;

	for (; text < end; text = next + 1) {
		next = memchr(text, '|', end - text);
		if (!next)
			next = end;
		if (memchr(text, ']', next - text))
			continue;	/* "[+|-]ADDRESS" */
		if (isupper((unsigned char)*text))
			offer_meant(line, text, next - text);
		else if (islower((unsigned char)*text) || *text == '-')
			offer(line, text, next - text);
	}
}

/* The positional words: those that are no literals, and no values of one. */
static void offer_positional(struct line *line)
{
	const struct synopsis *synopsis = &line->synopsis;
	const struct atom *last = NULL;
	int i, n = 0;

	for (i = 0; i < synopsis->count; i++) {
		if (synopsis_value(synopsis, i) > 0) {
			i++;
			continue;
		}
		if (synopsis_literal(&synopsis->atoms[i]))
			continue;
		last = &synopsis->atoms[i];
		if (n++ == line->positional) {
			offer_atom(line, last);
			return;
		}
	}
	/* "FILE..." may be there again. */
	if (last && !strncmp(last->text + last->len, "...", 3))
		offer_atom(line, last);
}

/* "name" is for after "peer KEY"; then what is not for a peer has had its time. */
static bool has_its_time(const struct line *line, const struct atom *atom)
{
	const struct synopsis *synopsis = &line->synopsis;
	int parent = synopsis->parents[atom->group], group;

	if (parent)
		return line->typed[parent];
	for (group = 1; group <= synopsis->groups; group++) {
		if (line->typed[group] && synopsis_nests(synopsis, group))
			return synopsis_nests(synopsis, atom->group);
	}
	return true;
}

static void offer_literals(struct line *line, bool options)
{
	const struct atom *atom = line->synopsis.atoms;
	int i;

	for (i = 0; i < line->synopsis.count; i++, atom++) {
		if (synopsis_literal(atom) && options == (*atom->text == '-') &&
		    has_its_time(line, atom))
			offer_atom(line, atom);
	}
}

static void offer_next(struct line *line)
{
	if (line->value >= 0) {
		offer_atom(line, &line->synopsis.atoms[line->value]);
		return;
	}
	if (*line->prefix != '-') {
		offer_positional(line);
		offer_literals(line, false);
	}
	if (!line->said)
		offer_literals(line, true);
}

static void take_word(struct line *line, const char *word)
{
	int index;

	if (line->value >= 0) {
		line->value = -1;
		return;
	}
	index = synopsis_find(&line->synopsis, word);
	if (index < 0) {
		if (!line->positional++)
			line->device = word;
		return;
	}
	line->typed[line->synopsis.atoms[index].group] = true;
	line->value = synopsis_value(&line->synopsis, index);
}

/* The usage behind this one, or NULL: they are in one text, each in lines of its own. */
static const char *next_usage(const char *usage)
{
	usage = strstr(usage, "\n       vpnctl ");
	if (!usage)
		return NULL;
	usage += strlen("\n       vpnctl ");
	return usage + strcspn(usage, " ") + 1;
}

static bool has_verbs(const struct command *command)
{
	return next_usage(command->synopsis);
}

static void offer_verbs(struct line *line)
{
	const char *usage;

	for (usage = line->command->synopsis; usage; usage = next_usage(usage))
		offer(line, usage, strcspn(usage, "\n "));
}

/* The usage with that verb, without it; NULL if there is none. */
static const char *usage_of_verb(const struct command *command, const char *verb)
{
	const char *usage;

	for (usage = command->synopsis; usage; usage = next_usage(usage)) {
		if (is(usage, strcspn(usage, "\n "), verb))
			return usage + strlen(verb);
	}
	return NULL;
}

/* What is said of each usage at the end: "each with [--dir FOLDER], ...". */
static const char *common_usage(const struct command *command)
{
	const char *common = strstr(command->synopsis, "each with [");

	return common ? common + strlen("each with ") : NULL;
}

static void read_common(struct line *line)
{
	const char *common = common_usage(line->command), *end;
	static char text[128];

	if (!common)
		return;
	end = strchr(common, ']');
	snprintf(text, sizeof(text), "%.*s", (int)(end - common) + 1, common);
	synopsis_read(&line->synopsis, text);
}

static void complete(struct line *line, int argc, char *argv[])
{
	const char *usage = line->command->synopsis;
	int i;

	if (has_verbs(line->command)) {
		if (!argc) {
			offer_verbs(line);
			return;
		}
		usage = usage_of_verb(line->command, argv[0]);
		if (!usage)
			return;
		argc--;
		argv++;
	}
	synopsis_read(&line->synopsis, usage);
	read_common(line);
	for (i = 0; i < argc; i++)
		take_word(line, argv[i]);
	offer_next(line);
}

int cmd_complete(int argc, char *argv[])
{
	struct line line = { .value = -1 };

	if (argc < 3 || strcmp(argv[1], "--"))
		return complain_usage("complete", "'--' and at least one word are needed");
	line.prefix = argv[--argc];
	argc -= 2;
	argv += 2;
	while (argc && (!strcmp(*argv, "-j") || !strcmp(*argv, "--json"))) {
		argc--;
		argv++;
	}
	if (!argc) {
		offer_commands(&line);
		return 0;
	}
	line.command = command_find(*argv);
	if (line.command)
		complete(&line, argc - 1, argv + 1);
	return 0;
}
