/* SPDX-License-Identifier: MIT
 *
 * The small extensions, each by the examples of its document: what a client asks, what it hears.
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

extern const struct module avatar_module, caps_module, pep_module, pubsub_module;
extern const struct module im_module, last_module, ping_module, private_module, time_module, vcard_module,
	version_module;

static const struct module *const modules_tried[] = {
	&caps_module,    &pubsub_module,  &pep_module,  &avatar_module,
	&ping_module,    &version_module, &time_module, &last_module,
	&private_module, &vcard_module,   &im_module,   NULL,
};

struct couple {
	struct scene scene;
	struct client *romeo, *juliet;
};

static struct couple couple_open(const char *config)
{
	struct couple c = { .scene = scene_open(modules_tried, config) };

	town_add_account(c.scene.town, JULIET);
	town_add_account(c.scene.town, ROMEO);
	c.romeo = scene_client(&c.scene, ROMEO "/orchard");
	c.juliet = scene_client(&c.scene, JULIET "/balcony");
	return c;
}

/* Asks; the answer is of type result and has exactly this content. */
static void client_learns(struct client *client, const char *to, const char *query, const char *answer)
{
	char text[1024], from[128], expected[1024];
	const char *own = client->person->session->jid.text;

	snprintf(from, sizeof(from), "%s", to);
	if (!*to)
		snprintf(from, sizeof(from), "%.*s", (int)jid_bare_len(&client->person->session->jid), own);
	snprintf(text, sizeof(text), "<iq type='get' id='q'%s%s%s>%s</iq>", *to ? " to='" : "", to,
	         *to ? "'" : "", query);
	snprintf(expected, sizeof(expected),
	         *answer ? "<iq from='%s' to='%s' type='result' id='q'>%s</iq>"
	                 : "<iq from='%s' to='%s' type='result' id='q'%s/>",
	         from, own, answer);
	client_says(client, text);
	client_hears(client, expected);
	client_hears_nothing(client);
}

static void client_is_refused(struct client *client, const char *xml, const char *condition)
{
	char part[128];

	snprintf(part, sizeof(part), "<%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>", condition);
	client_says(client, xml);
	client_hears_of(client, part);
	client_hears_nothing(client);
}

static void ping(void **unused)
{
	struct couple c = couple_open("");

	(void)unused;
	client_learns(c.romeo, "south.example", "<ping xmlns='urn:xmpp:ping'/>", "");
	client_learns(c.romeo, "", "<ping xmlns='urn:xmpp:ping'/>", "");
	client_is_refused(c.romeo, "<iq type='get' id='1' to='" JULIET "'><ping xmlns='urn:xmpp:ping'/></iq>",
	                  "service-unavailable");
	client_is_refused(c.romeo,
	                  "<iq type='set' id='1' to='south.example'><ping xmlns='urn:xmpp:ping'/></iq>",
	                  "service-unavailable");
	scene_close(&c.scene);
}

static void version(void **unused)
{
	struct couple c = couple_open("");

	(void)unused;
	client_says(c.romeo,
	            "<iq type='get' id='1' to='north.example'><query xmlns='jabber:iq:version'/></iq>");
	client_hears_of(c.romeo, "<query xmlns='jabber:iq:version'><name>Hansa</name><version>" HANSA_VERSION
	                         "</version></query>");
	scene_close(&c.scene);
}

static void entity_time(void **unused)
{
	struct couple c = couple_open("");

	(void)unused;
	client_learns(
		c.romeo, "south.example", "<time xmlns='urn:xmpp:time'/>",
		"<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>1970-01-01T00:16:40.000Z</utc></time>");
	scene_close(&c.scene);
}

/* XEP-0012 §3, §4, §5. */
static void last(void **unused)
{
	static const char query[] = "<query xmlns='jabber:iq:last'/>";
	struct couple c = couple_open("");

	(void)unused;
	town_pass(c.scene.town, 5000);
	client_learns(c.romeo, "south.example", query, "<query xmlns='jabber:iq:last' seconds='5'/>");
	client_is_refused(c.romeo,
	                  "<iq type='get' id='1' to='" JULIET "'><query xmlns='jabber:iq:last'/></iq>",
	                  "forbidden");
	client_is_refused(c.romeo,
	                  "<iq type='get' id='1' to='" JULIET
	                  "/balcony'><query xmlns='jabber:iq:last'/></iq>",
	                  "forbidden");
	client_is_refused(c.romeo,
	                  "<iq type='get' id='1' to='" JULIET "/gone'><query xmlns='jabber:iq:last'/></iq>",
	                  "forbidden");

	client_says(c.juliet, "<presence type='subscribed' to='" ROMEO "'/>");
	client_says(c.romeo, "<presence type='subscribe' to='" JULIET "'/>");
	client_forgets(c.romeo);
	client_learns(c.romeo, JULIET, query, "<query xmlns='jabber:iq:last' seconds='0'/>");
	client_says(c.romeo,
	            "<iq type='get' id='2' to='" JULIET "/balcony'><query xmlns='jabber:iq:last'/></iq>");
	client_hears(c.juliet, "<iq from='" ROMEO "/orchard' to='" JULIET "/balcony' type='get' id='2'>"
	                       "<query xmlns='jabber:iq:last'/></iq>");
	client_says(c.juliet, "<presence/>");
	client_says(c.juliet, "<presence type='unavailable'><status>Heading Home</status></presence>");
	client_leaves(c.juliet);
	client_forgets(c.romeo);
	town_pass(c.scene.town, 903000);
	client_learns(c.romeo, JULIET, query,
	              "<query xmlns='jabber:iq:last' seconds='903'>Heading Home</query>");

	/* Whoever comes back and leaves without a word takes the old words away. */
	c.juliet = scene_client(&c.scene, JULIET "/balcony");
	client_says(c.juliet, "<presence/>");
	client_leaves(c.juliet);
	client_forgets(c.romeo);
	client_learns(c.romeo, JULIET, query, "<query xmlns='jabber:iq:last' seconds='0'/>");
	scene_close(&c.scene);
}

#define PRIVATE_SET(content) "<iq type='set' id='s'><query xmlns='jabber:iq:private'>" content "</query></iq>"
#define PRIVATE_GET(content) "<iq type='get' id='g'><query xmlns='jabber:iq:private'>" content "</query></iq>"

static void private_storage(void **unused)
{
	struct couple c = couple_open("limits { private-size = 1kB }\n");
	char text[2048];

	(void)unused;
	client_learns(c.romeo, "", "<query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'/></query>",
	              "<query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'/></query>");
	client_says(c.romeo, PRIVATE_SET("<exodus xmlns='exodus:prefs'><nick>R&amp;J</nick></exodus><b "
	                                 "xmlns='exodus:prefs' c='d'/>"));
	client_hears(c.romeo, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='result' id='s'/>");
	client_learns(c.romeo, "", "<query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'/></query>",
	              "<query xmlns='jabber:iq:private'><exodus "
	              "xmlns='exodus:prefs'><nick>R&amp;J</nick></exodus></query>");
	client_learns(c.romeo, ROMEO, "<query xmlns='jabber:iq:private'><b xmlns='exodus:prefs'/></query>",
	              "<query xmlns='jabber:iq:private'><b xmlns='exodus:prefs' c='d'/></query>");
	client_learns(c.juliet, "", "<query xmlns='jabber:iq:private'><b xmlns='exodus:prefs'/></query>",
	              "<query xmlns='jabber:iq:private'><b xmlns='exodus:prefs'/></query>");

	client_is_refused(c.romeo, PRIVATE_GET(""), "bad-request");
	client_is_refused(c.romeo, PRIVATE_GET("<a xmlns='a'/><b xmlns='a'/>"), "bad-request");
	client_is_refused(c.romeo, PRIVATE_GET("<a/>"), "not-acceptable");
	client_is_refused(c.romeo, PRIVATE_SET(""), "not-acceptable");
	client_is_refused(c.romeo, PRIVATE_SET("<a/>"), "not-acceptable");
	client_is_refused(c.romeo, PRIVATE_SET("<a xmlns='a'/><a xmlns='b'/>"), "not-acceptable");
	client_is_refused(c.juliet,
	                  "<iq type='get' id='1' to='" ROMEO "'><query xmlns='jabber:iq:private'>"
	                  "<b xmlns='exodus:prefs'/></query></iq>",
	                  "forbidden");
	snprintf(text, sizeof(text), PRIVATE_SET("<a xmlns='a'>%01024d</a>"), 0);
	client_is_refused(c.romeo, text, "not-acceptable");
	scene_close(&c.scene);
}

static void private_storage_fails(void **unused)
{
	static const struct store_trial_fault fault = { .op = STORE_DOCUMENT_PUT,
		                                        .after = 1,
		                                        .status = STORE_FAILED };
	struct couple c = couple_open("");

	(void)unused;
	store_trial_fail(c.scene.town->store, &fault);
	client_is_refused(c.romeo, PRIVATE_SET("<a xmlns='a'/><b xmlns='a'/>"), "internal-server-error");
	store_trial_mend(c.scene.town->store);
	scene_close(&c.scene);
}

static void vcard(void **unused)
{
	static const char get[] = "<vCard xmlns='vcard-temp'/>";
	static const char card[] =
		"<vCard xmlns='vcard-temp'><FN>Romeo</FN><N><GIVEN>Romeo</GIVEN></N></vCard>";
	struct couple c = couple_open("");
	char text[512];

	(void)unused;
	client_is_refused(c.romeo, "<iq type='get' id='1'><vCard xmlns='vcard-temp'/></iq>",
	                  "item-not-found");
	client_is_refused(c.juliet, "<iq type='get' id='1' to='" ROMEO "'><vCard xmlns='vcard-temp'/></iq>",
	                  "service-unavailable");
	client_is_refused(c.juliet,
	                  "<iq type='get' id='1' to='nobody@south.example'><vCard xmlns='vcard-temp'/></iq>",
	                  "service-unavailable");
	snprintf(text, sizeof(text), "<iq type='set' id='s'>%s</iq>", card);
	client_says(c.romeo, text);
	client_hears(c.romeo, "<iq from='" ROMEO "' to='" ROMEO "/orchard' type='result' id='s'/>");
	client_learns(c.romeo, "", get, card);
	client_learns(c.juliet, ROMEO, get, card);
	snprintf(text, sizeof(text), "<iq type='set' id='s' to='" JULIET "'>%s</iq>", card);
	client_is_refused(c.romeo, text, "forbidden");
	scene_close(&c.scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ping),
		cmocka_unit_test(version),
		cmocka_unit_test(entity_time),
		cmocka_unit_test(last),
		cmocka_unit_test(private_storage),
		cmocka_unit_test(private_storage_fails),
		cmocka_unit_test(vcard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
