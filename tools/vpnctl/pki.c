// SPDX-License-Identifier: GPL-2.0
/* A certificate authority in a folder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../libcred/authority.h"
#include "../libcred/file.h"
#include "../libcred/x509.h"
#include "../libvpn/credential.h"
#include "../libvpn/key.h"
#include "command.h"
#include "complain.h"
#include "issue.h"
#include "moment.h"
#include "options.h"
#include "out.h"

#define CA_DAYS		3650
#define LIST_DAYS	30

static int too_many(const char *word)
{
	return complain_usage("pki", "'%s' is one argument too many", word);
}

static void print_path(const char *what, const char *folder, const char *part, const char *name,
		       const char *ending)
{
	char *path = cred_authority_path(folder, part, name, ending);

	printf("%s: %s\n", what, path ? path : name);
	free(path);
}

static int pki_init(int argc, char *argv[])
{
	const char *folder = NULL, *name = NULL, *kind = NULL, *days = NULL, *span = NULL;
	const struct option_of options[] = {
		{ "--dir", .value = &folder }, { "--name", .value = &name },
		{ "--key", .value = &kind }, { "--days", .value = &days },
		{ "--for", .value = &span }, { }
	};
	struct vpn_error err;
	int64_t seconds;

	argc = options_take("pki", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc > 1)
		return too_many(argv[1]);
	if (!options_lifetime(days, span, (int64_t)CA_DAYS * 86400, &seconds))
		return STATUS_FAILED;
	folder = issue_folder(folder);
	if (cred_authority_make(folder, name ? name : "VPN CA", kind ? kind : "ed25519", seconds,
				&err))
		return complain_error(&err);
	print_path("CA certificate", folder, NULL, "ca.crt", NULL);
	print_path("revocation list", folder, NULL, "crl.pem", NULL);
	return 0;
}

static int pki_issue(int argc, char *argv[])
{
	struct issuing i = { 0 };
	const struct option_of options[] = {
		{ "--dir", .value = &i.folder }, { "--role", .value = &i.role },
		{ "--days", .value = &i.days }, { "--for", .value = &i.span },
		{ "--public-key", .value = &i.public_key }, { "--host", .list = &i.hosts },
		{ "--server", .flag = &i.server }, { }
	};
	int status;

	argc = options_take("pki", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc < 2)
		return complain_usage("pki", "a name is needed, of whom the certificate is for");
	if (argc > 2)
		return too_many(argv[2]);
	i.name = argv[1];
	status = issue(&i);
	if (!status)
		print_path("certificate", issue_folder(i.folder), "certs", i.name, ".crt");
	if (!status && i.key_path)
		printf("private key: %s\n", i.key_path);
	issue_free(&i);
	return status;
}

static int pki_revoke(int argc, char *argv[])
{
	const char *folder = NULL;
	const struct option_of options[] = { { "--dir", .value = &folder }, { } };
	struct cred_authority *ca;
	struct vpn_error err;
	unsigned int count;
	int i, status = 0;

	argc = options_take("pki", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc < 2)
		return complain_usage("pki", "a name or a serial number is needed");
	if (cred_authority_open(issue_folder(folder), &ca, &err))
		return complain_error(&err);
	for (i = 1; i < argc && !status; i++) {
		if (cred_authority_revoke(ca, argv[i], &count, &err))
			status = complain_error(&err);
		else
			printf("%s: %u revoked\n", argv[i], count);
	}
	cred_authority_close(ca);
	return status;
}

static int pki_crl(int argc, char *argv[])
{
	const char *folder = NULL, *days = NULL, *span = NULL;
	const struct option_of options[] = {
		{ "--dir", .value = &folder }, { "--days", .value = &days },
		{ "--for", .value = &span }, { }
	};
	struct cred_authority *ca;
	struct vpn_error err;
	int64_t seconds;
	int ret;

	argc = options_take("pki", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc > 1)
		return too_many(argv[1]);
	if (!options_lifetime(days, span, LIST_DAYS * 86400, &seconds))
		return STATUS_FAILED;
	if (cred_authority_open(issue_folder(folder), &ca, &err))
		return complain_error(&err);
	ret = cred_authority_list(ca, seconds, &err);
	cred_authority_close(ca);
	if (ret)
		return complain_error(&err);
	print_path("revocation list", issue_folder(folder), NULL, "crl.pem", NULL);
	return 0;
}

static const char *state_of(const struct cred_issued *issued)
{
	return issued->revoked ? "revoked" : issued->expires <= time(NULL) ? "expired" : "valid";
}

/* A date in words; in JSON it is seconds since the epoch. */
static void put_date(const char *json, const char *label, int64_t seconds)
{
	const struct out_field field = { json, label, HEADING_NONE };
	char text[CRED_DATE_TEXT];

	cred_date(seconds, text);
	out_number(&field, seconds, NULL, text);
}

static void put_text(const char *json, const char *label, const char *text)
{
	const struct out_field field = { json, label, HEADING_NONE };

	out_string(&field, *text ? text : NULL);
}

static void put_issued(const struct cred_issued *issued)
{
	out_object(NULL);
	put_text("name", NULL, issued->name);
	put_text("role", "role", issued->role);
	put_text("state", "state", state_of(issued));
	put_date("expires", "until", issued->expires);
	if (issued->revoked)
		put_date("revoked", "revoked", issued->revoked_at);
	put_text("serial", "serial", issued->serial);
	out_object_end();
}

static int pki_list(int argc, char *argv[])
{
	const char *folder = NULL;
	const struct option_of options[] = { { "--dir", .value = &folder }, { } };
	const struct cred_issued *issued;
	struct cred_authority *ca;
	struct vpn_error err;
	unsigned int count, i;

	argc = options_take("pki", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc > 1)
		return too_many(argv[1]);
	if (cred_authority_open(issue_folder(folder), &ca, &err))
		return complain_error(&err);
	issued = cred_authority_issued(ca, &count);
	out_begin(want_json ? OUT_JSON : OUT_LINE);
	out_array(NULL);
	for (i = 0; i < count; i++)
		put_issued(&issued[i]);
	out_array_end();
	if (want_json)
		out_end_line();
	cred_authority_close(ca);
	return 0;
}

/* A file, or the name of somebody to whom one was issued. */
static char *find_certificate(const char *folder, const char *word)
{
	char *path;

	if (strchr(word, '/') || !access(word, F_OK))
		return strdup(word);
	path = cred_authority_path(issue_folder(folder), "certs", word, ".crt");
	if (path && access(path, F_OK) && strcmp(word, "ca") == 0) {
		free(path);
		path = cred_authority_path(issue_folder(folder), NULL, "ca.crt", NULL);
	}
	return path;
}

static int read_certificate(const char *path, struct vpn_credential *credential)
{
	struct vpn_error err;
	size_t len;
	char *data;
	int ret;

	if (cred_file_read(path, &data, &len, &err))
		return complain_error(&err);
	ret = vpn_credential_recognise(data, len, credential, &err);
	cred_file_free(data, len);
	if (ret)
		return !complain(NULL, "'%s' %s", path, err.text);
	if (credential->kind == VPN_CREDENTIAL_KIND_X509)
		return 0;
	free(credential->octets);
	return !complain(NULL, "'%s' is a token; 'vpnctl token show' shows it", path);
}

static int show_certificate(const char *path)
{
	char key[VPN_KEY_BASE64_LEN + 1] = "", role[CRED_ROLE_MAX + 1];
	struct vpn_credential credential;
	struct cred_certificate what;
	int status = read_certificate(path, &credential);

	if (status)
		return status;
	cred_x509_describe(credential.octets, credential.len, &what);
	free(credential.octets);
	if (what.has_key)
		vpn_key_to_base64(what.key, key);
	snprintf(role, sizeof(role), "%s", what.verdict.role);
	out_begin(want_json ? OUT_JSON : OUT_PRETTY);
	out_object(NULL);
	put_text("name", "name", what.verdict.name);
	put_text("role", "role", role);
	put_text("issuer", "issuer", what.issuer);
	put_text("serial", "serial", what.verdict.id);
	put_date("not_before", "from", what.not_before);
	put_date("expires", "until", what.verdict.expires);
	put_text("usage", "for", what.usage);
	put_text("public_key", "public key", key);
	out_object_end();
	if (want_json)
		out_end_line();
	return 0;
}

static int pki_show(int argc, char *argv[])
{
	const char *folder = NULL;
	const struct option_of options[] = { { "--dir", .value = &folder }, { } };
	char *path;
	int status;

	argc = options_take("pki", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc != 2)
		return complain_usage("pki", "one name or file is needed");
	path = find_certificate(folder, argv[1]);
	status = path ? show_certificate(path) : !complain(NULL, "%s", strerror(ENOMEM));
	free(path);
	return status;
}

struct verifying {
	const char *folder, *ca, *crl, *oid, *public_key, *host, *at;
	bool server;
	char *certificates, *lists;	/* contents of files */
	size_t certificates_len, lists_len;
};

/* The list of the CA's own folder is taken when the CA's certificate is. */
static bool read_trust(struct verifying *v)
{
	char *ca = v->ca ? strdup(v->ca) :
		   cred_authority_path(issue_folder(v->folder), NULL, "ca.crt", NULL);
	char *crl = v->crl ? strdup(v->crl) : v->ca ? NULL :
		    cred_authority_path(issue_folder(v->folder), NULL, "crl.pem", NULL);
	struct vpn_error err = { .text = "memory is out" };
	bool good;

	good = ca && !cred_file_read(ca, &v->certificates, &v->certificates_len, &err) &&
	       (!crl || !cred_file_read(crl, &v->lists, &v->lists_len, &err));
	free(ca);
	free(crl);
	return good || !complain_error(&err);
}

static int print_verdict(const char *path, const struct cred_verdict *verdict)
{
	char date[MOMENT_TEXT];

	if (verdict->reason)
		return !complain(NULL, "'%s': %s", path, verdict->text);
	moment_format(verdict->expires * NSEC_PER_SEC, date);
	printf("%s: is good for '%s'%s%s%s until %s\n", path, verdict->name,
	       *verdict->role ? ", role '" : "", verdict->role, *verdict->role ? "'," : "", date);
	return 0;
}

static int judge(const struct verifying *v, const char *path, const uint8_t *key, time_t now)
{
	struct vpn_credential credential;
	struct cred_verdict verdict;
	struct cred_x509 *trust;
	struct vpn_error err;
	int status;

	trust = cred_x509_open(v->certificates, v->certificates_len, v->lists, v->lists_len,
			       v->oid, &err);
	if (!trust)
		return !complain(NULL, "what is trusted %s", err.text);
	status = read_certificate(path, &credential);
	if (!status) {
		if (cred_x509_check(trust, credential.octets, credential.len, key,
				    v->server || v->host ? CRED_SERVER : CRED_CLIENT, now,
				    &verdict) && v->host &&
		    !cred_x509_is_for(credential.octets, credential.len, v->host))
			cred_refuse(&verdict, VPN_REJECT_REASON_UNAUTHORISED,
				    "certificate is not for the host '%s'", v->host);
		status = print_verdict(path, &verdict);
		free(credential.octets);
	}
	cred_x509_free(trust);
	return status;
}

static int pki_verify(int argc, char *argv[])
{
	struct verifying v = { .folder = NULL };
	const struct option_of options[] = {
		{ "--dir", .value = &v.folder }, { "--ca", .value = &v.ca },
		{ "--crl", .value = &v.crl }, { "--role-extension", .value = &v.oid },
		{ "--public-key", .value = &v.public_key }, { "--host", .value = &v.host },
		{ "--server", .flag = &v.server }, { "--at", .value = &v.at }, { }
	};
	uint64_t moment = time(NULL) * NSEC_PER_SEC;
	const struct origin at = { .word = "--at" };
	uint8_t key[VPN_KEY_LEN];
	int status = STATUS_FAILED;

	argc = options_take("pki", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc != 2)
		return complain_usage("pki", "one file with a certificate is needed");
	if ((v.at && !parse_moment(&at, v.at, &moment)) ||
	    (v.public_key && !issue_read_public(v.public_key, key)))
		return STATUS_FAILED;
	if (read_trust(&v))
		status = judge(&v, argv[1], v.public_key ? key : NULL, moment / NSEC_PER_SEC);
	cred_file_free(v.certificates, v.certificates_len);
	cred_file_free(v.lists, v.lists_len);
	return status;
}

int cmd_pki(int argc, char *argv[])
{
	static const struct verb verbs[] = {
		{ "init", pki_init }, { "issue", pki_issue }, { "revoke", pki_revoke },
		{ "list", pki_list }, { "show", pki_show }, { "crl", pki_crl },
		{ "verify", pki_verify }, { NULL, NULL }
	};

	return verb_run(verbs, argc, argv);
}
