/* SPDX-License-Identifier: MIT
 *
 * A name server of a few records on a loopback address, served by the test's own loop. A name that has no
 * record at all does not exist; names can be made to fail or to stay silent.
 */
#ifndef UNIT_TINY_DNS_H
#define UNIT_TINY_DNS_H

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/address.h"

enum { TINY_DNS_A = 1, TINY_DNS_AAAA = 28, TINY_DNS_SRV = 33, TINY_DNS_RECORDS = 64 };
enum { TINY_DNS_NXDOMAIN = 3, TINY_DNS_SERVFAIL = 2, TINY_DNS_REFUSED = 5 };

struct tiny_dns_record {
	const char *name;
	uint16_t type;
	uint16_t priority, weight, port;
	const char *target; /* of SRV; or an address */
};

/* type 0: of all types. code: what is answered; -1: nothing. */
struct tiny_dns_fault {
	const char *name;
	uint16_t type;
	int code;
};

struct tiny_dns {
	int fd;
	struct address address;
	uint32_t ttl;
	struct tiny_dns_record records[TINY_DNS_RECORDS];
	size_t record_count;
	struct tiny_dns_fault faults[8];
	size_t fault_count;
	unsigned asked; /* questions that have come */
};

static inline struct tiny_dns *tiny_dns_new(void)
{
	struct tiny_dns *dns = mem_zalloc(sizeof(*dns));
	socklen_t len = sizeof(dns->address.v4);

	dns->ttl = 300;
	dns->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	address_read("127.0.0.1", 0, &dns->address);
	if (bind(dns->fd, &dns->address.any, len) < 0 || getsockname(dns->fd, &dns->address.any, &len) < 0)
		abort();
	return dns;
}

static inline void tiny_dns_free(struct tiny_dns **dns)
{
	close((*dns)->fd);
	free(*dns);
	*dns = NULL;
}

static inline void tiny_dns_srv(struct tiny_dns *dns, const char *name, uint16_t priority, uint16_t weight,
                                const char *target, uint16_t port)
{
	dns->records[dns->record_count++] =
		(struct tiny_dns_record){ name, TINY_DNS_SRV, priority, weight, port, target };
}

static inline void tiny_dns_host(struct tiny_dns *dns, const char *name, const char *address)
{
	uint16_t type = strchr(address, ':') ? TINY_DNS_AAAA : TINY_DNS_A;

	dns->records[dns->record_count++] = (struct tiny_dns_record){ name, type, 0, 0, 0, address };
}

static inline void tiny_dns_fault(struct tiny_dns *dns, const char *name, uint16_t type, int code)
{
	dns->faults[dns->fault_count++] = (struct tiny_dns_fault){ name, type, code };
}

static inline void tiny_dns_add_number(struct buf *out, uint32_t number, size_t bytes)
{
	while (bytes-- > 0)
		buf_add_char(out, (char)(number >> 8 * bytes));
}

static inline void tiny_dns_add_name(struct buf *out, const char *name)
{
	while (*name && *name != '.') {
		size_t len = strcspn(name, ".");

		buf_add_char(out, (char)len);
		buf_add(out, name, len);
		name += len + (name[len] == '.');
	}
	buf_add_char(out, 0);
}

static inline void tiny_dns_add_record(struct buf *out, const struct tiny_dns_record *record, uint32_t ttl)
{
	struct buf rest = { 0 };
	unsigned char address[16];

	if (record->type == TINY_DNS_SRV) {
		tiny_dns_add_number(&rest, record->priority, 2);
		tiny_dns_add_number(&rest, record->weight, 2);
		tiny_dns_add_number(&rest, record->port, 2);
		tiny_dns_add_name(&rest, record->target);
	} else {
		inet_pton(record->type == TINY_DNS_A ? AF_INET : AF_INET6, record->target, address);
		buf_add(&rest, address, record->type == TINY_DNS_A ? 4 : 16);
	}
	tiny_dns_add_number(out, 0xc00c, 2);
	tiny_dns_add_number(out, record->type, 2);
	tiny_dns_add_number(out, 1, 2);
	tiny_dns_add_number(out, ttl, 4);
	tiny_dns_add_number(out, (uint32_t)rest.len, 2);
	buf_add(out, rest.data, rest.len);
	buf_clear(&rest);
}

/* The question's name, with dots, and its type; the bytes that the question takes. */
static inline size_t tiny_dns_question(const unsigned char *message, char name[256], uint16_t *type)
{
	size_t at = 12, len = 0;

	while (message[at]) {
		memcpy(name + len, message + at + 1, message[at]);
		len += message[at];
		name[len++] = '.';
		at += 1u + message[at];
	}
	name[len ? len - 1 : 0] = '\0';
	*type = (uint16_t)(message[at + 1] << 8 | message[at + 2]);
	return at + 5 - 12;
}

static inline int tiny_dns_code(const struct tiny_dns *dns, const char *name, uint16_t type)
{
	int code = TINY_DNS_NXDOMAIN;

	for (size_t i = 0; i < dns->fault_count; i++)
		if (strcmp(dns->faults[i].name, name) == 0 &&
		    (!dns->faults[i].type || dns->faults[i].type == type))
			return dns->faults[i].code;
	for (size_t i = 0; i < dns->record_count; i++)
		if (strcmp(dns->records[i].name, name) == 0)
			code = 0;
	return code;
}

static inline void tiny_dns_answer(struct tiny_dns *dns, const unsigned char *message, struct buf *out)
{
	char name[256];
	uint16_t type;
	size_t question = tiny_dns_question(message, name, &type);
	int code = tiny_dns_code(dns, name, type);
	uint32_t count = 0;
	struct buf records = { 0 };

	if (code < 0)
		return;
	for (size_t i = 0; i < dns->record_count && code == 0; i++)
		if (dns->records[i].type == type && strcmp(dns->records[i].name, name) == 0) {
			tiny_dns_add_record(&records, &dns->records[i], dns->ttl);
			count++;
		}
	buf_add(out, message, 2);
	tiny_dns_add_number(out, 0x8180u | (uint32_t)code, 2);
	tiny_dns_add_number(out, 1, 2);
	tiny_dns_add_number(out, count, 2);
	tiny_dns_add_number(out, 0, 4);
	buf_add(out, message + 12, question);
	buf_add(out, records.data, records.len);
	buf_clear(&records);
}

/* Answers what has come, after waiting for it for at most so long. */
static inline void tiny_dns_serve(struct tiny_dns *dns, int wait_ms)
{
	struct pollfd poll_fd = { .fd = dns->fd, .events = POLLIN };
	unsigned char message[1024] = { 0 };
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	struct buf out = { 0 };

	poll(&poll_fd, 1, wait_ms);
	while (recvfrom(dns->fd, message, sizeof(message) - 1, 0, (struct sockaddr *)&from, &from_len) > 12) {
		dns->asked++;
		tiny_dns_answer(dns, message, &out);
		if (out.len)
			sendto(dns->fd, out.data, out.len, 0, (struct sockaddr *)&from, from_len);
		buf_clear(&out);
		from_len = sizeof(from);
	}
}

#endif
