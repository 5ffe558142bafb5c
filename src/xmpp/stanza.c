/* SPDX-License-Identifier: MIT
 *
 * Stanzas: read from a tree (RFC 6120 §8.1 common attributes, §8.2 kinds), sealed, counted, written, answered
 * (§8.2.3, §8.3). The stanza, its tree and its serialised form lie in one arena, the stanza itself at its
 * beginning; for ordinary stanzas that is one piece of memory in all.
 */
#include "xmpp/stanza.h"

#include <assert.h>
#include <string.h>

#include "xmpp/ns.h"
#include "xmpp/writer.h"

enum {
	/* The tree, the addresses and the serialised form take this many times the bytes, and this much
	 * besides. */
	FOOTPRINT_FACTOR = 3,
	FOOTPRINT_FIXED = 384,
	/* Two tags make most elements, with a namespace or another attribute. */
	TAG_ROOM = 72,
	TAGS_COUNTED = 256,             /* the arena of a larger tree grows as it is built */
	STAMP_ROOM = 80,                /* from and xml:lang are ours */
	WRITE_GUESS = 1000,             /* of most stanzas' content */
	TAG_WEIGHT = 32,
	TAGS_MOST = sizeof("<presence from='' to=''></presence>"),
	ESCAPED_MOST = 6,               /* bytes that one byte is written as: &quot; */
	/* A longer original is left out of its error, which would else be larger than what was allowed to
	 * come. */
	ORIGINAL_MAX = 8 << 10,
};

static const char *const kind_names[] = {
	[STANZA_OTHER] = NULL,
	[STANZA_MESSAGE] = "message",
	[STANZA_PRESENCE] = "presence",
	[STANZA_IQ] = "iq",
};

static const struct {
	enum stanza_kind kind;
	const char *name;               /* NULL: the attribute is absent, or has none of the names */
} types[] = {
	[STANZA_TYPE_NONE] = { STANZA_OTHER, NULL },
	[MESSAGE_NORMAL] = { STANZA_MESSAGE, NULL },
	[MESSAGE_CHAT] = { STANZA_MESSAGE, "chat" },
	[MESSAGE_GROUPCHAT] = { STANZA_MESSAGE, "groupchat" },
	[MESSAGE_HEADLINE] = { STANZA_MESSAGE, "headline" },
	[MESSAGE_ERROR] = { STANZA_MESSAGE, "error" },
	[PRESENCE_AVAILABLE] = { STANZA_PRESENCE, NULL },
	[PRESENCE_UNAVAILABLE] = { STANZA_PRESENCE, "unavailable" },
	[PRESENCE_SUBSCRIBE] = { STANZA_PRESENCE, "subscribe" },
	[PRESENCE_SUBSCRIBED] = { STANZA_PRESENCE, "subscribed" },
	[PRESENCE_UNSUBSCRIBE] = { STANZA_PRESENCE, "unsubscribe" },
	[PRESENCE_UNSUBSCRIBED] = { STANZA_PRESENCE, "unsubscribed" },
	[PRESENCE_PROBE] = { STANZA_PRESENCE, "probe" },
	[PRESENCE_ERROR] = { STANZA_PRESENCE, "error" },
	[PRESENCE_INVALID] = { STANZA_PRESENCE, NULL },
	[IQ_GET] = { STANZA_IQ, "get" },
	[IQ_SET] = { STANZA_IQ, "set" },
	[IQ_RESULT] = { STANZA_IQ, "result" },
	[IQ_ERROR] = { STANZA_IQ, "error" },
	[IQ_INVALID] = { STANZA_IQ, NULL },
};

/* What a type that is absent, or unknown, means for each kind. */
static const struct {
	enum stanza_type absent, unknown, error;
} kind_types[] = {
	[STANZA_OTHER] = { STANZA_TYPE_NONE, STANZA_TYPE_NONE, STANZA_TYPE_NONE },
	[STANZA_MESSAGE] = { MESSAGE_NORMAL, MESSAGE_NORMAL, MESSAGE_ERROR },
	[STANZA_PRESENCE] = { PRESENCE_AVAILABLE, PRESENCE_INVALID, PRESENCE_ERROR },
	[STANZA_IQ] = { IQ_INVALID, IQ_INVALID, IQ_ERROR },
};

const char *stanza_kind_name(enum stanza_kind kind)
{
	return kind_names[kind];
}

const char *stanza_type_name(enum stanza_type type)
{
	return types[type].name;
}

static struct stanza *stanza_new_in(size_t room)
{
	struct stanza *s = arena_new_self(sizeof(*s), offsetof(struct stanza, arena), room);

	atomic_init(&s->refs, 1);
	return s;
}

struct stanza *stanza_new(size_t size)
{
	return stanza_new_in(FOOTPRINT_FACTOR * size + FOOTPRINT_FIXED);
}

/* Tags make the nodes of the tree; what stands within and between them is there twice, read and serialised. */
struct stanza *stanza_new_for(const char *xml, size_t len)
{
	const char *end = xml + len;
	size_t tags = 0;

	for (const char *at = xml; tags < TAGS_COUNTED && (at = memchr(at, '<', (size_t)(end - at))); at++)
		tags++;
	return stanza_new_in(2 * len + TAG_ROOM * tags + STAMP_ROOM);
}

struct stanza *stanza_make(enum stanza_kind kind, enum stanza_type type, const struct jid *from,
                           const struct jid *to, const char *id)
{
	struct stanza *s = stanza_new(0);

	assert(kind != STANZA_OTHER && types[type].kind == kind);
	s->kind = kind;
	s->type = type;
	if (from)
		s->from = jid_copy(&s->arena, from);
	if (to)
		s->to = jid_copy(&s->arena, to);
	if (id)
		s->id = arena_str(&s->arena, id);
	s->root = element_new(&s->arena, kind_names[kind], NS_CLIENT);
	return s;
}

static enum stanza_kind kind_of(const struct element *root)
{
	if (strcmp(root->ns, NS_CLIENT) != 0)
		return STANZA_OTHER;
	for (int kind = STANZA_MESSAGE; kind <= STANZA_IQ; kind++)
		if (strcmp(root->name, kind_names[kind]) == 0)
			return (enum stanza_kind)kind;
	return STANZA_OTHER;
}

static enum stanza_type type_of(enum stanza_kind kind, const char *name)
{
	if (!name)
		return kind_types[kind].absent;
	for (size_t type = 0; type < sizeof(types) / sizeof(types[0]); type++)
		if (types[type].kind == kind && types[type].name && strcmp(types[type].name, name) == 0)
			return (enum stanza_type)type;
	return kind_types[kind].unknown;
}

static bool stanza_read_jid(struct stanza *s, const char *name, struct jid *jid)
{
	const char *text = element_attr(s->root, name);

	*jid = (struct jid){ 0 };
	return !text || jid_prepare(&s->arena, text, strlen(text), JID_ANY, jid);
}

enum stanza_check stanza_read(struct stanza *s, struct element *root, const char *stream_lang)
{
	bool has_from, has_to;

	assert(!s->sealed);
	s->root = root;
	s->kind = kind_of(root);
	s->type = type_of(s->kind, element_attr(root, "type"));
	s->id = element_attr(root, "id");
	s->lang = element_attr_ns(root, "lang", NS_XML);
	if (!s->lang && stream_lang)
		s->lang = arena_str(&s->arena, stream_lang);
	has_from = stanza_read_jid(s, "from", &s->from);
	has_to = stanza_read_jid(s, "to", &s->to);
	return !has_from ? STANZA_CHECK_FROM : !has_to ? STANZA_CHECK_TO : STANZA_CHECK_OK;
}

/* The attributes that the stanza's own members stand for. */
static bool attr_is_common(const struct attr *attr)
{
	static const char *const names[] = { "from", "to", "type", "id" };

	if (attr->ns)
		return strcmp(attr->ns, NS_XML) == 0 && strcmp(attr->name, "lang") == 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (attr->name[0] == names[i][0] && strcmp(attr->name, names[i]) == 0)
			return true;
	return false;
}

static void stanza_write_head(struct buf *out, const struct stanza *s)
{
	writer_attr(out, "type", types[s->type].name);
	writer_attr(out, "id", s->id);
	writer_attr(out, "xml:lang", s->lang);
	for (const struct attr *attr = s->root->attrs; attr; attr = attr->next)
		if (!attr_is_common(attr))
			writer_own_attr(out, s->root, attr);
}

const struct stanza *stanza_seal(struct stanza *s)
{
	struct buf out = { 0 };

	assert(!s->sealed && s->root);
	buf_reserve(&out, WRITE_GUESS);
	stanza_write_head(&out, s);
	s->head_len = out.len;
	writer_content(&out, s->root);
	s->head = arena_str_len(&s->arena, out.data, out.len);
	s->content = s->head + s->head_len;
	s->content_len = out.len - s->head_len;
	buf_clear(&out);
	s->sealed = true;
	return s;
}

const struct stanza *stanza_share(struct stanza *s)
{
	assert(!s->sealed);
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

/* Counting is what is written in a stanza that is sealed, and once perhaps that it is secret. */
const struct stanza *stanza_ref(const struct stanza *s)
{
	assert(s->sealed);
	atomic_fetch_add_explicit(&((struct stanza *)(uintptr_t)s)->refs, 1, memory_order_relaxed);
	return s;
}

void stanza_unref(const struct stanza **s)
{
	struct stanza *gone = (struct stanza *)(uintptr_t)*s;

	*s = NULL;
	if (!gone || atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) > 1)
		return;
	stanza_unref(&gone->returns);
	if (atomic_load_explicit(&gone->secret, memory_order_relaxed))
		arena_wipe_self(gone, offsetof(struct stanza, arena));
	else
		arena_free_self(gone, offsetof(struct stanza, arena));
}

void stanza_keep_secret(const struct stanza *s)
{
	atomic_store_explicit(&((struct stanza *)(uintptr_t)s)->secret, true, memory_order_relaxed);
}

size_t stanza_weight(const struct stanza *s)
{
	return TAG_WEIGHT + s->head_len + s->content_len + (s->from.text ? jid_len(&s->from) : 0) +
	       (s->to.text ? jid_len(&s->to) : 0);
}

bool stanza_fits(const struct stanza *s, const struct jid *to, size_t limit)
{
	size_t addresses = (s->from.text ? jid_len(&s->from) : 0) + (to->text ? jid_len(to) : 0);

	return TAGS_MOST + s->head_len + s->content_len + ESCAPED_MOST * addresses <= limit;
}

void stanza_write(struct buf *out, const struct stanza *s, const struct stanza_copy *copy)
{
	static const struct stanza_copy same;

	assert(s->sealed);
	if (!copy)
		copy = &same;
	if (s->kind == STANZA_OTHER) {
		writer_element(out, s->root, NS_CLIENT);
		return;
	}
	buf_add_char(out, '<');
	buf_add_str(out, kind_names[s->kind]);
	writer_attr(out, "from", copy->from ? copy->from->text : s->from.text);
	writer_attr(out, "to", copy->to ? copy->to->text : s->to.text);
	buf_add(out, s->head, s->head_len);
	if (s->content_len + copy->tail_len == 0) {
		buf_add_lit(out, "/>");
		return;
	}
	buf_add_char(out, '>');
	buf_add(out, s->content, s->content_len);
	buf_add(out, copy->tail, copy->tail_len);
	buf_add_lit(out, "</");
	buf_add_str(out, kind_names[s->kind]);
	buf_add_char(out, '>');
}

struct stanza *stanza_result(const struct stanza *iq)
{
	assert(iq->kind == STANZA_IQ);
	return stanza_make(STANZA_IQ, IQ_RESULT, &iq->to, &iq->from, iq->id);
}

static bool stanza_may_fail(const struct stanza *s)
{
	return s->kind != STANZA_OTHER && s->type != kind_types[s->kind].error && s->type != IQ_RESULT;
}

/* RFC 6120 §8.3.1 rule 6: a courtesy. */
static void stanza_add_original(struct stanza *error, const struct stanza *s)
{
	if (!s->sealed || s->content_len > ORIGINAL_MAX)
		return;
	for (const struct node *node = s->root->first; node; node = node->next) {
		if (node->element)
			element_copy(&error->arena, error->root, node->element);
		else
			element_add_text_len(&error->arena, error->root, node->text, node->len);
	}
}

struct stanza *stanza_error_draft(const struct stanza *s, const struct jid *from,
                                  enum stanza_condition condition, const char *text)
{
	struct stanza *error;

	if (!stanza_may_fail(s))
		return NULL;
	error = stanza_make(s->kind, kind_types[s->kind].error, from ? from : &s->to, &s->from, s->id);
	if (s->lang)
		error->lang = arena_str(&error->arena, s->lang);
	stanza_add_original(error, s);
	error_add(&error->arena, error->root, condition, text);
	return error;
}

const struct stanza *stanza_error(const struct stanza *s, const struct jid *from,
                                  enum stanza_condition condition, const char *text)
{
	struct stanza *error = stanza_error_draft(s, from, condition, text);

	return error ? stanza_seal(error) : NULL;
}
