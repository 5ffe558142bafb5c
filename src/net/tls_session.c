/* SPDX-License-Identifier: MIT
 *
 * TLS on one connection. The BIO below OpenSSL has no memory: it reads from the window that the conn feeds (the worker's
 * read buffer) and writes into the buffer of the call under way. Channel bindings: RFC 9266, RFC 5929 §4.
 */
#include "tls_session.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tls_door.h"

enum { ALPN_MAX = 255 };

struct tls_session {
	SSL *ssl;
	struct tls *tls;
	char *alpn; /* offered or required; NULL: none */
	const char *error;
	const char *in; /* the window */
	size_t in_len;
	struct buf *out; /* of the call under way */
};

/* ---- the BIO ---- */

static int window_read(BIO *bio, char *bytes, size_t size, size_t *len)
{
	struct tls_session *session = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (session->in_len == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	*len = size < session->in_len ? size : session->in_len;
	memcpy(bytes, session->in, *len);
	session->in += *len;
	session->in_len -= *len;
	return 1;
}

static int window_write(BIO *bio, const char *bytes, size_t len, size_t *written)
{
	struct tls_session *session = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	buf_add(session->out, bytes, len);
	*written = len;
	return 1;
}

static long window_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)number, (void)pointer;
	return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_window_new(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "window");

	if (!method)
		abort();
	BIO_meth_set_read_ex(method, window_read);
	BIO_meth_set_write_ex(method, window_write);
	BIO_meth_set_ctrl(method, window_control);
	return method;
}

/* ---- made and freed ---- */

/* RFC 7301 §3.1: one protocol with its length before it. */
static size_t alpn_list(const char *alpn, unsigned char out[ALPN_MAX + 1])
{
	size_t len = strlen(alpn);

	assert(len > 0 && len <= ALPN_MAX);
	out[0] = (unsigned char)len;
	memcpy(out + 1, alpn, len);
	return len + 1;
}

static void tls_session_set_client(struct tls_session *session, const char *name)
{
	unsigned char list[ALPN_MAX + 1];

	SSL_set_connect_state(session->ssl);
	SSL_set_tlsext_host_name(session->ssl, name);
	if (session->alpn)
		SSL_set_alpn_protos(session->ssl, list, (unsigned)alpn_list(session->alpn, list));
}

struct tls_session *tls_session_new(struct tls *tls, const char *name, const char *alpn)
{
	struct tls_session *session = mem_zalloc(sizeof(*session));
	BIO *bio = BIO_new(tls->window);

	session->ssl = SSL_new(tls->faces[0].context);
	if (!bio || !session->ssl)
		abort();
	session->tls = tls_ref(tls);
	session->alpn = str_dup(alpn);
	BIO_set_data(bio, session);
	BIO_set_init(bio, 1);
	SSL_set_bio(session->ssl, bio, bio);
	SSL_set_app_data(session->ssl, session);
	if (tls->is_server)
		SSL_set_accept_state(session->ssl);
	else
		tls_session_set_client(session, name);
	return session;
}

void tls_session_free(struct tls_session **session)
{
	if (!*session)
		return;
	SSL_free((*session)->ssl);
	tls_unref(&(*session)->tls);
	free((*session)->alpn);
	free(*session);
	*session = NULL;
}

SSL *tls_session_ssl(const struct tls_session *session)
{
	return session->ssl;
}

/* A client that offers protocols must offer ours; RFC 7301 §3.2. */
int tls_choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                    unsigned in_len, void *context)
{
	const struct tls_session *session = SSL_get_app_data(ssl);
	unsigned char list[ALPN_MAX + 1];
	unsigned char *chosen;
	unsigned list_len;

	(void)context;
	if (!session->alpn)
		return SSL_TLSEXT_ERR_NOACK;
	list_len = (unsigned)alpn_list(session->alpn, list);
	if (SSL_select_next_proto(&chosen, out_len, in, in_len, list, list_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* ---- bytes in, bytes out ---- */

void tls_session_feed(struct tls_session *session, const char *bytes, size_t len)
{
	session->in = bytes;
	session->in_len = len;
}

size_t tls_session_left(struct tls_session *session, const char **bytes)
{
	size_t len = session->in_len;

	*bytes = session->in;
	session->in = NULL;
	session->in_len = 0;
	return len;
}

/* What a call leaves in this thread's queue of errors would be taken for the next one's. Nearly always it is empty, and
 * looking is much cheaper than clearing. */
static void tls_forget_errors(void)
{
	if (ERR_peek_error())
		ERR_clear_error();
}

/* OpenSSL's own string, but for the commonest faults, of which it speaks in riddles. */
static const char *tls_reason(unsigned long error)
{
	switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
	case SSL_R_WRONG_VERSION_NUMBER:
		return "no TLS where TLS begins";
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return "no version of TLS is allowed on both sides";
	default:
		return ERR_reason_error_string(error);
	}
}

/* What a call that did not succeed means. */
static enum tls_status tls_session_status(struct tls_session *session, int result)
{
	switch (SSL_get_error(session->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return TLS_NEEDS_INPUT;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_ENDED;
	default:
		session->error = tls_reason(ERR_peek_error());
		ERR_clear_error();
		return TLS_BROKEN;
	}
}

const char *tls_session_error(const struct tls_session *session)
{
	return session->error ? session->error : "TLS failed";
}

enum tls_status tls_session_shake(struct tls_session *session, struct buf *out)
{
	int result;

	tls_forget_errors();
	session->out = out;
	result = SSL_do_handshake(session->ssl);
	return result == 1 ? TLS_DONE : tls_session_status(session, result);
}

/* After a record that ends with the window there is nothing more to open: OpenSSL need not be asked. */
static bool tls_session_has_more(const struct tls_session *session)
{
	return session->in_len > 0 || SSL_pending(session->ssl) > 0;
}

enum tls_status tls_session_open(struct tls_session *session, char *plain, size_t size, size_t *len,
                                 struct buf *out)
{
	int result;

	tls_forget_errors();
	session->out = out;
	*len = 0;
	for (size_t part = 0; *len < size; *len += part) {
		if (!tls_session_has_more(session))
			return TLS_NEEDS_INPUT;
		if ((result = SSL_read_ex(session->ssl, plain + *len, size - *len, &part)) != 1)
			return tls_session_status(session, result);
	}
	return TLS_DONE;
}

bool tls_session_seal(struct tls_session *session, const char *plain, size_t len, struct buf *out)
{
	size_t written;

	tls_forget_errors();
	session->out = out;
	if (SSL_write_ex(session->ssl, plain, len, &written) == 1)
		return true;
	tls_session_status(session, 0);
	return false;
}

void tls_session_goodbye(struct tls_session *session, struct buf *out)
{
	tls_forget_errors();
	session->out = out;
	SSL_shutdown(session->ssl);
	ERR_clear_error();
}

/* ---- what was agreed ---- */

void tls_session_describe(const struct tls_session *session, struct conn_tls *out)
{
	const unsigned char *alpn;
	unsigned alpn_len;

	SSL_get0_alpn_selected(session->ssl, &alpn, &alpn_len);
	*out = (struct conn_tls){
		.version = SSL_get_version(session->ssl),
		.cipher = SSL_get_cipher_name(session->ssl),
		/* Only the one that we offered or required can have been chosen. */
		.alpn = alpn_len ? session->alpn : "",
		.has_peer_certificate = SSL_get0_peer_certificate(session->ssl) != NULL,
	};
}

/* RFC 9266 §4: TLS 1.3 only; on 1.2 it would need the extended master secret to be trusted. */
size_t tls_session_exporter(struct tls_session *session, uint8_t out[64])
{
	static const char label[] = "EXPORTER-Channel-Binding";
	enum { EXPORTER_SIZE = 32 };

	if (SSL_version(session->ssl) < TLS1_3_VERSION ||
	    SSL_export_keying_material(session->ssl, out, EXPORTER_SIZE, label, sizeof(label) - 1, NULL, 0,
	                               0) != 1)
		return 0;
	return EXPORTER_SIZE;
}

/* RFC 5929 §4.1: the server's certificate, hashed by the hash of its signature; MD5 and SHA-1 become SHA-256. A signature
 * without a hash (Ed25519) has no such binding. */
size_t tls_session_end_point(struct tls_session *session, uint8_t out[64])
{
	X509 *certificate = session->tls->is_server ? SSL_get_certificate(session->ssl)
	                                            : SSL_get0_peer_certificate(session->ssl);
	int hash = NID_undef;
	unsigned len = 0;

	if (!certificate || X509_get_signature_info(certificate, &hash, NULL, NULL, NULL) != 1 ||
	    hash == NID_undef)
		return 0;
	if (hash == NID_md5 || hash == NID_sha1 || hash == NID_md5_sha1)
		hash = NID_sha256;
	if (X509_digest(certificate, EVP_get_digestbynid(hash), out, &len) != 1)
		return 0;
	return len;
}
