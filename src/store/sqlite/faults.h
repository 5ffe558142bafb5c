/* SPDX-License-Identifier: MIT
 *
 * Faults of the store in the log, each with its cause: a full disk fails every request, and says so once a
 * second.
 */
#ifndef SQLITE_FAULTS_H
#define SQLITE_FAULTS_H

#include <pthread.h>
#include <stdint.h>

#include "base/log.h"

struct faults {
	pthread_mutex_t lock;
	struct log *log;
	uint64_t silent_until_ms;
	uint64_t unsaid;                /* since the last line */
};

void faults_init(struct faults *faults, struct log *log);
void faults_clear(struct faults *faults);
void faults_report(struct faults *faults, const char *what, const char *cause);
/* Nothing is reported any more: the log is going to be closed. */
void faults_silence(struct faults *faults);

#endif
