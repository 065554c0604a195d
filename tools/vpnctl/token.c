// SPDX-License-Identifier: GPL-2.0
/* JSON web tokens. */
#include "command.h"
#include "complain.h"

#ifdef HAVE_JWT

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../libcred/file.h"
#include "../libcred/token.h"
#include "issue.h"
#include "moment.h"
#include "options.h"
#include "secret.h"

#define TOKEN_DAYS	30

/* "2026" for "/etc/vpn/tokens/2026.pem" */
static void kid_of(const char *path, char kid[CRED_KID_MAX + 1])
{
	const char *base = strrchr(path, '/');
	char *dot;

	snprintf(kid, CRED_KID_MAX + 1, "%s", base ? base + 1 : path);
	dot = strrchr(kid, '.');
	if (dot && dot != kid)
		*dot = '\0';
}

static int sign(const struct cred_claims *claims, const char *path, const char *kid,
		const char *algorithm)
{
	char own[CRED_KID_MAX + 1], *data, *text;
	struct vpn_error err;
	size_t len;
	int ret;

	kid_of(path, own);
	if (cred_file_read(path, &data, &len, &err))
		return complain_error(&err);
	ret = cred_token_sign(claims, kid ? kid : own, algorithm, data, len, &text, &err);
	cred_file_free(data, len);
	if (ret)
		return !complain(NULL, "'%s' %s", path, err.text);
	secret_warn_of_readers();
	puts(text);
	explicit_bzero(text, strlen(text));
	free(text);
	return 0;
}

static int token_issue(int argc, char *argv[])
{
	const char *path = NULL, *kid = NULL, *algorithm = NULL, *days = NULL, *span = NULL,
		*public_key = NULL;
	struct cred_claims claims = { .issued = time(NULL) };
	const struct option_of options[] = {
		{ "--key", .value = &path }, { "--kid", .value = &kid },
		{ "--algorithm", .value = &algorithm }, { "--role", .value = &claims.role },
		{ "--audience", .value = &claims.audience },
		{ "--issuer", .value = &claims.issuer }, { "--id", .value = &claims.id },
		{ "--days", .value = &days }, { "--for", .value = &span },
		{ "--public-key", .value = &public_key }, { }
	};
	uint8_t key[VPN_KEY_LEN];
	int64_t seconds;

	argc = options_take("token", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc != 2 || !path)
		return complain_usage("token", "a name, and '--key' with a file, are needed");
	if (!options_lifetime(days, span, TOKEN_DAYS * 86400, &seconds) ||
	    (public_key && !issue_read_public(public_key, key)))
		return STATUS_FAILED;
	claims.subject = argv[1];
	claims.expires = claims.issued + seconds;
	claims.key = public_key ? key : NULL;
	return sign(&claims, path, kid, algorithm);
}

static int token_show(int argc, char *argv[])
{
	struct vpn_error err;
	char *data, *said;
	size_t len;

	if (argc != 2)
		return complain_usage("token", "one file is needed");
	if (cred_file_read(argv[1], &data, &len, &err))
		return complain_error(&err);
	said = cred_token_describe(data, len);
	cred_file_free(data, len);
	if (!said)
		return !complain(NULL,
				 "'%s' is not a token; a token is three parts of base64url with dots between",
				 argv[1]);
	puts(said);
	free(said);
	return 0;
}

static int add_keys(struct cred_tokens *tokens, const struct option_list *paths)
{
	char kid[CRED_KID_MAX + 1], *data;
	struct vpn_error err;
	unsigned int i;
	size_t len;
	int ret;

	for (i = 0; i < paths->count; i++) {
		if (cred_file_read(paths->words[i], &data, &len, &err))
			return complain_error(&err);
		kid_of(paths->words[i], kid);
		ret = cred_tokens_add(tokens, kid, data, len, &err);
		cred_file_free(data, len);
		if (ret)
			return !complain(NULL, "'%s' %s", paths->words[i], err.text);
	}
	return 0;
}

static size_t trimmed(const char *data, size_t len)
{
	while (len && strchr(" \t\r\n", data[len - 1]))
		len--;
	return len;
}

static int verify(const struct cred_tokens *tokens, const char *path, const uint8_t *key)
{
	struct cred_verdict verdict;
	struct vpn_error err;
	char date[MOMENT_TEXT];
	size_t len;
	char *data;
	bool good;

	if (cred_file_read(path, &data, &len, &err))
		return complain_error(&err);
	good = cred_token_check(tokens, data, trimmed(data, len), key, time(NULL), &verdict);
	cred_file_free(data, len);
	if (!good)
		return !complain(NULL, "'%s': %s", path, verdict.text);
	moment_format(verdict.expires * NSEC_PER_SEC, date);
	printf("%s: is good for '%s'%s%s%s until %s\n", path, verdict.name,
	       *verdict.role ? ", role '" : "", verdict.role, *verdict.role ? "'," : "", date);
	return 0;
}

static int token_verify(int argc, char *argv[])
{
	struct cred_token_rules rules = { .issuer = NULL };
	struct option_list paths = { .count = 0 };
	const char *public_key = NULL;
	const struct option_of options[] = {
		{ "--key", .list = &paths }, { "--audience", .value = &rules.audience },
		{ "--issuer", .value = &rules.issuer }, { "--public-key", .value = &public_key },
		{ }
	};
	struct cred_tokens *tokens;
	uint8_t key[VPN_KEY_LEN];
	int status;

	argc = options_take("token", options, argc, argv);
	if (argc < 0)
		return STATUS_USAGE;
	if (argc != 2 || !paths.count)
		return complain_usage("token", "a file, and '--key' with another one, are needed");
	if (public_key && !issue_read_public(public_key, key))
		return STATUS_FAILED;
	tokens = cred_tokens_open(&rules);
	if (!tokens)
		return STATUS_FAILED;
	status = add_keys(tokens, &paths);
	if (!status)
		status = verify(tokens, argv[1], public_key ? key : NULL);
	cred_tokens_free(tokens);
	return status;
}

int cmd_token(int argc, char *argv[])
{
	static const struct verb verbs[] = {
		{ "issue", token_issue }, { "show", token_show }, { "verify", token_verify },
		{ NULL, NULL }
	};

	return verb_run(verbs, argc, argv);
}

#else

int cmd_token(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	return !complain(NULL,
			 "this vpnctl was compiled without libjwt; install libjwt-dev and libjansson-dev, and compile it again");
}

#endif
