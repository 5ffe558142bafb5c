/* SPDX-License-Identifier: MIT
 *
 * Errands by mail.
 */
#include "core/errand.h"

static void errand_arrived(struct worker *worker, struct mail *mail)
{
	struct errand *errand = (struct errand *)mail;

	errand->job(home_of(worker), errand);
}

static void errand_came_back(struct worker *worker, struct mail *mail)
{
	struct errand *errand = (struct errand *)mail;

	errand->back(home_of(worker), errand);
}

void errand_send(struct home *from, struct home *to, struct errand *errand,
                 void (*job)(struct home *at, struct errand *errand),
                 void (*back)(struct home *from, struct errand *errand))
{
	errand->from = from;
	errand->job = job;
	errand->back = back;
	errand->mail.arrive = errand_arrived;
	worker_post(from->worker, to->worker, &errand->mail);
}

void errand_return(struct home *at, struct errand *errand)
{
	errand->mail.arrive = errand_came_back;
	worker_post(at->worker, errand->from->worker, &errand->mail);
}

struct home *home_for(const struct home *home, const void *key, size_t len)
{
	return home_of(workers_home(home->server->workers, key, len));
}
