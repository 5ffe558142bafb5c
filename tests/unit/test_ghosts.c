/* SPDX-License-Identifier: MIT
 *
 * What a crash leaves of presence on other servers: the note of whom an account's sessions are shown to there, and who is told
 * of their end when it is read. far.example is the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/router.h"
#include "im/im.h"
#include "scene.h"
#include "store/document.h"

#define JULIET "juliet@north.example"
#define ROMEO "romeo@south.example"
#define NURSE "nurse@far.example"

extern const struct module ghosts_module, shown_module;

/* ---- the store ---- */

static void answered(struct store_request *request)
{
	(void)request;
}

static struct store_document *document(enum store_op op, const char *account, const char *text)
{
	struct store_document *document =
		store_request_new(sizeof(*document), op, NULL, account, strlen(account), answered);

	document->kind = "shown";
	document->key = "";
	document->text = text;
	document->text_len = text ? strlen(text) : 0;
	return document;
}

/* ---- the other server ---- */

static struct buf far_heard;
static bool far_is_away;

static struct worker *far_home(struct home *from, const struct parcel *parcel)
{
	(void)from;
	(void)parcel;
	return from->worker;
}

static void far_deliver(struct home *home, struct parcel *parcel)
{
	const struct stanza_copy copy = { .to = &parcel->to };

	if (far_is_away) {
		parcel_refused(home, &parcel, STANZA_REMOTE_SERVER_TIMEOUT, NULL);
		return;
	}
	if (parcel->stanza->type != PRESENCE_PROBE && !subscription_is_type(parcel->stanza->type))
		stanza_write(&far_heard, parcel->stanza, &copy);
	parcel_taken(home, &parcel);
}

static const struct destination_class far_destination = { .name = "remote", .home = far_home, .deliver = far_deliver };

static void *far_configure(struct config *config, const struct conf *conf, char **error)
{
	(void)conf;
	(void)error;
	config->remote = &far_destination;
	return NULL;
}

/* What the server before has left, for so many accounts. */
static unsigned crashed_accounts;

static void crashed_ask(struct server *server, struct store_request *request)
{
	server_ask(server, request);
	assert_int_equal(request->status, STORE_OK);
	store_request_free(request);
}

static bool far_start(struct server *server, char **error)
{
	char account[64];

	(void)error;
	for (unsigned i = 0; i < crashed_accounts; i++) {
		struct store_account_write *create;
		struct store_document *put;

		snprintf(account, sizeof(account), "servant%u@south.example", i);
		create = store_request_new(sizeof(*create), STORE_ACCOUNT_CREATE, NULL, account, strlen(account), NULL);
		crashed_ask(server, &create->request);
		put = document(STORE_DOCUMENT_PUT, account, "=kitchen\n>ball@rooms.far.example/servant\n");
		crashed_ask(server, &put->request);
	}
	return true;
}

static const struct module far_module = { .name = "far", .configure = far_configure, .start = far_start };

static const struct module *const modules[] = { &im_module, &ghosts_module, &shown_module, &far_module, NULL };

static void far_hears(const char *text)
{
	buf_add_char(&far_heard, '\0');
	assert_string_equal(far_heard.data, text);
	buf_clear(&far_heard);
}

/* ---- notes ---- */

static void town_leaves_note(struct town *town, const char *account, const char *note)
{
	struct store_document *put = document(STORE_DOCUMENT_PUT, account, note);

	store_submit(town->store, &put->request);
	town_settle(town);
	assert_int_equal(put->request.status, STORE_OK);
	store_request_free(&put->request);
}

/* NULL: there is none. */
static void town_has_note(struct town *town, const char *account, const char *note)
{
	struct store_document *get = document(STORE_DOCUMENT_GET, account, NULL);

	store_submit(town->store, &get->request);
	town_settle(town);
	assert_int_equal(get->request.status, note ? STORE_OK : STORE_ABSENT);
	if (note)
		assert_string_equal(get->text, note);
	store_request_free(&get->request);
}

static uint64_t town_writes(struct town *town)
{
	struct store_figures figures;

	store_figures(town->store, &figures);
	return figures.writes;
}

/* ---- scenes ---- */

/* Accounts, and before anybody asks for them the subscription of the Nurse to Romeo's presence. */
static struct scene scene_begin(const char *sections)
{
	struct scene scene = scene_open(modules, sections);
	struct client *romeo;

	town_add_account(scene.town, ROMEO);
	town_add_account(scene.town, JULIET);
	romeo = scene_client(&scene, ROMEO "/grove");
	town_send(scene.town, "<presence from='" NURSE "' to='" ROMEO "' type='subscribe'/>");
	client_says(romeo, "<presence type='subscribed' to='" NURSE "'/>");
	client_leaves(romeo);
	town_pass(scene.town, 70000);
	assert_null(town_account(scene.town, ROMEO));
	return scene;
}

static void scene_end(struct scene *scene)
{
	scene_close(scene);
	buf_clear(&far_heard);
}

static void a_note_is_written_once(void **unused)
{
	struct scene scene = scene_begin("");
	struct client *romeo = scene_client(&scene, ROMEO "/orchard");
	uint64_t before = town_writes(scene.town);

	(void)unused;
	client_says(romeo, "<presence/>");
	client_says(romeo, "<presence to='ball@rooms.far.example/mask'/>");
	client_says(romeo, "<presence to='ball@rooms.south.example/mask'/>");
	client_says(romeo, "<presence to='" JULIET "'/>");
	town_pass(scene.town, 1100);
	town_has_note(scene.town, ROMEO, "=orchard\n*\n>ball@rooms.far.example/mask\n>ball@rooms.south.example/mask\n");
	assert_int_equal(town_writes(scene.town), before + 1);
	client_says(romeo, "<presence><show>away</show></presence>");
	town_send(scene.town, "<presence from='" NURSE "' to='" ROMEO "' type='probe'/>");
	town_pass(scene.town, 5000);
	assert_int_equal(town_writes(scene.town), before + 1);
	scene_end(&scene);
}

/* Who comes back soon costs nothing; in the end it goes. */
static void a_note_goes_when_the_account_is_forgotten(void **unused)
{
	struct scene scene = scene_begin("");
	uint64_t before = town_writes(scene.town);

	(void)unused;
	for (int i = 0; i < 3; i++) {
		struct client *romeo = scene_client(&scene, ROMEO "/orchard");

		client_says(romeo, "<presence/>");
		town_pass(scene.town, 2000);
		client_leaves(romeo);
		town_pass(scene.town, 30000);
	}
	town_has_note(scene.town, ROMEO, "=orchard\n*\n");
	assert_int_equal(town_writes(scene.town), before + 1);
	town_pass(scene.town, 40000);
	town_has_note(scene.town, ROMEO, NULL);
	scene_end(&scene);
}

static void presence_among_us_is_not_noted(void **unused)
{
	struct scene scene = scene_begin("");
	struct client *juliet = scene_client(&scene, JULIET "/balcony");
	uint64_t before;

	(void)unused;
	town_send(scene.town, "<presence from='" ROMEO "' to='" JULIET "' type='subscribe'/>");
	client_says(juliet, "<presence type='subscribed' to='" ROMEO "'/>");
	before = town_writes(scene.town);
	client_says(juliet, "<presence/>");
	client_says(juliet, "<presence to='admin@north.example/desk'/>");
	town_pass(scene.town, 5000);
	client_leaves(juliet);
	town_pass(scene.town, 70000);
	assert_int_equal(town_writes(scene.town), before);
	scene_end(&scene);
}

/* A contact that is admitted while the session is there. */
static void a_new_contact_is_noted(void **unused)
{
	struct scene scene = scene_begin("");
	struct client *juliet = scene_client(&scene, JULIET "/balcony");

	(void)unused;
	client_says(juliet, "<presence/>");
	town_pass(scene.town, 2000);
	town_has_note(scene.town, JULIET, NULL);
	town_send(scene.town, "<presence from='" NURSE "' to='" JULIET "' type='subscribe'/>");
	client_says(juliet, "<presence type='subscribed' to='" NURSE "'/>");
	town_pass(scene.town, 2000);
	town_has_note(scene.town, JULIET, "=balcony\n*\n");
	scene_end(&scene);
}

static void a_failing_store_gets_the_note_later(void **unused)
{
	struct scene scene = scene_begin("");
	struct client *romeo = scene_client(&scene, ROMEO "/orchard");

	(void)unused;
	store_trial_fail(scene.town->store, &(struct store_trial_fault){ .op = STORE_DOCUMENT_PUT, .status = STORE_FAILED });
	client_says(romeo, "<presence/>");
	town_pass(scene.town, 2000);
	store_trial_mend(scene.town->store);
	town_has_note(scene.town, ROMEO, NULL);
	town_pass(scene.town, 11000);
	town_has_note(scene.town, ROMEO, "=orchard\n*\n");
	scene_end(&scene);
}

/* The end of the old session comes before the new one, and to nobody here. */
static void who_comes_back_is_told_off_first(void **unused)
{
	struct scene scene = scene_begin("");
	struct client *juliet = scene_client(&scene, JULIET "/balcony"), *romeo;

	(void)unused;
	client_says(juliet, "<presence/>");
	client_forgets(juliet);
	town_leaves_note(scene.town, ROMEO, "=grove\n=orchard\n*\n>ball@rooms.far.example/mask\n>" JULIET "\n");
	romeo = scene_client(&scene, ROMEO "/orchard");
	client_says(romeo, "<presence/>");
	far_hears("<presence from='" ROMEO "/orchard' to='" NURSE "' type='unavailable'/>"
	          "<presence from='" ROMEO "/orchard' to='ball@rooms.far.example/mask' type='unavailable'/>"
	          "<presence from='" ROMEO "/orchard' to='" NURSE "'/>");
	client_hears_nothing(juliet);
	town_pass(scene.town, 2000);
	town_has_note(scene.town, ROMEO, "=orchard\n*\n");
	scene_end(&scene);
}

/* Later, and only if that is still so: who comes back is shown to contacts again, and not to the room. */
static void who_cannot_be_reached_is_told_again(void **unused)
{
	struct scene scene = scene_begin("");
	struct client *romeo;

	(void)unused;
	town_leaves_note(scene.town, ROMEO, "\n\n=orchard\n*\n>ball@rooms.far.example/mask\n");
	far_is_away = true;
	romeo = scene_client(&scene, ROMEO "/orchard");
	town_pass(scene.town, 30000);
	far_is_away = false;
	client_says(romeo, "<presence/>");
	far_hears("<presence from='" ROMEO "/orchard' to='" NURSE "'/>");
	town_pass(scene.town, 5000);
	far_hears("<presence from='" ROMEO "/orchard' to='ball@rooms.far.example/mask' type='unavailable'/>");
	town_pass(scene.town, 5000);
	far_hears("");
	scene_end(&scene);
}

static void who_stays_away_is_given_up(void **unused)
{
	struct scene scene = scene_begin("");

	(void)unused;
	town_leaves_note(scene.town, ROMEO, "=orchard\n*\n");
	far_is_away = true;
	scene_client(&scene, ROMEO "/grove");
	town_pass(scene.town, 610000);
	far_is_away = false;
	town_pass(scene.town, 10000);
	far_hears("");
	scene_end(&scene);
}

enum { SERVANTS = 30 };

static size_t far_is_told(void)
{
	size_t count = 0;

	buf_add_char(&far_heard, '\0');
	far_heard.len--;
	for (const char *at = far_heard.data; (at = strstr(at, "type='unavailable'")); at++)
		count++;
	return count;
}

/* Whom nobody asks for: ten a second, each once. */
static void a_walk_tells_of_all_others(void **unused)
{
	struct scene scene;

	(void)unused;
	crashed_accounts = SERVANTS;
	scene = scene_open(modules, "limits { ghosts-per-second = 10 }\n");
	town_pass(scene.town, 1000);
	assert_in_range(far_is_told(), 8, 12);
	town_pass(scene.town, 3000);
	assert_int_equal(far_is_told(), SERVANTS);
	town_pass(scene.town, 70000);
	assert_int_equal(far_is_told(), SERVANTS);
	town_has_note(scene.town, "servant0@south.example", NULL);
	crashed_accounts = 0;
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_note_is_written_once),
		cmocka_unit_test(a_note_goes_when_the_account_is_forgotten),
		cmocka_unit_test(presence_among_us_is_not_noted),
		cmocka_unit_test(a_new_contact_is_noted),
		cmocka_unit_test(a_failing_store_gets_the_note_later),
		cmocka_unit_test(who_comes_back_is_told_off_first),
		cmocka_unit_test(who_cannot_be_reached_is_told_again),
		cmocka_unit_test(who_stays_away_is_given_up),
		cmocka_unit_test(a_walk_tells_of_all_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
