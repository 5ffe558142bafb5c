/* SPDX-License-Identifier: MIT
 *
 * RFC 6120 §8.3.3.16: remote-server-not-found is a domain that does not exist or offers no such service;
 * §8.3.3.17: remote-server-timeout is one that exists, but no stream came about (connection, TLS,
 * dialback). XEP-0220 §2.1.1: after a dialback error what waits MUST be returned, after an invalid key with
 * internal-server-error.
 */
#include "trouble.h"

static const struct trouble_meaning troubles[TROUBLES] = {
	[TROUBLE_NONE] = { "none", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                   "No connection to that server came about in time" },
	[TROUBLE_NO_SUCH_DOMAIN] = { "no-such-domain", true, STANZA_REMOTE_SERVER_NOT_FOUND,
	                             "That domain does not exist" },
	[TROUBLE_NO_SERVICE] = { "no-service", true, STANZA_REMOTE_SERVER_NOT_FOUND,
	                         "That domain says that it has no XMPP server" },
	[TROUBLE_DNS] = { "dns", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                  "The DNS could not say how that server is reached" },
	[TROUBLE_UNREACHABLE] = { "unreachable", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                          "That server could not be reached in time" },
	[TROUBLE_HOST_UNKNOWN] = { "host-unknown", true, STANZA_REMOTE_SERVER_NOT_FOUND,
	                           "The server of that domain does not serve it" },
	[TROUBLE_TLS] = { "tls", true, STANZA_REMOTE_SERVER_TIMEOUT,
	                  "The connection to that server would not have been encrypted as required" },
	[TROUBLE_CERTIFICATE] = { "certificate", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                          "That server could not prove that it is the one it claims to be" },
	[TROUBLE_DIALBACK] = { "dialback", true, STANZA_REMOTE_SERVER_TIMEOUT,
	                       "That server could not verify this one" },
	[TROUBLE_KEY] = { "key", true, STANZA_INTERNAL_SERVER_ERROR,
	                  "That server says that this one is not what it claims to be" },
	[TROUBLE_DENIED] = { "denied", true, STANZA_REMOTE_SERVER_TIMEOUT,
	                     "That server does not accept connections from this one" },
	[TROUBLE_REFUSED] = { "refused", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                      "That server refused the connection" },
	[TROUBLE_BROKEN] = { "broken", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                     "The connection to that server broke" },
};

const struct trouble_meaning *trouble_meaning(enum trouble trouble)
{
	return &troubles[trouble];
}
