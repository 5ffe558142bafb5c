/* SPDX-License-Identifier: MIT
 *
 * The configuration's own file for a peer that has joined (conf.d/peer-NAME.conf): written, read by a reload, and taken back
 * where the configuration is no good with it. The administrator's files are never touched.
 */
#ifndef S2S_PEER_FILE_H
#define S2S_PEER_FILE_H

#include "core/server.h"

/* What a branch must know of another. All three are checked by who has read them: no character means anything to a
 * configuration. */
struct peer_entry {
	const char *domain;     /* prepared */
	const char *address;    /* "198.51.100.20:5269" */
	const char *pin;        /* of its key */
};

/* Whether the file of that peer would be read, and nothing but it speaks of the peer. NULL: fine; else the malloc'ed
 * sentence. */
char *peer_file_fault(const struct config *config, const char *domain);

/* Writes the file and reloads. done() comes on home, later: error is malloc'ed, NULL when the entry is in force everywhere. */
void peer_file_enter(struct home *home, const struct peer_entry *entry,
                     void (*done)(struct home *home, void *owner, char *error), void *owner);

#endif
