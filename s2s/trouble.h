/* SPDX-License-Identifier: MIT
 *
 * Why a link does not work: the kinds of trouble, what each means for the stanzas that wait, and what their
 * senders and the administrator are told.
 */
#ifndef S2S_TROUBLE_H
#define S2S_TROUBLE_H

#include <stdbool.h>

#include "xmpp/error.h"

enum trouble {
	TROUBLE_NONE,
	TROUBLE_NO_SUCH_DOMAIN, /* the DNS says that it does not exist */
	TROUBLE_NO_SERVICE,     /* SRV "." */
	TROUBLE_DNS,            /* the DNS could not say */
	TROUBLE_UNREACHABLE,    /* no address took the connection */
	TROUBLE_HOST_UNKNOWN,   /* the server there does not serve the domain */
	TROUBLE_TLS,            /* no TLS, or not such that policy is satisfied */
	TROUBLE_CERTIFICATE,    /* the peer's proves not what policy asks for */
	TROUBLE_DIALBACK,       /* the peer could not or would not verify us */
	TROUBLE_KEY,            /* the peer says that our key is not ours */
	TROUBLE_DENIED,         /* the peer does not want to speak to us */
	TROUBLE_REFUSED,        /* any other stream error before the link was up */
	TROUBLE_BROKEN,         /* the connection ended */
	TROUBLES
};

struct trouble_meaning {
	const char *name; /* for hansactl and the log: "no-such-domain" */
	bool final;       /* what waits is returned at once; else it waits for its time */
	enum stanza_condition condition;
	const char *text; /* for the person whose stanza comes back */
};

const struct trouble_meaning *trouble_meaning(enum trouble trouble);

#endif
