// SPDX-License-Identifier: GPL-2.0
#include "authority.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libvpn/text.h"
#include "file.h"

#define RSA_BITS	3072
#define SERIAL_BITS	127
/* Clocks are not all right: what is issued now was good some minutes ago. */
#define SLACK_SECONDS	300
/* When a list of who was revoked is to be looked for again. */
#define LIST_SECONDS	(30 * 86400)

struct cred_authority {
	char *folder;
	int lock;
	X509 *certificate;
	EVP_PKEY *key;
	struct cred_issued *issued;
	unsigned int count;
};

static int failed(struct vpn_error *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	int ret = vpn_error_set(err, VPN_FAULT_SYSTEM, EIO, "%s: %s", what,
				reason ? reason : strerror(ENOMEM));

	ERR_clear_error();
	return ret;
}

char *cred_authority_path(const char *folder, const char *part, const char *name,
			  const char *ending)
{
	char *path;

	if (asprintf(&path, "%s/%s%s%s%s", folder, part ? part : "", part ? "/" : "", name,
		     ending ? ending : "") < 0)
		return NULL;
	return path;
}

/* A file of the folder. */
static int write_part(const char *folder, const char *part, const char *name, const char *ending,
		      mode_t mode, BIO *from, struct vpn_error *err)
{
	char *path = cred_authority_path(folder, part, name, ending), *data;
	long len = BIO_get_mem_data(from, &data);
	int ret;

	ret = path ? cred_file_write(path, mode, data, len, err) : failed(err, name);
	free(path);
	return ret;
}

static int make_folder(const char *folder, const char *part, mode_t mode, struct vpn_error *err)
{
	char *path = cred_authority_path(folder, NULL, part ? part : "", NULL);
	int ret = 0;

	if (!path || (mkdir(path, mode) && errno != EEXIST))
		ret = vpn_error_set(err, VPN_FAULT_SYSTEM, errno, "'%s' cannot be made: %s",
				    path ? path : folder, strerror(errno));
	free(path);
	return ret;
}

/* Names become names of files, and parts of a line of the index. */
static int check_name(const char *what, const char *name, struct vpn_error *err)
{
	if (*name && *name != '.' && !strchr(name, '/') && text_is_name(name))
		return 0;
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
			     "%s '%s' is not right; it has 1 to %u octets of UTF-8 without '/', '#', control characters, or a dot at its beginning",
			     what, name, VPN_NAME_MAX);
}

static bool make_rsa(EVP_PKEY **key)
{
	*key = EVP_RSA_gen(RSA_BITS);
	return *key;
}

static bool make_ecdsa(EVP_PKEY **key)
{
	*key = EVP_EC_gen("P-256");
	return *key;
}

static bool make_ed25519(EVP_PKEY **key)
{
	*key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return *key;
}

static int make_key(const char *kind, EVP_PKEY **key, struct vpn_error *err)
{
	static const struct {
		const char *name;
		bool (*make)(EVP_PKEY **key);
	} kinds[] = {
		{ "ed25519", make_ed25519 }, { "ecdsa", make_ecdsa }, { "rsa", make_rsa },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i].name, kind))
			return kinds[i].make(key) ? 0 : failed(err, "no key can be made");
	}
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
			     "'%s' is no kind of key for a CA; there are ed25519, ecdsa and rsa",
			     kind);
}

/*
 * Certificates
 */

/* These sign with a hash of their own choice. */
static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	return EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

static bool add_extension(X509 *certificate, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	bool good = extension && X509_add_ext(certificate, extension, -1);

	X509_EXTENSION_free(extension);
	return good;
}

static bool add_text(X509_NAME *subject, const char *field, const char *text)
{
	return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
					  (const unsigned char *)text, -1, -1, 0);
}

static bool set_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	bool good;

	good = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
	       BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return good;
}

static bool set_dates(X509 *certificate, const X509 *issuer, int64_t seconds)
{
	const ASN1_TIME *last = issuer ? X509_get0_notAfter(issuer) : NULL;
	time_t now = time(NULL);

	if (!X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -SLACK_SECONDS, &now) ||
	    !X509_time_adj_ex(X509_getm_notAfter(certificate), seconds / 86400, seconds % 86400,
			      &now))
		return false;
	return !last || ASN1_TIME_compare(last, X509_get0_notAfter(certificate)) >= 0 ||
	       X509_set1_notAfter(certificate, last);
}

static X509 *new_certificate(const char *name, const char *role, EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = certificate ? X509_get_subject_name(certificate) : NULL;

	if (certificate && X509_set_version(certificate, X509_VERSION_3) &&
	    set_serial(certificate) && (!role || add_text(subject, "OU", role)) &&
	    add_text(subject, "CN", name) && X509_set_pubkey(certificate, key))
		return certificate;
	X509_free(certificate);
	return NULL;
}

/* By itself. */
static X509 *make_root(const char *name, EVP_PKEY *key, int64_t seconds)
{
	X509 *root = new_certificate(name, NULL, key);
	X509V3_CTX ctx;

	if (!root)
		return NULL;
	X509V3_set_ctx(&ctx, root, root, NULL, NULL, 0);
	if (set_dates(root, NULL, seconds) &&
	    X509_set_issuer_name(root, X509_get_subject_name(root)) &&
	    add_extension(root, &ctx, NID_basic_constraints, "critical,CA:TRUE") &&
	    add_extension(root, &ctx, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add_extension(root, &ctx, NID_subject_key_identifier, "hash") &&
	    X509_sign(root, key, digest_for(key)))
		return root;
	X509_free(root);
	return NULL;
}

/* "DNS:vpn.example.com,IP:192.0.2.1"; NULL when memory is out. */
static char *alternative_names(const char *const *hosts)
{
	struct in6_addr address;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	unsigned int i;

	for (i = 0; to && hosts[i]; i++)
		fprintf(to, "%s%s:%s", i ? "," : "",
			inet_pton(AF_INET, hosts[i], &address) == 1 ||
			inet_pton(AF_INET6, hosts[i], &address) == 1 ? "IP" : "DNS", hosts[i]);
	if (!to || fclose(to))
		return NULL;
	return text;
}

static bool add_hosts(X509 *certificate, X509V3_CTX *ctx, const struct cred_request *request)
{
	char *names;
	bool good;

	if (!request->hosts || !*request->hosts)
		return true;
	names = alternative_names(request->hosts);
	good = names && add_extension(certificate, ctx, NID_subject_alt_name, names);
	free(names);
	return good;
}

static bool dress(X509 *certificate, X509V3_CTX *ctx, const struct cred_request *request)
{
	return add_extension(certificate, ctx, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(certificate, ctx, NID_key_usage, "critical,keyAgreement") &&
	       add_extension(certificate, ctx, NID_ext_key_usage,
			     request->server ? "serverAuth" : "clientAuth") &&
	       add_extension(certificate, ctx, NID_authority_key_identifier, "keyid") &&
	       add_hosts(certificate, ctx, request);
}

/* A key of X25519 cannot sign, so nothing but the key itself is asked for. */
static X509 *make_certificate(const struct cred_authority *ca, const struct cred_request *request)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, request->key,
						    VPN_KEY_LEN);
	X509 *certificate = key ? new_certificate(request->name, request->role, key) : NULL;
	X509V3_CTX ctx;
	bool good = false;

	if (certificate) {
		X509V3_set_ctx(&ctx, ca->certificate, certificate, NULL, NULL, 0);
		good = set_dates(certificate, ca->certificate, request->seconds) &&
		       X509_set_issuer_name(certificate, X509_get_subject_name(ca->certificate)) &&
		       dress(certificate, &ctx, request) &&
		       X509_sign(certificate, ca->key, digest_for(ca->key));
	}
	EVP_PKEY_free(key);
	if (good)
		return certificate;
	X509_free(certificate);
	return NULL;
}

/*
 * The index
 */

/* As certificates write it: two digits of the year until 2049, and four then. */
static void put_time(FILE *to, int64_t seconds)
{
	time_t time = seconds;
	struct tm tm;

	if (!seconds || !gmtime_r(&time, &tm))
		return;
	if (tm.tm_year < 150)
		fprintf(to, "%02d", tm.tm_year % 100);
	else
		fprintf(to, "%04d", tm.tm_year + 1900);
	fprintf(to, "%02d%02d%02d%02d%02dZ", tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		tm.tm_sec);
}

static int64_t take_time(const char *text)
{
	const size_t digits = strspn(text, "0123456789");
	ASN1_TIME *time = ASN1_TIME_new();
	char copy[20];
	int64_t seconds = 0;
	struct tm tm;

	snprintf(copy, sizeof(copy), "%.*sZ", (int)(digits < 15 ? digits : 15), text);
	if (time && *text && ASN1_TIME_set_string(time, copy) && ASN1_TIME_to_tm(time, &tm))
		seconds = timegm(&tm);
	ASN1_TIME_free(time);
	return seconds;
}

static struct cred_issued *add_issued(struct cred_authority *ca)
{
	struct cred_issued *grown = reallocarray(ca->issued, ca->count + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	ca->issued = grown;
	memset(&grown[ca->count], 0, sizeof(*grown));
	return &grown[ca->count++];
}

/* "/OU=staff/CN=alice" */
static void take_subject(struct cred_issued *issued, char *subject)
{
	char *save, *part;

	for (part = strtok_r(subject, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		if (!strncmp(part, "CN=", 3))
			snprintf(issued->name, sizeof(issued->name), "%s", part + 3);
		else if (!strncmp(part, "OU=", 3))
			snprintf(issued->role, sizeof(issued->role), "%s", part + 3);
	}
}

/* "R	271231235959Z	261101120000Z	SERIAL	unknown	/OU=staff/CN=alice" */
static bool take_line(struct cred_authority *ca, char *line)
{
	struct cred_issued *issued;
	char *fields[6];
	unsigned int i;

	for (i = 0; i < 6; i++)
		fields[i] = strsep(&line, "\t");
	if (!fields[5] || strlen(fields[3]) >= CRED_SERIAL_TEXT)
		return false;
	issued = add_issued(ca);
	if (!issued)
		return false;
	issued->revoked = *fields[0] == 'R';
	issued->expires = take_time(fields[1]);
	issued->revoked_at = take_time(fields[2]);
	strcpy(issued->serial, fields[3]);
	take_subject(issued, fields[5]);
	return true;
}

static int read_index(struct cred_authority *ca, struct vpn_error *err)
{
	char *path = cred_authority_path(ca->folder, NULL, "index.txt", NULL), *data, *at, *line;
	unsigned int number = 0;
	size_t len;
	int ret;

	ret = path ? cred_file_read(path, &data, &len, err) : failed(err, "index.txt");
	free(path);
	if (ret)
		return ret;
	for (at = data; !ret && (line = strsep(&at, "\n"));) {
		number++;
		if (*line && !take_line(ca, line))
			ret = vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL,
					    "%s/index.txt:%u: this is no line as 'openssl ca' writes it",
					    ca->folder, number);
	}
	cred_file_free(data, len);
	return ret;
}

static int write_index(const struct cred_authority *ca, struct vpn_error *err)
{
	char *path = cred_authority_path(ca->folder, NULL, "index.txt", NULL), *text = NULL;
	const struct cred_issued *issued;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int ret;

	for (issued = ca->issued; to && issued < ca->issued + ca->count; issued++) {
		fprintf(to, "%c\t", issued->revoked ? 'R' : 'V');
		put_time(to, issued->expires);
		fputc('\t', to);
		put_time(to, issued->revoked_at);
		fprintf(to, "\t%s\tunknown\t%s%s/CN=%s\n", issued->serial,
			*issued->role ? "/OU=" : "", issued->role, issued->name);
	}
	ret = to && !fclose(to) && path ? cred_file_write(path, 0600, text, size, err) :
	      failed(err, "index.txt");
	free(text);
	free(path);
	return ret;
}

static bool note_issued(struct cred_authority *ca, const X509 *certificate,
			const struct cred_request *request)
{
	struct cred_issued *issued = add_issued(ca);
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	char *serial = number ? BN_bn2hex(number) : NULL;
	struct tm tm;

	if (issued && serial && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm)) {
		issued->expires = timegm(&tm);
		snprintf(issued->serial, sizeof(issued->serial), "%s", serial);
		snprintf(issued->name, sizeof(issued->name), "%s", request->name);
		snprintf(issued->role, sizeof(issued->role), "%s",
			 request->role ? request->role : "");
	}
	BN_free(number);
	OPENSSL_free(serial);
	return issued && *issued->serial;
}

/*
 * The list of who was revoked
 */

static bool add_revoked(X509_CRL *list, const struct cred_issued *issued)
{
	ASN1_TIME *when = ASN1_TIME_set(NULL, issued->revoked_at);
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *serial = NULL;
	BIGNUM *number = NULL;
	bool good;

	good = when && entry && BN_hex2bn(&number, issued->serial) &&
	       (serial = BN_to_ASN1_INTEGER(number, NULL)) &&
	       X509_REVOKED_set_serialNumber(entry, serial) &&
	       X509_REVOKED_set_revocationDate(entry, when) && X509_CRL_add0_revoked(list, entry);
	if (!good)
		X509_REVOKED_free(entry);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(when);
	BN_free(number);
	return good;
}

static bool add_all_revoked(X509_CRL *list, const struct cred_authority *ca)
{
	unsigned int i;

	for (i = 0; i < ca->count; i++) {
		if (ca->issued[i].revoked && !add_revoked(list, &ca->issued[i]))
			return false;
	}
	return true;
}

/* It only has to grow, and the clock does, in microseconds from one list to the next. */
static bool add_number(X509_CRL *list)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	struct timespec now;
	bool good;

	clock_gettime(CLOCK_REALTIME, &now);
	good = number &&
	       ASN1_INTEGER_set_int64(number, now.tv_sec * 1000000LL + now.tv_nsec / 1000) &&
	       X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0);
	ASN1_INTEGER_free(number);
	return good;
}

static bool add_issuer(X509_CRL *list, const struct cred_authority *ca)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;
	bool good;

	X509V3_set_ctx(&ctx, ca->certificate, NULL, NULL, list, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid");
	good = extension && X509_CRL_add_ext(list, extension, -1);
	X509_EXTENSION_free(extension);
	return good;
}

static bool sign_list(X509_CRL *list, const struct cred_authority *ca, int64_t seconds)
{
	ASN1_TIME *now = ASN1_TIME_set(NULL, time(NULL));
	ASN1_TIME *next = ASN1_TIME_set(NULL, time(NULL) + seconds);
	bool good;

	good = now && next && X509_CRL_set_version(list, X509_CRL_VERSION_2) &&
	       X509_CRL_set_issuer_name(list, X509_get_subject_name(ca->certificate)) &&
	       X509_CRL_set1_lastUpdate(list, now) && X509_CRL_set1_nextUpdate(list, next) &&
	       add_all_revoked(list, ca) && add_number(list) && add_issuer(list, ca) &&
	       X509_CRL_sort(list) && X509_CRL_sign(list, ca->key, digest_for(ca->key));
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	return good;
}

int cred_authority_list(const struct cred_authority *ca, int64_t seconds, struct vpn_error *err)
{
	BIO *text = BIO_new(BIO_s_mem());
	X509_CRL *list = X509_CRL_new();
	int ret;

	if (text && list && sign_list(list, ca, seconds) && PEM_write_bio_X509_CRL(text, list))
		ret = write_part(ca->folder, NULL, "crl.pem", NULL, 0644, text, err);
	else
		ret = failed(err, "the revocation list cannot be signed");
	X509_CRL_free(list);
	BIO_free(text);
	return ret;
}

/*
 * The authority
 */

static int take_lock(struct cred_authority *ca, struct vpn_error *err)
{
	ca->lock = open(ca->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ca->lock >= 0 && !flock(ca->lock, LOCK_EX))
		return 0;
	return vpn_error_set(err, VPN_FAULT_SYSTEM, errno,
			     "'%s' cannot be opened: %s; 'vpnctl pki init' makes a CA there",
			     ca->folder, strerror(errno));
}

static int new_authority(const char *folder, struct cred_authority **made, struct vpn_error *err)
{
	struct cred_authority *ca = calloc(1, sizeof(*ca));
	int ret;

	*made = ca;
	if (!ca)
		return failed(err, folder);
	ca->lock = -1;
	ca->folder = strdup(folder);
	ret = ca->folder ? take_lock(ca, err) : failed(err, folder);
	if (!ret)
		return 0;
	cred_authority_close(ca);
	*made = NULL;
	return ret;
}

void cred_authority_close(struct cred_authority *ca)
{
	if (!ca)
		return;
	X509_free(ca->certificate);
	EVP_PKEY_free(ca->key);
	if (ca->lock >= 0)
		close(ca->lock);
	free(ca->issued);
	free(ca->folder);
	free(ca);
}

static int write_authority(struct cred_authority *ca, struct vpn_error *err)
{
	BIO *key = BIO_new(BIO_s_secmem()), *certificate = BIO_new(BIO_s_mem());
	int ret;

	if (!key || !certificate ||
	    !PEM_write_bio_PKCS8PrivateKey(key, ca->key, NULL, NULL, 0, NULL, NULL) ||
	    !PEM_write_bio_X509(certificate, ca->certificate))
		ret = failed(err, "the CA cannot be written");
	else
		ret = write_part(ca->folder, NULL, "ca.crt", NULL, 0644, certificate, err);
	if (!ret)
		ret = write_index(ca, err);
	if (!ret)
		ret = cred_authority_list(ca, LIST_SECONDS, err);
	/* Last: where there is one, there is a CA. */
	if (!ret)
		ret = write_part(ca->folder, NULL, "ca.key", NULL, 0600, key, err);
	BIO_free(key);
	BIO_free(certificate);
	return ret;
}

static int check_vacant(const char *folder, struct vpn_error *err)
{
	char *path = cred_authority_path(folder, NULL, "ca.key", NULL);
	int ret = path && access(path, F_OK) ? 0 :
		  vpn_error_set(err, VPN_FAULT_SYSTEM, EEXIST,
				"there is a CA in '%s' already; take another folder, or remove that one",
				folder);

	free(path);
	return ret;
}

static int fill_authority(struct cred_authority *ca, const char *name, const char *kind,
			  int64_t seconds, struct vpn_error *err)
{
	int ret = check_vacant(ca->folder, err);

	if (!ret)
		ret = make_key(kind, &ca->key, err);
	if (!ret)
		ret = make_folder(ca->folder, "certs", 0755, err);
	if (!ret)
		ret = make_folder(ca->folder, "keys", 0700, err);
	if (ret)
		return ret;
	ca->certificate = make_root(name, ca->key, seconds);
	return ca->certificate ? write_authority(ca, err) :
	       failed(err, "the CA's certificate cannot be signed");
}

int cred_authority_make(const char *folder, const char *name, const char *kind, int64_t seconds,
			struct vpn_error *err)
{
	struct cred_authority *ca = NULL;
	int ret = check_name("name", name, err);

	if (!ret)
		ret = make_folder(folder, NULL, 0700, err);
	if (!ret)
		ret = new_authority(folder, &ca, err);
	if (!ret)
		ret = fill_authority(ca, name, kind, seconds, err);
	cred_authority_close(ca);
	return ret;
}

static BIO *open_part(const struct cred_authority *ca, const char *name, char **data, size_t *len,
		      struct vpn_error *err)
{
	char *path = cred_authority_path(ca->folder, NULL, name, NULL);
	BIO *bio = NULL;

	*data = NULL;
	if (!path || cred_file_read(path, data, len, err)) {
		free(path);
		return NULL;
	}
	bio = BIO_new_mem_buf(*data, *len);
	free(path);
	return bio;
}

static int read_authority(struct cred_authority *ca, struct vpn_error *err)
{
	char *data;
	size_t len = 0;
	BIO *bio;

	bio = open_part(ca, "ca.crt", &data, &len, err);
	if (!bio)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOENT,
				     "there is no CA in '%s'; 'vpnctl pki init' makes one",
				     ca->folder);
	ca->certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	cred_file_free(data, len);
	bio = open_part(ca, "ca.key", &data, &len, err);
	if (!bio)
		return -err->code;
	/* One with a passphrase is asked for by the library, at the terminal. */
	ca->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	cred_file_free(data, len);
	if (!ca->certificate || !ca->key || X509_check_private_key(ca->certificate, ca->key) != 1)
		return failed(err, "ca.crt and ca.key are not those of a CA");
	return read_index(ca, err);
}

int cred_authority_open(const char *folder, struct cred_authority **ca, struct vpn_error *err)
{
	int ret = new_authority(folder, ca, err);

	if (!ret)
		ret = read_authority(*ca, err);
	if (ret) {
		cred_authority_close(*ca);
		*ca = NULL;
	}
	return ret;
}

static int write_certificate(const struct cred_authority *ca, const char *name, X509 *certificate,
			     char **text, struct vpn_error *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;
	int ret;

	if (!bio || !PEM_write_bio_X509(bio, certificate)) {
		BIO_free(bio);
		return failed(err, "the certificate cannot be written");
	}
	len = BIO_get_mem_data(bio, &data);
	*text = strndup(data, len);
	ret = *text ? write_part(ca->folder, "certs", name, ".crt", 0644, bio, err) :
	      failed(err, name);
	BIO_free(bio);
	return ret;
}

int cred_authority_issue(struct cred_authority *ca, const struct cred_request *request,
			 char **text, struct vpn_error *err)
{
	X509 *certificate;
	int ret = check_name("name", request->name, err);

	*text = NULL;
	if (!ret && request->role)
		ret = check_name("role", request->role, err);
	if (ret)
		return ret;
	certificate = make_certificate(ca, request);
	if (!certificate)
		return failed(err, "the certificate cannot be signed");
	/* What is not in the index could not be revoked, so it is written first. */
	ret = note_issued(ca, certificate, request) ? write_index(ca, err) :
	      failed(err, request->name);
	if (!ret)
		ret = write_certificate(ca, request->name, certificate, text, err);
	X509_free(certificate);
	return ret;
}

int cred_authority_revoke(struct cred_authority *ca, const char *which, unsigned int *count,
			  struct vpn_error *err)
{
	unsigned int i, found = 0;
	int ret;

	*count = 0;
	for (i = 0; i < ca->count; i++) {
		if (strcmp(ca->issued[i].name, which) && strcasecmp(ca->issued[i].serial, which))
			continue;
		found++;
		if (ca->issued[i].revoked || ca->issued[i].expires < time(NULL))
			continue;
		ca->issued[i].revoked = true;
		ca->issued[i].revoked_at = time(NULL);
		++*count;
	}
	if (!found)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOENT,
				     "nothing was issued to '%s', and it is no serial number; 'vpnctl pki list' shows what there is",
				     which);
	ret = *count ? write_index(ca, err) : 0;
	/* Whoever revoked them before may have been stopped before there was a list. */
	if (!ret)
		ret = cred_authority_list(ca, LIST_SECONDS, err);
	if (ret || *count)
		return ret;
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EALREADY,
			     "all that was issued to '%s' has been revoked or has expired",
			     which);
}

const struct cred_issued *cred_authority_issued(const struct cred_authority *ca,
						unsigned int *count)
{
	*count = ca->count;
	return ca->issued;
}
