/* SPDX-License-Identifier: MIT
 *
 * The store's faults, at most one line a second.
 */
#include "faults.h"

#include "base/clock.h"

enum { FAULTS_SILENCE_MS = 1000 };

void faults_init(struct faults *faults, struct log *log)
{
	*faults = (struct faults){ .log = log };
	pthread_mutex_init(&faults->lock, NULL);
}

void faults_clear(struct faults *faults)
{
	pthread_mutex_destroy(&faults->lock);
}

void faults_report(struct faults *faults, const char *what, const char *cause)
{
	uint64_t now = clock_monotonic_ms(&clock_system);

	pthread_mutex_lock(&faults->lock);
	if (now < faults->silent_until_ms) {
		faults->unsaid++;
	} else {
		log_error(faults->log, "store", "store failed", LOG_STR("at", what), LOG_STR("cause", cause),
		          LOG_INT("unsaid", faults->unsaid));
		faults->silent_until_ms = now + FAULTS_SILENCE_MS;
		faults->unsaid = 0;
	}
	pthread_mutex_unlock(&faults->lock);
}

void faults_silence(struct faults *faults)
{
	pthread_mutex_lock(&faults->lock);
	faults->silent_until_ms = UINT64_MAX;
	pthread_mutex_unlock(&faults->lock);
}
