// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"

#define SERVICE		"org.freedesktop.systemd1"
#define MANAGER		"org.freedesktop.systemd1.Manager"

/* The type of the job that our unit has just now: "stop", "restart". To be freed. */
static char *job_type(sd_bus *bus)
{
	sd_bus_message *answer = NULL;
	const char *unit, *job = NULL;
	char *type = NULL;
	uint32_t id = 0;

	if (sd_bus_call_method(bus, SERVICE, "/org/freedesktop/systemd1", MANAGER, "GetUnitByPID",
			       NULL, &answer, "u", (uint32_t)getpid()) < 0 ||
	    sd_bus_message_read(answer, "o", &unit) < 0)
		goto out;
	if (sd_bus_get_property(bus, SERVICE, unit, "org.freedesktop.systemd1.Unit", "Job", NULL,
				&answer, "(uo)") >= 0 &&
	    sd_bus_message_read(answer, "(uo)", &id, &job) > 0 && id)
		sd_bus_get_property_string(bus, SERVICE, job, "org.freedesktop.systemd1.Job",
					   "JobType", NULL, &type);
out:
	sd_bus_message_unref(answer);
	return type;
}

bool systemd_restarts(void)
{
	sd_bus *bus = NULL;
	char *type = NULL;
	bool restarts;

	if (!getenv("INVOCATION_ID") || sd_bus_open_system(&bus) < 0)
		return false;
	type = job_type(bus);
	restarts = type && (!strcmp(type, "restart") || !strcmp(type, "try-restart"));
	free(type);
	sd_bus_flush_close_unref(bus);
	return restarts;
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	struct daemon *d = data;

	(void)source;
	d->keep = info->ssi_signo == SIGUSR1 || systemd_restarts();
	return sd_event_exit(d->event, 0);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	struct vpn_error err = { 0 };

	(void)source;
	(void)info;
	log_reopen();
	daemon_reload(data, false, NULL, &err);
	return 0;
}

int signals_begin(struct daemon *d)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGUSR1 };
	sigset_t set;
	size_t i;
	int ret = 0;

	sigemptyset(&set);
	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sigaddset(&set, ends[i]);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(ends) / sizeof(*ends) && ret >= 0; i++)
		ret = sd_event_add_signal(d->event, NULL, ends[i], on_end, d);
	return ret < 0 ? ret : sd_event_add_signal(d->event, NULL, SIGHUP, on_hangup, d);
}
