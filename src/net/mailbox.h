/* SPDX-License-Identifier: MIT
 *
 * Lists of mail, and the mailbox of a worker: the one thing that other threads write to. Whole lists are handed over
 * under one lock, and the one who finds the box empty must wake its worker.
 */
#ifndef NET_MAILBOX_H
#define NET_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/worker.h"

struct mail_list {
	struct mail *first;
	struct mail *last;
};

static inline bool mail_list_is_empty(const struct mail_list *list)
{
	return !list->first;
}

void mail_list_add(struct mail_list *list, struct mail *mail);
void mail_list_join(struct mail_list *list, struct mail_list *more);     /* more is empty afterwards */
struct mail *mail_list_take(struct mail_list *list);                     /* NULL: empty */

struct mailbox {
	pthread_mutex_t lock;
	struct mail_list mail;          /* under the lock */
	atomic_bool waiting;            /* set with the first, cleared with the last: spares the reader the lock */
};

void mailbox_init(struct mailbox *box);
void mailbox_clear(struct mailbox *box);
/* true: the box was empty. */
bool mailbox_put(struct mailbox *box, struct mail_list *mail);
/* Adds all that waits to the end of a list. */
void mailbox_take(struct mailbox *box, struct mail_list *list);

#endif
