/* SPDX-License-Identifier: MIT
 *
 * The client's side of a login: headers, SCRAM (RFC 5802 §3, §5), tokens (XEP-0484), binding.
 */
#include "login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "core/ht.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

static void say(struct speaker *speaker, struct buf *words)
{
	speaker_say(speaker, words->data, words->len);
	buf_clear(words);
}

const char *login_open(struct speaker *speaker, const char *domain)
{
	struct buf words = { 0 };
	struct element *element;

	buf_printf(&words,
	           "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='" NS_STREAM
	           "' to='%s' version='1.0'>",
	           domain);
	say(speaker, &words);
	if (speaker_hear(speaker, &element) != HEARD_HEADER)
		return "no stream header came";
	if (speaker_hear(speaker, &element) != HEARD_ELEMENT || !element_is(element, "features", NS_STREAM))
		return "no features came";
	return NULL;
}

/* ---- SASL ---- */

/* wishes: see login_prove. */
static void say_first(struct speaker *speaker, const char *wishes, const char *mechanism, const struct buf *message)
{
	struct buf words = { 0 };

	buf_printf(&words, wishes ? "<authenticate xmlns='" NS_SASL2 "' mechanism='%s'><initial-response>"
	                          : "<auth xmlns='" NS_SASL "' mechanism='%s'>", mechanism);
	base64_encode(&words, message->data, message->len);
	if (wishes)
		buf_printf(&words, "</initial-response>%s</authenticate>", wishes);
	else
		buf_add_lit(&words, "</auth>");
	say(speaker, &words);
}

static void say_response(struct speaker *speaker, const char *ns, const struct buf *message)
{
	struct buf words = { 0 };

	buf_printf(&words, "<response xmlns='%s'>", ns);
	base64_encode(&words, message->data, message->len);
	buf_add_lit(&words, "</response>");
	say(speaker, &words);
}

static void prove_plain(struct speaker *speaker, const char *wishes, const char *user, const char *password)
{
	struct buf message = { 0 };

	buf_add_char(&message, '\0');
	buf_add(&message, user, strlen(user) + 1);
	buf_add_str(&message, password);
	say_first(speaker, wishes, "PLAIN", &message);
	buf_clear(&message);
}

/* The text of the next element decoded, with a NUL behind it; false: it is no challenge, and stays to be
 * heard. */
static bool hear_challenge(struct speaker *speaker, const char *ns, struct buf *out)
{
	struct element *element;
	bool challenge =
		speaker_hear(speaker, &element) == HEARD_ELEMENT && element_is(element, "challenge", ns);

	if (!challenge) {
		speaker_put_back(speaker);
		return false;
	}
	base64_decode(out, element->first ? element->first->text : "",
	              element->first ? element->first->len : 0);
	buf_add_char(out, '\0');
	return true;
}

struct scram {
	enum digest_kind kind;
	const char *password, *bare, *challenge;
	struct buf cbind; /* GS2 header and what it binds to */
};

static void scram_proof(const struct scram *scram, const struct buf *without, uint8_t proof[DIGEST_MAX])
{
	size_t size = digest_size(scram->kind);
	const char *salt_text = strstr(scram->challenge, ",s=") + 3,
		   *iterations = strstr(scram->challenge, ",i=") + 3;
	struct buf salt = { 0 }, auth = { 0 };
	uint8_t salted[DIGEST_MAX], stored[DIGEST_MAX], sign[DIGEST_MAX];

	base64_decode(&salt, salt_text, strcspn(salt_text, ","));
	digest_pbkdf2(scram->kind, scram->password, strlen(scram->password), salt.data, salt.len,
	              (unsigned)atoi(iterations), salted);
	digest_hmac(scram->kind, salted, size, "Client Key", 10, proof);
	digest_bytes(scram->kind, proof, size, stored);
	buf_printf(&auth, "%s,%s,%.*s", scram->bare, scram->challenge, (int)without->len, without->data);
	digest_hmac(scram->kind, stored, size, auth.data, auth.len, sign);
	for (size_t i = 0; i < size; i++)
		proof[i] ^= sign[i];
	buf_clear(&salt);
	buf_clear(&auth);
}

static void say_final(struct speaker *speaker, const char *ns, const struct scram *scram)
{
	struct buf message = { 0 };
	uint8_t proof[DIGEST_MAX];

	buf_add_lit(&message, "c=");
	base64_encode(&message, scram->cbind.data, scram->cbind.len);
	buf_printf(&message, ",%.*s", (int)strcspn(scram->challenge, ","), scram->challenge);
	scram_proof(scram, &message, proof);
	buf_add_lit(&message, ",p=");
	base64_encode(&message, proof, digest_size(scram->kind));
	say_response(speaker, ns, &message);
	buf_clear(&message);
}

static void prove_scram(struct speaker *speaker, const char *wishes, const char *user, const char *password,
                        const char *mechanism)
{
	const char *ns = wishes ? NS_SASL2 : NS_SASL;
	bool plus = strstr(mechanism, "-PLUS") != NULL;
	struct scram scram = { .kind = strstr(mechanism, "SHA-256") ? DIGEST_SHA256 : DIGEST_SHA1,
		               .password = password };
	struct buf first = { 0 }, challenge = { 0 };
	uint8_t binding[64];
	char bare[256];

	snprintf(bare, sizeof(bare), "n=%s,r=fyko+d2lbbFgONRv9qkxdawL", user);
	buf_add_str(&scram.cbind, plus ? "p=tls-exporter,," : "n,,");
	buf_add(&first, scram.cbind.data, scram.cbind.len);
	buf_add_str(&first, bare);
	say_first(speaker, wishes, mechanism, &first);
	if (hear_challenge(speaker, ns, &challenge)) {
		if (plus)
			buf_add(&scram.cbind, binding, speaker_binding(speaker, "tls-exporter", binding));
		scram.bare = bare;
		scram.challenge = challenge.data;
		say_final(speaker, ns, &scram);
	}
	buf_clear(&scram.cbind);
	buf_clear(&first);
	buf_clear(&challenge);
}

static void prove_token(struct speaker *speaker, const char *wishes, const char *user, const char *token,
                        const char *mechanism)
{
	struct buf message = { 0 };
	uint8_t binding[64], sum[DIGEST_MAX];
	size_t binding_len = strstr(mechanism, "-NONE") ? 0 : speaker_binding(speaker, "tls-exporter", binding);

	ht_sum(DIGEST_SHA256, HT_INITIATOR, token, binding, binding_len, sum);
	buf_add(&message, user, strlen(user) + 1);
	buf_add(&message, sum, digest_size(DIGEST_SHA256));
	say_first(speaker, wishes, mechanism, &message);
	buf_clear(&message);
}

const char *login_prove(struct speaker *speaker, const char *wishes, const char *user, const char *password,
                        const char *mechanism)
{
	if (strcmp(mechanism, "PLAIN") == 0)
		prove_plain(speaker, wishes, user, password);
	else if (strncmp(mechanism, "HT-", 3) == 0)
		prove_token(speaker, wishes, user, password, mechanism);
	else
		prove_scram(speaker, wishes, user, password, mechanism);
	return NULL;
}

/* ---- binding ---- */

const char *login_bind(struct speaker *speaker, const char *resource)
{
	const char *account = speaker_account(speaker), *fault;
	struct buf words = { 0 };
	struct element *element;

	if (!account)
		return "has no account";
	fault = login_open(speaker, strchr(account, '@') + 1);
	if (fault)
		return fault;
	buf_add_lit(&words, "<iq type='set' id='bind'><bind xmlns='" NS_BIND "'>");
	if (resource) {
		buf_add_lit(&words, "<resource>");
		writer_text(&words, resource, strlen(resource));
		buf_add_lit(&words, "</resource>");
	}
	buf_add_lit(&words, "</bind></iq>");
	say(speaker, &words);
	if (speaker_hear(speaker, &element) != HEARD_ELEMENT || !element_is(element, "iq", NS_CLIENT) ||
	    strcmp(element_attr(element, "type"), "result") != 0)
		return "no resource was bound";
	return NULL;
}

const char *login(struct speaker *speaker, const char *resource)
{
	const char *account = speaker_account(speaker), *fault;
	struct element *element;
	char *user;

	if (!account)
		return "has no account";
	fault = login_open(speaker, strchr(account, '@') + 1);
	if (fault)
		return fault;
	user = str_dup_len(account, strcspn(account, "@"));
	fault = login_prove(speaker, NULL, user, "secret", "SCRAM-SHA-1");
	free(user);
	if (fault)
		return fault;
	if (speaker_hear(speaker, &element) != HEARD_ELEMENT || !element_is(element, "success", NS_SASL))
		return "was not let in";
	return login_bind(speaker, resource);
}
