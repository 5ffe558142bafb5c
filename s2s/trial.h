/* SPDX-License-Identifier: MIT
 *
 * A trial: would a link to that domain work, and if not, what is wrong and whose side can mend it? It goes the whole way of
 * a link, on a stream of its own and by the same code: policy, DNS, TCP, TLS, certificate, authentication, and at last a
 * ping, whose answer shows that the peer finds the way back to us. Each step is a row with the time that it took.
 *
 * It lives on the home of its pair of domains, as their link does.
 *
 * A branch that joins another (joining.h) goes the first part of that way, too.
 */
#ifndef S2S_TRIAL_H
#define S2S_TRIAL_H

#include "core/command.h"
#include "net/conn.h"
#include "ping.h"
#include "trouble.h"

struct joining;
struct outgoing;
struct s2s;
struct trial;

enum { TRIAL_CONNECT_MS = 10000 }; /* of DNS and TCP together */

/* The command peer test: DOMAIN, and which of our hosts tries (the first). */
void trial_run(struct command_call *call);

/* On behalf of any command. trial_start sends it on its way; ended() comes on the command's home, when it has failed or
 * come to its end, and may add a step of its own, start it once more or let it answer the command. */
struct trial *trial_new(struct command_call *call, const char *local, const char *remote);
void trial_start(struct trial *trial, void (*ended)(struct home *home, struct trial *trial));
bool trial_has_failed(const struct trial *trial);
/* A step that is not the stream's. fault: NULL, or the verdict, taken. */
void trial_add_step(struct trial *trial, const char *step, const char *detail, char *fault);
void trial_answer(struct home *home, struct trial *trial);

/* The next start ends with a join (joining.h) in place of authentication and ping; NULL: no more. Taken. */
void trial_set_joining(struct trial *trial, struct joining *joining);
struct joining *trial_joining(const struct trial *trial);
void trial_joined(struct trial *trial);

/* What its outgoing stream reports, in this order. */
void trial_found(struct trial *trial, const char *place);
void trial_reached(struct trial *trial, const char *address);
void trial_secured(struct trial *trial, const struct conn_tls *tls);
void trial_judged(struct trial *trial, struct outgoing *outgoing, const char *reason);
void trial_up(struct trial *trial, const char *method);
/* The stream is no more, and has let go of the trial. */
void trial_down(struct trial *trial, enum trouble trouble, const char *reason);
bool trial_is_up(const struct trial *trial);

/* A ping to that domain is answered: is it a trial's? */
void trials_answer(struct s2s *s2s, const char *remote, const struct ping_id *id);
void trial_free(struct trial *trial); /* at the home's end */
/* s2s->trials */
struct trial *trial_of(struct list_link *link);

#endif
