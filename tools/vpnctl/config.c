// SPDX-License-Identifier: GPL-2.0
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "../libvpn/text.h"
#include "command.h"
#include "complain.h"
#include "settings.h"

struct reader {
	struct builder b;
	struct origin at;
	FILE *file;
	enum { OUTSIDE, INTERFACE, PEER } section;
	unsigned int section_line;
	bool has_secret;
};

/* A peer is complete when its section ends. */
static bool end_section(const struct reader *r)
{
	const struct origin at = { .file = r->at.file, .line = r->section_line };

	if (r->section != PEER || r->b.peer->has & VPN_PEER_HAS_PUBLIC_KEY)
		return true;
	return complain(&at, "this [Peer] has no PublicKey; each peer needs one");
}

static bool begin_section(struct reader *r, const char *line)
{
	if (!end_section(r))
		return false;
	r->section_line = r->at.line;
	if (!strcasecmp(line, "[Interface]")) {
		r->section = INTERFACE;
		r->b.peer = NULL;
		return true;
	}
	if (strcasecmp(line, "[Peer]"))
		return complain(&r->at,
				"'%s' is not a section; there are [Interface] and [Peer]", line);
	r->section = PEER;
	if (!builder_add_peer(&r->b, &r->at))
		return false;
	r->b.peer->flags |= VPN_PEER_FLAGS_REPLACE_ALLOWEDIPS;
	return true;
}

static bool belongs_here(struct reader *r, const struct setting *setting)
{
	bool in_peer = r->section == PEER;

	if (r->section == OUTSIDE)
		return complain(&r->at,
				"is outside of a section; write [Interface] or [Peer] before it");
	if (setting->of_peer != in_peer)
		return complain(&r->at, "belongs to [%s]", setting->of_peer ? "Peer" : "Interface");
	return true;
}

static bool read_setting(struct reader *r, char *line)
{
	char *equals = strchr(line, '=');
	const struct setting *setting;
	char *key = line, *value;

	if (!equals)
		return complain(&r->at,
				"a line is KEY = VALUE, a [Section], or a comment after '#'");
	*equals = '\0';
	key = text_trim(key);
	value = text_trim(equals + 1);
	setting = setting_by_key(key, r->section == PEER);
	/* In [Interface] it is for wg-quick; what is meant here is a peer's. */
	if (setting && r->section == INTERFACE && !strcmp(setting->key, "Address"))
		return complain(&r->at, "'%s' is not a key", key);
	if (!setting)
		return complain(&r->at, "'%s' is not a key%s", key, setting_hint(key, true));
	r->at.word = setting->key;
	if (strstr(setting->key, "PrivateKey") || strstr(setting->key, "PresharedKey"))
		r->has_secret = true;
	return belongs_here(r, setting) && setting_once(&r->b, setting, &r->at) &&
	       setting->parse_key(&r->b, &r->at, value);
}

static bool read_line(struct reader *r, char *line, size_t len)
{
	r->at.line++;
	r->at.word = NULL;
	if (strlen(line) != len)
		return complain(&r->at, "a zero octet: this is not a text file");
	line[strcspn(line, "#")] = '\0';
	line = text_trim(line);
	if (!*line)
		return true;
	return *line == '[' ? begin_section(r, line) : read_setting(r, line);
}

static bool read_lines(struct reader *r)
{
	char *line = NULL;
	bool good = true;
	size_t size = 0;
	ssize_t len;

	while (good && (len = getline(&line, &size, r->file)) >= 0) {
		good = read_line(r, line, len);
		explicit_bzero(line, size);
	}
	free(line);
	if (good && ferror(r->file))
		good = complain(NULL, "'%s' cannot be read: %s", r->at.file, strerror(errno));
	return good && end_section(r);
}

static void warn_of_readers(const struct reader *r)
{
	struct stat st;

	if (r->has_secret && !fstat(fileno(r->file), &st) && S_ISREG(st.st_mode) &&
	    (st.st_mode & 0007))
		warn("'%s' holds a secret key and everybody may read it; 'chmod 600 %s' helps",
		     r->at.file, r->at.file);
}

static bool read_file(struct reader *r)
{
	char buffer[BUFSIZ];
	bool good;

	r->file = fopen(r->at.file, "re");
	if (!r->file)
		return complain(NULL, "'%s' cannot be opened: %s", r->at.file, strerror(errno));
	/* A buffer of our own, to erase the keys in it. */
	setvbuf(r->file, buffer, _IOFBF, sizeof(buffer));
	good = read_lines(r);
	if (good)
		warn_of_readers(r);
	fclose(r->file);
	explicit_bzero(buffer, sizeof(buffer));
	return good;
}

struct vpn_device *config_read(const char *ifname, const char *path, bool whole)
{
	struct reader r = { .at.file = path };
	bool good;

	if (!builder_begin(&r.b, ifname))
		return NULL;
	if (whole) {
		r.b.dev->flags = VPN_DEVICE_FLAGS_REPLACE_PEERS;
		r.b.dev->has = VPN_DEVICE_HAS_PRIVATE_KEY | VPN_DEVICE_HAS_LISTEN_PORT |
			       VPN_DEVICE_HAS_FWMARK | VPN_DEVICE_HAS_HOST_NAME |
			       VPN_DEVICE_HAS_MAX_PEERS | VPN_DEVICE_HAS_PUSH_DNS |
			       VPN_DEVICE_HAS_PUSH_ROUTES | VPN_DEVICE_HAS_PUSH_MTU |
			       VPN_DEVICE_HAS_PUSH_KEEPALIVE;
	}
	good = read_file(&r);
	builder_end(&r.b);
	if (good)
		return r.b.dev;
	vpn_device_free(r.b.dev);
	return NULL;
}

int config_apply(int argc, char *argv[], bool whole)
{
	struct vpn_device *dev;
	int status;

	if (argc != 3)
		return complain_usage(argv[0], "a device and a file are needed");
	dev = config_read(argv[1], argv[2], whole);
	if (!dev)
		return STATUS_FAILED;
	status = settings_apply(dev);
	vpn_device_free(dev);
	return status;
}
