// SPDX-License-Identifier: GPL-2.0
#include "clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "leases.h"
#include "log.h"

/* Later than any date, and still a date. */
#define NEVER	(INT64_C(1) << 33)

struct clock {
	struct daemon *d;
	int fd;
	sd_event_source *source;
};

uint64_t clock_seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return time.tv_sec;
}

static bool arm(int fd)
{
	const struct itimerspec when = { .it_value.tv_sec = NEVER };

	return !timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL);
}

/* The kernel counts leases by a clock that nobody sets, and tells dates as they are now. */
static int on_set(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	const struct clock *clock = data;
	uint64_t count;

	(void)source;
	(void)revents;
	if (read(fd, &count, sizeof(count)) < 0 && errno != ECANCELED)
		return 0;
	arm(fd);
	log_event(LEVEL_INFO, "the clock was set");
	leases_save_all(clock->d->config->ifname, true);
	return 0;
}

void clock_watch(struct daemon *d)
{
	struct clock *clock = calloc(1, sizeof(*clock));

	if (!clock)
		return;
	d->clock = clock;
	clock->d = d;
	clock->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (clock->fd < 0 || !arm(clock->fd) ||
	    sd_event_add_io(d->event, &clock->source, clock->fd, EPOLLIN, on_set, clock) < 0)
		log_event(LEVEL_WARNING, "if the clock is set, that will not be seen");
}

void clock_close(struct daemon *d)
{
	struct clock *clock = d->clock;

	if (!clock)
		return;
	sd_event_source_unref(clock->source);
	if (clock->fd >= 0)
		close(clock->fd);
	free(clock);
	d->clock = NULL;
}
