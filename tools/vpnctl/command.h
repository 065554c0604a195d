/* SPDX-License-Identifier: GPL-2.0 */
/* The subcommands: one file each. */
#ifndef VPNCTL_COMMAND_H
#define VPNCTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct command {
	const char *name;
	/* argv[0] is the command's name; returns the exit status. */
	int (*run)(int argc, char *argv[]);
	const char *synopsis;
	const char *summary;
};

extern const struct command commands[];		/* ends with a NULL name */
const struct command *command_find(const char *name);

/* -j or --json was given. */
extern bool want_json;

/* A word behind a command that chooses what it does. */
struct verb {
	const char *name;
	/* argv[0] is the verb; returns the exit status. */
	int (*run)(int argc, char *argv[]);
};

/* Run the verb that argv[1] names; verbs end with a NULL name. */
int verb_run(const struct verb *verbs, int argc, char *argv[]);

int cmd_addconf(int argc, char *argv[]);
int cmd_apply(int argc, char *argv[]);
int cmd_ask(int argc, char *argv[]);
int cmd_check(int argc, char *argv[]);
int cmd_complete(int argc, char *argv[]);
int cmd_doctor(int argc, char *argv[]);
int cmd_export(int argc, char *argv[]);
int cmd_genkey(int argc, char *argv[]);
int cmd_genpsk(int argc, char *argv[]);
int cmd_help(int argc, char *argv[]);
int cmd_import(int argc, char *argv[]);
int cmd_lease(int argc, char *argv[]);
int cmd_monitor(int argc, char *argv[]);
int cmd_ping(int argc, char *argv[]);
int cmd_pki(int argc, char *argv[]);
int cmd_pool(int argc, char *argv[]);
int cmd_profile(int argc, char *argv[]);
int cmd_pubkey(int argc, char *argv[]);
int cmd_reject(int argc, char *argv[]);
int cmd_set(int argc, char *argv[]);
int cmd_setconf(int argc, char *argv[]);
int cmd_setup(int argc, char *argv[]);
int cmd_show(int argc, char *argv[]);
int cmd_showconf(int argc, char *argv[]);
int cmd_syncconf(int argc, char *argv[]);
int cmd_token(int argc, char *argv[]);
int cmd_up(int argc, char *argv[]);
int cmd_version(int argc, char *argv[]);

#endif
