// SPDX-License-Identifier: GPL-2.0
/* The process that reads credentials. */
#include "verifier.h"
#include "verifying.h"

#ifdef HAVE_AUTH

#include <errno.h>
#include <linux/capability.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../libcred/token.h"
#include "../libcred/x509.h"

/* More than any revocation list takes. */
#define MEMORY_MAX	(1024UL * 1024 * 1024)

/* What is trusted, once it has been read. */
struct trust {
	const char *ca, *crl;
	size_t ca_len, crl_len;
	char *oid;
	struct cred_token_rules rules;
	struct cred_x509 *x509;		/* NULL: no certificate is good */
	struct cred_tokens *tokens;	/* NULL: no token is */
};

/*
 * Rights
 */

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } }, now[2];
	int capability;

	for (capability = 0; !prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); capability++)
		;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) || syscall(SYS_capget, &header, now))
		return false;
	return !now[0].effective && !now[1].effective && !now[0].permitted && !now[1].permitted;
}

static void set_limit(int resource, rlim_t value)
{
	const struct rlimit limit = { value, value };

	setrlimit(resource, &limit);
}

/* The user is another one already (nursery.c), and where that is allowed the network. */
static bool drop_rights(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_FSIZE, 0);
	set_limit(RLIMIT_NPROC, 0);
	set_limit(RLIMIT_AS, MEMORY_MAX);
	return drop_capabilities() && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static bool allow_calls(scmp_filter_ctx filter)
{
	static const int calls[] = {
		SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(exit),
		SCMP_SYS(exit_group), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
		SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime),
		SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid),
	};
	static const int mapping[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	size_t i;
	bool good = true;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		good &= !seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	/* Memory, but none that could be run. */
	for (i = 0; i < 2; i++)
		good &= !seccomp_rule_add(filter, SCMP_ACT_ALLOW, mapping[i], 1,
					  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return good;
}

/*
 * Whoever tries these is not our program any more. There is one thread; to ask whether
 * the kernel can end processes as well takes a call that a unit may not allow.
 */
static bool forbid_calls(scmp_filter_ctx filter)
{
	static const int calls[] = {
		SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(socket),
		SCMP_SYS(connect), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	};
	size_t i;
	bool good = true;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		good &= !seccomp_rule_add(filter, SCMP_ACT_KILL, calls[i], 0);
	return good;
}

/* All else fails as if it were not there. */
static bool lock_up(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool good;

	good = filter && allow_calls(filter) && forbid_calls(filter) && !seccomp_load(filter);
	seccomp_release(filter);
	return good;
}

/* What the libraries read from files, they read now. */
static void prepare(void)
{
	unsigned char octet;
	struct tm tm;
	time_t now = time(NULL);

	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
			    OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
	EVP_MD_free(EVP_MD_fetch(NULL, "SHA256", NULL));
	RAND_bytes(&octet, 1);
	tzset();
	gmtime_r(&now, &tm);
	timegm(&tm);
}

/*
 * What is trusted
 */

static char *read_trust(size_t *len)
{
	off_t size = lseek(VERIFYING_TRUST, 0, SEEK_END);
	char *data = size >= 0 ? malloc(size + 1) : NULL;
	ssize_t got;

	*len = 0;
	lseek(VERIFYING_TRUST, 0, SEEK_SET);
	while (data && *len < (size_t)size) {
		got = read(VERIFYING_TRUST, data + *len, size - *len);
		if (got <= 0)
			break;
		*len += got;
	}
	close(VERIFYING_TRUST);
	return data;
}

static int add_key(struct trust *trust, const char *name, size_t name_len, const char *data,
		   size_t len, struct vpn_error *err)
{
	char kid[256];
	int ret;

	snprintf(kid, sizeof(kid), "%.*s", (int)name_len, name);
	ret = cred_tokens_add(trust->tokens, kid, data, len, err);
	if (ret) {
		char text[400];

		snprintf(text, sizeof(text), "%.390s", err->text);
		vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL, "the key '%s' of tokens %s", kid,
			      text);
	}
	return ret;
}

static void take_part(struct trust *trust, uint32_t part, const char *data, size_t len)
{
	switch (part) {
	case PART_CA:
		trust->ca = data;
		trust->ca_len = len;
		break;
	case PART_CRL:
		trust->crl = data;
		trust->crl_len = len;
		break;
	case PART_OID:
		trust->oid = strndup(data, len);
		break;
	case PART_ISSUER:
		trust->rules.issuer = strndup(data, len);
		break;
	case PART_AUDIENCE:
		trust->rules.audience = strndup(data, len);
		break;
	case PART_ALGORITHMS:
		trust->rules.algorithms = strndup(data, len);
		break;
	case PART_BOUND:
		trust->rules.bound = true;
		break;
	}
}

/* First what there is one of, then the keys, which need that. */
static int walk(struct trust *trust, const char *data, size_t len, bool keys,
		struct vpn_error *err)
{
	struct verifying_record record;
	const char *name, *part;
	size_t at = 0;
	int ret = 0;

	while (!ret && len - at >= sizeof(record)) {
		memcpy(&record, data + at, sizeof(record));
		name = data + at + sizeof(record);
		part = name + record.name_len;
		at += sizeof(record) + record.name_len + record.data_len;
		if (keys && record.part == PART_KEY)
			ret = add_key(trust, name, record.name_len, part, record.data_len, err);
		else if (!keys)
			take_part(trust, record.part, part, record.data_len);
	}
	return ret;
}

static int build_trust(struct trust *trust, const char *data, size_t len, struct vpn_error *err)
{
	int ret;

	walk(trust, data, len, false, err);
	trust->tokens = cred_tokens_open(&trust->rules);
	if (!trust->tokens)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	ret = walk(trust, data, len, true, err);
	if (ret || !trust->ca)
		return ret;
	trust->x509 = cred_x509_open(trust->ca, trust->ca_len, trust->crl, trust->crl_len,
				     trust->oid, err);
	if (!trust->x509) {
		char text[400];

		snprintf(text, sizeof(text), "%.390s", err->text);
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
				     "what ca_certificate_path and crl_path name %s", text);
	}
	return 0;
}

/*
 * Questions
 */

static void judge(const struct trust *trust, const struct verifying_question *q,
		  struct cred_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	if (q->len > sizeof(q->octets))
		cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED, "credential is too long");
	else if (q->kind == VPN_CREDENTIAL_KIND_X509 && trust->x509)
		cred_x509_check(trust->x509, q->octets, q->len, q->key, CRED_CLIENT, q->now,
				verdict);
	else if (q->kind == VPN_CREDENTIAL_KIND_JWT)
		cred_token_check(trust->tokens, (const char *)q->octets, q->len, q->key, q->now,
				 verdict);
	else
		cred_refuse(verdict, VPN_REJECT_REASON_UNAUTHORISED, "%s is not accepted here",
			    q->kind == VPN_CREDENTIAL_KIND_X509 ? "certificate" :
			    "this kind of credential");
}

static bool send_answer(const struct verifying_answer *answer)
{
	return write(VERIFYING_SOCKET, answer, sizeof(*answer)) == sizeof(*answer);
}

static int answer_questions(const struct trust *trust)
{
	static struct verifying_question question;
	static struct verifying_answer answer;

	/* The other end is closed when nobody wants to know any more. */
	while (read(VERIFYING_SOCKET, &question, sizeof(question)) == sizeof(question)) {
		answer.id = question.id;
		judge(trust, &question, &answer.verdict);
		explicit_bzero(&question, sizeof(question));
		if (!send_answer(&answer))
			return 1;
	}
	return 0;
}

int verifier_main(void)
{
	static struct verifying_answer ready;
	struct trust trust = { };
	struct vpn_error err = { .text = "" };
	char *data;
	size_t len;

	prepare();
	data = read_trust(&len);
	if (!drop_rights() || !lock_up()) {
		snprintf(ready.text, sizeof(ready.text),
			 "the process that reads credentials cannot be locked up: %s",
			 strerror(errno));
		send_answer(&ready);
		return 1;
	}
	/* Not before: it comes from files, which may be wrong. */
	if (!data || build_trust(&trust, data, len, &err))
		snprintf(ready.text, sizeof(ready.text), "%s",
			 data ? err.text : "what is trusted cannot be read");
	if (trust.x509)
		ready.next_update = cred_x509_next_update(trust.x509);
	if (!send_answer(&ready) || *ready.text)
		return 1;
	return answer_questions(&trust);
}

#else

#include <stdio.h>
#include <unistd.h>

int verifier_main(void)
{
	static struct verifying_answer ready = {
		.text =
			"this vpnd was compiled without libjwt and libseccomp, so it cannot judge certificates and tokens; install libjwt-dev and libseccomp-dev, and compile it again",
	};

	return write(VERIFYING_SOCKET, &ready, sizeof(ready)) != sizeof(ready);
}

#endif
