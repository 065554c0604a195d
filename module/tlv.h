/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What version 1 says in handshakes and control messages: lists of type,
 * length and value (Documentation/protocol-v1.md). Bytes in, structures out,
 * and back; it knows neither peers nor devices, so that it can be tested and
 * fuzzed by itself.
 */
#ifndef VPN_TLV_H
#define VPN_TLV_H

#include <linux/types.h>
#include <uapi/linux/vpn.h>

#include "prefix.h"

#define VPN_ECHO_LEN		8
#define VPN_ASSIGNED_MTU_MIN	576

enum vpn_tlv_type {
	VPN_TLV_END			= 0,
	VPN_TLV_REQUESTED_ADDRESS	= 1,
	VPN_TLV_HOST_NAME		= 2,
	VPN_TLV_CREDENTIAL		= 3,
	VPN_TLV_SOFTWARE		= 4,
	VPN_TLV_ADDRESS			= 16,
	VPN_TLV_LEASE			= 17,
	VPN_TLV_DNS			= 18,
	VPN_TLV_ROUTE			= 19,
	VPN_TLV_MTU			= 20,
	VPN_TLV_KEEPALIVE		= 21,
	VPN_TLV_REJECT			= 22,
	VPN_TLV_DISCONNECT		= 32,
	VPN_TLV_PING			= 33,
	VPN_TLV_PONG			= 34,
};

/**
 * struct vpn_request - what an initiator says
 * @wanted: addresses it asks for; all zero for any of the family
 * @wanted_count: how many
 * @host_name: empty when it does not say
 * @software: empty when it does not say
 * @credential_kind: enum vpn_credential_kind or another; zero for none
 * @credential: within the message that it was read from
 * @credential_len: octets of it
 * @unsupported: it says something critical that we do not understand
 */
struct vpn_request {
	struct vpn_prefix wanted[VPN_FAMILIES];
	u8 wanted_count;
	char host_name[VPN_HOST_NAME_MAX + 1];
	char software[VPN_HOST_NAME_MAX + 1];
	u8 credential_kind;
	const u8 *credential;
	u16 credential_len;
	bool unsupported;
};

/**
 * struct vpn_assignment - what a responder tells the initiator to configure
 * @addresses: with the length of their network's prefix
 * @address_count: how many
 * @dns: servers
 * @dns_count: how many
 * @routes: what to send through the tunnel
 * @route_count: how many
 * @mtu: zero for none
 * @keepalive: seconds, zero for none
 * @has_lease: whether there is a @lease
 * @lease: seconds, zero for ever
 */
struct vpn_assignment {
	struct vpn_prefix addresses[VPN_FAMILIES];
	u8 address_count;
	struct vpn_prefix dns[VPN_DNS_MAX];
	u8 dns_count;
	struct vpn_prefix routes[VPN_ROUTES_MAX];
	u8 route_count;
	u16 mtu;
	u16 keepalive;
	bool has_lease;
	u32 lease;
};

/**
 * struct vpn_reject - why somebody is refused
 * @reason: enum vpn_reject_reason or another; zero for no refusal
 * @text: in words, perhaps empty
 */
struct vpn_reject {
	u8 reason;
	char text[VPN_REASON_TEXT_MAX + 1];
};

/**
 * struct vpn_answer - what a responder says
 * @reject: why the initiator is refused
 * @assignment: what it is to configure otherwise
 */
struct vpn_answer {
	struct vpn_reject reject;
	struct vpn_assignment assignment;
};

/**
 * struct vpn_controls - what a control message says
 * @disconnect: reason; zero for none
 * @has_ping: whether there is a @ping
 * @has_pong: whether there is a @pong
 * @has_assignment: whether there is an @assignment
 * @ping: to be sent back
 * @pong: what was sent
 * @assignment: replaces what was assigned before
 */
struct vpn_controls {
	u8 disconnect;
	bool has_ping;
	bool has_pong;
	bool has_assignment;
	u8 ping[VPN_ECHO_LEN];
	u8 pong[VPN_ECHO_LEN];
	struct vpn_assignment assignment;
};

/**
 * vpn_tlv_read_request() - read what an initiator says
 * @request: filled
 * @tlvs: behind the time stamp of the payload
 * @len: octets
 *
 * Context: any.
 * Return: 0 or -EBADMSG; then @request is of no use.
 */
int vpn_tlv_read_request(struct vpn_request *request, const u8 *tlvs,
			 size_t len);

/**
 * vpn_tlv_read_answer() - read what a responder says
 * @answer: filled
 * @tlvs: the payload
 * @len: octets
 *
 * Context: any.
 * Return: 0 or -EBADMSG; then @answer is of no use.
 */
int vpn_tlv_read_answer(struct vpn_answer *answer, const u8 *tlvs, size_t len);

/**
 * vpn_tlv_read_controls() - read a control message
 * @controls: filled
 * @tlvs: the plaintext
 * @len: octets
 *
 * Context: any.
 * Return: 0 or -EBADMSG; then @controls is of no use.
 */
int vpn_tlv_read_controls(struct vpn_controls *controls, const u8 *tlvs,
			  size_t len);

/**
 * vpn_tlv_write_request() - write what an initiator says
 * @request: the words
 * @tlvs: where to
 * @room: octets there
 *
 * Context: any.
 * Return: octets written, or -EMSGSIZE.
 */
int vpn_tlv_write_request(const struct vpn_request *request, u8 *tlvs,
			  size_t room);

/**
 * vpn_tlv_write_answer() - write what a responder says
 * @answer: a refusal, or an assignment
 * @tlvs: where to
 * @room: octets there; 1,024 are enough for any
 *
 * Context: any.
 * Return: octets written, or -EMSGSIZE.
 */
int vpn_tlv_write_answer(const struct vpn_answer *answer, u8 *tlvs,
			 size_t room);

/**
 * vpn_tlv_write_disconnect() - write a goodbye
 * @reason: enum vpn_disconnect_reason
 * @tlvs: where to
 * @room: octets there
 *
 * Context: any.
 * Return: octets written, or -EMSGSIZE.
 */
int vpn_tlv_write_disconnect(u8 reason, u8 *tlvs, size_t room);

/**
 * vpn_tlv_write_echo() - write a ping or pong
 * @type: VPN_TLV_PING or VPN_TLV_PONG
 * @echo: its octets
 * @tlvs: where to
 * @room: octets there
 *
 * Context: any.
 * Return: octets written, or -EMSGSIZE.
 */
int vpn_tlv_write_echo(u8 type, const u8 echo[VPN_ECHO_LEN], u8 *tlvs,
		       size_t room);

#endif
