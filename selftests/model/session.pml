// SPDX-License-Identifier: GPL-2.0
/*
 * Two ends and their sessions, over a network that loses, repeats, delays and
 * reorders whatever it likes: the storm. Then it calms down, and both have a
 * packet for the other: they have to get through.
 *
 * What the handlers do is atomic here; in the module they hold handshake.lock
 * or keypairs.lock (lifetime.pml takes them apart). A session is named by its
 * initiation and by how often the responder's peer had been removed before it
 * was accepted. Time is three bits: an initiation may be sent again (due), a
 * timer runs (retry, waits, owes), a session is too old (old).
 *
 * EARLY: initiations of an end in the storm; LATE: in the calm. ROUNDS: how often
 * timers may come in the calm until all is well.
 */

#ifndef EARLY
#define EARLY 2
#endif
#define LATE	2
#ifndef ROUNDS
#define ROUNDS	12
#endif
#define N	(EARLY + LATE)

#define bit(x)		(1 << (x))
#define of(id)		((id) / N)		/* who sent that initiation */
#define session(id, i)	(2 * (id) + (i) + 1)	/* 0 is none */
#define id_of(s)	(((s) - 1) / 2)
#define usable(e, s)	((s) && !(old[e] & bit(s)))

/* struct vpn_keypairs */
byte current[2], previous[2], next[2];
/* handshake.pending and its index: initiation + 1 */
byte pending[2];
/* Initiations sent; latest_timestamp of those received. */
byte made[2], seen[2];
/* vpn_session_usable() is not true of these. */
int old[2];
/* These were dropped, and those agreed to as responder: for the properties. */
int gone[2], agreed[2];
/* Times that the peer was removed and added again. */
byte removed[2];

/* Messages under way, and the one packet of each end in the calm. */
int initiations, responses, refusals, keepalives[2];
byte packet[2];

/*
 * due: initiation_is_due(). retry, waits, owes: the timers retransmit_handshake,
 * new_handshake and send_keepalive run. todo: the packet is not there yet.
 * timers: one of these may come.
 */
bool due[2] = true, retry[2], waits[2], owes[2], todo[2], timers[2];

mtype = { STORM, CALM, OVER };
mtype weather = STORM;

/* Times that timers came in the calm. */
byte rounds;

byte former;

#define holds(e, s)	(current[e] == (s) || previous[e] == (s) || next[e] == (s))
#define silent()	(!initiations && !responses && !refusals && !keepalives[0] && \
			 !keepalives[1] && !packet[0] && !packet[1])

/* keypair_drop() */
inline drop(e, s)
{
	if
	:: s != 0 -> gone[e] = gone[e] | bit(s)
	:: else
	fi
}

/* Whatever comes into use has not been before. */
inline check_new(e, s)
{
	assert(!(gone[e] & bit(s)) && !holds(e, s))
}

/* A session has one place. */
inline check_places(e)
{
	assert((current[e] == 0 || (current[e] != previous[e] && current[e] != next[e])) &&
	       (next[e] == 0 || next[e] != previous[e]))
}

/* install_as_initiator() */
inline begin_as_initiator(e, s)
{
	check_new(e, s);
	/* Both have these keys. */
	assert(agreed[1 - (e)] & bit(s));
	former = current[e];
	current[e] = s;
	if
	:: next[e] != 0 ->
		drop(e, former);
		former = next[e];
		next[e] = 0
	:: else
	fi;
	drop(e, previous[e]);
	previous[e] = former;
	former = 0;
	check_places(e)
}

/* install_as_responder() */
inline begin_as_responder(e, s)
{
	check_new(e, s);
	agreed[e] = agreed[e] | bit(s);
	drop(e, next[e]);
	next[e] = s;
	drop(e, previous[e]);
	previous[e] = 0;
	check_places(e)
}

/* vpn_session_confirm() and what note_authentic() does then */
inline confirm(e, s)
{
	if
	:: next[e] == (s) ->
		next[e] = 0;
		former = current[e];
		current[e] = s;
		drop(e, previous[e]);
		previous[e] = former;
		former = 0;
		retry[e] = false;
		check_places(e)
	:: else
	fi
}

/* write_initiation(), vpn_timers_handshake_initiated() */
inline initiate(e)
{
	pending[e] = (e) * N + made[e] + 1;
	initiations = initiations | bit(pending[e] - 1);
	made[e]++;
	due[e] = false;
	retry[e] = true
}

/* vpn_tx_keepalive(): without a session it waits, and asks for one. */
inline keepalive(e)
{
	owes[e] = false;
	if
	:: usable(e, current[e]) -> keepalives[e] = keepalives[e] | bit(current[e])
	:: else -> retry[e] = true
	fi
}

/* answer_peer() accepts or, in version 1, refuses. */
inline answer(e, id, refuse)
{
	seen[e] = (id) % N + 1;
	waits[e] = false;
	/* forget_lost_initiation() */
	if
	:: pending[e] && due[e] -> pending[e] = 0
	:: else
	fi;
	if
	:: refuse -> refusals = refusals | bit(id)
	:: else ->
		begin_as_responder(e, session(id, removed[e]));
		due[e] = false;
		responses = responses | bit(session(id, removed[e]))
	fi
}

/* consume_of_peer(): timestamp_is_good() */
inline receive_initiation(e, id, refuse)
{
	if
	:: (id) % N + 1 > seen[e] -> answer(e, id, refuse)
	:: else
	fi
}

/* read_response(), start_using_session() */
inline receive_response(e, s)
{
	if
	:: pending[e] == id_of(s) + 1 ->
		pending[e] = 0;
		begin_as_initiator(e, s);
		waits[e] = false;
		retry[e] = false;
		keepalive(e)
	:: else
	fi
}

/* conclude_handshake(), vpn_timers_handshake_rejected() */
inline receive_refusal(e, id)
{
	if
	:: pending[e] == (id) + 1 ->
		pending[e] = 0;
		waits[e] = false;
		retry[e] = false
	:: else
	fi
}

/* receiving_keypair(), note_authentic() */
inline receive_data(e, s, is_packet)
{
	if
	:: holds(e, s) && usable(e, s) ->
		confirm(e, s);
		waits[e] = false;
		if
		:: is_packet ->
			todo[1 - (e)] = false;
			owes[e] = true
		:: else
		fi
	:: else
	fi
}

/* vpn_peer_remove(), and vpn_peer_create() of the same key */
inline remove(e)
{
	drop(e, current[e]);
	drop(e, previous[e]);
	drop(e, next[e]);
	current[e] = 0;
	previous[e] = 0;
	next[e] = 0;
	pending[e] = 0;
	seen[e] = 0;
	due[e] = true;
	retry[e] = false;
	removed[e]++
}

inline tidy(messages, x)
{
	if
	:: weather == CALM -> messages = messages & ~bit(x)
	:: else
	fi
}

/* What comes in. In the storm it may come again and again. */
#define INITIATION(id)							\
	:: initiations & bit(id) -> d_step {				\
		receive_initiation(1 - of(id), id, false);		\
		tidy(initiations, id) }					\
	:: weather == STORM && (initiations & bit(id)) -> d_step {	\
		receive_initiation(1 - of(id), id, true) }		\
	:: refusals & bit(id) -> d_step {				\
		receive_refusal(of(id), id);				\
		tidy(refusals, id) }

#define SESSION(s)							\
	:: responses & bit(s) -> d_step {				\
		receive_response(of(id_of(s)), s);			\
		tidy(responses, s) }					\
	:: keepalives[0] & bit(s) -> d_step {				\
		receive_data(1, s, false);				\
		tidy(keepalives[0], s) }				\
	:: keepalives[1] & bit(s) -> d_step {				\
		receive_data(0, s, false);				\
		tidy(keepalives[1], s) }

#define BOTH(id) INITIATION(id) SESSION(2 * (id) + 1) SESSION(2 * (id) + 2)

/* What an end does by itself in the storm. */
#define STORMY(e)							\
	:: weather == STORM && due[e] && made[e] < EARLY -> d_step { initiate(e) } \
	:: weather == STORM && !due[e] -> due[e] = true			\
	:: weather == STORM && usable(e, current[e]) -> d_step { keepalive(e) } \
	:: weather == STORM && usable(e, current[e]) ->			\
		old[e] = old[e] | bit(current[e])			\
	:: weather == STORM && usable(e, next[e]) ->			\
		old[e] = old[e] | bit(next[e])				\
	:: weather == STORM && removed[0] + removed[1] == 0 -> d_step { remove(e) }

/*
 * What it does in the calm, when nothing is under way: so much time has passed.
 * retransmit_handshake_expired(); vpn_tx_xmit(); send_keepalive_expired();
 * new_handshake_expired(), which is after the other's keepalive
 */
#define CALMLY(e)							\
	:: timers[e] && retry[e] && due[e] && made[e] < N -> d_step {	\
		timers[e] = false;					\
		initiate(e) }						\
	:: timers[e] && todo[e] && !waits[e] && !retry[e] -> d_step {	\
		timers[e] = false;					\
		if							\
		:: usable(e, current[e]) ->				\
			packet[e] = current[e];				\
			waits[e] = true;				\
			owes[e] = false					\
		:: else -> retry[e] = true				\
		fi }							\
	:: timers[e] && owes[e] && !(todo[e] && !waits[e]) -> d_step {	\
		timers[e] = false;					\
		keepalive(e) }						\
	:: timers[e] && waits[e] && !owes[1 - (e)] && !retry[e] -> d_step { \
		timers[e] = false;					\
		waits[e] = false;					\
		retry[e] = true }					\
	:: packet[e] -> d_step {					\
		receive_data(1 - (e), packet[e], true);			\
		packet[e] = 0 }

#define busy(e)		(todo[e] || retry[e] || waits[e] || owes[e])

/* At most one message of the storm is late. */
inline calm_down()
{
	d_step {
		weather = CALM;
		timers[0] = false;
		timers[1] = false;
		todo[0] = true;
		todo[1] = true;
		owes[0] = false;
		owes[1] = false
	}
	if
	:: d_step { initiations = 0; responses = 0; refusals = 0; keepalives[0] = 0; keepalives[1] = 0 }
	:: d_step { keep_one(initiations); responses = 0; refusals = 0; keepalives[0] = 0; keepalives[1] = 0 }
	:: d_step { keep_one(responses); initiations = 0; refusals = 0; keepalives[0] = 0; keepalives[1] = 0 }
	:: d_step { keep_one(keepalives[0]); initiations = 0; responses = 0; refusals = 0; keepalives[1] = 0 }
	:: d_step { keep_one(keepalives[1]); initiations = 0; responses = 0; refusals = 0; keepalives[0] = 0 }
	fi
}

/* The latest: that of the lowest bit is an older one. */
inline keep_one(messages)
{
	do
	:: messages & (messages - 1) -> messages = messages & (messages - 1)
	:: else -> break
	od
}

active proctype world()
{
	do
	BOTH(0) BOTH(1) BOTH(2) BOTH(3)
#if N > 2
	BOTH(4) BOTH(5)
#endif
#if N > 3
	BOTH(6) BOTH(7)
#endif
	STORMY(0) STORMY(1)
	:: weather == STORM -> calm_down()
	CALMLY(0) CALMLY(1)
	:: weather == CALM && silent() && !(timers[0] && timers[1]) &&
	   (busy(0) || busy(1)) -> d_step {
		rounds++;
		assert(rounds <= ROUNDS);
		timers[0] = true;
		timers[1] = true;
		due[0] = true;
		due[1] = true
	   }
	:: weather == CALM && silent() && !busy(0) && !busy(1) ->
		/* Each can read what the other seals. */
		assert(usable(0, current[0]) && holds(1, current[0]) && usable(1, current[0]));
		assert(usable(1, current[1]) && holds(0, current[1]) && usable(0, current[1]));
		weather = OVER;
		break
	od
}
