/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPN_CONTROL_H
#define VPN_CONTROL_H

#include <linux/types.h>

struct vpn_keypair;
struct vpn_peer;

/**
 * vpn_control_receive() - act on an authentic control message
 * @peer: whose it is
 * @keypair: session that it came in
 * @tlvs: its plaintext
 * @len: octets of it, with padding
 *
 * Context: softirq, RCU read side.
 */
void vpn_control_receive(struct vpn_peer *peer, struct vpn_keypair *keypair,
			 const u8 *tlvs, size_t len);

/**
 * vpn_control_disconnect() - say goodbye
 * @peer: to whom; nothing happens without a session of version 1
 * @reason: enum vpn_disconnect_reason
 *
 * Context: any but hard interrupts.
 */
void vpn_control_disconnect(struct vpn_peer *peer, u8 reason);

/**
 * vpn_control_ping() - ask for an echo
 * @peer: of whom
 *
 * Context: any but hard interrupts.
 * Return: 0, -ENOTCONN without a session of version 1, or an error of sending.
 */
int vpn_control_ping(struct vpn_peer *peer);

#endif
