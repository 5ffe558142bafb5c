/* SPDX-License-Identifier: MIT
 *
 * Why a link does not work: the kinds of trouble, what each means for the stanzas that wait, and what their
 * senders and the administrator are told: also who can mend it, our side or theirs, and how.
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
	TROUBLE_NOBODY_LISTENS, /* its machine refuses the connection */
	TROUBLE_SILENT,         /* nothing comes back from its address */
	TROUBLE_UNREACHABLE,    /* no way leads to its address, or it has none */
	TROUBLE_HOST_UNKNOWN,   /* the server there does not serve the domain */
	TROUBLE_TLS,            /* no TLS, or not such that policy is satisfied */
	TROUBLE_HANDSHAKE,      /* TLS did not come about */
	TROUBLE_CERTIFICATE,    /* the peer's is wrong */
	TROUBLE_UNTRUSTED,      /* it may be right, but we know neither its key nor who has signed it */
	TROUBLE_WAY_BACK,       /* the peer could not reach us, to verify us */
	TROUBLE_DIALBACK,       /* the peer would not verify us */
	TROUBLE_KEY,            /* the peer says that our key is not ours */
	TROUBLE_DENIED,         /* the peer does not want to speak to us */
	TROUBLE_REFUSED,        /* any other stream error before the link was up */
	TROUBLE_OFFENDED,       /* the peer ended the stream because of what it was sent */
	TROUBLE_BROKEN,         /* the connection ended */
	/* Only a trial (trial.h) has these. */
	TROUBLE_FORBIDDEN,      /* our policy does not allow it */
	TROUBLE_CLOSED,         /* the peer took our proof and closed the stream */
	TROUBLE_NOT_INVITED,    /* the peer does not take our token */
	TROUBLE_UNANSWERED,     /* no answer to our ping has found its way to us */
	TROUBLES
};

struct trouble_meaning {
	const char *name; /* for hansactl and the log: "no-such-domain" */
	bool final;       /* what waits for a stranger is returned at once; else it waits for its time */
	enum stanza_condition condition;
	const char *text; /* for the person whose stanza comes back */
	/* For the administrator: */
	const char *fault;  /* what is wrong with the peer, as the end of a sentence about it */
	const char *mender; /* whose side can mend it: "here", "there", "here or there" */
	const char *remedy; /* and how */
};

const struct trouble_meaning *trouble_meaning(enum trouble trouble);

#endif
