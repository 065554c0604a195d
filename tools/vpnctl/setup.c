// SPDX-License-Identifier: GPL-2.0
/* 'vpnctl setup': from a host with the packages to a running server, and back. */
#include "setup.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libvpn/socket.h"
#include "command.h"
#include "complain.h"
#include "options.h"

static const struct setup_kind *const kinds[] = {
	&setup_folder, &setup_authority, &setup_key, &setup_public, &setup_certificate,
	&setup_file, &setup_leases, &setup_ufw, &setup_firewalld, &setup_enabled, &setup_started,
};

const struct setup_kind *setup_kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	}
	return NULL;
}

static void describe(char sign, const struct setup_kind *kind, const char *what)
{
	printf("%c %s %s\n", sign, kind->name, kind->path ? kind->path : what);
	fflush(stdout);
}

bool setup_make(struct setup *s, const struct setup_kind *kind, const char *what)
{
	if (kind->is_there(s, what))
		return true;
	describe('+', kind, what);
	if (!setup_record_find(&s->record, kind, what) &&
	    !setup_record_add(&s->record, kind, what))
		return false;
	return kind->make(s, what);
}

/*
 * Back
 */

static bool undo_all(struct setup *s)
{
	const struct setup_entry *entry;
	bool good = true;

	for (entry = s->record.last; entry; entry = entry->prev) {
		describe('-', entry->kind, entry->what);
		good &= entry->kind->undo(s, entry->what);
	}
	if (good)
		setup_record_remove(&s->record);
	return good;
}

static int take_back(struct setup *s)
{
	if (!setup_record_exists()) {
		puts("there is nothing to undo: 'vpnctl setup' has not set this host up");
		return 0;
	}
	if (!setup_record_open(&s->record, false))
		return STATUS_FAILED;
	if (!undo_all(s))
		return !complain(NULL,
				 "not all could be undone; when the cause is gone, 'vpnctl setup --undo' goes on");
	if (*s->record.kept)
		printf("kept: %s; it has secret keys, so remove it when they are not needed\n",
		       s->record.kept);
	return 0;
}

/* Of what never ran nothing is worth keeping. */
static int give_up(struct setup *s)
{
	s->purge = true;
	if (undo_all(s))
		complain(NULL, "so this host is as it was before");
	else
		complain(NULL, "'vpnctl setup --undo' takes back what is left");
	return STATUS_FAILED;
}

/*
 * There
 */

static bool make_folders(struct setup *s)
{
	return setup_make(s, &setup_folder, SETUP_FOLDER) &&
	       setup_make(s, &setup_folder, "/var/log/vpn") &&
	       setup_make(s, &setup_folder, "/run/vpn");
}

static bool make_credentials(struct setup *s)
{
	char certificate[PATH_MAX];

	return setup_make(s, &setup_authority, SETUP_PKI) &&
	       setup_make(s, &setup_key, SETUP_KEY) &&
	       setup_make(s, &setup_public, SETUP_PUBLIC) &&
	       setup_certificate_path(s, certificate) &&
	       setup_make(s, &setup_certificate, certificate);
}

static bool make_file(struct setup *s)
{
	char digest[SETUP_DIGEST];

	s->file = setup_compose(s, digest);
	return s->file && setup_make(s, &setup_file, digest);
}

static bool make_leases(struct setup *s)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/server.leases", setup_state());
	return setup_record_find(&s->record, &setup_leases, path) ||
	       setup_make(s, &setup_leases, path);
}

static bool make_all(struct setup *s)
{
	return make_folders(s) && make_credentials(s) && make_file(s) && setup_firewalls(s) &&
	       make_leases(s) && setup_make(s, &setup_enabled, SETUP_UNIT) &&
	       setup_make(s, &setup_started, SETUP_UNIT) && setup_record_done(&s->record);
}

static bool check_module(void)
{
	struct vpn_socket sock;
	struct vpn_error err;

	if (vpn_socket_open_family(&sock, &err))
		return complain(NULL, "%s; the package vpn-dkms has it", err.text);
	vpn_socket_close(&sock);
	return true;
}

/* What is in the way is found before anything is changed. */
static bool check_host(void)
{
	if (!access(SETUP_FILE, F_OK))
		return complain(NULL,
				"'%s' is there already, and is not overwritten; 'systemctl enable --now %s' runs it, or move it away",
				SETUP_FILE, SETUP_UNIT);
	if (!access(SETUP_PKI, F_OK) && access(SETUP_PKI "/ca.key", F_OK))
		return complain(NULL,
				"'%s' is there, but has no CA's key in it; move it away, and setup makes a CA",
				SETUP_PKI);
	if (if_nametoindex(SETUP_LINK))
		return complain(NULL,
				"there is a device '%s' already, which would be the server's; 'ip link del %s' removes it",
				SETUP_LINK, SETUP_LINK);
	return setup_unit_check() && check_module();
}

static bool is_same(const char *word, const char *given, const char *before)
{
	return !*given || !strcmp(given, before) ||
	       complain(NULL,
			"%s '%s': this host has been set up with '%s'; change %s, or begin anew after 'vpnctl setup --undo'",
			word, given, before, SETUP_FILE);
}

/* The answers of a run before this one hold, whether it came to its end or not. */
static bool are_same(const struct setup_answers *given, const struct setup_answers *before)
{
	return is_same("--host", given->host, before->host) &&
	       is_same("--port", given->port, before->port) &&
	       is_same("--network", given->network, before->network);
}

/* Nothing is changed before the questions are answered. */
static bool begin(struct setup *s, struct setup_answers *given, bool yes)
{
	bool again = setup_record_exists();

	if (again && !setup_record_open(&s->record, false))
		return false;
	if (s->record.has_answers)
		return are_same(given, &s->record.answers);
	if (!check_host() || !setup_ask(given, yes) ||
	    (!again && !setup_record_open(&s->record, true)))
		return false;
	if (setup_record_answers(&s->record, given))
		return true;
	setup_record_remove(&s->record);
	return false;
}

/* Firewalls that nobody here has told, or names that are not answered, are for the doctor. */
static void examine(void)
{
	const char *const argv[] = { "/proc/self/exe", "doctor", SETUP_FILE, NULL };
	char output[SETUP_TEXT];

	if (setup_run(argv, output, sizeof(output)) > 0)
		printf("\n'vpnctl doctor' has found what clients may suffer from:\n\n%s\n",
		       output);
}

static void print_next(const struct setup_answers *answers)
{
	bool six = strchr(answers->host, ':');
	char server[280];

	snprintf(server, sizeof(server), "%s%s%s:%s", six ? "[" : "", answers->host,
		 six ? "]" : "", answers->port);
	printf("\nThe server runs. For a first client, here:\n\n"
	       "  (umask 077; vpnctl profile laptop --server %s >laptop.toml)\n\n"
	       "and there, with that file:\n\n"
	       "  vpnctl up laptop.toml\n\n"
	       "As a QR code:\n\n"
	       "  vpnctl profile phone --server %s --qr\n\n"
	       "'vpnctl setup --undo' takes all of it back.\n", server, server);
}

static int set_up(struct setup *s, struct setup_answers *given, bool yes)
{
	if (!begin(s, given, yes))
		return STATUS_FAILED;
	s->answers = &s->record.answers;
	if (!make_all(s))
		return s->record.done ? STATUS_FAILED : give_up(s);
	examine();
	print_next(s->answers);
	return 0;
}

static bool take_answer(const char *word, const char *value, char *answer, size_t size)
{
	if (!value)
		return true;
	if (!*value || strlen(value) >= size)
		return complain(NULL, "%s needs a value, of less than %zu characters", word, size);
	strcpy(answer, value);
	return true;
}

static int run_as_root(struct setup *s, struct setup_answers *given, bool back, bool yes)
{
	int status;

	if (geteuid())
		return !complain(NULL, "'setup' changes this host: run it as root");
	s->record.fd = -1;
	status = back ? take_back(s) : set_up(s, given, yes);
	setup_record_close(&s->record);
	free(s->file);
	return status;
}

int cmd_setup(int argc, char *argv[])
{
	const char *host = NULL, *port = NULL, *network = NULL;
	struct setup_answers given = { .host = "" };
	bool yes = false, back = false;
	struct setup s = { .file = NULL };
	const struct option_of options[] = {
		{ "--host", .value = &host }, { "--port", .value = &port },
		{ "--network", .value = &network }, { "--yes", .flag = &yes },
		{ "--undo", .flag = &back }, { "--purge", .flag = &s.purge }, { }
	};

	argc = options_take("setup", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc > 1)
		return complain_usage("setup", "'%s' is one argument too many", argv[1]);
	if (s.purge && !back)
		return complain_usage("setup", "'--purge' is for '--undo'");
	if (back && (host || port || network || yes))
		return complain_usage("setup", "'--undo' takes '--purge' and nothing else");
	if (!take_answer("--host", host, given.host, sizeof(given.host)) ||
	    !take_answer("--port", port, given.port, sizeof(given.port)) ||
	    !take_answer("--network", network, given.network, sizeof(given.network)))
		return STATUS_FAILED;
	return run_as_root(&s, &given, back, yes);
}
