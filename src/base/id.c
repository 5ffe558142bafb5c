/* SPDX-License-Identifier: MIT
 *
 * Random bytes of the kernel, and ids of 128 bits in base64url without padding (RFC 4648 §5).
 */
#include "base/id.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { ID_BYTES = 16 };

static void system_fill(struct entropy *entropy, void *bytes, size_t len)
{
	uint8_t *at = bytes;

	(void)entropy;
	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno != EINTR)
			abort();
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
}

struct entropy entropy_system = { system_fill };

void id_random(struct entropy *entropy, char id[ID_LEN + 1])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t bytes[ID_BYTES];
	unsigned bits = 0, held = 0;
	size_t at = 0;

	entropy_fill(entropy, bytes, sizeof(bytes));
	for (size_t i = 0; i < ID_BYTES; i++) {
		bits = bits << 8 | bytes[i];
		for (held += 8; held >= 6; held -= 6)
			id[at++] = letters[bits >> (held - 6) & 63];
	}
	id[at++] = letters[bits << (6 - held) & 63];
	id[at] = '\0';
}

static bool is_hex_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool uuid_read(const char *text, char out[UUID_LEN + 1])
{
	static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		out[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
		if (pattern[i] == '-' ? out[i] != '-' : !is_hex_digit(out[i]))
			return false;
	}
	out[UUID_LEN] = '\0';
	return true;
}
