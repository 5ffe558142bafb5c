/* SPDX-License-Identifier: MIT
 *
 * Finding and running a command, and the two ways in which it reaches other homes: each in turn, or one. Mail carries
 * the walk; the JSON document travels with it and is touched by one thread at a time.
 */
#include "core/command.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/errand.h"

/* Finding */

static const struct command *command_next(const struct server *server, size_t *module, size_t *row)
{
	for (; server->modules[*module]; (*module)++, *row = 0) {
		const struct command *table = server->modules[*module]->commands;

		if (table && table[*row].words)
			return &table[(*row)++];
	}
	return NULL;
}

/* How many of args the words are; 0: they are not its beginning. */
static size_t command_match(const char *words, const char *const *args, size_t count)
{
	size_t used = 0;

	while (*words) {
		size_t len = strcspn(words, " ");

		if (used == count || strlen(args[used]) != len || memcmp(args[used], words, len) != 0)
			return 0;
		used++;
		words += len + (words[len] == ' ');
	}
	return used;
}

static json_t *command_help(const struct server *server)
{
	json_t *list = json_array();
	const struct command *command;
	size_t module = 0, row = 0;

	while ((command = command_next(server, &module, &row)))
		json_array_append_new(list, json_pack("{s:s++, s:s}", "command", command->words,
			command->usage[0] ? " " : "", command->usage, "does", command->sentence));
	return list;
}

static const struct command *command_find(const struct command_call *call, size_t *used)
{
	const struct command *command;
	size_t module = 0, row = 0;

	while ((command = command_next(call->home->server, &module, &row)))
		if ((*used = command_match(command->words, call->args, call->arg_count)) > 0)
			return command;
	return NULL;
}

/* Who knows the first word of a command is told what may follow it. */
static void command_unknown(struct command_call *call)
{
	const char *first = call->arg_count ? call->args[0] : "";
	size_t len = strlen(first), module = 0, row = 0;
	const struct command *command;
	struct buf next = { 0 };

	while ((command = command_next(call->home->server, &module, &row)))
		if (strncmp(command->words, first, len) == 0 && command->words[len] == ' ')
			buf_printf(&next, "%s%s", next.len ? ", " : "", command->words + len + 1);
	if (next.len > 0)
		command_fail(call, COMMAND_USAGE, "%s: one of %.*s", first, (int)next.len, next.data);
	else
		command_fail(call, COMMAND_USAGE, "no such command; \"hansactl help\" lists them");
	buf_clear(&next);
}

const char *command_input(const struct command_call *call, const char *name)
{
	return json_string_value(json_object_get(call->input, name));
}

void command_run(struct command_call *call)
{
	size_t used;
	const struct command *command;

	if (call->arg_count == 1 && strcmp(call->args[0], "help") == 0) {
		command_answer(call, command_help(call->home->server));
		return;
	}
	command = command_find(call, &used);
	if (!command) {
		command_unknown(call);
		return;
	}
	call->command = command;
	call->args += used;
	call->arg_count -= used;
	if (call->arg_count < command->least || call->arg_count > command->most)
		command_fail(call, COMMAND_USAGE, "usage: hansactl %s%s%s", command->words,
		             command->usage[0] ? " " : "", command->usage);
	else if (command->asks && !command_input(call, command->asks))
		command_fail(call, COMMAND_ASKS, "%s", command->asks);
	else
		command->run(call);
}

/* Ending */

void command_answer(struct command_call *call, json_t *document)
{
	call->ended(call, COMMAND_DONE, document, NULL);
}

void command_fail(struct command_call *call, enum command_status status, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	call->ended(call, status, NULL, text);
}

/* Every home in turn */

struct command_walk {
	struct mail mail;
	struct command_call *call;
	size_t next;                    /* the worker that comes next */
	json_t *result;
	void (*each)(struct home *home, const struct command_call *call, json_t *result);
	void (*finished)(struct command_call *call, json_t *result);
};

static void command_walk_on(struct home *home, struct command_walk *walk);

static void command_walk_arrived(struct worker *worker, struct mail *mail)
{
	struct command_walk *walk = (struct command_walk *)mail;

	walk->each(home_of(worker), walk->call, walk->result);
	command_walk_on(home_of(worker), walk);
}

static void command_walk_ended(struct worker *worker, struct mail *mail)
{
	struct command_walk *walk = (struct command_walk *)mail;

	(void)worker;
	walk->finished(walk->call, walk->result);
	free(walk);
}

static void command_walk_on(struct home *home, struct command_walk *walk)
{
	struct workers *workers = home->server->workers;
	bool more = walk->next < workers_count(workers);
	struct worker *to = more ? workers_at(workers, walk->next++) : walk->call->home->worker;

	walk->mail.arrive = more ? command_walk_arrived : command_walk_ended;
	worker_post(home->worker, to, &walk->mail);
}

void command_each_home(struct command_call *call,
                       void (*each)(struct home *home, const struct command_call *call, json_t *result),
                       void (*finished)(struct command_call *call, json_t *result))
{
	struct command_walk *walk = mem_zalloc(sizeof(*walk));

	walk->call = call;
	walk->each = each;
	walk->finished = finished;
	walk->result = json_array();
	command_walk_on(call->home, walk);
}

/* One home */

struct command_errand {
	struct errand errand;           /* first */
	struct command_call *call;
	void *context;
	void (*job)(struct home *home, void *context);
	void (*finished)(struct command_call *call, void *context);
};

static void command_errand_arrived(struct home *home, struct errand *arrived)
{
	struct command_errand *errand = (struct command_errand *)arrived;

	errand->job(home, errand->context);
	errand_return(home, arrived);
}

static void command_errand_ended(struct home *home, struct errand *ended)
{
	struct command_errand *errand = (struct command_errand *)ended;

	(void)home;
	errand->finished(errand->call, errand->context);
	free(errand);
}

void command_at_home(struct command_call *call, struct home *home, void (*job)(struct home *home, void *context),
                     void (*finished)(struct command_call *call, void *context), void *context)
{
	struct command_errand *errand = mem_zalloc(sizeof(*errand));

	errand->call = call;
	errand->job = job;
	errand->finished = finished;
	errand->context = context;
	errand_send(call->home, home, &errand->errand, command_errand_arrived, command_errand_ended);
}
