// SPDX-License-Identifier: GPL-2.0
#include "credential.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../libcred/file.h"
#include "../libcred/x509.h"
#include "../libvpn/key.h"

/* What a configuration has itself, or in a file. */
struct material {
	const char *name;		/* of the key, or of the file */
	char *data;			/* NULL: none */
	size_t len;
};

static int no_memory(struct vpn_error *err)
{
	return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
}

static int read_material(struct material *m, const char *name, const char *text, const char *path,
			 struct vpn_error *err)
{
	memset(m, 0, sizeof(*m));
	m->name = text ? name : path;
	if (text) {
		m->data = strdup(text);
		m->len = strlen(text);
		return m->data ? 0 : no_memory(err);
	}
	return path ? cred_file_read(path, &m->data, &m->len, err) : 0;
}

static int recognise(const struct material *m, uint32_t kind, struct vpn_credential *credential,
		     struct vpn_error *err)
{
	struct vpn_error why;

	if (vpn_credential_recognise(m->data, m->len, credential, &why))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL, "'%.200s' %.280s", m->name,
				     why.text);
	if (credential->kind == kind)
		return 0;
	free(credential->octets);
	memset(credential, 0, sizeof(*credential));
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL, "'%s' is a %s; a %s is needed there",
			     m->name, kind == VPN_CREDENTIAL_KIND_JWT ? "certificate" : "token",
			     kind == VPN_CREDENTIAL_KIND_JWT ? "token" : "certificate");
}

int credential_read(const struct config *config, struct vpn_credential *credential,
		    struct vpn_error *err)
{
	const bool token = config->token || config->token_path;
	struct material m;
	int ret;

	memset(credential, 0, sizeof(*credential));
	ret = token ? read_material(&m, "token", config->token, config->token_path, err) :
	      read_material(&m, "certificate", config->certificate, config->certificate_path, err);
	if (ret || !m.data)
		return ret;
	ret = recognise(&m, token ? VPN_CREDENTIAL_KIND_JWT : VPN_CREDENTIAL_KIND_X509, credential,
			err);
	cred_file_free(m.data, m.len);
	return ret;
}

bool credential_names_server(const struct config *config)
{
	return config->server_certificate || config->server_certificate_path;
}

static int open_trust(const struct config *config, struct cred_x509 **trust,
		      struct vpn_error *err)
{
	struct material ca, crl;
	struct vpn_error why;
	int ret;

	ret = read_material(&ca, "ca_certificate", config->ca_certificate,
			    config->ca_certificate_path, err);
	if (ret)
		return ret;
	ret = read_material(&crl, "", NULL, config->crl_path, err);
	if (!ret) {
		*trust = cred_x509_open(ca.data, ca.len, crl.data, crl.len, NULL, &why);
		if (!*trust)
			ret = vpn_error_set(err, VPN_FAULT_SYSTEM, EINVAL, "'%.200s' %.280s",
					    ca.name, why.text);
	}
	cred_file_free(ca.data, ca.len);
	cred_file_free(crl.data, crl.len);
	return ret;
}

static int judge(const struct cred_x509 *trust, const struct vpn_credential *certificate,
		 const char *name, const char *host, uint8_t key[VPN_KEY_LEN],
		 struct vpn_error *err)
{
	struct cred_verdict verdict;

	if (!cred_x509_check(trust, certificate->octets, certificate->len, NULL, CRED_SERVER,
			     time(NULL), &verdict))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EKEYREJECTED,
				     "the server's %s, in '%s'", verdict.text, name);
	if (!cred_x509_is_for(certificate->octets, certificate->len, host))
		return vpn_error_set(err, VPN_FAULT_SYSTEM, EKEYREJECTED,
				     "the server's certificate, in '%s', is that of '%s', and not for the host '%s'",
				     name, verdict.name, host);
	cred_x509_key(certificate->octets, certificate->len, key);
	return 0;
}

static bool judge_own(const struct cred_x509 *trust, const struct vpn_credential *certificate,
		      const char *path, const uint8_t private_key[VPN_KEY_LEN],
		      struct vpn_error *err)
{
	struct cred_verdict verdict = { .text = "its key cannot be computed" };
	uint8_t key[VPN_KEY_LEN];

	if (vpn_key_public(key, private_key) &&
	    cred_x509_check(trust, certificate->octets, certificate->len, key, CRED_SERVER,
			    time(NULL), &verdict))
		return true;
	vpn_error_set(err, VPN_FAULT_SYSTEM, EKEYREJECTED, "'%s': %s", path, verdict.text);
	return false;
}

bool credential_own_is_good(const struct config *config, const uint8_t private_key[VPN_KEY_LEN],
			    struct vpn_error *err)
{
	struct vpn_credential certificate;
	struct cred_x509 *trust = NULL;
	bool good;

	if (!config->certificate_path || !config->ca_certificate_path)
		return true;
	if (credential_read(config, &certificate, err))
		return false;
	good = !open_trust(config, &trust, err) &&
	       judge_own(trust, &certificate, config->certificate_path, private_key, err);
	cred_x509_free(trust);
	free(certificate.octets);
	return good;
}

int credential_server_key(const struct config *config, const char *host,
			  uint8_t key[VPN_KEY_LEN], struct vpn_error *err)
{
	struct vpn_credential certificate;
	struct cred_x509 *trust = NULL;
	struct material m;
	int ret;

	ret = read_material(&m, "server_certificate", config->server_certificate,
			    config->server_certificate_path, err);
	if (ret)
		return ret;
	ret = recognise(&m, VPN_CREDENTIAL_KIND_X509, &certificate, err);
	cred_file_free(m.data, m.len);
	if (ret)
		return ret;
	ret = open_trust(config, &trust, err);
	if (!ret)
		ret = judge(trust, &certificate, m.name, host, key, err);
	cred_x509_free(trust);
	free(certificate.octets);
	return ret;
}
