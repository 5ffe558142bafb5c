/* SPDX-License-Identifier: MIT
 *
 * What the peer of a stream sends: bytes become units (xmpp/framer.h), units become a header (RFC 6120 §4.7,
 * §4.8), a stanza or the footer. Each violation has its stream error (§4.9.3) and is the last thing that is
 * read.
 *
 * Whole units are parsed where they lie, in the conn's buffer; only what is not complete, or may not be read
 * yet, is copied into input. An owner may pause, restart, secure, move or close the stream from within its
 * callbacks: the loop looks again after each unit.
 */
#include "stream_inside.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/server.h"
#include "xmpp/ns.h"
#include "xmpp/parser.h"
#include "xmpp/utf8.h"

enum { LANG_MAX = 35 }; /* RFC 5646 §4.4.1 */

/* ---- bytes ---- */

static void stream_read_unit(struct stream *stream, enum framer_result kind, const char *bytes, size_t len);

static bool stream_is_reading(const struct stream *stream)
{
	return !stream->paused && !stream->moving && !stream->deaf && !stream->securing;
}

/* How much of what follows a unit says something. Blanks do not (§4.6.1), also not behind a <starttls/>,
 * where §5.3.3 forbids them. COMPAT go-xmpp 2026-11: it ends the command with a line feed. */
static uint32_t unread_bytes(const char *bytes, size_t len)
{
	size_t blanks = 0;

	while (blanks < len && memchr(" \t\r\n", bytes[blanks], 4))
		blanks++;
	return (uint32_t)(len - blanks);
}

/* Takes whole units from the front of bytes; answers how many bytes are done with. */
static size_t stream_take_units(struct stream *stream, const char *bytes, size_t len)
{
	size_t done = 0, pos = stream->scanned, start, end;

	while (pos < len && stream_is_reading(stream)) {
		enum framer_result kind;

		kind = framer_next(&stream->framer, bytes, len, stream->limit, &pos, &start, &end);
		if (kind == FRAMER_MORE) {
			done = start;
			break;
		}
		if (kind == FRAMER_BROKEN)
			start = done, end = len;
		done = pos = end;
		stream->unread = unread_bytes(bytes + done, len - done);
		stream_read_unit(stream, kind, bytes + start, end - start);
	}
	if (stream->deaf || stream->securing)
		done = pos = len;
	stream->scanned = (uint32_t)(pos - done);
	stream->unread = (uint32_t)(len - done);
	return done;
}

void stream_received(struct conn *conn, void *owner, char *bytes, size_t len)
{
	struct stream *stream = owner;
	size_t done;

	(void)conn;
	stream->heard_ms = worker_now_ms(stream->home->worker);
	if (stream->deaf)
		return;
	if (stream->input.len > 0) {
		buf_add(&stream->input, bytes, len);
		stream_read_on(stream);
		return;
	}
	done = stream_take_units(stream, bytes, len);
	buf_add(&stream->input, bytes + done, len - done);
}

void stream_read_on(struct stream *stream)
{
	size_t done = stream_take_units(stream, stream->input.data, stream->input.len);

	if (done == stream->input.len)
		stream_clear_input(stream);
	else
		buf_consume(&stream->input, done);
}

/* It may hold what was said before TLS, or a password. */
void stream_clear_input(struct stream *stream)
{
	if (stream->input.data)
		mem_wipe(stream->input.data, stream->input.cap);
	buf_clear(&stream->input);
	stream->scanned = 0;
	stream->unread = 0;
}

/* ---- what is wrong with a unit ---- */

/* Bytes that are no UTF-8 rather than characters that XML forbids. */
static bool is_other_encoding(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] < ' ' && !strchr("\t\r\n", bytes[i]))
			return false;
	return !utf8_is_xml(bytes, len);
}

/* A header in UTF-16 begins with its byte order mark or has a NUL in its first character. */
static bool is_utf16(const char *bytes, size_t len)
{
	return len >= 2 && (!bytes[0] || !bytes[1] || memcmp(bytes, "\xfe\xff", 2) == 0 ||
	                    memcmp(bytes, "\xff\xfe", 2) == 0);
}

static enum stream_condition parser_fault(enum parser_result result, const char *bytes, size_t len)
{
	switch (result) {
	case PARSER_RESTRICTED:
		return STREAM_RESTRICTED_XML;
	case PARSER_BAD_PREFIX:
		return STREAM_BAD_NAMESPACE_PREFIX;
	case PARSER_UNSUPPORTED_ENCODING:
		return STREAM_UNSUPPORTED_ENCODING;
	case PARSER_LIMIT:
		return STREAM_POLICY_VIOLATION;
	default:
		return is_other_encoding(bytes, len) ? STREAM_UNSUPPORTED_ENCODING : STREAM_NOT_WELL_FORMED;
	}
}

static void stream_refuse_unit(struct stream *stream, enum parser_result result, const char *bytes,
                               size_t len)
{
	enum stream_condition condition = parser_fault(result, bytes, len);

	stream_break(stream, condition,
	             result == PARSER_LIMIT ? "too many elements, levels or attributes" : NULL);
}

/* ---- the header (RFC 6120 §4.7) ---- */

/* Numbers, compared as numbers; what is no version is older than all (§4.7.5). */
static void version_read(const char *text, int *major, int *minor)
{
	char *end = NULL;
	unsigned long first, second;

	*major = *minor = 0;
	if (!text || !isdigit((unsigned char)*text))
		return;
	first = strtoul(text, &end, 10);
	if (*end != '.' || !isdigit((unsigned char)end[1]))
		return;
	second = strtoul(end + 1, &end, 10);
	if (*end || first > 999 || second > 999)
		return;
	*major = (int)first;
	*minor = (int)second;
}

/* What is no language tag is as good as none: it would be put on every stanza. */
static const char *lang_check(const char *lang)
{
	if (!lang || !*lang || strlen(lang) > LANG_MAX)
		return NULL;
	for (const char *c = lang; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return NULL;
	return lang;
}

/* §4.8.1, §4.8.2. A peer may leave the default namespace to its stanzas ("prefix-free canonicalization"). */
static enum stream_condition root_fault(const struct stream *stream, const struct parser_root *root)
{
	bool prefix_free = !*root->content_ns || strcmp(root->content_ns, NS_STREAM) == 0;

	if (strcmp(root->element->ns, NS_STREAM) != 0)
		return STREAM_INVALID_NAMESPACE;
	if (strcmp(root->element->name, "stream") != 0)
		return STREAM_BAD_FORMAT;
	if (!prefix_free && strcmp(root->content_ns, stream->class->content_ns) != 0)
		return STREAM_INVALID_NAMESPACE;
	return STREAM_NO_ERROR;
}

void stream_forget_root(struct stream *stream)
{
	framer_init(&stream->framer);
	free(stream->own_prime);
	free(stream->lang);
	stream->own_prime = NULL;
	stream->lang = NULL;
	stream->prime = NULL;
}

static void stream_keep_root(struct stream *stream, const struct parser_root *root,
                             const struct stream_header *header)
{
	stream->own_prime = root->shared ? NULL : str_dup(root->prime);
	stream->prime = root->shared ? root->prime : stream->own_prime;
	stream->lang = str_dup(header->lang);
	stream->old_peer = header->major < 1;
	if (stream->accepted)
		return;
	free(stream->peer_id);
	stream->peer_id = str_dup(header->id);
}

static void stream_read_header(struct stream *stream, const char *bytes, size_t len)
{
	struct home *home = stream->home;
	struct arena arena = { 0 };
	struct parser_root root;
	struct stream_header header = { 0 };
	enum parser_result result;
	enum stream_condition fault;

	result = parser_header(home->parsers, &arena, bytes, len, &home->config->limits.parser, &root);
	fault = result == PARSER_OK ? root_fault(stream, &root) : STREAM_NO_ERROR;
	if (result != PARSER_OK) {
		stream_refuse_unit(stream, result, bytes, len);
	} else if (fault != STREAM_NO_ERROR) {
		stream_break(stream, fault, NULL);
	} else {
		header.element = root.element;
		header.to = element_attr(root.element, "to");
		header.from = element_attr(root.element, "from");
		header.id = element_attr(root.element, "id");
		header.lang = lang_check(element_attr_ns(root.element, "lang", NS_XML));
		version_read(element_attr(root.element, "version"), &header.major, &header.minor);
		stream_keep_root(stream, &root, &header);
		stream->class->opened(stream, stream->owner, &header);
	}
	arena_clear(&arena);
}

/* ---- stanzas and the other children of the root ---- */

/* §4.9.1.1: the peer's error ends the stream; its condition is told to the owner. */
static void stream_read_error(struct stream *stream, const struct element *error)
{
	struct arena arena = { 0 };
	const char *text = element_child_text(&arena, error, "text", NS_STREAM_ERRORS);

	stream_note(stream, stream_condition_of(error), text && *text ? text : "the peer's error");
	stream_close(stream);
	arena_clear(&arena);
}

/* §4.8.3: a first-level child in a content namespace that is not the stream's. */
static bool is_other_content(const struct element *root)
{
	return strcmp(root->ns, NS_SERVER) == 0 || strcmp(root->ns, NS_COMPONENT_ACCEPT) == 0;
}

static void stream_free_stanza(struct stanza *stanza)
{
	const struct stanza *unwanted = stanza;

	stanza_unref(&unwanted);
}

static void stream_read_stanza(struct stream *stream, const char *bytes, size_t len)
{
	struct home *home = stream->home;
	struct stanza *stanza = stanza_new_for(bytes, len);
	struct element *root;
	enum parser_result result;
	enum stanza_check check;

	result = parser_stanza(home->parsers, &stanza->arena, stream->prime, stream->class->content_ns, bytes,
	                       len, &home->config->limits.parser, &root);
	if (result != PARSER_OK) {
		stream_free_stanza(stanza);
		stream_refuse_unit(stream, result, bytes, len);
	} else if (element_is(root, "error", NS_STREAM)) {
		stream_read_error(stream, root);
		stream_free_stanza(stanza);
	} else if (is_other_content(root)) {
		stream_free_stanza(stanza);
		stream_break(stream, STREAM_INVALID_NAMESPACE, NULL);
	} else {
		check = stanza_read(stanza, root, stream->lang);
		stream->class->received(stream, stream->owner, stanza, check);
	}
}

/* A handshake record (RFC 8446 §5.1) where a stream should begin in clear: worth a word to whoever reads the log. */
static bool is_tls(const char *bytes, size_t len)
{
	return len >= 2 && memcmp(bytes, "\x16\x03", 2) == 0;
}

static void stream_refuse_noise(struct stream *stream, const char *bytes, size_t len)
{
	bool first = !stream->prime;

	stream_break(stream, first && is_utf16(bytes, len) ? STREAM_UNSUPPORTED_ENCODING : STREAM_NOT_WELL_FORMED,
	             first && is_tls(bytes, len) ? "TLS where a stream begins in clear" : NULL);
}

/* Once our footer is out only the peer's is of interest. */
static void stream_read_unit(struct stream *stream, enum framer_result kind, const char *bytes, size_t len)
{
	switch (kind) {
	case FRAMER_HEADER:
		if (!stream->closing)
			stream_read_header(stream, bytes, len);
		break;
	case FRAMER_STANZA:
		if (!stream->closing)
			stream_read_stanza(stream, bytes, len);
		break;
	case FRAMER_FOOTER:
		stream_peer_closed(stream);
		break;
	case FRAMER_TOO_BIG:
		stream_break(stream, STREAM_POLICY_VIOLATION, "larger than a stanza may be here");
		break;
	case FRAMER_RESTRICTED:
		stream_break(stream, STREAM_RESTRICTED_XML, NULL);
		break;
	default:
		stream_refuse_noise(stream, bytes, len);
		break;
	}
}
