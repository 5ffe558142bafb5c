/* SPDX-License-Identifier: MIT
 *
 * In the background the file is written beside its place and then put there, so that no half of it is ever read; what stood
 * there is kept until the reload has succeeded. The reload is the main thread's.
 */
#include "peer_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "policy.h"

#define FOLDER "conf.d"

struct peer_file {
	struct background_job job;      /* first; its mail brings the end home, too */
	struct home *home;
	char *folder, *path, *fresh, *former;
	struct buf text;
	bool had_former;
	char *error;
	void (*done)(struct home *home, void *owner, char *error);
	void *owner;
};

/* ---- names ---- */

static char *config_folder(const struct config *config)
{
	const char *slash = strrchr(config->path, '/');

	return slash ? str_printf("%.*s" FOLDER, (int)(slash + 1 - config->path), config->path) : str_dup(FOLDER);
}

static char *peer_file_path(const struct config *config, const char *domain)
{
	struct arena arena = { 0 };
	char *folder = config_folder(config);
	char *path = str_printf("%s/peer-%s.conf", folder, jid_domain_ascii(&arena, domain));

	arena_clear(&arena);
	free(folder);
	return path;
}

char *peer_file_fault(const struct config *config, const char *domain)
{
	bool is_named = strcmp(policy_find(config, domain, strlen(domain))->domain, domain) == 0;
	char *path = peer_file_path(config, domain), *fault = NULL;

	if (!conf_includes(config->conf, path))
		fault = str_printf("%s would not be read: add include(\"" FOLDER "/*.conf\") to %s", path, config->path);
	else if (is_named && access(path, F_OK) < 0)
		fault = str_printf("the configuration has a section peer \"%s\" already, which is not in %s: remove it first",
		                   domain, path);
	free(path);
	return fault;
}

/* ---- the end ---- */

static void peer_file_tell(struct worker *worker, struct mail *mail)
{
	struct peer_file *file = (struct peer_file *)mail;

	(void)worker;
	file->done(file->home, file->owner, file->error);
	free(file->folder);
	free(file->path);
	free(file->fresh);
	free(file->former);
	buf_clear(&file->text);
	free(file);
}

/* On the main thread. */
static void peer_file_reloaded(void *context, char *error)
{
	struct peer_file *file = context;

	file->error = error;
	if (!error)
		unlink(file->former);
	else if (file->had_former)
		rename(file->former, file->path);
	else
		unlink(file->path);
	file->job.mail.arrive = peer_file_tell;
	worker_post(NULL, file->home->worker, &file->job.mail);
}

/* ---- writing ---- */

static bool peer_file_store(struct peer_file *file)
{
	FILE *out = fopen(file->fresh, "wxe");
	bool stored;

	if (!out)
		return false;
	stored = fwrite(file->text.data, 1, file->text.len, out) == file->text.len && fflush(out) == 0 &&
	         fsync(fileno(out)) == 0;
	return fclose(out) == 0 && stored;
}

/* On a thread of the pool. */
static void peer_file_write(struct background_job *job)
{
	struct peer_file *file = (struct peer_file *)job;

	unlink(file->fresh);
	if ((mkdir(file->folder, 0755) == 0 || errno == EEXIST) && peer_file_store(file)) {
		file->had_former = rename(file->path, file->former) == 0;
		if (rename(file->fresh, file->path) == 0)
			return;
		if (file->had_former)
			rename(file->former, file->path);
	}
	file->error = str_printf("%s cannot be written: %s; the server's user must be able to write there", file->path,
	                         strerror(errno));
	unlink(file->fresh);
}

static void peer_file_written(struct worker *worker, struct background_job *job)
{
	struct peer_file *file = (struct peer_file *)job;
	struct server *server = file->home->server;

	if (file->error)
		peer_file_tell(worker, &job->mail);
	else
		server->reload(server, peer_file_reloaded, file);
}

void peer_file_enter(struct home *home, const struct peer_entry *entry,
                     void (*done)(struct home *home, void *owner, char *error), void *owner)
{
	struct peer_file *file = mem_zalloc(sizeof(*file));
	struct arena arena = { 0 };
	const char *domain;

	file->home = home;
	file->folder = config_folder(home->config);
	file->path = peer_file_path(home->config, entry->domain);
	file->fresh = str_printf("%s.new", file->path);
	file->former = str_printf("%s.old", file->path);
	file->done = done;
	file->owner = owner;
	domain = jid_domain_ascii(&arena, entry->domain);
	buf_printf(&file->text,
	           "# Written when this branch joined with %s (hansactl peer join). To part again: remove the file, reload.\n"
	           "peer \"%s\" {\n"
	           "\trole = branch\n"
	           "\taddress = { \"%s\" }\n"
	           "\tauthentication = { pin }\n"
	           "\tpins = { \"%s\" }\n"
	           "}\n",
	           domain, domain, entry->address, entry->pin);
	arena_clear(&arena);
	file->job.run = peer_file_write;
	file->job.done = peer_file_written;
	if (background_run(home->server->background, home->worker, &file->job))
		return;
	file->error = str_dup("this server is too busy, or leaving");
	file->job.mail.arrive = peer_file_tell;
	worker_post(home->worker, home->worker, &file->job.mail);
}
