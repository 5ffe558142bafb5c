/* SPDX-License-Identifier: MIT
 *
 * Commands about links. One row for each direction of a pair of domains: what we send there ("out"), with
 * what waits and what is wrong, and each stream that the peer has opened to us ("in").
 */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "incoming.h"
#include "joining.h"
#include "link.h"
#include "outgoing.h"
#include "policy.h"
#include "trial.h"
#include "xmpp/stamp.h"

/* ---- rows ---- */

static uint64_t waiting_seconds(const struct link *link, const struct outbox_figures *waiting)
{
	int64_t now_us = clock_wall_us(worker_clock(link->s2s->home->worker));

	return waiting->oldest_us && waiting->oldest_us < now_us ? (uint64_t)(now_us - waiting->oldest_us) / 1000000 : 0;
}

static json_t *link_row(const struct link *link)
{
	struct outgoing_row out = { .tls = "", .address = "" };
	struct outbox_figures waiting;

	if (link->outgoing)
		outgoing_describe(link->outgoing, &out);
	outbox_figures(link->outbox, &waiting);
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s?, s:s?, s:s?}", "peer", link->remote, "host",
	                 link->local, "direction", "out", "state", link_state_name(link->state), "queued",
	                 (json_int_t)waiting.count, "oldest", (json_int_t)waiting_seconds(link, &waiting),
	                 "tls", *out.tls ? out.tls : NULL, "proven by", out.peer_by, "error",
	                 link->failures ? trouble_meaning(link->trouble)->name : NULL);
}

/* The peer's key, as an administrator pins it, and how long its certificate lasts. */
static void certificate_add_detail(const struct certificate_about *certificate, json_t *row)
{
	char stamp[STAMP_LEN + 1];

	if (!certificate)
		return;
	stamp_write(certificate->until_s * 1000000, stamp);
	json_object_set_new(row, "certificate until", json_string(stamp));
	json_object_set_new(row, "pin", json_string(certificate->pin));
}

/* How the peer acknowledges what it gets. */
static void receipts_add_detail(const struct outgoing_row *out, json_t *row)
{
	if (!out->receipts_by)
		return;
	json_object_set_new(row, "acknowledged by", json_string(out->receipts_by));
	if (out->answers)
		json_object_set_new(row, "round trip ms", json_integer((json_int_t)out->round_ms));
}

static void link_add_detail(const struct link *link, json_t *row)
{
	uint64_t now_ms = worker_now_ms(link->s2s->home->worker);
	struct outgoing_row out = { .tls = "", .address = "" };
	struct outbox_figures waiting;
	char stamp[STAMP_LEN + 1];

	outbox_figures(link->outbox, &waiting);
	if (link->outgoing)
		outgoing_describe(link->outgoing, &out);
	json_object_set_new(row, "role", json_string(policy_role_name(link_policy(link))));
	if (*out.address)
		json_object_set_new(row, "address", json_string(out.address));
	if (out.we_by)
		json_object_set_new(row, "we prove by", json_string(out.we_by));
	certificate_add_detail(out.certificate, row);
	receipts_add_detail(&out, row);
	json_object_set_new(row, "under way", json_integer((json_int_t)waiting.handed));
	json_object_set_new(row, "bytes", json_integer((json_int_t)waiting.bytes));
	json_object_set_new(row, "stanzas", json_integer((json_int_t)link->sent));
	if (link->state == LINK_READY)
		json_object_set_new(row, "seconds",
		                    json_integer((json_int_t)((now_ms - link->ready_ms) / 1000)));
	if (link->state == LINK_WAITING)
		json_object_set_new(row, "next try",
		                    json_integer((json_int_t)((link->timer.due_ms - now_ms) / 1000)));
	if (link->trouble == TROUBLE_NONE)
		return;
	stamp_write(link->trouble_us, stamp);
	json_object_set_new(row, "last error", json_string(trouble_meaning(link->trouble)->name));
	json_object_set_new(row, "reason", json_string(link->reason));
	json_object_set_new(row, "at", json_string(stamp));
}

static json_t *incoming_json(const struct incoming_row *row)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?}", "peer", *row->from ? row->from : "?", "host", row->to,
	                 "direction", "in", "state", row->state, "tls", *row->tls ? row->tls : NULL, "proven by",
	                 row->method);
}

static void incoming_add_detail(const struct incoming_row *row, json_t *json)
{
	json_object_set_new(json, "address", json_string(row->address));
	json_object_set_new(json, "stanzas", json_integer((json_int_t)row->received));
	json_object_set_new(json, "seconds", json_integer((json_int_t)row->seconds));
	certificate_add_detail(row->certificate, json);
}

static void peer_report(struct home *home, json_t *result, bool detail)
{
	struct s2s *s2s = s2s_of(home);
	struct map_walk walk = { 0 };
	struct incoming_row row;
	struct link *link;

	while ((link = map_next(s2s->links, &walk))) {
		json_t *json = link_row(link);

		if (detail)
			link_add_detail(link, json);
		json_array_append_new(result, json);
	}
	for (struct list_link *l = list_first(&s2s->incomings); l; l = list_next(&s2s->incomings, l))
		for (size_t i = 0; incoming_row(incoming_of(l), i, &row); i++) {
			json_t *json = incoming_json(&row);

			if (detail)
				incoming_add_detail(&row, json);
			json_array_append_new(result, json);
		}
}

/* ---- peer list, peer show ---- */

static void peer_report_short(struct home *home, const struct command_call *call, json_t *result)
{
	(void)call;
	peer_report(home, result, false);
}

static void peer_report_long(struct home *home, const struct command_call *call, json_t *result)
{
	(void)call;
	peer_report(home, result, true);
}

static void peer_list(struct command_call *call)
{
	command_each_home(call, peer_report_short, command_answer);
}

static void peer_shown(struct command_call *call, json_t *result)
{
	for (size_t i = json_array_size(result); i-- > 0;) {
		const json_t *peer = json_object_get(json_array_get(result, i), "peer");

		if (strcmp(json_string_value(peer), call->args[0]) != 0)
			json_array_remove(result, i);
	}
	if (json_array_size(result) > 0) {
		command_answer(call, result);
		return;
	}
	json_decref(result);
	command_fail(call, COMMAND_NOT_FOUND, "%s: there is no link to that domain", call->args[0]);
}

static void peer_show(struct command_call *call)
{
	command_each_home(call, peer_report_long, peer_shown);
}

/* ---- peer retry, peer flush ---- */

/* For all links to a domain. Goes from home to home: a pair of domains may live on any. */
struct peer_order {
	char *domain;
	void (*obey)(struct link *link);
	size_t next, links;
};

static void peer_order_at_home(struct home *home, void *context)
{
	struct peer_order *order = context;
	struct map_walk walk = { 0 };
	struct link *link;

	while ((link = map_next(s2s_of(home)->links, &walk)))
		if (strcmp(link->remote, order->domain) == 0) {
			order->obey(link);
			order->links++;
		}
}

static void peer_order_on(struct command_call *call, void *context)
{
	struct peer_order *order = context;
	struct workers *workers = call->home->server->workers;

	if (order->next < workers_count(workers)) {
		struct home *home = home_of(workers_at(workers, order->next++));

		command_at_home(call, home, peer_order_at_home, peer_order_on, order);
		return;
	}
	if (order->links)
		command_answer(call, json_pack("{s:s, s:I}", "peer", order->domain, "links",
		                               (json_int_t)order->links));
	else
		command_fail(call, COMMAND_NOT_FOUND, "%s: there is no link to that domain", order->domain);
	free(order->domain);
	free(order);
}

static void peer_order(struct command_call *call, void (*obey)(struct link *link))
{
	struct peer_order *order = mem_zalloc(sizeof(*order));

	order->domain = str_dup(call->args[0]);
	order->obey = obey;
	peer_order_on(call, order);
}

static void link_retry_afresh(struct link *link)
{
	resolver_flush(link->s2s->resolver);
	link_retry(link);
}

static void peer_retry(struct command_call *call)
{
	peer_order(call, link_retry_afresh);
}

static void peer_flush(struct command_call *call)
{
	peer_order(call, link_flush);
}

const struct command s2s_commands[] = {
	{ "peer list", "", "List the links to other servers.", 0, 0, peer_list, NULL },
	{ "peer show", "DOMAIN", "Show all about the links to one domain.", 1, 1, peer_show, NULL },
	{ "peer retry", "DOMAIN", "Try to connect now, and look its DNS records up afresh.", 1, 1, peer_retry,
	  NULL },
	{ "peer invite", "DOMAIN [ADDRESS [HOST]]", "Make a token by which another branch joins this one.", 1, 3,
	  joining_invite, NULL },
	{ "peer join", "TOKEN [ADDRESS [HOST]]", "Join the branch that has made the token, both ways.", 1, 3, joining_join,
	  NULL },
	{ "peer test", "DOMAIN [HOST]", "Try whether a link to a domain works, and say what is wrong.", 1, 2, trial_run,
	  NULL },
	{ "peer flush", "DOMAIN", "Return all that waits for a domain to its senders.", 1, 1, peer_flush, NULL },
	{ 0 },
};
