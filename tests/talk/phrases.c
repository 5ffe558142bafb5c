/* SPDX-License-Identifier: MIT
 *
 * What can be said in a conversation (tests/talk/README.md): each phrase and what happens when it is played.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/module.h"
#include "login.h"
#include "scene.h"
#include "xmpp/framer.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

extern const struct module addresses_module, adhoc_module, administration_module, registration_module, session_module,
	invite_module, invitation_module, inviting_module, user_module;
extern const struct module archiving_module, avatar_module, blocking_module, bookmarks_module, carbons_module, csi_module,
	services_module;
extern const struct module caps_module, client_module, disco_module, im_module, last_module, mam_module, pep_module,
	ping_module,
	private_module, pubsub_module, push_module, time_module, vcard4_module, vcard_module, version_module;

static const struct module *const talk_modules[] = {
	&blocking_module, &carbons_module, &csi_module, &services_module,
	&caps_module,    &pubsub_module, &bookmarks_module, &pep_module, &avatar_module,
	&adhoc_module,
	&push_module,
	&disco_module,   &ping_module,  &version_module, &time_module,   &last_module,
	&private_module, &vcard_module, &vcard4_module, &im_module,      &client_module, &mam_module, &addresses_module,
	&administration_module, &registration_module, &invite_module, &invitation_module, &inviting_module,
	&session_module, &user_module,
	&archiving_module,
	NULL,
};

void scene_fail(struct scene *scene, const char *format, ...)
{
	va_list args;

	if (scene->failed)
		return;
	scene->failed = true;
	printf("%s:%d: ", scene->file, scene->line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static struct speaker *scene_speaker(struct scene *scene, const char *name)
{
	if (!scene->stage) {
		buf_add_char(&scene->configuration, '\0');
		scene->stage = stage_open(talk_modules, scene->configuration.data, scene->tls_required,
		                          scene->sockets);
	}
	return stage_speaker(scene->stage, name);
}

static struct stage *scene_stage(struct scene *scene)
{
	scene_speaker(scene, "");
	return scene->stage;
}

static void scene_expect(struct scene *scene, const char *who, const char *fault)
{
	if (fault)
		scene_fail(scene, "%s: %s", who, fault);
}

/* ---- setting ---- */

static void play_configuration(struct scene *scene, struct statement *s)
{
	if (scene->stage)
		scene_fail(scene, "the configuration comes before anybody speaks");
	buf_add_str(&scene->configuration, s->text);
	buf_add_char(&scene->configuration, '\n');
}

static void play_tls_required(struct scene *scene, struct statement *s)
{
	(void)s;
	scene->tls_required = true;
}

static void play_account(struct scene *scene, struct statement *s)
{
	struct speaker *speaker = scene_speaker(scene, s->words[0]);

	if (!strchr(s->words[1], '@')) {
		scene_fail(scene, "%s is no account", s->words[1]);
		return;
	}
	speaker_set_account(speaker, s->words[1]);
	stage_add_account(scene->stage, s->words[1]);
}

static void play_pass(struct scene *scene, struct statement *s)
{
	bool seconds = strncmp(s->words[1], "second", 6) == 0;

	stage_pass(scene_stage(scene), (uint64_t)atoi(s->words[0]) * (seconds ? 1000 : 1));
}

static void play_store_fails(struct scene *scene, struct statement *s)
{
	(void)s;
	stage_fail_store(scene_stage(scene), true);
}

static void play_store_works(struct scene *scene, struct statement *s)
{
	(void)s;
	stage_fail_store(scene_stage(scene), false);
}

static void play_drain(struct scene *scene, struct statement *s)
{
	(void)s;
	stage_drain(scene_stage(scene));
}

/* ---- doing ---- */

static void play_connect(struct scene *scene, struct statement *s)
{
	speaker_connect(scene_speaker(scene, s->words[0]), false);
}

static void play_connect_tls(struct scene *scene, struct statement *s)
{
	speaker_connect(scene_speaker(scene, s->words[0]), true);
}

static void play_start_tls(struct scene *scene, struct statement *s)
{
	if (!speaker_start_tls(scene_speaker(scene, s->words[0])))
		scene_fail(scene, "%s: no TLS came up", s->words[0]);
}

static void play_disconnect(struct scene *scene, struct statement *s)
{
	speaker_disconnect(scene_speaker(scene, s->words[0]));
	stage_pass(scene->stage, 0);
}

static void play_send(struct scene *scene, struct statement *s)
{
	struct buf words = { 0 };

	memory_fill(&scene->memory, s->text, &words);
	speaker_say(scene_speaker(scene, s->words[0]), words.data, words.len);
	buf_clear(&words);
}

static void play_send_times(struct scene *scene, struct statement *s)
{
	struct buf words = { 0 };

	for (int i = atoi(s->words[1]); i > 0; i--)
		buf_add_str(&words, s->text);
	speaker_say(scene_speaker(scene, s->words[0]), words.data, words.len);
	buf_clear(&words);
}

static void play_send_bytes(struct scene *scene, struct statement *s)
{
	struct buf words = { 0 };
	char *at = s->text, *end;

	for (unsigned long byte = strtoul(at, &end, 16); end > at; byte = strtoul(at = end, &end, 16))
		buf_add_char(&words, (char)byte);
	speaker_say(scene_speaker(scene, s->words[0]), words.data, words.len);
	buf_clear(&words);
}

static void play_open(struct scene *scene, struct statement *s)
{
	struct speaker *speaker = scene_speaker(scene, s->words[0]);

	scene_expect(scene, s->words[0], login_open(speaker, s->words[1]));
}

static void play_prove(struct scene *scene, struct statement *s)
{
	struct speaker *speaker = scene_speaker(scene, s->words[0]);

	scene_expect(scene, s->words[0], login_prove(speaker, NULL, s->words[1], s->words[2], s->words[3]));
}

/* The password may be a placeholder, for a token. */
static void play_prove_wishing(struct scene *scene, struct statement *s)
{
	struct speaker *speaker = scene_speaker(scene, s->words[0]);
	struct buf wishes = { 0 }, password = { 0 };

	memory_fill(&scene->memory, s->text ? s->text : "", &wishes);
	memory_fill(&scene->memory, s->words[2], &password);
	buf_add_char(&wishes, '\0');
	buf_add_char(&password, '\0');
	scene_expect(scene, s->words[0],
	             login_prove(speaker, wishes.data, s->words[1], password.data, s->words[3]));
	buf_clear(&wishes);
	buf_clear(&password);
}

static void play_bind(struct scene *scene, struct statement *s)
{
	scene_expect(scene, s->words[0], login_bind(scene_speaker(scene, s->words[0]), s->words[1]));
}

static void play_login(struct scene *scene, struct statement *s)
{
	struct speaker *speaker = scene_speaker(scene, s->words[0]);

	speaker_connect(speaker, scene->tls_required);
	scene_expect(scene, s->words[0], login(speaker, s->words[1]));
}

/* ---- receiving ---- */

static const char *const heard_names[] = {
	[HEARD_NOTHING] = "nothing",
	[HEARD_HEADER] = "a stream header",
	[HEARD_ELEMENT] = "an element",
	[HEARD_FOOTER] = "the end of the stream",
	[HEARD_END] = "the end of the connection",
	[HEARD_RUBBISH] = "what is no XML",
};

static void print_element(const char *what, const struct element *element)
{
	struct buf xml = { 0 };

	writer_element(&xml, element, NS_CLIENT);
	printf("  %s: %.*s\n", what, (int)xml.len, xml.data);
	buf_clear(&xml);
}

static void scene_mismatch(struct scene *scene, const char *who, const struct element *expected,
                           enum heard_kind kind, const struct element *got)
{
	if (scene->failed)
		return;
	scene_fail(scene, "%s received %s", who, got ? "something else" : heard_names[kind]);
	if (expected)
		print_element("expected", expected);
	if (got)
		print_element("received", got);
}

static void hear_one(struct scene *scene, const char *who, enum heard_kind kind,
                     const struct element *expected)
{
	struct element *got = NULL;
	enum heard_kind heard = speaker_hear(scene_speaker(scene, who), &got);

	if (heard != kind || (expected && !match(&scene->memory, expected, got)))
		scene_mismatch(scene, who, expected, heard, got);
}

/* Each of the elements once, in whatever order they come. */
static void hear_any_order(struct scene *scene, const char *who, struct element *all)
{
	while (element_first(all) && !scene->failed) {
		struct element *got = NULL, *expected = element_first(all);
		enum heard_kind heard = speaker_hear(scene_speaker(scene, who), &got);

		if (heard != HEARD_ELEMENT) {
			scene_mismatch(scene, who, expected, heard, got);
			return;
		}
		while (expected && !match(&scene->memory, expected, got))
			expected = element_next(all, expected);
		if (expected)
			element_remove(all, expected);
		else
			scene_mismatch(scene, who, element_first(all), heard, got);
	}
}

static struct element *scene_parse(struct scene *scene, const char *text, size_t len)
{
	struct element *all = stage_parse(scene_stage(scene), text, len);

	if (!all)
		scene_fail(scene, "what is expected is not well-formed");
	return all;
}

/* A header may stand first and the footer last. */
static void play_receive(struct scene *scene, struct statement *s)
{
	static const char footer[] = "</stream:stream>";
	const char *text = s->text;
	size_t len = strlen(text), pos = 0, start, end;
	bool has_footer = len >= sizeof(footer) - 1 && strcmp(text + len - (sizeof(footer) - 1), footer) == 0;
	bool has_header = strncmp(text, "<?xml", 5) == 0 || strncmp(text, "<stream:stream ", 15) == 0;
	struct element *all;
	struct framer framer;

	if (has_footer)
		len -= sizeof(footer) - 1;
	if (has_header) {
		framer_init(&framer);
		framer_next(&framer, text, len, len, &pos, &start, &end);
		all = stage_parse_header(scene_stage(scene), text + start, end - start);
		hear_one(scene, s->words[0], HEARD_HEADER, all);
		text += end;
		len -= end;
	}
	all = scene_parse(scene, text, len);
	for (const struct node *node = all ? all->first : NULL; node && !scene->failed; node = node->next)
		if (node->element)
			hear_one(scene, s->words[0], HEARD_ELEMENT, node->element);
	if (has_footer)
		hear_one(scene, s->words[0], HEARD_FOOTER, NULL);
}

static void play_receive_any_order(struct scene *scene, struct statement *s)
{
	struct element *all = scene_parse(scene, s->text, strlen(s->text));

	if (all)
		hear_any_order(scene, s->words[0], all);
}

static void play_receive_nothing(struct scene *scene, struct statement *s)
{
	hear_one(scene, s->words[0], HEARD_NOTHING, NULL);
}

/* The error of that condition, with any text, and the footer. */
static void play_receive_error(struct scene *scene, struct statement *s)
{
	struct element *got = NULL, *condition;
	enum heard_kind heard = speaker_hear(scene_speaker(scene, s->words[0]), &got);

	condition = heard == HEARD_ELEMENT && element_is(got, "error", NS_STREAM) ? element_first(got) : NULL;
	if (!condition || !element_is(condition, s->words[1], NS_STREAM_ERRORS))
		scene_mismatch(scene, s->words[0], NULL, heard, got);
	hear_one(scene, s->words[0], HEARD_FOOTER, NULL);
}

static void play_disconnected(struct scene *scene, struct statement *s)
{
	hear_one(scene, s->words[0], HEARD_END, NULL);
}

/* Whatever is still to come is of no interest. */
static void play_forget(struct scene *scene, struct statement *s)
{
	struct element *got;
	enum heard_kind heard;

	do {
		heard = speaker_hear(scene_speaker(scene, s->words[0]), &got);
	} while (heard != HEARD_NOTHING && heard != HEARD_END);
}

static void play_close(struct scene *scene, struct statement *s)
{
	speaker_say(scene_speaker(scene, s->words[0]), "</stream:stream>", 16);
	hear_one(scene, s->words[0], HEARD_FOOTER, NULL);
	stage_pass(scene->stage, 5000);
}

/* ---- phrases ---- */

const struct phrase phrases[] = {
	{ "Configuration ...", play_configuration },
	{ "TLS is required", play_tls_required },
	{ "* has the account *", play_account },
	{ "* * pass", play_pass },
	{ "* * passes", play_pass },
	{ "The store fails", play_store_fails },
	{ "The store works", play_store_works },
	{ "The server drains", play_drain },
	{ "* connects", play_connect },
	{ "* connects with direct TLS", play_connect_tls },
	{ "* starts TLS", play_start_tls },
	{ "* disconnects", play_disconnect },
	{ "* logs in", play_login },
	{ "* logs in as *", play_login },
	{ "* opens a stream to *", play_open },
	{ "* authenticates as * with * by *", play_prove },
	{ "* authenticates by SASL2 as * with * by *", play_prove_wishing },
	{ "* authenticates by SASL2 as * with * by * ...", play_prove_wishing },
	{ "* binds", play_bind },
	{ "* binds *", play_bind },
	{ "* closes the stream", play_close },
	{ "* sends ...", play_send },
	{ "* sends * times ...", play_send_times },
	{ "* sends bytes ...", play_send_bytes },
	{ "* receives ...", play_receive },
	{ "* receives in any order ...", play_receive_any_order },
	{ "* receives nothing", play_receive_nothing },
	{ "* receives the stream error *", play_receive_error },
	{ "* is disconnected", play_disconnected },
	{ "* forgets what was said", play_forget },
	{ NULL, NULL },
};
