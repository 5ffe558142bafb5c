/* SPDX-License-Identifier: MIT
 *
 * What the embedded store takes: appends to journals at several depths (requests under way at once), and loads of
 * accounts with a roster of 50 and 20 undelivered messages, one after the other and 16 at once.
 *
 *	make tests/bench/bench_store && tests/bench/bench_store [FOLDER]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../support/asker.h"
#include "../support/folder.h"
#include "base/mem.h"
#include "store/sqlite.h"

enum { ACCOUNTS = 1000, ROSTER = 50, UNDELIVERED = 20, STANZA = 340, MEASUREMENTS = 100000 };

struct bench {
	struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t under_way;
	double *took;                   /* seconds, one for each answer */
	size_t count;
};

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void answered(struct store_request *request)
{
	struct bench *bench = request->context;
	double took = seconds_now() - (double)request->token / 1e9;

	if (request->status != STORE_OK)
		abort();
	store_request_free(request);
	pthread_mutex_lock(&bench->lock);
	bench->took[bench->count++] = took;
	bench->under_way--;
	pthread_cond_signal(&bench->changed);
	pthread_mutex_unlock(&bench->lock);
}

static void owner_name(char owner[32], size_t number)
{
	snprintf(owner, 32, "user%zu@north.example", number);
}

static void *request_make(struct bench *bench, size_t size, enum store_op op, size_t owner_number)
{
	struct store_request *request;
	char owner[32];

	owner_name(owner, owner_number);
	request = store_request_new(size, op, NULL, owner, strlen(owner), answered);
	request->context = bench;
	request->token = (uint64_t)(seconds_now() * 1e9);
	return request;
}

static struct store_request *append_make(struct bench *bench, size_t owner)
{
	struct store_journal_append *append = request_make(bench, sizeof(*append), STORE_JOURNAL_APPEND, owner);
	char *stanza = arena_alloc(&append->request.arena, STANZA);

	memset(stanza, 'x', STANZA);
	append->entry = (struct store_journal_entry){ .sequence = append->request.token, .body = append->request.token,
	                                              .at_us = 1700000000000000,
	                                              .type = 2, .peer = "juliet@south.example/balcony",
	                                              .stanza = stanza, .stanza_len = STANZA };
	return &append->request;
}

static struct store_request *load_make(struct bench *bench, size_t owner)
{
	return request_make(bench, sizeof(struct store_account_load), STORE_ACCOUNT_LOAD, owner);
}

static int took_compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void bench_run(struct bench *bench, const char *what, size_t depth, size_t count,
                      struct store_request *(*make)(struct bench *bench, size_t owner))
{
	double began = seconds_now(), cpu = cpu_now();

	bench->count = 0;
	for (size_t i = 0; i < count; i++) {
		pthread_mutex_lock(&bench->lock);
		while (bench->under_way >= depth)
			pthread_cond_wait(&bench->changed, &bench->lock);
		bench->under_way++;
		pthread_mutex_unlock(&bench->lock);
		store_submit(bench->store, make(bench, (size_t)random() % ACCOUNTS));
	}
	pthread_mutex_lock(&bench->lock);
	while (bench->under_way)
		pthread_cond_wait(&bench->changed, &bench->lock);
	pthread_mutex_unlock(&bench->lock);
	began = seconds_now() - began;
	cpu = cpu_now() - cpu;
	qsort(bench->took, count, sizeof(*bench->took), took_compare);
	printf("%-8s depth %5zu: %8.0f a second, %5.1f us CPU each, p50 %.3f ms, p99 %.3f ms\n", what, depth,
	       (double)count / began, cpu / (double)count * 1e6, bench->took[count / 2] * 1e3,
	       bench->took[count * 99 / 100] * 1e3);
}

static void accounts_fill(struct store *store)
{
	struct asker a;
	char owner[32], contact[40];

	asker_init(&a, store, NULL);
	for (size_t i = 0; i < ACCOUNTS; i++) {
		owner_name(owner, i);
		asker_submit(&a, asker_account(&a, STORE_ACCOUNT_CREATE, owner));
		for (size_t j = 0; j < ROSTER; j++) {
			snprintf(contact, sizeof(contact), "contact%zu@south.example", j);
			asker_submit(&a, asker_roster(&a, STORE_ROSTER_PUT, owner, contact, j));
		}
		if (i % 100 == 99)
			asker_wait(&a);
	}
	asker_wait(&a);
	asker_clear(&a);
}

int main(int argc, char **argv)
{
	static const size_t depths[] = { 1, 10, 100, 1000 };
	static const size_t counts[] = { 5000, 20000, MEASUREMENTS, MEASUREMENTS };
	char *folder = argc > 1 ? str_dup(argv[1]) : folder_make(), *error = NULL;
	char *path = str_printf("%s/bench.db", folder);
	struct bench bench = { .took = mem_alloc(MEASUREMENTS * sizeof(double)) };

	pthread_mutex_init(&bench.lock, NULL);
	pthread_cond_init(&bench.changed, NULL);
	bench.store = store_sqlite_open(&(struct store_sqlite_options){ .path = path }, &error);
	if (!bench.store) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	accounts_fill(bench.store);
	bench_run(&bench, "append", 100, UNDELIVERED * ACCOUNTS, append_make);
	bench_run(&bench, "load", 1, 20000, load_make);
	bench_run(&bench, "load", 16, MEASUREMENTS, load_make);
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
		bench_run(&bench, "append", depths[i], counts[i], append_make);
	store_close(&bench.store);
	if (argc == 1)
		folder_remove(&folder);
	free(folder);
	free(path);
	free(bench.took);
	return 0;
}
