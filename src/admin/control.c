/* SPDX-License-Identifier: MIT
 *
 * The control socket's connections. Everything runs on the first worker; a command may visit other homes and comes back.
 * A connection that closes while its commands run forgets them; they finish for themselves. A server that drains waits
 * for its connections here as it does for streams: each ends when what it has asked is answered.
 */
#include "control.h"

#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "core/command.h"
#include "core/config.h"
#include "net/conn.h"
#include "net/local.h"

enum {
	CONTROL_LINE_MAX = 1 << 20,
	CONTROL_UNDER_WAY = 16,         /* questions of one connection; beyond, TCP-like push back */
	CONTROL_WORDS = 32,
};

/* The first home's part. */
struct control_point {
	struct local_listener *listener;
	struct list controls;           /* struct control */
};

struct control {
	struct list_link link;
	struct conn *conn;
	struct home *home;
	struct buf line;                /* the unfinished question */
	struct list calls;              /* struct control_call */
	size_t call_count;
};

struct control_call {
	struct command_call call;       /* first: ended() gets this back */
	struct list_link link;
	struct control *control;        /* NULL: the connection has gone */
	json_t *question;               /* owns the words */
	const char *words[CONTROL_WORDS];
};

static void control_received(struct conn *conn, void *owner, char *bytes, size_t len);
static void control_closed(struct conn *conn, void *owner, const char *reason);

static const struct conn_class control_class = {
	.received = control_received,
	.closed = control_closed,
};

static void control_accepted(struct worker *worker, struct transport *transport, void *owner)
{
	struct control *control = mem_zalloc(sizeof(*control));
	struct control_point *point = owner;

	control->home = home_of(worker);
	control->home->streams++;
	list_add_last(&point->controls, &control->link);
	list_init(&control->calls);
	control->conn = conn_new(worker, transport, &control_class, control, 0);
}

static void control_answer(struct control *control, const json_t *question, enum command_status status,
                           json_t *document, const char *text)
{
	json_t *answer = json_object();
	json_t *id = json_object_get(question, "id");
	char *line;

	if (id)
		json_object_set(answer, "id", id);
	json_object_set_new(answer, "status", json_integer(status));
	if (document)
		json_object_set_new(answer, "result", document);
	if (text)
		json_object_set_new(answer, "error", json_string(text));
	line = json_dumps(answer, JSON_COMPACT);
	buf_add_str(conn_out(control->conn), line);
	buf_add_char(conn_out(control->conn), '\n');
	free(line);
	json_decref(answer);
}

static void control_leave(struct control *control)
{
	if (control->home->draining && control->call_count == 0)
		conn_close(control->conn, NULL);
}

static void control_call_ended(struct command_call *call, enum command_status status, json_t *document,
                               const char *text)
{
	struct control_call *asked = (struct control_call *)call;
	struct control *control = asked->control;

	if (control) {
		control_answer(control, asked->question, status, document, text);
		list_remove(&asked->link);
		if (control->call_count-- == CONTROL_UNDER_WAY)
			conn_resume(control->conn);
		control_leave(control);
	} else {
		json_decref(document);
	}
	json_decref(asked->question);
	free(asked);
}

/* The words of a question; false: not an array of at most CONTROL_WORDS strings. */
static bool control_words(struct control_call *asked)
{
	const json_t *args = json_object_get(asked->question, "args"), *word;
	size_t i;

	if (!json_is_array(args) || json_array_size(args) > CONTROL_WORDS)
		return false;
	json_array_foreach(args, i, word) {
		asked->words[i] = json_string_value(word);
		if (!asked->words[i])
			return false;
	}
	asked->call.args = asked->words;
	asked->call.arg_count = json_array_size(args);
	return true;
}

static void control_question(struct control *control, const char *line, size_t len)
{
	struct control_call *asked = mem_zalloc(sizeof(*asked));

	asked->question = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (!asked->question || !control_words(asked)) {
		control_answer(control, asked->question, COMMAND_USAGE, NULL, "a question is {\"args\": [\"word\", ...]}");
		json_decref(asked->question);
		free(asked);
		return;
	}
	asked->control = control;
	asked->call.home = control->home;
	asked->call.input = json_object_get(asked->question, "input");
	asked->call.ended = control_call_ended;
	list_add_last(&control->calls, &asked->link);
	if (++control->call_count == CONTROL_UNDER_WAY)
		conn_pause(control->conn);
	command_run(&asked->call);
}

static void control_received(struct conn *conn, void *owner, char *bytes, size_t len)
{
	struct control *control = owner;
	size_t begin = 0;
	char *end;

	buf_add(&control->line, bytes, len);
	while ((end = memchr(control->line.data + begin, '\n', control->line.len - begin))) {
		size_t line_len = (size_t)(end - control->line.data) - begin;

		control_question(control, control->line.data + begin, line_len);
		begin += line_len + 1;
	}
	mem_wipe(control->line.data, begin);    /* questions carry passwords */
	buf_consume(&control->line, begin);
	if (control->line.len > CONTROL_LINE_MAX)
		conn_abort(conn, "the line is too long");
}

static void control_closed(struct conn *conn, void *owner, const char *reason)
{
	struct control *control = owner;
	struct list_link *link;

	(void)conn;
	(void)reason;
	while ((link = list_take_first(&control->calls)))
		LIST_MEMBER(link, struct control_call, link)->control = NULL;
	list_remove(&control->link);
	control->home->streams--;
	buf_clear(&control->line);
	free(control);
}

/* Life: the socket belongs to the first worker. */

static void *control_home_open(struct home *home)
{
	const char *path = home->config->control_path, *error;
	struct control_point *point;

	if (worker_number(home->worker) != 0 || !path)
		return NULL;
	point = mem_zalloc(sizeof(*point));
	list_init(&point->controls);
	point->listener = local_listen(home->worker, path, control_accepted, point, &error);
	if (!point->listener)
		log_error(home->server->log, NULL, "no control socket", LOG_STR("path", path), LOG_STR("reason", error));
	return point;
}

static void control_home_drain(struct home *home)
{
	struct control_point *point = home_part(home, &control_module);
	struct list_link *link;

	if (!point)
		return;
	local_close(&point->listener);
	for (link = list_first(&point->controls); link; link = list_next(&point->controls, link))
		control_leave(LIST_MEMBER(link, struct control, link));
}

static void control_home_close(struct home *home, void *part)
{
	struct control_point *point = part;

	(void)home;
	if (point)
		local_close(&point->listener);
	free(point);
}

const struct module control_module = {
	.name = "control",
	.home_open = control_home_open,
	.home_close = control_home_close,
	.home_drain = control_home_drain,
};
