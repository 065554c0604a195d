// SPDX-License-Identifier: GPL-2.0
/* All that a client needs, in one file of vpnd's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libcred/file.h"
#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "../libvpn/text.h"
#include "command.h"
#include "complain.h"
#include "issue.h"
#include "options.h"
#include "parse.h"
#include "secret.h"

/* More than certificates and keys of a client take. */
#define TEXT_MAX	65536
#define SERVER_KEY	"/etc/vpn/server.pub"

struct profile {
	struct issuing issuing;
	const char *server, *server_key, *server_certificate;
	bool qr;
	uint8_t key[VPN_KEY_LEN];	/* the server's */
	char *certificate, *ca;		/* PEM; the server's, and who signed it */
	size_t certificate_len, ca_len;
};

static bool check_server(const char *server)
{
	const struct origin at = { .word = "--server" };
	char *copy = strdup(server), *host, *port;
	bool good;

	good = copy && vpn_endpoint_split(copy, &host, &port) && atoi(port) >= 1 &&
	       atoi(port) <= UINT16_MAX && !port[strspn(port, "0123456789")] &&
	       text_is_name(server) && !strpbrk(server, "\"\\ ");
	free(copy);
	return good ||
	       complain(&at,
			"'%s' is not an endpoint; an endpoint is HOST:PORT, as in vpn.example.com:51820",
			server);
}

static int read_server(struct profile *p)
{
	char *path = cred_authority_path(issue_folder(p->issuing.folder), NULL, "ca.crt", NULL);
	struct vpn_error err = { .text = "memory is out" };

	if (!path || cred_file_read(path, &p->ca, &p->ca_len, &err)) {
		free(path);
		return complain_error(&err);
	}
	free(path);
	if (p->server_certificate)
		return cred_file_read(p->server_certificate, &p->certificate, &p->certificate_len,
				      &err) ? complain_error(&err) : 0;
	return issue_read_public(p->server_key ? p->server_key : SERVER_KEY, p->key) ? 0 :
	       !complain(NULL,
			 "the server's key is needed: give --server-key, or --server-certificate, or do it on the server");
}

static void put_key(FILE *to, const char *name, const uint8_t key[VPN_KEY_LEN])
{
	char text[VPN_KEY_BASE64_LEN + 1];

	vpn_key_to_base64(key, text);
	fprintf(to, "%s = \"%s\"\n", name, text);
	explicit_bzero(text, sizeof(text));
}

/* The certificate alone, whatever else is in the file. */
static void put_pem(FILE *to, const char *name, const char *text)
{
	static const char end[] = "-----END CERTIFICATE-----";
	const char *from = strstr(text, "-----BEGIN CERTIFICATE-----");
	const char *until = from ? strstr(from, end) : NULL;

	if (until)
		fprintf(to, "%s = \"\"\"\n%.*s\n\"\"\"\n", name,
			(int)(until - from + strlen(end)), from);
}

static void put(FILE *to, const struct profile *p)
{
	fprintf(to, "[client]\nserver_address = \"%s\"\n", p->server);
	if (p->certificate)
		put_pem(to, "server_certificate", p->certificate);
	else
		put_key(to, "server_public_key", p->key);
	fputs("[security]\n", to);
	if (p->issuing.key_path)
		put_key(to, "private_key", p->issuing.private_key);
	put_pem(to, "certificate", p->issuing.certificate);
	if (p->certificate)
		put_pem(to, "ca_certificate", p->ca);
}

static int print(const struct profile *p)
{
	static char text[TEXT_MAX];
	FILE *to = secret_text_open(text, sizeof(text));

	if (!to)
		return STATUS_FAILED;
	put(to, p);
	return secret_text_print(to, text, sizeof(text), "profile", p->qr);
}

static int run(struct profile *p)
{
	int status = read_server(p);

	if (!status)
		status = issue(&p->issuing);
	if (!status && p->issuing.key_path && !p->qr)
		secret_warn_of_readers();
	return status ? status : print(p);
}

int cmd_profile(int argc, char *argv[])
{
	struct profile p = { .server = NULL };
	const struct option_of options[] = {
		{ "--server", .value = &p.server }, { "--server-key", .value = &p.server_key },
		{ "--server-certificate", .value = &p.server_certificate },
		{ "--dir", .value = &p.issuing.folder }, { "--role", .value = &p.issuing.role },
		{ "--days", .value = &p.issuing.days }, { "--for", .value = &p.issuing.span },
		{ "--public-key", .value = &p.issuing.public_key }, { "--qr", .flag = &p.qr },
		{ }
	};
	int status;

	argc = options_take("profile", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc != 2 || !p.server)
		return complain_usage("profile",
				      "a name, and '--server' with HOST:PORT, are needed");
	if (!check_server(p.server))
		return STATUS_FAILED;
	p.issuing.name = argv[1];
	status = run(&p);
	issue_free(&p.issuing);
	free(p.certificate);
	free(p.ca);
	return status;
}
