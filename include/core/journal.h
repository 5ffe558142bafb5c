/* SPDX-License-Identifier: MIT
 *
 * The journal of an account, seen from its home: the sequences of its entries and their ids (XEP-0359). A sequence is a
 * time with the number of the worker behind it: unique on this server, and ascending for an account whatever the clock
 * does. So an id says where in time its entry stands, also when the entry itself is no more.
 */
#ifndef CORE_JOURNAL_H
#define CORE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

struct account;

enum { JOURNAL_ID_LEN = 16 };

/* The next entry's. */
uint64_t journal_sequence(struct account *account);
/* No entry of an earlier time has it or a higher one, unless the clock was set back. */
uint64_t journal_sequence_at(int64_t wall_us);
void journal_id(uint64_t sequence, char out[JOURNAL_ID_LEN + 1]);
bool journal_id_read(const char *id, uint64_t *sequence);       /* false: not one of ours */

#endif
