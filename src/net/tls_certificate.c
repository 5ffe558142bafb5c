/* SPDX-License-Identifier: MIT
 *
 * Judging a peer's certificate: the chain (RFC 5280 §6), then the name (RFC 6120 §13.7.1.2, RFC 9525 §6). OpenSSL builds
 * and checks the chain; of the names it knows dNSName, SRVName (RFC 4985) and XmppAddr (RFC 6120 §13.7.1.4) are read here.
 */
#include "net/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conn_inside.h"
#include "tls_door.h"
#include "tls_session.h"

#define OID_SRV_NAME "1.3.6.1.5.5.7.8.7"
#define OID_XMPP_ADDR "1.3.6.1.5.5.7.8.5"
#define SRV_SERVER "_xmpp-server."

struct trust {
	atomic_uint refs;
	X509_STORE *store;
};

/* ---- whom we trust ---- */

struct trust *trust_new(const char *file, char **error)
{
	struct trust *trust = mem_zalloc(sizeof(*trust));
	bool loaded;

	*error = NULL;
	atomic_init(&trust->refs, 1);
	trust->store = X509_STORE_new();
	if (!trust->store)
		abort();
	loaded = file ? X509_STORE_load_file(trust->store, file) == 1 : X509_STORE_set_default_paths(trust->store) == 1;
	/* What stands in a file of the administrator's is trusted itself, not only as what others are traced to. */
	if (file)
		X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN);
	ERR_clear_error();
	if (loaded)
		return trust;
	*error = file ? str_printf("%s holds no PEM certificate that can be used", file)
	              : str_dup("the system's certificate authorities cannot be read");
	trust_unref(&trust);
	return NULL;
}

struct trust *trust_ref(struct trust *trust)
{
	atomic_fetch_add(&trust->refs, 1);
	return trust;
}

void trust_unref(struct trust **trust)
{
	if (*trust && atomic_fetch_sub(&(*trust)->refs, 1) == 1) {
		X509_STORE_free((*trust)->store);
		free(*trust);
	}
	*trust = NULL;
}

/* ---- the chain ---- */

static enum certificate_fault chain_fault(int error)
{
	switch (error) {
	case X509_V_OK:
		return CERTIFICATE_FINE;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return CERTIFICATE_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return CERTIFICATE_NOT_YET_VALID;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return CERTIFICATE_UNKNOWN_AUTHORITY;
	default:
		return CERTIFICATE_BROKEN;
	}
}

static enum certificate_fault chain_check(const struct trust *trust, X509 *leaf, STACK_OF(X509) * others, time_t now)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	enum certificate_fault fault;

	if (!context || X509_STORE_CTX_init(context, trust->store, leaf, others) != 1)
		abort();
	X509_STORE_CTX_set_time(context, 0, now);
	fault = X509_verify_cert(context) == 1 ? CERTIFICATE_FINE : chain_fault(X509_STORE_CTX_get_error(context));
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return fault;
}

/* Without the extension it is for everything. */
static bool leaf_is_for_tls(X509 *leaf)
{
	return X509_get_extended_key_usage(leaf) & (XKU_SSL_SERVER | XKU_SSL_CLIENT | XKU_ANYEKU);
}

/* ---- the name ---- */

static bool oid_is(const ASN1_OBJECT *oid, const char *text)
{
	char written[64];

	return OBJ_obj2txt(written, sizeof(written), oid, 1) > 0 && strcmp(written, text) == 0;
}

/* Of a string without a NUL inside, which two parsers would read differently. */
static bool text_is(const ASN1_STRING *string, const char *prefix, const char *domain)
{
	const char *text = (const char *)ASN1_STRING_get0_data(string);
	size_t len = (size_t)ASN1_STRING_length(string), prefix_len = strlen(prefix);

	return len == prefix_len + strlen(domain) && strncasecmp(text, prefix, prefix_len) == 0 &&
	       strncasecmp(text + prefix_len, domain, len - prefix_len) == 0;
}

/* An address for XMPP may be written in either form of an internationalized name. */
static bool other_name_is(const OTHERNAME *name, const char *domain)
{
	int type = ASN1_TYPE_get(name->value);

	if (oid_is(name->type_id, OID_SRV_NAME))
		return type == V_ASN1_IA5STRING && text_is(name->value->value.ia5string, SRV_SERVER, domain);
	if (oid_is(name->type_id, OID_XMPP_ADDR))
		return type == V_ASN1_UTF8STRING && text_is(name->value->value.utf8string, "", domain);
	return false;
}

static bool leaf_is_named(X509 *leaf, const char *domain)
{
	const unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
	GENERAL_NAMES *names;
	bool named = X509_check_host(leaf, domain, strlen(domain), flags, NULL) == 1;

	if (named)
		return true;
	names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; !named && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		named = name->type == GEN_OTHERNAME && other_name_is(name->d.otherName, domain);
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return named;
}

/* ---- of a conn ---- */

static SSL *conn_ssl(const struct conn *conn)
{
	return conn->secure ? tls_session_ssl(conn->tls) : NULL;
}

enum certificate_fault conn_certificate_check(const struct conn *conn, const struct trust *trust, const char *domain)
{
	SSL *ssl = conn_ssl(conn);
	X509 *leaf = ssl ? SSL_get0_peer_certificate(ssl) : NULL;
	time_t now = (time_t)(clock_wall_us(worker_clock(conn->worker)) / 1000000);
	enum certificate_fault fault;

	if (!leaf)
		return CERTIFICATE_NONE;
	fault = chain_check(trust, leaf, SSL_get_peer_cert_chain(ssl), now);
	if (fault == CERTIFICATE_FINE && !leaf_is_for_tls(leaf))
		fault = CERTIFICATE_OTHER_PURPOSE;
	if (fault == CERTIFICATE_FINE && !leaf_is_named(leaf, domain))
		fault = CERTIFICATE_OTHER_NAME;
	return fault;
}

const char *certificate_fault_text(enum certificate_fault fault)
{
	static const char *const texts[] = {
		[CERTIFICATE_FINE] = "it is good",
		[CERTIFICATE_NONE] = "none was shown",
		[CERTIFICATE_UNKNOWN_AUTHORITY] = "it is signed by nobody who is trusted here",
		[CERTIFICATE_EXPIRED] = "it has expired",
		[CERTIFICATE_NOT_YET_VALID] = "it is not valid yet",
		[CERTIFICATE_OTHER_NAME] = "it does not name the domain",
		[CERTIFICATE_OTHER_PURPOSE] = "it is not meant for TLS servers or clients",
		[CERTIFICATE_BROKEN] = "its chain of signatures is broken",
	};

	return texts[fault];
}

static int64_t time_of(const ASN1_TIME *at)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;

	ASN1_TIME_diff(&days, &seconds, epoch, at);
	ASN1_TIME_free(epoch);
	return (int64_t)days * 86400 + seconds;
}

static void leaf_pin(X509 *leaf, char pin[PIN_LEN + 1])
{
	unsigned char *key = NULL, hash[EVP_MAX_MD_SIZE];
	unsigned hash_len = 0;
	int key_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &key);

	if (key_len <= 0 || EVP_Digest(key, (size_t)key_len, hash, &hash_len, EVP_sha256(), NULL) != 1)
		abort();
	OPENSSL_free(key);
	EVP_EncodeBlock((unsigned char *)pin, hash, (int)hash_len);
}

bool tls_pin(const struct tls *tls, char pin[PIN_LEN + 1])
{
	X509 *leaf = SSL_CTX_get0_certificate(tls->faces[0].context);

	if (leaf)
		leaf_pin(leaf, pin);
	return leaf != NULL;
}

bool conn_certificate_about(const struct conn *conn, struct certificate_about *out)
{
	SSL *ssl = conn_ssl(conn);
	X509 *leaf = ssl ? SSL_get0_peer_certificate(ssl) : NULL;

	if (!leaf)
		return false;
	leaf_pin(leaf, out->pin);
	out->until_s = time_of(X509_get0_notAfter(leaf));
	return true;
}
