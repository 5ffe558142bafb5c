/* SPDX-License-Identifier: MIT
 *
 * What the files of bookmarks share: bookmarks.c which requests are about them and how a list is read and stored,
 * bookmarks_change.c changes of the node, bookmarks_legacy.c a list that private storage itself still holds.
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

/* Is it a list of XEP-0048? */
bool bookmarks_is_list(const struct element *element);
/* Asks for the items of the node; done frees the request, whose context is the call. */
void bookmarks_ask(struct bookmarks_call *call, void (*done)(struct store_request *done));
/* Nothing of the account's is left in private storage itself. */
void bookmarks_moved(struct bookmarks_call *call);
/* Answers the request, whose call is over. */
void bookmarks_refuse(struct bookmarks_call *call, enum store_status status);

/* ---- bookmarks_change.c ---- */

size_t bookmarks_count(const struct element *list);
/* The <conference/> of an item, in the arena; NULL: it is something else. */
struct element *bookmarks_conference(struct iq_request *request, struct arena *arena,
                                     const struct store_pubsub_item *item);
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
