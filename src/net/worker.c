/* SPDX-License-Identifier: MIT
 *
 * Workers and their turns. Only the mailbox, the eventfd that wakes the loop and the wish to stop are touched by other
 * threads; all else belongs to the worker's own. Mail for other workers is gathered during a turn and handed over at
 * its end: one lock and at most one wake for each receiver, however many mails there are.
 *
 * The loop sleeps until a descriptor is ready, mail comes or the wheel's next timer is due: an idle worker sleeps.
 */
#include "net/worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "event_door.h"
#include "mailbox.h"
#include "worker_inside.h"

enum { WORKER_MAILS_A_TURN = 4096 };

struct worker {
	struct workers *all;
	size_t number;
	void *owner;
	struct event_base *events;

	struct mailbox box; /* from others */
	int wake_fd;        /* an eventfd */
	struct event wake;
	struct mail_list arrived;  /* own mail, and others' out of the box: delivered in this order */
	struct mail_list *leaving; /* for each other worker */

	struct turn_job *jobs, **jobs_end;
	struct wheel wheel;
	struct event alarm; /* ends the sleep when a timer is due */
	uint64_t alarm_ms;  /* what it is set to; UINT64_MAX: not set */
	struct conn_shared conns;

	uint64_t now_ms;
	int64_t wall_us;
	bool in_turn;
	bool now_known, wall_known; /* they are this turn's */
	bool stirred;   /* something was done in this turn */
	pthread_t thread;
};

struct workers {
	struct workers_options options;
	struct worker **list;
	atomic_bool leave;
	bool running;
};

/* ---- made and freed ---- */

static void worker_woken(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	worker_stirred(context);
}

static void worker_alarmed(evutil_socket_t fd, short what, void *context)
{
	struct worker *worker = context;

	(void)fd, (void)what;
	worker->alarm_ms = UINT64_MAX;
}

static struct event_base *worker_event_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *events;

	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
	events = event_base_new_with_config(config);
	event_config_free(config);
	return events;
}

/* Edge-triggered: each write to the eventfd wakes once and nobody need read it. */
static void worker_watch_mailbox(struct worker *worker)
{
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	event_assign(&worker->wake, worker->events, worker->wake_fd, EV_READ | EV_PERSIST | EV_ET,
	             worker_woken, worker);
	event_add(&worker->wake, NULL);
}

static struct worker *worker_new(struct workers *all, size_t number)
{
	struct worker *worker = mem_zalloc(sizeof(*worker));

	worker->all = all;
	worker->number = number;
	worker->events = worker_event_base();
	worker->leaving = mem_zalloc(all->options.count * sizeof(*worker->leaving));
	worker->jobs_end = &worker->jobs;
	worker->alarm_ms = UINT64_MAX;
	mailbox_init(&worker->box);
	worker_watch_mailbox(worker);
	evtimer_assign(&worker->alarm, worker->events, worker_alarmed, worker);
	wheel_init(&worker->wheel, worker_now_ms(worker));
	conn_shared_init(&worker->conns);
	return worker;
}

static void worker_free(struct worker *worker)
{
	conn_shared_clear(&worker->conns);
	event_del(&worker->alarm);
	event_del(&worker->wake);
	event_base_free(worker->events);
	close(worker->wake_fd);
	mailbox_clear(&worker->box);
	free(worker->leaving);
	free(worker);
}

struct workers *workers_new(const struct workers_options *options)
{
	struct workers *workers = mem_zalloc(sizeof(*workers));

	assert(options->count > 0);
	workers->options = *options;
	atomic_init(&workers->leave, false);
	workers->list = mem_zalloc(options->count * sizeof(*workers->list));
	for (size_t i = 0; i < options->count; i++)
		workers->list[i] = worker_new(workers, i);
	return workers;
}

void workers_free(struct workers **workers)
{
	if (!*workers)
		return;
	assert(!(*workers)->running);
	for (size_t i = 0; i < (*workers)->options.count; i++)
		worker_free((*workers)->list[i]);
	free((*workers)->list);
	free(*workers);
	*workers = NULL;
}

/* ---- mail ---- */

static void worker_wake(struct worker *worker)
{
	eventfd_write(worker->wake_fd, 1);
}

static void worker_receive(struct worker *worker, struct mail_list *mail)
{
	if (mailbox_put(&worker->box, mail))
		worker_wake(worker);
}

void worker_post(struct worker *from, struct worker *to, struct mail *mail)
{
	struct mail_list alone = { 0 };

	if (from == to) {
		mail_list_add(&to->arrived, mail);
	} else if (from) {
		mail_list_add(&from->leaving[to->number], mail);
	} else {
		mail_list_add(&alone, mail);
		worker_receive(to, &alone);
	}
}

static void worker_hand_over_mail(struct worker *worker)
{
	for (size_t i = 0; i < worker->all->options.count; i++)
		if (!mail_list_is_empty(&worker->leaving[i]))
			worker_receive(worker->all->list[i], &worker->leaving[i]);
}

static void worker_read_mail(struct worker *worker)
{
	struct mail *mail;

	mailbox_take(&worker->box, &worker->arrived);
	for (unsigned n = 0; n < WORKER_MAILS_A_TURN && (mail = mail_list_take(&worker->arrived)); n++) {
		worker->stirred = true;
		mail->arrive(worker, mail);
	}
}

/* ---- a turn ---- */

void worker_at_end_of_turn(struct worker *worker, struct turn_job *job)
{
	if (job->waiting)
		return;
	job->waiting = true;
	job->next = NULL;
	*worker->jobs_end = job;
	worker->jobs_end = &job->next;
}

/* Those that are asked for while these run belong to the next turn, which begins at once. */
static void worker_run_jobs(struct worker *worker)
{
	struct turn_job *job, *jobs = worker->jobs;

	worker->jobs = NULL;
	worker->jobs_end = &worker->jobs;
	while ((job = jobs)) {
		jobs = job->next;
		job->waiting = false;
		worker->stirred = true;
		job->run(worker, job);
	}
}

static void worker_run_timers(struct worker *worker)
{
	struct list_link *link;

	wheel_advance(&worker->wheel, worker_now_ms(worker));
	while ((link = list_take_first(&worker->wheel.due))) {
		struct timer *timer = LIST_MEMBER(link, struct timer, link);

		worker->stirred = true;
		timer->expired(worker, timer);
	}
}

static bool worker_has_work(const struct worker *worker)
{
	return worker->jobs || !mail_list_is_empty(&worker->arrived) || atomic_load(&worker->box.waiting) ||
	       conn_shared_has_work(&worker->conns);
}

static void worker_set_alarm(struct worker *worker)
{
	uint64_t next = wheel_next_ms(&worker->wheel), now, wait;
	struct timeval after;

	if (next == worker->alarm_ms)
		return;
	worker->alarm_ms = next;
	event_del(&worker->alarm);
	if (next == UINT64_MAX)
		return;
	now = clock_monotonic_ms(worker_clock(worker));
	wait = next > now ? next - now : 0;
	after.tv_sec = (time_t)(wait / 1000);
	after.tv_usec = (suseconds_t)(wait % 1000) * 1000;
	event_add(&worker->alarm, &after);
}

static void worker_wait(struct worker *worker, bool may_sleep)
{
	int flags = EVLOOP_ONCE | EVLOOP_NONBLOCK;

	if (may_sleep && !worker_has_work(worker)) {
		worker_set_alarm(worker);
		flags = EVLOOP_ONCE;
	}
	event_base_loop(worker->events, flags);
}

static void worker_turn(struct worker *worker, bool may_sleep)
{
	worker->stirred = false;
	worker->in_turn = true;
	worker_wait(worker, may_sleep);
	worker->stirred |= conn_shared_go_on(&worker->conns);
	worker_run_timers(worker);
	worker_read_mail(worker);
	worker_run_jobs(worker);
	worker->stirred |= conn_shared_flush(&worker->conns);
	worker_hand_over_mail(worker);
	worker->in_turn = false;
	worker->now_known = worker->wall_known = false;
}

/* ---- threads ---- */

static void *worker_run(void *context)
{
	struct worker *worker = context;
	char name[16];

	snprintf(name, sizeof(name), "worker %u", (unsigned)(worker->number % 1000));
	pthread_setname_np(pthread_self(), name);
	worker_hand_over_mail(worker);
	while (!atomic_load(&worker->all->leave))
		worker_turn(worker, true);
	return NULL;
}

void workers_start(struct workers *workers)
{
	sigset_t all, old;
	int error = 0;

	if (workers->options.stepped)
		return;
	assert(!workers->running);
	workers->running = true;
	atomic_store(&workers->leave, false);
	/* Signals are for the thread that starts the workers. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (size_t i = 0; i < workers->options.count && !error; i++)
		error = pthread_create(&workers->list[i]->thread, NULL, worker_run, workers->list[i]);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error) {
		log_error(workers->options.log, NULL, "cannot start threads", LOG_INT("errno", error));
		abort();
	}
}

void workers_stop(struct workers *workers)
{
	if (!workers->running)
		return;
	atomic_store(&workers->leave, true);
	for (size_t i = 0; i < workers->options.count; i++)
		worker_wake(workers->list[i]);
	for (size_t i = 0; i < workers->options.count; i++)
		pthread_join(workers->list[i]->thread, NULL);
	workers->running = false;
}

static bool worker_finish(struct worker *worker)
{
	worker->stirred = false;
	worker_read_mail(worker);
	worker_run_jobs(worker);
	worker_hand_over_mail(worker);
	return worker->stirred;
}

void workers_finish(struct workers *workers)
{
	bool stirred = true;

	assert(!workers->running);
	while (stirred) {
		stirred = false;
		for (size_t i = 0; i < workers->options.count; i++)
			stirred |= worker_finish(workers->list[i]);
	}
}

bool workers_are_running(const struct workers *workers)
{
	return workers->running;
}

/* ---- stepping ---- */

static bool worker_has_mail(const struct worker *worker)
{
	return !mail_list_is_empty(&worker->arrived) || atomic_load(&worker->box.waiting);
}

/* Those with waiting mail first, then the others. Answers how many have mail. */
static size_t workers_sort(struct workers *workers, struct worker **order)
{
	size_t count = workers->options.count, waiting = 0, idle = count;

	for (size_t i = count; i-- > 0;)
		if (!worker_has_mail(workers->list[i]))
			order[--idle] = workers->list[i];
	for (size_t i = 0; i < count && waiting < idle; i++)
		if (worker_has_mail(workers->list[i]))
			order[waiting++] = workers->list[i];
	return waiting;
}

/* Brings the one of those n that the caller picks to the front. */
static void workers_pick(const struct workers_options *options, struct worker **order, size_t n)
{
	size_t picked = options->pick && n > 1 ? options->pick(options->pick_context, n) : 0;
	struct worker *first;

	assert(picked < n);
	first = order[picked];
	memmove(order + 1, order, picked * sizeof(*order));
	order[0] = first;
}

bool workers_step(struct workers *workers)
{
	size_t waiting, count = workers->options.count;
	struct worker **order = mem_alloc(count * sizeof(*order));
	bool stirred = false;

	assert(workers->options.stepped);
	/* What the caller has posted between two steps. */
	for (size_t i = 0; i < count; i++)
		worker_hand_over_mail(workers->list[i]);
	waiting = workers_sort(workers, order);
	for (size_t i = 0; i < count; i++) {
		if (i < waiting)
			workers_pick(&workers->options, order + i, waiting - i);
		worker_turn(order[i], false);
		stirred |= order[i]->stirred;
	}
	free(order);
	return stirred;
}

/* ---- what a worker knows ---- */

size_t workers_count(const struct workers *workers)
{
	return workers->options.count;
}

struct worker *workers_at(struct workers *workers, size_t number)
{
	assert(number < workers->options.count);
	return workers->list[number];
}

struct worker *workers_home(struct workers *workers, const void *bytes, size_t len)
{
	if (workers->options.count == 1)
		return workers->list[0];
	return workers->list[hash_bytes(&workers->options.seed, bytes, len) % workers->options.count];
}

size_t worker_number(const struct worker *worker)
{
	return worker->number;
}

struct workers *worker_all(struct worker *worker)
{
	return worker->all;
}

const struct clock *worker_clock(const struct worker *worker)
{
	return worker->all->options.clock;
}

struct entropy *worker_entropy(const struct worker *worker)
{
	return worker->all->options.entropy;
}

const struct hash_seed *worker_seed(const struct worker *worker)
{
	return &worker->all->options.seed;
}

struct log *worker_log(const struct worker *worker)
{
	return worker->all->options.log;
}

/* Read once a turn, by the first who asks after the sleep. */
uint64_t worker_now_ms(const struct worker *worker)
{
	struct worker *own = (struct worker *)worker;

	if (!own->now_known) {
		own->now_ms = clock_monotonic_ms(worker_clock(worker));
		own->now_known = own->in_turn;
	}
	return own->now_ms;
}

int64_t worker_wall_us(const struct worker *worker)
{
	struct worker *own = (struct worker *)worker;

	if (!own->wall_known) {
		own->wall_us = clock_wall_us(worker_clock(worker));
		own->wall_known = own->in_turn;
	}
	return own->wall_us;
}

void worker_set_owner(struct worker *worker, void *owner)
{
	worker->owner = owner;
}

void *worker_owner(const struct worker *worker)
{
	return worker->owner;
}

struct event_base *worker_events(struct worker *worker)
{
	return worker->events;
}

void worker_stirred(struct worker *worker)
{
	worker->stirred = true;
}

struct wheel *worker_wheel(struct worker *worker)
{
	return &worker->wheel;
}

struct conn_shared *worker_conns(struct worker *worker)
{
	return &worker->conns;
}
