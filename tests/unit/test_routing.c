/* SPDX-License-Identifier: MIT
 *
 * RFC 6121 §8.5 with several clients, priorities below zero and carbons (XEP-0280) together: every way in which three clients
 * of an account can be there, each with and without carbons, against what docs/delivery.md says of it. Nobody gets a message
 * twice, and nobody who asked for copies misses one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scene.h"

#define ROMEO "romeo@south.example"
#define JULIET "juliet@north.example"

extern const struct module carbons_module, im_module;
static const struct module *const modules[] = { &carbons_module, &im_module, NULL };

enum { CLIENTS = 3 };

enum state { ABSENT, BOUND, NEGATIVE, ZERO, FIVE, STATES };

static const char *const presences[STATES] = {
	[NEGATIVE] = "<presence><priority>-1</priority></presence>",
	[ZERO] = "<presence/>",
	[FIVE] = "<presence><priority>5</priority></presence>",
};

struct way {
	enum state state;
	bool carbons;
};

struct heard {
	size_t messages, copies;
};

/* One constellation and what is sent into it. */
struct trial {
	struct way ways[CLIENTS];
	bool full, headline;            /* full: to the first client */
};

/* ---- what docs/delivery.md says ---- */

static enum state best_of(const struct trial *trial)
{
	enum state best = ABSENT;

	for (size_t i = 0; i < CLIENTS; i++)
		best = trial->ways[i].state > best ? trial->ways[i].state : best;
	return best;
}

static bool is_matched(const struct trial *trial)
{
	return trial->full && trial->ways[0].state != ABSENT;
}

static bool is_kept(const struct trial *trial)
{
	return !trial->headline && !is_matched(trial) && best_of(trial) < ZERO;
}

static bool gets_message(const struct trial *trial, size_t client)
{
	enum state state = trial->ways[client].state;

	if (is_matched(trial))
		return client == 0;
	if (trial->headline)
		return !trial->full && state >= ZERO;
	return state >= ZERO && state == best_of(trial);
}

/* Who comes later gets himself what is kept. */
static bool gets_copy(const struct trial *trial, size_t client)
{
	enum state state = trial->ways[client].state;

	if (trial->headline || !trial->ways[client].carbons || state == ABSENT || gets_message(trial, client))
		return false;
	return !is_kept(trial) || state != BOUND;
}

/* ---- what happens ---- */

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text++)
		count++;
	return count;
}

static struct heard heard_by(struct person *person)
{
	const char *heard = person_heard(person);
	size_t copies = count_of(heard, "<received xmlns='urn:xmpp:carbons:2'>");

	return (struct heard){ count_of(heard, "<body>b</body>") - copies, copies };
}

static void trial_fail(const struct trial *trial, const char *who, struct heard heard, size_t messages, size_t copies)
{
	fail_msg("%s, to %s, states %d%s %d%s %d%s: %s gets %zu messages and %zu copies, not %zu and %zu",
	         trial->headline ? "headline" : "chat", trial->full ? "the first" : "all", trial->ways[0].state,
	         trial->ways[0].carbons ? "c" : "", trial->ways[1].state, trial->ways[1].carbons ? "c" : "",
	         trial->ways[2].state, trial->ways[2].carbons ? "c" : "", who, heard.messages, heard.copies, messages, copies);
}

static void trial_expect(const struct trial *trial, const char *who, struct person *person, size_t messages, size_t copies)
{
	struct heard heard = heard_by(person);

	if (heard.messages != messages || heard.copies != copies)
		trial_fail(trial, who, heard, messages, copies);
}

static struct person *client_comes(struct town *town, size_t number, const struct way *way)
{
	struct person *person;
	char full[64];

	if (way->state == ABSENT)
		return NULL;
	snprintf(full, sizeof(full), ROMEO "/%zu", number);
	person = person_come(town, full);
	person->session->carbons = way->carbons;
	if (presences[way->state])
		person_says(person, presences[way->state]);
	return person;
}

static void trial_run(struct town *town, struct person *juliet, const struct trial *trial)
{
	struct person *clients[CLIENTS], *later;
	static const char *const names[CLIENTS] = { "the first", "the second", "the third" };
	char xml[160];

	for (size_t i = 0; i < CLIENTS; i++)
		clients[i] = client_comes(town, i, &trial->ways[i]);
	for (size_t i = 0; i < CLIENTS; i++)
		if (clients[i])
			person_heard(clients[i]);
	snprintf(xml, sizeof(xml), "<message to='" ROMEO "%s' type='%s'><body>b</body></message>", trial->full ? "/0" : "",
	         trial->headline ? "headline" : "chat");
	person_says(juliet, xml);
	for (size_t i = 0; i < CLIENTS; i++)
		if (clients[i])
			trial_expect(trial, names[i], clients[i], gets_message(trial, i), gets_copy(trial, i));
	assert_string_equal(person_heard(juliet), "");
	for (size_t i = 0; i < CLIENTS; i++)
		if (clients[i])
			person_go(&clients[i]);
	later = person_come(town, ROMEO "/later");
	person_says(later, "<presence/>");
	trial_expect(trial, "who comes later", later, is_kept(trial), 0);
	person_go(&later);
}

/* ---- all of them ---- */

/* The ways of a client, numbered; an absent one asks for nothing. */
static struct way way_of(size_t number)
{
	return (struct way){ (enum state)((number + 1) / 2), number > 0 && number % 2 == 0 };
}

enum { WAYS = 2 * STATES - 1 };

static void everybody_gets_what_is_his(void **unused)
{
	struct scene scene = scene_open(modules, "");
	struct person *juliet;

	(void)unused;
	town_add_account(scene.town, ROMEO);
	town_add_account(scene.town, JULIET);
	juliet = person_come(scene.town, JULIET "/balcony");
	for (size_t i = 0; i < (size_t)WAYS * WAYS * WAYS * 4; i++) {
		const struct trial trial = {
			.ways = { way_of(i / 4 % WAYS), way_of(i / 4 / WAYS % WAYS), way_of(i / 4 / WAYS / WAYS) },
			.full = i & 1,
			.headline = i & 2,
		};

		trial_run(scene.town, juliet, &trial);
	}
	person_go(&juliet);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_gets_what_is_his),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
