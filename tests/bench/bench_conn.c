/* SPDX-License-Identifier: MIT
 *
 * What a conn costs a server without any XMPP: memory of idle connections, CPU of a handshake, CPU of echoing messages.
 * The clients are a process of their own, so all figures are the server's alone.
 *
 *	bench_conn [-p] [-n connections] [-w window] [-m messages] [certificate key]
 *
 * -p: in clear. -w: messages under way on each of at most 200 busy connections. The load of both processes shares the
 * machine: compare ratios within one run.
 */
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "net/conn.h"
#include "net/listener.h"
#include "net/worker.h"

enum { MESSAGE_SIZE = 340, BUSY_MAX = 200, DIALS_AHEAD = 100 };

struct options {
	bool plain;
	unsigned connections, window, messages;
	struct tls_certificate certificate;
};

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Proportional set size of this process, in bytes. */
static double memory_pss(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	unsigned long kib = 0;

	malloc_trim(0);
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Pss: %lu kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return (double)kib * 1024;
}

static void ignore(struct conn *conn, void *owner)
{
	(void)conn, (void)owner;
}

/* ---- the server ---- */

struct server {
	struct tls *tls;
	atomic_uint open;
};

static void server_received(struct conn *conn, void *owner, char *bytes, size_t len)
{
	(void)owner;
	buf_add(conn_out(conn), bytes, len);
}

static void server_closed(struct conn *conn, void *owner, const char *reason)
{
	(void)conn, (void)reason;
	atomic_fetch_sub(&((struct server *)owner)->open, 1);
}

static const struct conn_class server_class = { server_received, ignore, ignore, server_closed };

static void server_accepted(struct worker *worker, struct transport *transport, void *owner)
{
	struct server *server = owner;
	struct conn *conn = conn_new(worker, transport, &server_class, server, 1 << 20);

	if (server->tls)
		conn_start_tls(conn, server->tls, NULL, "xmpp-client");
	atomic_fetch_add(&server->open, 1);
}

/* ---- the clients ---- */

struct clients {
	const struct options *options;
	struct address server;
	struct tls *tls;
	struct mail mail;
	struct worker *worker;
	unsigned dialled, greeted;
	atomic_uint idle;               /* greeted, for the main thread */
	unsigned to_send;
	atomic_uint echoed;
	struct client *list;
};

struct client {
	struct clients *all;
	struct conn *conn;
	size_t waits_for;               /* bytes of the echo */
};

static void clients_dial(struct clients *clients);

static void client_say(struct client *client)
{
	static const char message[MESSAGE_SIZE] = "<message/>";

	buf_add(conn_out(client->conn), message, sizeof(message));
	client->waits_for += sizeof(message);
}

static void client_greet(struct conn *conn, void *owner)
{
	(void)conn;
	client_say(owner);
}

static void client_greeted(struct clients *clients)
{
	clients->greeted++;
	atomic_store(&clients->idle, clients->greeted);
	clients_dial(clients);
}

static void client_received(struct conn *conn, void *owner, char *bytes, size_t len)
{
	struct client *client = owner;
	size_t messages = (client->waits_for + MESSAGE_SIZE - 1) / MESSAGE_SIZE;

	(void)conn, (void)bytes;
	client->waits_for -= len;
	messages -= (client->waits_for + MESSAGE_SIZE - 1) / MESSAGE_SIZE;
	if (client->all->to_send == 0 && client->all->greeted < client->all->options->connections) {
		if (messages)
			client_greeted(client->all);
		return;
	}
	atomic_fetch_add(&client->all->echoed, (unsigned)messages);
	for (; messages > 0 && client->all->to_send > 0; messages--, client->all->to_send--)
		client_say(client);
}

static void client_closed(struct conn *conn, void *owner, const char *reason)
{
	(void)conn, (void)owner;
	fprintf(stderr, "a client was closed: %s\n", reason ? reason : "-");
	_exit(1);
}

static const struct conn_class client_class = { client_received, client_greet, ignore, client_closed };

static void clients_dial(struct clients *clients)
{
	while (clients->dialled < clients->options->connections && clients->dialled < clients->greeted + DIALS_AHEAD) {
		struct client *client = &clients->list[clients->dialled++];
		int fd = socket(clients->server.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || connect(fd, &clients->server.any, (socklen_t)address_size(&clients->server)) != 0) {
			perror("connect");
			_exit(1);
		}
		client->all = clients;
		client->conn = conn_new(clients->worker, transport_socket(clients->worker, fd), &client_class, client, 0);
		if (clients->tls)
			conn_start_tls(client->conn, clients->tls, "bench.example", "xmpp-client");
		else
			client_say(client);
	}
}

static void clients_begin(struct worker *worker, struct mail *mail)
{
	struct clients *clients = LIST_MEMBER(mail, struct clients, mail);

	clients->worker = worker;
	clients_dial(clients);
}

static void clients_load(struct worker *worker, struct mail *mail)
{
	struct clients *clients = LIST_MEMBER(mail, struct clients, mail);
	unsigned busy = clients->options->connections < BUSY_MAX ? clients->options->connections : BUSY_MAX;

	(void)worker;
	clients->to_send = clients->options->messages;
	for (unsigned i = 0; i < busy; i++)
		for (unsigned n = 0; n < clients->options->window && clients->to_send > 0; n++, clients->to_send--)
			client_say(&clients->list[i]);
}

/* ---- the two processes ---- */

static struct workers *workers_make(void)
{
	struct workers_options options = { .count = 1, .clock = &clock_system, .entropy = &entropy_system };

	return workers_new(&options);
}

static void tell(int fd)
{
	if (write(fd, "", 1) != 1)
		_exit(1);
}

static void wait_for(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		exit(1);
}

static void clients_run(const struct options *options, const struct address *address, int in, int out)
{
	struct workers *workers = workers_make();
	struct clients clients = { .options = options, .server = *address };
	char *error;

	clients.list = mem_zalloc(options->connections * sizeof(*clients.list));
	clients.tls = options->plain ? NULL : tls_client_new(NULL, TLS_1_2, &error);
	clients.mail.arrive = clients_begin;
	worker_post(NULL, workers_at(workers, 0), &clients.mail);
	workers_start(workers);
	while (atomic_load(&clients.idle) < options->connections)
		poll(NULL, 0, 1);
	tell(out);
	wait_for(in);
	clients.mail.arrive = clients_load;
	worker_post(NULL, workers_at(workers, 0), &clients.mail);
	while (atomic_load(&clients.echoed) < options->messages)
		poll(NULL, 0, 1);
	tell(out);
	wait_for(in);
	_exit(0);
}

static void server_measure(const struct options *options, struct server *server, int in, int out)
{
	double cpu = cpu_seconds(), memory = memory_pss();

	tell(out);
	wait_for(in);
	printf("%-32s %10.1f us\n", options->plain ? "accept and first echo" : "accept, handshake, first echo",
	       (cpu_seconds() - cpu) * 1e6 / options->connections);
	printf("%-32s %10.2f KiB\n", "idle connection (PSS)", (memory_pss() - memory) / 1024 / options->connections);
	cpu = cpu_seconds();
	tell(out);
	wait_for(in);
	printf("%-32s %10.2f us\n", "echo of a message", (cpu_seconds() - cpu) * 1e6 / options->messages);
	if (atomic_load(&server->open) != options->connections)
		printf("connections were lost\n");
	tell(out);
}

static void options_read(struct options *options, int argc, char **argv)
{
	int option;

	*options = (struct options){ .connections = 1000, .window = 4, .messages = 400000 };
	while ((option = getopt(argc, argv, "pn:w:m:")) != -1) {
		if (option == 'p')
			options->plain = true;
		else if (option == 'n')
			options->connections = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'w')
			options->window = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'm')
			options->messages = (unsigned)strtoul(optarg, NULL, 10);
		else
			exit(2);
	}
	options->certificate.name = "bench.example";
	options->certificate.certificate = optind + 1 < argc ? argv[optind] : "server.crt";
	options->certificate.key = optind + 1 < argc ? argv[optind + 1] : "server.key";
}

static void files_allow_all(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct server server = { 0 };
	struct options options;
	struct address address;
	struct listener *listener;
	struct workers *workers;
	int to_clients[2], to_server[2];
	const char *reason;
	char *error = NULL;

	options_read(&options, argc, argv);
	files_allow_all();
	if (!options.plain && !(server.tls = tls_server_new(&options.certificate, 1, TLS_1_2, &error))) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	workers = workers_make();
	address_read("127.0.0.1", 0, &address);
	listener = listener_open(workers, &address, server_accepted, &server, &reason);
	listener_address(listener, &address);
	if (pipe(to_clients) != 0 || pipe(to_server) != 0)
		return 1;
	if (fork() == 0) {
		wait_for(to_clients[0]);
		clients_run(&options, &address, to_clients[0], to_server[1]);
	}
	workers_start(workers);
	server_measure(&options, &server, to_server[0], to_clients[1]);
	wait(NULL);
	workers_stop(workers);
	return 0;
}
