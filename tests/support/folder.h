/* SPDX-License-Identifier: MIT
 *
 * A folder of a test's own, below $TMPDIR or /tmp.
 */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

/* Its path, malloc'ed. */
char *folder_make(void);
/* With the files in it; a folder inside it stays, and fails the program. Leaves NULL. */
void folder_remove(char **path);

#endif
