/* SPDX-License-Identifier: MIT
 *
 * Socket addresses as values: an IPv4 or IPv6 address with a port.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/* "127.0.0.1" "::1" "[::1]"; no names. */
bool address_read(const char *text, uint16_t port, struct address *out);
/* "127.0.0.1:5269", "[::1]:53"; without a port: fallback. */
bool address_read_with_port(const char *text, uint16_t fallback, struct address *out);
size_t address_size(const struct address *address);
uint16_t address_port(const struct address *address);
void address_set_port(struct address *address, uint16_t port);
enum { ADDRESS_TEXT = 64 };
void address_write(const struct address *address, char text[ADDRESS_TEXT]);             /* "[::1]:5222" */
void address_write_host(const struct address *address, char text[ADDRESS_TEXT]);        /* "::1" */
/* No address at all: 0.0.0.0, ::. */
bool address_is_any(const struct address *address);
/* One of this machine's own by which others may reach it: not of the loopback, IPv4 first; false: it has none. */
bool address_own(uint16_t port, struct address *out);
bool address_same_host(const struct address *a, const struct address *b);
/* What one customer has, as a key to count by: the IPv4 address, or the /64 of the IPv6 address. How many bytes. */
enum { ADDRESS_CUSTOMER = 9 };
size_t address_customer(const struct address *address, uint8_t key[ADDRESS_CUSTOMER]);

/* "10.0.0.0/8", "::1", "192.0.2.7". */
struct network_range {
	struct address base;
	uint8_t bits;
};
bool network_range_read(const char *text, struct network_range *out);
bool network_range_has(const struct network_range *range, const struct address *address);

#endif
