/* SPDX-License-Identifier: GPL-2.0 */
/* The running program: what its rooms share. */
#ifndef VPND_DAEMON_H
#define VPND_DAEMON_H

#include <systemd/sd-event.h>

#include "item.h"
#include "journal.h"

struct client;
struct control;
struct endpoints;
struct door;
struct http;
struct watch;

struct daemon {
	struct config *config;
	struct world world;
	struct journal journal;
	sd_event *event;
	char *run_path, *state_path;	/* folders */
	char *file;			/* the whole name of the configuration */
	int lock;
	int nursery;			/* where others are started from that have no rights */
	bool keep;			/* at the end, leave everything as it is */
	bool failed;			/* not all is as it should be, since it was tried last */
	struct client *client;		/* NULL: this is a server */
	struct control *control;
	struct endpoints *endpoints;	/* NULL: this is a client */
	struct door *door;		/* NULL: this is a client */
	struct http *http;
	struct watch *watch;
	struct clock *clock;		/* NULL: this is a client */
	uint64_t started;		/* seconds since the epoch */
	uint64_t reloads, reloads_failed;
};

/* Run until told to stop; the exit status. ready: a descriptor to be told of the start, or -1. */
int daemon_run(const char *path, int ready);
/* Undo what a run has left; the exit status. */
int daemon_undo(const char *name);

/*
 * Make everything as config and facts say now. Steps are printed to "to", if there
 * is one. Zero, or a negative errno with a sentence in err.
 */
int daemon_apply(struct daemon *d, bool dry, FILE *to, struct vpn_error *err);
/* The same with nobody to tell but the log. */
void daemon_update(struct daemon *d);
/* Was all set up, and is the device there and up? */
bool daemon_is_well(struct daemon *d);
/* Read the file again and apply it; if it cannot be, everything stays as it was. */
int daemon_reload(struct daemon *d, bool dry, FILE *to, struct vpn_error *err);

/* The folders' names, by the environment or as they are by default. To be freed. */
char *daemon_run_folder(void);
char *daemon_state_folder(void);

/* signals.c: SIGTERM, SIGHUP and the like. */
int signals_begin(struct daemon *d);
/* Is systemd about to start us again? */
bool systemd_restarts(void);

#endif
