/* SPDX-License-Identifier: MIT
 *
 * Session tickets (RFC 5077, RFC 8446 §4.6.1) without state: sealed with a key that is replaced each hour and forgotten
 * an hour later, so that what a stolen key opens is bounded. Connections of all workers share the keys: one of the few
 * locks, held for a copy.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tls_door.h"

enum { TICKET_NAME_SIZE = 16, TICKET_KEY_SIZE = 32, TICKET_IV_SIZE = 16, TICKET_KEY_LIFE_MS = 3600 * 1000 };

struct ticket_key {
	unsigned char name[TICKET_NAME_SIZE];
	unsigned char cipher[TICKET_KEY_SIZE];
	unsigned char mac[TICKET_KEY_SIZE];
};

struct ticket_keys {
	pthread_mutex_t lock;
	uint64_t made_ms; /* of current */
	struct ticket_key current;
	struct ticket_key previous;
};

static void ticket_key_make(struct ticket_key *key)
{
	if (RAND_bytes(key->name, sizeof(key->name)) != 1 ||
	    RAND_bytes(key->cipher, sizeof(key->cipher)) != 1 || RAND_bytes(key->mac, sizeof(key->mac)) != 1)
		abort();
}

struct ticket_keys *ticket_keys_new(void)
{
	struct ticket_keys *keys = mem_zalloc(sizeof(*keys));

	pthread_mutex_init(&keys->lock, NULL);
	keys->made_ms = clock_monotonic_ms(&clock_system);
	ticket_key_make(&keys->current);
	ticket_key_make(&keys->previous);
	return keys;
}

void ticket_keys_free(struct ticket_keys **keys)
{
	if (!*keys)
		return;
	pthread_mutex_destroy(&(*keys)->lock);
	mem_wipe(*keys, sizeof(**keys));
	free(*keys);
	*keys = NULL;
}

static void ticket_keys_rotate(struct ticket_keys *keys, uint64_t now_ms)
{
	uint64_t age = now_ms - keys->made_ms;

	if (age < TICKET_KEY_LIFE_MS)
		return;
	/* Nobody asked for long: the current one is as old as a previous one may be. */
	if (age >= 2 * TICKET_KEY_LIFE_MS)
		ticket_key_make(&keys->current);
	keys->previous = keys->current;
	ticket_key_make(&keys->current);
	keys->made_ms = now_ms;
}

/* name NULL: the key to seal with. false: no such key. */
static bool ticket_keys_get(struct ticket_keys *keys, const unsigned char *name, struct ticket_key *out,
                            bool *is_current)
{
	bool found = true;

	pthread_mutex_lock(&keys->lock);
	ticket_keys_rotate(keys, clock_monotonic_ms(&clock_system));
	*is_current = !name || memcmp(name, keys->current.name, TICKET_NAME_SIZE) == 0;
	if (*is_current)
		*out = keys->current;
	else if ((found = memcmp(name, keys->previous.name, TICKET_NAME_SIZE) == 0))
		*out = keys->previous;
	pthread_mutex_unlock(&keys->lock);
	return found;
}

static bool ticket_key_load(const struct ticket_key *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                            EVP_MAC_CTX *mac, int seal)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac, sizeof(key->mac)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, seal) == 1 &&
	       EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* OpenSSL's question; 1: the key is loaded, 2: and a fresh ticket is due, 0: unknown, a full handshake follows. A ticket
 * of TLS 1.3 serves once (RFC 8446 §C.4). */
static int ticket_key_wanted(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                             EVP_MAC_CTX *mac, int seal)
{
	const struct tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct ticket_key key;
	bool is_current, loaded;

	if (!ticket_keys_get(tls->tickets, seal ? NULL : name, &key, &is_current))
		return 0;
	if (seal) {
		memcpy(name, key.name, sizeof(key.name));
		if (RAND_bytes(iv, TICKET_IV_SIZE) != 1)
			return -1;
	}
	loaded = ticket_key_load(&key, iv, cipher, mac, seal);
	mem_wipe(&key, sizeof(key));
	if (!loaded)
		return -1;
	if (seal)
		return 1;
	return is_current && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
}

void ticket_keys_use(struct ticket_keys *keys, SSL_CTX *context)
{
	(void)keys;
	SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key_wanted);
}
