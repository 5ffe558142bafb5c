/* SPDX-License-Identifier: MIT
 *
 * What the files of bookmarks share: bookmarks.c which requests are about them, one after the other; bookmarks_list.c the old
 * list, as clients ask for it; bookmarks_change.c changes of the node; bookmarks_legacy.c a list that private storage itself
 * still holds.
 */
#ifndef XEP_BOOKMARKS_H
#define XEP_BOOKMARKS_H

#include "base/line.h"
#include "core/iq.h"
#include "store/pubsub.h"

/* What is to be done to the node, one after the other. */
struct bookmarks_change {
	const char *id;
	const struct element *payload; /* NULL: retract */
};

/* A request about bookmarks. Those of an account stand in a line. It lives in its arena. */
struct bookmarks_call {
	struct iq_request *request;
	struct line_place place;
	struct bookmarks_change *changes;
	size_t count, next;
	const struct element *legacy;   /* the list that private storage holds */
	void (*changed)(struct bookmarks_call *call, enum store_status status); /* when all are done, or one failed */
	struct arena arena;
};

/* ---- bookmarks.c ---- */

/* Asks for the items of the node; done frees the request. */
void bookmarks_items_ask(struct home *home, const struct jid *user, void (*done)(struct store_request *done), void *context);
/* Nothing of the account's is left in private storage itself. */
void bookmarks_moved(struct bookmarks_call *call);
/* Answers the request, whose call is over. */
void bookmarks_refuse(struct bookmarks_call *call, enum store_status status);

/* ---- bookmarks_list.c ---- */

/* Is it a list of XEP-0048? */
bool bookmarks_is_list(const struct element *element);
/* Is the list to be read or written, in private storage or in its node? The one that is in the request; NULL: none. */
bool bookmarks_list_is_asked(const struct iq_request *request);
const struct element *bookmarks_list_find(const struct iq_request *request);
/* The answers. */
void bookmarks_list_answer(struct iq_request *request, const struct store_pubsub_items *items);
void bookmarks_list_stored(struct iq_request *request);
/* Who wants to hear of the list's node is told. */
void bookmarks_list_changed(struct home *home, const struct jid *user);

/* ---- bookmarks_change.c ---- */

/* XEP-0402 §3: what the node must be like. */
#define BOOKMARKS_CONFIG "access_model whitelist\nmax_items max\nsend_last_published_item never\n"


size_t bookmarks_count(const struct element *list);
/* The <conference/> of an item, in the arena; NULL: it is something else. */
struct element *bookmarks_conference(struct home *home, struct arena *arena, const struct store_pubsub_item *item);
/* The call's changes are those that turn the items into the list; or that add to them what only the list has. */
void bookmarks_replace(struct bookmarks_call *call, const struct element *list, const struct store_pubsub_items *items);
void bookmarks_complete(struct bookmarks_call *call, const struct element *list, const struct store_pubsub_items *items);
/* Makes them. */
void bookmarks_change(struct bookmarks_call *call,
                      void (*changed)(struct bookmarks_call *call, enum store_status status));

/* ---- bookmarks_legacy.c ---- */

/* Moves what private storage holds to the node; ends with bookmarks_moved, or refuses. */
void bookmarks_move(struct bookmarks_call *call);

#endif
