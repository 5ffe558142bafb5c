/* SPDX-License-Identifier: MIT
 *
 * An errand: work on another home, and back with what came of it. It lies inside its owner, whose memory travels along and
 * is touched on one home at a time. Also between a home and itself it goes by mail.
 */
#ifndef CORE_ERRAND_H
#define CORE_ERRAND_H

#include "core/server.h"

struct errand {
	struct mail mail;
	struct home *from;
	void (*job)(struct home *at, struct errand *errand);    /* on the other home; ends with errand_return, now or later */
	void (*back)(struct home *from, struct errand *errand); /* at home again; owns the errand */
};

void errand_send(struct home *from, struct home *to, struct errand *errand,
                 void (*job)(struct home *at, struct errand *errand),
                 void (*back)(struct home *from, struct errand *errand));
void errand_return(struct home *at, struct errand *errand);

/* The home of an address, or of whatever else has a name. */
struct home *home_for(const struct home *home, const void *key, size_t len);

#endif
