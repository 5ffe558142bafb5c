/* SPDX-License-Identifier: MIT
 *
 * How many connections of an address (IPv6: its /64), and how many in all, may be unauthenticated at once, over all
 * workers. One beyond a limit waits without a handshake until another leaves; trusted networks have no limit and are not
 * counted. Callable on any thread: one of the few places with a lock.
 */
#ifndef NET_ADMISSION_H
#define NET_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>

#include "net/address.h"
#include "net/worker.h"

struct admission;

/* Lies inside the connection's owner. */
struct admission_pass {
	struct mail mail;               /* brings the admission to a pass that had to wait */
	struct worker *worker;
	struct address address;
	struct admission_pass *next;
	void (*admitted)(struct worker *worker, struct admission_pass *pass);
	int state;
};

/* Limits of 0: none. */
struct admission *admission_new(size_t limit_per_address, size_t limit_total, const struct network_range *trusted,
                                size_t trusted_count, const struct hash_seed *seed);
void admission_free(struct admission **admission);
void admission_set(struct admission *admission, size_t limit_per_address, size_t limit_total,
                   const struct network_range *trusted, size_t trusted_count);

/* true: go on. false: wait for admitted(), which comes on worker; or leave. */
bool admission_enter(struct admission *admission, struct worker *worker, struct admission_pass *pass,
                     const struct address *address,
                     void (*admitted)(struct worker *worker, struct admission_pass *pass));
/* Authenticated or closed; also while it waits. true: the pass is free at once; false: its mail is under way, and
 * admitted() will still be called: the owner frees it there. */
bool admission_leave(struct admission *admission, struct admission_pass *pass);

#endif
