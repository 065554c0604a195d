/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A server in one command, and its end. What it takes is a list of steps; each is in
 * a record on disk before it is made, so that whatever interrupts it, the next run
 * knows what there is to go on with, or to take back.
 */
#ifndef VPNCTL_SETUP_H
#define VPNCTL_SETUP_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETUP_FOLDER	"/etc/vpn"
#define SETUP_FILE	SETUP_FOLDER "/server.toml"
#define SETUP_KEY	SETUP_FOLDER "/server.key"
#define SETUP_PUBLIC	SETUP_FOLDER "/server.pub"
#define SETUP_PKI	SETUP_FOLDER "/pki"
#define SETUP_UNIT	"vpn@server"
#define SETUP_LINK	"vpn0"

#define SETUP_TEXT	2048
#define SETUP_DIGEST	65

/* What was asked, or given by options. */
struct setup_answers {
	char host[256];			/* where clients find the server */
	char port[6];
	char network[64];
};

struct setup_kind;

/* A line of the record: something that was about to be made. */
struct setup_entry {
	struct setup_entry *next, *prev;
	const struct setup_kind *kind;
	char *what;
};

struct setup_record {
	int fd;
	char path[PATH_MAX];
	struct setup_answers answers;
	bool has_answers, done;
	char kept[PATH_MAX];		/* where an undo moves things; empty: not known yet */
	struct setup_entry *first, *last;
};

struct setup {
	struct setup_record record;
	const struct setup_answers *answers;
	char *file;			/* what the server is told */
	bool purge;			/* an undo keeps no keys */
};

/* How one sort of things is recognised, made, and undone. All three complain by themselves. */
struct setup_kind {
	const char *name;
	const char *path;		/* what it is about, if the record tells something else */
	/* Is it there? Then it is nobody's business, or, with an entry, made already. */
	bool (*is_there)(const struct setup *s, const char *what);
	bool (*make)(struct setup *s, const char *what);
	/* No error if there is nothing to undo, or somebody else has changed it. */
	bool (*undo)(struct setup *s, const char *what);
};

/* setup_record.c */
/* False after a complaint. make: there may be none yet. */
bool setup_record_open(struct setup_record *record, bool make);
bool setup_record_answers(struct setup_record *record, const struct setup_answers *answers);
bool setup_record_add(struct setup_record *record, const struct setup_kind *kind,
		      const char *what);
bool setup_record_kept(struct setup_record *record, const char *folder);
bool setup_record_done(const struct setup_record *record);
/* Nothing is to be undone any more. */
void setup_record_remove(const struct setup_record *record);
void setup_record_close(struct setup_record *record);
bool setup_record_exists(void);
const struct setup_entry *setup_record_find(const struct setup_record *record,
					    const struct setup_kind *kind, const char *what);
/* The folder of state. */
const char *setup_state(void);

/* setup_ask.c */
/* Fill in what is not given; asks nothing if yes. False after a complaint. */
bool setup_ask(struct setup_answers *answers, bool yes);

/* setup_steps.c, setup_firewall.c, setup_unit.c */
extern const struct setup_kind setup_folder, setup_authority, setup_key, setup_public,
	setup_certificate, setup_file, setup_leases, setup_ufw, setup_firewalld, setup_enabled,
	setup_started;
const struct setup_kind *setup_kind_find(const char *name);
/* The certificate's path: the first that nobody has. */
bool setup_certificate_path(const struct setup *s, char path[PATH_MAX]);
/* The text of the server's file, to free, and its digest, which the record has. */
char *setup_compose(const struct setup *s, char digest[SETUP_DIGEST]);
/* Make it unless it is there. False after a complaint. */
bool setup_make(struct setup *s, const struct setup_kind *kind, const char *what);
/* Those firewalls that run are told of the port and of the device. */
bool setup_firewalls(struct setup *s);
bool setup_firewalld_is_active(void);
/* systemd and the unit are there. False after a complaint. */
bool setup_unit_check(void);

/* setup_run.c */
/*
 * Run a program, with what it prints in output, cut to its size and without a line's
 * end. Its exit status; -1: it is not there, or was ended.
 */
int setup_run(const char *const argv[], char *output, size_t size);

#endif
