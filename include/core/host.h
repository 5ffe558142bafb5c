/* SPDX-License-Identifier: MIT
 *
 * What a local host does with stanzas to its own domain, with or without a resource (RFC 6120 §10.5.1, §10.5.2). A host
 * has no state, so they are answered at the home that sends them.
 */
#ifndef CORE_HOST_H
#define CORE_HOST_H

struct home;
struct host;
struct parcel;

/* What no module takes (host_received): requests go to the iq table, messages are refused, the rest is ignored. Answers the parcel. */
void host_receive(struct home *home, const struct host *host, struct parcel *parcel);

#endif
