/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Credentials come from strangers, so they are read in a process that can do nothing
 * else: no rights, no files, no network, and few system calls. It is asked over a
 * socket, and when it dies, another one is asked.
 */
#ifndef VPND_VERIFIER_H
#define VPND_VERIFIER_H

#include "../libcred/verdict.h"
#include "daemon.h"

struct verifier;

/* What was thought of a credential; id is what verifier_ask() has returned. */
typedef void (*verifier_answer)(void *data, uint64_t id, const struct cred_verdict *verdict);

/* Made once; it does nothing until there is something to trust. */
struct verifier *verifier_new(struct daemon *d, verifier_answer answer, void *data);
void verifier_free(struct verifier *verifier);

/*
 * Read what the configuration trusts, and ask by that from now on; waits until it has
 * been read. After an error, with a sentence in err, all stays as it was. *changed:
 * it differs from what was trusted before.
 */
int verifier_load(struct verifier *verifier, const struct config *config, bool *changed,
		  struct vpn_error *err);
/* Is there anything by which a credential could be good? */
bool verifier_is_open(const struct verifier *verifier);

/* Zero: memory is out. */
uint64_t verifier_ask(struct verifier *verifier, uint32_t kind, const uint8_t *octets, size_t len,
		      const uint8_t key[VPN_KEY_LEN]);

/* The other process: what main() runs for "--verifier"; the exit status. */
int verifier_main(void);

#endif
