/* SPDX-License-Identifier: MIT
 *
 * Service administration (XEP-0133) for the administrators of a host: each use case is an ad-hoc command (core/adhoc.h), and
 * what it does is what hansactl does (core/user.h, core/command.h). An administrator rules on his own host and nowhere else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/adhoc.h"
#include "core/command.h"
#include "core/module.h"
#include "core/user.h"
#include "xmpp/ns.h"

enum { LISTED_MOST = 2000 };    /* users in one answer; more would not fit into a stanza */

/* ---- whom it is about ---- */

/* The user that a value names, in the answer's arena; false: refused, for another host's. */
static bool user_named(struct adhoc_run *run, const char *value, enum jid_use use, struct jid *user)
{
	const char *domain = adhoc_request(run)->host->domain;

	if (!jid_prepare(adhoc_arena(run), value, strlen(value), use, user) || !user->local_len) {
		adhoc_refuse_payload(run, "This is not a user's address");
		return false;
	}
	if (user->domain_len == strlen(domain) && memcmp(jid_domain_text(user), domain, user->domain_len) == 0)
		return true;
	adhoc_refuse(run, STANZA_FORBIDDEN, "This is a user of another host");
	return false;
}

/* ---- commands of the server, as hansactl runs them ---- */

struct service_call {
	struct command_call call;       /* first */
	struct adhoc_run *run;
	const char *words[3];
	void (*answered)(struct adhoc_run *run, const json_t *document);
};

static void service_ended(struct command_call *call, enum command_status status, json_t *document, const char *text)
{
	struct service_call *asked = (struct service_call *)call;

	if (status == COMMAND_DONE)
		asked->answered(asked->run, document);
	else
		adhoc_refuse(asked->run, status == COMMAND_NOT_FOUND ? STANZA_ITEM_NOT_FOUND : STANZA_INTERNAL_SERVER_ERROR,
		             text);
	json_decref(document);
	free(asked);
}

/* first and second are the command, argument what it gets: a value that was submitted, or a literal. */
static void service_ask(struct adhoc_run *run, const char *first, const char *second, const char *argument,
                        void (*answered)(struct adhoc_run *run, const json_t *document))
{
	struct service_call *asked = mem_zalloc(sizeof(*asked));

	asked->run = run;
	asked->answered = answered;
	asked->words[0] = first;
	asked->words[1] = second;
	asked->words[2] = argument;
	asked->call.home = adhoc_request(run)->home;
	asked->call.args = asked->words;
	asked->call.arg_count = 3;
	asked->call.ended = service_ended;
	command_run(&asked->call);
}

/* ---- results ---- */

static struct element *result_field(struct adhoc_run *run, const char *var, const char *label)
{
	return dataform_add_field(adhoc_arena(run), adhoc_result(run, NS_ADMIN), var, NULL, label, NULL);
}

static void result_number(struct adhoc_run *run, const char *var, const char *label, size_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", number);
	dataform_add_value(adhoc_arena(run), result_field(run, var, label), text);
}

static const char *row_text(const json_t *rows, size_t row, const char *name)
{
	return json_string_value(json_object_get(json_array_get(rows, row), name));
}

/* ---- §4.1 Add User, §4.7 Change User Password ---- */

static void user_ended(struct home *home, void *context, enum user_outcome outcome)
{
	struct adhoc_run *run = context;

	(void)home;
	if (outcome == USER_DONE)
		adhoc_complete(run);
	else
		adhoc_refuse(run, user_outcome_condition(outcome), user_outcome_text(outcome));
}

static void user_added(struct adhoc_run *run)
{
	const char *password = adhoc_value(run, "password"), *again = adhoc_value(run, "password-verify");
	struct jid user;

	if (again && *again && strcmp(password, again) != 0)
		adhoc_refuse_payload(run, "The two passwords differ");
	else if (user_named(run, adhoc_value(run, "accountjid"), JID_NEW_LOCAL, &user))
		user_create(adhoc_request(run)->home, &user, password, user_ended, run);
}

static void password_changed(struct adhoc_run *run)
{
	struct jid user;

	if (user_named(run, adhoc_value(run, "accountjid"), JID_ANY, &user))
		user_set_password(adhoc_request(run)->home, &user, adhoc_value(run, "password"), user_ended, run);
}

/* ---- §4.2 Delete User, §4.5 End User Session: one after the other; who is named behind a fault stays ---- */

static void users_deleted(struct adhoc_run *run);
static void sessions_ended(struct adhoc_run *run);

static void deletion_ended(struct home *home, void *context, enum user_outcome outcome)
{
	if (outcome == USER_DONE)
		users_deleted(context);
	else
		user_ended(home, context, outcome);
}

static void users_deleted(struct adhoc_run *run)
{
	const char *value = adhoc_value_next(run, "accountjids");
	struct jid user;

	if (!value)
		adhoc_complete(run);
	else if (user_named(run, value, JID_ANY, &user))
		user_remove(adhoc_request(run)->home, &user, deletion_ended, run);
}

static void session_ended(struct adhoc_run *run, const json_t *document)
{
	(void)document;
	sessions_ended(run);
}

static void sessions_ended(struct adhoc_run *run)
{
	const char *value = adhoc_value_next(run, "accountjids");
	struct jid user;

	if (!value)
		adhoc_complete(run);
	else if (user_named(run, value, JID_ANY, &user))
		service_ask(run, "session", "kick", value, session_ended);
}

/* ---- §4.10 Get User Statistics ---- */

static bool session_is_of(const char *session, const char *user)
{
	size_t len = strlen(user);

	return strncmp(session, user, len) == 0 && session[len] == '/';
}

/* Each value once. */
static void sessions_add(struct adhoc_run *run, const json_t *rows, const char *user)
{
	struct element *addresses = result_field(run, "ipaddresses", "Addresses of its clients");
	struct element *resources = result_field(run, "onlineresources", "Its sessions");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *session = row_text(rows, i, "session");

		if (!session_is_of(session, user))
			continue;
		dataform_add_value(adhoc_arena(run), addresses, row_text(rows, i, "address"));
		dataform_add_value(adhoc_arena(run), resources, session + strlen(user) + 1);
	}
}

static void statistics_sessions(struct adhoc_run *run, const json_t *rows)
{
	struct jid user;

	if (!user_named(run, adhoc_value(run, "accountjid"), JID_ANY, &user))
		return;
	sessions_add(run, rows, jid_bare(adhoc_arena(run), &user).text);
	adhoc_complete(run);
}

static void statistics_of_store(struct adhoc_run *run, const json_t *document)
{
	result_number(run, "rostersize", "Contacts in its roster",
	              (size_t)json_integer_value(json_object_get(document, "contacts")));
	service_ask(run, "session", "list", adhoc_request(run)->host->domain, statistics_sessions);
}

static void statistics_asked(struct adhoc_run *run)
{
	const char *value = adhoc_value(run, "accountjid");
	struct jid user;

	if (user_named(run, value, JID_ANY, &user))
		service_ask(run, "user", "show", value, statistics_of_store);
}

/* ---- §4.13, §4.15, §4.18, §4.20: who is registered, who is online ---- */

static const char *user_of_row(struct adhoc_run *run, const json_t *rows, size_t row)
{
	const char *user = row_text(rows, row, "user"), *session = row_text(rows, row, "session");

	return user ? user : arena_str_len(adhoc_arena(run), session, strcspn(session, "/"));
}

/* Sessions of one user stand one behind the other, for they live together. */
static size_t users_visit(struct adhoc_run *run, const json_t *rows, struct element *field, size_t most)
{
	const char *before = "";
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *user = user_of_row(run, rows, i);

		if (strcmp(user, before) == 0)
			continue;
		before = user;
		if (field && count < most)
			dataform_add_value(adhoc_arena(run), field, user);
		count++;
	}
	return count;
}

static void registered_counted(struct adhoc_run *run, const json_t *rows)
{
	result_number(run, "registeredusersnum", "The number of registered users", users_visit(run, rows, NULL, 0));
	adhoc_complete(run);
}

static void online_counted(struct adhoc_run *run, const json_t *rows)
{
	result_number(run, "onlineusersnum", "The number of online users", users_visit(run, rows, NULL, 0));
	adhoc_complete(run);
}

static void users_list(struct adhoc_run *run, const json_t *rows, const char *var, const char *label)
{
	const char *wanted = adhoc_value(run, "max_items");
	unsigned long asked = wanted ? strtoul(wanted, NULL, 10) : 0; /* one of the choices; none is 0 */
	size_t most = asked ? asked : LISTED_MOST;
	size_t count = users_visit(run, rows, result_field(run, var, label), most);

	if (count > most)
		adhoc_note(run, ADHOC_WARN,
		           arena_printf(adhoc_arena(run), "These are the first %zu of %zu", most, count));
	adhoc_complete(run);
}

static void registered_listed(struct adhoc_run *run, const json_t *rows)
{
	users_list(run, rows, "registereduserjids", "The list of all users");
}

static void online_listed(struct adhoc_run *run, const json_t *rows)
{
	users_list(run, rows, "onlineuserjids", "The list of all online users");
}

static void registered_count(struct adhoc_run *run)
{
	service_ask(run, "user", "list", adhoc_request(run)->host->domain, registered_counted);
}

static void online_count(struct adhoc_run *run)
{
	service_ask(run, "session", "list", adhoc_request(run)->host->domain, online_counted);
}

static void registered_list(struct adhoc_run *run)
{
	service_ask(run, "user", "list", adhoc_request(run)->host->domain, registered_listed);
}

static void online_list(struct adhoc_run *run)
{
	service_ask(run, "session", "list", adhoc_request(run)->host->domain, online_listed);
}

/* ---- §4.23 Send Announcement to Online Users ---- */

static void announced(struct adhoc_run *run, const json_t *document)
{
	adhoc_note(run, ADHOC_INFO,
	           arena_printf(adhoc_arena(run), "Sessions that were told: %lld",
	                        (long long)json_integer_value(json_object_get(document, "sessions told"))));
	adhoc_complete(run);
}

/* The lines of a text-multi are its values. */
static void announcement_given(struct adhoc_run *run)
{
	struct buf text = { 0 };
	const char *line;

	for (size_t i = 0; (line = adhoc_value_at(run, "announcement", i)); i++)
		buf_printf(&text, "%s%s", i ? "\n" : "", line);
	service_ask(run, "announce", adhoc_request(run)->host->domain,
	            arena_str_len(adhoc_arena(run), text.data, text.len), announced);
	buf_clear(&text);
}

/* ---- the table ---- */

static const char *const most[] = { "25", "50", "75", "100", "150", "200", "none", NULL };

static const struct adhoc_field add_fields[] = {
	{ "accountjid", "jid-single", "The address of the account to be added", NULL, true, NULL },
	{ "password", "text-private", "The password for this account", NULL, true, NULL },
	{ "password-verify", "text-private", "Retype password", NULL, false, NULL },
	{ 0 },
};
static const struct adhoc_field password_fields[] = {
	{ "accountjid", "jid-single", "The address of this account", NULL, true, NULL },
	{ "password", "text-private", "The password for this account", NULL, true, NULL },
	{ 0 },
};
static const struct adhoc_field delete_fields[] = {
	{ "accountjids", "jid-multi", "The addresses to delete", NULL, true, NULL },
	{ 0 },
};
static const struct adhoc_field end_fields[] = {
	{ "accountjids", "jid-multi", "The addresses for which to end sessions", NULL, true, NULL },
	{ 0 },
};
static const struct adhoc_field statistics_fields[] = {
	{ "accountjid", "jid-single", "The address for statistics", NULL, true, NULL },
	{ 0 },
};
static const struct adhoc_field list_fields[] = {
	{ "max_items", "list-single", "Maximum number of items to show", "100", false, most },
	{ 0 },
};
static const struct adhoc_field announce_fields[] = {
	{ "announcement", "text-multi", "Announcement", NULL, true, NULL },
	{ 0 },
};

static const struct adhoc_stage stages[] = {
	{ "Adding a User", "Fill out this form to add a user.", NS_ADMIN, add_fields, user_added },
	{ "Deleting a User", "Fill out this form to delete users with everything that is kept of them.", NS_ADMIN,
	  delete_fields, users_deleted },
	{ "Ending a User Session", "Fill out this form to end a session, or all of a user.", NS_ADMIN, end_fields,
	  sessions_ended },
	{ "Changing a User Password", "Fill out this form to change a user's password.", NS_ADMIN, password_fields,
	  password_changed },
	{ "Get User Statistics", "Fill out this form to gather user statistics.", NS_ADMIN, statistics_fields,
	  statistics_asked },
	{ NULL, NULL, NULL, NULL, registered_count },
	{ NULL, NULL, NULL, NULL, online_count },
	{ "Requesting List of Registered Users", "Fill out this form to request the registered users of this service.",
	  NS_ADMIN, list_fields, registered_list },
	{ "Requesting List of Online Users", "Fill out this form to request the online users of this service.", NS_ADMIN,
	  list_fields, online_list },
	{ "Making an Announcement", "Fill out this form to make an announcement to all online users of this service.",
	  NS_ADMIN, announce_fields, announcement_given },
};

static const struct adhoc_command commands[] = {
	{ NS_ADMIN "#add-user", "Add User", ADHOC_ADMINS, NULL, &stages[0], 1 },
	{ NS_ADMIN "#delete-user", "Delete User", ADHOC_ADMINS, NULL, &stages[1], 1 },
	{ NS_ADMIN "#end-user-session", "End User Session", ADHOC_ADMINS, NULL, &stages[2], 1 },
	{ NS_ADMIN "#change-user-password", "Change User Password", ADHOC_ADMINS, NULL, &stages[3], 1 },
	{ NS_ADMIN "#user-stats", "Get User Statistics", ADHOC_ADMINS, NULL, &stages[4], 1 },
	{ NS_ADMIN "#get-registered-users-num", "Get Number of Registered Users", ADHOC_ADMINS, NULL, &stages[5], 1 },
	{ NS_ADMIN "#get-online-users-num", "Get Number of Online Users", ADHOC_ADMINS, NULL, &stages[6], 1 },
	{ NS_ADMIN "#get-registered-users-list", "Get List of Registered Users", ADHOC_ADMINS, NULL, &stages[7], 1 },
	{ NS_ADMIN "#get-online-users-list", "Get List of Online Users", ADHOC_ADMINS, NULL, &stages[8], 1 },
	{ NS_ADMIN "#announce", "Send Announcement to Online Users", ADHOC_ADMINS, NULL, &stages[9], 1 },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0133", "Service Administration", "1.3.1",
	  "users: add, delete, end a session, change a password, statistics, lists and numbers; announcements" },
	{ 0 },
};

extern const struct module administration_module;

const struct module administration_module = {
	.name = "administration",
	.specs = specs,
	.adhoc = commands,
};
