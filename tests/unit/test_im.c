/* SPDX-License-Identifier: MIT
 *
 * RFC 6121 between accounts of one server: what is heard, in which order, what a failing store leaves, what comes back from
 * a client that went. Prose of the RFC is quoted by its section.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "im/im.h"
#include "scene.h"

static const struct module *const im_only[] = { &im_module, NULL };

#define JULIET "juliet@north.example"
#define ROMEO "romeo@south.example"

/* Two accounts on two homes, each with a client that has asked for its roster and is available. */
struct couple {
	struct scene scene;
	struct client *romeo, *juliet;
};

static void client_appears(struct client *client)
{
	client_says(client, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
	client_says(client, "<presence/>");
	client_forgets(client);
}

static struct couple couple_open(const char *config)
{
	struct couple c = { .scene = scene_open(im_only, config) };

	town_add_account(c.scene.town, JULIET);
	town_add_account(c.scene.town, ROMEO);
	c.romeo = scene_client(&c.scene, ROMEO "/orchard");
	c.juliet = scene_client(&c.scene, JULIET "/balcony");
	client_appears(c.romeo);
	client_appears(c.juliet);
	return c;
}

/* Romeo is subscribed to Juliet. */
static struct couple couple_subscribed(void)
{
	struct couple c = couple_open("");

	client_says(c.romeo, "<presence type='subscribe' to='" JULIET "'/>");
	client_says(c.juliet, "<presence type='subscribed' to='" ROMEO "'/>");
	client_forgets(c.romeo);
	client_forgets(c.juliet);
	return c;
}

/* §2.1.4, §2.3, §2.4, §2.5, §2.6. */
static void roster(void **unused)
{
	struct couple c = couple_open("");
	struct client *r = c.romeo;

	(void)unused;
	client_says(r, "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>");
	client_hears(r, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='result' id='1'>"
	                "<query xmlns='jabber:iq:roster' ver='0'/></iq>");
	client_says(r, "<iq type='set' id='2'><query xmlns='jabber:iq:roster'>"
	               "<item jid='Nurse@north.example' name='Nurse' subscription='both'>"
	               "<group>Servants</group><group>Friends</group></item></query></iq>");
	client_hears(r, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='result' id='2'/>");
	client_hears(r, "<iq from='" ROMEO "' to='" ROMEO
	                "/orchard' type='set'><query xmlns='jabber:iq:roster' ver='1'>"
	                "<item jid='nurse@north.example' name='Nurse' subscription='none'>"
	                "<group>Servants</group><group>Friends</group></item></query></iq>");
	client_says(r, "<iq type='get' id='3'><query xmlns='jabber:iq:roster' ver='1'/></iq>");
	client_hears(r, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='result' id='3'/>");
	client_says(r, "<iq type='set' id='4'><query xmlns='jabber:iq:roster'>"
	               "<item jid='nurse@north.example' name=''/></query></iq>");
	client_forgets(r);
	client_says(r, "<iq type='get' id='5'><query xmlns='jabber:iq:roster' ver='1'/></iq>");
	client_hears(r, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='result' id='5'>"
	                "<query xmlns='jabber:iq:roster' ver='2'>"
	                "<item jid='nurse@north.example' subscription='none'/></query></iq>");
	client_says(r, "<iq type='set' id='6'><query xmlns='jabber:iq:roster'>"
	               "<item jid='nurse@north.example' subscription='remove'/></query></iq>");
	client_hears(r, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='result' id='6'/>");
	client_hears(r, "<iq from='" ROMEO "' to='" ROMEO
	                "/orchard' type='set'><query xmlns='jabber:iq:roster' ver='3'>"
	                "<item jid='nurse@north.example' subscription='remove'/></query></iq>");
	client_hears_nothing(r);
	scene_close(&c.scene);
}

struct refused {
	const char *items;
	const char *error;
};

/* §2.1.5, §2.3.3, §2.5.3. */
static const struct refused refused_sets[] = {
	{ "", "bad-request" },
	{ "<item/>", "bad-request" },
	{ "<item jid='a@b.example'/><item jid='c@d.example'/>", "bad-request" },
	{ "<item jid='a@b.example'><group>X</group><group>X</group></item>", "bad-request" },
	{ "<item jid='a@b.example'><group/></item>", "not-acceptable" },
	{ "<item jid='a@b.example' "
	  "name='0123456789012345678901234567890123456789012345678901234567890123456789'/>",
	  "not-acceptable" },
	{ "<item "
	  "jid='a@b.example'><group>0123456789012345678901234567890123456789012345678901234567890123</group>"
	  "<group>01234567890123456789012345678901234567890123456789012345678901234</group></item>",
	  "not-acceptable" },
	{ "<item jid='a@b.example'><group>1</group><group>2</group><group>3</group></item>",
	  "not-acceptable" },
	{ "<item jid='a@@b.example'/>", "jid-malformed" },
	{ "<item jid='a@b.example/c'/>", "jid-malformed" },
	{ "<item jid='" ROMEO "'/>", "not-allowed" },
	{ "<item jid='nobody@b.example' subscription='remove'/>", "item-not-found" },
	{ "<item jid='third@b.example'/>", "resource-constraint" },
};

static void roster_refused(void **unused)
{
	struct couple c = couple_open("limits { roster-text = 64 roster-groups = 2 roster-items = 2 }\n");
	struct client *r = c.romeo;
	char text[1024];

	(void)unused;
	client_says(r, "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
	               "<item jid='one@b.example'/></query></iq>");
	client_says(r, "<iq type='set' id='2'><query xmlns='jabber:iq:roster'>"
	               "<item jid='two@b.example'/></query></iq>");
	client_forgets(r);
	for (size_t i = 0; i < sizeof(refused_sets) / sizeof(refused_sets[0]); i++) {
		snprintf(text, sizeof(text),
		         "<iq type='set' id='x'><query xmlns='jabber:iq:roster'>%s</query></iq>",
		         refused_sets[i].items);
		client_says(r, text);
		snprintf(text, sizeof(text), "<%s xmlns", refused_sets[i].error);
		client_hears_of(r, text);
		client_hears_nothing(r);
	}
	/* Of others: §2.3.3. */
	client_says(c.juliet, "<iq type='set' id='y' to='" ROMEO "'><query xmlns='jabber:iq:roster'>"
	                      "<item jid='nurse@b.example'/></query></iq>");
	client_hears_of(c.juliet, "<forbidden xmlns");
	scene_close(&c.scene);
}

/* §3.1. */
static void subscribe_and_approve(void **unused)
{
	struct couple c = couple_open("");

	(void)unused;
	client_says(c.romeo, "<presence id='s1' type='subscribe' to='" JULIET
	                     "/balcony'><status>Hi</status></presence>");
	client_hears(c.romeo, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='set'>"
	                      "<query xmlns='jabber:iq:roster' ver='1'>"
	                      "<item jid='" JULIET "' subscription='none' ask='subscribe'/></query></iq>");
	client_hears_nothing(c.romeo);
	client_hears(c.juliet, "<presence from='" ROMEO "' to='" JULIET "' type='subscribe' id='s1'>"
	                       "<status>Hi</status></presence>");
	client_hears_nothing(c.juliet);

	client_says(c.juliet, "<presence id='a1' type='subscribed' to='" ROMEO "'/>");
	client_hears(c.juliet, "<iq from='" JULIET "' to='" JULIET "/balcony' type='set'>"
	                       "<query xmlns='jabber:iq:roster' ver='1'>"
	                       "<item jid='" ROMEO "' subscription='from'/></query></iq>");
	client_hears_nothing(c.juliet);
	client_hears(c.romeo, "<presence from='" JULIET "' to='" ROMEO "' type='subscribed' id='a1'/>");
	client_hears(c.romeo, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='set'>"
	                      "<query xmlns='jabber:iq:roster' ver='2'>"
	                      "<item jid='" JULIET "' subscription='to'/></query></iq>");
	client_hears(c.romeo, "<presence from='" JULIET "/balcony' to='" ROMEO "'/>");
	client_hears_nothing(c.romeo);
	scene_close(&c.scene);
}

/* §3.1.3 rule 4: kept with all that it says, delivered at each login until it is answered, once however often it was sent. */
static void subscribe_while_away(void **unused)
{
	struct couple c = couple_open("");
	static const char request[] = "<presence from='" ROMEO "' to='" JULIET "' type='subscribe' id='s1'>"
				      "<x xmlns='urn:any'>wooing</x></presence>";
	struct client *again;

	(void)unused;
	client_leaves(c.juliet);
	client_says(c.romeo, "<presence id='s1' type='subscribe' to='" JULIET
	                     "'><x xmlns='urn:any'>wooing</x></presence>");
	client_says(c.romeo, "<presence id='s2' type='subscribe' to='" JULIET "'/>");
	for (int i = 0; i < 2; i++) {
		again = scene_client(&c.scene, JULIET "/chamber");
		client_says(again, "<presence/>");
		client_hears(again, request);
		client_hears(again, "<presence from='" JULIET "/chamber' to='" JULIET "'/>");
		client_hears_nothing(again);
		client_says(again, "<presence><show>away</show></presence>");
		client_next(again);
		client_hears_nothing(again);
		if (i == 0)
			client_leaves(again);
	}
	/* A stranger who waits is not in the roster. */
	client_says(again, "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>");
	client_hears(again, "<iq from='" JULIET "' to='" JULIET "/chamber' type='result' id='1'>"
	                    "<query xmlns='jabber:iq:roster' ver='0'/></iq>");
	client_says(again, "<presence type='unsubscribed' to='" ROMEO "'/>");
	client_hears_nothing(again);
	client_leaves(again);
	again = scene_client(&c.scene, JULIET "/chamber");
	client_says(again, "<presence/>");
	client_hears(again, "<presence from='" JULIET "/chamber' to='" JULIET "'/>");
	client_hears_nothing(again);
	scene_close(&c.scene);
}

/* §3.1.2: asked again at login, in case it was lost. */
static void subscribe_again(void **unused)
{
	struct couple c = couple_open("");
	static const struct store_trial_fault fault = { .op = STORE_ROSTER_PUT,
		                                        .owner = JULIET,
		                                        .status = STORE_FAILED };
	struct client *again;

	(void)unused;
	store_trial_fail(c.scene.town->store, &fault);
	client_says(c.romeo, "<presence id='s1' type='subscribe' to='" JULIET "'/>");
	client_leaves(c.romeo);
	client_hears_nothing(c.juliet);
	again = scene_client(&c.scene, ROMEO "/grove");
	client_says(again, "<presence/>");
	client_next(again);
	client_hears_nothing(again);
	store_trial_mend(c.scene.town->store);
	client_says(again, "<presence type='unavailable'/>");
	client_says(again, "<presence/>");
	client_hears(c.juliet, "<presence from='" ROMEO "' to='" JULIET "' type='subscribe'/>");
	client_says(again, "<presence type='unavailable'/>");
	client_says(again, "<presence/>");
	client_hears_nothing(c.juliet);
	scene_close(&c.scene);
}

/* §3.2: cancelled by who gave it. */
static void cancel(void **unused)
{
	struct couple c = couple_subscribed();

	(void)unused;
	client_says(c.juliet, "<presence id='u1' type='unsubscribed' to='" ROMEO "'/>");
	client_hears(c.juliet, "<iq from='" JULIET "' to='" JULIET "/balcony' type='set'>"
	                       "<query xmlns='jabber:iq:roster' ver='2'>"
	                       "<item jid='" ROMEO "' subscription='none'/></query></iq>");
	client_hears(c.romeo, "<presence from='" JULIET "/balcony' to='" ROMEO "' type='unavailable'/>");
	client_hears(c.romeo, "<presence from='" JULIET "' to='" ROMEO "' type='unsubscribed' id='u1'/>");
	client_hears(c.romeo, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='set'>"
	                      "<query xmlns='jabber:iq:roster' ver='3'>"
	                      "<item jid='" JULIET "' subscription='none'/></query></iq>");
	client_says(c.juliet, "<presence/>");
	client_hears_nothing(c.romeo);
	scene_close(&c.scene);
}

/* §3.3: given up by who had it. */
static void unsubscribe(void **unused)
{
	struct couple c = couple_subscribed();

	(void)unused;
	client_says(c.romeo, "<presence id='u1' type='unsubscribe' to='" JULIET "'/>");
	client_hears(c.romeo, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='set'>"
	                      "<query xmlns='jabber:iq:roster' ver='3'>"
	                      "<item jid='" JULIET "' subscription='none'/></query></iq>");
	client_hears(c.romeo, "<presence from='" JULIET "/balcony' to='" ROMEO "' type='unavailable'/>");
	client_hears_nothing(c.romeo);
	client_hears(c.juliet, "<presence from='" ROMEO "' to='" JULIET "' type='unsubscribe' id='u1'/>");
	client_hears(c.juliet, "<iq from='" JULIET "' to='" JULIET "/balcony' type='set'>"
	                       "<query xmlns='jabber:iq:roster' ver='2'>"
	                       "<item jid='" ROMEO "' subscription='none'/></query></iq>");
	client_hears_nothing(c.juliet);
	scene_close(&c.scene);
}

/* §3.4: approved before it is asked for; the approval is used up. */
static void pre_approve(void **unused)
{
	struct couple c = couple_open("");

	(void)unused;
	client_says(c.juliet, "<presence type='subscribed' to='" ROMEO "'/>");
	client_hears(c.juliet, "<iq from='" JULIET "' to='" JULIET "/balcony' type='set'>"
	                       "<query xmlns='jabber:iq:roster' ver='1'>"
	                       "<item jid='" ROMEO "' subscription='none' approved='true'/></query></iq>");
	client_hears_nothing(c.romeo);
	client_says(c.romeo, "<presence id='s1' type='subscribe' to='" JULIET "'/>");
	client_hears(c.juliet, "<iq from='" JULIET "' to='" JULIET "/balcony' type='set'>"
	                       "<query xmlns='jabber:iq:roster' ver='2'>"
	                       "<item jid='" ROMEO "' subscription='from'/></query></iq>");
	client_hears_nothing(c.juliet);
	client_next(c.romeo);
	client_hears(c.romeo, "<presence from='" JULIET "' to='" ROMEO "' type='subscribed' id='s1'/>");
	client_next(c.romeo);
	client_hears(c.romeo, "<presence from='" JULIET "/balcony' to='" ROMEO "'/>");
	client_hears_nothing(c.romeo);
	scene_close(&c.scene);
}

/* §3.2.2 rule 2. */
static void pre_approval_cancelled(void **unused)
{
	struct couple c = couple_open("");

	(void)unused;
	client_says(c.juliet, "<presence type='subscribed' to='" ROMEO "'/>");
	client_forgets(c.juliet);
	client_says(c.juliet, "<presence type='unsubscribed' to='" ROMEO "'/>");
	client_hears(c.juliet, "<iq from='" JULIET "' to='" JULIET "/balcony' type='set'>"
	                       "<query xmlns='jabber:iq:roster' ver='2'>"
	                       "<item jid='" ROMEO "' subscription='none'/></query></iq>");
	client_hears_nothing(c.romeo);
	scene_close(&c.scene);
}

/* §2.5.2: removal cancels both ways. */
static void remove_contact(void **unused)
{
	struct couple c = couple_subscribed();

	(void)unused;
	client_says(c.juliet, "<presence type='subscribe' to='" ROMEO "'/>");
	client_says(c.romeo, "<presence type='subscribed' to='" JULIET "'/>");
	client_forgets(c.romeo);
	client_forgets(c.juliet);
	client_says(c.juliet, "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
	                      "<item jid='" ROMEO "' subscription='remove'/></query></iq>");
	client_hears(c.romeo, "<presence from='" JULIET "' to='" ROMEO "' type='unsubscribe'/>");
	client_hears(c.romeo, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='set'>"
	                      "<query xmlns='jabber:iq:roster' ver='4'>"
	                      "<item jid='" JULIET "' subscription='to'/></query></iq>");
	client_hears(c.romeo, "<presence from='" JULIET "/balcony' to='" ROMEO "' type='unavailable'/>");
	client_hears(c.romeo, "<presence from='" JULIET "' to='" ROMEO "' type='unsubscribed'/>");
	client_hears(c.romeo, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='set'>"
	                      "<query xmlns='jabber:iq:roster' ver='5'>"
	                      "<item jid='" JULIET "' subscription='none'/></query></iq>");
	client_hears_nothing(c.romeo);
	client_hears(c.juliet, "<iq from='" JULIET "' to='" JULIET "/balcony' type='result' id='1'/>");
	scene_close(&c.scene);
}

/* §4.2, §4.4, §4.5: who hears of whom. */
static void broadcast(void **unused)
{
	struct couple c = couple_subscribed();
	struct client *chamber = scene_client(&c.scene, JULIET "/chamber");

	(void)unused;
	client_says(chamber, "<presence id='p'><show>away</show><priority>-1</priority></presence>");
	client_hears(chamber, "<presence from='" JULIET "/chamber' to='" JULIET "' id='p'>"
	                      "<show>away</show><priority>-1</priority></presence>");
	client_hears(chamber, "<presence from='" JULIET "/balcony' to='" JULIET "/chamber'/>");
	client_hears_nothing(chamber);
	client_hears(c.juliet, "<presence from='" JULIET "/chamber' to='" JULIET "' id='p'>"
	                       "<show>away</show><priority>-1</priority></presence>");
	client_hears(c.romeo, "<presence from='" JULIET "/chamber' to='" ROMEO "' id='p'>"
	                      "<show>away</show><priority>-1</priority></presence>");
	client_says(chamber, "<presence type='unavailable'><status>asleep</status></presence>");
	client_hears(chamber,
	             "<presence from='" JULIET "/chamber' to='" JULIET "/chamber' type='unavailable'>"
	             "<status>asleep</status></presence>");
	client_hears_nothing(chamber);
	client_hears(c.juliet, "<presence from='" JULIET "/chamber' to='" JULIET "' type='unavailable'>"
	                       "<status>asleep</status></presence>");
	client_hears(c.romeo, "<presence from='" JULIET "/chamber' to='" ROMEO "' type='unavailable'>"
	                      "<status>asleep</status></presence>");
	client_leaves(c.juliet);
	client_hears(c.romeo, "<presence from='" JULIET "/balcony' to='" ROMEO "' type='unavailable'/>");
	client_hears_nothing(c.romeo);
	client_hears_nothing(chamber);
	scene_close(&c.scene);
}

/* §4.7.2.3. */
static void priorities(void **unused)
{
	static const char *const wrong[] = {
		"<priority>128</priority>",
		"<priority>-129</priority>",
		"<priority>high</priority>",
		"<priority/>",
		"<priority>1</priority><priority>1</priority>",
	};
	struct couple c = couple_open("");
	char text[256];

	(void)unused;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "<presence id='p'>%s</presence>", wrong[i]);
		client_says(c.romeo, text);
		client_hears_of(c.romeo, "<bad-request xmlns");
		client_hears_nothing(c.romeo);
	}
	client_says(c.romeo, "<presence><priority> -128 </priority></presence>");
	assert_int_equal(c.romeo->person->session->priority, -128);
	scene_close(&c.scene);
}

/* §4.3: at login, and what each answer may tell. */
static void probes(void **unused)
{
	struct couple c = couple_subscribed();
	struct client *again;

	(void)unused;
	client_says(c.juliet, "<presence id='j'><show>dnd</show></presence>");
	client_leaves(c.romeo);
	again = scene_client(&c.scene, ROMEO "/grove");
	client_says(again, "<presence/>");
	client_hears(again, "<presence from='" ROMEO "/grove' to='" ROMEO "'/>");
	client_hears(again,
	             "<presence from='" JULIET "/balcony' to='" ROMEO "' id='j'><show>dnd</show></presence>");
	client_hears_nothing(again);
	client_forgets(c.juliet);

	client_says(again, "<presence id='full' type='probe' to='" JULIET "/balcony'/>");
	client_hears(again, "<presence from='" JULIET "/balcony' to='" ROMEO "/grove' id='full'/>");
	client_says(c.juliet, "<presence id='p2' type='probe' to='" ROMEO "'/>");
	client_hears_nothing(c.juliet); /* "unsubscribed", which changes nothing (§3.2.3) */
	client_leaves(c.juliet);
	client_forgets(again);
	client_says(again, "<presence id='p3' type='probe' to='" JULIET "'/>");
	client_hears(again, "<presence from='" JULIET "' to='" ROMEO "/grove' type='unavailable' id='p3'>"
	                    "<delay xmlns='urn:xmpp:delay' from='" JULIET
	                    "' stamp='1970-01-01T00:16:40.000Z'/></presence>");
	client_says(again, "<presence type='probe' to='nobody@north.example'/>");
	client_hears_nothing(again);
	scene_close(&c.scene);
}

/* §4.6. */
static void directed(void **unused)
{
	struct couple c = couple_open("limits { directed-presences = 2 }\n");

	(void)unused;
	client_says(c.juliet, "<presence to='" ROMEO "/orchard'><status>psst</status></presence>");
	client_hears(c.romeo, "<presence from='" JULIET "/balcony' to='" ROMEO
	                      "/orchard'><status>psst</status></presence>");
	client_says(c.juliet, "<presence><show>away</show></presence>");
	client_hears_nothing(c.romeo);
	/* §4.6.6, §8.5.3.1: who got it may ask. */
	client_says(c.romeo, "<presence id='p' type='probe' to='" JULIET "/balcony'/>");
	client_hears(c.romeo, "<presence from='" JULIET "/balcony' to='" ROMEO "/orchard' id='p'/>");
	client_forgets(c.juliet);
	client_says(c.romeo, "<iq type='get' id='q' to='" JULIET "/balcony'><x xmlns='urn:any'/></iq>");
	client_hears(c.juliet, "<iq from='" ROMEO "/orchard' to='" JULIET
	                       "/balcony' type='get' id='q'><x xmlns='urn:any'/></iq>");
	client_says(c.juliet, "<iq type='get' id='q' to='" ROMEO "/orchard'><x xmlns='urn:any'/></iq>");
	client_hears_of(c.juliet, "<service-unavailable xmlns");
	client_says(c.juliet, "<presence to='a@north.example'/>");
	client_says(c.juliet, "<presence id='x' to='b@north.example'/>");
	client_hears_of(c.juliet, "<resource-constraint xmlns");
	client_leaves(c.juliet);
	client_hears(c.romeo,
	             "<presence from='" JULIET "/balcony' to='" ROMEO "/orchard' type='unavailable'/>");
	client_hears_nothing(c.romeo);
	scene_close(&c.scene);
}

/* §4.6.1, §4.6.3: taken back by either side it is forgotten; to a subscriber it is told once. */
static void directed_taken_back(void **unused)
{
	struct couple c = couple_subscribed();

	(void)unused;
	client_says(c.romeo, "<presence to='" JULIET "'/>");
	client_says(c.romeo, "<presence type='unavailable' to='" JULIET "'/>");
	client_forgets(c.juliet);
	client_says(c.juliet, "<presence to='" ROMEO "'/>");
	client_forgets(c.romeo);
	client_leaves(c.juliet);
	client_hears(c.romeo, "<presence from='" JULIET "/balcony' to='" ROMEO "' type='unavailable'/>");
	client_hears_nothing(c.romeo);
	client_leaves(c.romeo);
	client_hears_nothing(c.juliet);
	scene_close(&c.scene);
}

/* §8.5.2.1.1: the highest priority; all that have it; none that is negative. */
static void most_available(void **unused)
{
	struct couple c = couple_open("");
	struct client *chamber = scene_client(&c.scene, JULIET "/chamber"),
		      *cellar = scene_client(&c.scene, JULIET "/cellar");
	static const char heard[] =
		"<message from='" ROMEO "/orchard' to='" JULIET "' type='chat'><body>O</body></message>";

	(void)unused;
	client_says(chamber, "<presence/>");
	client_says(cellar, "<presence><priority>-1</priority></presence>");
	client_forgets(c.juliet);
	client_forgets(chamber);
	client_forgets(cellar);
	client_says(c.romeo, "<message type='chat' to='" JULIET "'><body>O</body></message>");
	client_hears(c.juliet, heard);
	client_hears(chamber, heard);
	client_hears_nothing(cellar);
	client_says(chamber, "<presence><priority>1</priority></presence>");
	client_forgets(c.juliet);
	client_forgets(chamber);
	client_forgets(cellar);
	client_says(c.romeo, "<message type='chat' to='" JULIET "'><body>O</body></message>");
	client_hears(chamber, heard);
	client_hears_nothing(c.juliet);
	client_says(c.romeo, "<message type='headline' to='" JULIET "'><body>O</body></message>");
	client_hears(c.juliet, "<message from='" ROMEO "/orchard' to='" JULIET
	                       "' type='headline'><body>O</body></message>");
	client_hears_nothing(cellar);
	client_says(c.romeo, "<message type='groupchat' id='g' to='" JULIET "'><body>O</body></message>");
	client_hears(c.romeo,
	             "<message from='" JULIET "' to='" ROMEO "/orchard' type='error' id='g'><body>O</body>"
	             "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
	             "</error></message>");
	client_says(c.romeo, "<message to='" JULIET "/gone'><body>To nobody there</body></message>");
	client_next(chamber);
	client_hears(chamber, "<message from='" ROMEO "/orchard' to='" JULIET
	                      "/gone'><body>To nobody there</body></message>");
	client_hears_nothing(c.romeo);
	scene_close(&c.scene);
}

/* XEP-0160: kept while nobody is there, delivered with a delay when somebody is, once. */
static void kept(void **unused)
{
	struct couple c = couple_open("");
	struct client *again;

	(void)unused;
	client_leaves(c.juliet);
	client_says(c.romeo,
	            "<message id='1' type='chat' to='" JULIET "/balcony'><body>One</body></message>");
	client_says(c.romeo, "<message id='2' to='" JULIET "'><body>Two</body></message>");
	client_says(c.romeo, "<message id='3' type='headline' to='" JULIET "'><body>Three</body></message>");
	client_says(c.romeo, "<message id='4' type='chat' to='" JULIET "'>"
	                     "<composing xmlns='http://jabber.org/protocol/chatstates'/></message>");
	client_hears_nothing(c.romeo);
	client_says(c.romeo, "<message id='5' type='chat' to='" JULIET "'><body>Five</body>"
	                     "<no-store xmlns='urn:xmpp:hints'/></message>");
	client_hears_of(c.romeo, "<service-unavailable xmlns");
	again = scene_client(&c.scene, JULIET "/chamber");
	client_says(again, "<presence><priority>-1</priority></presence>");
	client_forgets(again);
	client_says(again, "<presence/>");
	client_hears(again, "<presence from='" JULIET "/chamber' to='" JULIET "'/>");
	client_hears_of(again, "<body>One</body><stanza-id xmlns='urn:xmpp:sid:0' by='" JULIET "'/>"
	                       "<delay xmlns='urn:xmpp:delay' from='north.example' stamp='");
	client_hears_of(again, "<body>Two</body>");
	client_hears_nothing(again);
	client_says(again, "<presence type='unavailable'/>");
	client_says(again, "<presence/>");
	client_next(again);
	client_next(again);
	client_hears_nothing(again);
	scene_close(&c.scene);
}

/* A message that went to two clients and was taken by one does not come again; one that nobody took is kept. */
static void given_back(void **unused)
{
	struct couple c = couple_open("");
	struct client *chamber = scene_client(&c.scene, JULIET "/chamber"), *again;

	(void)unused;
	client_says(chamber, "<presence/>");
	client_forgets(c.juliet);
	client_forgets(chamber);
	c.juliet->person->holds = true;
	client_says(c.romeo, "<message type='chat' to='" JULIET "'><body>First</body></message>");
	chamber->person->holds = true;
	client_says(c.romeo, "<message type='chat' to='" JULIET "'><body>Second</body></message>");
	client_forgets(chamber);
	client_leaves(c.juliet);
	client_hears(chamber, "<presence from='" JULIET "/balcony' to='" JULIET "' type='unavailable'/>");
	client_hears_nothing(chamber);
	client_leaves(chamber);
	client_hears_nothing(c.romeo);
	again = scene_client(&c.scene, JULIET "/crypt");
	client_says(again, "<presence/>");
	client_next(again);
	client_hears_of(again, "<body>Second</body>");
	client_hears_nothing(again);
	scene_close(&c.scene);
}

/* A stanza behind a subscription stanza does not overtake it while the store is slow. */
static void order_is_kept(void **unused)
{
	struct couple c = couple_open("");

	(void)unused;
	client_sends(c.romeo, "<presence type='subscribe' to='" JULIET "'/>");
	client_sends(c.romeo, "<message type='chat' to='" JULIET "'><body>May I?</body></message>");
	client_sends(c.romeo, "<presence to='" JULIET "'/>");
	client_sends(c.romeo, "<message type='chat' to='" JULIET "/balcony'><body>Please</body></message>");
	town_settle_without_store(c.scene.town);
	client_hears_nothing(c.juliet);
	town_settle(c.scene.town);
	client_hears(c.juliet, "<presence from='" ROMEO "' to='" JULIET "' type='subscribe'/>");
	client_hears(c.juliet, "<message from='" ROMEO "/orchard' to='" JULIET
	                       "' type='chat'><body>May I?</body></message>");
	client_hears(c.juliet, "<presence from='" ROMEO "/orchard' to='" JULIET "'/>");
	client_hears(c.juliet, "<message from='" ROMEO "/orchard' to='" JULIET "/balcony' type='chat'>"
	                       "<body>Please</body></message>");
	client_hears_nothing(c.juliet);
	scene_close(&c.scene);
}

/* A store that fails: who asked is told, nothing has changed, and what waited goes on. */
static void store_fails(void **unused)
{
	struct couple c = couple_open("");
	static const struct store_trial_fault fault = { .op = STORE_ROSTER_PUT, .status = STORE_FAILED };

	(void)unused;
	store_trial_fail(c.scene.town->store, &fault);
	client_says(c.romeo, "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
	                     "<item jid='nurse@north.example'/></query></iq>");
	client_hears_of(c.romeo, "<internal-server-error xmlns");
	client_sends(c.romeo, "<presence id='s' type='subscribe' to='" JULIET "'/>");
	client_sends(c.romeo, "<message type='chat' to='" JULIET "'><body>Behind it</body></message>");
	town_settle(c.scene.town);
	client_hears(
		c.romeo,
		"<presence from='" JULIET "' to='" ROMEO "' type='error' id='s'><error type='cancel'>"
		"<internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>");
	client_hears(c.juliet, "<message from='" ROMEO "/orchard' to='" JULIET
	                       "' type='chat'><body>Behind it</body></message>");
	client_hears_nothing(c.juliet);
	store_trial_mend(c.scene.town->store);
	client_says(c.romeo, "<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>");
	client_hears(c.romeo, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='result' id='2'>"
	                      "<query xmlns='jabber:iq:roster' ver='0'/></iq>");
	client_hears_nothing(c.romeo);
	scene_close(&c.scene);
}

/* The contact's server cannot note the request: the user hears an error, and may ask again. */
static void store_of_the_contact_fails(void **unused)
{
	struct couple c = couple_open("");
	static const struct store_trial_fault fault = { .op = STORE_ROSTER_PUT,
		                                        .owner = JULIET,
		                                        .status = STORE_FAILED };

	(void)unused;
	store_trial_fail(c.scene.town->store, &fault);
	client_says(c.romeo, "<presence id='s' type='subscribe' to='" JULIET "'/>");
	client_next(c.romeo);
	client_hears_of(c.romeo, "<internal-server-error xmlns");
	client_hears_nothing(c.juliet);
	store_trial_mend(c.scene.town->store);
	client_says(c.romeo, "<presence id='s' type='subscribe' to='" JULIET "'/>");
	client_hears(c.juliet, "<presence from='" ROMEO "' to='" JULIET "' type='subscribe' id='s'/>");
	scene_close(&c.scene);
}

/* The limits of requests that wait: size and number. */
static void pending_limits(void **unused)
{
	struct couple c = couple_open("limits { pending-requests = 1 pending-request-size = 1kB }\n");
	struct client *paris;
	char text[2048];

	(void)unused;
	town_add_account(c.scene.town, "paris@north.example");
	paris = scene_client(&c.scene, "paris@north.example/hall");
	snprintf(text, sizeof(text),
	         "<presence id='s' type='subscribe' to='" JULIET "'><status>%01000d</status></presence>", 0);
	client_says(c.romeo, text);
	client_next(c.romeo);
	client_hears_of(c.romeo, "<policy-violation xmlns");
	client_says(c.romeo, "<presence id='s' type='subscribe' to='" JULIET "'/>");
	client_hears(c.juliet, "<presence from='" ROMEO "' to='" JULIET "' type='subscribe' id='s'/>");
	client_says(paris, "<presence/>");
	client_says(paris, "<presence id='s' type='subscribe' to='" JULIET "'/>");
	client_hears_nothing(c.juliet);
	client_next(paris);
	client_hears_of(paris, "<resource-constraint xmlns");
	scene_close(&c.scene);
}

/* A roster must stay small enough to be sent. What makes it smaller is always allowed. */
static void roster_size(void **unused)
{
	struct couple c = couple_open("limits { roster-size = 4096 }\n");
	char text[1400];

	(void)unused;
	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof(text),
		         "<iq type='set' id='%d'><query xmlns='jabber:iq:roster'>"
		         "<item jid='n%d@x.example' name='%01000d'/></query></iq>", i, i, 0);
		client_says(c.romeo, text);
		client_hears_of(c.romeo, i < 4 ? "type='result'" : "<resource-constraint xmlns");
		if (i < 4)
			client_hears_of(c.romeo, "type='set'");
	}
	client_says(c.romeo, "<presence type='subscribe' to='n4@x.example.with.a.long.name.that.takes.more.room'/>");
	client_hears_of(c.romeo, "<resource-constraint xmlns");
	client_says(c.romeo, "<iq type='set' id='s'><query xmlns='jabber:iq:roster'>"
	                     "<item jid='n0@x.example'/></query></iq>");
	client_hears_of(c.romeo, "type='result'");
	client_forgets(c.romeo);
	client_says(c.romeo, text);
	client_hears_of(c.romeo, "type='result'");
	scene_close(&c.scene);
}

/* How many stanzas the client has heard that have this in them. */
static unsigned client_counts(struct client *client, const char *part)
{
	unsigned count = 0;
	const char *heard;

	while (*(heard = client_next(client)))
		count += strstr(heard, part) != NULL;
	return count;
}

/* While a change is written only so much waits behind it, with the sender and with the recipient; the rest
 * comes back, and nothing is lost. */
static void changes_are_bounded(void **unused)
{
	struct couple c = couple_open("");
	unsigned refused, heard;

	(void)unused;
	client_sends(c.romeo, "<presence type='subscribe' to='" JULIET "'/>");
	for (unsigned i = 0; i < 1200; i++)
		client_sends(c.romeo, "<message to='" JULIET "'><body>x</body></message>");
	for (unsigned i = 0; i < 600; i++)
		client_sends(c.juliet, "<presence type='unsubscribed' to='" ROMEO "'/>");
	town_settle_without_store(c.scene.town);
	refused = client_counts(c.romeo, "<resource-constraint xmlns");
	assert_int_equal(refused, 201);
	town_settle(c.scene.town);
	heard = client_counts(c.juliet, "<body>x</body>");
	refused += client_counts(c.romeo, "<resource-constraint xmlns");
	assert_true(heard > 400);
	assert_int_equal(heard + refused, 1200);
	client_says(c.romeo, "<message to='" JULIET "'><body>y</body></message>");
	client_hears_of(c.juliet, "<body>y</body>");
	scene_close(&c.scene);
}

static void changes_of_others_are_bounded(void **unused)
{
	struct couple c = couple_open("");

	(void)unused;
	for (unsigned i = 0; i < 600; i++)
		town_send(c.scene.town, "<presence type='subscribe' from='eve@x.example' to='" JULIET "'/>");
	client_forgets(c.juliet);
	client_says(c.juliet, "<iq type='set' id='2'><query xmlns='jabber:iq:roster'>"
	                      "<item jid='" ROMEO "'/></query></iq>");
	client_hears(c.juliet, "<iq from='" JULIET "' to='" JULIET "/balcony' type='result' id='2'/>");
	scene_close(&c.scene);
}

/* §2.1.6: nobody but the server pushes a roster, not even a contact and not another client of the account. */
static void forged_pushes(void **unused)
{
	static const char push[] = "<iq type='set' id='p' to='" JULIET "/balcony'><query xmlns='jabber:iq:roster'>"
				   "<item jid='eve@x.example' subscription='both'/></query></iq>";
	struct couple c = couple_subscribed();
	struct client *other = scene_client(&c.scene, JULIET "/chamber");

	(void)unused;
	client_says(c.juliet, "<presence type='subscribe' to='" ROMEO "'/>");
	client_says(c.romeo, "<presence type='subscribed' to='" JULIET "'/>");
	client_forgets(c.romeo);
	client_forgets(c.juliet);
	client_says(c.romeo, push);
	client_hears_of(c.romeo, "<service-unavailable xmlns");
	client_says(other, push);
	client_hears_of(other, "<service-unavailable xmlns");
	client_hears_nothing(c.juliet);
	scene_close(&c.scene);
}

/* Oneself, and presence of no known use. */
static void odd_presence(void **unused)
{
	struct couple c = couple_open("");

	(void)unused;
	client_says(c.romeo, "<presence id='1' type='subscribe' to='" ROMEO "'/>");
	client_hears_of(c.romeo, "<not-allowed xmlns");
	client_says(c.romeo, "<presence id='2' type='subscribe'/>");
	client_hears_of(c.romeo, "<not-allowed xmlns");
	client_says(c.romeo, "<presence id='3' type='probe'/>");
	client_hears_of(c.romeo, "<bad-request xmlns");
	client_says(c.romeo, "<presence id='4' type='error'/>");
	client_hears_nothing(c.romeo);
	client_says(c.romeo, "<presence id='5' type='subscribe' to='nobody@north.example'/>");
	client_next(c.romeo);
	client_hears_nothing(c.romeo);
	scene_close(&c.scene);
}

/* An account that goes while its changes wait takes them with it. */
static void account_removed(void **unused)
{
	struct couple c = couple_open("");
	struct account *account = c.romeo->person->session->account;
	struct home *home = account->home;
	struct arena arena = { 0 };
	struct jid jid = jid_copy(&arena, &account->jid);

	(void)unused;
	client_sends(c.romeo, "<presence type='subscribe' to='" JULIET "'/>");
	client_sends(c.romeo, "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item "
	                      "jid='a@b.example'/></query></iq>");
	town_settle_without_store(c.scene.town);
	account_deleted(home, &jid);
	town_settle(c.scene.town);
	assert_int_equal(c.romeo->person->closed, STREAM_NOT_AUTHORIZED);
	client_hears_nothing(c.juliet);
	arena_clear(&arena);
	scene_close(&c.scene);
}

/* Contacts of an account that is removed are told. */
static void account_removed_with_contacts(void **unused)
{
	struct couple c = couple_subscribed();
	struct account *account = c.juliet->person->session->account;
	struct arena arena = { 0 };
	struct jid jid = jid_copy(&arena, &account->jid);

	(void)unused;
	account_deleted(account->home, &jid);
	town_settle(c.scene.town);
	client_hears(c.romeo, "<presence from='" JULIET "/balcony' to='" ROMEO "' type='unavailable'/>");
	client_hears(c.romeo, "<presence from='" JULIET "' to='" ROMEO "' type='unsubscribed'/>");
	client_hears_of(c.romeo, "<item jid='" JULIET "' subscription='none'/>");
	client_hears_nothing(c.romeo);
	arena_clear(&arena);
	scene_close(&c.scene);
}

/* A request waits in an item that clients do not see; asking back makes it one that they see. */
static void ask_back(void **unused)
{
	struct couple c = couple_open("limits { roster-items = 1 }\n");

	(void)unused;
	client_says(c.romeo, "<presence type='subscribe' to='" JULIET "'/>");
	client_forgets(c.juliet);
	client_forgets(c.romeo);
	client_says(c.juliet, "<presence type='subscribe' to='" ROMEO "'/>");
	client_hears_of(c.juliet, "<item jid='" ROMEO "' subscription='none' ask='subscribe'/>");
	client_says(c.romeo, "<presence type='subscribed' to='" JULIET "'/>");
	client_hears_of(c.juliet, "type='subscribed'");
	client_hears_of(c.juliet, "<item jid='" ROMEO "' subscription='to'/>");
	client_hears_of(c.juliet, "<presence from='" ROMEO "/orchard' to='" JULIET "'/>");
	client_forgets(c.romeo);
	client_says(c.juliet, "<presence type='subscribed' to='" ROMEO "'/>");
	client_hears_of(c.juliet, "<item jid='" ROMEO "' subscription='both'/>");
	client_hears_of(c.romeo, "type='subscribed'");
	client_hears_of(c.romeo, "<item jid='" JULIET "' subscription='both'/>");
	client_forgets(c.romeo);
	client_says(c.romeo, "<presence id='x' type='subscribe' to='nurse@north.example'/>");
	client_hears_of(c.romeo, "<resource-constraint xmlns");
	client_hears_nothing(c.romeo);
	scene_close(&c.scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roster),
		cmocka_unit_test(roster_refused),
		cmocka_unit_test(subscribe_and_approve),
		cmocka_unit_test(subscribe_while_away),
		cmocka_unit_test(subscribe_again),
		cmocka_unit_test(cancel),
		cmocka_unit_test(unsubscribe),
		cmocka_unit_test(pre_approve),
		cmocka_unit_test(pre_approval_cancelled),
		cmocka_unit_test(remove_contact),
		cmocka_unit_test(broadcast),
		cmocka_unit_test(priorities),
		cmocka_unit_test(probes),
		cmocka_unit_test(directed),
		cmocka_unit_test(directed_taken_back),
		cmocka_unit_test(most_available),
		cmocka_unit_test(kept),
		cmocka_unit_test(given_back),
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(store_fails),
		cmocka_unit_test(store_of_the_contact_fails),
		cmocka_unit_test(pending_limits),
		cmocka_unit_test(roster_size),
		cmocka_unit_test(changes_are_bounded),
		cmocka_unit_test(changes_of_others_are_bounded),
		cmocka_unit_test(forged_pushes),
		cmocka_unit_test(odd_presence),
		cmocka_unit_test(account_removed),
		cmocka_unit_test(account_removed_with_contacts),
		cmocka_unit_test(ask_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
