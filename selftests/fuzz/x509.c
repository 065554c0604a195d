// SPDX-License-Identifier: GPL-2.0
/*
 * tools/libcred/x509.c: whatever somebody shows as a certificate. Signatures count
 * as right, so that what is behind them is reached. The first octet of an input
 * chooses what is asked; the others are the certificate, and those that follow.
 *
 * A verdict is whole: good and with a name, or with a reason and a sentence; and a
 * certificate that is good is of the key that was shown, and can be described.
 */

#define FUZZ_TARGET
#include "tools.h"
#include "target.h"

#include <openssl/x509.h>

static int forgiving_verify(struct x509_store_ctx_st *ctx);

#define X509_verify_cert(ctx)	forgiving_verify(ctx)
#include "../../tools/libcred/x509.c"
#undef X509_verify_cert

#include "verdict.h"

static int forgive(int good, X509_STORE_CTX *ctx)
{
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	default:
		return on_fault(good, ctx);
	}
}

static int forgiving_verify(X509_STORE_CTX *ctx)
{
	X509_STORE_CTX_set_verify_cb(ctx, forgive);
	return X509_verify_cert(ctx);
}

static struct cred_x509 *trust(const char *role_oid)
{
	char text[16384];
	FILE *file = fopen(CORPUS "/x509-ca.pem", "r");
	struct cred_x509 *trusted;
	struct vpn_error err;
	const char *list;
	size_t len;

	MUST(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	list = strstr(text, "-----BEGIN X509 CRL");
	MUST(list);
	trusted = cred_x509_open(text, list - text, list, strlen(list), role_oid, &err);
	MUST(trusted);
	return trusted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cred_x509 *plain, *with_oid;
	struct cred_certificate what;
	struct cred_verdict verdict;
	uint8_t key[VPN_KEY_LEN], other[VPN_KEY_LEN] = { 1 };
	bool good, has_key;
	uint8_t *der;

	if (!plain) {
		plain = trust(NULL);
		with_oid = trust("1.3.6.1.4.1.32473.1");
	}
	if (!size)
		return -1;
	der = fuzz_copy(data + 1, size - 1);
	has_key = cred_x509_key(der, size - 1, key);
	good = cred_x509_check(data[0] & 1 ? with_oid : plain, der, size - 1,
			       data[0] & 2 ? key : NULL,
			       data[0] & 4 ? CRED_SERVER : CRED_CLIENT, NOW, &verdict);
	check_verdict(&verdict, good);
	MUST(!good || !verdict.expires || verdict.expires > NOW);
	MUST(!good || has_key);
	MUST(!cred_x509_check(plain, der, size - 1, other, CRED_CLIENT, NOW, &verdict));
	MUST(cred_x509_describe(der, size - 1, &what) || !good);
	cred_x509_is_for(der, size - 1, "vpn.example.com");
	cred_x509_is_for(der, size - 1, "192.0.2.1");
	free(der);
	return 0;
}
