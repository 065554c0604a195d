// SPDX-License-Identifier: GPL-2.0
/*
 * What two ends agree on, when everything between them goes through somebody who
 * drops, repeats, keeps back and reorders their messages, puts together new ones
 * of the parts of old ones, and writes into headers whatever he likes.
 *
 * Cryptography is perfect: a hash is the list of what went into it, and what was
 * sealed opens for whoever comes to the same hash, in the role that the sealer
 * meant. (Who has which keys is in the published proofs of IKpsk2; here nobody
 * but the two has one.) So a hash is a number made of its parts, and the sealed
 * part of a message is the hash that it was sealed with.
 *
 * Both ends may initiate. Ciphers, whether something of version 1 is configured,
 * and what cipher is the fastest, are anew what they like whenever they matter.
 */

#ifndef INITIATIONS
#define INITIATIONS	3
#endif
#define RESPONSES	INITIATIONS
#define NONE		7

/* struct vpn_session_kind */
typedef kind {
	byte version;
	byte suite
}

#define CHACHA	0
#define AES	1
#define ANY	2

#define same(a, b)	(a.version == b.version && a.suite == b.suite)

/* terms.spoken */
kind spoken[2];

/*
 * Of whoever acts: terms.cipher; whether there is a credential or an address to
 * request; vpn_aead_fastest_suite()
 */
byte cipher;
bool rich;
byte fastest;

/* handshake.pending; the latest time stamp that was taken, plus one */
byte pending[2] = NONE;
byte latest[2];

/* Initiations: whose, what it asked for, and the hashes that sealed its parts. */
typedef initiation {
	byte from;
	kind asked;
	int sealed_static;
	int sealed_payload;
	/* handshake.noise of the initiator, from then on */
	int hash
}
initiation sent[INITIATIONS];
byte sent_count;

/* Responses: which initiation, with what the responder thinks of it. */
typedef response {
	byte to;
	kind agreed;
	byte address;
	bool reject;
	int sealed_payload
}
response given[RESPONSES];
byte given_count;
/* Sessions that a responder began for an initiation. */
byte sessions[INITIATIONS];

/* What the one in the middle makes up. */
kind header;
byte ephemeral, part, payload, address;
int hash;

#define wants_version_1()	(cipher != CHACHA || rich)
#define allowed(c, s)		((c) == ANY || (c) == (s))

/*
 * begin_noise(): the name of the suite, and the prologue: of version 0 a
 * constant, of version 1 another one and the header. @to: the responder's key
 */
#define prologue(k)	(k.version -> 1 + k.suite : 0)
#define begin(k, to)	((k.suite * 4 + prologue(k)) * 2 + (to))
/* mix_hash() */
#define mix(h, what)	((h) * 8 + (what))

/* vpn_terms_kind() */
inline choose_kind(e, k)
{
	k.version = (wants_version_1() -> 1 : spoken[e].version);
	k.suite = (!wants_version_1() -> 0 :
		   (cipher != ANY -> cipher :
		    (spoken[e].version -> spoken[e].suite : fastest)));
	/* Not less than what is configured. */
	assert(k.version == 1 || !wants_version_1());
	assert(allowed(cipher, k.suite))
}

/* write_initiation(): the ephemeral key, and each sealed part, has its number */
inline initiate(e)
{
	choose_kind(e, sent[sent_count].asked);
	sent[sent_count].from = e;
	sent[sent_count].sealed_static = mix(begin(sent[sent_count].asked, 1 - (e)), sent_count);
	sent[sent_count].sealed_payload = mix(sent[sent_count].sealed_static, sent_count);
	sent[sent_count].hash = mix(sent[sent_count].sealed_payload, sent_count);
	pending[e] = sent_count;
	sent_count++
}

/* vpn_is_handshake() */
#define well_formed(h)	(h.version == 0 && h.suite == 0 || \
			 h.version == 1 && h.suite <= AES)

/* read_static(): for this responder */
#define opens_static(e)							\
	(mix(begin(header, e), ephemeral) == sent[part].sealed_static && \
	 sent[part].from != (e))

/* read_payload(), timestamp_is_good() */
#define opens_payload(e)						\
	(mix(sent[part].sealed_static, part) == sent[payload].sealed_payload && \
	 payload + 1 > latest[e])

/* answer_peer(): vpn_terms_judge(), then accept_initiation() or a refusal */
inline answer(e)
{
	latest[e] = payload + 1;
	given[given_count].to = payload;
	given[given_count].agreed.version = header.version;
	given[given_count].agreed.suite = header.suite;
	given[given_count].address = address;
	given[given_count].reject = !allowed(cipher, header.suite);
	/* The same hash as the initiator's, and the response's ephemeral key. */
	hash = mix(mix(begin(header, e), ephemeral), part);
	hash = mix(hash, payload);
	given[given_count].sealed_payload = mix(hash, given_count);
	if
	:: !given[given_count].reject ->
		spoken[e].version = header.version;
		spoken[e].suite = header.suite;
		sessions[payload]++;
		/* What the responder has is what the initiator asked for, once. */
		assert(same(given[given_count].agreed, sent[payload].asked));
		assert(same(spoken[e], sent[payload].asked));
		assert(sessions[payload] == 1);
		assert(allowed(cipher, given[given_count].agreed.suite))
	:: else
	fi;
	given_count++
}

/*
 * open_response(): of the initiation that waits, its version and its suite; the
 * receiver's index is that of the initiation @part
 */
#define is_awaited(e)	(pending[e] == part && same(header, sent[part].asked))
#define opens_response()						\
	(mix(sent[part].hash, ephemeral) == given[payload].sealed_payload)

/* conclude_handshake() */
inline conclude(e)
{
	pending[e] = NONE;
	if
	:: !given[payload].reject ->
		/* begin_session(), vpn_terms_assigned(): both have the same. */
		assert(given[payload].to == part);
		assert(sessions[part] == 1);
		assert(same(header, given[payload].agreed));
		assert(same(header, sent[part].asked))
	:: else ->
		assert(sessions[part] == 0)
	fi
}

inline any(x, most)
{
	select(pick : 0..(most));
	x = pick;
	pick = 0
}

inline any_configuration()
{
	any(cipher, 2);
	any(rich, 1);
	any(fastest, 1)
}

inline any_header()
{
	any(header.version, 2);
	any(header.suite, 2)
}

inline forget_thoughts()
{
	cipher = 0;
	rich = false;
	fastest = 0;
	header.version = 0;
	header.suite = 0;
	ephemeral = 0;
	part = 0;
	payload = 0;
	address = 0;
	hash = 0
}

#define END(e)								\
	:: sent_count < INITIATIONS -> atomic {				\
		any_configuration();					\
		d_step { initiate(e); forget_thoughts() } }		\
	/* forget_initiation(), for whatever reason */			\
	:: pending[e] != NONE -> pending[e] = NONE

/* Parts that open nothing are not guessed to the end. */
inline receive_initiation(e)
{
	any_header();
	any(ephemeral, sent_count - 1);
	any(part, sent_count - 1);
	if
	:: well_formed(header) && opens_static(e) ->
		any(payload, sent_count - 1);
		if
		:: opens_payload(e) ->
			any_configuration();
			any(address, 1);
			d_step { answer(e) }
		:: else
		fi
	:: else
	fi;
	d_step { forget_thoughts() }
}

inline receive_response(e)
{
	any_header();
	any(part, sent_count - 1);
	if
	:: well_formed(header) && is_awaited(e) ->
		any(ephemeral, given_count - 1);
		any(payload, given_count - 1);
		if
		:: opens_response() -> d_step { conclude(e) }
		:: else
		fi
	:: else
	fi;
	d_step { forget_thoughts() }
}

#define NETWORK(e)							\
	:: sent_count > 0 && given_count < RESPONSES -> atomic { receive_initiation(e) } \
	:: pending[e] != NONE && given_count > 0 -> atomic { receive_response(e) }

active proctype world()
{
	byte pick;

end:	do
	END(0) END(1)
	NETWORK(0) NETWORK(1)
	od
}
