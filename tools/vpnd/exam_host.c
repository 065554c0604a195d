// SPDX-License-Identifier: GPL-2.0
/* The module and the clock. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "../libcred/file.h"
#include "../libcred/x509.h"
#include "../libvpn/credential.h"
#include "contact.h"
#include "exam.h"

/* What clocks of two hosts, or of a host and a file server, may differ. */
#define TOLERANCE	60
#define NSEC		1000000000ULL

/* The first line of a file; empty when there is none. */
static const char *read_line(const char *path, char line[64])
{
	FILE *file = fopen(path, "re");

	if (!file || !fgets(line, 64, file))
		*line = '\0';
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/*
 * The module
 */

static void say_loaded(struct subject *s)
{
	char version[64], taint[64];

	read_line("/sys/module/vpn/version", version);
	read_line("/sys/module/vpn/taint", taint);
	if (strcmp(version, VPN_VERSION)) {
		exam_say(s, "module", VERDICT_WARN, "version %s is loaded, and vpnd is %s", version,
			 VPN_VERSION);
		exam_remedy(s, "stop all tunnels and 'rmmod vpn', so that the new one is loaded");
		return;
	}
	exam_say(s, "module", VERDICT_OK, "version %s is loaded, %s", version, strchr(taint, 'E') ?
		 "not signed, which this kernel allows" : "signed");
}

/* Does the kernel take only modules that are signed? */
static bool wants_signature(void)
{
	char line[64];

	if (*read_line("/sys/module/module/parameters/sig_enforce", line) == 'Y')
		return true;
	read_line("/sys/kernel/security/lockdown", line);
	return strstr(line, "[integrity]") || strstr(line, "[confidentiality]");
}

/* The first line of what a command prints; false: it failed. */
static bool run(const char *command, char line[64])
{
	FILE *from = popen(command, "re");

	*line = '\0';
	if (!from)
		return false;
	if (!fgets(line, 64, from))
		*line = '\0';
	return !pclose(from);
}

void exam_module(struct subject *s)
{
	struct utsname host;
	char line[64];

	if (!access("/sys/module/vpn", F_OK)) {
		say_loaded(s);
		return;
	}
	uname(&host);
	if (!run("PATH=$PATH:/usr/sbin:/sbin modprobe -n -q -b rtnl-link-vpn 2>&1", line)) {
		exam_say(s, "module", VERDICT_FAIL,
			 "it is not loaded, and there is none for kernel %s", host.release);
		exam_remedy(s, "'make install' in its sources, or 'dkms install', makes one");
	} else if (wants_signature() &&
		   (!run("PATH=$PATH:/usr/sbin:/sbin modinfo -F signer vpn 2>/dev/null", line) ||
		    *line <= ' ')) {
		exam_say(s, "module", VERDICT_FAIL,
			 "it is not signed, and this kernel takes only what is");
		exam_remedy(s,
			    "sign it with a key that 'mokutil --import' has made known, as DKMS does");
	} else {
		exam_say(s, "module", VERDICT_OK, "it is there, and loaded when it is needed");
	}
}

/*
 * The clock
 */

static void say_wrong(const struct subject *s)
{
	exam_remedy(s, "'timedatectl set-ntp true' lets it be kept right, 'date' shows it");
}

/* Who wrote it knew of a later time. */
static bool is_before_file(struct subject *s, const char *path)
{
	struct stat st;
	long long ahead;

	if (!path || stat(path, &st))
		return false;
	ahead = (long long)st.st_mtime - time(NULL);
	if (ahead <= TOLERANCE)
		return false;
	exam_say(s, "clock", VERDICT_FAIL, "it is behind: '%s' was written %lld s later than now",
		 path, ahead);
	say_wrong(s);
	return true;
}

static bool is_before_files(struct subject *s)
{
	const struct config *config = s->config;

	return is_before_file(s, "/proc/self/exe") ||
	       (config && (is_before_file(s, config->file) ||
			   is_before_file(s, config->private_key_path) ||
			   is_before_file(s, config->certificate_path) ||
			   is_before_file(s, config->ca_certificate_path)));
}

static bool is_before_handshake(struct subject *s)
{
	const struct vpn_peer *peer;
	long long ahead;

	for (peer = s->dev ? s->dev->peers : NULL; peer; peer = peer->next) {
		ahead = (long long)(peer->last_handshake / NSEC) - time(NULL);
		if (ahead <= TOLERANCE)
			continue;
		exam_say(s, "clock", VERDICT_FAIL,
			 "it was set back: a handshake was %lld s later than now", ahead);
		say_wrong(s);
		return true;
	}
	return false;
}

static bool is_before_connection(struct subject *s)
{
	char text[320];

	if (!subject_is_client(s) || !s->config || !contact_is_ahead(s->config, text, sizeof(text)))
		return false;
	exam_say(s, "clock", VERDICT_FAIL, "%s", text);
	say_wrong(s);
	return true;
}

static bool read_certificate(const char *path, struct cred_certificate *what)
{
	struct vpn_credential der = { 0 };
	struct vpn_error err;
	char *data = NULL;
	size_t len = 0;
	bool good;

	if (!path || cred_file_read(path, &data, &len, &err))
		return false;
	good = !vpn_credential_recognise(data, len, &der, &err) &&
	       der.kind == VPN_CREDENTIAL_KIND_X509 &&
	       cred_x509_describe(der.octets, der.len, what);
	free(der.octets);
	cred_file_free(data, len);
	return good;
}

/* A certificate is valid from one time to another one. */
static bool is_outside(struct subject *s, const char *path)
{
	struct cred_certificate what;
	int64_t now = time(NULL), end;
	char when[CRED_DATE_TEXT];

	if (!read_certificate(path, &what))
		return false;
	end = what.verdict.expires;
	if (what.not_before <= now && (!end || end > now))
		return false;
	cred_date(what.not_before > now ? what.not_before : end, when);
	exam_say(s, "clock", VERDICT_FAIL, "by it, the certificate '%s' is not valid %s %s", path,
		 what.not_before > now ? "before" : "since", when);
	exam_remedy(s, "set the clock, which 'date' shows, or get another certificate");
	return true;
}

/* The server compares with a clock of its own. */
static bool is_refused(struct subject *s)
{
	const struct vpn_peer *peer = subject_server(s);
	const struct vpn_refusal *refusal = peer ? peer->last_refusal : NULL;

	if (!refusal || refusal->ours || refusal->time < peer->last_handshake ||
	    refusal->reason != VPN_REJECT_REASON_NOT_YET_VALID)
		return false;
	exam_say(s, "clock", VERDICT_FAIL,
		 "the server says that what this host showed it is not valid yet");
	exam_remedy(s, "compare 'date -u' here and there");
	return true;
}

void exam_clock(struct subject *s)
{
	struct timex state = { .modes = 0 };
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	if (is_before_files(s) || is_before_handshake(s) || is_before_connection(s) ||
	    is_refused(s) ||
	    (s->config && (is_outside(s, s->config->certificate_path) ||
			   is_outside(s, s->config->ca_certificate_path))))
		return;
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&now, &tm));
	if (adjtimex(&state) >= 0 && state.status & STA_UNSYNC) {
		exam_say(s, "clock", VERDICT_WARN, "%s, and nobody keeps it right", text);
		say_wrong(s);
		return;
	}
	exam_say(s, "clock", VERDICT_OK, "%s, synchronised", text);
}
