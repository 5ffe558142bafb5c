/* SPDX-License-Identifier: MIT
 *
 * hansactl: asks the running server over its control socket and shows the answer. It knows no commands itself: the server
 * has them, with their usage. What it adds is the password, many users from lines of standard input, tables or JSON, and
 * exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 not found, 4 no server.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client.h"
#include "password.h"
#include "table.h"

enum { EXIT_NO_SERVER = 4, ASKS = 4, UNDER_WAY = 8 };

struct options {
	const char *socket;
	bool json;
};

static const char usage[] =
	"usage: hansactl [-s SOCKET] [--json] COMMAND [ARGUMENT ...]\n"
	"       hansactl [-s SOCKET] user add -        (lines \"JID PASSWORD\" on standard input)\n"
	"\"hansactl help\" lists the commands of the running server.\n";

static int options_read(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	options->socket = getenv("HANSA_CONTROL");
	if (!options->socket)
		options->socket = HANSA_LOCALSTATEDIR "/lib/hansa/control.sock";
	while ((c = getopt_long(argc, argv, "+s:jVh", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			options->socket = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'V':
			puts("hansactl " HANSA_VERSION);
			exit(EXIT_SUCCESS);
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	return optind;
}

static json_t *question_new(char **words, size_t count)
{
	json_t *args = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(args, json_string(words[i]));
	return json_pack("{s:o}", "args", args);
}

/* Shows an answer; the status to leave with. */
static int answer_show(const struct options *options, const json_t *answer)
{
	json_t *result = json_object_get(answer, "result");
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (error)
		fprintf(stderr, "hansactl: %s\n", error);
	if (result && options->json) {
		json_dumpf(result, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (result) {
		table_print(stdout, result);
	}
	return (int)json_integer_value(json_object_get(answer, "status"));
}

static int server_gone(void)
{
	fputs("hansactl: the server closed the connection\n", stderr);
	return EXIT_NO_SERVER;
}

/* Asks again with the input that the server wants. */
static int ask_with_password(const struct options *options, struct client *client, char **words, size_t count)
{
	json_t *question = question_new(words, count), *answer;
	char *password = password_ask("Password: ");
	int status;

	if (!password) {
		json_decref(question);
		return EXIT_FAILURE;
	}
	json_object_set_new(question, "input", json_pack("{s:s}", "password", password));
	str_wipe(&password);
	answer = client_ask(client, question) ? client_answer(client) : NULL;
	if (!answer)
		return server_gone();
	status = answer_show(options, answer);
	json_decref(answer);
	return status;
}

static int ask(const struct options *options, struct client *client, char **words, size_t count)
{
	json_t *answer = client_ask(client, question_new(words, count)) ? client_answer(client) : NULL;
	bool asks;
	int status;

	if (!answer)
		return server_gone();
	asks = json_integer_value(json_object_get(answer, "status")) == ASKS;
	status = asks ? 0 : answer_show(options, answer);
	json_decref(answer);
	return asks ? ask_with_password(options, client, words, count) : status;
}

/* user add -: a line for each user, several under way at once. */

struct many {
	const struct options *options;
	struct client *client;
	size_t under_way, added, failed;
};

static bool many_answer(struct many *many)
{
	json_t *answer = client_answer(many->client);

	if (!answer)
		return false;
	many->under_way--;
	if (json_integer_value(json_object_get(answer, "status")) == 0) {
		many->added++;
	} else {
		many->failed++;
		answer_show(many->options, answer);
	}
	json_decref(answer);
	return true;
}

static bool many_line(struct many *many, char *line)
{
	char *password = strchr(line, ' ');

	if (!password) {
		fprintf(stderr, "hansactl: a line is \"JID PASSWORD\", not \"%s\"\n", line);
		many->failed++;
		return true;
	}
	*password++ = '\0';
	if (many->under_way == UNDER_WAY && !many_answer(many))
		return false;
	many->under_way++;
	return client_ask(many->client, json_pack("{s:[s,s,s], s:{s:s}}", "args", "user", "add", line, "input",
		"password", password));
}

static int add_many(const struct options *options, struct client *client)
{
	struct many many = { .options = options, .client = client };
	bool alive = true;
	char *line;

	while (alive && (line = password_line(stdin))) {
		alive = *line ? many_line(&many, line) : true;
		str_wipe(&line);
	}
	while (alive && many.under_way)
		alive = many_answer(&many);
	printf("%zu added, %zu failed\n", many.added, many.failed);
	if (!alive)
		return server_gone();
	return many.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options = { .json = false };
	int first = options_read(&options, argc, argv);
	char **words = argv + first;
	size_t count = (size_t)(argc - first);
	struct client *client;
	int status;

	if (count == 0) {
		fputs(usage, stderr);
		return 2;
	}
	client = client_open(options.socket);
	if (!client) {
		fprintf(stderr, "hansactl: no server at %s: %s; is hansad running, and is -s right?\n", options.socket,
		        strerror(errno));
		return EXIT_NO_SERVER;
	}
	if (count == 3 && strcmp(words[0], "user") == 0 && strcmp(words[1], "add") == 0 && strcmp(words[2], "-") == 0)
		status = add_many(&options, client);
	else
		status = ask(&options, client, words, count);
	client_close(&client);
	return status;
}
