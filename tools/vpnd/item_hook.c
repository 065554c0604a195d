// SPDX-License-Identifier: GPL-2.0
/* Commands of [hooks]: up as something made, down as its undoing. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook.h"
#include "item.h"
#include "log.h"
#include "process.h"

/* Everything else waits for commands of up and down, but for so many seconds only. */
#define LIMIT	60

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
}

/* In the child. What it prints goes to stderr; it has no input. */
static void run_shell(const struct config *config, const char *command,
		      const struct hook_peer *peer, unsigned int limit)
{
	alarm(limit);
	set("VPN_NAME", config->name);
	set("VPN_DEVICE", config->ifname);
	if (peer) {
		set("VPN_PEER", peer->key);
		set("VPN_PEER_NAME", peer->name);
		set("VPN_ENDPOINT", peer->endpoint);
	}
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Its status, or -1 when it could not be run. limit: seconds; zero: none. */
static int run(const struct config *config, const char *command, const struct hook_peer *peer,
	       unsigned int limit)
{
	/* What is waited for is of no use when nobody waits any more. */
	pid_t pid = process_fork(-1, limit ? SIGTERM : 0);

	if (!pid)
		run_shell(config, command, peer, limit);
	return pid < 0 ? -1 : process_wait(pid);
}

void hook_start(const struct config *config, const struct strings *commands,
		const struct hook_peer *peer)
{
	unsigned int i;
	pid_t pid;

	if (!commands->count)
		return;
	/*
	 * Twice, so that nobody has to wait for the one that runs them; the daemon may
	 * end, and start again, while these go on.
	 */
	pid = process_fork(-1, 0);
	if (!pid) {
		if (fork())
			_exit(0);
		for (i = 0; i < commands->count; i++)
			run(config, commands->list[i], peer, 0);
		_exit(0);
	}
	if (pid > 0)
		process_wait(pid);
}

/* They are run once, and there is nothing to see of it: the journal knows. */
static bool hook_matches(struct world *w, const struct item *item)
{
	(void)w;
	return !json_array_size(json_object_get(item->value, "up")) &&
	       !json_array_size(json_object_get(item->value, "down"));
}

static int hook_make(struct world *w, const struct item *item, struct vpn_error *err)
{
	const json_t *command;
	int status;
	size_t i;

	json_array_foreach(json_object_get(item->value, "up"), i, command) {
		status = run(w->config, json_string_value(command), NULL, LIMIT);
		if (status)
			return vpn_error_set(err, VPN_FAULT_SYSTEM, ECANCELED,
					     "the hook '%s' ended with status %d",
					     json_string_value(command), status);
	}
	return 0;
}

/* There is no more to be done about one that fails. */
static int hook_undo(struct world *w, const struct item *item, const json_t *before,
		     struct vpn_error *err)
{
	const json_t *command;
	int status;
	size_t i;

	(void)before;
	(void)err;
	json_array_foreach(json_object_get(item->value, "down"), i, command) {
		status = run(w->config, json_string_value(command), NULL, LIMIT);
		if (status)
			log_line(LEVEL_WARNING, "the hook '%s' ended with status %d",
				 json_string_value(command), status);
	}
	return 0;
}

const struct item_kind kind_hook = {
	.name =
			"hooks",
			.once = true, .matches = hook_matches, .make = hook_make, .undo = hook_undo,
};
