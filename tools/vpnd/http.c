// SPDX-License-Identifier: GPL-2.0
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "../libvpn/address.h"
#include "metrics.h"

#define CONNECTIONS_MAX	16
#define TIMEOUT_SECONDS	10

struct http {
	struct MHD_Daemon *server;
	sd_event_source *source, *timer;
};

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned int code,
			       const char *type, const char *text, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(strlen(text), (void *)text, mode);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	result = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return result;
}

/* Whoever asks whether we are well is told no more than that. */
static enum MHD_Result respond_health(struct daemon *d, struct MHD_Connection *connection)
{
	static const char well[] = "ok\n", ill[] = "not all is set up; the log says what\n";

	if (daemon_is_well(d))
		return respond(connection, MHD_HTTP_OK, "text/plain", well, MHD_RESPMEM_PERSISTENT);
	return respond(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", ill,
		       MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	static const char nothing[] =
		"Figures are at /metrics, and /healthz says whether all is well.\n";
	const char *text;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", nothing,
			       MHD_RESPMEM_PERSISTENT);
	if (!strcmp(url, "/healthz"))
		return respond_health(data, connection);
	if (strcmp(url, "/metrics"))
		return respond(connection, MHD_HTTP_NOT_FOUND, "text/plain", nothing,
			       MHD_RESPMEM_PERSISTENT);
	text = metrics_text(data);
	if (!text)
		return MHD_NO;
	return respond(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text,
		       MHD_RESPMEM_MUST_FREE);
}

static void serve(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG wait;

	MHD_run(http->server);
	if (MHD_get_timeout(http->server, &wait) == MHD_YES) {
		sd_event_source_set_time_relative(http->timer, wait * 1000);
		sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT);
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)source;
	(void)fd;
	(void)revents;
	serve(data);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	serve(data);
	return 0;
}

static int start(struct daemon *d, struct http *http, union vpn_endpoint *at)
{
	const union MHD_DaemonInfo *info;
	unsigned int flags = MHD_USE_EPOLL;

	if (at->addr.sa_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	http->server = MHD_start_daemon(flags, 0, NULL, NULL, on_request, d, MHD_OPTION_SOCK_ADDR,
					&at->addr, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
					MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_SECONDS,
					MHD_OPTION_END);
	info = http->server ? MHD_get_daemon_info(http->server, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info)
		return errno ? -errno : -EADDRINUSE;
	if (sd_event_add_time_relative(d->event, &http->timer, CLOCK_MONOTONIC, 0, 0, on_timer,
				       http) < 0)
		return -ENOMEM;
	sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	return sd_event_add_io(d->event, &http->source, info->epoll_fd, EPOLLIN, on_io, http);
}

int http_open(struct daemon *d, const char *address, struct vpn_error *err)
{
	char *copy, *host, *port;
	union vpn_endpoint at;
	int ret = -EINVAL;

	if (!*address)
		return 0;
	d->http = calloc(1, sizeof(*d->http));
	copy = strdup(address);
	if (copy && vpn_endpoint_split(copy, &host, &port) &&
	    !vpn_endpoint_resolve(&at, host, port))
		ret = d->http ? start(d, d->http, &at) : -ENOMEM;
	free(copy);
	if (ret >= 0)
		return 0;
	http_close(d);
	return vpn_error_set(err, VPN_FAULT_SYSTEM, -ret, "'%s' cannot be listened at: %s", address,
			     strerror(-ret));
}

void http_close(struct daemon *d)
{
	struct http *http = d->http;

	if (!http)
		return;
	sd_event_source_disable_unref(http->source);
	sd_event_source_disable_unref(http->timer);
	if (http->server)
		MHD_stop_daemon(http->server);
	free(http);
	d->http = NULL;
}
