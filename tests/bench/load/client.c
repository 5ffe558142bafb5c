/* SPDX-License-Identifier: MIT
 *
 * A client, from its connection to its bound resource: header, STARTTLS (RFC 6120 §5), SASL (§6), bind (§7), XEP-0198's
 * enable with resume, initial presence. From then on stanzas are told apart by their first letters and not parsed: the
 * generator shares the machine with the server that it measures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"
#include "sasl2.h"
#include "xmpp/ns.h"

enum { UNIT_MAX = 1 << 20 };

static void client_header(struct client *client)
{
	framer_init(&client->framer);
	buf_clear(&client->in);
	arena_clear(&client->arena);
	client->state = CLIENT_HEADER;
	buf_printf(conn_out(client->conn),
	           "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='" NS_STREAM
	           "' to='%s' version='1.0'>", client->load->options.domain);
	client->round_trips++;
	if (client->secure && client->load->options.login != LOGIN_SASL)
		sasl2_authenticate(client);
}

static void client_secured(struct conn *conn, void *owner)
{
	struct client *client = owner;

	(void)conn;
	client->secure = true;
	client->round_trips = 0;
	client_header(client);
}

static void client_start_tls(struct client *client)
{
	client->state = CLIENT_TLS;
	conn_start_tls(client->conn, client->load->tls, client->load->options.domain, "xmpp-client");
}

/* ---- SASL ---- */

static void client_send_sasl(struct client *client, const char *before, const struct buf *message, const char *after)
{
	struct buf *out = conn_out(client->conn);

	buf_add_str(out, before);
	base64_encode(out, message->data, message->len);
	buf_add_str(out, after);
	client->round_trips++;
}

void client_start_proof(struct client *client, enum digest_kind kind, struct buf *first)
{
	char user[32], nonce[ID_LEN + 1];

	snprintf(user, sizeof(user), "user%u", client->number);
	id_random(worker_entropy(client->load->worker), nonce);
	proof_start(&client->proof, kind, user, nonce, first);
}

static void client_authenticate(struct client *client, enum digest_kind kind)
{
	char before[128];
	struct buf first = { 0 };

	snprintf(before, sizeof(before), "<auth xmlns='" NS_SASL "' mechanism='%s'>", proof_mechanism(kind));
	client_start_proof(client, kind, &first);
	client_send_sasl(client, before, &first, "</auth>");
	client->state = CLIENT_SASL;
	buf_clear(&first);
}

void client_challenged(struct client *client, const struct element *challenge, const char *begin)
{
	const char *text = element_text(&client->arena, challenge);
	char password[32];
	struct buf first = { 0 }, final = { 0 };

	snprintf(password, sizeof(password), "pass%u", client->number);
	base64_decode(&first, text, strlen(text));
	buf_add_char(&first, '\0');
	if (!proof_answer(&client->proof, first.data, password, &final))
		load_fail("user%u: this is no challenge: %s", client->number, first.data);
	client_send_sasl(client, begin, &final, "</response>");
	buf_clear(&first);
	buf_clear(&final);
}

static void client_sasl(struct client *client, const struct element *element)
{
	if (element_is(element, "challenge", NS_SASL)) {
		client_challenged(client, element, "<response xmlns='" NS_SASL "'>");
		return;
	}
	if (!element_is(element, "success", NS_SASL))
		load_fail("user%u is not let in: %s", client->number,
		          element_first(element) ? element_first(element)->name : element->name);
	client->authenticated = true;
	client_header(client);
}

/* ---- features ---- */

static bool features_offer(const struct element *mechanisms, enum digest_kind kind)
{
	for (const struct node *n = mechanisms->first; n; n = n->next) {
		const struct node *text = n->element ? n->element->first : NULL;

		if (text && text->text && strlen(proof_mechanism(kind)) == text->len &&
		    memcmp(text->text, proof_mechanism(kind), text->len) == 0)
			return true;
	}
	return false;
}

static void client_choose(struct client *client, const struct element *features)
{
	const struct element *mechanisms = element_child(features, "mechanisms", NS_SASL);

	if (!client->load->options.plain && !client->secure) {
		buf_add_lit(conn_out(client->conn), "<starttls xmlns='" NS_TLS "'/>");
		client->state = CLIENT_TLS;
	} else if (client->load->options.login != LOGIN_SASL) {
		client->state = CLIENT_SASL2;
	} else if (!client->authenticated) {
		if (!mechanisms)
			load_fail("the server offers no way to log in");
		client_authenticate(client, features_offer(mechanisms, DIGEST_SHA256) ? DIGEST_SHA256 : DIGEST_SHA1);
	} else {
		buf_add_lit(conn_out(client->conn), "<iq type='set' id='bind'><bind xmlns='" NS_BIND
		                                    "'><resource>bench</resource></bind></iq>");
		client->state = CLIENT_BINDING;
		client->round_trips++;
	}
}

/* ---- bound ---- */

void client_arrive(struct client *client)
{
	client->state = CLIENT_ROSTER;
	buf_add_lit(conn_out(client->conn), "<iq type='get' id='roster'><query xmlns='" NS_ROSTER "'/></iq><presence/>");
	client->acks.sent += 2;
}

/* The roster may come behind one's own presence. */
static void client_got(struct client *client, const struct element *element)
{
	const char *id = element_attr(element, "id");

	if (element_is(element, "r", "urn:xmpp:sm:3")) {
		acks_answer(&client->acks, conn_out(client->conn));
		return;
	}
	client->acks.received++;
	if (!element_is(element, "iq", NS_CLIENT) || !id || strcmp(id, "roster") != 0)
		return;
	client->state = CLIENT_READY;
	arena_clear(&client->arena);
	client->load->mode->ready(client);
}

static void client_bound(struct client *client, const struct element *iq)
{
	const char *type = element_attr(iq, "type");

	if (!element_is(iq, "iq", NS_CLIENT) || !type || strcmp(type, "result") != 0)
		load_fail("user%u: no resource is bound", client->number);
	if (!client->load->options.sm) {
		client_arrive(client);
		return;
	}
	buf_add_lit(conn_out(client->conn), "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
	client->state = CLIENT_ENABLING;
	client->round_trips++;
}

static void client_enabled(struct client *client, const struct element *enabled)
{
	if (!element_is(enabled, "enabled", "urn:xmpp:sm:3"))
		load_fail("user%u: the server does not enable XEP-0198", client->number);
	acks_enable(&client->acks);
	client_arrive(client);
}

static void client_met(struct client *client, const struct element *element)
{
	if (element_is(element, "error", NS_STREAM))
		load_fail("user%u: the stream ends with %s", client->number,
		          element_first(element) ? element_first(element)->name : "an error");
	switch (client->state) {
	case CLIENT_FEATURES:
		client_choose(client, element);
		break;
	case CLIENT_TLS:
		client_start_tls(client);
		break;
	case CLIENT_SASL:
		client_sasl(client, element);
		break;
	case CLIENT_SASL2:
		sasl2_met(client, element);
		break;
	case CLIENT_BINDING:
		client_bound(client, element);
		break;
	case CLIENT_ENABLING:
		client_enabled(client, element);
		break;
	case CLIENT_ROSTER:
		client_got(client, element);
		break;
	default:
		load_fail("user%u: <%s/> comes too early", client->number, element->name);
	}
}

static bool unit_is(const char *unit, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	return len > name_len + 1 && memcmp(unit + 1, name, name_len) == 0 && strchr(" />", unit[name_len + 1]);
}

static bool unit_is_error(const char *unit, size_t len)
{
	const char *end = memchr(unit, '>', len);
	size_t tag = end ? (size_t)(end - unit) : len;

	return memmem(unit, tag, "type='error'", 12) || memmem(unit, tag, "type=\"error\"", 12);
}

static void client_heard(struct client *client, const char *unit, size_t len)
{
	const struct mode *mode = client->load->mode;

	if (unit_is(unit, len, "r")) {
		acks_answer(&client->acks, conn_out(client->conn));
	} else if (unit_is(unit, len, "a")) {
		if (!acks_read(&client->acks, unit, len))
			load_fail("user%u: a wrong acknowledgement: %.*s", client->number, (int)len, unit);
		worker_at_end_of_turn(client->load->worker, &client->asking);
		if (mode->acknowledged)
			mode->acknowledged(client);
	} else if (unit_is(unit, len, "message") && !unit_is_error(unit, len)) {
		client->acks.received++;
		if (mode->heard)
			mode->heard(client, unit, len);
	} else if (unit_is(unit, len, "presence") || unit_is(unit, len, "iq")) {
		client->acks.received++;
	} else {
		load_fail("user%u hears %.*s", client->number, (int)len, unit);
	}
}

static void client_ask(struct worker *worker, struct turn_job *job)
{
	struct client *client = LIST_MEMBER(job, struct client, asking);

	(void)worker;
	if (client->state == CLIENT_READY)
		acks_ask(&client->acks, conn_out(client->conn));
}

void client_send_message(struct client *client, const struct client *to, uint64_t operation)
{
	static const char filler[] = "All the world's a stage, and all the men and women merely players. ";
	const struct load_options *options = &client->load->options;
	struct buf *out = conn_out(client->conn);
	int marker, rest;

	buf_printf(out, "<message type='chat' to='user%u@%s' id='%s-%u-%llu'><body>", to->number, options->domain,
	           client->load->run, client->number, (unsigned long long)operation);
	marker = (int)out->len;
	buf_printf(out, "[%u %llu]", client->number, (unsigned long long)operation);
	rest = (int)options->body - ((int)out->len - marker);
	for (; rest > 0; rest -= (int)sizeof(filler) - 1)
		buf_printf(out, "%.*s", rest, filler);
	buf_printf(out, "</body><active xmlns='" NS_CHAT_STATES "'/><origin-id xmlns='" NS_SID "' id='%s-%u-%llu'/>"
	           "<request xmlns='urn:xmpp:receipts'/></message>", client->load->run, client->number,
	           (unsigned long long)operation);
	client->acks.sent++;
	worker_at_end_of_turn(client->load->worker, &client->asking);
}

/* ---- the connection ---- */

static void client_unit(struct client *client, enum framer_result result, const char *unit, size_t len)
{
	struct element *element;

	if (result == FRAMER_HEADER) {
		if (parser_header(client->load->parsers, &client->arena, unit, len, &parser_limits_default,
		                  &client->root) != PARSER_OK)
			load_fail("user%u: this is no header: %.*s", client->number, (int)len, unit);
		client->state = CLIENT_FEATURES;
	} else if (result == FRAMER_FOOTER) {
		load_fail("user%u: the server ends the stream", client->number);
	} else if (result != FRAMER_STANZA) {
		load_fail("user%u: this is no stanza (%d): %.*s", client->number, (int)result, (int)len, unit);
	} else if (client->state == CLIENT_READY) {
		client_heard(client, unit, len);
	} else {
		if (parser_stanza(client->load->parsers, &client->arena, client->root.prime, client->root.content_ns,
		                  unit, len, &parser_limits_default, &element) != PARSER_OK)
			load_fail("user%u cannot read %.*s", client->number, (int)len, unit);
		client_met(client, element);
	}
}

/* What follows such a unit belongs to another stream. */
static bool client_begins_anew(const struct client *client)
{
	return client->state == CLIENT_HEADER || client->state == CLIENT_TLS || client->state == CLIENT_GONE;
}

static void client_received(struct conn *conn, void *owner, char *bytes, size_t len)
{
	struct client *client = owner;
	struct buf held = client->in;
	size_t pos = held.len, start = 0, end;
	enum framer_result result;

	(void)conn;
	client->in = (struct buf){ 0 };
	if (held.len > 0) {
		buf_add(&held, bytes, len);
		bytes = held.data;
		len = held.len;
	}
	while ((result = framer_next(&client->framer, bytes, len, UNIT_MAX, &pos, &start, &end)) != FRAMER_MORE) {
		client_unit(client, result, bytes + start, end - start);
		pos = start = end;
		if (result != FRAMER_HEADER && client_begins_anew(client)) {
			start = len;
			break;
		}
	}
	buf_add(&client->in, bytes + start, len - start);
	buf_clear(&held);
}

static void client_overrun(struct conn *conn, void *owner)
{
	(void)conn, (void)owner;
}

static void client_closed(struct conn *conn, void *owner, const char *reason)
{
	struct client *client = owner;

	(void)conn;
	buf_clear(&client->in);
	arena_clear(&client->arena);
	client->conn = NULL;
	if (client->state != CLIENT_GONE)
		load_fail("user%u was closed: %s", client->number, reason ? reason : "by the server");
	client->state = CLIENT_NEW;
	if (client->load->mode->closed)
		client->load->mode->closed(client);
}

static const struct conn_class client_class = { client_received, client_secured, client_overrun, client_closed };

void client_open(struct client *client)
{
	const struct load_options *options = &client->load->options;
	struct address server;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!address_read(options->host, options->port, &server))
		load_fail("--host wants an IPv4 address");
	if (fd < 0 || connect(fd, &server.any, (socklen_t)address_size(&server)) != 0)
		load_fail("%s cannot be reached", options->host);
	client->began_us = now_us();
	client->asking.run = client_ask;
	client->secure = client->authenticated = false;
	client->acks = (struct acks){ 0 };
	client->conn = conn_new(client->load->worker, transport_socket(client->load->worker, fd), &client_class,
	                        client, 0);
	if (options->direct)
		client_start_tls(client);
	else
		client_header(client);
}

void client_close(struct client *client)
{
	client->state = CLIENT_GONE;
	buf_add_lit(conn_out(client->conn), "</stream:stream>");
	conn_close(client->conn, NULL);
}
