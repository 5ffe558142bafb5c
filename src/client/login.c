/* SPDX-License-Identifier: MIT
 *
 * The memory of a login and its place among the unauthenticated of its address. Some things may outlast the
 * client that they were begun for: the mail of its admission, a derivation in the background, what the store is asked, also
 * about a session to resume. Whichever ends last frees the memory.
 */
#include "client.h"

#include <stdlib.h>

#include "base/mem.h"
#include "registration.h"

static void login_admitted(struct worker *worker, struct admission_pass *pass);

/* One beyond the limit waits and nothing of it is read. */
void client_begin_login(struct client *client)
{
	struct home *home = stream_home(client->stream);
	struct login *login = mem_zalloc(sizeof(*login));
	struct address peer, own;

	client->login = login;
	login->client = client;
	login->enters = true;
	conn_address(stream_conn(client->stream), &peer, &own);
	address_write(&peer, login->address);
	if (admission_enter(home->server->admission, home->worker, &login->pass, &peer, login_admitted)) {
		client_admitted(client);
		return;
	}
	login->admitting = true;
	client_set_state(client, CLIENT_WAITING);
	stream_pause(client->stream);
}

static void login_admitted(struct worker *worker, struct admission_pass *pass)
{
	struct login *login = LIST_MEMBER(pass, struct login, pass);

	(void)worker;
	login->admitting = false;
	if (!login->client) {
		login_let_go(login);
	} else if (login->client->state == CLIENT_WAITING) {
		stream_resume(login->client->stream);
		client_admitted(login->client);
	}
}

void login_admit_next(struct home *home, struct login *login)
{
	if (!login->enters)
		return;
	login->enters = false;
	login->admitting &= !admission_leave(home->server->admission, &login->pass);
}

void login_let_go(struct login *login)
{
	if (login->admitting || login->deriving || login->asking || login->recalls)
		return;
	sasl_free(&login->sasl);
	arena_clear(&login->arena);
	if (login->results.data)
		mem_wipe(login->results.data, login->results.cap);
	buf_clear(&login->results);
	free(login->host);
	mem_wipe(login, sizeof(*login));
	free(login);
}

void client_end_login(struct client *client)
{
	struct login *login = client->login;
	struct home *home = stream_home(client->stream);

	if (!login)
		return;
	client->login = NULL;
	login->client = NULL;
	login_admit_next(home, login);
	timer_stop(home->worker, &login->delay);
	if (login->wants)
		account_want_cancel(&login->want);
	if (login->request)
		stanza_drop(&login->request);
	if (login->newcomer)
		newcomer_forget(login->newcomer);
	login_let_go(login);
}
