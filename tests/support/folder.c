/* SPDX-License-Identifier: MIT
 *
 * Folders of tests.
 */
#include "folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

char *folder_make(void)
{
	const char *parent = getenv("TMPDIR");
	char *path = str_printf("%s/hansa-test-XXXXXX", parent && *parent ? parent : "/tmp");

	if (!mkdtemp(path)) {
		perror(path);
		abort();
	}
	return path;
}

void folder_remove(char **path)
{
	DIR *folder = opendir(*path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	if (rmdir(*path) != 0) {
		perror(*path);
		abort();
	}
	free(*path);
	*path = NULL;
}
