/* SPDX-License-Identifier: MIT
 *
 * What callers want to know of the DNS: the services of a domain (RFC 2782, XEP-0368) and the addresses of a host
 * (RFC 8305 §3 and §4: both families side by side, then alternating). A resolve is one caller's question and needs two
 * lookups (dns.h) at most.
 */
#include "net/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns.h"
#include "net/timer.h"

enum { SERVICE_CLEAR, SERVICE_TLS }; /* the lookups of services */

enum {
	RESOLVE_OTHER_MS = 300, /* what the slower lookup gets when the faster has an answer */
};

struct resolve {
	struct list_link link;
	struct resolver *resolver;
	struct lookup_use uses[2]; /* SRV of both services; or AAAA and A */
	struct timer timer;        /* an answer that is at hand already, or the slower family's time */
	struct address known[DNS_RECORDS]; /* a literal's, or of the hosts file */
	size_t known_count;
	uint16_t port;
	resolve_srv_done *srv_done;
	resolve_addresses_done *addresses_done;
	void *owner;
};

/* ---- questions ---- */

static struct resolve *resolve_new(struct resolver *resolver, void *owner)
{
	struct resolve *resolve = mem_zalloc(sizeof(*resolve));

	resolve->resolver = resolver;
	resolve->owner = owner;
	list_add_last(resolver_resolves(resolver), &resolve->link);
	return resolve;
}

static void resolve_need(struct resolve *resolve, size_t number, enum dns_type type, const char *name)
{
	struct lookup_use *use = &resolve->uses[number];

	use->resolve = resolve;
	use->lookup = lookup_get(resolve->resolver, type, name);
	use->lookup->refs++;
	if (use->lookup->asking)
		list_add_last(&use->lookup->waiting, &use->link);
}

static void resolve_free(struct resolve *resolve)
{
	timer_stop(resolver_worker(resolve->resolver), &resolve->timer);
	list_remove(&resolve->link);
	for (size_t i = 0; i < 2; i++) {
		list_remove(&resolve->uses[i].link);
		if (resolve->uses[i].lookup)
			lookup_unref(resolve->uses[i].lookup);
	}
	free(resolve);
}

void resolve_cancel(struct resolve **resolve)
{
	if (*resolve)
		resolve_free(*resolve);
	*resolve = NULL;
}

static bool use_is_asking(const struct lookup_use *use)
{
	return use->lookup && use->lookup->asking;
}

static bool use_is_ok(const struct lookup_use *use)
{
	return use->lookup && !use->lookup->asking && use->lookup->status == RESOLVE_OK;
}

/* The records of both services in one order of priority (XEP-0368 §3). A target "." alone means that there is no such
 * service. */
static size_t resolve_gather_services(const struct resolve *resolve, struct srv_record *out)
{
	size_t count = 0;

	for (size_t i = 0; i < 2; i++) {
		const struct lookup *lookup = use_is_ok(&resolve->uses[i]) ? resolve->uses[i].lookup : NULL;

		for (size_t j = 0; lookup && j < lookup->count; j++) {
			out[count] = lookup->records[j];
			out[count].tls = i == SERVICE_TLS;
			count += out[count].host[0] != '\0';
		}
	}
	srv_order(out, count, worker_entropy(resolver_worker(resolve->resolver)));
	return count;
}

/* Without a target: one that could not be asked for may have some; "there is none" is what both must say. */
static enum resolve_status resolve_judge_services(const struct resolve *resolve)
{
	enum resolve_status status = RESOLVE_NONE;

	for (size_t i = 0; i < 2; i++) {
		const struct lookup_use *use = &resolve->uses[i];

		if (use_is_asking(use) || (use->lookup && use->lookup->status == RESOLVE_FAILED))
			return RESOLVE_FAILED;
		if (use_is_ok(use))
			status = RESOLVE_REFUSED;
	}
	return status;
}

static void resolve_finish_srv(struct resolve *resolve)
{
	struct srv_record records[2 * DNS_RECORDS];
	struct resolve_target targets[2 * DNS_RECORDS];
	size_t count = resolve_gather_services(resolve, records);

	for (size_t i = 0; i < count; i++)
		targets[i] = (struct resolve_target){ records[i].host, records[i].port, records[i].tls };
	resolve->srv_done(resolve->owner, count ? RESOLVE_OK : resolve_judge_services(resolve), targets, count);
}

/* Both families as they alternate in RFC 8305 §4. */
static size_t resolve_interleave(struct resolve *resolve, struct address *out)
{
	size_t count = 0;

	for (size_t i = 0; i < DNS_RECORDS; i++)
		for (size_t family = 0; family < 2; family++) {
			const struct lookup_use *use = &resolve->uses[family];

			if (use_is_ok(use) && i < use->lookup->count)
				out[count++] = use->lookup->addresses[i];
		}
	return count;
}

/* "There is none" only when both families say so. */
static enum resolve_status resolve_judge_addresses(const struct resolve *resolve)
{
	for (size_t i = 0; i < 2; i++)
		if (resolve->uses[i].lookup->asking || resolve->uses[i].lookup->status == RESOLVE_FAILED)
			return RESOLVE_FAILED;
	return RESOLVE_NONE;
}

static void resolve_finish_addresses(struct resolve *resolve)
{
	struct address addresses[2 * DNS_RECORDS];
	size_t count = resolve->known_count;

	memcpy(addresses, resolve->known, count * sizeof(addresses[0]));
	if (count == 0)
		count = resolve_interleave(resolve, addresses);
	for (size_t i = 0; i < count; i++)
		if (addresses[i].any.sa_family == AF_INET)
			addresses[i].v4.sin_port = htons(resolve->port);
		else
			addresses[i].v6.sin6_port = htons(resolve->port);
	resolve->addresses_done(resolve->owner, count ? RESOLVE_OK : resolve_judge_addresses(resolve),
	                        addresses, count);
}

static void resolve_finish(struct resolve *resolve)
{
	timer_stop(resolver_worker(resolve->resolver), &resolve->timer);
	list_remove(&resolve->link);
	if (resolve->srv_done)
		resolve_finish_srv(resolve);
	else
		resolve_finish_addresses(resolve);
	resolve_free(resolve);
}

static void resolve_timer_expired(struct worker *worker, struct timer *timer)
{
	(void)worker;
	resolve_finish(LIST_MEMBER(timer, struct resolve, timer));
}

void lookup_use_answered(struct lookup_use *use)
{
	struct resolve *resolve = use->resolve;

	if (!use_is_asking(&resolve->uses[0]) && !use_is_asking(&resolve->uses[1]))
		resolve_finish(resolve);
	else if (use_is_ok(&resolve->uses[0]) || use_is_ok(&resolve->uses[1]))
		timer_start(resolver_worker(resolve->resolver), &resolve->timer, RESOLVE_OTHER_MS,
		            resolve_timer_expired);
}

/* What is at hand already is answered when the caller has returned. */
static struct resolve *resolve_begin(struct resolve *resolve)
{
	if (!use_is_asking(&resolve->uses[0]) && !use_is_asking(&resolve->uses[1]))
		timer_start(resolver_worker(resolve->resolver), &resolve->timer, 0, resolve_timer_expired);
	return resolve;
}

struct resolve *resolve_srv(struct resolver *resolver, const char *name, const char *tls_name, resolve_srv_done *done,
                            void *owner)
{
	struct resolve *resolve = resolve_new(resolver, owner);

	resolve->srv_done = done;
	resolve_need(resolve, SERVICE_CLEAR, DNS_SRV, name);
	if (tls_name)
		resolve_need(resolve, SERVICE_TLS, DNS_SRV, tls_name);
	return resolve_begin(resolve);
}

/* Literals and the system's hosts file come before the DNS. */
struct resolve *resolve_addresses(struct resolver *resolver, const char *host, uint16_t port,
                                  resolve_addresses_done *done, void *owner)
{
	struct resolve *resolve = resolve_new(resolver, owner);

	resolve->addresses_done = done;
	resolve->port = port;
	if (address_read(host, port, &resolve->known[0])) {
		resolve->known_count = 1;
		return resolve_begin(resolve);
	}
	dns_read_hosts(resolver, host, AF_INET6, resolve->known, &resolve->known_count);
	dns_read_hosts(resolver, host, AF_INET, resolve->known, &resolve->known_count);
	if (resolve->known_count == 0) {
		resolve_need(resolve, 0, DNS_AAAA, host);
		resolve_need(resolve, 1, DNS_A, host);
	}
	return resolve_begin(resolve);
}

void resolver_free(struct resolver **resolver)
{
	struct list_link *link;

	if (!*resolver)
		return;
	while ((link = list_first(resolver_resolves(*resolver))))
		resolve_free(LIST_MEMBER(link, struct resolve, link));
	resolver_close(resolver);
}
