/* SPDX-License-Identifier: GPL-2.0 */
/* What targets that judge credentials have in common. */
#ifndef VPN_FUZZ_VERDICT_H
#define VPN_FUZZ_VERDICT_H

#include <string.h>

#include "../../tools/libcred/verdict.h"
#include "../../tools/libvpn/text.h"
#include "must.h"

/* In 2027: some of the corpus has ended by then. */
#define NOW	1800000000

static inline void check_text(const char *text, size_t room)
{
	MUST(memchr(text, '\0', room));
	MUST(!*text || text_is_name(text));
}

static inline void check_verdict(const struct cred_verdict *verdict, bool good)
{
	check_text(verdict->name, sizeof(verdict->name));
	check_text(verdict->role, sizeof(verdict->role));
	check_text(verdict->id, sizeof(verdict->id));
	MUST(memchr(verdict->text, '\0', sizeof(verdict->text)));
	MUST(good == !verdict->reason);
	MUST(good || *verdict->text);
	MUST(!good || *verdict->name);
}

#endif
