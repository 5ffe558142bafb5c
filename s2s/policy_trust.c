/* SPDX-License-Identifier: MIT
 *
 * What the `peer` sections say about where a peer is and by what it proves itself: addresses, ways of proof, pins, authorities.
 */
#include "policy_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "xmpp/jid.h"

enum { SERVER_PORT = 5269 };

bool policy_read_target(struct arena *arena, const char *text, struct resolve_target *out)
{
	struct address literal;
	const char *colon = strrchr(text, ':');
	unsigned long port = SERVER_PORT;
	char written[ADDRESS_TEXT], *end;

	if (address_read_with_port(text, SERVER_PORT, &literal)) {
		address_write_host(&literal, written);
		*out = (struct resolve_target){ arena_str(arena, written), address_port(&literal), false };
		return true;
	}
	if (colon) {
		port = strtoul(colon + 1, &end, 10);
		if (*end || end == colon + 1 || port == 0 || port > UINT16_MAX)
			return false;
	}
	*out = (struct resolve_target){
		arena_str_len(arena, text, colon ? (size_t)(colon - text) : strlen(text)), (uint16_t)port, false
	};
	return *out->host && !strpbrk(out->host, ": /");
}

char *policy_read_targets(struct arena *arena, const struct conf_section *section,
                                 struct peer_policy *policy)
{
	policy->target_count = conf_list_count(section, "address");
	policy->targets = arena_zalloc(arena, policy->target_count * sizeof(*policy->targets) + 1);
	for (size_t i = 0; i < policy->target_count; i++) {
		const char *text = conf_list_at(section, "address", i);

		if (!policy_read_target(arena, text, &policy->targets[i]))
			return conf_fault(section, "\"%s\" is not an address, allowed: host or host:port",
			                  text);
		policy->targets[i].tls = conf_bool(section, "direct-tls");
	}
	return NULL;
}

static const struct {
	const char *name;
	enum peer_proof proof;
} proofs[] = {
	{ "pin", PEER_BY_PIN },
	{ "ca", PEER_BY_CA },
	{ "pki", PEER_BY_PKI },
	{ "dialback", PEER_BY_DIALBACK },
};

static unsigned proof_find(const char *name)
{
	for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++)
		if (strcmp(proofs[i].name, name) == 0)
			return proofs[i].proof;
	return 0;
}

static char *policy_read_proofs(const struct conf_section *section, struct peer_policy *policy)
{
	policy->authentication = 0;
	for (size_t i = 0; i < conf_list_count(section, "authentication"); i++) {
		const char *name = conf_list_at(section, "authentication", i);
		unsigned proof = proof_find(name);

		if (!proof)
			return conf_fault(section, "bad value \"%s\" for authentication; allowed: pin, ca, pki, dialback",
			                  name);
		policy->authentication |= proof;
	}
	return policy->authentication ? NULL : conf_fault(section, "authentication says no way at all");
}

bool policy_is_pin(const char *pin)
{
	struct buf decoded = { 0 };
	bool is_one = strlen(pin) == PIN_LEN && base64_decode(&decoded, pin, PIN_LEN) && decoded.len == 32;

	buf_clear(&decoded);
	return is_one;
}

static char *policy_read_pins(struct arena *arena, const struct conf_section *section, struct peer_policy *policy)
{
	policy->pin_count = conf_list_count(section, "pins");
	policy->pins = arena_zalloc(arena, policy->pin_count * sizeof(*policy->pins) + 1);
	for (size_t i = 0; i < policy->pin_count; i++) {
		policy->pins[i] = conf_list_at(section, "pins", i);
		if (!policy_is_pin(policy->pins[i]))
			return conf_fault(section, "\"%s\" is no pin, allowed: %d characters of base64", policy->pins[i],
			                  PIN_LEN);
	}
	if (policy->authentication & PEER_BY_PIN && policy->pin_count == 0)
		return conf_fault(section, "authentication by pin needs pins");
	return NULL;
}

static char *policy_read_ca(struct config *config, const struct conf_section *section, struct peer_policy *policy)
{
	const char *file = config_file(config, conf_string(section, "ca"));
	char *error = NULL, *fault;

	if (!(policy->authentication & PEER_BY_CA))
		return NULL;
	if (!file)
		return conf_fault(section, "authentication by ca needs the file ca");
	policy->ca = trust_new(file, &error);
	fault = error ? conf_fault(section, "%s", error) : NULL;
	free(error);
	return fault;
}

char *policy_read_pki(const struct conf_section *section, struct peer_policies *policies,
                             struct peer_policy *policy)
{
	char *error = NULL, *fault;

	if (!(policy->authentication & PEER_BY_PKI))
		return NULL;
	if (!policies->pki)
		policies->pki = trust_new(NULL, &error);
	policy->pki = policies->pki;
	fault = error ? conf_fault(section, "%s", error) : NULL;
	free(error);
	return fault;
}

char *policy_read_trust(struct config *config, const struct conf_section *own,
                               const struct conf_section *everybody, struct peer_policies *policies,
                               struct peer_policy *policy)
{
	char *fault = policy_read_proofs(policy_teller(own, everybody, "authentication"), policy);

	if (!fault)
		fault = policy_read_pins(&config->arena, policy_teller(own, everybody, "pins"), policy);
	if (!fault)
		fault = policy_read_ca(config, policy_teller(own, everybody, "ca"), policy);
	return fault ? fault : policy_read_pki(own, policies, policy);
}
