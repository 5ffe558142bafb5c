/* SPDX-License-Identifier: MIT
 *
 * What the files of outboxes share: outbox.c has the entries and their order, outbox_store.c what is written down and read
 * back, outbox_end.c how entries end without being delivered, outbox_presence.c presence that is outdated.
 */
#ifndef OUTBOX_INSIDE_H
#define OUTBOX_INSIDE_H

#include "core/outbox.h"
#include "net/timer.h"

/* One stanza. */
struct outbox_entry {
	struct list_link place;         /* in waiting, handed or ending of its outbox */
	struct list_link watch;         /* in outboxes.unwritten while its sender waits for an answer */
	struct outbox *outbox;
	uint64_t sequence;
	const struct stanza *stanza;
	struct jid to;                  /* the text lies behind the entry */
	struct parcel *duty;            /* the sender's; NULL: he has been answered */
	int64_t since_us;
	int64_t born_ms;                /* the same on the monotonic clock, which does not jump */
	uint64_t entered_ms;            /* when it came */
	size_t weight;
	unsigned blamed;
	char *pair;                     /* outbox_presence.c's; NULL: it is never outdated */
	size_t pair_len;
	bool durable;
	bool writing, written_down;     /* the store has been asked, has said yes */
	bool handed;
	bool ended;                     /* it is refused; its error is on the way */
	bool sent;                      /* it was handed once: it may have arrived */
	bool delayed;                   /* it came late, or was read from the store */
};

struct outbox {
	struct home *home;
	const struct outbox_class *class;
	void *owner;
	char *key;
	struct list waiting, handed;    /* entries by sequence; what is handed comes before what waits */
	struct list ending;             /* refused; their errors are on the way to their senders */
	uint64_t count, bytes;          /* of what waits, in memory or not */
	uint64_t memory;                /* bytes of what waits in memory */
	uint64_t hole;                  /* from this sequence on not all is in memory; UINT64_MAX: it is */
	uint64_t left;                  /* up to here entries are an earlier server's, which may have sent them */
	uint64_t inserted;              /* sequence of the entry that was put in last: the next is mostly behind it */
	bool reading, read_failed;      /* the next page is under way; it has to be asked for again, after a pause */
	uint64_t refused_up_to;         /* 0: nothing; what waits up to here is refused as soon as it is in memory */
	struct outbox_excuse refusal;
	uint64_t *removed;              /* sequences that the store is going to be told to remove */
	size_t removed_count, removed_room;
	size_t removals;                /* requests under way */
	struct map *presences;          /* pair -> entry that waits; NULL: none yet */
	struct timer expiry, chores;
};

/* The outboxes of a home. */
struct outboxes {
	struct map *by_key;             /* struct outbox */
	struct map *entries;            /* sequence -> struct outbox_entry, of all of them */
	struct list unwritten;          /* struct outbox_entry.watch, oldest first */
	struct timer overdue;
	uint64_t ticks;                 /* of the newest sequence */
	struct figure bytes;            /* of what waits, for the sum over all homes */
};

/* outbox.c */
struct outbox_entry *entry_find(const struct home *home, uint64_t sequence);    /* NULL */
/* A new one of a stanza (a reference is taken), that stands nowhere yet. */
struct outbox_entry *entry_new(struct outbox *outbox, uint64_t sequence, const struct stanza *stanza, const struct jid *to);
/* Into waiting, at its place. counted: it is among the count and bytes of what waits. */
void entry_insert(struct outbox_entry *entry, bool counted);
/* Out of waiting; it stands nowhere then. */
void entry_withdraw(struct outbox_entry *entry);
/* It is over, and its sender answered: out of memory, and the store forgets it. */
void entry_forget(struct outbox_entry *entry);
void entry_free(struct outbox_entry *entry);
/* No entry of this home has a higher sequence. */
uint64_t outbox_newest(const struct outbox *outbox);
/* Sequences go on behind this one. */
void outboxes_continue(struct outboxes *outboxes, uint64_t sequence);
/* How old it is, as its since_us says. */
void entry_set_age(struct outbox_entry *entry, int64_t since_us);
/* So much is waiting more, or less. */
void outbox_count(struct outbox *outbox, int64_t entries, int64_t bytes);
/* What is handed next; NULL: nothing, or it is not in memory. */
struct outbox_entry *outbox_next(const struct outbox *outbox);

static inline struct outbox_entry *entry_at(struct list_link *place)
{
	return place ? LIST_MEMBER(place, struct outbox_entry, place) : NULL;
}

static inline struct outbox_entry *outbox_first(const struct outbox *outbox)
{
	return entry_at(list_first(&outbox->waiting));
}

static inline struct outbox_entry *outbox_after(const struct outbox *outbox, struct outbox_entry *entry)
{
	return entry_at(list_next(&outbox->waiting, &entry->place));
}

/* outbox_store.c */
/* The sender waits for an answer: when nobody has acknowledged it in time it is written down, or taken as it is. */
void entry_watch(struct outbox_entry *entry);
void entry_write_down(struct outbox_entry *entry);
void outbox_remove(struct outbox *outbox, uint64_t sequence);
/* Now, but while a page is read. */
void outbox_tell(struct outbox *outbox);
bool outbox_is_removing(const struct outbox *outbox, uint64_t sequence);
/* Reads the next page when what is in memory runs low. */
void outbox_refill(struct outbox *outbox);

/* outbox_end.c */
void entry_refuse(struct outbox_entry *entry, enum stanza_condition condition, const char *text);
/* An entry has come to wait: the timer for the oldest. */
void entry_watch_age(struct outbox_entry *entry);
void outbox_refuse_loaded(struct outbox *outbox);

/* outbox_presence.c */
/* A stanza comes: what it makes outdated is taken, as if it had been delivered. */
void outbox_supersede(struct outbox *outbox, struct outbox_entry *entry);
void entry_forget_pair(struct outbox_entry *entry);

#endif
