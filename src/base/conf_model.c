/* SPDX-License-Identifier: MIT
 *
 * Sections, options and values of a configuration: how a value's text is understood, and how it is asked for.
 */
#include "conf_model.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct conf_unit {
	const char *name;
	int64_t factor;
};

/* The largest first; the one without a name stands for no unit. */
static const struct conf_unit size_units[] = {
	{ "GB", 1 << 30 }, { "MB", 1 << 20 }, { "kB", 1 << 10 }, { "", 1 }, { NULL, 0 }
};
static const struct conf_unit time_units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
	                                       { "s", 1000 },     { "ms", 1 },      { NULL, 0 } };
static const struct conf_unit int_units[] = { { "", 1 }, { NULL, 0 } };

/* ---- kinds ---- */

static size_t options_count(const struct conf_option *options)
{
	size_t count = 0;

	while (options[count].name)
		count++;
	return count;
}

/* Adds the rows of one declaration to the kind of its name. */
static void kind_extend(struct conf *conf, struct conf_kind *kind, const struct conf_section_kind *declared)
{
	size_t more = options_count(declared->options);
	const struct conf_option **options =
		arena_alloc(&conf->arena, (kind->option_count + more) * sizeof(options[0]));

	assert(kind->titled == declared->titled);
	if (kind->option_count)
		memcpy(options, kind->options, kind->option_count * sizeof(options[0]));
	kind->options = options;
	for (size_t i = 0; i < more; i++) {
		assert(kind_option_find(kind, declared->options[i].name) == SIZE_MAX);
		options[kind->option_count++] = &declared->options[i];
	}
	if (!kind->sentence)
		kind->sentence = declared->sentence;
}

struct conf *conf_new(const struct conf_section_kind *const *kinds)
{
	struct conf *conf = mem_zalloc(sizeof(*conf));
	size_t count = 0;

	arena_init(&conf->arena, 0);
	while (kinds[count])
		count++;
	conf->kinds = arena_zalloc(&conf->arena, count * sizeof(conf->kinds[0]));
	for (size_t i = 0; i < count; i++) {
		struct conf_kind *kind = kind_find(conf, kinds[i]->name);

		if (!kind) {
			kind = &conf->kinds[conf->kind_count++];
			kind->name = kinds[i]->name;
			kind->titled = kinds[i]->titled;
		}
		kind_extend(conf, kind, kinds[i]);
	}
	return conf;
}

void conf_free(struct conf **conf)
{
	if (*conf)
		arena_clear(&(*conf)->arena);
	free(*conf);
	*conf = NULL;
}

struct conf_kind *kind_find(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->kind_count; i++) {
		if (strcmp(conf->kinds[i].name, name) == 0)
			return &conf->kinds[i];
	}
	return NULL;
}

size_t kind_option_find(const struct conf_kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->option_count; i++) {
		if (strcmp(kind->options[i]->name, name) == 0)
			return i;
	}
	return SIZE_MAX;
}

/* ---- a value's text ---- */

/* A whole number with one of the units right behind it, and nothing else. */
static bool number_parse(const struct conf_unit *units, const char *text, int64_t *number)
{
	char *rest;
	long long value;

	if (*text != '-' && (*text < '0' || *text > '9'))
		return false;
	errno = 0;
	value = strtoll(text, &rest, 10);
	if (errno || rest == text)
		return false;
	for (; units->name; units++) {
		if (strcasecmp(rest, units->name) == 0)
			return !__builtin_mul_overflow(value, units->factor, number);
	}
	*number = 0;
	return value == 0 && *rest == '\0';
}

static bool bool_parse(const char *text, int64_t *number)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*number = i % 2;
			return true;
		}
	}
	return false;
}

/* allowed: "one | another". */
static bool choice_has(const char *allowed, const char *text)
{
	size_t len = strcspn(text, " ");

	if (len == 0 || text[len] != '\0')
		return false;
	for (const char *word = allowed; word; word = strstr(word, " | ")) {
		if (word != allowed)
			word += 3;
		if (strncmp(word, text, len) == 0 && (word[len] == '\0' || word[len] == ' '))
			return true;
	}
	return false;
}

static bool option_takes_number(const struct conf_option *option, int64_t number)
{
	if (option->min == 0 && option->max == 0)
		return number >= 0;
	return number >= option->min && number <= option->max;
}

static const struct conf_unit *option_units(const struct conf_option *option)
{
	switch (option->type) {
	case CONF_INT:
		return int_units;
	case CONF_SIZE:
		return size_units;
	case CONF_TIME:
		return time_units;
	default:
		return NULL;
	}
}

static bool option_parse(const struct conf_option *option, const char *text, int64_t *number)
{
	const struct conf_unit *units = option_units(option);

	if (units)
		return number_parse(units, text, number) && option_takes_number(option, *number);
	if (option->type == CONF_BOOL)
		return bool_parse(text, number);
	if (option->type == CONF_CHOICE)
		return choice_has(option->allowed, text);
	return true;
}

static void number_write(const struct conf_unit *units, int64_t number, struct buf *out)
{
	while (units[1].name && (number == 0 || number % units->factor != 0))
		units++;
	buf_printf(out, "%lld%s", (long long)(number / units->factor), units->name);
}

static void option_write_range(const struct conf_option *option, const char *what, struct buf *out)
{
	const struct conf_unit *units = option_units(option);
	const char *example = option->fallback ? option->fallback : option->example;

	buf_add_str(out, what);
	if (option->min != 0 || option->max != 0) {
		buf_add_lit(out, " from ");
		number_write(units, option->min, out);
		buf_add_lit(out, " to ");
		number_write(units, option->max, out);
	}
	if (example && units != int_units)
		buf_printf(out, ", such as %s", example);
}

void option_write_allowed(const struct conf_option *option, struct buf *out)
{
	switch (option->type) {
	case CONF_INT:
		option_write_range(option, "a number", out);
		break;
	case CONF_SIZE:
		option_write_range(option, "a size", out);
		break;
	case CONF_TIME:
		option_write_range(option, "a time", out);
		break;
	case CONF_BOOL:
		buf_add_lit(out, "true or false");
		break;
	case CONF_CHOICE:
	case CONF_STRING:
		buf_add_str(out, option->allowed ? option->allowed : "a text");
		break;
	case CONF_LIST:
		buf_add_lit(out, "{ one, another }");
		break;
	}
}

/* ---- sections while they are read ---- */

struct conf_section *section_add(struct conf *conf, struct conf_kind *kind, const char *title,
                                 const char *file, unsigned line)
{
	struct conf_section *section = arena_zalloc(&conf->arena, sizeof(*section));

	section->conf = conf;
	section->kind = kind;
	section->title = title ? arena_str(&conf->arena, title) : NULL;
	section->file = arena_str(&conf->arena, file);
	section->line = line;
	section->values = arena_zalloc(&conf->arena, kind->option_count * sizeof(section->values[0]));
	if (kind->last)
		kind->last->next = section;
	else
		kind->first = section;
	kind->last = section;
	return section;
}

/* The array doubles whenever its length is a power of two. */
static void value_add(struct conf *conf, struct conf_value *value, const char *text, size_t len)
{
	if ((value->count & (value->count - 1)) == 0) {
		size_t cap = value->count ? 2 * value->count : 1;
		const char **texts = arena_alloc(&conf->arena, cap * sizeof(texts[0]));

		if (value->count)
			memcpy(texts, value->texts, value->count * sizeof(texts[0]));
		value->texts = texts;
	}
	value->texts[value->count++] = arena_str_len(&conf->arena, text, len);
}

bool section_set(struct conf *conf, struct conf_section *section, size_t option, const char *text)
{
	struct conf_value *value = &section->values[option];

	if (!option_parse(section->kind->options[option], text, &value->number))
		return false;
	value_add(conf, value, text, strlen(text));
	value->is_set = true;
	return true;
}

/* The fallback of a list is its members with commas between them. */
static void value_fall_back(struct conf *conf, struct conf_value *value, const struct conf_option *option)
{
	const char *at = option->fallback;

	if (option->type != CONF_LIST) {
		bool fits = option_parse(option, at, &value->number);

		assert(fits);
		(void)fits;
		value_add(conf, value, at, strlen(at));
		return;
	}
	for (at += strspn(at, ", "); *at; at += strspn(at, ", ")) {
		size_t len = strcspn(at, ", ");

		value_add(conf, value, at, len);
		at += len;
	}
}

const struct conf_option *section_complete(struct conf *conf, struct conf_section *section)
{
	for (size_t i = 0; i < section->kind->option_count; i++) {
		const struct conf_option *option = section->kind->options[i];

		if (section->values[i].is_set)
			continue;
		if (option->required)
			return option;
		if (option->fallback)
			value_fall_back(conf, &section->values[i], option);
	}
	return NULL;
}

/* ---- questions ---- */

const struct conf_section *conf_section(const struct conf *conf, const char *name)
{
	const struct conf_kind *kind = kind_find(conf, name);

	assert(kind && !kind->titled);
	return kind->first;
}

const struct conf_section *conf_section_at(const struct conf *conf, const char *name, size_t number)
{
	const struct conf_kind *kind = kind_find(conf, name);
	const struct conf_section *section;

	assert(kind && kind->titled);
	for (section = kind->first; section && number > 0; number--)
		section = section->next;
	return section;
}

const char *conf_title(const struct conf_section *section)
{
	return section->title;
}

static const struct conf_value *section_value(const struct conf_section *section, const char *name,
                                              unsigned types)
{
	size_t option = kind_option_find(section->kind, name);

	assert(option != SIZE_MAX);
	assert(types >> section->kind->options[option]->type & 1);
	return &section->values[option];
}

const char *conf_string(const struct conf_section *section, const char *name)
{
	const struct conf_value *value = section_value(section, name, 1 << CONF_STRING | 1 << CONF_CHOICE);

	return value->count ? value->texts[0] : NULL;
}

int64_t conf_number(const struct conf_section *section, const char *name)
{
	return section_value(section, name, 1 << CONF_INT | 1 << CONF_SIZE | 1 << CONF_TIME)->number;
}

bool conf_bool(const struct conf_section *section, const char *name)
{
	return section_value(section, name, 1 << CONF_BOOL)->number != 0;
}

size_t conf_list_count(const struct conf_section *section, const char *name)
{
	return section_value(section, name, 1 << CONF_LIST)->count;
}

const char *conf_list_at(const struct conf_section *section, const char *name, size_t number)
{
	const struct conf_value *value = section_value(section, name, 1 << CONF_LIST);

	assert(number < value->count);
	return value->texts[number];
}

bool conf_is_set(const struct conf_section *section, const char *name)
{
	return section_value(section, name, ~0u)->is_set;
}

char *conf_fault(const struct conf_section *section, const char *format, ...)
{
	struct buf line = { 0 };
	va_list args;
	char *sentence;

	va_start(args, format);
	if (vasprintf(&sentence, format, args) < 0)
		abort();
	va_end(args);
	if (section->line)
		buf_printf(&line, "%s:%u: %s", section->file, section->line, sentence);
	else
		buf_printf(&line, "%s: section %s: %s", section->file, section->kind->name, sentence);
	free(sentence);
	return line.data;
}
