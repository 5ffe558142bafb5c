/* SPDX-License-Identifier: MIT
 *
 * Socket addresses: reading and writing their text forms (RFC 4291 §2.2, RFC 3986 §3.2.2 for the brackets), comparing
 * hosts and networks, and this machine's own. Names are never resolved here.
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

enum { ADDRESS_HOST = 48 };

/* Copies a part of the text into a bounded array. */
static bool address_part(char *out, size_t size, const char *text, size_t len)
{
	if (len == 0 || len >= size)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

/* Decimal digits only: no sign, no blanks, nothing behind them. */
static bool number_read(const char *text, uint32_t max, uint32_t *out)
{
	uint32_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		number = number * 10 + (uint32_t)(*text - '0');
		if (number > max)
			return false;
	}
	*out = number;
	return true;
}

static bool address_read_host(const char *host, uint16_t port, struct address *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		return true;
	}
	if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(port);
		return true;
	}
	return false;
}

bool address_read(const char *text, uint16_t port, struct address *out)
{
	size_t len = strlen(text);
	char host[ADDRESS_HOST];

	if (text[0] != '[')
		return address_read_host(text, port, out);
	if (text[len - 1] != ']' || !address_part(host, sizeof(host), text + 1, len - 2))
		return false;
	return address_read_host(host, port, out) && out->any.sa_family == AF_INET6;
}

bool address_read_with_port(const char *text, uint16_t fallback, struct address *out)
{
	const char *bracket = strrchr(text, ']');
	const char *colon = strrchr(text, ':');
	char host[ADDRESS_HOST + 2];
	uint32_t port;

	/* Without brackets a second colon makes it an IPv6 address alone. */
	if (!colon || colon < bracket || (!bracket && strchr(text, ':') != colon))
		return address_read(text, fallback, out);
	if (!number_read(colon + 1, UINT16_MAX, &port))
		return false;
	if (!address_part(host, sizeof(host), text, (size_t)(colon - text)))
		return false;
	return address_read(host, (uint16_t)port, out);
}

size_t address_size(const struct address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

void address_set_port(struct address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET6)
		address->v6.sin6_port = htons(port);
	else
		address->v4.sin_port = htons(port);
}

uint16_t address_port(const struct address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

void address_write_host(const struct address *address, char text[ADDRESS_TEXT])
{
	const void *host = &address->v4.sin_addr;
	int family = address->any.sa_family;

	if (family == AF_INET6)
		host = &address->v6.sin6_addr;
	else if (family != AF_INET)
		host = NULL;
	if (!host || !inet_ntop(family, host, text, ADDRESS_TEXT))
		memcpy(text, "-", 2);
}

void address_write(const struct address *address, char text[ADDRESS_TEXT])
{
	char host[ADDRESS_TEXT];
	unsigned port = address_port(address);

	address_write_host(address, host);
	if (address->any.sa_family == AF_INET6)
		snprintf(text, ADDRESS_TEXT, "[%.47s]:%u", host, port);
	else
		snprintf(text, ADDRESS_TEXT, "%.47s:%u", host, port);
}

/* The bytes of the host part in network order, and how many they are. */
static const uint8_t *address_host(const struct address *address, size_t *len)
{
	if (address->any.sa_family == AF_INET6) {
		*len = sizeof(address->v6.sin6_addr);
		return (const uint8_t *)&address->v6.sin6_addr;
	}
	*len = sizeof(address->v4.sin_addr);
	return (const uint8_t *)&address->v4.sin_addr;
}

bool address_is_any(const struct address *address)
{
	return address->any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr)
	                                          : address->v4.sin_addr.s_addr == INADDR_ANY;
}

/* false: no address that others could reach. */
static bool interface_address(const struct ifaddrs *interface, uint16_t port, struct address *out)
{
	const struct sockaddr *any = interface->ifa_addr;
	bool up = any && interface->ifa_flags & IFF_UP && !(interface->ifa_flags & IFF_LOOPBACK);

	if (!up || (any->sa_family != AF_INET && any->sa_family != AF_INET6))
		return false;
	memcpy(&out->any, any, any->sa_family == AF_INET ? sizeof(out->v4) : sizeof(out->v6));
	address_set_port(out, port);
	return any->sa_family == AF_INET || !IN6_IS_ADDR_LINKLOCAL(&out->v6.sin6_addr);
}

bool address_own(uint16_t port, struct address *out)
{
	struct ifaddrs *interfaces = NULL;
	struct address found;
	bool has = false;

	if (getifaddrs(&interfaces) < 0)
		return false;
	for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next)
		if (interface_address(i, port, &found) && (!has || (found.any.sa_family == AF_INET &&
		                                                    out->any.sa_family == AF_INET6))) {
			*out = found;
			has = true;
		}
	freeifaddrs(interfaces);
	return has;
}

bool address_same_host(const struct address *a, const struct address *b)
{
	size_t a_len, b_len;
	const uint8_t *a_host = address_host(a, &a_len), *b_host = address_host(b, &b_len);

	return a->any.sa_family == b->any.sa_family && memcmp(a_host, b_host, a_len) == 0;
}

size_t address_customer(const struct address *address, uint8_t key[ADDRESS_CUSTOMER])
{
	size_t len;
	const uint8_t *host = address_host(address, &len);

	if (len > ADDRESS_CUSTOMER - 1)
		len = ADDRESS_CUSTOMER - 1;
	key[0] = (uint8_t)address->any.sa_family;
	memcpy(key + 1, host, len);
	return len + 1;
}

bool network_range_read(const char *text, struct network_range *out)
{
	const char *slash = strchr(text, '/');
	char host[ADDRESS_HOST];
	uint32_t bits;
	size_t len;

	if (!address_part(host, sizeof(host), text, slash ? (size_t)(slash - text) : strlen(text)))
		return false;
	if (!address_read(host, 0, &out->base))
		return false;
	address_host(&out->base, &len);
	bits = (uint32_t)len * 8;
	if (slash && !number_read(slash + 1, bits, &bits))
		return false;
	out->bits = (uint8_t)bits;
	return true;
}

bool network_range_has(const struct network_range *range, const struct address *address)
{
	size_t len, address_len, whole = range->bits / 8;
	const uint8_t *base = address_host(&range->base, &len), *host = address_host(address, &address_len);
	uint8_t mask = (uint8_t)(0xff00 >> range->bits % 8);

	if (range->base.any.sa_family != address->any.sa_family || memcmp(base, host, whole) != 0)
		return false;
	return range->bits % 8 == 0 || ((base[whole] ^ host[whole]) & mask) == 0;
}
