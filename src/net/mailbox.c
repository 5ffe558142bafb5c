/* SPDX-License-Identifier: MIT
 *
 * Mail lists and mailboxes. Order is kept: a list goes into a box and out of it as a whole.
 */
#include "mailbox.h"

void mail_list_add(struct mail_list *list, struct mail *mail)
{
	mail->next = NULL;
	if (list->first)
		list->last->next = mail;
	else
		list->first = mail;
	list->last = mail;
}

void mail_list_join(struct mail_list *list, struct mail_list *more)
{
	if (mail_list_is_empty(more))
		return;
	if (list->first)
		list->last->next = more->first;
	else
		list->first = more->first;
	list->last = more->last;
	*more = (struct mail_list){ 0 };
}

struct mail *mail_list_take(struct mail_list *list)
{
	struct mail *mail = list->first;

	if (mail)
		list->first = mail->next;
	return mail;
}

void mailbox_init(struct mailbox *box)
{
	pthread_mutex_init(&box->lock, NULL);
	box->mail = (struct mail_list){ 0 };
	atomic_init(&box->waiting, false);
}

void mailbox_clear(struct mailbox *box)
{
	pthread_mutex_destroy(&box->lock);
}

bool mailbox_put(struct mailbox *box, struct mail_list *mail)
{
	bool was_empty;

	pthread_mutex_lock(&box->lock);
	was_empty = mail_list_is_empty(&box->mail);
	mail_list_join(&box->mail, mail);
	atomic_store(&box->waiting, true);
	pthread_mutex_unlock(&box->lock);
	return was_empty;
}

void mailbox_take(struct mailbox *box, struct mail_list *list)
{
	if (!atomic_load(&box->waiting))
		return;
	pthread_mutex_lock(&box->lock);
	mail_list_join(list, &box->mail);
	atomic_store(&box->waiting, false);
	pthread_mutex_unlock(&box->lock);
}
