/* SPDX-License-Identifier: MIT
 *
 * The table of known names and the hash that finds them: both ends of the string and its length, so that a
 * long namespace costs no more than a short one.
 */
#include "xmpp/name.h"

#include <assert.h>
#include <string.h>

#include "xmpp/ns.h"

struct name {
	const char *text;
	size_t len;
};

#define NAME(text) { text, sizeof(text) - 1 }

static const struct name names[] = {
	/* namespaces */
	NAME(NS_XML), NAME(NS_STREAM), NAME(NS_CLIENT), NAME(NS_SERVER), NAME(NS_COMPONENT_ACCEPT),
	NAME(NS_STREAM_ERRORS), NAME(NS_STANZA_ERRORS), NAME(NS_TLS), NAME(NS_SASL), NAME(NS_BIND),
	NAME(NS_SESSION), NAME(NS_ROSTER), NAME(NS_ROSTERVER), NAME(NS_PREAPPROVAL), NAME(NS_DIALBACK),
	NAME(NS_DIALBACK_FEATURE), NAME(NS_SASL_CB), NAME(NS_DISCO_INFO), NAME(NS_DISCO_ITEMS), NAME(NS_CAPS),
	NAME(NS_PING), NAME(NS_VERSION), NAME(NS_TIME), NAME(NS_LAST), NAME(NS_PRIVATE), NAME(NS_VCARD),
	NAME(NS_DELAY), NAME(NS_SID), NAME(NS_CHAT_STATES), NAME(NS_HINTS), NAME("urn:xmpp:receipts"),
	NAME("urn:xmpp:chat-markers:0"), NAME("urn:xmpp:carbons:2"), NAME("urn:xmpp:forward:0"),
	NAME("urn:xmpp:mam:2"), NAME("urn:xmpp:sm:3"), NAME("urn:xmpp:csi:0"), NAME("urn:xmpp:blocking"),
	NAME("urn:xmpp:message-correct:0"), NAME("urn:xmpp:reply:0"), NAME("urn:xmpp:reactions:0"),
	NAME("urn:xmpp:fallback:0"), NAME("urn:xmpp:eme:0"), NAME("urn:xmpp:sims:1"),
	NAME("urn:xmpp:occupant-id:0"), NAME("urn:xmpp:bookmarks:1"), NAME("urn:xmpp:avatar:data"),
	NAME("urn:xmpp:avatar:metadata"), NAME("urn:xmpp:push:0"), NAME("urn:xmpp:http:upload:0"),
	NAME("urn:xmpp:jingle:1"), NAME("urn:xmpp:jingle-message:0"), NAME("jabber:x:data"),
	NAME("jabber:x:oob"), NAME("jabber:x:conference"), NAME("jabber:iq:register"),
	NAME("vcard-temp:x:update"), NAME("eu.siacs.conversations.axolotl"), NAME("storage:bookmarks"),
	NAME("http://jabber.org/protocol/rsm"), NAME("http://jabber.org/protocol/commands"),
	NAME("http://jabber.org/protocol/muc"), NAME("http://jabber.org/protocol/muc#user"),
	NAME("http://jabber.org/protocol/muc#admin"), NAME("http://jabber.org/protocol/muc#owner"),
	NAME("http://jabber.org/protocol/pubsub"), NAME("http://jabber.org/protocol/pubsub#event"),
	NAME("http://jabber.org/protocol/pubsub#owner"), NAME("http://jabber.org/protocol/nick"),
	NAME("http://jabber.org/protocol/xhtml-im"), NAME("http://www.w3.org/1999/xhtml"),
	/* elements of RFC 6120 and RFC 6121 */
	NAME("stream"), NAME("features"), NAME("error"), NAME("starttls"), NAME("proceed"), NAME("failure"),
	NAME("required"), NAME("optional"), NAME("mechanisms"), NAME("mechanism"), NAME("auth"),
	NAME("challenge"), NAME("response"), NAME("success"), NAME("abort"), NAME("bind"), NAME("resource"),
	NAME("session"), NAME("message"), NAME("presence"), NAME("iq"), NAME("body"), NAME("subject"),
	NAME("thread"), NAME("show"), NAME("status"), NAME("priority"), NAME("query"), NAME("item"),
	NAME("group"), NAME("text"),
	/* stanza error conditions */
	NAME("bad-request"), NAME("conflict"), NAME("feature-not-implemented"), NAME("forbidden"),
	NAME("gone"), NAME("internal-server-error"), NAME("item-not-found"), NAME("jid-malformed"),
	NAME("not-acceptable"), NAME("not-allowed"), NAME("not-authorized"), NAME("policy-violation"),
	NAME("recipient-unavailable"), NAME("redirect"), NAME("registration-required"),
	NAME("remote-server-not-found"), NAME("remote-server-timeout"), NAME("resource-constraint"),
	NAME("service-unavailable"), NAME("subscription-required"), NAME("undefined-condition"),
	NAME("unexpected-request"),
	/* elements of extensions */
	NAME("result"), NAME("verify"), NAME("handshake"), NAME("identity"), NAME("feature"), NAME("ping"),
	NAME("c"), NAME("x"), NAME("delay"), NAME("active"), NAME("composing"), NAME("paused"),
	NAME("inactive"), NAME("request"), NAME("received"), NAME("sent"), NAME("private"), NAME("forwarded"),
	NAME("markable"), NAME("displayed"), NAME("acknowledged"), NAME("origin-id"), NAME("stanza-id"),
	NAME("occupant-id"), NAME("store"), NAME("no-store"), NAME("no-copy"), NAME("no-permanent-store"),
	NAME("replace"), NAME("reply"), NAME("reactions"), NAME("reaction"), NAME("fallback"),
	NAME("encryption"), NAME("encrypted"), NAME("header"), NAME("key"), NAME("iv"), NAME("payload"),
	NAME("r"), NAME("a"), NAME("enable"), NAME("enabled"), NAME("resume"), NAME("resumed"),
	NAME("disable"), NAME("pubsub"), NAME("event"), NAME("items"), NAME("publish"), NAME("retract"),
	NAME("subscribe"), NAME("unsubscribe"), NAME("field"), NAME("value"), NAME("option"), NAME("set"),
	NAME("max"), NAME("before"), NAME("after"), NAME("first"), NAME("last"), NAME("count"), NAME("fin"),
	NAME("vCard"), NAME("photo"), NAME("PHOTO"), NAME("BINVAL"), NAME("TYPE"), NAME("FN"), NAME("N"),
	NAME("NICKNAME"), NAME("nick"), NAME("storage"), NAME("conference"), NAME("name"), NAME("os"),
	NAME("utc"), NAME("tzo"), NAME("time"), NAME("block"), NAME("unblock"), NAME("blocklist"),
	NAME("command"), NAME("note"), NAME("actions"), NAME("html"), NAME("p"), NAME("span"), NAME("br"),
	NAME("url"), NAME("invite"), NAME("jingle"), NAME("propose"),
	/* attributes */
	NAME("from"), NAME("to"), NAME("id"), NAME("type"), NAME("lang"), NAME("version"), NAME("xmlns"),
	NAME("jid"), NAME("subscription"), NAME("ask"), NAME("approved"), NAME("ver"), NAME("node"),
	NAME("hash"), NAME("ext"), NAME("category"), NAME("stamp"), NAME("by"), NAME("code"), NAME("seconds"),
	NAME("var"), NAME("label"), NAME("h"), NAME("previd"), NAME("location"), NAME("role"),
	NAME("affiliation"), NAME("complete"), NAME("stable"), NAME("queryid"), NAME("action"),
	NAME("sessionid"), NAME("index"), NAME("rid"), NAME("sid"), NAME("namespace"), NAME("prekey"),
	NAME("reason"), NAME("autojoin"),
};

/* Two loads, overlapping where the text is short. */
static uint32_t name_hash(const char *text, size_t len)
{
	uint64_t head = 0, tail = 0;

	if (len >= sizeof(head)) {
		memcpy(&head, text, sizeof(head));
		memcpy(&tail, text + len - sizeof(tail), sizeof(tail));
	} else if (len >= 4) {
		memcpy(&head, text, 4);
		memcpy(&tail, text + len - 4, 4);
	} else if (len > 0) {
		head = (unsigned char)text[0];
		tail = (uint64_t)(unsigned char)text[len / 2] << 8 | (unsigned char)text[len - 1];
	}
	head = (head + len) * UINT64_C(0x9e3779b97f4a7c15) ^ tail * UINT64_C(0xc2b2ae3d27d4eb4f);
	return (uint32_t)((head ^ head >> 29) * UINT64_C(0x165667b19e3779f9) >> 32);
}

/* Slots hold the number of a name plus one; 0 is free. A quarter of them is taken, so a run of taken ones is
 * short. */
void name_index_init(struct name_index *index)
{
	static_assert(sizeof(names) / sizeof(names[0]) < NAME_SLOTS / 3, "the index has become crowded");

	memset(index, 0, sizeof(*index));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint32_t slot = name_hash(names[i].text, names[i].len) % NAME_SLOTS;

		while (index->slots[slot])
			slot = (slot + 1) % NAME_SLOTS;
		index->slots[slot] = (uint16_t)(i + 1);
	}
}

const char *name_find(const struct name_index *index, const char *text, size_t len)
{
	uint32_t slot = name_hash(text, len) % NAME_SLOTS;

	for (; index->slots[slot]; slot = (slot + 1) % NAME_SLOTS) {
		const struct name *name = &names[index->slots[slot] - 1];

		if (name->len == len && memcmp(name->text, text, len) == 0)
			return name->text;
	}
	return NULL;
}
