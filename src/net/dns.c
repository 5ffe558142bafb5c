/* SPDX-License-Identifier: MIT
 *
 * The DNS through c-ares, its only door: c-ares on the worker's loop, what messages say, and the cache.
 */
#include "dns.h"

#include <assert.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <ares.h>

#include "base/map.h"
#include "base/mem.h"
#include "event_door.h"
#include "net/timer.h"

enum {
	DNS_CACHED = 4096, /* lookups; beyond this the cache begins anew */
	DNS_TTL_MS = 3600 * 1000,
	DNS_NEGATIVE_MS = 60 * 1000,
	DNS_CLASS_IN = 1,
	DNS_HEADER = 12,
};

struct resolver {
	struct worker *worker;
	ares_channel channel;
	struct timer timer;   /* when c-ares wants to look at its own time-outs */
	struct list sockets;  /* struct resolver_socket */
	struct list resolves; /* all under way */
	struct map *lookups;
};

struct resolver_socket {
	struct list_link link;
	struct resolver *resolver;
	int fd;
	struct event event;
};

/* ---- c-ares on the worker's loop ---- */

static void resolver_wait(struct resolver *resolver);

static void resolver_timer_expired(struct worker *worker, struct timer *timer)
{
	struct resolver *resolver = LIST_MEMBER(timer, struct resolver, timer);

	(void)worker;
	ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	resolver_wait(resolver);
}

static void resolver_wait(struct resolver *resolver)
{
	struct timeval tv;

	if (ares_timeout(resolver->channel, NULL, &tv))
		timer_start(resolver->worker, &resolver->timer,
		            (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + 1,
		            resolver_timer_expired);
	else
		timer_stop(resolver->worker, &resolver->timer);
}

static void resolver_socket_ready(evutil_socket_t fd, short what, void *context)
{
	struct resolver *resolver = ((struct resolver_socket *)context)->resolver;

	worker_stirred(resolver->worker);
	ares_process_fd(resolver->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
	                what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	resolver_wait(resolver);
}

static struct resolver_socket *resolver_socket_get(struct resolver *resolver, int fd)
{
	struct resolver_socket *s;

	for (struct list_link *l = list_first(&resolver->sockets); l; l = list_next(&resolver->sockets, l))
		if (LIST_MEMBER(l, struct resolver_socket, link)->fd == fd)
			return LIST_MEMBER(l, struct resolver_socket, link);
	s = mem_zalloc(sizeof(*s));
	s->resolver = resolver;
	s->fd = fd;
	event_assign(&s->event, worker_events(resolver->worker), fd, EV_READ, resolver_socket_ready, s);
	list_add_last(&resolver->sockets, &s->link);
	return s;
}

static void resolver_socket_changed(void *context, ares_socket_t fd, int readable, int writable)
{
	struct resolver *resolver = context;
	struct resolver_socket *s = resolver_socket_get(resolver, fd);
	short what = (short)(EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));

	event_del(&s->event);
	if (!readable && !writable) {
		list_remove(&s->link);
		free(s);
		return;
	}
	event_assign(&s->event, worker_events(resolver->worker), fd, what, resolver_socket_ready, s);
	event_add(&s->event, NULL);
}

static void resolver_set_servers(struct resolver *resolver, const struct address *servers, size_t count)
{
	struct ares_addr_port_node *nodes = mem_zalloc(count * sizeof(*nodes));

	for (size_t i = 0; i < count; i++) {
		nodes[i].next = i + 1 < count ? &nodes[i + 1] : NULL;
		nodes[i].family = servers[i].any.sa_family;
		nodes[i].udp_port = nodes[i].tcp_port = address_port(&servers[i]);
		if (nodes[i].family == AF_INET)
			nodes[i].addr.addr4 = servers[i].v4.sin_addr;
		else
			memcpy(&nodes[i].addr.addr6, &servers[i].v6.sin6_addr, sizeof(nodes[i].addr.addr6));
	}
	ares_set_servers_ports(resolver->channel, nodes);
	free(nodes);
}

struct resolver *resolver_new(struct worker *worker, const struct resolver_options *options)
{
	struct resolver *resolver = mem_zalloc(sizeof(*resolver));
	struct ares_options ares = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
		.timeout = (int)options->timeout_ms,
		.tries = (int)options->tries,
		.sock_state_cb = resolver_socket_changed,
		.sock_state_cb_data = resolver,
	};
	int status;

	resolver->worker = worker;
	resolver->lookups = map_new(worker_seed(worker));
	list_init(&resolver->sockets);
	list_init(&resolver->resolves);
	status = ares_init_options(&resolver->channel, &ares,
	                           ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
	                                   ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS)
		abort(); /* only out of memory: what it cannot read it does without */
	if (options->count)
		resolver_set_servers(resolver, options->servers, options->count);
	return resolver;
}

/* ---- lookups ---- */

void lookup_unref(struct lookup *lookup)
{
	if (--lookup->refs > 0)
		return;
	for (size_t i = 0; i < lookup->count && lookup->type == DNS_SRV; i++)
		free((char *)lookup->records[i].host);
	free(lookup);
}

static void lookup_forget(struct lookup *lookup)
{
	map_remove(lookup->resolver->lookups, lookup->key, lookup->key_len);
	lookup->resolver = NULL;
	lookup_unref(lookup);
}

void resolver_flush(struct resolver *resolver)
{
	struct map_walk walk = { 0 };
	struct lookup *lookup;

	while ((lookup = map_next(resolver->lookups, &walk)))
		if (!lookup->asking)
			lookup_forget(lookup);
}

/* Where the bytes of the name at `at` end; 0: the message is broken. */
static size_t dns_skip_name(const unsigned char *message, size_t len, size_t at)
{
	while (at < len && message[at] && message[at] < 0xc0)
		at += 1u + message[at];
	if (at >= len)
		return 0;
	return at + (message[at] ? 2 : 1);
}

static uint32_t dns_number(const unsigned char *at, size_t bytes)
{
	uint32_t number = 0;

	while (bytes-- > 0)
		number = number << 8 | *at++;
	return number;
}

/* The smallest TTL of the answer's records, in seconds (RFC 1035 §4.1); c-ares does not tell it for SRV. */
static uint32_t dns_ttl(const unsigned char *message, size_t len)
{
	uint32_t ttl = UINT32_MAX;
	size_t at = DNS_HEADER;

	if (len < DNS_HEADER)
		return 0;
	for (uint32_t left = dns_number(message + 4, 2); left > 0; left--) {
		at = dns_skip_name(message, len, at);
		if (at == 0)
			return 0;
		at += 4;
	}
	for (uint32_t left = dns_number(message + 6, 2); left > 0; left--) {
		at = dns_skip_name(message, len, at);
		if (at == 0 || at + 10 > len)
			return 0;
		if (dns_number(message + at + 4, 4) < ttl)
			ttl = dns_number(message + at + 4, 4);
		at += 10 + dns_number(message + at + 8, 2);
	}
	return ttl;
}

static int lookup_read_srv(struct lookup *lookup, const unsigned char *message, int len)
{
	struct ares_srv_reply *first;
	int status = ares_parse_srv_reply(message, len, &first);

	if (status != ARES_SUCCESS)
		return status;
	for (struct ares_srv_reply *r = first; r && lookup->count < DNS_RECORDS; r = r->next)
		lookup->records[lookup->count++] =
			(struct srv_record){ str_dup(r->host), r->priority, r->weight, r->port, false };
	ares_free_data(first);
	return ARES_SUCCESS;
}

static int lookup_read_a(struct lookup *lookup, const unsigned char *message, int len)
{
	struct ares_addrttl found[DNS_RECORDS];
	int count = DNS_RECORDS;
	int status = ares_parse_a_reply(message, len, NULL, found, &count);

	if (status != ARES_SUCCESS)
		return status;
	for (int i = 0; i < count; i++)
		lookup->addresses[lookup->count++].v4 =
			(struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = found[i].ipaddr };
	return ARES_SUCCESS;
}

static int lookup_read_aaaa(struct lookup *lookup, const unsigned char *message, int len)
{
	struct ares_addr6ttl found[DNS_RECORDS];
	int count = DNS_RECORDS;
	int status = ares_parse_aaaa_reply(message, len, NULL, found, &count);

	if (status != ARES_SUCCESS)
		return status;
	for (int i = 0; i < count; i++) {
		struct sockaddr_in6 *v6 = &lookup->addresses[lookup->count++].v6;

		*v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
		memcpy(&v6->sin6_addr, &found[i].ip6addr, sizeof(v6->sin6_addr));
	}
	return ARES_SUCCESS;
}

static int lookup_read(struct lookup *lookup, const unsigned char *message, int len)
{
	switch (lookup->type) {
	case DNS_SRV:
		return lookup_read_srv(lookup, message, len);
	case DNS_A:
		return lookup_read_a(lookup, message, len);
	default:
		return lookup_read_aaaa(lookup, message, len);
	}
}

/* NXDOMAIN, and NOERROR without such a record; a name that the DNS cannot express does not exist there
 * either. */
static enum resolve_status lookup_judge(const struct lookup *lookup, int status)
{
	if (status == ARES_SUCCESS)
		return lookup->count ? RESOLVE_OK : RESOLVE_NONE;
	if (status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME)
		return RESOLVE_NONE;
	return RESOLVE_FAILED;
}

static void lookup_answered(void *context, int status, int timeouts, unsigned char *message, int len)
{
	struct lookup *lookup = context;
	uint64_t ms = DNS_NEGATIVE_MS;
	struct list_link *use;

	(void)timeouts;
	lookup->asking = false;
	if (status == ARES_SUCCESS) {
		status = lookup_read(lookup, message, len);
		ms = (uint64_t)dns_ttl(message, (size_t)len) * 1000;
	}
	lookup->status = lookup_judge(lookup, status);
	if (lookup->status == RESOLVE_FAILED)
		ms = 0;
	if (lookup->status == RESOLVE_NONE && ms > DNS_NEGATIVE_MS)
		ms = DNS_NEGATIVE_MS;
	if (lookup->resolver)
		lookup->until_ms =
			worker_now_ms(lookup->resolver->worker) + (ms < DNS_TTL_MS ? ms : DNS_TTL_MS);
	while ((use = list_take_first(&lookup->waiting)))
		lookup_use_answered(LIST_MEMBER(use, struct lookup_use, link));
	lookup_unref(lookup);
}

static struct lookup *lookup_ask(struct resolver *resolver, const char *key, size_t key_len, uint16_t type)
{
	struct lookup *lookup = mem_zalloc(sizeof(*lookup) + key_len + 1);

	lookup->resolver = resolver;
	lookup->refs = 2;
	lookup->asking = true;
	lookup->type = type;
	lookup->key_len = key_len;
	memcpy(lookup->key, key, key_len);
	list_init(&lookup->waiting);
	if (map_count(resolver->lookups) >= DNS_CACHED)
		resolver_flush(resolver);
	map_put(resolver->lookups, lookup->key, key_len, lookup);
	ares_query(resolver->channel, lookup->key + 2, DNS_CLASS_IN, type, lookup_answered, lookup);
	resolver_wait(resolver);
	return lookup;
}

struct lookup *lookup_get(struct resolver *resolver, enum dns_type type, const char *name)
{
	size_t key_len = 2 + strlen(name);
	char *key = mem_alloc(key_len + 1);
	struct lookup *lookup;

	key[0] = (char)(type >> 8);
	key[1] = (char)type;
	memcpy(key + 2, name, key_len - 1);
	lookup = map_find(resolver->lookups, key, key_len);
	if (lookup && !lookup->asking && worker_now_ms(resolver->worker) >= lookup->until_ms) {
		lookup_forget(lookup);
		lookup = NULL;
	}
	if (!lookup)
		lookup = lookup_ask(resolver, key, key_len, (uint16_t)type);
	free(key);
	return lookup;
}

/* ---- the hosts file ---- */

void dns_read_hosts(struct resolver *resolver, const char *host, int family, struct address *out, size_t *count)
{
	struct hostent *found;

	if (ares_gethostbyname_file(resolver->channel, host, family, &found) != ARES_SUCCESS)
		return;
	for (char **at = found->h_addr_list; *at && *count < DNS_RECORDS; at++) {
		struct address *address = &out[(*count)++];

		address->any.sa_family = (sa_family_t)family;
		if (family == AF_INET)
			memcpy(&address->v4.sin_addr, *at, sizeof(address->v4.sin_addr));
		else
			memcpy(&address->v6.sin6_addr, *at, sizeof(address->v6.sin6_addr));
	}
	ares_free_hostent(found);
}

/* ---- the resolver ---- */

struct worker *resolver_worker(const struct resolver *resolver)
{
	return resolver->worker;
}

struct list *resolver_resolves(struct resolver *resolver)
{
	return &resolver->resolves;
}

void resolver_close(struct resolver **resolver)
{
	struct resolver *r = *resolver;
	struct map_walk walk = { 0 };
	struct lookup *lookup;

	while ((lookup = map_next(r->lookups, &walk)))
		lookup_forget(lookup);
	ares_destroy(r->channel);
	timer_stop(r->worker, &r->timer);
	map_free(&r->lookups);
	free(r);
	*resolver = NULL;
}
