/* SPDX-License-Identifier: MIT
 *
 * Clients that say nothing: sessions that are idle, and logins one after the other.
 */
#include "load.h"

static void idle_begin(struct load *load)
{
	load->memory = cost_memory(load->options.pids) - load->memory_before;
}

const struct mode mode_idle = {
	.name = "idle",
	.unit = "session",
	.opens_all = true,
	.begin = idle_begin,
	.ready = load_client_ready,
};

/* ---- login ---- */

/* Each user logs in once before it counts: from then on the client knows what the salt makes of its password. */
static void login_ready(struct client *client)
{
	struct load *load = client->load;

	load->ready++;
	load->round_trips = client->round_trips;
	load_count(load, client->began_us);
	if (load->ready == load->options.clients)
		load_begin(load);
	client_close(client);
}

static void login_closed(struct client *client)
{
	if (!client->load->leaving)
		load_open_next(client->load);
}

const struct mode mode_login = {
	.name = "login",
	.unit = "login",
	.ready = login_ready,
	.closed = login_closed,
};
