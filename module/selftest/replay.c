// SPDX-License-Identifier: GPL-2.0
/*
 * The replay window against a model that remembers every counter it has seen.
 */
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/prandom.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "../session.h"
#include "selftest.h"

#define WINDOW		((unsigned int)VPN_REPLAY_BITS)
#define SPAN		(16 * WINDOW)	/* counters that a trial uses */
#define MESSAGES	20000

struct trial {
	struct vpn_replay replay;
	u64 base;	/* lowest counter of the trial */
	u64 next;	/* highest accepted plus one; @base if there is none */
	u64 depth;	/* how far behind @next a counter may be */
	struct rnd_state random;
	DECLARE_BITMAP(seen, SPAN);
};

static bool accept(struct trial *t, u64 counter)
{
	bool accepted;

	spin_lock_bh(&t->replay.lock);
	accepted = vpn_replay_accept(&t->replay, counter);
	spin_unlock_bh(&t->replay.lock);
	return accepted;
}

static void begin(struct trial *t, u64 base)
{
	vpn_replay_init(&t->replay);
	bitmap_zero(t->seen, SPAN);
	t->base = base;
	t->next = base;
}

/*
 * How far a counter can fall behind depends on how the window is kept, within a
 * word; it must not depend on where the window is.
 */
static bool measure(struct trial *t)
{
	u64 top, depth;
	int i;

	t->depth = 0;
	for (i = 0; i < 2 * BITS_PER_LONG; i++) {
		top = 3 * WINDOW + i;
		for (depth = WINDOW + 1; depth; depth--) {
			vpn_replay_init(&t->replay);
			if (!accept(t, top)) {
				pr_err("vpn: replay: %llu refused as the first\n",
				       top);
				return false;
			}
			if (accept(t, top + 1 - depth))
				break;
		}
		if (depth < WINDOW - BITS_PER_LONG ||
		    depth > WINDOW || (t->depth && depth != t->depth)) {
			pr_err("vpn: replay: the window is %llu deep below %llu\n",
			       depth, top);
			return false;
		}
		t->depth = depth;
		cond_resched();
	}
	return true;
}

/* Offer a counter to both. */
static bool agree(struct trial *t, u64 counter)
{
	bool wanted;

	wanted = counter + t->depth >= t->next &&
		 !test_bit(counter - t->base, t->seen);
	if (wanted) {
		__set_bit(counter - t->base, t->seen);
		t->next = max(t->next, counter + 1);
	}
	if (accept(t, counter) == wanted)
		return true;
	pr_err("vpn: replay: %llu %s, highest %llu\n", counter,
	       wanted ? "refused" : "accepted", t->next - 1);
	return false;
}

static bool in_order(struct trial *t, u64 base)
{
	u64 i;

	begin(t, base);
	for (i = 0; i < 3 * WINDOW; i++) {
		if (!agree(t, base + i) || !agree(t, base + i))
			return false;
	}
	return true;
}

static bool backwards(struct trial *t, u64 base)
{
	u64 i;

	begin(t, base);
	for (i = 2 * WINDOW; i-- > 0;) {
		if (!agree(t, base + i))
			return false;
	}
	return agree(t, base) && agree(t, base + 2 * WINDOW);
}

/* Jumps by about the sizes at which a word, or the whole, starts again. */
static bool jumps(struct trial *t, u64 base)
{
	static const unsigned int sizes[] = {
		1, BITS_PER_LONG - 1, BITS_PER_LONG, BITS_PER_LONG + 1,
		WINDOW / 2, WINDOW - BITS_PER_LONG - 1,
		WINDOW - BITS_PER_LONG, WINDOW - BITS_PER_LONG + 1,
		WINDOW - 1, WINDOW, WINDOW + 1,
		2 * WINDOW, 3 * WINDOW + 17,
	};
	u64 top, back;
	int i;

	begin(t, base);
	for (top = base, i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (!agree(t, top))
			return false;
		/* The edge of the window, from both sides, and what was seen. */
		for (back = t->depth - 2; back <= t->depth + 1; back++) {
			if (top - base >= back && !agree(t, top - back))
				return false;
		}
		if (!agree(t, top) || (top > base && !agree(t, top - 1)))
			return false;
		top += sizes[i];
	}
	return true;
}

static bool disorder(struct trial *t, u64 base)
{
	u64 counter, top = base, end = base + SPAN - 1;
	int i;

	begin(t, base);
	for (i = 0; i < MESSAGES; i++) {
		u32 random = prandom_u32_state(&t->random);

		switch (random >> 28) {
		case 0:
			top += (random & 0xffff) % (WINDOW / 4);
			counter = top;
			break;
		case 1 ... 7:
			counter = ++top;
			break;
		default:
			counter = top - min_t(u64, top - base,
					      (random & 0xffff) %
					      (WINDOW + WINDOW / 4));
		}
		if (top > end) {
			begin(t, base);
			top = base;
			continue;
		}
		if (!agree(t, counter))
			return false;
	}
	return true;
}

bool vpn_selftest_replay(void)
{
	/* The latter end just below the first counter that is never used. */
	const u64 bases[] = { 0, 1ULL << 32, VPN_REJECT_AFTER_MESSAGES - SPAN };
	u64 seed = get_random_u64();
	bool good = false;
	struct trial *t;
	int i;

	t = kvzalloc_obj(*t, GFP_KERNEL);
	if (!t)
		return false;
	prandom_seed_state(&t->random, seed);
	if (!measure(t))
		goto out;
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		if (!in_order(t, bases[i]) || !backwards(t, bases[i]) ||
		    !jumps(t, bases[i]) || !disorder(t, bases[i])) {
			pr_err("vpn: replay: from %llu on, seed %#llx\n",
			       bases[i], seed);
			goto out;
		}
		cond_resched();
	}
	/* The very last counter, over what the trials have left. */
	good = agree(t, VPN_REJECT_AFTER_MESSAGES - 1) &&
	       agree(t, VPN_REJECT_AFTER_MESSAGES - 1) && !accept(t, 0);
out:
	kvfree(t);
	return good;
}
