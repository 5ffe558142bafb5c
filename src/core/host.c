/* SPDX-License-Identifier: MIT
 *
 * The host itself as an addressee: RFC 6120 §10.5.1 and §10.5.2, a resource makes no difference. Answers to
 * what the server asked on its own behalf are seen by the modules that asked; others are ignored (RFC 6120
 * §8.2.3).
 */
#include "core/host.h"

#include "core/custody.h"
#include "core/iq.h"
#include "core/server.h"

void host_receive(struct home *home, const struct host *host, struct parcel *parcel)
{
	for (const struct module *const *module = home->server->modules; *module; module++) {
		if ((*module)->host_received && (*module)->host_received(home, host, parcel) == HOOK_DONE)
			return;
	}
	switch (parcel->stanza->type) {
	case IQ_RESULT:
	case IQ_ERROR:
	case MESSAGE_ERROR:
		parcel_taken(home, &parcel);
		return;
	default:
		break;
	}
	switch (parcel->stanza->kind) {
	case STANZA_IQ:
		iq_dispatch(home, NULL, host, parcel);
		return;
	case STANZA_MESSAGE:
		parcel_refused(home, &parcel, STANZA_SERVICE_UNAVAILABLE,
		               "Nobody reads messages to this address");
		return;
	default:
		parcel_taken(home, &parcel);
	}
}
