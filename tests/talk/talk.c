/* SPDX-License-Identifier: MIT
 *
 * The player of conversations (tests/talk/README.md). Without arguments it plays all files of tests/talk,
 * each scene in memory and again over sockets; `talk [--pipe | --sockets] FILE[:LINE]...` plays those named.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scene.h"

/* ---- lines ---- */

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

	for (const struct phrase *phrase = phrases; phrase->words; phrase++) {
		if (!phrase_fits(phrase->words, head, text != NULL, &statement, &copy))
			continue;
		phrase->play(scene, &statement);
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
