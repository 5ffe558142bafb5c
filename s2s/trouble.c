/* SPDX-License-Identifier: MIT
 *
 * RFC 6120 §8.3.3.16: remote-server-not-found is a domain that does not exist or offers no such service;
 * §8.3.3.17: remote-server-timeout is one that exists, but no stream came about (connection, TLS,
 * dialback). XEP-0220 §2.1.1: after a dialback error what waits MUST be returned, after an invalid key with
 * internal-server-error.
 */
#include "trouble.h"

#define HERE "here"
#define THERE "there"
#define EITHER "here or there"

static const struct trouble_meaning troubles[TROUBLES] = {
	[TROUBLE_NONE] = { "none", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                   "No connection to that server came about in time", "has no fault that is known", EITHER,
	                   "try again" },
	[TROUBLE_NO_SUCH_DOMAIN] = { "no-such-domain", true, STANZA_REMOTE_SERVER_NOT_FOUND,
	                             "That domain does not exist", "does not exist in the DNS", EITHER,
	                             "look how it is written, or publish its SRV record; without DNS the option "
	                             "address names its server" },
	[TROUBLE_NO_SERVICE] = { "no-service", true, STANZA_REMOTE_SERVER_NOT_FOUND,
	                         "That domain says that it has no XMPP server",
	                         "says in the DNS that it has no XMPP server", THERE,
	                         "publish an SRV record that names one" },
	[TROUBLE_DNS] = { "dns", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                  "The DNS could not say how that server is reached",
	                  "cannot be looked up, the name servers fail or do not answer", EITHER,
	                  "look at the name servers that are asked here, then at those of the domain" },
	[TROUBLE_NOBODY_LISTENS] = { "connection-refused", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                             "That server could not be reached in time",
	                             "has a machine at its address, but no server listens there", THERE,
	                             "start the server, or correct its SRV record or port" },
	[TROUBLE_SILENT] = { "no-answer", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                     "That server could not be reached in time", "does not answer at its address", EITHER,
	                     "see that the machine is up, and that no firewall on the way swallows the packets" },
	[TROUBLE_UNREACHABLE] = { "unreachable", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                          "That server could not be reached in time", "has no address to which a way leads",
	                          EITHER, "look at the routes here, and at the addresses in its DNS records" },
	[TROUBLE_HOST_UNKNOWN] = { "host-unknown", true, STANZA_REMOTE_SERVER_NOT_FOUND,
	                           "The server of that domain does not serve it",
	                           "is not served by the server at its address", THERE,
	                           "add the domain to that server, or correct its SRV record" },
	[TROUBLE_TLS] = { "tls", true, STANZA_REMOTE_SERVER_TIMEOUT,
	                  "The connection to that server would not have been encrypted as required",
	                  "cannot be spoken to under TLS, which is required here", THERE,
	                  "give that server a certificate and let it offer TLS" },
	[TROUBLE_HANDSHAKE] = { "tls-handshake", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                        "No encrypted connection to that server came about", "does not come to terms about TLS",
	                        THERE, "let that server speak TLS 1.2 or newer, or 1.3 where it is required here, with certificate and ciphers of today" },
	[TROUBLE_CERTIFICATE] = { "certificate", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                          "That server could not prove that it is the one it claims to be",
	                          "shows a certificate that is wrong", THERE,
	                          "give that server one that is in force and names its domain" },
	[TROUBLE_UNTRUSTED] = { "untrusted", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                        "That server could not prove that it is the one it claims to be",
	                        "shows a certificate that nothing here vouches for", EITHER,
	                        "where its administrator confirms the key, add it to pins or its authority to ca here; else "
	                        "let that server show the right certificate" },
	[TROUBLE_WAY_BACK] = { "way-back", true, STANZA_REMOTE_SERVER_TIMEOUT,
	                       "That server could not verify this one", "cannot reach this server to verify it", HERE,
	                       "open this server's port for servers to it, and let the DNS lead it here" },
	[TROUBLE_DIALBACK] = { "dialback", true, STANZA_REMOTE_SERVER_TIMEOUT,
	                       "That server could not verify this one", "did not verify this server by dialback", THERE,
	                       "its log says why" },
	[TROUBLE_KEY] = { "key", true, STANZA_INTERNAL_SERVER_ERROR,
	                  "That server says that this one is not what it claims to be",
	                  "has asked somebody else whether this server is the right one, and was told that it is not", HERE,
	                  "let this domain's SRV record name this server and no other" },
	[TROUBLE_DENIED] = { "denied", true, STANZA_REMOTE_SERVER_TIMEOUT,
	                     "That server does not accept connections from this one",
	                     "does not accept this server by its policy", THERE,
	                     "allow this domain, and take the certificate that this server shows" },
	[TROUBLE_REFUSED] = { "refused", false, STANZA_REMOTE_SERVER_TIMEOUT, "That server refused the connection",
	                      "ended the stream before this server could prove itself", THERE, "its log says why" },
	[TROUBLE_OFFENDED] = { "offended", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                       "That server ended the connection because of something that it was sent",
	                       "took offence at something that this server sent", EITHER, "its log says at what" },
	[TROUBLE_BROKEN] = { "broken", false, STANZA_REMOTE_SERVER_TIMEOUT, "The connection to that server broke",
	                     "broke the connection off", EITHER, "try again; its log may say why" },
	[TROUBLE_FORBIDDEN] = { "forbidden", true, STANZA_NOT_ALLOWED,
	                        "This server exchanges no stanzas with that domain",
	                        "is not allowed by this server's own policy", HERE, "allow it in a peer section" },
	[TROUBLE_CLOSED] = { "closed", false, STANZA_REMOTE_SERVER_TIMEOUT, "The connection to that server broke",
	                     "took this server's proof and then closed the stream", THERE, "its log says why" },
	[TROUBLE_NOT_INVITED] = { "not-invited", true, STANZA_REMOTE_SERVER_TIMEOUT,
	                          "That server does not accept connections from this one", "does not take the token", THERE,
	                          "mend what it says, or make a new token with hansactl peer invite" },
	[TROUBLE_UNANSWERED] = { "unanswered", false, STANZA_REMOTE_SERVER_TIMEOUT,
	                         "That server does not answer",
	                         "took our ping, but no answer has come back on a connection of its own", EITHER,
	                         "open this server's port for servers to it, let the DNS lead it here, and see that its log "
	                         "does not say why it stays away" },
};

const struct trouble_meaning *trouble_meaning(enum trouble trouble)
{
	return &troubles[trouble];
}
