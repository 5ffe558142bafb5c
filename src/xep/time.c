/* SPDX-License-Identifier: MIT
 *
 * Entity Time (XEP-0202) of the server, which lives in UTC.
 */
#include "core/iq.h"
#include "core/module.h"
#include "xmpp/ns.h"
#include "xmpp/stamp.h"

static void time_asked(struct iq_request *request)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *time = element_add(arena, result->root, "time", NS_TIME);
	char stamp[STAMP_LEN + 1];

	stamp_write(clock_wall_us(worker_clock(request->home->worker)), stamp);
	element_add_text(arena, element_add(arena, time, "tzo", NS_TIME), "+00:00");
	element_add_text(arena, element_add(arena, time, "utc", NS_TIME), stamp);
	iq_answer(request, result);
}

static const struct iq_handler handlers[] = {
	{ "time", NS_TIME, IQ_KIND_GET, IQ_HOST, time_asked },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0082", "XMPP Date and Time Profiles", "1.1.1", "the DateTime profile" },
	{ "XEP-0202", "Entity Time", "2.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_TIME, NULL };

extern const struct module time_module;
const struct module time_module = {
	.name = "time",
	.specs = specs,
	.host_features = features,
	.iqs = handlers,
};
