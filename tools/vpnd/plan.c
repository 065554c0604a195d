// SPDX-License-Identifier: GPL-2.0
#include "plan.h"

#include <string.h>

#include "log.h"
#include "share.h"

struct plan {
	struct world *w;
	struct journal *journal;
	const struct item_list *items;
	bool dry;
	FILE *to;
	struct vpn_error *err;
};

static void describe(const struct plan *p, const struct item *item, const char *sign)
{
	if (!p->to)
		return;
	if (item->kind->describe)
		item->kind->describe(p->w, item, sign, p->to);
	else
		fprintf(p->to, "%s %s %s\n", sign, item->kind->name, item->key);
}

/* Will the device itself be removed by this plan? Then what it has goes with it. */
static bool device_goes(const struct plan *p)
{
	return journal_find(p->journal, &kind_device, p->w->ifname) &&
	       !item_find(p->items, &kind_device, p->w->ifname);
}

/* Others that count on the same are not to do so at the same time. */
static int lock_shared(const struct plan *p, const struct item_kind *kind)
{
	return kind->shared && !p->dry ? share_lock(p->journal) : -1;
}

static bool is_needed(const struct plan *p, const struct item *item)
{
	return item->kind->shared && share_find(p->journal, item, NULL);
}

/* With no room left to say that it has begun, it is undone all the same. */
static int undo_item(const struct plan *p, struct journal_entry *entry)
{
	const struct item_kind *kind = entry->item.kind;

	p->w->resumed = entry->undoing;
	if (kind->in_steps && !entry->undoing)
		journal_undoing(p->journal, entry, p->err);
	return kind->undo(p->w, &entry->item, entry->before, p->err);
}

static int undo_locked(const struct plan *p, struct journal_entry *entry, bool with_device)
{
	const struct item_kind *kind = entry->item.kind;
	int ret = 0;

	if (!(with_device && kind->of_device) && !is_needed(p, &entry->item)) {
		describe(p, &entry->item, "-");
		if (!p->dry)
			ret = undo_item(p, entry);
	}
	return ret || p->dry ? ret : journal_undone(p->journal, entry, p->err);
}

static int undo_entry(const struct plan *p, struct journal_entry *entry, bool with_device)
{
	int lock = lock_shared(p, entry->item.kind);
	int ret = undo_locked(p, entry, with_device);

	share_unlock(lock);
	return ret;
}

static int undo_made(const struct plan *p, struct journal_entry *entry)
{
	int ret = undo_item(p, entry);

	return ret ? ret : journal_undone(p->journal, entry, p->err);
}

static int undo_others(const struct plan *p)
{
	bool with_device = device_goes(p);
	struct journal_entry *entry, *prev;
	int ret = 0;

	for (entry = p->journal->last; entry && !ret; entry = prev) {
		prev = entry->prev;
		if (!item_find(p->items, entry->item.kind, entry->item.key))
			ret = undo_entry(p, entry, with_device);
	}
	return ret;
}

static bool is_good(const struct plan *p, const struct item *item,
		    const struct journal_entry *entry)
{
	if (entry && !json_equal(entry->item.value, item->value))
		return false;
	if (entry && item->kind->once)
		return true;
	if (!entry && item->kind->by_name)
		return false;
	return item->kind->matches(p->w, item);
}

/* What the server wishes and this host cannot do is no reason to leave the rest out. */
static int skip(const struct plan *p, const struct item *item)
{
	struct journal_entry *entry = journal_find(p->journal, item->kind, item->key);

	log_event(LEVEL_WARNING, "what the server wishes cannot be done", "what",
		  item->kind->name, "which", item->key, "reason", p->err->text);
	return entry ? journal_undone(p->journal, entry, p->err) : 0;
}

/* What runs once, or was made by another method, is no more what it was. */
static bool begins_anew(const struct journal_entry *entry, const struct item *item)
{
	return entry && !json_equal(entry->item.value, item->value) &&
	       (item->kind->once ||
		strcmp(item_text(&entry->item, "method"), item_text(item, "method")));
}

static json_t *find_before(const struct plan *p, const struct item *item)
{
	json_t *before = NULL;

	if (item->kind->shared && share_find(p->journal, item, &before))
		return before;
	return item->kind->before ? item->kind->before(p->w, item) : NULL;
}

static int make_locked(const struct plan *p, const struct item *item)
{
	struct journal_entry *entry = journal_find(p->journal, item->kind, item->key);
	json_t *before = NULL;
	int ret;

	p->w->before = entry ? entry->before : NULL;
	if (is_good(p, item, entry))
		return 0;
	describe(p, item, entry ? "~" : "+");
	if (p->dry)
		return 0;
	if (begins_anew(entry, item)) {
		ret = undo_made(p, entry);
		if (ret)
			return ret;
		entry = NULL;
		p->w->before = NULL;
	}
	if (!entry)
		before = find_before(p, item);
	ret = journal_make(p->journal, item, before, p->err);
	entry = journal_find(p->journal, item->kind, item->key);
	p->w->before = entry ? entry->before : NULL;
	if (!ret)
		ret = item->kind->make(p->w, item, p->err);
	return ret && item->pushed ? skip(p, item) : ret;
}

static int make_item(const struct plan *p, const struct item *item)
{
	int lock = lock_shared(p, item->kind);
	int ret = make_locked(p, item);

	share_unlock(lock);
	return ret;
}

int plan_apply(struct world *w, struct journal *journal, const struct item_list *items, bool dry,
	       FILE *to, struct vpn_error *err)
{
	const struct plan p = { w, journal, items, dry, to, err };
	const struct item *item;
	int ret;

	ret = undo_others(&p);
	for (item = items->first; item && !ret; item = item->next)
		ret = make_item(&p, item);
	return ret;
}

unsigned int plan_undo_all(struct world *w, struct journal *journal)
{
	const struct item_list none = { 0 };
	struct vpn_error err;
	const struct plan p = { .w = w, .journal = journal, .items = &none, .err = &err };
	struct journal_entry *entry, *prev;
	bool with_device = device_goes(&p);
	unsigned int failed = 0;

	for (entry = journal->last; entry; entry = prev) {
		prev = entry->prev;
		if (!undo_entry(&p, entry, with_device))
			continue;
		log_event(LEVEL_ERROR, "cannot be undone", "what", entry->item.kind->name, "which",
			  entry->item.key, "reason", err.text);
		failed++;
	}
	return failed;
}
