/* SPDX-License-Identifier: MIT
 *
 * TLS contexts: policy (RFC 7590, RFC 9325), certificates and the choice between them by SNI (RFC 6066 §3). What is wrong
 * with a file is said in a sentence that names it.
 */
#include "net/tls.h"

#include <errno.h>
#include <idn2.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "tls_door.h"

/* ---- policy ---- */

static int tls_choose_face(SSL *ssl, int *alert, void *context);

/* Whether a certificate is good enough is for those to say who know whom to expect. */
static int tls_take_any(X509_STORE_CTX *chain, void *context)
{
	(void)chain, (void)context;
	return 1;
}

static void tls_set_server_policy(struct tls *tls, SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"hansa", 5);
	SSL_CTX_set_num_tickets(context, tls->asks ? 0 : 1);
	if (tls->asks)
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	else
		ticket_keys_use(tls->tickets, context);
	SSL_CTX_set_verify(context, tls->asks ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_cert_verify_callback(context, tls_take_any, NULL);
	SSL_CTX_set_tlsext_servername_callback(context, tls_choose_face);
	SSL_CTX_set_alpn_select_cb(context, tls_choose_alpn, NULL);
}

static SSL_CTX *tls_context_new(struct tls *tls, enum tls_version least)
{
	SSL_CTX *context = SSL_CTX_new(tls->is_server ? TLS_server_method() : TLS_client_method());

	if (!context)
		abort();
	SSL_CTX_set_app_data(context, tls);
	SSL_CTX_set_min_proto_version(context, least == TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
	SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");
	if (tls->is_server)
		tls_set_server_policy(tls, context);
	return context;
}

/* ---- certificates ---- */

/* A key under a pass phrase must not make the server ask on its terminal. */
static int tls_no_pass_phrase(char *out, int size, int writing, void *context)
{
	(void)out, (void)size, (void)writing, (void)context;
	return 0;
}

static char *tls_file_error(const char *path, const char *wants)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());
	FILE *file = fopen(path, "r");

	if (!file)
		return str_printf("cannot read %s: %s", path, strerrordesc_np(errno));
	fclose(file);
	return str_printf("%s holds no %s that can be used (%s)", path, wants,
	                  reason ? reason : "unknown format");
}

/* A key of another kind than the certificate's is taken at first, as if its certificate were still to come. */
static bool tls_is_mismatch(int reason)
{
	return reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH ||
	       reason == SSL_R_NO_CERTIFICATE_ASSIGNED;
}

static char *tls_key_error(const struct tls_certificate *certificate)
{
	if (tls_is_mismatch(ERR_GET_REASON(ERR_peek_last_error())))
		return str_printf("the key in %s does not belong to the certificate in %s", certificate->key,
		                  certificate->certificate);
	return tls_file_error(certificate->key, "PEM key without pass phrase");
}

/* NULL: loaded; else the sentence. */
static char *tls_load(SSL_CTX *context, const struct tls_certificate *certificate)
{
	char *error = NULL;

	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(context, tls_no_pass_phrase);
	if (SSL_CTX_use_certificate_chain_file(context, certificate->certificate) != 1)
		error = tls_file_error(certificate->certificate, "PEM certificate");
	else if (SSL_CTX_use_PrivateKey_file(context, certificate->key, SSL_FILETYPE_PEM) != 1 ||
	         SSL_CTX_check_private_key(context) != 1)
		error = tls_key_error(certificate);
	ERR_clear_error();
	return error;
}

/* RFC 5890 A-labels; a name that has none is compared as it is. */
static char *tls_label(const char *name)
{
	char *label = NULL, *copy;

	if (idn2_lookup_u8((const uint8_t *)name, (uint8_t **)&label,
	                   IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return str_dup(name);
	copy = str_dup(label);
	idn2_free(label);
	return copy;
}

static char *tls_add_face(struct tls *tls, const struct tls_certificate *certificate, enum tls_version least)
{
	struct tls_face *face = &tls->faces[tls->face_count++];

	face->name = certificate ? tls_label(certificate->name) : NULL;
	face->context = tls_context_new(tls, least);
	return certificate ? tls_load(face->context, certificate) : NULL;
}

static int tls_choose_face(SSL *ssl, int *alert, void *context)
{
	const struct tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert, (void)context;
	for (size_t i = 0; name && i < tls->face_count; i++) {
		if (strcasecmp(tls->faces[i].name, name) != 0)
			continue;
		SSL_set_SSL_CTX(ssl, tls->faces[i].context);
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

/* ---- made and freed ---- */

static struct tls *tls_new(bool is_server, bool asks, size_t faces)
{
	struct tls *tls = mem_zalloc(sizeof(*tls));

	atomic_init(&tls->refs, 1);
	tls->is_server = is_server;
	tls->asks = asks;
	tls->faces = mem_zalloc(faces * sizeof(*tls->faces));
	tls->window = tls_window_new();
	tls->tickets = is_server && !asks ? ticket_keys_new() : NULL;
	return tls;
}

static struct tls *tls_open(bool asks, const struct tls_certificate *certificates, size_t count,
                            enum tls_version least, char **error)
{
	struct tls *tls = tls_new(true, asks, count);

	*error = count ? NULL : str_dup("no certificate is configured");
	for (size_t i = 0; i < count && !*error; i++)
		*error = tls_add_face(tls, &certificates[i], least);
	if (*error)
		tls_unref(&tls);
	return tls;
}

struct tls *tls_server_new(const struct tls_certificate *certificates, size_t count, enum tls_version least,
                           char **error)
{
	return tls_open(false, certificates, count, least, error);
}

struct tls *tls_server_asking_new(const struct tls_certificate *certificates, size_t count, enum tls_version least,
                                  char **error)
{
	return tls_open(true, certificates, count, least, error);
}

struct tls *tls_client_new(const struct tls_certificate *certificate, enum tls_version least, char **error)
{
	struct tls *tls = tls_new(false, false, 1);

	*error = tls_add_face(tls, certificate, least);
	if (*error)
		tls_unref(&tls);
	return tls;
}

struct tls *tls_ref(struct tls *tls)
{
	atomic_fetch_add(&tls->refs, 1);
	return tls;
}

static void tls_free(struct tls *tls)
{
	for (size_t i = 0; i < tls->face_count; i++) {
		free(tls->faces[i].name);
		SSL_CTX_free(tls->faces[i].context);
	}
	free(tls->faces);
	BIO_meth_free(tls->window);
	ticket_keys_free(&tls->tickets);
	free(tls);
}

void tls_unref(struct tls **tls)
{
	if (*tls && atomic_fetch_sub(&(*tls)->refs, 1) == 1)
		tls_free(*tls);
	*tls = NULL;
}
