/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receiver indices: how a message says which handshake or session it is of.
 */
#ifndef VPN_INDEX_H
#define VPN_INDEX_H

#include <linux/rhashtable-types.h>
#include <linux/types.h>

struct vpn_device;
struct vpn_peer;

enum vpn_index_kind {
	VPN_INDEX_HANDSHAKE,
	VPN_INDEX_KEYPAIR,
};

/**
 * struct vpn_index - an address for messages of one handshake or keypair
 * @node: in vpn_device.indices
 * @peer: whose it is
 * @kind: what this is embedded in
 * @value: random, unique in the device; zero while not in the table
 */
struct vpn_index {
	struct rhash_head node;
	struct vpn_peer *peer;
	enum vpn_index_kind kind;
	__le32 value;
};

/**
 * vpn_index_assign() - give a handshake a fresh index and publish it
 * @index: not in the table, or in it with an older value
 *
 * Context: process, the lock of the handshake held for writing.
 * Return: 0 or -ENOMEM.
 */
int vpn_index_assign(struct vpn_index *index);

/**
 * vpn_index_pass_on() - let a keypair take over the index of its handshake
 * @from: published
 * @to: not in the table; afterwards it is, in place of @from
 *
 * Return: whether @from was still published.
 */
bool vpn_index_pass_on(struct vpn_index *from, struct vpn_index *to);
void vpn_index_withdraw(struct vpn_index *index);

/**
 * vpn_index_find() - look up what a message addresses
 * @vpn: the device
 * @value: the receiver index of the message
 *
 * Context: RCU read side; the result is valid until it ends.
 * Return: the index or NULL.
 */
struct vpn_index *vpn_index_find(struct vpn_device *vpn, __le32 value);

#endif
