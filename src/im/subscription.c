/* SPDX-License-Identifier: MIT
 *
 * RFC 6121 Appendix A as it stands there: one table for each direction and type, one row for each state.
 */
#include "im/subscription.h"

#include <assert.h>

enum { TYPES = 4 };

#define PASS(state) { true, SUBSCRIPTION_##state, STANZA_TYPE_NONE }
#define HOLD(state) { false, SUBSCRIPTION_##state, STANZA_TYPE_NONE }
#define PASS_REPLY(state, type) { true, SUBSCRIPTION_##state, PRESENCE_##type }
#define HOLD_REPLY(state, type) { false, SUBSCRIPTION_##state, PRESENCE_##type }

/* In the order of type_number(). */
static const struct subscription_rule outbound[TYPES][SUBSCRIPTIONS] = {
	{       /* A.2.1 subscribe */
		[SUBSCRIPTION_NONE] = PASS(NONE_OUT),
		[SUBSCRIPTION_NONE_OUT] = PASS(NONE_OUT),
		[SUBSCRIPTION_NONE_IN] = PASS(NONE_OUT_IN),
		[SUBSCRIPTION_NONE_OUT_IN] = PASS(NONE_OUT_IN),
		[SUBSCRIPTION_TO] = PASS(TO),
		[SUBSCRIPTION_TO_IN] = PASS(TO_IN),
		[SUBSCRIPTION_FROM] = PASS(FROM_OUT),
		[SUBSCRIPTION_FROM_OUT] = PASS(FROM_OUT),
		[SUBSCRIPTION_BOTH] = PASS(BOTH),
	},
	{       /* A.2.2 unsubscribe */
		[SUBSCRIPTION_NONE] = PASS(NONE),
		[SUBSCRIPTION_NONE_OUT] = PASS(NONE),
		[SUBSCRIPTION_NONE_IN] = PASS(NONE_IN),
		[SUBSCRIPTION_NONE_OUT_IN] = PASS(NONE_IN),
		[SUBSCRIPTION_TO] = PASS(NONE),
		[SUBSCRIPTION_TO_IN] = PASS(NONE_IN),
		[SUBSCRIPTION_FROM] = PASS(FROM),
		[SUBSCRIPTION_FROM_OUT] = PASS(FROM),
		[SUBSCRIPTION_BOTH] = PASS(FROM),
	},
	{       /* A.2.3 subscribed; what is held in None, None + Pending Out and To is a pre-approval, §3.4 */
		[SUBSCRIPTION_NONE] = HOLD(NONE),
		[SUBSCRIPTION_NONE_OUT] = HOLD(NONE_OUT),
		[SUBSCRIPTION_NONE_IN] = PASS(FROM),
		[SUBSCRIPTION_NONE_OUT_IN] = PASS(FROM_OUT),
		[SUBSCRIPTION_TO] = HOLD(TO),
		[SUBSCRIPTION_TO_IN] = PASS(BOTH),
		[SUBSCRIPTION_FROM] = HOLD(FROM),
		[SUBSCRIPTION_FROM_OUT] = HOLD(FROM_OUT),
		[SUBSCRIPTION_BOTH] = HOLD(BOTH),
	},
	{       /* A.2.4 unsubscribed */
		[SUBSCRIPTION_NONE] = HOLD(NONE),
		[SUBSCRIPTION_NONE_OUT] = HOLD(NONE_OUT),
		[SUBSCRIPTION_NONE_IN] = PASS(NONE),
		[SUBSCRIPTION_NONE_OUT_IN] = PASS(NONE_OUT),
		[SUBSCRIPTION_TO] = HOLD(TO),
		[SUBSCRIPTION_TO_IN] = PASS(TO),
		[SUBSCRIPTION_FROM] = PASS(NONE),
		[SUBSCRIPTION_FROM_OUT] = PASS(NONE_OUT),
		[SUBSCRIPTION_BOTH] = PASS(TO),
	},
};

static const struct subscription_rule inbound[TYPES][SUBSCRIPTIONS] = {
	{       /* A.3.1 subscribe */
		[SUBSCRIPTION_NONE] = PASS(NONE_IN),
		[SUBSCRIPTION_NONE_OUT] = PASS(NONE_OUT_IN),
		[SUBSCRIPTION_NONE_IN] = HOLD(NONE_IN),
		[SUBSCRIPTION_NONE_OUT_IN] = HOLD(NONE_OUT_IN),
		[SUBSCRIPTION_TO] = PASS(TO_IN),
		[SUBSCRIPTION_TO_IN] = HOLD(TO_IN),
		[SUBSCRIPTION_FROM] = HOLD_REPLY(FROM, SUBSCRIBED),
		[SUBSCRIPTION_FROM_OUT] = HOLD_REPLY(FROM_OUT, SUBSCRIBED),
		[SUBSCRIPTION_BOTH] = HOLD_REPLY(BOTH, SUBSCRIBED),
	},
	{       /* A.3.2 unsubscribe */
		[SUBSCRIPTION_NONE] = HOLD(NONE),
		[SUBSCRIPTION_NONE_OUT] = HOLD(NONE_OUT),
		[SUBSCRIPTION_NONE_IN] = PASS_REPLY(NONE, UNSUBSCRIBED),
		[SUBSCRIPTION_NONE_OUT_IN] = PASS_REPLY(NONE_OUT, UNSUBSCRIBED),
		[SUBSCRIPTION_TO] = HOLD(TO),
		[SUBSCRIPTION_TO_IN] = PASS_REPLY(TO, UNSUBSCRIBED),
		[SUBSCRIPTION_FROM] = PASS_REPLY(NONE, UNSUBSCRIBED),
		[SUBSCRIPTION_FROM_OUT] = PASS_REPLY(NONE_OUT, UNSUBSCRIBED),
		[SUBSCRIPTION_BOTH] = PASS_REPLY(TO, UNSUBSCRIBED),
	},
	{       /* A.3.3 subscribed */
		[SUBSCRIPTION_NONE] = HOLD(NONE),
		[SUBSCRIPTION_NONE_OUT] = PASS(TO),
		[SUBSCRIPTION_NONE_IN] = HOLD(NONE_IN),
		[SUBSCRIPTION_NONE_OUT_IN] = PASS(TO_IN),
		[SUBSCRIPTION_TO] = HOLD(TO),
		[SUBSCRIPTION_TO_IN] = HOLD(TO_IN),
		[SUBSCRIPTION_FROM] = HOLD(FROM),
		[SUBSCRIPTION_FROM_OUT] = PASS(BOTH),
		[SUBSCRIPTION_BOTH] = HOLD(BOTH),
	},
	{       /* A.3.4 unsubscribed */
		[SUBSCRIPTION_NONE] = HOLD(NONE),
		[SUBSCRIPTION_NONE_OUT] = PASS(NONE),
		[SUBSCRIPTION_NONE_IN] = HOLD(NONE_IN),
		[SUBSCRIPTION_NONE_OUT_IN] = PASS(NONE_IN),
		[SUBSCRIPTION_TO] = PASS(NONE),
		[SUBSCRIPTION_TO_IN] = PASS(NONE_IN),
		[SUBSCRIPTION_FROM] = HOLD(FROM),
		[SUBSCRIPTION_FROM_OUT] = PASS(FROM),
		[SUBSCRIPTION_BOTH] = PASS(FROM),
	},
};

/* A.1: what each state consists of. */
static const struct {
	bool gives, gets, asked, pending;
	const char *name;
} states[SUBSCRIPTIONS] = {
	[SUBSCRIPTION_NONE] = { false, false, false, false, "none" },
	[SUBSCRIPTION_NONE_OUT] = { false, false, true, false, "none" },
	[SUBSCRIPTION_NONE_IN] = { false, false, false, true, "none" },
	[SUBSCRIPTION_NONE_OUT_IN] = { false, false, true, true, "none" },
	[SUBSCRIPTION_TO] = { false, true, false, false, "to" },
	[SUBSCRIPTION_TO_IN] = { false, true, false, true, "to" },
	[SUBSCRIPTION_FROM] = { true, false, false, false, "from" },
	[SUBSCRIPTION_FROM_OUT] = { true, false, true, false, "from" },
	[SUBSCRIPTION_BOTH] = { true, true, false, false, "both" },
};

static int type_number(enum stanza_type type)
{
	switch (type) {
	case PRESENCE_SUBSCRIBE:
		return 0;
	case PRESENCE_UNSUBSCRIBE:
		return 1;
	case PRESENCE_SUBSCRIBED:
		return 2;
	case PRESENCE_UNSUBSCRIBED:
		return 3;
	default:
		return -1;
	}
}

bool subscription_is_type(enum stanza_type type)
{
	return type_number(type) >= 0;
}

const struct subscription_rule *subscription_outbound(enum stanza_type type, enum subscription state)
{
	assert(subscription_is_type(type) && state < SUBSCRIPTIONS);
	return &outbound[type_number(type)][state];
}

const struct subscription_rule *subscription_inbound(enum stanza_type type, enum subscription state)
{
	assert(subscription_is_type(type) && state < SUBSCRIPTIONS);
	return &inbound[type_number(type)][state];
}

enum subscription subscription_granted(enum subscription state)
{
	enum subscription asked = subscription_inbound(PRESENCE_SUBSCRIBE, state)->next;

	return subscription_outbound(PRESENCE_SUBSCRIBED, asked)->next;
}

bool subscription_gives(enum subscription state)
{
	return states[state].gives;
}

bool subscription_gets(enum subscription state)
{
	return states[state].gets;
}

bool subscription_is_asked(enum subscription state)
{
	return states[state].asked;
}

bool subscription_is_pending(enum subscription state)
{
	return states[state].pending;
}

const char *subscription_name(enum subscription state)
{
	return states[state].name;
}
