/* SPDX-License-Identifier: MIT
 *
 * Message Carbons (XEP-0280): what a user's client sends, and what is sent to one of them, goes as a forwarded copy
 * (XEP-0297) to the others that have asked for it. A copy comes from the account itself, and never through the account's
 * rules, so there is no copy of a copy and nobody else can send one. Nobody waits for its delivery: the custody is the
 * original's.
 */
#include <string.h>

#include "core/iq.h"
#include "core/journal.h"
#include "core/module.h"
#include "core/session.h"
#include "xmpp/ns.h"

/* ---- enabling (§4, §5) ---- */

static void carbons_asked(struct iq_request *request)
{
	struct session *session = iq_session(request);

	if (!session) {
		iq_refuse(request, STANZA_NOT_ALLOWED, NULL);
		return;
	}
	session->carbons = strcmp(request->payload->name, "enable") == 0;
	iq_done(request);
}

/* Mostly nobody does, and no message need be looked at. */
static bool somebody_gets_carbons(const struct account *account)
{
	for (const struct session *session = session_first(account); session; session = session_next(session)) {
		if (session->carbons)
			return true;
	}
	return false;
}

/* ---- which messages (§6.1) ---- */

static bool is_private(const struct element *message)
{
	return element_child(message, "private", NS_CARBONS) || element_child(message, "no-copy", NS_HINTS);
}

static bool is_copy(const struct element *message)
{
	return element_child(message, "received", NS_CARBONS) || element_child(message, "sent", NS_CARBONS);
}

/* Payloads that are typical for instant messaging. */
static bool has_im_payload(const struct element *message)
{
	static const char *const namespaces[] = { NS_RECEIPTS, NS_CHAT_STATES, NS_CHAT_MARKERS,
		                                  NS_CONFERENCE };

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++) {
		if (element_child_ns(message, namespaces[i]))
			return true;
	}
	return false;
}

static bool is_room_invitation(const struct element *message)
{
	const struct element *x = element_child(message, "x", NS_MUC_USER);

	return x && element_child(x, "invite", NS_MUC_USER);
}

/* A room has given such a message to all clients that are in it. */
static bool is_from_occupant(const struct stanza *message)
{
	return !jid_is_bare(&message->from) && element_child(message->root, "x", NS_MUC_USER);
}

/* A bounce mostly has what it answers inside; where it has not, what a client sends goes to a bare JID, and it comes from
 * there. */
static bool answers_im(const struct stanza *error)
{
	return element_child(error->root, "body", NS_CLIENT) || has_im_payload(error->root) ||
	       jid_is_bare(&error->from);
}

static bool is_eligible(const struct stanza *message)
{
	const struct element *root = message->root;

	if (message->kind != STANZA_MESSAGE || is_private(root) || is_copy(root))
		return false;
	switch (message->type) {
	case MESSAGE_CHAT:
		return true;
	case MESSAGE_NORMAL:
		return element_child(root, "body", NS_CLIENT) || has_im_payload(root) ||
		       is_room_invitation(root);
	case MESSAGE_ERROR:
		return answers_im(message);
	default:
		return false;
	}
}

/* ---- the copy (§7, §8) ---- */

/* With its id in the archive (XEP-0313 §3.5). */
static void forwarded_add(struct arena *arena, struct element *parent, const struct account *account,
                          const struct stanza *message, uint64_t entry)
{
	struct element *forwarded = element_add(arena, parent, "forwarded", NS_FORWARD);
	struct element *copy = element_copy(arena, forwarded, message->root);

	element_set(arena, copy, "from", message->from.text);
	element_set(arena, copy, "to", message->to.text);
	element_set_ns(arena, copy, "lang", NS_XML, message->lang);
	journal_add_id(arena, copy, account, entry);
}

/* A message that some of the account's clients shall have a copy of. */
struct carbon {
	const struct stanza *message;
	uint64_t entry;                 /* in the account's journal; 0: none */
	const char *direction;
	bool is_delivery;               /* of an entry that waits to be delivered */
	const struct stanza *copy;      /* made once for all that get it, and only where somebody does */
};

static const struct stanza *carbon_make(const struct account *account, const struct carbon *carbon)
{
	struct stanza *copy = stanza_make(STANZA_MESSAGE, carbon->message->type, &account->jid, NULL, NULL);
	struct element *wrapper = element_add(&copy->arena, copy->root, carbon->direction, NS_CARBONS);

	forwarded_add(&copy->arena, wrapper, account, carbon->message, carbon->entry);
	return stanza_seal(copy);
}

/* Who might have got the message itself has it with the copy. */
static void carbon_push(struct session *session, struct carbon *carbon)
{
	if (!carbon->copy)
		carbon->copy = carbon_make(session->account, carbon);
	if (carbon->is_delivery && session_is_available(session) && session->priority >= 0)
		session_push_told(session, stanza_ref(carbon->copy), carbon->entry, journal_copy_answered);
	else
		session_push(session, stanza_ref(carbon->copy));
}

/* §8. What a user sends to himself is received by all of his clients. */
static void carbons_message_sent(struct account *account, const struct stanza *message)
{
	struct carbon carbon = { .message = message, .entry = message->journal, .direction = "sent" };

	if (!somebody_gets_carbons(account) || jid_same_bare(&message->to, &account->jid) || !is_eligible(message) ||
	    message->type == MESSAGE_ERROR)
		return;
	for (struct session *session = session_first(account); session; session = session_next(session)) {
		if (session->carbons && !jid_same(&session->jid, &message->from))
			carbon_push(session, &carbon);
	}
	stanza_unref(&carbon.copy);
}

/* §7. */
static void carbons_message_delivered(struct account *account, const struct parcel *parcel,
                                      session_choice *gets_it)
{
	const struct stanza *message = parcel->stanza;
	struct carbon carbon = { .message = message,
		                 .entry = parcel->journal,
		                 .direction = "received",
		                 .is_delivery = parcel->journal > 0 };

	if (!somebody_gets_carbons(account) || !is_eligible(message) ||
	    (is_from_occupant(message) && !is_room_invitation(message->root)))
		return;
	for (struct session *session = session_first(account); session; session = session_next(session)) {
		if (session->carbons && !gets_it(session, parcel) && !jid_same(&session->jid, &message->from))
			carbon_push(session, &carbon);
	}
	stanza_unref(&carbon.copy);
}

/* ---- the module ---- */

static const struct iq_handler handlers[] = {
	{ "enable", NS_CARBONS, IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, carbons_asked },
	{ "disable", NS_CARBONS, IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, carbons_asked },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0280", "Message Carbons", "1.0.1", NULL },
	{ "XEP-0297", "Stanza Forwarding", "1.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_CARBONS, NULL };

const struct module carbons_module = {
	.name = "carbons",
	.specs = specs,
	.host_features = features,
	.account_features = features,
	.iqs = handlers,
	.message_sent = carbons_message_sent,
	.message_delivered = carbons_message_delivered,
};
