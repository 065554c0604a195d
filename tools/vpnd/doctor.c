// SPDX-License-Identifier: GPL-2.0
#include "doctor.h"

#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libvpn/link.h"
#include "ask.h"
#include "daemon.h"
#include "exam.h"
#include "ruleset.h"

/* So many handshakes without an answer are no accident. */
#define UNANSWERED	2

enum { STATUS_FAILED = 1, STATUS_USAGE = 2 };

static const char *const verdicts[] = { "ok", "warn", "FAIL" };

struct visit {
	struct vpn_socket rtnl;
	json_t *ruleset;
	json_t *subjects;	/* what is told of each */
	bool ill;
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

void exam_say(struct subject *s, const char *check, enum verdict verdict, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(s->findings, json_pack("{s:s, s:s, s:s}", "check", check, "verdict",
						     verdicts[verdict], "text", text));
}

void exam_remedy(const struct subject *s, const char *format, ...)
{
	char text[384];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_object_set_new(json_array_get(s->findings, json_array_size(s->findings) - 1),
			    "remedy", json_string(text));
}

bool subject_is_server(const struct subject *s)
{
	return s->config && s->config->role == ROLE_SERVER;
}

bool subject_is_client(const struct subject *s)
{
	return s->config && s->config->role == ROLE_CLIENT;
}

const struct vpn_peer *subject_server(const struct subject *s)
{
	const struct vpn_peer *peer = subject_is_client(s) && s->dev ? s->dev->peers : NULL;

	return peer && peer->has & VPN_PEER_HAS_ENDPOINT ? peer : NULL;
}

bool subject_is_unanswered(const struct subject *s)
{
	const struct vpn_peer *peer = subject_server(s);

	return peer && peer->unanswered >= UNANSWERED;
}

bool subject_has_failed(const struct subject *s, const char *check)
{
	const json_t *finding;
	size_t i;

	json_array_foreach(s->findings, i, finding) {
		if (!strcmp(text_of(finding, "check"), check))
			return !strcmp(text_of(finding, "verdict"), verdicts[VERDICT_FAIL]);
	}
	return false;
}

const char *subject_again(const struct subject *s)
{
	static char command[PATH_MAX + 16];

	if (s->status)
		snprintf(command, sizeof(command), "vpnctl reload %s", s->name);
	else
		snprintf(command, sizeof(command), "vpnctl up %s", s->config->file);
	return command;
}

uint32_t subject_mark(const struct subject *s)
{
	return s->config ? s->config->fwmark : s->dev ? s->dev->fwmark : 0;
}

static void examine(struct subject *s)
{
	exam_module(s);
	exam_clock(s);
	if (!s->config && !s->dev)
		return;
	exam_key(s);
	exam_port(s);
	exam_mtu(s);
	exam_address(s);
	if (subject_is_server(s)) {
		exam_forwarding(s);
		exam_nat(s);
	}
	exam_route(s);
	if (s->config)
		exam_dns(s);
}

static json_t *introduce(const struct subject *s)
{
	json_t *told = json_pack("{s:s, s:b, s:O}", "name", s->name, "running", !!s->status,
				 "checks", s->findings);

	if (*s->ifname)
		json_object_set_new(told, "device", json_string(s->ifname));
	if (s->config) {
		json_object_set_new(told, "file", json_string(s->config->file));
		json_object_set_new(told, "role",
				    json_string(subject_is_server(s) ? "server" : "client"));
	}
	return told;
}

static void visit(struct visit *v, struct subject *s)
{
	const json_t *finding;
	struct vpn_device *dev = NULL;
	struct vpn_error err;
	size_t i;

	/* To ask for one that is not there would load the module. */
	if (if_nametoindex(s->ifname) && vpn_device_get(s->ifname, &dev, &err))
		dev = NULL;
	s->dev = dev;
	s->rtnl = &v->rtnl;
	s->ruleset = v->ruleset;
	s->findings = json_array();
	examine(s);
	json_array_append_new(v->subjects, introduce(s));
	json_array_foreach(s->findings, i, finding)
		v->ill |= !strcmp(json_string_value(json_object_get(finding, "verdict")),
				  verdicts[VERDICT_FAIL]);
	json_decref(s->findings);
	vpn_device_free(dev);
}

/* False: the file has faults, which have been told. */
static bool visit_file(struct visit *v, const char *path, const json_t *status)
{
	struct config *config = config_read(path, stderr);
	struct subject s = { .config = config, .status = status };

	if (!config) {
		v->ill = true;
		return false;
	}
	s.name = config->name;
	s.ifname = config->ifname;
	visit(v, &s);
	config_free(config);
	return true;
}

static bool visit_named(struct visit *v, const char *path)
{
	char name[64];
	json_t *status;
	bool good;

	config_name(name, sizeof(name), path);
	status = ask_status(name);
	good = visit_file(v, path, status);
	json_decref(status);
	return good;
}

static void visit_running(struct visit *v)
{
	char *folder = daemon_run_folder(), name[64];
	struct dirent **list = NULL;
	int count, i;
	json_t *status;
	size_t len;

	count = scandir(folder, &list, NULL, alphasort);
	for (i = 0; i < count; i++) {
		len = strlen(list[i]->d_name);
		snprintf(name, sizeof(name), "%.*s", (int)(len > 5 ? len - 5 : 0), list[i]->d_name);
		status = len > 5 && !strcmp(list[i]->d_name + len - 5, ".sock") ?
			 ask_status(name) : NULL;
		if (status)
			visit_file(v, text_of(status, "file"), status);
		json_decref(status);
		free(list[i]);
	}
	free(list);
	free(folder);
}

static bool is_visited(const struct visit *v, const char *ifname)
{
	const json_t *told;
	size_t i;

	json_array_foreach(v->subjects, i, told) {
		if (!strcmp(text_of(told, "device"), ifname))
			return true;
	}
	return false;
}

static void visit_devices(struct visit *v)
{
	struct vpn_link *links, *link;
	struct vpn_error err;

	if (vpn_link_list(&links, &err))
		return;
	for (link = links; link; link = link->next) {
		if (!is_visited(v, link->ifname))
			visit(v, &(struct subject){ .name = link->ifname, .ifname = link->ifname });
	}
	vpn_link_free(links);
}

static void visit_all(struct visit *v)
{
	visit_running(v);
	visit_devices(v);
	if (!json_array_size(v->subjects))
		visit(v, &(struct subject){ .name = "this host", .ifname = "" });
}

static void print_subject(const json_t *told)
{
	const char *role = text_of(told, "role"), *remedy;
	const json_t *finding;
	size_t i;

	printf("%s:", text_of(told, "name"));
	if (*role)
		printf(" a %s at %s, which %s", role, text_of(told, "device"),
		       json_is_true(json_object_get(told, "running")) ? "runs" : "does not run");
	else
		fputs(*text_of(told, "device") ? " a device without vpnd" : " nothing runs",
		      stdout);
	putchar('\n');
	json_array_foreach(json_object_get(told, "checks"), i, finding) {
		remedy = text_of(finding, "remedy");
		printf("  %-4s  %-10s  %s%s%s\n", text_of(finding, "verdict"),
		       text_of(finding, "check"), text_of(finding, "text"), *remedy ? "; " : "",
		       remedy);
	}
}

static void print_all(const struct visit *v, bool as_json)
{
	const json_t *told;
	json_t *whole;
	size_t i;

	if (!as_json) {
		json_array_foreach(v->subjects, i, told)
			print_subject(told);
		return;
	}
	whole = json_pack("{s:b, s:O}", "ok", !v->ill, "subjects", v->subjects);
	json_dumpf(whole, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(whole);
}

/* Devices and rules are shown to root only; without them it would all look wrong. */
static bool has_rights(void)
{
	if (!geteuid())
		return true;
	fputs("vpnctl: only root can look at all of it; 'sudo vpnctl doctor'\n", stderr);
	return false;
}

static int complain(const char *word)
{
	fprintf(stderr, "vpnctl: '%s' is one argument too many; -j and one file will do\n", word);
	return STATUS_USAGE;
}

int doctor(int argc, char *argv[])
{
	struct visit v = { .ill = false };
	const char *path = NULL;
	bool as_json = false;
	struct vpn_error err;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json"))
			as_json = true;
		else if (*argv[i] != '-' && !path)
			path = argv[i];
		else
			return complain(argv[i]);
	}
	if (!has_rights())
		return STATUS_FAILED;
	if (vpn_socket_open(&v.rtnl, NETLINK_ROUTE, &err)) {
		fprintf(stderr, "vpnctl: %s\n", err.text);
		return STATUS_FAILED;
	}
	v.subjects = json_array();
	v.ruleset = ruleset_read(&err);
	if (!path)
		visit_all(&v);
	if (!path || visit_named(&v, path))
		print_all(&v, as_json);
	json_decref(v.ruleset);
	json_decref(v.subjects);
	vpn_socket_close(&v.rtnl);
	return v.ill ? STATUS_FAILED : 0;
}
