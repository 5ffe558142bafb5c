/* SPDX-License-Identifier: MIT
 *
 * The `peer` sections. What a peer's own section does not say is taken from the section "*", with one
 * exception: who is named in a section of his own is allowed unless it says otherwise, also where all
 * others are denied.
 */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

#include "policy_inside.h"
#include "s2s.h"
#include "xmpp/jid.h"

#define EVERYBODY "*"

enum { MINUTE_MS = 60 * 1000, DAY_MS = 24 * 60 * MINUTE_MS };

/* What an administrator who says no more than the role wants. */
static const struct role {
	const char *name;
	uint64_t lifetime_ms, idle_ms;
} roles[] = {
	[PEER_BRANCH] = { "branch", 3 * DAY_MS, 0 },
	[PEER_PARTNER] = { "partner", DAY_MS, 10 * MINUTE_MS },
	[PEER_STRANGER] = { "stranger", 10 * MINUTE_MS, 10 * MINUTE_MS },
};
#define ALL_KINDS (1u << STANZA_MESSAGE | 1u << STANZA_PRESENCE | 1u << STANZA_IQ)

static const struct conf_option peer_options[] = {
	{ .name = "address",
	  .type = CONF_LIST,
	  .sentence = "Where the peer's server is, as \"host\" or \"host:port\", tried in this order instead "
	              "of what the DNS says.",
	  .example = "{ \"xmpp.south.example:5269\" }" },
	{ .name = "direct-tls",
	  .type = CONF_BOOL,
	  .fallback = "no",
	  .sentence = "Whether TLS begins with the first byte at the addresses that are named here, as it does "
	              "where the DNS has _xmpps-server records (XEP-0368)." },
	{ .name = "allow",
	  .type = CONF_BOOL,
	  .fallback = "true",
	  .sentence = "Whether stanzas are exchanged with this domain. With false in the section \"*\" only "
	              "the peers that have a section of their own are spoken to." },
	{ .name = "role",
	  .type = CONF_CHOICE,
	  .allowed = "branch | partner | stranger",
	  .sentence = "What this domain is to us. Messages wait 3 days for a branch, a day for a partner, and the stream to a "
	              "branch is kept open; for both they wait also when the other server, or the DNS, says no, since "
	              "somebody will mend that. For a stranger they wait 10 minutes, and come back at once then. Unless it is "
	              "said the section \"*\" is about strangers, each other one about a branch.",
	  .example = "partner" },
	{ .name = "tls",
	  .type = CONF_CHOICE,
	  .fallback = "required",
	  .allowed = "required | optional | 1.3",
	  .sentence = "Whether streams with this domain must be encrypted, in both directions; with 1.3 by that version of "
	              "TLS, else 1.2 is enough." },
	{ .name = "takes",
	  .type = CONF_LIST,
	  .fallback = "message, presence, iq",
	  .sentence = "Which stanzas are taken from this domain: message, presence, iq; or none. Others are answered with "
	              "not-allowed. Answers to what was sent from here pass always.",
	  .example = "{ message }" },
	{ .name = "sends",
	  .type = CONF_LIST,
	  .fallback = "message, presence, iq",
	  .sentence = "Which stanzas people here may send to this domain, likewise.",
	  .example = "{ message, presence }" },
	{ .name = "authentication",
	  .type = CONF_LIST,
	  .fallback = "pki, dialback",
	  .sentence = "How this domain may prove who it is, in both directions; one of them is enough: pin (the key of "
	              "its certificate is one of pins), ca (signed by an authority in the file ca), pki (signed by one of "
	              "the system's authorities), dialback (it answers at the address that the DNS names).",
	  .example = "{ pin }" },
	{ .name = "pins",
	  .type = CONF_LIST,
	  .sentence = "The keys of the certificates that this domain may show, old and new while it changes them: the "
	              "base64 of SHA-256 of the public key, as hansactl peer show prints it.",
	  .example = "{ \"x2jGnVnVYjPjqVfxl3JCCzTDIG0ULEhEqqMDXxtXwXs=\" }" },
	{ .name = "ca",
	  .type = CONF_STRING,
	  .sentence = "A PEM file with the authorities, or the very certificates, that are trusted for this domain.",
	  .example = "\"branches-ca.pem\"" },
	{ .name = "lifetime",
	  .type = CONF_TIME,
	  .min = 1000,
	  .max = 30ll * 24 * 3600 * 1000,
	  .sentence = "How long a message or a change of a subscription may wait for the link, over restarts too, before it is "
	              "returned to its sender; else it is as the role says.",
	  .example = "3d" },
	{ .name = "wait",
	  .type = CONF_TIME,
	  .fallback = "60s",
	  .min = 1000,
	  .max = 24 * 3600 * 1000,
	  .sentence = "How long presence waits for the link, and what else is not kept." },
	{ .name = "wait-iq",
	  .type = CONF_TIME,
	  .fallback = "30s",
	  .min = 1000,
	  .max = 3600 * 1000,
	  .sentence = "How long an iq waits for a link that is being made before it is returned to its sender." },
	{ .name = "queue-stanzas",
	  .type = CONF_INT,
	  .fallback = "100000",
	  .min = 1,
	  .max = 10000000,
	  .sentence = "How many stanzas may wait for the link; those beyond are returned at once." },
	{ .name = "queue-bytes",
	  .type = CONF_SIZE,
	  .fallback = "100MB",
	  .min = 1024,
	  .max = 1024 * 1024 * 1024,
	  .sentence = "How many bytes of stanzas may wait for the link; those beyond are returned at once." },
	{ .name = "queue-memory",
	  .type = CONF_SIZE,
	  .fallback = "1MB",
	  .min = 1024,
	  .max = 1024 * 1024 * 1024,
	  .sentence = "How many bytes of what waits for the link are kept in memory; what is beyond lies in the store and is "
	              "read when its turn comes." },
	{ .name = "resume-time",
	  .type = CONF_TIME,
	  .fallback = "24h",
	  .min = 0,
	  .max = 7 * 24 * 3600 * 1000,
	  .sentence = "How long this domain may resume its broken stream to us, so that nothing is lost or comes twice "
	              "(XEP-0198); 0s: not at all." },
	{ .name = "idle",
	  .type = CONF_TIME,
	  .min = 0,
	  .max = 24 * 3600 * 1000,
	  .sentence = "After so long without a stanza our stream to this domain is closed; 0s keeps it open. Else it is as "
	              "the role says: 0s for a branch, 10m for others.",
	  .example = "10m" },
	{ 0 },
};

static const struct conf_option pair_options[] = {
	{ .name = "unverified-pairs",
	  .type = CONF_INT,
	  .fallback = "16",
	  .min = 1,
	  .max = 1000,
	  .sentence = "How many pairs of domains may be under verification at once on a stream from another "
	              "server." },
	{ .name = "verified-pairs",
	  .type = CONF_INT,
	  .fallback = "256",
	  .min = 1,
	  .max = 10000,
	  .sentence = "How many verified pairs of domains a stream from another server may carry." },
	{ 0 },
};

const struct conf_section_kind policy_sections[] = {
	{ .name = "peer",
	  .titled = true,
	  .options = peer_options,
	  .sentence = "What is agreed with a remote domain, which the title names; the title \"*\" is for "
	              "all others." },
	{ .name = "limits", .options = pair_options },
	{ 0 },
};

/* ---- reading ---- */

const struct conf_section *policy_teller(const struct conf_section *own, const struct conf_section *everybody,
                                         const char *option)
{
	return everybody && !conf_is_set(own, option) ? everybody : own;
}

static enum peer_tls tls_read(const char *word)
{
	return strcmp(word, "optional") == 0 ? PEER_TLS_OPTIONAL : strcmp(word, "1.3") == 0 ? PEER_TLS_1_3
	                                                                                    : PEER_TLS_REQUIRED;
}

/* The kinds of stanzas that a list names; "none" is none of them. */
static char *kinds_read(const struct conf_section *section, const char *option, unsigned *kinds)
{
	*kinds = 0;
	for (size_t i = 0; i < conf_list_count(section, option); i++) {
		const char *name = conf_list_at(section, option, i);
		enum stanza_kind kind = STANZA_MESSAGE;

		if (strcmp(name, "none") == 0)
			continue;
		while (kind <= STANZA_IQ && strcmp(stanza_kind_name(kind), name) != 0)
			kind++;
		if (kind > STANZA_IQ)
			return conf_fault(section, "bad value \"%s\" for %s; allowed: message, presence, iq, none", name,
			                  option);
		*kinds |= 1u << kind;
	}
	return NULL;
}

static char *policy_read_kinds(const struct conf_section *own, const struct conf_section *everybody,
                               struct peer_policy *policy)
{
	char *fault = kinds_read(policy_teller(own, everybody, "takes"), "takes", &policy->takes);

	return fault ? fault : kinds_read(policy_teller(own, everybody, "sends"), "sends", &policy->sends);
}

static enum peer_role role_read(const char *name, enum peer_role unsaid)
{
	for (size_t i = 0; name && i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(name, roles[i].name) == 0)
			return (enum peer_role)i;
	return unsaid;
}

static uint64_t time_read(const struct conf_section *section, const char *option, uint64_t unsaid_ms)
{
	return conf_is_set(section, option) ? (uint64_t)conf_number(section, option) : unsaid_ms;
}

/* A role is one's own: what strangers are is nothing for who is named. */
static void policy_read(const struct conf_section *own, const struct conf_section *everybody,
                        struct peer_policy *policy)
{
#define SAID(option) policy_teller(own, everybody, option), option
	policy->role = role_read(conf_string(own, "role"), everybody == own ? PEER_STRANGER : PEER_BRANCH);
	policy->allow = conf_bool(own, "allow");
	policy->tls = tls_read(conf_string(SAID("tls")));
	policy->outbox = (struct outbox_limits){
		.entries = (size_t)conf_number(SAID("queue-stanzas")),
		.bytes = (size_t)conf_number(SAID("queue-bytes")),
		.memory = (size_t)conf_number(SAID("queue-memory")),
		.lifetime_ms = time_read(SAID("lifetime"), roles[policy->role].lifetime_ms),
		.wait_ms = (uint64_t)conf_number(SAID("wait")),
		.wait_iq_ms = (uint64_t)conf_number(SAID("wait-iq")),
	};
	policy->resume_ms = (uint32_t)conf_number(SAID("resume-time"));
	policy->idle_ms = time_read(SAID("idle"), roles[policy->role].idle_ms);
#undef SAID
}

/* Two titles may be the same domain in different spelling. */
static bool policies_have(const struct peer_policies *policies, const char *domain)
{
	for (size_t i = 0; i < policies->count; i++)
		if (strcmp(policies->peers[i].domain, domain) == 0)
			return true;
	return false;
}

static char *policy_read_peer(struct config *config, const struct conf_section *section,
                              const struct conf_section *everybody, struct peer_policies *policies)
{
	struct peer_policy *policy = &policies->peers[policies->count];
	const char *title = conf_title(section);
	struct jid domain;
	char *fault;

	if (!jid_domain_prepare(&config->arena, title, strlen(title), &domain))
		return conf_fault(section, "peer \"%s\" is not a domain name, allowed: a domain or \"*\"",
		                  title);
	if (policies_have(policies, domain.text))
		return conf_fault(section, "peer \"%s\" has a section already", title);
	if (config_host(config, domain.text, strlen(domain.text)))
		return conf_fault(section, "\"%s\" is a host of this server, allowed: domains of others",
		                  title);
	if (conf_bool(section, "direct-tls") && !config->tls_client)
		return conf_fault(section, "direct-tls needs a certificate of ours, in section tls");
	policy->domain = domain.text;
	policies->count++;
	policy_read(section, everybody, policy);
	fault = policy_read_kinds(section, everybody, policy);
	if (!fault)
		fault = policy_read_trust(config, section, everybody, policies, policy);
	return fault ? fault : policy_read_targets(&config->arena, section, policy);
}

static const struct conf_section *policy_find_everybody(const struct conf *conf, size_t *sections)
{
	const struct conf_section *section, *everybody = NULL;

	for (*sections = 0; (section = conf_section_at(conf, "peer", *sections)); (*sections)++)
		if (strcmp(conf_title(section), EVERYBODY) == 0)
			everybody = section;
	return everybody;
}

static int policy_compare(const void *a, const void *b)
{
	return strcmp(((const struct peer_policy *)a)->domain, ((const struct peer_policy *)b)->domain);
}

/* What holds where the file has no section "*": the options' fallbacks, which stand in their rows. */
static const struct peer_policy policy_default = {
	.domain = EVERYBODY,
	.role = PEER_STRANGER,
	.allow = true,
	.tls = PEER_TLS_REQUIRED,
	.takes = ALL_KINDS,
	.sends = ALL_KINDS,
	.authentication = PEER_BY_PKI | PEER_BY_DIALBACK,
	.outbox = {
		.entries = 100000,
		.bytes = 100 * 1024 * 1024,
		.memory = 1024 * 1024,
		.lifetime_ms = 10 * MINUTE_MS,
		.wait_ms = 60000,
		.wait_iq_ms = 30000,
	},
	.resume_ms = 24 * 3600 * 1000,
	.idle_ms = 10 * MINUTE_MS,
};

void *policy_configure(struct config *config, const struct conf *conf, char **error)
{
	struct peer_policies *policies = arena_zalloc(&config->arena, sizeof(*policies));
	size_t sections;
	const struct conf_section *everybody = policy_find_everybody(conf, &sections), *section;

	policies->unverified_pairs = (size_t)conf_number(conf_section(conf, "limits"), "unverified-pairs");
	policies->verified_pairs = (size_t)conf_number(conf_section(conf, "limits"), "verified-pairs");
	policies->peers = arena_zalloc(&config->arena, sections * sizeof(*policies->peers) + 1);
	policies->fallback = policy_default;
	if (everybody) {
		policy_read(everybody, everybody, &policies->fallback);
		*error = policy_read_kinds(everybody, NULL, &policies->fallback);
		if (!*error)
			*error = policy_read_trust(config, everybody, NULL, policies, &policies->fallback);
	} else {
		*error = policy_read_pki(NULL, policies, &policies->fallback);
	}
	for (size_t i = 0; !*error && (section = conf_section_at(conf, "peer", i)); i++)
		if (section != everybody)
			*error = policy_read_peer(config, section, everybody, policies);
	if (*error) {
		policy_unconfigure(policies);
		return NULL;
	}
	qsort(policies->peers, policies->count, sizeof(*policies->peers), policy_compare);
	return policies;
}

void policy_unconfigure(void *part)
{
	struct peer_policies *policies = part;

	for (size_t i = 0; i < policies->count; i++)
		trust_unref(&policies->peers[i].ca);
	trust_unref(&policies->fallback.ca);
	trust_unref(&policies->pki);
}

/* ---- asking ---- */

bool policy_suits_tls(const struct peer_policy *policy, const char *version)
{
	switch (policy->tls) {
	case PEER_TLS_OPTIONAL:
		return true;
	case PEER_TLS_REQUIRED:
		return *version;
	default:
		return strcmp(version, "TLSv1.3") == 0;
	}
}

bool policy_lets(unsigned kinds, const struct stanza *stanza)
{
	switch (stanza->type) {
	case MESSAGE_ERROR:
	case PRESENCE_ERROR:
	case IQ_ERROR:
	case IQ_RESULT:
		return true;
	default:
		return kinds & 1u << stanza->kind;
	}
}

const char *policy_role_name(const struct peer_policy *policy)
{
	return roles[policy->role].name;
}

const struct peer_policies *policies_of(const struct config *config)
{
	return config_part(config, &s2s_module);
}

const struct peer_policy *policy_find(const struct config *config, const char *domain, size_t len)
{
	const struct peer_policies *policies = policies_of(config);
	size_t low = 0, high = policies->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct peer_policy *peer = &policies->peers[middle];
		int order = strncmp(domain, peer->domain, len);

		if (order == 0 && !peer->domain[len])
			return peer;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return &policies->fallback;
}
