// SPDX-License-Identifier: GPL-2.0
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "../libvpn/address.h"
#include "../libvpn/rtnl.h"
#include "client.h"
#include "clock.h"
#include "control.h"
#include "desired.h"
#include "dns.h"
#include "endpoints.h"
#include "door.h"
#include "http.h"
#include "leases.h"
#include "log.h"
#include "plan.h"
#include "nursery.h"
#include "privileges.h"
#include "secret.h"
#include "watch.h"

enum { STATUS_FAILED = 1 };

static int no_memory(struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
}

/* systemd gives several folders with colons between; ours is the only one. */
static char *folder(const char *own, const char *systemd, const char *fallback)
{
	const char *path = getenv(own);

	if (!path || !*path)
		path = getenv(systemd);
	return strdup(path && *path == '/' ? path : fallback);
}

char *daemon_run_folder(void)
{
	return folder("VPN_RUNTIME_DIR", "RUNTIME_DIRECTORY", "/run/vpn");
}

char *daemon_state_folder(void)
{
	return folder("VPN_STATE_DIR", "STATE_DIRECTORY", "/var/lib/vpn");
}

static char *path_in(const char *folder, const char *name, const char *ending)
{
	char *path;

	return asprintf(&path, "%s/%s%s", folder, name, ending) < 0 ? NULL : path;
}

static int make_folder(const char *path, mode_t mode, struct vpn_error *err)
{
	if (!mkdir(path, mode) || errno == EEXIST)
		return 0;
	return vpn_error_set(err, VPN_FAULT_SYSTEM, errno, "'%s' cannot be made: %s", path,
			     strerror(errno));
}

/* One at a time, or two would undo what the other makes. */
static int take_lock(struct daemon *d, const char *name, struct vpn_error *err)
{
	char *path = path_in(d->run_path, name, ".lock"), pid[24];
	int ret = 0;

	d->lock = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (d->lock < 0)
		ret = vpn_error_set(err, VPN_FAULT_SYSTEM, errno, "'%s' cannot be opened: %s",
				    path ? path : "the lock", strerror(errno));
	else if (flock(d->lock, LOCK_EX | LOCK_NB))
		ret = vpn_error_set(err, VPN_FAULT_SYSTEM, EALREADY,
				    "'%s' runs already; 'vpnctl down %s' stops it", name, name);
	else if (ftruncate(d->lock, 0) || write(d->lock, pid, snprintf(pid, sizeof(pid), "%d\n",
								       getpid())) < 0)
		ret = vpn_error_set(err, VPN_FAULT_SYSTEM, errno,
				    "'%s' cannot be written: %s",
				    path,
				    strerror(errno));
	free(path);
	return ret;
}

static int open_folders(struct daemon *d, const char *name, struct vpn_error *err)
{
	char *path;
	int ret;

	d->run_path = daemon_run_folder();
	d->state_path = daemon_state_folder();
	if (!d->run_path || !d->state_path)
		return no_memory(err);
	ret = make_folder(d->run_path, 0755, err);
	if (!ret)
		ret = make_folder(d->state_path, 0700, err);
	if (!ret)
		ret = take_lock(d, name, err);
	if (ret)
		return ret;
	path = path_in(d->run_path, name, ".journal");
	ret = path ? journal_open(&d->journal, path, err) : no_memory(err);
	free(path);
	return ret;
}

static int open_leases(const struct daemon *d, const char *name, bool only_if_there,
		       struct vpn_error *err)
{
	char *path = path_in(d->state_path, name, ".leases");
	int ret = 0;

	if (!path)
		ret = no_memory(err);
	else if (!only_if_there || !access(path, F_OK))
		ret = leases_open(path, err);
	free(path);
	return ret;
}

static int read_keys(const struct config *config, struct facts *facts, struct vpn_error *err)
{
	int ret = secret_private(config, facts->private_key, err);

	if (!ret && !secret_preshared(&config->preshared_key, config->preshared_key_path,
				      facts->preshared_key, err))
		ret = -err->code;
	return ret;
}

/* The networks that the host is on; a client has no use for them. */
static int read_onlink(struct world *w, struct vpn_error *err)
{
	struct vpn_rtnl_entries entries;
	struct vpn_address *added;
	unsigned int i;
	int ret;

	ret = vpn_rtnl_onlink(&w->rtnl, world_ifindex(w), &entries, err);
	if (ret)
		return ret;
	vpn_addresses_free(&w->facts.onlink);
	for (i = 0; i < entries.count && !ret; i++) {
		if (vpn_addresses_has(&w->facts.onlink, &entries.list[i].address))
			continue;
		added = vpn_addresses_add(&w->facts.onlink);
		if (added)
			*added = entries.list[i].address;
		else
			ret = no_memory(err);
	}
	vpn_rtnl_free(&entries);
	return ret;
}

int daemon_apply(struct daemon *d, bool dry, FILE *to, struct vpn_error *err)
{
	struct item_list items;
	int ret;

	err->code = 0;
	endpoints_read(d->config);
	ret = d->config->role == ROLE_SERVER ? read_onlink(&d->world, err) : 0;
	if (ret)
		return ret;
	if (desired_list(d->config, &d->world.facts, &items))
		ret = plan_apply(&d->world, &d->journal, &items, dry, to, err);
	else
		ret = no_memory(err);
	item_list_free(&items);
	if (!dry)
		d->failed = ret;
	return ret;
}

bool daemon_is_well(struct daemon *d)
{
	return !d->failed && world_is_up(&d->world);
}

static void log_steps(const char *steps)
{
	const char *end;

	for (; *steps; steps = *end ? end + 1 : end) {
		end = strchrnul(steps, '\n');
		log_line(LEVEL_DEBUG, "%.*s", (int)(end - steps), steps);
	}
}

void daemon_update(struct daemon *d)
{
	struct vpn_error err = { 0 };
	char *steps = NULL;
	size_t size;
	FILE *to;
	int ret;

	to = open_memstream(&steps, &size);
	ret = daemon_apply(d, false, to, &err);
	if (ret)
		log_event(LEVEL_ERROR, "not all could be set up", "reason", err.text);
	if (d->client)
		client_failed(d->client, ret ? err.text : "");
	if (to)
		fclose(to);
	if (steps)
		log_steps(steps);
	free(steps);
}

/* These name what must not change under a run. */
static int check_same(const struct config *old, const struct config *new, struct vpn_error *err)
{
	if (old->role == new->role && !strcmp(old->ifname, new->ifname))
		return 0;
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
			     "the %s has changed; that needs a restart",
			     old->role != new->role ? "role" : "name of the device");
}

static void use_config(struct daemon *d, struct config *config)
{
	d->config = config;
	d->world.config = config;
}

/* What a configuration brings into the facts; the rest is the kernel's, and stays. */
static void put_back(struct facts *facts, const struct facts *before)
{
	facts->server = before->server;
	facts->has_endpoint = before->has_endpoint;
	facts->endpoint = before->endpoint;
	facts->has_server_key = before->has_server_key;
	memcpy(facts->server_key, before->server_key, VPN_KEY_LEN);
	memcpy(facts->private_key, before->private_key, VPN_KEY_LEN);
	memcpy(facts->preshared_key, before->preshared_key, VPN_KEY_LEN);
}

static int take_new(struct daemon *d, const struct config *new, bool dry, FILE *to,
		    struct vpn_error *err)
{
	int ret = check_same(d->config, new, err);

	if (ret)
		return ret;
	/* It would be made. */
	if (dry && !new->private_key.given && access(new->private_key_path, F_OK)) {
		fprintf(to, "+ private key %s\n", new->private_key_path);
		return 0;
	}
	return read_keys(new, &d->world.facts, err);
}

static int try_new(struct daemon *d, struct config *new, bool dry, FILE *to,
		   struct vpn_error *err)
{
	int ret = take_new(d, new, dry, to, err);

	if (ret)
		return ret;
	endpoints_inherit(new, d->config);
	use_config(d, new);
	ret = d->client ? client_reconfigure(d->client, err) :
	      dry ? 0 : door_reconfigure(d->door, new, err);
	return ret ? ret : daemon_apply(d, dry, to, err);
}

/* The old place is left first, as both may be one port; and taken again if need be. */
static int move_http(struct daemon *d, const struct config *from, const struct config *to,
		     struct vpn_error *err)
{
	struct vpn_error again;
	int ret;

	if (!strcmp(from->metrics_address, to->metrics_address))
		return 0;
	http_close(d);
	ret = http_open(d, to->metrics_address, err);
	if (ret)
		http_open(d, from->metrics_address, &again);
	return ret;
}

static void describe_rooms(const struct config *old, const struct config *new, FILE *to)
{
	if (strcmp(old->log_output, new->log_output) || old->level != new->level ||
	    old->log_format != new->log_format)
		fprintf(to, "~ log %s\n", new->log_output);
	if (strcmp(old->metrics_address, new->metrics_address))
		fprintf(to, "~ metrics %s\n", new->metrics_address);
}

/* What can fail before anything has changed. */
static int prepare(struct daemon *d, const struct config *new, bool dry, FILE *to,
		   struct vpn_error *err)
{
	int ret = log_prepare(new, dry, err);

	if (ret)
		return ret;
	if (to)
		describe_rooms(d->config, new, to);
	ret = dry ? 0 : move_http(d, d->config, new, err);
	if (ret)
		log_abandon();
	return ret;
}

/* begun: something of the new one may have been carried out. */
static void take_back(struct daemon *d, struct config *old, const struct config *new,
		      bool begun)
{
	struct vpn_error again = { 0 };

	move_http(d, new, old, &again);
	if (!begun)
		return;
	endpoints_inherit(old, new);
	if (daemon_apply(d, false, NULL, &again))
		log_event(LEVEL_ERROR, "what was before a reload cannot be put back", "reason",
			  again.text);
}

/* What credentials are known by is, after a reload that failed, as it was before. */
static void put_back_door(struct daemon *d, const struct config *old, bool dry)
{
	struct vpn_error err;

	if (d->client)
		client_restored(d->client);
	else if (!dry && door_reconfigure(d->door, old, &err))
		log_event(LEVEL_ERROR, "what was trusted before a reload cannot be read again",
			  "reason", err.text);
}

static int apply_new(struct daemon *d, struct config *new, bool dry, FILE *to,
		     struct vpn_error *err)
{
	struct config *old = d->config;
	struct facts facts = d->world.facts;
	bool begun;
	int ret;

	ret = try_new(d, new, dry, to, err);
	begun = d->config == new;
	if (ret || dry) {
		put_back(&d->world.facts, &facts);
		use_config(d, old);
		log_abandon();
		put_back_door(d, old, dry);
	} else {
		log_use(new);
		if (d->client)
			client_reconfigured(d->client, &old->servers.list[facts.server]);
	}
	explicit_bzero(&facts, sizeof(facts));
	if (ret && !dry)
		take_back(d, old, new, begun);
	endpoints_settle(d->config);
	return ret;
}

/* Faults of the file are one text. */
static struct config *read_again(const struct daemon *d, FILE *to, struct vpn_error *err)
{
	struct config *new;
	char *faults = NULL;
	size_t size;
	FILE *memory;

	memory = open_memstream(&faults, &size);
	if (!memory) {
		no_memory(err);
		return NULL;
	}
	new = config_read(d->file, memory);
	fclose(memory);
	if (!new)
		vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
			      "%.*s",
			      (int)strcspn(faults, "\n"), faults);
	if (!new && to)
		fputs(faults, to);
	free(faults);
	return new;
}

int daemon_reload(struct daemon *d, bool dry, FILE *to, struct vpn_error *err)
{
	struct config *old = d->config, *new = read_again(d, to, err);
	int ret = new ? prepare(d, new, dry, to, err) : -EINVAL;

	if (!ret)
		ret = apply_new(d, new, dry, to, err);
	if (!dry) {
		d->reloads++;
		d->reloads_failed += !!ret;
	}
	if (ret || dry) {
		config_free(new);
	} else {
		config_free(old);
		endpoints_ask(d);
	}
	if (ret)
		log_event(LEVEL_ERROR, "the configuration is not loaded again", "reason",
			  err->text);
	else if (!dry)
		log_event(LEVEL_INFO, "configuration loaded again");
	return ret;
}

/* What the file leaves out and is needed. */
static void warn_of_limits(const struct config *config)
{
	if (config->role == ROLE_SERVER && !config->peers && !config->ca_certificate_path &&
	    !config->token_keys_path && !config->peers_path)
		log_event(LEVEL_WARNING,
			  "there is neither a [[peer]] in the configuration nor a CA, so nobody can connect");
}

/* A device that somebody else has made is not ours to change. */
static int check_device(struct daemon *d, struct vpn_error *err)
{
	if (!if_nametoindex(d->config->ifname) ||
	    journal_find(&d->journal, &kind_device, d->config->ifname))
		return 0;
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EEXIST,
			     "there is a device '%s' already, which vpnd has not made; remove it, or choose another name in [interface]",
			     d->config->ifname);
}

/* After the host was switched off while we ran there is no journal, but this. */
static void recover_resolver(struct daemon *d)
{
	struct vpn_error err;

	if (!journal_find(&d->journal, &kind_dns, d->config->ifname) &&
	    resolv_file_left(d->config->ifname))
		resolv_file_revert(d->config->ifname, NULL, &err);
}

/* If the device has changed its name, what was there is not what we want. */
static void undo_other_device(struct daemon *d)
{
	const struct journal_entry *entry;

	for (entry = d->journal.first; entry; entry = entry->next) {
		if (entry->item.kind != &kind_device || !strcmp(entry->item.key, d->config->ifname))
			continue;
		snprintf(d->world.ifname, sizeof(d->world.ifname), "%s", entry->item.key);
		plan_undo_all(&d->world, &d->journal);
		break;
	}
	snprintf(d->world.ifname, sizeof(d->world.ifname), "%s", d->config->ifname);
}

static int open_world(struct daemon *d, struct vpn_error *err)
{
	int ret;

	d->world.config = d->config;
	ret = vpn_socket_open(&d->world.rtnl, NETLINK_ROUTE, err);
	if (ret)
		return ret;
	if (d->config->role == ROLE_SERVER && open_leases(d, d->config->name, false, err)) {
		/* They may be nowhere but in the device that a killed run has left. */
		d->keep = journal_find(&d->journal, &kind_device, d->config->ifname);
		return -err->code;
	}
	undo_other_device(d);
	recover_resolver(d);
	endpoints_recover(d->config, &d->journal);
	ret = check_device(d, err);
	return ret ? ret : read_keys(d->config, &d->world.facts, err);
}

static int open_rooms(struct daemon *d, struct vpn_error *err)
{
	int ret;

	ret = d->config->role == ROLE_SERVER ? endpoints_open(d, err) : 0;
	if (!ret)
		ret = watch_open(d, err);
	if (!ret && d->config->role == ROLE_SERVER)
		ret = door_open(d, err);
	if (!ret && d->config->role == ROLE_CLIENT)
		ret = client_open(d, err);
	if (!ret)
		ret = daemon_apply(d, false, NULL, err);
	if (!ret)
		ret = control_open(d, err);
	/* Nobody's tunnel is to fail for want of figures. */
	if (!ret && http_open(d, d->config->metrics_address, err))
		log_event(LEVEL_WARNING, "there are no metrics", "reason", err->text);
	if (!ret && d->door)
		ret = door_begin(d->door, err);
	if (!ret) {
		watch_begin(d->watch);
		endpoints_settle(d->config);
		endpoints_ask(d);
		if (d->client)
			client_begin(d->client);
		else
			clock_watch(d);
	}
	return ret;
}

/* Before anything that a reload does again: what it cannot do then is seen now. */
static int drop(struct vpn_error *err)
{
	int ret = privileges_drop();

	if (!ret && !privileges_suffice())
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EPERM,
				     "CAP_NET_ADMIN is needed; be root, and give it to a container with --cap-add=NET_ADMIN");
	return ret ? vpn_error_set(err, VPN_FAULT_SYSTEM, -ret,
				   "privileges cannot be given up: %s", strerror(-ret)) : 0;
}

static int begin(struct daemon *d, struct vpn_error *err)
{
	int ret;

	ret = log_prepare(d->config, false, err);
	if (ret)
		return ret;
	log_use(d->config);
	ret = open_folders(d, d->config->name, err);
	if (!ret)
		ret = sd_event_new(&d->event);
	if (ret < 0)
		return ret;
	warn_of_limits(d->config);
	ret = open_world(d, err);
	if (!ret)
		ret = signals_begin(d);
	if (ret < 0) {
		if (!err->code)
			vpn_error_set(err, VPN_FAULT_SYSTEM, -ret, "%s", strerror(-ret));
		return ret;
	}
	return open_rooms(d, err);
}

static void close_rooms(struct daemon *d)
{
	http_close(d);
	control_close(d);
	client_close(d);
	endpoints_close(d);
	door_close(d);
	watch_close(d);
	clock_close(d);
}

static void end(struct daemon *d)
{
	close_rooms(d);
	if (d->lock >= 0 && !d->keep && d->world.rtnl.nl)
		plan_undo_all(&d->world, &d->journal);
	leases_close();
	journal_close(&d->journal);
	vpn_socket_close(&d->world.rtnl);
	vpn_addresses_free(&d->world.facts.onlink);
	explicit_bzero(d->world.facts.private_key, VPN_KEY_LEN);
	explicit_bzero(d->world.facts.preshared_key, VPN_KEY_LEN);
	sd_event_unref(d->event);
	config_free(d->config);
	if (d->lock >= 0)
		close(d->lock);
	nursery_close(d->nursery);
	free(d->run_path);
	free(d->state_path);
	free(d->file);
}

static void tell_ready(int ready)
{
	sd_notify(0, "READY=1");
	if (ready < 0)
		return;
	/* Whoever waits at the other end may have gone. */
	if (write(ready, "", 1) < 0)
		log_line(LEVEL_DEBUG, "nobody waits for the start");
	close(ready);
}

int daemon_run(const char *path, int ready)
{
	struct daemon d = {
		.lock = -1, .nursery = -1, .journal.fd = -1, .started = time(NULL),
	};
	struct vpn_error err = { 0 };
	int ret;

	d.nursery = nursery_open();
	if (d.nursery < 0 || drop(&err)) {
		fprintf(stderr, "vpnd: %s%s\n", d.nursery < 0 ? "no process can be started: " : "",
			d.nursery < 0 ? strerror(-d.nursery) : err.text);
		return STATUS_FAILED;
	}
	d.config = config_read(path, stderr);
	if (!d.config)
		return STATUS_FAILED;
	d.file = config_path(path);
	ret = d.file ? begin(&d, &err) : no_memory(&err);
	if (ret < 0) {
		log_event(LEVEL_ERROR, "cannot start", "reason", err.text);
		sd_notifyf(0, "STATUS=cannot start: %s", err.text);
		if (isatty(STDERR_FILENO) || *d.config->log_output == '/')
			fprintf(stderr, "vpnd: %s\n", err.text);
	} else {
		log_event(LEVEL_INFO, "started", "device", d.config->ifname, "role",
			  d.client ? "client" : "server");
		tell_ready(ready);
		ret = sd_event_loop(d.event);
		sd_notify(0, "STOPPING=1");
		log_event(LEVEL_INFO, d.keep ? "stopped, and everything stays" : "stopped");
		if (d.keep)
			leases_save_all(d.config->ifname, true);
	}
	end(&d);
	log_close();
	return ret < 0 ? STATUS_FAILED : ret;
}

int daemon_undo(const char *name)
{
	struct daemon d = { .lock = -1, .nursery = -1, .journal.fd = -1 };
	struct config config = { .ifname = d.world.ifname };
	const struct journal_entry *entry;
	struct vpn_error err;
	int status = 0;

	snprintf(config.name, sizeof(config.name), "%s", name);
	d.world.config = &config;
	if (drop(&err) || open_folders(&d, name, &err) ||
	    vpn_socket_open(&d.world.rtnl, NETLINK_ROUTE, &err)) {
		fprintf(stderr, "vpnd: %s\n", err.text);
		status = STATUS_FAILED;
	}
	for (entry = d.journal.first; entry; entry = entry->next) {
		if (entry->item.kind == &kind_device)
			snprintf(d.world.ifname, sizeof(d.world.ifname), "%s", entry->item.key);
	}
	if (!status && open_leases(&d, name, true, &err))
		fprintf(stderr, "vpnd: %s\n", err.text);
	if (!status && plan_undo_all(&d.world, &d.journal))
		status = STATUS_FAILED;
	/* Whatever is still there cannot be undone. */
	d.keep = true;
	end(&d);
	return status;
}
