// SPDX-License-Identifier: GPL-2.0
#include "item.h"

#include <stdlib.h>
#include <string.h>

#include "../libvpn/link.h"

static const struct item_kind *const kinds[] = {
	&kind_device, &kind_address, &kind_mtu, &kind_pool, &kind_settings, &kind_up, &kind_route,
	&kind_rule, &kind_forwarding, &kind_sysctl, &kind_firewall, &kind_opening,
	&kind_dns, &kind_hook,
};

const struct item_kind *item_kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	}
	return NULL;
}

void item_list_init(struct item_list *list)
{
	list->first = NULL;
	list->end = &list->first;
	list->pushed = false;
}

bool item_add(struct item_list *list, const struct item_kind *kind, const char *key, json_t *value)
{
	struct item *item = calloc(1, sizeof(*item));

	if (item)
		item->key = strdup(key);
	if (!item || !item->key || !value) {
		free(item);
		json_decref(value);
		return false;
	}
	item->kind = kind;
	item->value = value;
	item->pushed = list->pushed;
	*list->end = item;
	list->end = &item->next;
	return true;
}

void item_list_free(struct item_list *list)
{
	struct item *item;

	while ((item = list->first)) {
		list->first = item->next;
		json_decref(item->value);
		free(item->key);
		free(item);
	}
	list->end = &list->first;
}

const struct item *item_find(const struct item_list *list, const struct item_kind *kind,
			     const char *key)
{
	const struct item *item;

	for (item = list->first; item; item = item->next) {
		if (item->kind == kind && !strcmp(item->key, key))
			return item;
	}
	return NULL;
}

uint32_t world_ifindex(const struct world *w)
{
	struct vpn_error err;
	uint32_t ifindex;

	return vpn_link_find(w->ifname, &ifindex, &err) ? 0 : ifindex;
}

bool world_is_up(struct world *w)
{
	uint32_t ifindex = world_ifindex(w);
	struct vpn_error err;
	bool up = false;

	return ifindex && !vpn_rtnl_is_up(&w->rtnl, ifindex, &up, &err) && up;
}

const char *item_text(const struct item *item, const char *name)
{
	const char *text = json_string_value(json_object_get(item->value, name));

	return text ? text : "";
}

int64_t item_number(const struct item *item, const char *name)
{
	return json_integer_value(json_object_get(item->value, name));
}
