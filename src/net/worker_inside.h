/* SPDX-License-Identifier: MIT
 *
 * What the other files of net see of a worker besides net/worker.h: its wheel, what its conns share, whether threads
 * run.
 */
#ifndef NET_WORKER_INSIDE_H
#define NET_WORKER_INSIDE_H

#include "conn_shared.h"
#include "net/worker.h"
#include "wheel.h"

struct wheel *worker_wheel(struct worker *worker);
struct conn_shared *worker_conns(struct worker *worker);

/* Between workers_start and the end of workers_stop of workers with threads. Otherwise the caller's thread owns all
 * workers and may touch what is theirs. */
bool workers_are_running(const struct workers *workers);

#endif
