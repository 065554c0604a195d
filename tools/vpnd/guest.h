/* SPDX-License-Identifier: GPL-2.0 */
/* Clients that were let in, by what they showed or by a file with their key. */
#ifndef VPND_GUEST_H
#define VPND_GUEST_H

#include "../libcred/verdict.h"
#include "../libvpn/device.h"

struct guest {
	struct guest *next;
	uint8_t key[VPN_KEY_LEN];
	struct cred_verdict verdict;	/* its name, its role, what it was known by */
	uint64_t expires;		/* seconds since the epoch, zero: never */
	struct vpn_addresses addresses;	/* that it is to have; none: any */
	struct vpn_addresses leased;	/* that it has */
	uint32_t kind;			/* VPN_CREDENTIAL_KIND_*; zero: it has a file here */
	uint8_t *credential;
	size_t credential_len;
	bool connected;
	bool stale;			/* its file was not found any more */
	uint64_t since;			/* seconds since the epoch, when that was last changed */
};

struct guests {
	struct guest *first, **end;
	void *by_key;			/* a tree */
	unsigned int count;
};

void guests_init(struct guests *guests);
void guests_free(struct guests *guests);

struct guest *guests_find(const struct guests *guests, const uint8_t key[VPN_KEY_LEN]);
/* The one with that key, made if there is none; NULL: memory is out. */
struct guest *guests_add(struct guests *guests, const uint8_t key[VPN_KEY_LEN]);
void guests_remove(struct guests *guests, struct guest *guest);
/* The credential by which it was let in; false: memory is out, and it has none. */
bool guest_set_credential(struct guest *guest, uint32_t kind, const uint8_t *octets, size_t len);

/*
 * On disk, so that a restart knows whom to leave connected. It has tokens in it, so it
 * is for its owner only. Zero, or a negative errno with a sentence in err.
 */
int guests_save(const struct guests *guests, const char *path, struct vpn_error *err);
/* What is not there, or cannot be read, is nobody. */
void guests_restore(struct guests *guests, const char *path);

#endif
