/* SPDX-License-Identifier: MIT
 *
 * XMPP Ping (XEP-0199): the server answers for its hosts (§4.2, §4.3) and, to an account's own clients, for the account.
 * Somebody else's ping to an account is answered like any request that nobody handles (RFC 6121 §8.5.2.1.3), so it does
 * not tell whether the account exists.
 */
#include "core/iq.h"
#include "core/module.h"
#include "xmpp/ns.h"

static const struct iq_handler handlers[] = {
	{ "ping", NS_PING, IQ_KIND_GET, IQ_HOST | IQ_OWN, iq_done },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0199", "XMPP Ping", "2.0.1", NULL },
	{ 0 },
};

static const char *const features[] = { NS_PING, NULL };

extern const struct module ping_module;
const struct module ping_module = {
	.name = "ping",
	.specs = specs,
	.host_features = features,
	.account_features = features,
	.iqs = handlers,
};
