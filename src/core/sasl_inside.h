/* SPDX-License-Identifier: MIT
 *
 * Private to core: what the files of a SASL exchange (sasl.c, sasl_token.c) know of one another.
 */
#ifndef SASL_INSIDE_H
#define SASL_INSIDE_H

#include "core/ht.h"
#include "core/sasl.h"
#include "core/scram.h"

enum sasl_step { STEP_BEGIN, STEP_FIRST, STEP_KEYS, STEP_PROOF, STEP_DERIVE, STEP_OVER };

struct sasl {
	const struct sasl_terms *terms;
	struct arena arena;
	enum sasl_step step;
	enum sasl_mechanism mechanism;
	const char *name; /* as the client says it */
	struct jid user;
	bool exists;
	struct store_credential key; /* the user's, or one made up */
	/* SCRAM */
	struct scram_first first;
	const char *nonce; /* the client's and ours */
	const char *server_first;
	/* PLAIN */
	char *password;              /* prepared */
	uint8_t derived[DIGEST_MAX]; /* its StoredKey */
	/* HT */
	struct ht_message ht;
	uint64_t token; /* that it was done with */
};

struct mechanism {
	const char *name;
	enum digest_kind digest;
	bool plus;
	bool token;
	const char *binding; /* of a token's mechanism that is bound */
};
extern const struct mechanism sasl_mechanisms[SASL_MECHANISMS];

enum sasl_result sasl_fail(struct sasl *sasl, enum sasl_condition condition, enum sasl_condition *out);
/* sasl->name is known. */
enum sasl_result sasl_look_up(struct sasl *sasl, const char *authzid, enum sasl_condition *condition);
/* The value of the binding that the client names; 0: not available on this connection. */
size_t sasl_binding(const struct sasl_terms *terms, const char *name, const uint8_t **value);

/* sasl_token.c */
enum sasl_result sasl_token_begin(struct sasl *sasl, const char *message, size_t len, enum sasl_condition *condition);

#endif
