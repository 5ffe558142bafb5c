/* SPDX-License-Identifier: MIT
 *
 * The note that an account has in the store, a document of its own, while its sessions are shown to somebody elsewhere: on
 * another server or at a component, who would go on believing in them after a crash. im/shown.c writes it, im/ghosts.c reads
 * what a crash has left.
 */
#ifndef IM_SHOWN_H
#define IM_SHOWN_H

#define SHOWN_KIND "shown"

/* A note is lines; what the first character says of the rest. */
enum {
	SHOWN_SESSION = '=',    /* a resource; the lines behind it are about it */
	SHOWN_TO_CONTACTS = '*', /* its presence went to all contacts that get it */
	SHOWN_TO = '>',         /* directed presence, to this address */
};

#endif
