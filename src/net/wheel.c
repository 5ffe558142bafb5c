/* SPDX-License-Identifier: MIT
 *
 * The timer wheel. At level L a slot spans 64^L ticks; a timer lies at the lowest level at which its slot is less than
 * 64 slots ahead. When the wheel reaches the first tick of a coarse slot, the timers in it are laid down again. Ticks
 * on which nothing lies are passed over in one step, however many they are.
 */
#include "wheel.h"

/* Of a level: the number of the slot in which a tick lies, counted from the beginning of time. */
static uint64_t wheel_position(uint64_t tick, unsigned level)
{
	return tick >> (WHEEL_BITS * level);
}

void wheel_init(struct wheel *wheel, uint64_t now_ms)
{
	*wheel = (struct wheel){ .tick = now_ms / WHEEL_TICK_MS };
	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&wheel->slots[level][slot]);
	list_init(&wheel->due);
}

static void wheel_put(struct wheel *wheel, unsigned level, uint64_t position, struct timer *timer)
{
	unsigned slot = position % WHEEL_SLOTS;

	list_add_last(&wheel->slots[level][slot], &timer->link);
	wheel->used[level] |= UINT64_C(1) << slot;
}

/* tick lies behind wheel->tick. What is farther away than the wheel reaches waits in its last slot. */
static void wheel_lay(struct wheel *wheel, struct timer *timer, uint64_t tick)
{
	uint64_t last;

	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		uint64_t position = wheel_position(tick, level);

		if (position - wheel_position(wheel->tick, level) < WHEEL_SLOTS) {
			wheel_put(wheel, level, position, timer);
			return;
		}
	}
	last = wheel_position(wheel->tick, WHEEL_LEVELS - 1) + WHEEL_SLOTS - 1;
	wheel_put(wheel, WHEEL_LEVELS - 1, last, timer);
}

static uint64_t timer_tick(const struct timer *timer)
{
	return timer->due_ms / WHEEL_TICK_MS + (timer->due_ms % WHEEL_TICK_MS != 0);
}

void wheel_add(struct wheel *wheel, struct timer *timer)
{
	uint64_t tick = timer_tick(timer);

	wheel_lay(wheel, timer, tick > wheel->tick ? tick : wheel->tick + 1);
}

/* Bit n becomes bit 0. */
static uint64_t bits_rotate(uint64_t bits, unsigned n)
{
	return bits >> n | bits << (WHEEL_SLOTS - n) % WHEEL_SLOTS;
}

/* The first tick of the next slot of a level that holds a timer. */
static uint64_t wheel_next_of_level(struct wheel *wheel, unsigned level)
{
	uint64_t current = wheel_position(wheel->tick, level);

	while (wheel->used[level]) {
		uint64_t ahead = bits_rotate(wheel->used[level], (current + 1) % WHEEL_SLOTS);
		uint64_t position = current + 1 + (unsigned)__builtin_ctzll(ahead);
		unsigned slot = position % WHEEL_SLOTS;

		if (!list_is_empty(&wheel->slots[level][slot]))
			return position << (WHEEL_BITS * level);
		wheel->used[level] &= ~(UINT64_C(1) << slot);
	}
	return UINT64_MAX;
}

static uint64_t wheel_next_tick(struct wheel *wheel)
{
	uint64_t next = UINT64_MAX;

	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		uint64_t tick = wheel_next_of_level(wheel, level);

		if (tick < next)
			next = tick;
	}
	return next;
}

uint64_t wheel_next_ms(struct wheel *wheel)
{
	uint64_t tick = wheel_next_tick(wheel);

	return tick == UINT64_MAX ? UINT64_MAX : tick * WHEEL_TICK_MS;
}

/* Takes a slot apart: its timers are due now or lie at a finer level. */
static void wheel_empty_slot(struct wheel *wheel, unsigned level)
{
	struct list *slot = &wheel->slots[level][wheel_position(wheel->tick, level) % WHEEL_SLOTS];
	struct list_link *link;

	while ((link = list_take_first(slot))) {
		struct timer *timer = LIST_MEMBER(link, struct timer, link);
		uint64_t tick = timer_tick(timer);

		if (tick <= wheel->tick)
			list_add_last(&wheel->due, link);
		else
			wheel_lay(wheel, timer, tick);
	}
}

static bool wheel_is_slot_start(const struct wheel *wheel, unsigned level)
{
	return wheel_position(wheel->tick, level) << (WHEEL_BITS * level) == wheel->tick;
}

void wheel_advance(struct wheel *wheel, uint64_t now_ms)
{
	uint64_t target = now_ms / WHEEL_TICK_MS, next;

	while ((next = wheel_next_tick(wheel)) <= target) {
		wheel->tick = next;
		for (unsigned level = WHEEL_LEVELS; level-- > 0;)
			if (wheel_is_slot_start(wheel, level))
				wheel_empty_slot(wheel, level);
	}
	if (target > wheel->tick)
		wheel->tick = target;
}
