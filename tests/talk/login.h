/* SPDX-License-Identifier: MIT
 *
 * What every client does first, so that a conversation need not spell it out.
 */
#ifndef TALK_LOGIN_H
#define TALK_LOGIN_H

#include "stage.h"

/* Each answers NULL, or a sentence of what went wrong. */

/* A header to the domain; hears ours and the features. */
const char *login_open(struct speaker *speaker, const char *domain);
/* SCRAM, PLAIN or HT as user with a password or token; the server's last word is left to be heard. wishes: NULL, or what
 * <authenticate/> of SASL 2 has inside beside the first message. */
const char *login_prove(struct speaker *speaker, const char *wishes, const char *user, const char *password,
                        const char *mechanism);
/* Opens the stream anew and binds; resource NULL: the server makes one. */
const char *login_bind(struct speaker *speaker, const char *resource);
/* All of it for the speaker's account, with STARTTLS where it is required. */
const char *login(struct speaker *speaker, const char *resource);

#endif
