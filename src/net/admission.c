/* SPDX-License-Identifier: MIT
 *
 * Admission: a crowd for each address, counted while it is unauthenticated, with those who wait in the order in which
 * they came. Everything is under one lock, which is held for a look-up. Mail brings the good news to the waiting worker;
 * a pass that leaves while its mail is under way has given its place on already.
 */
#include "net/admission.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

enum admission_state {
	ADMISSION_OUTSIDE, /* all zero */
	ADMISSION_FREE,    /* inside, not counted: trusted, or no limit */
	ADMISSION_INSIDE,
	ADMISSION_WAITING,
	ADMISSION_CALLED, /* inside; its mail is under way */
	ADMISSION_LEFT,   /* outside; its mail is under way */
};

/* The unauthenticated of one address. */
struct crowd {
	struct list_link link; /* of the admission's crowds, where somebody waits */
	uint8_t key[ADDRESS_CUSTOMER];
	size_t key_len;
	size_t inside;
	struct admission_pass *first, **last; /* waiting */
};

struct admission {
	pthread_mutex_t lock;
	size_t limit, limit_total;
	size_t inside;
	struct list waiting; /* crowds; who was let in stands behind the others */
	struct network_range *trusted;
	size_t trusted_count;
	struct map *crowds;
};

static void admission_take_trusted(struct admission *admission, const struct network_range *trusted,
                                   size_t count)
{
	free(admission->trusted);
	admission->trusted = count ? mem_dup(trusted, count * sizeof(*trusted)) : NULL;
	admission->trusted_count = count;
}

struct admission *admission_new(size_t limit_per_address, size_t limit_total,
                                const struct network_range *trusted, size_t trusted_count,
                                const struct hash_seed *seed)
{
	struct admission *admission = mem_zalloc(sizeof(*admission));

	pthread_mutex_init(&admission->lock, NULL);
	admission->limit = limit_per_address;
	admission->limit_total = limit_total;
	list_init(&admission->waiting);
	admission->crowds = map_new(seed);
	admission_take_trusted(admission, trusted, trusted_count);
	return admission;
}

void admission_free(struct admission **admission)
{
	struct map_walk walk = { 0 };
	struct crowd *crowd;

	if (!*admission)
		return;
	while ((crowd = map_next((*admission)->crowds, &walk)))
		free(crowd);
	map_free(&(*admission)->crowds);
	free((*admission)->trusted);
	pthread_mutex_destroy(&(*admission)->lock);
	free(*admission);
	*admission = NULL;
}

/* ---- crowds ---- */

static struct crowd *crowd_find(const struct admission *admission, const struct address *address)
{
	uint8_t key[ADDRESS_CUSTOMER];
	size_t len = address_customer(address, key);

	return map_find(admission->crowds, key, len);
}

static struct crowd *crowd_get(struct admission *admission, const struct address *address)
{
	struct crowd *crowd = crowd_find(admission, address);

	if (crowd)
		return crowd;
	crowd = mem_zalloc(sizeof(*crowd));
	crowd->key_len = address_customer(address, crowd->key);
	crowd->last = &crowd->first;
	map_put(admission->crowds, crowd->key, crowd->key_len, crowd);
	return crowd;
}

static void crowd_wait(struct admission *admission, struct crowd *crowd, struct admission_pass *pass)
{
	if (!crowd->first)
		list_add_last(&admission->waiting, &crowd->link);
	pass->state = ADMISSION_WAITING;
	pass->next = NULL;
	*crowd->last = pass;
	crowd->last = &pass->next;
}

static void crowd_forget(struct crowd *crowd, struct admission_pass *pass)
{
	struct admission_pass **link = &crowd->first;

	while (*link != pass)
		link = &(*link)->next;
	*link = pass->next;
	if (!pass->next)
		crowd->last = link;
	if (!crowd->first)
		list_remove(&crowd->link);
}

static void pass_arrive(struct worker *worker, struct mail *mail)
{
	struct admission_pass *pass = LIST_MEMBER(mail, struct admission_pass, mail);

	/* Left already: the owner is called so that it can free the pass. */
	if (pass->state == ADMISSION_CALLED)
		pass->state = ADMISSION_INSIDE;
	else
		pass->state = ADMISSION_OUTSIDE;
	pass->admitted(worker, pass);
}

static bool admission_is_full(const struct admission *admission)
{
	return admission->limit_total > 0 && admission->inside >= admission->limit_total;
}

static bool crowd_has_room(const struct admission *admission, const struct crowd *crowd)
{
	return admission->limit == 0 || crowd->inside < admission->limit;
}

static void crowd_call(struct admission *admission, struct crowd *crowd)
{
	struct admission_pass *pass = crowd->first;

	crowd_forget(crowd, pass);
	crowd->inside++;
	admission->inside++;
	pass->state = ADMISSION_CALLED;
	pass->mail.arrive = pass_arrive;
	worker_post(NULL, pass->worker, &pass->mail);
	if (!crowd->first)
		return;
	list_remove(&crowd->link);
	list_add_last(&admission->waiting, &crowd->link);
}

/* A crowd that has no room of its own stands in the way of nobody; there are few, for all of them are inside. */
static struct crowd *admission_next(const struct admission *admission)
{
	const struct list *waiting = &admission->waiting;

	for (struct list_link *link = list_first(waiting); link; link = list_next(waiting, link))
		if (crowd_has_room(admission, LIST_MEMBER(link, struct crowd, link)))
			return LIST_MEMBER(link, struct crowd, link);
	return NULL;
}

static void admission_call(struct admission *admission)
{
	struct crowd *crowd;

	while (!admission_is_full(admission) && (crowd = admission_next(admission)))
		crowd_call(admission, crowd);
}

static void crowd_shrink(struct admission *admission, struct crowd *crowd)
{
	assert(crowd->inside > 0);
	crowd->inside--;
	admission->inside--;
	admission_call(admission);
}

static void crowd_disperse(struct admission *admission, struct crowd *crowd)
{
	if (crowd->inside > 0 || crowd->first)
		return;
	map_remove(admission->crowds, crowd->key, crowd->key_len);
	free(crowd);
}

/* ---- the passes ---- */

static bool admission_trusts(const struct admission *admission, const struct address *address)
{
	for (size_t i = 0; i < admission->trusted_count; i++)
		if (network_range_has(&admission->trusted[i], address))
			return true;
	return false;
}

static void admission_decide(struct admission *admission, struct admission_pass *pass)
{
	struct crowd *crowd;

	if (admission_trusts(admission, &pass->address)) {
		pass->state = ADMISSION_FREE;
		return;
	}
	crowd = crowd_get(admission, &pass->address);
	if (crowd->first || admission_is_full(admission) || !crowd_has_room(admission, crowd)) {
		crowd_wait(admission, crowd, pass);
		return;
	}
	crowd->inside++;
	admission->inside++;
	pass->state = ADMISSION_INSIDE;
}

bool admission_enter(struct admission *admission, struct worker *worker, struct admission_pass *pass,
                     const struct address *address,
                     void (*admitted)(struct worker *worker, struct admission_pass *pass))
{
	bool waits;

	pass->worker = worker;
	pass->address = *address;
	pass->admitted = admitted;
	pthread_mutex_lock(&admission->lock);
	admission_decide(admission, pass);
	waits = pass->state == ADMISSION_WAITING;
	pthread_mutex_unlock(&admission->lock);
	return !waits;
}

static bool admission_let_go(struct admission *admission, struct admission_pass *pass)
{
	struct crowd *crowd = crowd_find(admission, &pass->address);
	int state = pass->state;

	pass->state = state == ADMISSION_CALLED ? ADMISSION_LEFT : ADMISSION_OUTSIDE;
	if (state == ADMISSION_WAITING)
		crowd_forget(crowd, pass);
	else if (state == ADMISSION_INSIDE || state == ADMISSION_CALLED)
		crowd_shrink(admission, crowd);
	if (crowd)
		crowd_disperse(admission, crowd);
	return state != ADMISSION_CALLED;
}

bool admission_leave(struct admission *admission, struct admission_pass *pass)
{
	bool is_free;

	pthread_mutex_lock(&admission->lock);
	is_free = admission_let_go(admission, pass);
	pthread_mutex_unlock(&admission->lock);
	return is_free;
}

/* A limit that falls turns nobody out. */
void admission_set(struct admission *admission, size_t limit_per_address, size_t limit_total,
                   const struct network_range *trusted, size_t trusted_count)
{
	pthread_mutex_lock(&admission->lock);
	admission->limit = limit_per_address;
	admission->limit_total = limit_total;
	admission_take_trusted(admission, trusted, trusted_count);
	admission_call(admission);
	pthread_mutex_unlock(&admission->lock);
}
