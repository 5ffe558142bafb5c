/* SPDX-License-Identifier: MIT
 *
 * hansactl's side of the control socket.
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

struct client {
	FILE *in;
	int fd;
	char *line;
	size_t line_cap;
};

struct client *client_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client *client;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return NULL;
	client = mem_zalloc(sizeof(*client));
	client->fd = fd;
	client->in = fdopen(fd, "r");
	return client;
}

void client_close(struct client **client)
{
	fclose((*client)->in);
	free((*client)->line);
	free(*client);
	*client = NULL;
}

bool client_ask(struct client *client, json_t *question)
{
	char *line = json_dumps(question, JSON_COMPACT);
	size_t len = strlen(line), sent = 0;
	ssize_t n = 1;

	json_decref(question);
	line[len] = '\n';       /* in the NUL's place; the length is known */
	while (sent <= len && n > 0)
		if ((n = send(client->fd, line + sent, len + 1 - sent, MSG_NOSIGNAL)) > 0)
			sent += (size_t)n;
	mem_wipe(line, len + 1);
	free(line);
	return n > 0;
}

json_t *client_answer(struct client *client)
{
	ssize_t len = getline(&client->line, &client->line_cap, client->in);

	return len > 0 ? json_loadb(client->line, (size_t)len, 0, NULL) : NULL;
}
