/* SPDX-License-Identifier: MIT
 *
 * The player of conversations (tests/talk/README.md). Without arguments it plays all files of tests/talk, each scene in
 * memory and again over sockets; `talk [--pipe | --sockets] FILE[:LINE]...` plays those named.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/module.h"
#include "login.h"
#include "match.h"
#include "stage.h"
#include "xmpp/framer.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

extern const struct module client_module, disco_module, im_module, last_module, ping_module, private_module, time_module,
	vcard_module, version_module;

static const struct module *const talk_modules[] = {
	&disco_module, &ping_module, &version_module, &time_module, &last_module, &private_module, &vcard_module, &im_module,
	&client_module, NULL,
};

enum { CAPTURES = 4 };

struct scene {
	const char *file;
	int line;                       /* being played */
	char *title;
	bool sockets, failed, tls_required;
	struct buf configuration;
	struct stage *stage;            /* NULL: nothing has been said yet */
	struct memory memory;
};

/* A statement: the words before the colon, what they have caught, and the text behind it or indented below. */
struct statement {
	char *words[CAPTURES];
	char *text;                     /* NULL: none */
};

__attribute__((format(printf, 2, 3))) static void scene_fail(struct scene *scene, const char *format, ...)
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
		scene->stage = stage_open(talk_modules, scene->configuration.data, scene->tls_required, scene->sockets);
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

	scene_expect(scene, s->words[0], login_prove(speaker, s->words[1], s->words[2], s->words[3]));
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
	[HEARD_NOTHING] = "nothing", [HEARD_HEADER] = "a stream header", [HEARD_ELEMENT] = "an element",
	[HEARD_FOOTER] = "the end of the stream", [HEARD_END] = "the end of the connection",
	[HEARD_RUBBISH] = "what is no XML",
};

static void print_element(const char *what, const struct element *element)
{
	struct buf xml = { 0 };

	writer_element(&xml, element, NS_CLIENT);
	printf("  %s: %.*s\n", what, (int)xml.len, xml.data);
	buf_clear(&xml);
}

static void scene_mismatch(struct scene *scene, const char *who, const struct element *expected, enum heard_kind kind,
                           const struct element *got)
{
	if (scene->failed)
		return;
	scene_fail(scene, "%s received %s", who, got ? "something else" : heard_names[kind]);
	if (expected)
		print_element("expected", expected);
	if (got)
		print_element("received", got);
}

static void hear_one(struct scene *scene, const char *who, enum heard_kind kind, const struct element *expected)
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

/* An asterisk catches a word (a "quoted one" too), the dots say that a text belongs to it. */
static const struct phrase {
	const char *words;
	void (*play)(struct scene *scene, struct statement *s);
} phrases[] = {
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
};

/* The next word of a line, cut off; NULL: no more. */
static char *word_take(char **at)
{
	char *word = *at + strspn(*at, " \t"), *end;

	if (!*word)
		return NULL;
	end = *word == '"' ? strchr(++word, '"') : word + strcspn(word, " \t");
	if (!end)
		end = word + strlen(word);
	*at = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static bool phrase_fits(const char *phrase, const char *head, bool has_text, struct statement *s, char **copy)
{
	char *pattern = str_dup(phrase), *patterns = pattern, *words, *want, *word;
	size_t caught = 0;
	bool fits = true, wants_text = false;

	memset(s->words, 0, sizeof(s->words));
	free(*copy);
	*copy = words = str_dup(head);
	while (fits && (want = word_take(&patterns))) {
		if (strcmp(want, "...") == 0) {
			wants_text = true;
			break;
		}
		word = word_take(&words);
		if (word && strcmp(want, "*") == 0 && caught < CAPTURES)
			s->words[caught++] = word;
		else
			fits = word && strcmp(want, word) == 0;
	}
	free(pattern);
	return fits && !word_take(&words) && wants_text == has_text;
}

static void scene_play(struct scene *scene, const char *head, char *text)
{
	struct statement statement = { .text = text };
	char *copy = NULL;

	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		if (!phrase_fits(phrases[i].words, head, text != NULL, &statement, &copy))
			continue;
		phrases[i].play(scene, &statement);
		free(copy);
		return;
	}
	free(copy);
	scene_fail(scene, "nobody understands: %s", head);
}

/* ---- files ---- */

struct script {
	char **lines;
	size_t count, next;
};

static bool script_read(struct script *script, const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;

	memset(script, 0, sizeof(*script));
	if (!file)
		return false;
	while (getline(&line, &cap, file) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		script->lines = mem_realloc(script->lines, (script->count + 1) * sizeof(*script->lines));
		script->lines[script->count++] = str_dup(line);
	}
	free(line);
	fclose(file);
	return true;
}

static void script_free(struct script *script)
{
	for (size_t i = 0; i < script->count; i++)
		free(script->lines[i]);
	free(script->lines);
}

/* The indented lines that follow, without their indentation. */
static void script_take_block(struct script *script, struct buf *out)
{
	while (script->next < script->count) {
		const char *line = script->lines[script->next];

		if (!isspace((unsigned char)*line))
			break;
		line += strspn(line, " \t");
		if (out->len)
			buf_add_char(out, '\n');
		buf_add_str(out, line);
		script->next++;
	}
}

/* "words: text", or "words:" with a block below. */
static void scene_play_line(struct scene *scene, struct script *script)
{
	char *line = str_dup(script->lines[script->next]);
	char *colon = strstr(line, ": ");
	size_t len = strlen(line);
	struct buf block = { 0 };
	bool has_text = colon || (len && line[len - 1] == ':');

	scene->line = (int)++script->next;
	if (colon) {
		*colon = '\0';
		buf_add_str(&block, colon + 2);
	} else if (has_text) {
		line[len - 1] = '\0';
		script_take_block(script, &block);
	}
	buf_add_char(&block, '\0');
	scene_play(scene, line, has_text ? block.data : NULL);
	buf_clear(&block);
	free(line);
}

static bool is_title(const char *line)
{
	return strncmp(line, "== ", 3) == 0;
}

static bool is_silent(const char *line)
{
	line += strspn(line, " \t");
	return !*line || *line == '#';
}

/* Plays up to the next title; a scene that has failed is only read. */
static bool scene_run(const char *file, struct script *script, bool sockets)
{
	struct scene scene = { .file = file, .sockets = sockets };
	const char *title = script->lines[script->next] + 3;

	for (script->next++; script->next < script->count && !is_title(script->lines[script->next]);) {
		if (scene.failed || is_silent(script->lines[script->next]))
			script->next++;
		else
			scene_play_line(&scene, script);
	}
	printf("%s %s%s\n", scene.failed ? "FAIL" : "ok  ", title, sockets ? " [sockets]" : "");
	if (scene.stage)
		stage_close(&scene.stage);
	memory_clear(&scene.memory);
	buf_clear(&scene.configuration);
	return !scene.failed;
}

/* only: the line of one scene's title or within it; 0: all. Answers how many scenes failed. */
static int file_run(const char *path, size_t only, bool sockets)
{
	struct script script;
	int failed = 0;

	if (!script_read(&script, path)) {
		printf("%s cannot be read\n", path);
		return 1;
	}
	while (script.next < script.count) {
		size_t end = script.next + 1;

		while (end < script.count && !is_title(script.lines[end]))
			end++;
		if (!is_title(script.lines[script.next]) || (only && (only <= script.next || only > end)))
			script.next = end;
		else
			failed += !scene_run(path, &script, sockets);
	}
	script_free(&script);
	return failed;
}

static int is_talk(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".talk") == 0;
}

static int folder_run(bool sockets)
{
	const char *top = getenv("top_srcdir");
	char *folder = str_printf("%s/tests/talk", top ? top : ".");
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_talk, alphasort), failed = count > 0 ? 0 : 1;

	for (int i = 0; i < count; i++) {
		char *path = str_printf("%s/%s", folder, entries[i]->d_name);

		failed += file_run(path, 0, sockets);
		free(path);
		free(entries[i]);
	}
	free(entries);
	free(folder);
	return failed;
}

static int named_run(char *name, bool sockets)
{
	char *colon = strrchr(name, ':');

	if (colon)
		*colon = '\0';
	return file_run(name, colon ? (size_t)atoi(colon + 1) : 0, sockets);
}

int main(int count, char **args)
{
	bool sockets = false;
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (count == 1)
		failed = folder_run(false) + folder_run(true);
	for (int i = 1; i < count; i++) {
		if (strcmp(args[i], "--sockets") == 0 || strcmp(args[i], "--pipe") == 0)
			sockets = strcmp(args[i], "--sockets") == 0;
		else
			failed += named_run(args[i], sockets);
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
