/* SPDX-License-Identifier: MIT
 *
 * Self-signed certificates for tests, made as they are needed, in a folder of their own.
 */
#ifndef UNIT_CERTIFICATE_H
#define UNIT_CERTIFICATE_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/tls.h"

struct certificate {
	char certificate[128], key[128];
	struct tls_certificate files;
};

static inline void certificate_write(struct certificate *out, X509 *x509, EVP_PKEY *key)
{
	FILE *file = fopen(out->certificate, "w");

	PEM_write_X509(file, x509);
	fclose(file);
	file = fopen(out->key, "w");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
}

/* hash: "SHA256", "SHA384", "SHA1"; NULL: an Ed25519 key, whose signature has none. */
static inline void certificate_make(struct certificate *out, const char *folder, const char *name, const char *hash)
{
	static const char *const curve = "P-256";
	EVP_PKEY *key = hash ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	X509 *x509 = X509_new();
	X509_NAME *subject = X509_get_subject_name(x509);

	X509_set_version(x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
	X509_set_pubkey(x509, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x509, subject);
	X509_sign(x509, key, hash ? EVP_get_digestbyname(hash) : NULL);
	snprintf(out->certificate, sizeof(out->certificate), "%s/%s.crt", folder, name);
	snprintf(out->key, sizeof(out->key), "%s/%s.key", folder, name);
	out->files = (struct tls_certificate){ .name = name, .certificate = out->certificate, .key = out->key };
	certificate_write(out, x509, key);
	X509_free(x509);
	EVP_PKEY_free(key);
}

static inline void certificate_remove(struct certificate *certificate)
{
	unlink(certificate->certificate);
	unlink(certificate->key);
}

#endif
