// SPDX-License-Identifier: GPL-2.0
/*
 * One peer of one device, and all that runs for it at the same time: handshakes
 * in both roles, its timers' works, what a message of the other end does in
 * softirq, and the administrator, who changes its end, takes the link down and
 * removes it. Every step is what the module does while it holds one lock more.
 *
 * No session, nor a handshake that could still become one, outlives the peer,
 * its end, or the link; and who has a session as responder has a seat.
 */

/* struct vpn_keypairs: 0 none, 1 begun as initiator, 2 as responder */
byte current, previous, next;
bool seated;
/* handshake.pending, with its index */
bool pending;

/* vpn_peer.dead; vpn_timers.enabled; terms.expires has passed */
bool dead, running = true, over;

/* expire_work runs, and nobody has moved the end since. */
bool overdue;

/* Messages come in; some wait on the workqueue; timers that were armed can fire. */
bool receiving = true, queued = true, armed = true;

/* Somebody has handshake.lock for writing. */
bool handshake_lock;

/* Works that run or are queued on vpn_device.wq, each at most once. */
bool initiation_work, erase_work, expire_work;
/* Handlers of messages that run there. */
byte handlers;

/* The administrator was told that it is done. */
bool is_removed, is_down, is_expired;

#define none()	(!current && !previous && !next)

inline lock(which)
{
	atomic { !which -> which = true }
}

inline unlock(which)
{
	which = false
}

/* Whoever begins something: it must not be too late for that. */
inline in_time()
{
	assert(!is_removed);
	assert(!is_down);
	assert(!is_expired)
}

/* Whoever is a client of ours counts among vpn_device.max_peers. */
inline check_seat()
{
	assert(seated || (current != 2 && previous != 2 && next != 2))
}

/* vpn_session_end_all(): keypairs.lock */
inline end_all()
{
	current = 0;
	previous = 0;
	next = 0;
	seated = false
}

/* vpn_handshake_clear() */
inline handshake_clear()
{
	lock(handshake_lock);
	pending = false;
	unlock(handshake_lock)
}

/* vpn_peer_queue_work(), under RCU */
inline queue(work)
{
	if
	:: !dead -> work = true
	:: else
	fi
}

/* vpn_session_begin() as initiator: keypairs.lock */
inline begin_as_initiator()
{
	d_step {
		if
		:: !dead ->
			in_time();
			previous = (next -> next : current);
			current = 1;
			next = 0;
			check_seat()
		:: else
		fi
	}
}

/* vpn_session_begin() as responder: keypairs.lock */
inline begin_as_responder()
{
	d_step {
		if
		:: !dead ->
			in_time();
			next = 2;
			previous = 0;
			seated = true;
			check_seat()
		:: else ->
			/* accept_initiation(): err */
			seated = (none() -> false : seated)
		fi
	}
}

/* vpn_handshake_initiation_work(): create_initiation() */
active proctype initiator()
{
	do
	:: initiation_work ->
		lock(handshake_lock);
		if
		:: !dead && running && !over ->
			d_step {
				in_time();
				pending = true
			}
		:: else
		fi;
		unlock(handshake_lock);
		initiation_work = false
	od
}

/* receive_response(), on the workqueue; @pending stands for its index */
active proctype response()
{
	do
	:: atomic { pending && queued -> handlers++ };
		lock(handshake_lock);
		if
		:: !dead && pending ->
			begin_as_initiator();
			pending = false
		:: else
		fi;
		unlock(handshake_lock);
		/* start_using_session(): vpn_tx_keepalive() */
		if
		:: current == 0 -> d_step { queue(initiation_work) }
		:: else
		fi;
		handlers--
	od
}

/* receive_initiation(), on the workqueue: found by key before it was removed */
active proctype initiation()
{
	do
	:: atomic { !dead && queued -> handlers++ };
		lock(handshake_lock);
		if
		:: !dead && !over ->
			/* vpn_terms_judge(): vpn_session_take_seat() */
			seated = true;
			/* accept_initiation() */
			begin_as_responder()
		:: else
		fi;
		assert(!is_removed || !seated);
		unlock(handshake_lock);
		handlers--
	od
}

/*
 * rx_poll(): data, or a control message that says goodbye; in softirq. What is
 * done under RCU is one step: a grace period waits for it.
 */
active proctype softirq()
{
	do
	:: d_step {
		receiving && next ->
		/* vpn_session_confirm() */
		previous = current;
		current = next;
		next = 0;
		check_seat()
	   }
	:: d_step { receiving && !none() -> end_all() }	/* receive_disconnect() */
	:: d_step { receiving && current == 1 -> queue(initiation_work) } /* keep_session_fresh() */
	od
}

/* The timers, as far as they can do harm. */
active proctype timers()
{
	do
	:: d_step { armed -> queue(erase_work) }	/* erase_keys_expired() */
	:: d_step { armed -> queue(initiation_work) }	/* retransmit_handshake_expired() */
	:: d_step { armed && over -> queue(expire_work) }	/* expiry_expired() */
	od
}

/* vpn_timers_erase_work() */
active proctype eraser()
{
	do
	:: erase_work ->
		handshake_clear();
		d_step { end_all() };
		erase_work = false
	od
}

/* vpn_timers_expire_work() */
active proctype expirer()
{
	do
	:: atomic { expire_work -> overdue = over };
		handshake_clear();
		d_step { end_all() };
		atomic {
			/* Unless somebody has given it more time meanwhile. */
			if
			:: overdue ->
				is_expired = true;
				assert(none() && !pending)
			:: else
			fi
		};
		expire_work = false
	od
}

/* The clock, and the administrator who moves the end. */
active proctype clock()
{
	do
	:: over = true
	:: atomic { over -> over = false; overdue = false; is_expired = false }
	od
}

/* vpn_stop() and vpn_open() */
inline stop()
{
	running = false;
	/* vpn_socket_close(), vpn_rx_disable(), synchronize_net() */
	receiving = false;
	/* skb_queue_purge(), vpn_timers_stop() */
	queued = false;
	armed = false;
	/* flush_workqueue(): of what is queued meanwhile it knows nothing. */
	!initiation_work;
	!erase_work;
	!expire_work;
	handlers == 0;
	handshake_clear();
	d_step { end_all() };
	atomic {
		is_down = true;
		assert(none() && !pending && !seated)
	}
}

/* vpn_peer_remove() */
inline remove()
{
	/* peer_detach() */
	dead = true;
	running = false;
	/* synchronize_net() */
	/* peer_finish(): vpn_timers_stop() */
	armed = false;
	/* stop_work() */
	!initiation_work;
	!erase_work;
	!expire_work;
	handshake_clear();
	d_step { end_all() };
	atomic {
		is_removed = true;
		assert(none() && !pending && !seated)
	}
}

active proctype administrator()
{
	do
	:: stop();
		/* vpn_open() */
			atomic {
			is_down = false;
			running = true;
			armed = true;
			receiving = true;
			queued = true
		};
		:: remove();
		break
	od
}
