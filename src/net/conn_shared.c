/* SPDX-License-Identifier: MIT
 *
 * A worker's conns as a whole: spare buffers, and the parts of a turn that concern them. What a part adds to its own
 * list while it runs belongs to the next turn, so no turn is endless.
 */
#include "conn_shared.h"

#include "conn_inside.h"

void conn_shared_init(struct conn_shared *shared)
{
	list_init(&shared->ready);
	list_init(&shared->dirty);
	list_init(&shared->moving);
	list_init(&shared->dead);
	shared->handshakes = CONN_HANDSHAKES_A_TURN;
}

void conn_shared_clear(struct conn_shared *shared)
{
	struct list_link *link;

	while ((link = list_take_first(&shared->dead)))
		conn_free(LIST_MEMBER(link, struct conn, fate));
	while (shared->spare_count)
		buf_clear(&shared->spare[--shared->spare_count]);
	buf_clear(&shared->sealed);
}

/* ---- spare buffers ---- */

void conn_shared_lend(struct conn_shared *shared, struct buf *buf)
{
	if (shared->spare_count)
		*buf = shared->spare[--shared->spare_count];
	else
		buf_reserve(buf, CONN_SPARE_SIZE / 4);
}

void conn_shared_take_back(struct conn_shared *shared, struct buf *buf)
{
	if (buf->cap > CONN_SPARE_SIZE || shared->spare_count == CONN_SPARE_BUFFERS) {
		buf_clear(buf);
		return;
	}
	shared->spare[shared->spare_count++] = *buf;
	*buf = (struct buf){ 0 };
}

/* ---- the turn ---- */

/* Moves all members to a list of their own. */
static void list_split(struct list *list, struct list *now)
{
	struct list_link *link;

	list_init(now);
	while ((link = list_take_first(list)))
		list_add_last(now, link);
}

bool conn_shared_go_on(struct conn_shared *shared)
{
	struct list now;
	struct list_link *link;
	bool any = !list_is_empty(&shared->ready);

	/* Those who waited come first; what they leave of the handshakes is for who comes until the next turn. */
	shared->handshakes = CONN_HANDSHAKES_A_TURN;
	list_split(&shared->ready, &now);
	while ((link = list_take_first(&now)))
		conn_go_on(LIST_MEMBER(link, struct conn, ready));
	return any;
}

bool conn_shared_flush(struct conn_shared *shared)
{
	struct list now;
	struct list_link *link;
	bool any = conn_shared_has_work(shared);

	list_split(&shared->dead, &now);
	while ((link = list_take_first(&now)))
		conn_bury(LIST_MEMBER(link, struct conn, fate));
	list_split(&shared->dirty, &now);
	while ((link = list_take_first(&now)))
		conn_flush(LIST_MEMBER(link, struct conn, dirty));
	list_split(&shared->moving, &now);
	while ((link = list_take_first(&now)))
		conn_depart(LIST_MEMBER(link, struct conn, fate));
	return any;
}

bool conn_shared_has_work(const struct conn_shared *shared)
{
	return !list_is_empty(&shared->ready) || !list_is_empty(&shared->dirty) ||
	       !list_is_empty(&shared->moving) || !list_is_empty(&shared->dead);
}
