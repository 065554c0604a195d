// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../libvpn/nearest.h"
#include "command.h"
#include "complain.h"

#define DEVICE_FIELDS	"public-key|private-key|listen-port|fwmark|peers|preshared-keys|" \
			"endpoints|allowed-ips|latest-handshakes|transfer|persistent-keepalive|" \
			"dump|host-name|max-peers|push-dns|push-routes|push-mtu|push-keepalive|" \
			"address|lease|assigned|cipher|protocol-version|credential|expires|host|" \
			"refusal|disconnect|unanswered|rtt|latency|peer-routes"

const struct command commands[] = {
	{ "show", cmd_show, "[-j] [DEVICE|all|interfaces] [" DEVICE_FIELDS "]",
	  "Show the configuration and the state of devices" },
	{ "showconf", cmd_showconf, "DEVICE",
	  "Print the configuration of a device, for use with setconf" },
	{ "set", cmd_set,
	  "DEVICE [listen-port PORT] [fwmark MARK|off] [private-key FILE]\n"
	  "       [host-name NAME] [max-peers NUMBER|off] [push-dns ADDRESS,...]\n"
	  "       [push-routes PREFIX,...] [push-mtu OCTETS|off] [push-keepalive SECONDS|off]\n"
	  "       [peer KEY [remove] [name NAME] [preshared-key FILE] [endpoint HOST:PORT]\n"
	  "                 [persistent-keepalive SECONDS|off]\n"
	  "                 [allowed-ips [+|-]ADDRESS[/LENGTH],...]\n"
	  "                 [address auto|ADDRESS[,ADDRESS6]|off]\n"
	  "                 [cipher chacha20-poly1305|aes-256-gcm|any]\n"
	  "                 [credential FILE|\"\"] [expires TIME|never]\n"
	  "                 [push-routes PREFIX,...|off]]...",
	  "Change the configuration of a device" },
	{ "setconf", cmd_setconf, "DEVICE FILE", "Replace the configuration of a device" },
	{ "addconf", cmd_addconf, "DEVICE FILE", "Add to the configuration of a device" },
	{ "syncconf", cmd_syncconf, "DEVICE FILE",
	  "Change what differs from a file, without disturbing sessions" },
	{ "pool", cmd_pool,
	  "add DEVICE PREFIX [reserve ADDRESS[-ADDRESS],...] [lease TIME|forever]\n"
	  "       vpnctl pool del DEVICE PREFIX [force]\n"
	  "       vpnctl pool show [-j] [DEVICE]",
	  "Change or show the address pools of devices" },
	{ "lease", cmd_lease,
	  "show [-j] [DEVICE]\n"
	  "       vpnctl lease release DEVICE KEY|ADDRESS|NAME...\n"
	  "       vpnctl lease dump DEVICE\n"
	  "       vpnctl lease restore DEVICE FILE",
	  "Show, forget, save, or make leases of addresses" },
	{ "apply", cmd_apply, "DEVICE [--dry-run]",
	  "Configure the addresses, routes and MTU that peers have assigned" },
	{ "export", cmd_export,
	  "DEVICE KEY|NAME [endpoint HOST:PORT] [private-key FILE] [--qr]",
	  "Print the configuration of a client, for wg-quick or as a QR code" },
	{ "import", cmd_import, "FILE",
	  "Print a configuration of wg-quick as one of vpnd" },
	{ "setup", cmd_setup,
	  "[--host NAME|ADDRESS] [--port PORT] [--network PREFIX] [--yes]\n"
	  "       vpnctl setup --undo [--purge]",
	  "Make this host a server: CA, key, file, firewall and unit; or take that back" },
	{ "check", cmd_check, "FILE...",
	  "Say whether configurations of vpnd are right" },
	{ "up", cmd_up, "FILE", "Start vpnd with a configuration" },
	{ "down", cmd_ask, "[--keep] [NAME]", "Stop it, and undo what it has done" },
	{ "reload", cmd_ask, "[--dry-run] [NAME]",
	  "Let it read its configuration again, and print what that changes" },
	{ "status", cmd_ask, "[-j] [NAME]", "Tell what runs" },
	{ "doctor", cmd_doctor, "[-j] [FILE]",
	  "Say what is wrong with this host, as far as tunnels go" },
	{ "connect", cmd_ask, "[NAME]", "Let a client connect, and wait for that" },
	{ "disconnect", cmd_ask, "[NAME]", "Let a client disconnect" },
	{ "ping", cmd_ping, "[-j] DEVICE KEY|NAME [count NUMBER] [interval SECONDS]",
	  "Ask a peer for echoes, and tell how soon they come" },
	{ "reject", cmd_reject, "DEVICE KEY REASON [TEXT]",
	  "Refuse a stranger that waits to be let in" },
	{ "monitor", cmd_monitor, "[-j] [auth] [DEVICE]",
	  "Print events, or requests of strangers, as they come" },
	{ "pki", cmd_pki,
	  "init [--name NAME] [--key ed25519|ecdsa|rsa] [--days NUMBER|--for TIME]\n"
	  "       vpnctl pki issue NAME [--role ROLE] [--days NUMBER|--for TIME]\n"
	  "                  [--public-key FILE] [--server] [--host NAME|ADDRESS]...\n"
	  "       vpnctl pki revoke NAME|SERIAL...\n"
	  "       vpnctl pki list [-j]\n"
	  "       vpnctl pki show [-j] NAME|FILE\n"
	  "       vpnctl pki crl [--days NUMBER|--for TIME]\n"
	  "       vpnctl pki verify FILE [--ca FILE] [--crl FILE] [--public-key FILE]\n"
	  "                  [--role-extension OID] [--server] [--host NAME] [--at TIME]\n"
	  "       each with [--dir FOLDER], instead of VPN_PKI_DIR or /etc/vpn/pki",
	  "Issue and revoke certificates" },
	{ "profile", cmd_profile,
	  "NAME --server HOST:PORT [--role ROLE] [--days NUMBER|--for TIME]\n"
	  "               [--server-key FILE|--server-certificate FILE]\n"
	  "               [--public-key FILE] [--dir FOLDER] [--qr]",
	  "Print a configuration of vpnd for a new client, with all that it needs" },
	{ "token", cmd_token,
	  "issue NAME --key FILE [--kid NAME] [--algorithm NAME] [--role ROLE]\n"
	  "                    [--audience NAME] [--issuer NAME] [--id TEXT]\n"
	  "                    [--days NUMBER|--for TIME] [--public-key FILE]\n"
	  "       vpnctl token show FILE\n"
	  "       vpnctl token verify FILE --key FILE... [--audience NAME] [--issuer NAME]\n"
	  "                    [--public-key FILE]",
	  "Issue and verify JSON web tokens" },
	{ "genkey", cmd_genkey, "", "Print a new private key" },
	{ "genpsk", cmd_genpsk, "", "Print a new preshared key" },
	{ "pubkey", cmd_pubkey, "", "Read a private key and print its public key" },
	{ "complete", cmd_complete, "-- [WORD]...",
	  "Print what the last word may become, for completion in a shell" },
	{ "help", cmd_help, "[COMMAND]", "Tell how this tool is used" },
	{ "version", cmd_version, "", "Print the version" },
	{ NULL, NULL, NULL, NULL }
};

bool want_json;

const struct command *command_find(const char *name)
{
	const struct command *command;

	for (command = commands; name && command->name; command++) {
		if (!strcmp(command->name, name))
			return command;
	}
	return NULL;
}

int verb_run(const struct verb *verbs, int argc, char *argv[])
{
	struct nearest nearest;

	if (argc < 2)
		return complain_usage(argv[0], "'%s' needs to be told what to do", argv[0]);
	nearest_begin(&nearest, argv[1]);
	for (; verbs->name; verbs++) {
		if (!strcmp(verbs->name, argv[1]))
			return verbs->run(argc - 1, argv + 1);
		nearest_try(&nearest, verbs->name);
	}
	return complain_usage(argv[0], "'%s' is nothing that '%s' does%s", argv[1], argv[0],
			      nearest_hint(&nearest));
}

static int unknown_command(const char *name)
{
	const struct command *command;
	struct nearest nearest;

	nearest_begin(&nearest, name);
	for (command = commands; command->name; command++)
		nearest_try(&nearest, command->name);
	return complain_usage(NULL, "'%s' is not a command%s", name, nearest_hint(&nearest));
}

/* Options may stand anywhere where no value can be mistaken for one. */
static int take_json(int argc, char *argv[])
{
	int from, to = 0;

	for (from = 0; from < argc; from++) {
		if (!strcmp(argv[from], "-j") || !strcmp(argv[from], "--json"))
			want_json = true;
		else
			argv[to++] = argv[from];
	}
	argv[to] = NULL;
	return to;
}

static bool has_json(const struct command *command)
{
	return command->run == cmd_show || command->run == cmd_monitor ||
	       command->run == cmd_pool || command->run == cmd_lease || command->run == cmd_ping ||
	       command->run == cmd_pki || command->run == cmd_doctor ||
	       !strcmp(command->name, "status");
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static int run(const struct command *command, int argc, char *argv[])
{
	char word[] = "help", *help[] = { word, argv[0], NULL };

	if (argc == 2 && is_help(argv[1]))
		return cmd_help(2, help);
	if (has_json(command))
		argc = take_json(argc, argv);
	else if (want_json)
		return complain_usage(argv[0],
				      "'-j' is for 'show', 'monitor', 'pool', 'lease', 'ping', 'pki', 'doctor' and 'status'");
	return command->run(argc, argv);
}

static int dispatch(int argc, char *argv[])
{
	char word[] = "show", *show[] = { word, NULL };
	const struct command *command;

	while (argc && (!strcmp(*argv, "-j") || !strcmp(*argv, "--json"))) {
		want_json = true;
		argc--;
		argv++;
	}
	if (!argc)
		return cmd_show(1, show);
	if (is_help(*argv))
		return cmd_help(1, argv);
	if (!strcmp(*argv, "--version") || !strcmp(*argv, "-v"))
		return cmd_version(1, argv);
	command = command_find(*argv);
	return command ? run(command, argc, argv) : unknown_command(*argv);
}

int main(int argc, char *argv[])
{
	/* A buffer of our own, to erase the keys that were printed. */
	static char buffer[BUFSIZ];
	int status;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	status = dispatch(argc - 1, argv + 1);
	if (fflush(stdout) || ferror(stdout)) {
		complain(NULL, "standard output: %s", strerror(errno));
		status = STATUS_FAILED;
	}
	explicit_bzero(buffer, sizeof(buffer));
	return status;
}
