// SPDX-License-Identifier: GPL-2.0
#include "guest.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libcred/file.h"
#include "../libvpn/address.h"
#include "../libvpn/key.h"
#include "clock.h"

static int compare(const void *a, const void *b)
{
	return memcmp(((const struct guest *)a)->key, ((const struct guest *)b)->key, VPN_KEY_LEN);
}

static void keep(void *node)
{
	(void)node;
}

void guests_init(struct guests *guests)
{
	memset(guests, 0, sizeof(*guests));
	guests->end = &guests->first;
}

static void forget_credential(struct guest *guest)
{
	if (guest->credential)
		explicit_bzero(guest->credential, guest->credential_len);
	free(guest->credential);
	guest->credential = NULL;
	guest->credential_len = 0;
}

static void free_guest(struct guest *guest)
{
	forget_credential(guest);
	vpn_addresses_free(&guest->addresses);
	vpn_addresses_free(&guest->leased);
	free(guest);
}

void guests_free(struct guests *guests)
{
	struct guest *guest;

	tdestroy(guests->by_key, keep);
	while ((guest = guests->first)) {
		guests->first = guest->next;
		free_guest(guest);
	}
	guests_init(guests);
}

struct guest *guests_find(const struct guests *guests, const uint8_t key[VPN_KEY_LEN])
{
	struct guest wanted, **found;

	memcpy(wanted.key, key, VPN_KEY_LEN);
	found = tfind(&wanted, &guests->by_key, compare);
	return found ? *found : NULL;
}

struct guest *guests_add(struct guests *guests, const uint8_t key[VPN_KEY_LEN])
{
	struct guest *guest = guests_find(guests, key);

	if (guest)
		return guest;
	guest = calloc(1, sizeof(*guest));
	if (!guest)
		return NULL;
	memcpy(guest->key, key, VPN_KEY_LEN);
	if (!tsearch(guest, &guests->by_key, compare)) {
		free(guest);
		return NULL;
	}
	*guests->end = guest;
	guests->end = &guest->next;
	guests->count++;
	return guest;
}

void guests_remove(struct guests *guests, struct guest *guest)
{
	struct guest **at = &guests->first;

	while (*at != guest)
		at = &(*at)->next;
	*at = guest->next;
	if (guests->end == &guest->next)
		guests->end = at;
	guests->count--;
	tdelete(guest, &guests->by_key, compare);
	free_guest(guest);
}

bool guest_set_credential(struct guest *guest, uint32_t kind, const uint8_t *octets, size_t len)
{
	forget_credential(guest);
	guest->credential = malloc(len + 1);
	if (!guest->credential)
		return false;
	memcpy(guest->credential, octets, len);
	guest->credential_len = len;
	guest->kind = kind;
	return true;
}

/*
 * On disk
 */

static json_t *addresses_json(const struct vpn_addresses *addresses)
{
	json_t *list = json_array();
	char text[VPN_PREFIX_TEXT];
	unsigned int i;

	for (i = 0; i < addresses->count; i++) {
		vpn_address_format(&addresses->list[i], text);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *guest_json(const struct guest *guest)
{
	char key[VPN_KEY_BASE64_LEN + 1], *credential = malloc(guest->credential_len * 2 + 8);
	json_t *object = NULL;

	if (!credential)
		return NULL;
	EVP_EncodeBlock((unsigned char *)credential, guest->credential, guest->credential_len);
	vpn_key_to_base64(guest->key, key);
	object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:o, s:o}", "key", key, "name",
			   guest->verdict.name, "role", guest->verdict.role, "id",
			   guest->verdict.id, "until", (json_int_t)guest->verdict.expires,
			   "expires", (json_int_t)guest->expires, "kind", (json_int_t)guest->kind,
			   "credential", credential, "addresses", addresses_json(&guest->addresses),
			   "leased", addresses_json(&guest->leased));
	explicit_bzero(credential, strlen(credential));
	free(credential);
	return object;
}

int guests_save(const struct guests *guests, const char *path, struct vpn_error *err)
{
	const struct guest *guest;
	json_t *list = json_array(), *one;
	char *text;
	int ret;

	for (guest = guests->first; guest; guest = guest->next) {
		one = guest->kind ? guest_json(guest) : NULL;
		if (one)
			json_array_append_new(list, one);
	}
	text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	if (!text)
		return vpn_error_set(err, VPN_FAULT_SYSTEM, ENOMEM, "%s", strerror(ENOMEM));
	ret = cred_file_write(path, 0600, text, strlen(text), err);
	cred_file_free(text, strlen(text));
	return ret;
}

static void take_text(char *to, size_t room, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	snprintf(to, room, "%s", text ? text : "");
}

static void take_addresses(struct vpn_addresses *addresses, const json_t *list)
{
	struct vpn_address address, *added;
	const json_t *one;
	size_t i;

	json_array_foreach((json_t *)list, i, one) {
		if (!json_is_string(one) || !vpn_address_parse(&address, json_string_value(one)))
			continue;
		added = vpn_addresses_add(addresses);
		if (added)
			*added = address;
	}
}

static bool take_credential(struct guest *guest, const json_t *object)
{
	const char *text = json_string_value(json_object_get(object, "credential"));
	uint8_t octets[VPN_CREDENTIAL_MAX + 4];
	size_t len = text ? strlen(text) : 0;
	int count;

	if (!len || len / 4 * 3 > sizeof(octets))
		return false;
	count = EVP_DecodeBlock(octets, (const unsigned char *)text, len);
	if (count > 0)
		count -= (text[len - 1] == '=') + (text[len - 2] == '=');
	return count > 0 &&
	       guest_set_credential(guest, json_integer_value(json_object_get(object, "kind")),
				    octets, count);
}

static void restore_one(struct guests *guests, const json_t *object)
{
	const char *text = json_string_value(json_object_get(object, "key"));
	uint8_t key[VPN_KEY_LEN];
	struct guest *guest;

	if (!text || !vpn_key_from_base64(key, text, strlen(text)))
		return;
	guest = guests_add(guests, key);
	if (!guest)
		return;
	take_text(guest->verdict.name, sizeof(guest->verdict.name), object, "name");
	take_text(guest->verdict.role, sizeof(guest->verdict.role), object, "role");
	take_text(guest->verdict.id, sizeof(guest->verdict.id), object, "id");
	guest->verdict.expires = json_integer_value(json_object_get(object, "until"));
	guest->expires = json_integer_value(json_object_get(object, "expires"));
	guest->since = clock_seconds();
	take_addresses(&guest->addresses, json_object_get(object, "addresses"));
	take_addresses(&guest->leased, json_object_get(object, "leased"));
	if (!take_credential(guest, object))
		guests_remove(guests, guest);
}

void guests_restore(struct guests *guests, const char *path)
{
	struct vpn_error err;
	const json_t *one;
	json_t *list;
	char *text;
	size_t len, i;

	if (cred_file_read(path, &text, &len, &err))
		return;
	list = json_loadb(text, len, 0, NULL);
	cred_file_free(text, len);
	json_array_foreach(list, i, one)
		restore_one(guests, one);
	json_decref(list);
}
