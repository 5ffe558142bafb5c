/* SPDX-License-Identifier: MIT
 *
 * A pool of threads behind one bounded queue. A job comes back to its worker by mail, whatever thread ran it.
 */
#include "net/background.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/mem.h"
#include "mailbox.h"

struct background {
	bool stepped;
	size_t limit;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct mail_list waiting; /* the jobs' mails; under the lock, as what follows */
	size_t waiting_count;
	bool leave;
	size_t count;
	pthread_t threads[];
};

static void job_arrive(struct worker *worker, struct mail *mail)
{
	struct background_job *job = LIST_MEMBER(mail, struct background_job, mail);

	job->done(worker, job);
}

static void job_run(struct background_job *job)
{
	job->run(job);
	job->mail.arrive = job_arrive;
	worker_post(NULL, job->worker, &job->mail);
}

/* Waits for a job; NULL: the pool closes. */
static struct background_job *background_take(struct background *background)
{
	struct mail *mail = NULL;

	pthread_mutex_lock(&background->lock);
	while (!background->leave && mail_list_is_empty(&background->waiting))
		pthread_cond_wait(&background->changed, &background->lock);
	if (!background->leave) {
		mail = mail_list_take(&background->waiting);
		background->waiting_count--;
	}
	pthread_mutex_unlock(&background->lock);
	return mail ? LIST_MEMBER(mail, struct background_job, mail) : NULL;
}

static void *background_thread(void *context)
{
	struct background_job *job;

	pthread_setname_np(pthread_self(), "background");
	while ((job = background_take(context)))
		job_run(job);
	return NULL;
}

static void background_start(struct background *background, size_t threads)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (; background->count < threads; background->count++)
		if (pthread_create(&background->threads[background->count], NULL, background_thread,
		                   background) != 0)
			abort();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct background *background_new(size_t threads, size_t queue_limit, bool stepped)
{
	struct background *background =
		mem_zalloc(sizeof(*background) + threads * sizeof(*background->threads));

	assert(threads > 0 && queue_limit > 0);
	background->stepped = stepped;
	background->limit = queue_limit;
	pthread_mutex_init(&background->lock, NULL);
	pthread_cond_init(&background->changed, NULL);
	if (!stepped)
		background_start(background, threads);
	return background;
}

void background_free(struct background **background)
{
	struct background *pool = *background;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->leave = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
	*background = NULL;
}

bool background_run(struct background *background, struct worker *worker, struct background_job *job)
{
	bool fits;

	job->worker = worker;
	if (!background)
		return false;
	if (background->stepped) {
		job_run(job);
		return true;
	}
	pthread_mutex_lock(&background->lock);
	fits = background->waiting_count < background->limit;
	if (fits) {
		mail_list_add(&background->waiting, &job->mail);
		background->waiting_count++;
		pthread_cond_signal(&background->changed);
	}
	pthread_mutex_unlock(&background->lock);
	return fits;
}
