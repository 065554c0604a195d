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

#endif
