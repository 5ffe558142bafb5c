/* SPDX-License-Identifier: MIT
 *
 * Ad-hoc account invitation generation (XEP-0401): two ad-hoc commands that make an invitation (core/invite.h) and show its
 * address. A user invites a contact, an administrator a new user, perhaps under a name that is kept for him.
 */
#include <stdlib.h>
#include <string.h>

#include "core/adhoc.h"
#include "core/invite.h"
#include "core/module.h"
#include "core/user.h"
#include "xmpp/ns.h"
#include "xmpp/stamp.h"

#define INVITATION_FORM NS_INVITE "#invitation"

/* ---- the answer (§5.1) ---- */

static void result_add(struct adhoc_run *run, const char *var, const char *value)
{
	if (value)
		dataform_add_field(adhoc_arena(run), adhoc_result(run, INVITATION_FORM), var, "text-single", NULL, value);
}

static void invitation_made(struct home *home, struct invite_request *request)
{
	struct adhoc_run *run = request->context;
	char expires[STAMP_LEN + 1];

	if (request->status != INVITE_OK) {
		adhoc_refuse(run, invite_status_condition(request->status), invite_status_text(request->status));
	} else {
		stamp_write(request->invite.expires_us, expires);
		result_add(run, "uri", invite_uri(home, request));
		result_add(run, "landing-url", invite_page(home, request));
		result_add(run, "expire", expires);
		adhoc_complete(run);
	}
	invite_request_free(request);
}

static struct invite_request *invitation_new(struct adhoc_run *run, enum invite_kind kind)
{
	const struct iq_request *asked = adhoc_request(run);
	struct invite_request *request = invite_request_new(INVITE_CREATE, asked->host->domain, invitation_made, run);

	request->invite.kind = kind;
	request->invite.inviter = jid_bare(&request->arena, &asked->parcel->stanza->from).text;
	if (request->invite.inviter == asked->parcel->stanza->from.text)
		request->invite.inviter = arena_str(&request->arena, request->invite.inviter);
	return request;
}

/* ---- §5.1 Creating a User Invitation ---- */

static void contact_invited(struct adhoc_run *run)
{
	struct invite_request *request = invitation_new(run, INVITE_CONTACT);

	request->invite.befriends = true;
	invite_ask(adhoc_request(run)->home, request);
}

/* ---- §5.4 Initiating Account Creation ---- */

static void account_offered(struct adhoc_run *run)
{
	struct invite_request *request = invitation_new(run, INVITE_ACCOUNT);
	const char *name = adhoc_value(run, "username");
	struct jid user;

	request->invite.befriends = adhoc_is_true(run, "roster-subscription");
	if (name && *name && !user_name(&request->arena, name, request->host, &user)) {
		invite_request_free(request);
		adhoc_refuse_payload(run, "This is no user name");
		return;
	}
	if (name && *name)
		request->invite.user = arena_str_len(&request->arena, user.text, user.local_len);
	invite_ask(adhoc_request(run)->home, request);
}

/* An account can be offered where somebody who was invited may register. */
static bool account_is_offered(const struct config *config, const struct host *host, const struct jid *who)
{
	return host->registration != REGISTRATION_NO && invite_may(config, host, who);
}

/* ---- the table ---- */

static const struct adhoc_field account_fields[] = {
	{ "username", "text-single", "User name; empty: the new user chooses", NULL, false, NULL },
	{ "roster-subscription", "boolean", "Become contacts", "0", false, NULL },
	{ 0 },
};

static const struct adhoc_stage contact_stage = { NULL, NULL, NULL, NULL, contact_invited };
static const struct adhoc_stage account_stage = {
	"Inviting a New User", "The invitation is good for one registration.", NULL, account_fields, account_offered,
};

static const struct adhoc_command commands[] = {
	{ NS_INVITE "#invite", "Invite user", ADHOC_ACCOUNTS, invite_may, &contact_stage, 1 },
	{ NS_INVITE "#create-account", "Create account", ADHOC_ADMINS, account_is_offered, &account_stage, 1 },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0401", "Ad-hoc Account Invitation Generation", "0.6.0", "pages for people are elsewhere" },
	{ 0 },
};

extern const struct module invitation_module;

const struct module invitation_module = {
	.name = "invitation",
	.specs = specs,
	.adhoc = commands,
};
