// SPDX-License-Identifier: GPL-2.0
/*
 * A pool of addresses, more clients than addresses, and a server that can lose
 * its power. What is done under vpn_device.lock is one step; a handshake holds
 * only the lock of the pools, again and again.
 *
 * An address is of one client: in the tables, among allowed IPs, and in what a
 * client may believe. A client believes an address to be its own as long as it
 * was told, counted from when the server said it; not when the administrator took
 * it away; and over a loss of power, only what had been saved by then.
 *
 * Time is counted in ticks, of which a lease time has LEASE. A lease ends after
 * ends - 1 ticks, at 1; at 0 it has no end.
 */

#ifndef KEYS
#define KEYS	3
#endif
#define ADDRESSES	2
#define LEASE	2
#define EVER	7
#define NOBODY	0

/* Leases: vpn_lease.public_key + 1, and expires; who may send from there */
byte holder[ADDRESSES], ends[ADDRESSES], allowed[ADDRESSES];
/* vpn_peer.leases + 1; whether there is the peer */
byte leased[KEYS];
bool exists[KEYS] = true;
/* The administrator has fixed the address of one: vpn_peer.wanted + 1 */
byte wanted[KEYS];

/* How far vpn_terms_judge() is with a handshake, and what it has read. */
mtype = { IDLE, READ, RENEWED, WAITING };
mtype stage[KEYS] = IDLE;
byte seen[KEYS];

/* What a client was told: address + 1, for how many ticks */
byte told[KEYS], told_for[KEYS];

/* The database of vpnd */
byte saved[ADDRESSES], saved_ends[ADDRESSES];

byte i, free;

/* Whoever is told of an address, or gets it, has it alone. */
inline check()
{
	for (i : 0 .. ADDRESSES - 1) {
		assert(allowed[i] == NOBODY || allowed[i] == holder[i]);
		/* What a key has lies nowhere else. */
		assert(holder[i] == NOBODY || holder[1 - i] != holder[i])
	};
	for (i : 0 .. KEYS - 1) {
		assert(!told[i] || holder[told[i] - 1] == NOBODY ||
		       holder[told[i] - 1] == i + 1);
		assert(!leased[i] || holder[leased[i] - 1] == i + 1)
	};
	i = 0
}

/* vpn_lease_end(): detach(), end_detached() */
inline end_lease(a)
{
	if
	:: leased[holder[a] - 1] == (a) + 1 -> leased[holder[a] - 1] = 0
	:: else
	fi;
	holder[a] = NOBODY;
	ends[a] = 0;
	allowed[a] = NOBODY
}

/* make_plan(): what the key has, or what was fixed, or what is free */
inline choose(k)
{
	free = ADDRESSES;
	if
	:: wanted[k] && (holder[wanted[k] - 1] == NOBODY || holder[wanted[k] - 1] == (k) + 1) ->
		free = wanted[k] - 1
	:: !wanted[k] && holder[0] == (k) + 1 -> free = 0
	:: !wanted[k] && holder[1] == (k) + 1 -> free = 1
	:: !wanted[k] && holder[0] != (k) + 1 && holder[1] != (k) + 1 && holder[0] == NOBODY -> free = 0
	:: !wanted[k] && holder[1] != (k) + 1 && holder[0] != NOBODY && holder[0] != (k) + 1 &&
	   holder[1] == NOBODY -> free = 1
	:: else
	fi
}

/* vpn_lease_bind(): commit_plan() */
inline bind(k)
{
	choose(k);
	if
	:: free < ADDRESSES ->
		if
		:: holder[1 - free] == (k) + 1 ->
			/* The administrator fixed another one. */
			end_lease(1 - free);
			told[k] = 0
		:: else
		fi;
		if
		:: leased[k] != free + 1 ->
			holder[free] = (k) + 1;
			ends[free] = 0;
			allowed[free] = (k) + 1;
			leased[k] = free + 1
		:: else
		fi
	:: else
	fi;
	free = 0
}

/* vpn_lease_unbind() */
inline unbind(k)
{
	if
	:: leased[k] ->
		allowed[leased[k] - 1] = NOBODY;
		ends[leased[k] - 1] = LEASE + 1;
		leased[k] = 0
	:: else
	fi
}

/* The response, and what the client makes of it: vpn_terms_assigned() */
inline tell(k, address, end)
{
	told[k] = address;
	told_for[k] = (end -> end - 1 : EVER);
	/* Over already: at once somebody else's. */
	told[k] = (told_for[k] -> told[k] : 0)
}

/* lend_address(): read_lease(), vpn_lease_renew(), read_lease() */
#define HANDSHAKE(k)							\
	:: stage[k] == IDLE && exists[k] -> d_step {			\
		if							\
		:: leased[k] ->						\
			seen[k] = leased[k];				\
			stage[k] = READ					\
		:: else -> stage[k] = WAITING				\
		fi }							\
	:: stage[k] == READ -> d_step {					\
		if							\
		:: leased[k] -> ends[leased[k] - 1] = LEASE + 1		\
		:: else							\
		fi;							\
		stage[k] = RENEWED }					\
	:: stage[k] == RENEWED -> d_step {				\
		seen[k] = leased[k];					\
		if							\
		:: seen[k] ->						\
			tell(k, seen[k], ends[seen[k] - 1]);		\
			stage[k] = IDLE					\
		:: else -> stage[k] = WAITING				\
		fi;							\
		seen[k] = 0;						\
		check() }						\
	/* lease_work(), lend_to(); then the message comes back */	\
	:: stage[k] == WAITING -> d_step {				\
		if							\
		:: exists[k] -> bind(k)					\
		:: else							\
		fi;							\
		stage[k] = IDLE;					\
		check() }						\
	/* vpn_peer_remove(): peer_detach(); a handshake may still be at it */ \
	:: exists[k] && (stage[k] == IDLE || stage[k] == WAITING) -> d_step { \
		unbind(k);						\
		exists[k] = false;					\
		check() }						\
	/* vpn_peer_create(), apply_address_mode() */			\
	:: !exists[k] && stage[k] == IDLE -> d_step {			\
		exists[k] = true;					\
		bind(k);						\
		check() }

#define ADDRESS(a)							\
	/* take_expired(), end_detached() */				\
	:: ends[a] == 1 -> d_step { end_lease(a); check() }		\
	/* vpn_nl_lease_release_doit(): who has it hears nothing of that. */ \
	:: holder[a] != NOBODY -> d_step {				\
		revoke(holder[a] - 1, a);				\
		end_lease(a);						\
		check() }						\
	/* leases_note(), leases_forget(), leases_flush() */		\
	:: saved[a] != holder[a] || saved_ends[a] != ends[a] -> d_step { \
		saved[a] = holder[a];					\
		saved_ends[a] = ends[a];				\
		/* One of a key, by check_restored(). */		\
		if							\
		:: saved[a] && saved[1 - (a)] == saved[a] ->		\
			saved[1 - (a)] = NOBODY;			\
			saved_ends[1 - (a)] = 0				\
		:: else							\
		fi }

inline revoke(k, a)
{
	if
	:: told[k] == (a) + 1 ->
		told[k] = 0;
		told_for[k] = 0
	:: else
	fi
}

inline tick()
{
	for (i : 0 .. ADDRESSES - 1) {
		ends[i] = (ends[i] > 1 -> ends[i] - 1 : ends[i]);
		saved_ends[i] = (saved_ends[i] > 1 -> saved_ends[i] - 1 : saved_ends[i])
	};
	for (i : 0 .. KEYS - 1) {
		if
		:: told[i] && told_for[i] != EVER ->
			told_for[i]--;
			told[i] = (told_for[i] -> told[i] : 0)
		:: else
		fi
	};
	i = 0
}

/* Nothing that had been told is lost but what was told since the last flush. */
inline lose_power()
{
	for (i : 0 .. KEYS - 1) {
		if
		:: told[i] && !(saved[told[i] - 1] == i + 1 &&
				(saved_ends[told[i] - 1] == 0 ||
				 saved_ends[told[i] - 1] > told_for[i])) ->
			told[i] = 0;
			told_for[i] = 0
		:: else
		fi;
		leased[i] = 0;
		exists[i] = false;
		stage[i] = IDLE;
		seen[i] = 0
	};
	for (i : 0 .. ADDRESSES - 1) {
		allowed[i] = NOBODY;
		/* read_row(), vpn_lease_restore(), vpn_lease_settle() */
		holder[i] = (saved_ends[i] == 1 -> NOBODY : saved[i]);
		ends[i] = (holder[i] == NOBODY -> 0 :
			   (saved_ends[i] -> saved_ends[i] : LEASE + 1))
	};
	check()
}

active proctype world()
{
	wanted[KEYS - 1] = 1;
	do
	HANDSHAKE(0) HANDSHAKE(1)
#if KEYS > 2
	HANDSHAKE(2)
#endif
	ADDRESS(0) ADDRESS(1)
	:: d_step { tick(); check() }
	:: d_step { lose_power() }
	od
}
